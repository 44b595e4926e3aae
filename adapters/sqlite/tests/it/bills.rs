//! Is a bill that is stored twice the same bill, to the last decimal place?

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use bursar_cost_model::{
    BillReader, BillSource, CostStore, ExactSum, PartitionKey, ReadOptions, Scan,
};
use bursar_sqlite::SqliteStore;
use futures_executor::block_on;

const BILL: &str = "\
BilledCost,EffectiveCost,BillingCurrency,ChargePeriodStart,ChargeCategory,ServiceName,Tags,x_Team
0.0000000000000000000000000001,NULL,USD,2024-09-18 22:00:00,Usage,Amazon SQS,\"{\"\"a\"\": \"\"b\"\"}\",search
119.81,71.886,USD,2024-09-18 22:00:00,Usage,\"Amazon Elastic Compute Cloud, EC2\",NULL,
119.81,71.886,USD,2024-09-18 22:00:00,Usage,\"Amazon Elastic Compute Cloud, EC2\",NULL,
-5.5,-5.5,USD,2024-09-30 23:00:00,Credit,NULL,NULL,NULL
";

fn store_bill<'r>(store: &SqliteStore, key: &PartitionKey, bill: impl Read + Send + 'r) -> u64 {
    let reader = BillReader::new(bill, &ReadOptions::default()).unwrap();
    let mut source = BillSource::new(reader).strict();
    let info = block_on(store.replace_partition(key, &mut source)).unwrap();
    assert_eq!(info.records, source.records());
    info.revision
}

/// The records and the billed cost that the store holds.
fn total(store: &SqliteStore) -> (usize, String) {
    let mut scan = block_on(store.scan(&Scan::default())).unwrap();
    let (mut count, mut billed) = (0, ExactSum::default());
    while let Some(batch) = block_on(scan.next_batch()).unwrap() {
        count += batch.len();
        for record in batch {
            billed.add(record.billed_cost.unwrap()).unwrap();
        }
    }
    (count, billed.to_string())
}

#[test]
fn a_bill_that_is_stored_twice_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("costs.db")).unwrap();
    let key = PartitionKey::new("focus", "2024-09");
    for revision in [1, 2] {
        assert_eq!(store_bill(&store, &key, BILL.as_bytes()), revision);
        let (count, billed) = total(&store);
        // 0.0000000000000000000000000001 + 119.81 + 119.81 - 5.5
        assert_eq!(
            (count, billed.as_str()),
            (4, "234.1200000000000000000000000001")
        );
    }
    // What comes back is what the reader reads, row by row.
    let mut reader = BillReader::new(BILL.as_bytes(), &ReadOptions::default()).unwrap();
    let mut scan = block_on(store.scan(&Scan::default())).unwrap();
    for stored in block_on(scan.next_batch()).unwrap().unwrap() {
        let Some(bursar_cost_model::Row::Record(read)) = reader.next_row() else {
            panic!("the reader has fewer records than the store");
        };
        assert_eq!(stored, read);
        assert_eq!(stored.line, read.line);
    }
    assert!(reader.next_row().is_none());
}

#[test]
fn a_real_bill_keeps_its_total() {
    let path = std::env::var_os("BURSAR_DATA")
        .map(|data| PathBuf::from(data).join("focus/focus_sample.csv"))
        .filter(|path| path.exists());
    let Some(path) = path else {
        eprintln!("SKIPPED: $BURSAR_DATA/focus/focus_sample.csv is not there");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("costs.db")).unwrap();
    let key = PartitionKey::new("focus-sample", "2024-09");
    for revision in [1, 2] {
        let file = File::open(&path).unwrap();
        assert_eq!(store_bill(&store, &key, file), revision);
        assert_eq!(total(&store), (1000, "20.52022672899".to_owned()));
    }
}
