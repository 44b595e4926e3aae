//! Does every promise hold, whenever a process is killed and whoever redeems at the same time?

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout};

use bursar_pricing::{Issued, PriceListStore, Published, QuoteStore, Redemption};
use bursar_sqlite::{SqliteOptions, SqlitePriceStore};
use futures_executor::block_on;

use crate::generations::{orders, spawn};
use crate::prices::{list, moment, name, order, quote, quote_id, redeem};

/// How many write at the same time.
const WRITERS: usize = 4;

#[test]
#[ignore = "the child of `four_writers_are_killed_at_random_moments`"]
fn four_writers_write_until_they_are_killed() {
    let Some((database, starts)) = orders() else {
        return;
    };
    let store = SqlitePriceStore::open(database).unwrap();
    let starts = starts.split(',').map(|start| start.parse::<i64>().unwrap());
    std::thread::scope(|scope| {
        for (writer, start) in starts.enumerate() {
            let store = &store;
            scope.spawn(move || {
                for number in start.. {
                    block_on(write(store, writer, number));
                    println!("\nkept {writer} {number}");
                }
            });
        }
    });
}

/// Publishes an edition, issues a quote and redeems it; what was in flight before a kill is there already.
async fn write(store: &SqlitePriceStore, writer: usize, number: i64) {
    let published = store.publish(&list(&writer.to_string(), number)).await;
    assert!(matches!(published, Ok(Published::New | Published::Again)));
    let quote = quote(&format!("{writer}-{number}"));
    let issued = store.issue(&quote).await;
    assert!(matches!(issued, Ok(Issued::New | Issued::Again)));
    let order = order(&format!("order-{number}"));
    let redeemed = store.redeem(quote.id(), &order, moment(10)).await.unwrap();
    assert!(
        matches!(redeemed, Redemption::Granted { .. }),
        "{redeemed:?}"
    );
}

#[test]
fn four_writers_are_killed_at_random_moments() {
    kill_writers(10, 40);
}

#[test]
#[ignore = "minutes of writing: run it in release with --ignored"]
fn four_writers_are_killed_at_random_moments_a_hundred_times() {
    kill_writers(100, 400);
}

/// Kills four writers so many times, each after up to so many acknowledgements, and checks what they left
/// each time.
fn kill_writers(kills: u32, most: u64) {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("prices.db");
    // How many rounds each writer was told to be kept.
    let mut acknowledged = [0_i64; WRITERS];
    // A linear congruential generator (Knuth's MMIX constants): the moments are the same each run.
    let mut random = 20_261_127_u64;
    for _ in 0..kills {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        write_until_killed(&database, &mut acknowledged, 1 + (random >> 33) % most);
        check(&database, &acknowledged);
    }
}

/// Lets the writers go on from where they were, and kills them after so many acknowledgements.
fn write_until_killed(database: &Path, acknowledged: &mut [i64; WRITERS], moment: u64) {
    let starts = acknowledged.map(|number| number.to_string()).join(",");
    let test = "prices_killed::four_writers_write_until_they_are_killed";
    let (mut child, output) = spawn(test, database, &starts);
    let mut output = BufReader::new(output);
    let mut line = String::new();
    for _ in 0..moment {
        while !hear(&line, acknowledged) {
            line.clear();
            let n_read = output.read_line(&mut line).unwrap();
            assert!(n_read > 0, "the child ended before it was killed");
        }
        line.clear();
    }
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success());
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    // The last line may have been cut off.
    for line in rest.split_inclusive('\n').filter(|it| it.ends_with('\n')) {
        hear(line, acknowledged);
    }
}

/// Whether a line acknowledges something, which is then counted.
fn hear(line: &str, acknowledged: &mut [i64; WRITERS]) -> bool {
    let Some(words) = line.strip_prefix("kept ") else {
        return false;
    };
    let (writer, number) = words.trim_end().split_once(' ').unwrap();
    let (writer, number): (usize, i64) = (writer.parse().unwrap(), number.parse().unwrap());
    *acknowledged.get_mut(writer).unwrap() = number + 1;
    true
}

/// Whether all that was acknowledged is there, and of what was in flight only whole steps in their order.
fn check(database: &Path, acknowledged: &[i64; WRITERS]) {
    let store = SqlitePriceStore::open(database).unwrap();
    for (writer, acknowledged) in acknowledged.iter().enumerate() {
        let begins = block_on(store.editions(&name(&writer.to_string()))).unwrap();
        let n_editions = i64::try_from(begins.len()).unwrap();
        assert!(begins.into_iter().eq((0..n_editions).map(moment)));
        assert!(
            [0, 1].contains(&(n_editions - acknowledged)),
            "writer {writer}"
        );
        for number in 0..=*acknowledged {
            let kept = n_kept_steps(&store, writer, number);
            let is_acknowledged = number < *acknowledged;
            assert!(kept == 3 || !is_acknowledged, "{writer}-{number}: {kept}");
        }
    }
    drop(store);
    let connection = rusqlite::Connection::open(database).unwrap();
    let verdict: String = connection
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(verdict, "ok");
}

/// How many of the three steps of a round were kept; each as it was, and none without the one before.
fn n_kept_steps(store: &SqlitePriceStore, writer: usize, number: i64) -> u32 {
    let id = format!("{writer}-{number}");
    let list_name = writer.to_string();
    let published = block_on(store.in_force(&name(&list_name), moment(number))).unwrap();
    let published = published.filter(|it| it.effective_from() == moment(number));
    let is_published = published.is_some_and(|found| {
        assert!(found == list(&list_name, number), "{id} is another edition");
        true
    });
    let found = block_on(store.find(&quote_id(&id))).unwrap();
    let is_issued = found.is_some_and(|found| {
        assert!(found == quote(&id), "{id} is another quote");
        true
    });
    // Another order is refused if it was redeemed; long after the quote's end it is not granted either.
    let redeemed = redeem(store, &id, "another", 5_000);
    let is_redeemed = matches!(
        block_on(redeemed).unwrap(),
        Redemption::Refused(bursar_pricing::NotRedeemable::Taken { .. })
    );
    let steps = [is_published, is_issued, is_redeemed];
    assert!(
        steps.is_sorted_by(|before, after| before >= after),
        "{id}: {steps:?}"
    );
    steps.map(u32::from).iter().sum()
}

/// How many quotes two processes redeem at the same time.
const SHARED_QUOTES: u32 = 60;

#[test]
#[ignore = "one of the children of `of_two_processes_one_redeems_a_quote`"]
fn redeems_every_quote_for_itself() {
    let Some((database, role)) = orders() else {
        return;
    };
    // The time that a loaded machine may take is not what is tested here.
    let patient = SqliteOptions::default().with_busy_timeout(std::time::Duration::from_secs(300));
    let store = SqlitePriceStore::open_with(database, &patient).unwrap();
    for number in 0..SHARED_QUOTES {
        let quote = quote(&format!("q-{number}"));
        let _ = block_on(store.issue(&quote)).unwrap();
        let redeemed = block_on(store.redeem(quote.id(), &order(&role), moment(10))).unwrap();
        if let Redemption::Granted { again, .. } = redeemed {
            assert!(!again);
            println!("\ngranted {number}");
        }
        let edition = list("shared", i64::from(number));
        let _ = block_on(store.publish(&edition)).unwrap();
    }
    println!("\ndone");
}

#[test]
fn of_two_processes_one_redeems_a_quote() {
    let folder = tempfile::tempdir().unwrap();
    // The file does not exist yet: they also make it at the same time.
    let database = folder.path().join("prices.db");
    let roles = ["first", "second"];
    let children = roles.map(|role| {
        spawn(
            "prices_killed::redeems_every_quote_for_itself",
            &database,
            role,
        )
    });
    let mut winners = BTreeMap::new();
    for (role, (child, output)) in roles.iter().zip(children) {
        for number in granted(child, output) {
            assert_eq!(
                winners.insert(number, *role),
                None,
                "{number} was granted twice"
            );
        }
    }
    assert!(winners.keys().copied().eq(0..SHARED_QUOTES));
    let store = SqlitePriceStore::open(&database).unwrap();
    for (number, role) in winners {
        let again = block_on(redeem(&store, &format!("q-{number}"), role, 10)).unwrap();
        assert!(matches!(again, Redemption::Granted { again: true, .. }));
    }
    let begins = block_on(store.editions(&name("shared"))).unwrap();
    assert!(
        begins
            .into_iter()
            .eq((0..i64::from(SHARED_QUOTES)).map(moment))
    );
}

/// Which quotes a process was granted.
fn granted(mut child: Child, output: ChildStdout) -> Vec<u32> {
    let said = std::io::read_to_string(output).unwrap();
    assert!(child.wait().unwrap().success(), "{said}");
    assert!(said.contains("\ndone\n"), "{said}");
    let lines = said.lines().filter_map(|it| it.strip_prefix("granted "));
    lines.map(|number| number.parse().unwrap()).collect()
}
