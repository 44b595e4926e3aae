//! Does the store keep the contract of the port, in a file and in memory?

use bursar_cost_model::conformance;
use bursar_sqlite::{SqliteOptions, SqliteStore};
use futures_executor::block_on;

#[test]
fn a_store_in_memory_keeps_the_contract() {
    block_on(conformance::run(async || {
        SqliteStore::open_in_memory().unwrap()
    }));
}

#[test]
fn a_store_in_a_file_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let files = std::cell::Cell::new(0);
    let make = async || {
        files.set(files.get() + 1);
        SqliteStore::open(folder.path().join(format!("{}.db", files.get()))).unwrap()
    };
    block_on(conformance::run(make));
}

#[test]
fn a_store_with_small_batches_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let files = std::cell::Cell::new(0);
    let small =
        SqliteOptions::default().with_batch_records(std::num::NonZeroUsize::new(100).unwrap());
    let make = async || {
        files.set(files.get() + 1);
        let path = folder.path().join(format!("{}.db", files.get()));
        SqliteStore::open_with(path, &small).unwrap()
    };
    block_on(conformance::run(make));
}
