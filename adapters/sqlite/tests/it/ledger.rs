//! Are the books right whoever writes at the same time, and whenever they are killed?

use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use bursar_pricing::ledger::{
    Account, Ledger, LedgerError, Posted, Purpose, Transaction, conformance,
};
use bursar_sqlite::{SqliteError, SqliteLedger, SqliteStore};
use bursar_units::{Currency, Money};
use futures_executor::block_on;
use rust_decimal::Decimal;

use crate::generations::{orders, spawn};

/// How many write at the same time.
const WRITERS: usize = 8;

#[test]
fn a_ledger_in_memory_keeps_the_contract() {
    block_on(conformance::run(async || {
        SqliteLedger::open_in_memory().unwrap()
    }));
}

#[test]
fn a_ledger_in_a_file_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let files = std::cell::Cell::new(0);
    let make = async || {
        files.set(files.get() + 1);
        SqliteLedger::open(folder.path().join(format!("{}.db", files.get()))).unwrap()
    };
    block_on(conformance::run(make));
}

#[test]
fn what_was_posted_is_there_after_opening_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = SqliteLedger::open(&path).unwrap();
    let posted = block_on(ledger.post(&movement(0, 0))).unwrap();
    drop(ledger);
    let ledger = SqliteLedger::open(&path).unwrap();
    let again = block_on(ledger.post(&movement(0, 0))).unwrap();
    assert_eq!(
        again,
        Posted::AlreadyApplied(posted.receipt().unwrap().clone())
    );
}

#[test]
fn a_store_of_bills_is_no_ledger_and_the_other_way_round() {
    let folder = tempfile::tempdir().unwrap();
    let (bills, books) = (
        folder.path().join("bills.db"),
        folder.path().join("books.db"),
    );
    drop(SqliteStore::open(&bills).unwrap());
    drop(SqliteLedger::open(&books).unwrap());
    let error = SqliteLedger::open(&bills).unwrap_err();
    assert!(matches!(error, SqliteError::Foreign { .. }), "{error}");
    assert!(error.to_string().contains("not a ledger"), "{error}");
    assert!(matches!(
        SqliteStore::open(&books).unwrap_err(),
        SqliteError::Foreign { .. }
    ));
}

#[test]
fn rows_can_be_neither_changed_nor_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = SqliteLedger::open(&path).unwrap();
    block_on(ledger.post(&movement(0, 0)))
        .unwrap()
        .receipt()
        .unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    for sql in [
        "UPDATE entries SET Amount = '1000000' WHERE Account = 'wallet:0'",
        "DELETE FROM entries",
        "UPDATE transactions SET Id = 'x'",
        "DELETE FROM transactions",
    ] {
        let error = other.execute(sql, []).unwrap_err();
        assert!(error.to_string().contains("append-only"), "{sql}: {error}");
    }
}

#[test]
fn the_audit_finds_what_somebody_forged() {
    for (forgery, place) in [
        (
            "UPDATE entries SET Balance = '12.34' WHERE Account = 'wallet:0'",
            "transaction 1",
        ),
        (
            "UPDATE entries SET Amount = '12.34' WHERE Account = 'wallet:0'",
            "transaction 1",
        ),
        (
            "UPDATE entries SET Amount = 'much' WHERE Account = 'wallet:0'",
            "transaction 1",
        ),
        ("DELETE FROM entries", "the list of transactions"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        let ledger = SqliteLedger::open(&path).unwrap();
        block_on(ledger.post(&movement(0, 0)))
            .unwrap()
            .receipt()
            .unwrap();
        let other = rusqlite::Connection::open(&path).unwrap();
        other
            .execute_batch(&format!(
                "DROP TRIGGER entries_are_not_changed; DROP TRIGGER entries_are_not_deleted; {forgery}"
            ))
            .unwrap();
        match block_on(ledger.audit()) {
            Err(LedgerError::Corrupt { place: found, .. }) => assert_eq!(found, place, "{forgery}"),
            answer => panic!("{forgery}: {answer:?}"),
        }
    }
}

#[test]
#[ignore = "the child of `eight_writers_are_killed_at_random_moments`"]
fn eight_writers_write_until_they_are_killed() {
    let Some((database, starts)) = orders() else {
        return;
    };
    let ledger = SqliteLedger::open(database).unwrap();
    let starts = starts.split(',').map(|start| start.parse::<u64>().unwrap());
    std::thread::scope(|scope| {
        for (writer, start) in starts.enumerate() {
            let ledger = &ledger;
            scope.spawn(move || {
                for number in start.. {
                    let posted = block_on(ledger.post(&movement(writer, number))).unwrap();
                    assert!(posted.receipt().is_some(), "{posted:?}");
                    println!("\nposted {writer} {number}");
                }
            });
        }
    });
}

#[test]
fn eight_writers_are_killed_at_random_moments() {
    kill_writers(20_000);
}

#[test]
#[ignore = "a minute of writing: run it in release with --ignored"]
fn eight_writers_are_killed_at_random_moments_over_100_000_entries() {
    kill_writers(100_000);
}

/// Kills eight writers again and again until the ledger has this many entries, and checks the books
/// each time.
fn kill_writers(entries: u64) {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("ledger.db");
    // How many of its movements each writer was told to be posted.
    let mut acknowledged = [0_u64; WRITERS];
    // A linear congruential generator (Knuth's MMIX constants): the moments are the same each run.
    let mut random = 20_261_120_u64;
    let mut kills = 0_u64;
    loop {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let moment = entries / 60 + (random >> 33) % (entries / 30);
        write_until_killed(&database, &mut acknowledged, moment);
        kills += 1;
        let posted = posted_by_writer(&database);
        for (writer, (posted, acknowledged)) in posted.iter().zip(&mut acknowledged).enumerate() {
            // Nothing that was acknowledged is lost; what was in flight is there whole or not at all.
            let in_flight = posted.checked_sub(*acknowledged);
            assert!(
                matches!(in_flight, Some(0 | 1)),
                "kill {kills}: writer {writer} was told of {acknowledged}, there are {posted}"
            );
        }
        let ledger = SqliteLedger::open(&database).unwrap();
        let audit = block_on(ledger.audit()).unwrap();
        assert_eq!(audit.transactions, posted.iter().sum::<u64>());
        assert_eq!(audit.entries, 2 * audit.transactions);
        check_balances(&ledger, &posted);
        if audit.entries >= entries {
            break;
        }
        // The next writers begin with what was acknowledged last, so that what was in flight is
        // posted a second time.
    }
    assert!(kills >= 10, "only {kills} kills");
}

/// Lets the writers go on from where they were, and kills them after so many acknowledgements.
fn write_until_killed(database: &Path, acknowledged: &mut [u64; WRITERS], moment: u64) {
    let starts = acknowledged.map(|number| number.to_string()).join(",");
    let test = "ledger::eight_writers_write_until_they_are_killed";
    let (mut child, output) = spawn(test, database, &starts);
    let mut output = BufReader::new(output);
    let mut line = String::new();
    let mut heard = 0;
    let mut hear = |line: &str| {
        let mut words = line.strip_prefix("posted ")?.split_whitespace();
        let writer: usize = words.next()?.parse().ok()?;
        let number: u64 = words.next()?.parse().ok()?;
        let count = acknowledged.get_mut(writer)?;
        *count = (*count).max(number + 1);
        Some(())
    };
    while heard < moment {
        line.clear();
        assert!(
            output.read_line(&mut line).unwrap() > 0,
            "the child ended before it was killed"
        );
        heard += u64::from(hear(&line).is_some());
    }
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success());
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    for line in rest
        .split_inclusive('\n')
        .filter(|line| line.ends_with('\n'))
    {
        hear(line);
    }
}

/// The movements of a writer: a payment, then six charges, and so on, each of another amount.
fn movement(writer: usize, number: u64) -> Transaction {
    let wallet = Account::wallet(writer.to_string());
    let (purpose, from, to) = match number % 7 {
        0 => (Purpose::TopUp, Account::Cash, wallet),
        _ => (Purpose::Charge, wallet, Account::Revenue),
    };
    let at = "2026-11-20T12:00:00Z".parse().unwrap();
    let id = format!("{writer}-{number}");
    Transaction::transfer(id, at, purpose, from, to, amount(number)).unwrap()
}

/// Amounts with more digits than a float keeps.
fn amount(number: u64) -> Money {
    let millionths = match number % 7 {
        0 => 1_000_000_000_000_000_000,
        rest => 100_000_000_000_000_001 * rest,
    };
    Money::new(
        Decimal::from_i128_with_scale(i128::from(millionths), 18),
        Currency::USD,
    )
}

/// How many movements of each writer the file has; each from the first on without a gap.
fn posted_by_writer(database: &Path) -> [u64; WRITERS] {
    let connection = rusqlite::Connection::open(database).unwrap();
    let mut statement = connection
        .prepare(
            "SELECT count(*), coalesce(max(CAST(substr(Id, 3) AS INTEGER)) + 1, 0)
             FROM transactions WHERE Id GLOB ?1 || '-*'",
        )
        .unwrap();
    std::array::from_fn(|writer| {
        let (count, next): (i64, i64) = statement
            .query_row([writer.to_string()], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap();
        assert_eq!(count, next, "writer {writer} has gaps");
        count.unsigned_abs()
    })
}

/// Whether every account holds what the movements so far put into it.
fn check_balances(ledger: &SqliteLedger, posted: &[u64; WRITERS]) {
    let zero = Money::zero(Currency::USD);
    let (mut cash, mut revenue) = (zero, zero);
    for (writer, posted) in posted.iter().enumerate() {
        let mut wallet = zero;
        for number in 0..*posted {
            let amount = amount(number);
            if number % 7 == 0 {
                wallet = wallet.checked_add(amount).unwrap();
                cash = cash.checked_sub(amount).unwrap();
            } else {
                wallet = wallet.checked_sub(amount).unwrap();
                revenue = revenue.checked_add(amount).unwrap();
            }
        }
        let account = Account::wallet(writer.to_string());
        let held = block_on(ledger.balance(&account, Currency::USD)).unwrap();
        assert_eq!(held, wallet, "{account}");
    }
    for (account, expected) in [(Account::Cash, cash), (Account::Revenue, revenue)] {
        let held = block_on(ledger.balance(&account, Currency::USD)).unwrap();
        assert_eq!(held, expected, "{account}");
    }
}
