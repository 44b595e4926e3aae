//! Is a stored value that cannot be read back named, and never guessed at?

use bursar_cost_model::{CostStore, Scan, SourceError, StoreError};
use bursar_sqlite::SqliteStore;
use futures_executor::block_on;

use crate::generations::{count, key, store};

/// Damages a stored partition with SQL, and returns how its scan fails.
fn damage(sql: &str) -> StoreError {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("costs.db");
    let kept = SqliteStore::open(&database).unwrap();
    store(&kept, 0, "test", 1);
    let connection = rusqlite::Connection::open(&database).unwrap();
    // SQLite's own guard against values of another type is one of the things that may be off.
    connection
        .execute_batch("PRAGMA writable_schema = ON")
        .unwrap();
    assert!(connection.execute(sql, []).unwrap() > 0, "{sql}");
    drop(connection);
    let mut scan = match block_on(kept.scan(&Scan::default())) {
        Ok(scan) => scan,
        Err(error) => return error,
    };
    loop {
        match block_on(scan.next_batch()) {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the damage went unnoticed: {sql}"),
            Err(SourceError { error, .. }) => {
                // A scan that has failed does not end as if it had been whole.
                assert!(block_on(scan.next_batch()).is_err());
                return *error.downcast::<StoreError>().unwrap();
            }
        }
    }
}

#[track_caller]
fn check(sql: &str, want_ordinal: u64, want_column: &str, want_value: &str) {
    match damage(sql) {
        StoreError::Corrupt {
            key: partition,
            ordinal,
            column,
            value,
            ..
        } => {
            assert_eq!(partition, key(0), "{sql}");
            assert_eq!(
                (ordinal, column.as_str(), value.as_str()),
                (want_ordinal, want_column, want_value),
                "{sql}"
            );
        }
        other => panic!("{sql}: {other}"),
    }
}

#[test]
fn a_value_that_cannot_be_read_is_named() {
    for (column, value) in [
        ("BilledCost", "1,50"),
        ("EffectiveCost", "NaN"),
        ("ListCost", "1e99"),
        ("ContractedCost", ""),
        ("ListUnitPrice", "0x10"),
        ("ContractedUnitPrice", " 1"),
        ("PricingQuantity", "one"),
        ("ConsumedQuantity", "--1"),
        ("BillingCurrency", "usd"),
        ("ChargeCategory", "Fee"),
        ("ChargePeriodStart", "2024-02-30T00:00:00Z"),
        ("ChargePeriodEnd", "yesterday"),
        ("BillingPeriodStart", "2024-02-01"),
        ("BillingPeriodEnd", "1706745600"),
        ("Extras", "[\"x_Team\"]"),
        ("Extras", "{\"x_Team\":1}"),
        ("Extras", "{\"x_Team\":\"a\"} and more"),
    ] {
        check(
            &format!("UPDATE records SET {column} = '{value}' WHERE Ordinal = 7"),
            7,
            column,
            value,
        );
    }
}

#[test]
fn text_that_is_not_utf_8_and_numbers_out_of_range_are_named() {
    check(
        "UPDATE records SET ServiceName = CAST(x'41ff42' AS TEXT) WHERE Ordinal = 3",
        3,
        "ServiceName",
        "A\u{FFFD}B",
    );
    check(
        "UPDATE records SET Line = -1 WHERE Ordinal = 3",
        3,
        "Line",
        "-1",
    );
    check("UPDATE partitions SET Revision = -5", 0, "Revision", "-5");
    check(
        "UPDATE partitions SET FirstChargeDay = 'once'",
        0,
        "FirstChargeDay",
        "once",
    );
    let long = "x".repeat(5000);
    check(
        &format!("UPDATE records SET BilledCost = '{long}' WHERE Ordinal = 0"),
        0,
        "BilledCost",
        &long[..200],
    );
}

#[test]
fn rows_that_are_lost_or_added_are_noticed() {
    let count = count(1);
    check("DELETE FROM records WHERE Ordinal = 5", 5, "Ordinal", "6");
    let last = format!("DELETE FROM records WHERE Ordinal = {}", count - 1);
    check(&last, count - 1, "Records", &count.to_string());
    check(
        &format!(
            "INSERT INTO records (PartitionId, Ordinal, BillingCurrency)
             SELECT PartitionId, {count}, 'USD' FROM partitions"
        ),
        count + 1,
        "Records",
        &count.to_string(),
    );
}

#[test]
fn the_error_says_where_what_and_what_to_do() {
    let error = damage("UPDATE records SET BilledCost = '1,50' WHERE Ordinal = 7");
    assert_eq!(
        error.to_string(),
        "source `generations`, partition `00`, record 7: the stored BilledCost `1,50` cannot be \
         read; collect the partition again"
    );
}
