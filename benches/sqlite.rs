//! How many records a second does the SQLite store take and give?
//!
//! A partition of 20,000 synthetic records of FOCUS 1.2, about 800 bytes each in the file: it is
//! replaced whole, which is what collecting a day again does, and scanned whole. There is no peer
//! in the run: the store's work is SQLite's own, and the figure tells what a partition costs.
//!
//! `cargo bench -p bursar-benches --bench sqlite`

use bursar_cost_model::{CostRecord, CostStore, PartitionKey, RecordsSource, Scan, SyntheticBill};
use bursar_sqlite::SqliteStore;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use futures_executor::block_on;

const ROWS: u64 = 20_000;
const SEED: u64 = 1;

async fn replace(store: &SqliteStore, records: Vec<CostRecord<'static>>) -> u64 {
    let key = PartitionKey::new("bench", "2024-01");
    let mut source = RecordsSource::new(records);
    let info = store.replace_partition(&key, &mut source).await;
    info.expect("the disk has room").records
}

async fn scan(store: &SqliteStore) -> usize {
    let mut records = store
        .scan(&Scan::default())
        .await
        .expect("the file is there");
    let mut count = 0;
    while let Some(batch) = records.next_batch().await.expect("the file is whole") {
        count += batch.len();
    }
    count
}

fn sqlite(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let store = SqliteStore::open(folder.path().join("bench.sqlite")).expect("a new file");
    let records: Vec<_> = SyntheticBill::new(ROWS, SEED).collect();
    let mut group = criterion.benchmark_group("sqlite");
    group.throughput(Throughput::Elements(ROWS)).sample_size(10);
    group.bench_function("replace_partition", |b| {
        let copy = || records.clone();
        b.iter_batched(
            copy,
            |records| block_on(replace(&store, records)),
            BatchSize::LargeInput,
        );
    });
    group.bench_function("scan", |b| b.iter(|| block_on(scan(&store))));
    group.finish();
}

criterion_group!(benches, sqlite);
criterion_main!(benches);
