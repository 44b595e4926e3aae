//! Does the store in memory keep the contract?

use bursar_ratelimit::conformance::{self, VirtualTime};
use bursar_ratelimit::{MemoryStore, Settings};
use futures_executor::block_on;

#[test]
fn the_store_in_memory_keeps_the_contract() {
    block_on(conformance::run(&VirtualTime::new(MemoryStore::default)));
}

#[test]
fn a_store_of_one_part_keeps_the_contract() {
    let mut settings = Settings::default();
    settings.shards = 1;
    block_on(conformance::run(&VirtualTime::new(|| {
        MemoryStore::new(settings)
    })));
}
