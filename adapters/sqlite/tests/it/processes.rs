//! What do processes that share the file see of each other?

use std::collections::BTreeSet;
use std::process::{Child, ChildStdout};

use bursar_cost_model::{CostStore, Scan, StoreError};
use bursar_sqlite::{SqliteError, SqliteOptions, SqliteStore};
use futures_executor::block_on;

use crate::generations::{assert_intact, check, key, orders, records, spawn, store};

/// The partition that both writers replace.
const SHARED: u64 = 0;

/// How often each writer replaces each partition.
const GENERATIONS: u64 = 12;

/// Waits for the end of the child, which says at last that it is done.
fn wait_for(mut child: Child, output: ChildStdout) {
    let said = std::io::read_to_string(output).unwrap();
    assert!(child.wait().unwrap().success(), "{said}");
    assert!(said.contains("done\n"), "{said}");
}

#[test]
#[ignore = "one of the children of `two_processes_write_at_once`"]
fn writes_its_own_and_the_shared_partition() {
    let Some((database, role)) = orders() else {
        return;
    };
    // The time that a loaded machine may take is not what is tested here.
    let patient = SqliteOptions::default().with_busy_timeout(std::time::Duration::from_secs(300));
    let writer = SqliteStore::open_with(database, &patient).unwrap();
    let own = role.parse().unwrap();
    for generation in 1..=GENERATIONS {
        store(&writer, own, &role, generation);
        store(&writer, SHARED, &role, generation);
    }
    println!("done");
}

#[test]
fn two_processes_write_at_once() {
    let folder = tempfile::tempdir().unwrap();
    // The file does not exist yet: they also make it at the same time.
    let database = folder.path().join("costs.db");
    let children = ["1", "2"].map(|role| {
        let test = "processes::writes_its_own_and_the_shared_partition";
        spawn(test, &database, role)
    });
    for (child, output) in children {
        wait_for(child, output);
    }
    let reader = SqliteStore::open(&database).unwrap();
    for own in [1, 2] {
        assert_eq!(check(&reader, own), Some((own.to_string(), GENERATIONS)));
    }
    let (_, last) = check(&reader, SHARED).unwrap();
    assert_eq!(last, GENERATIONS);
    let revisions: Vec<u64> = block_on(reader.partitions())
        .unwrap()
        .iter()
        .map(|info| info.revision)
        .collect();
    // None of the replacements of the shared partition was lost.
    assert_eq!(revisions, [2 * GENERATIONS, GENERATIONS, GENERATIONS]);
    drop(reader);
    assert_intact(&database);
}

#[test]
#[ignore = "the child of `a_reading_process_sees_the_old_or_the_new`"]
fn reads_until_it_has_seen_changes() {
    let Some((database, _)) = orders() else {
        return;
    };
    let reader = SqliteStore::open(database).unwrap();
    let mut seen = BTreeSet::new();
    let mut last = 0;
    for _ in 0..100_000 {
        let (_, generation) = check(&reader, SHARED).unwrap();
        assert!(generation >= last, "a partition went back in time");
        last = generation;
        seen.insert(generation);
        if seen.len() == 20 {
            println!("done");
            return;
        }
    }
    panic!("the writer stands still: only {seen:?} were seen");
}

#[test]
fn a_reading_process_sees_the_old_or_the_new() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("costs.db");
    let writer = SqliteStore::open(&database).unwrap();
    store(&writer, SHARED, "parent", 1);
    let (mut child, output) = spawn("processes::reads_until_it_has_seen_changes", &database, "");
    let mut generation = 1;
    while child.try_wait().unwrap().is_none() {
        generation += 1;
        store(&writer, SHARED, "parent", generation);
    }
    wait_for(child, output);
    assert_eq!(check(&writer, SHARED), Some(("parent".into(), generation)));
}

#[test]
fn a_writer_that_waits_too_long_says_so_and_reading_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("costs.db");
    let impatient = SqliteOptions::default().with_busy_timeout(std::time::Duration::ZERO);
    let waiting = SqliteStore::open_with(&database, &impatient).unwrap();
    store(&waiting, SHARED, "before", 1);

    let other = rusqlite::Connection::open(&database).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut source = bursar_cost_model::RecordsSource::new(records("late", 2));
    let error = block_on(waiting.replace_partition(&key(SHARED), &mut source)).unwrap_err();
    assert_busy(&error);
    let error = block_on(waiting.remove_partition(&key(SHARED))).unwrap_err();
    assert_busy(&error);
    assert_eq!(check(&waiting, SHARED), Some(("before".into(), 1)));

    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(store(&waiting, SHARED, "after", 2), 2);
}

fn assert_busy(error: &StoreError) {
    let StoreError::Store(cause) = error else {
        panic!("expected an error of the store, not {error}");
    };
    let cause = cause.downcast_ref::<SqliteError>().unwrap();
    assert!(matches!(cause, SqliteError::Busy(_)), "{cause}");
    assert!(error.to_string().contains("busy_timeout"), "{error}");
}

#[test]
fn a_scan_outlives_its_store_and_an_abandoned_one_does_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("costs.db");
    let first = SqliteStore::open(&database).unwrap();
    store(&first, SHARED, "first", 4);
    let mut scan = block_on(first.scan(&Scan::default())).unwrap();
    let abandoned = block_on(first.scan(&Scan::default())).unwrap();
    drop((first, abandoned));
    let second = SqliteStore::open(&database).unwrap();
    store(&second, SHARED, "second", 5);
    let mut seen = Vec::new();
    while let Some(mut batch) = block_on(scan.next_batch()).unwrap() {
        seen.append(&mut batch);
    }
    assert!(records("first", 4).eq(seen));
    assert_eq!(check(&second, SHARED), Some(("second".into(), 5)));
}
