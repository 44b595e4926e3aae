//! How long does it take until a type of machine can be looked up?
//!
//! The shipped tables, 1,381 types of EC2 with prices of one region, read from the text that is in the
//! program: what an application pays at its start, or when a newer set of tables arrives. The aim is under
//! 10 ms.
//!
//! `cargo bench -p bursar-benches --bench instances`; figures are in the README with their machine and date.

use std::hint::black_box;

use bursar_cost_model::instances::{InstanceCatalog, InstanceTables};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const SHIPPED: InstanceTables<'static> = InstanceTables {
    instances: bursar_catalog::INSTANCES,
    credits: bursar_catalog::INSTANCE_CREDITS,
    measurements: bursar_catalog::INSTANCE_MEASUREMENTS,
    prices: bursar_catalog::INSTANCE_PRICES,
    spot: bursar_catalog::INSTANCE_SPOT,
    sources: bursar_catalog::INSTANCE_SOURCES,
};

fn catalog() -> InstanceCatalog {
    InstanceCatalog::parse(&black_box(SHIPPED), "us-east-1").expect("the shipped tables are sound")
}

fn instances(criterion: &mut Criterion) {
    let loaded = catalog();
    let mut group = criterion.benchmark_group("instances");
    group.throughput(Throughput::Elements(loaded.len() as u64));
    group.bench_function("load", |b| b.iter(catalog));
    group.throughput(Throughput::Elements(1));
    group.bench_function("look_up", |b| b.iter(|| loaded.get(black_box("m7g.large"))));
    group.finish();
}

criterion_group!(benches, instances);
criterion_main!(benches);
