//! Which files are opened, brought up to date, or refused unchanged?

use std::fs;
use std::path::Path;

use bursar_cost_model::{Column, CostRecord, CostStore, RecordsSource, Scan};
use bursar_sqlite::{SqliteError, SqliteStore};
use bursar_units::Currency;
use futures_executor::block_on;
use rusqlite::Connection;

use crate::generations::{assert_intact, check, key, store};

/// Runs SQL on a database of its own making, in place of an older program.
fn make(path: &Path, sql: &str) {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch(sql).unwrap();
}

fn scanned(store: &SqliteStore) -> Vec<CostRecord<'static>> {
    let mut scan = block_on(store.scan(&Scan::default())).unwrap();
    let mut records = Vec::new();
    while let Some(mut batch) = block_on(scan.next_batch()).unwrap() {
        records.append(&mut batch);
    }
    records
}

/// Opening fails and leaves the file as it was, to the last byte.
fn refused(path: &Path) -> SqliteError {
    let before = fs::read(path).unwrap();
    let error = SqliteStore::open(path).unwrap_err();
    assert!(fs::read(path).unwrap() == before, "the file was changed");
    error
}

#[test]
fn a_file_of_version_1_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("costs.db");
    make(&path, include_str!("fixtures/v1.sql"));
    let upgraded = SqliteStore::open(&path).unwrap();

    let records = scanned(&upgraded);
    let costs: Vec<_> = records
        .iter()
        .map(|record| record.billed_cost.unwrap().to_string())
        .collect();
    assert_eq!(
        costs,
        ["119.8100", "-0.00000000000000000000000000000000001"]
    );
    assert_eq!(records[0].line, Some(2));
    assert_eq!(records[0].billing_currency, Currency::USD);
    assert_eq!(records[0].text(Column::ServiceName), Some("Amazon Bedrock"));
    assert_eq!(
        records[0].charge_period.start,
        Some("2024-02-29T23:00:00Z".parse().unwrap())
    );
    // What version 1 could only keep beside the columns is in its column now.
    assert_eq!(
        records[0].text(Column::InvoiceDetailId),
        Some("detail \"7\"")
    );
    let extras: Vec<_> = records[0].extras().collect();
    assert_eq!(extras, [("z_Last", "1"), ("x_Team", "search")]);
    assert_eq!(records[1].text(Column::InvoiceDetailId), Some("detail 8"));
    assert_eq!(records[1].extras().count(), 0);

    let infos = block_on(upgraded.partitions()).unwrap();
    assert_eq!((infos[0].records, infos[0].revision), (2, 4));
    let of_february = Scan::within("2024-02".parse().unwrap());
    let mut scan = block_on(upgraded.scan(&of_february)).unwrap();
    let batch = block_on(scan.next_batch()).unwrap().unwrap();
    assert_eq!(batch.len(), 1);

    // And it takes what version 1 had no place for.
    let mut record = CostRecord::new(Currency::USD);
    record.set(Column::CommitmentProgramEligibilityDetails, "{}");
    let mut source = RecordsSource::new([record.clone()]);
    let info = block_on(upgraded.replace_partition(&infos[0].key, &mut source)).unwrap();
    assert_eq!(info.revision, 5);
    assert_eq!(scanned(&upgraded), [record]);
    drop(upgraded);
    assert_intact(&path);
    // Opened once more it is not upgraded once more.
    assert_eq!(scanned(&SqliteStore::open(&path).unwrap()).len(), 1);
}

#[test]
fn an_upgrade_that_fails_leaves_version_1() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("costs.db");
    make(&path, include_str!("fixtures/v1.sql"));
    make(&path, "UPDATE records SET Extras = '{not json'");
    let error = SqliteStore::open(&path).unwrap_err();
    assert!(matches!(error, SqliteError::Database(_)), "{error}");
    let connection = Connection::open(&path).unwrap();
    let version: i32 = connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .unwrap();
    let added: i64 = connection
        .query_row(
            "SELECT count(*) FROM pragma_table_info('records') WHERE name = 'InvoiceDetailId'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!((version, added), (1, 0));
}

#[test]
fn a_newer_file_is_refused_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("costs.db");
    drop(SqliteStore::open(&path).unwrap());
    make(&path, "PRAGMA user_version = 99");
    let error = refused(&path);
    assert!(
        matches!(
            error,
            SqliteError::NewerSchema {
                found: 99,
                supported: 2,
                ..
            }
        ),
        "{error}"
    );
    assert!(error.to_string().contains("use a newer program"), "{error}");
}

#[test]
fn a_foreign_file_is_refused_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("costs.db");
    for (what, found) in [
        (
            "CREATE TABLE people (name TEXT)",
            "a SQLite database with 1 tables",
        ),
        ("PRAGMA user_version = 3", "a SQLite database with 0 tables"),
        (
            "PRAGMA application_id = 0x0f055112; CREATE TABLE blob (content)",
            "a SQLite database of another application (0x0f055112)",
        ),
    ] {
        make(&path, what);
        let error = refused(&path);
        match &error {
            SqliteError::Foreign { found: it_is, .. } => assert_eq!(it_is, found),
            other => panic!("{what}: {other}"),
        }
        fs::remove_file(&path).unwrap();
    }
    fs::write(&path, "BilledCost,BillingCurrency\n1,USD\n".repeat(100)).unwrap();
    let error = refused(&path);
    assert!(error.to_string().contains("no SQLite database"), "{error}");
}

#[test]
fn a_path_that_cannot_be_a_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for path in [
        folder.path().to_owned(),
        folder.path().join("no/such/folder.db"),
        "".into(),
    ] {
        let error = SqliteStore::open(&path).unwrap_err();
        assert!(
            matches!(error, SqliteError::Open { .. }),
            "{path:?}: {error}"
        );
    }
}

#[test]
fn an_empty_file_and_names_that_look_like_uris_are_taken() {
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "empty.db",
        "file:costs.db?mode=memory",
        ":memory:",
        "ü %20#?.db",
    ] {
        let path = folder.path().join(name);
        fs::write(&path, "").unwrap();
        let opened = SqliteStore::open(&path).unwrap();
        store(&opened, 0, name, 1);
        drop(opened);
        let again = SqliteStore::open(&path).unwrap();
        assert_eq!(check(&again, 0), Some((name.to_owned(), 1)));
    }
}

#[test]
fn the_file_is_readable_with_plain_sql() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("costs.db");
    let kept = SqliteStore::open(&path).unwrap();
    let mut record = CostRecord::new(Currency::USD);
    record.billed_cost = Some("12345678901234567890.123456789".parse().unwrap());
    record.charge_period.start = Some("2024-02-01T07:00:00Z".parse().unwrap());
    record.set(Column::ServiceName, "Amazon Bedrock");
    record.set_extra("x_Team", "search");
    let mut source = RecordsSource::new([record]);
    block_on(kept.replace_partition(&key(7), &mut source)).unwrap();

    let sql =
        "SELECT Source, Partition, BilledCost, BillingCurrency, ChargePeriodStart, ServiceName,
                      Extras ->> 'x_Team', date(ChargePeriodStart), EffectiveCost IS NULL
               FROM records JOIN partitions USING (PartitionId)";
    let connection = Connection::open(&path).unwrap();
    let row: Vec<String> = connection
        .query_row(sql, [], |row| {
            (0..8)
                .map(|at| row.get(at))
                .chain([row.get::<_, i64>(8).map(|n| n.to_string())])
                .collect()
        })
        .unwrap();
    assert_eq!(
        row,
        [
            "generations",
            "07",
            "12345678901234567890.123456789",
            "USD",
            "2024-02-01T07:00:00Z",
            "Amazon Bedrock",
            "search",
            "2024-02-01",
            "1"
        ]
    );
    for (pragma, value) in [
        ("journal_mode", "wal"),
        ("application_id", "1114993267"),
        ("user_version", "2"),
    ] {
        let sql = format!("SELECT CAST({pragma} AS TEXT) FROM pragma_{pragma}");
        let is: String = connection.query_row(&sql, [], |row| row.get(0)).unwrap();
        assert_eq!(is, value, "{pragma}");
    }
}

#[test]
fn a_line_that_sqlite_cannot_count_is_refused() {
    let kept = SqliteStore::open_in_memory().unwrap();
    let mut record = CostRecord::new(Currency::USD);
    record.line = Some(u64::MAX);
    let mut source = RecordsSource::new([CostRecord::new(Currency::USD), record]);
    let error = block_on(kept.replace_partition(&key(0), &mut source)).unwrap_err();
    assert!(
        error.to_string().contains("record 1 cannot be stored"),
        "{error}"
    );
    assert_eq!(block_on(kept.partitions()).unwrap(), []);
}
