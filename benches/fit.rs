//! How long does it take to choose a machine from the whole catalog?
//!
//! One workload of two weeks at five minutes (4,032 samples of CPU, memory known by its maximum)
//! over all types of the shipped catalog; the aim is 10 ms. Credits of the burstable types are
//! simulated over the series, twice for each.

use std::hint::black_box;

use bursar_cost_model::fit::{
    CostUnderRisk, FitOptions, FitScorer, Resource, SampleStep, Usage, Workload,
};
use bursar_cost_model::instances::{InstanceCatalog, InstanceTables, InstanceType};
use bursar_cost_model::synthetic_machines::SyntheticMachine;
use criterion::{Criterion, criterion_group, criterion_main};

fn catalog() -> Vec<InstanceType> {
    let tables = InstanceTables {
        instances: bursar_catalog::INSTANCES,
        credits: bursar_catalog::INSTANCE_CREDITS,
        measurements: bursar_catalog::INSTANCE_MEASUREMENTS,
        prices: bursar_catalog::INSTANCE_PRICES,
        spot: bursar_catalog::INSTANCE_SPOT,
        sources: bursar_catalog::INSTANCE_SOURCES,
    };
    let catalog =
        InstanceCatalog::parse(&tables, "us-east-1").expect("the shipped tables are sound");
    catalog.iter().cloned().collect()
}

fn fit(criterion: &mut Criterion) {
    let machines = catalog();
    let present = machines
        .iter()
        .find(|machine| &*machine.name == "m5.2xlarge")
        .expect("the catalog has it");
    let samples = SyntheticMachine::make(1, 0, 14).cpu_percent;
    let cpu = || {
        let samples = samples.iter().map(|cpu| Some(*cpu));
        Usage::samples(SampleStep::FIVE_MINUTES, samples).expect("they are percent")
    };
    let memory = Usage::average_and_maximum(4000.0, 6000.0).expect("they are MiB");
    let (scorer, options) = (CostUnderRisk::default(), FitOptions::default());
    criterion.bench_function("fit/cost_under_risk", |bencher| {
        bencher.iter(|| {
            let workload = Workload::new(present.clone())
                .with_usage(Resource::Cpu, cpu())
                .and_then(|workload| workload.with_usage(Resource::Memory, memory.clone()))
                .expect("the measurements are sound");
            let answer = scorer.recommend(black_box(&workload), &machines, &options);
            answer.expect("the catalog is sound").ranked.len()
        });
    });
}

criterion_group!(benches, fit);
criterion_main!(benches);
