//! How long does it take to name what explains a change?
//!
//! Cases of the construction that `RiskLoc` published: 960 leaves, as a small company's bill has in
//! four dimensions, and the 48,000 of its set S. The peers' times are in the same run of
//! `cargo run --release --example root_cause -- --benchmark`.

use bursar_anomaly::attribution::{Cube, CubeBuilder, Settings};
use bursar_anomaly::synthetic::root_cause::RootCauseSet;
use bursar_units::{Currency, Money};
use criterion::{Criterion, criterion_group, criterion_main};
use rust_decimal::Decimal;

fn cube(set: &RootCauseSet) -> Cube {
    let case = set.case(1);
    let names = (0..case.dimensions.len()).map(|dimension| dimension.to_string());
    let mut builder = CubeBuilder::new(Currency::USD, names).expect("at most six dimensions");
    for leaf in &case.leaves {
        let money = |amount: f64| {
            let amount = Decimal::from_f64_retain(amount).expect("amounts are finite");
            Money::new(amount.round_dp(8), Currency::USD)
        };
        let values = leaf.codes.iter().map(u32::to_string);
        builder
            .add(values, money(leaf.expected), money(leaf.actual))
            .expect("a value for each dimension");
    }
    builder.build().expect("sums fit")
}

fn explain(criterion: &mut Criterion) {
    let sets = [
        ("explain 960 leaves", RootCauseSet::like_s([6, 8, 5, 4])),
        ("explain 48,000 leaves", RootCauseSet::s()),
    ];
    for (name, set) in sets {
        let cube = cube(&set);
        let settings = Settings::default();
        criterion.bench_function(name, |bencher| bencher.iter(|| cube.explain(&settings)));
    }
}

criterion_group!(benches, explain);
criterion_main!(benches);
