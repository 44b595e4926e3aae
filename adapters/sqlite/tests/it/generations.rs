//! Partitions whose every row says which generation it is of, so that a mixture is seen.

use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use bursar_cost_model::{Column, CostRecord, CostStore, PartitionKey, RecordsSource, Scan};
use bursar_sqlite::SqliteStore;
use bursar_units::Currency;
use futures_executor::block_on;

/// The variable that tells a child process which database to work on.
pub(crate) const DATABASE: &str = "BURSAR_SQLITE_TEST_DATABASE";

/// The variable that tells it what to do there.
const ROLE: &str = "BURSAR_SQLITE_TEST_ROLE";

pub(crate) fn key(partition: u64) -> PartitionKey {
    PartitionKey::new("generations", format!("{partition:02}"))
}

/// How many records a generation has: different from one to the next, up to several batches.
pub(crate) fn count(generation: u64) -> u64 {
    200 + generation * 379 % 1300
}

/// The records of a generation as `writer` writes it; each says whose it is, and its place.
pub(crate) fn records(
    writer: &str,
    generation: u64,
) -> impl Iterator<Item = CostRecord<'static>> + Send {
    let writer = writer.to_owned();
    (0..count(generation)).map(move |at| {
        let mut record = CostRecord::new(Currency::USD);
        record.billed_cost = Some(format!("{generation}.{at:010}").parse().unwrap());
        record.charge_period.start = Some("2024-02-01T00:00:00Z".parse().unwrap());
        record.set(Column::ServiceName, "Amazon Elastic Compute Cloud");
        record.set_extra("x_Writer", &writer);
        record
    })
}

/// Stores a generation and returns its revision.
pub(crate) fn store(store: &SqliteStore, partition: u64, writer: &str, generation: u64) -> u64 {
    let mut source = RecordsSource::new(records(writer, generation));
    let stored = block_on(store.replace_partition(&key(partition), &mut source)).unwrap();
    assert_eq!(stored.records, count(generation));
    stored.revision
}

/// Which generation a partition holds, and who wrote it; `None` if it holds nothing.
///
/// # Panics
/// When it is not exactly one whole generation.
pub(crate) fn check(store: &SqliteStore, partition: u64) -> Option<(String, u64)> {
    let scan = Scan::of_partition(&key(partition));
    let mut source = block_on(store.scan(&scan)).unwrap();
    let mut found = Vec::new();
    while let Some(mut batch) = block_on(source.next_batch()).unwrap() {
        found.append(&mut batch);
    }
    let first = found.first()?;
    let writer = first.extra("x_Writer").unwrap().to_owned();
    let cost = first.billed_cost.unwrap().to_string();
    let generation = cost.split_once('.').unwrap().0.parse().unwrap();
    assert!(
        records(&writer, generation).eq(found),
        "partition {partition} is a mixture, or is not whole"
    );
    Some((writer, generation))
}

/// Starts this test binary once more, to run only the test of this name on a database.
pub(crate) fn spawn(test: &str, database: &Path, role: &str) -> (Child, ChildStdout) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--ignored", "--nocapture"])
        .env(DATABASE, database)
        .env(ROLE, role)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = child.stdout.take().unwrap();
    (child, output)
}

/// In a child: which database to work on, and what to do with it. `None` where no other test started this
/// one, as when all ignored tests are run: it has nothing to do then.
pub(crate) fn orders() -> Option<(PathBuf, String)> {
    let database = std::env::var(DATABASE).ok()?;
    let role = std::env::var(ROLE).ok()?;
    Some((database.into(), role))
}

/// What SQLite itself says of the file.
pub(crate) fn assert_intact(database: &Path) {
    let connection = rusqlite::Connection::open(database).unwrap();
    let verdict: String = connection
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(verdict, "ok");
    let doubled: i64 = connection
        .query_row(
            "SELECT (SELECT count(*) FROM records) - (SELECT coalesce(sum(Records), 0) FROM partitions)",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(doubled, 0, "there are rows that no partition counts");
    let strangers: i64 = connection
        .query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(strangers, 0);
}
