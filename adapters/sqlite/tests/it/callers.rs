//! What may callers do to a store at once, and half way?

use std::sync::Arc;
use std::task::Poll;

use bursar_cost_model::{CostStore, RecordsSource, Scan};
use bursar_sqlite::{SqliteError, SqliteOptions, SqliteStore};
use futures_executor::block_on;

use crate::generations::{check, key, records, store};

#[test]
fn stores_are_shared_between_threads_behind_the_port() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<SqliteStore>();
    shared::<SqliteError>();
    shared::<SqliteOptions>();
    let _: Arc<dyn CostStore> = Arc::new(SqliteStore::open_in_memory().unwrap());
}

#[test]
fn threads_that_share_a_store_write_one_after_the_other_and_read_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    // Threads of one store wait for their turn, not for the lock.
    let impatient = SqliteOptions::default().with_busy_timeout(std::time::Duration::ZERO);
    let shared = SqliteStore::open_with(folder.path().join("costs.db"), &impatient).unwrap();
    store(&shared, 0, "main", 1);
    std::thread::scope(|scope| {
        for writer in ["a", "b", "c"] {
            let shared = &shared;
            scope.spawn(move || {
                for generation in 1..=5 {
                    store(shared, 0, writer, generation);
                    assert!(check(shared, 0).is_some());
                }
            });
        }
    });
    let info = block_on(shared.partitions()).unwrap();
    assert_eq!((info.len(), info[0].revision), (1, 16));
    let (writer, generation) = check(&shared, 0).unwrap();
    assert!(["a", "b", "c"].contains(&writer.as_str()));
    assert_eq!(generation, 5);
}

#[test]
fn a_batch_that_nobody_waited_for_is_not_lost() {
    let folder = tempfile::tempdir().unwrap();
    let kept = SqliteStore::open(folder.path().join("costs.db")).unwrap();
    store(&kept, 0, "test", 4);
    let mut scan = block_on(kept.scan(&Scan::default())).unwrap();
    let mut seen = Vec::new();
    loop {
        // Asked once and given up, as a `select!` does, and then asked again.
        let mut asked = scan.next_batch();
        let polled = block_on(std::future::poll_fn(|context| {
            Poll::Ready(asked.as_mut().poll(context))
        }));
        drop(asked);
        let batch = match polled {
            Poll::Ready(batch) => batch,
            Poll::Pending => block_on(scan.next_batch()),
        };
        match batch.unwrap() {
            Some(batch) => seen.extend(batch),
            None => break,
        }
    }
    assert!(records("test", 4).eq(seen));
}

#[test]
fn a_store_goes_on_after_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("costs.db");
    let kept = SqliteStore::open(&path).unwrap();
    store(&kept, 0, "before", 1);
    // A trigger stands for whatever makes SQLite fail in the middle of a partition.
    let other = rusqlite::Connection::open(&path).unwrap();
    other
        .execute_batch(
            "CREATE TRIGGER refuse BEFORE INSERT ON records WHEN NEW.Ordinal = 1100
             BEGIN SELECT RAISE(ABORT, 'no space left'); END",
        )
        .unwrap();
    // Generation 3 has 1337 records: the second batch fails.
    let mut source = RecordsSource::new(records("during", 3));
    let error = block_on(kept.replace_partition(&key(0), &mut source)).unwrap_err();
    assert!(error.to_string().contains("no space left"), "{error}");
    assert_eq!(check(&kept, 0), Some(("before".into(), 1)));
    other.execute_batch("DROP TRIGGER refuse").unwrap();
    assert_eq!(store(&kept, 0, "after", 3), 2);
    assert_eq!(check(&kept, 0), Some(("after".into(), 3)));
}
