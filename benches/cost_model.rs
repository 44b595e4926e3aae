//! How fast is a bill read, summed, checked and reviewed?
//!
//! One FOCUS file of 50,000 synthetic rows in memory: large enough that the blocks, memos and
//! groups are warm, small enough that a run takes seconds. The peer is what one writes without
//! this crate: the `csv` crate with serde into a struct of the columns needed, `rust_decimal`
//! amounts, and a map by service and day. It reads six of the columns and checks none.
//!
//! `cargo bench -p bursar-benches`; figures are in the README with their machine and date.

use std::collections::HashMap;
use std::hint::black_box;
use std::num::NonZeroUsize;

use bursar_cost_model::{
    BillReader, Column, Cube, Dimension, Exact, ExactSum, FocusVersion, FocusWriter, ReadOptions,
    ReviewOptions, Row, SyntheticBill, Tally,
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rust_decimal::Decimal;

const ROWS: u64 = 50_000;
const SEED: u64 = 1;

/// The bytes of a FOCUS CSV.
fn bill() -> Vec<u8> {
    let mut writer = FocusWriter::new(Vec::new(), FocusVersion::V1_2).expect("a vector takes all");
    for record in SyntheticBill::new(ROWS, SEED) {
        writer.write(&record).expect("a vector takes all");
    }
    writer.finish().expect("a vector takes all")
}

/// What the peer reads of a row.
#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PeerRow<'a> {
    #[serde(with = "rust_decimal::serde::str_option")]
    billed_cost: Option<Decimal>,
    #[serde(with = "rust_decimal::serde::str_option")]
    effective_cost: Option<Decimal>,
    #[serde(with = "rust_decimal::serde::str_option")]
    list_cost: Option<Decimal>,
    #[serde(with = "rust_decimal::serde::str_option")]
    contracted_cost: Option<Decimal>,
    #[serde(borrow)]
    charge_period_start: &'a str,
    #[serde(borrow)]
    service_name: &'a str,
}

fn peer(file: &[u8]) -> HashMap<(String, String), [Decimal; 4]> {
    let mut reader = csv::Reader::from_reader(file);
    let header = reader.headers().expect("the header is text").clone();
    let mut row = csv::StringRecord::new();
    let mut sums: HashMap<(String, String), [Decimal; 4]> = HashMap::new();
    while reader.read_record(&mut row).expect("the file is whole") {
        let row: PeerRow<'_> = row.deserialize(Some(&header)).expect("the cells are sound");
        let day = row
            .charge_period_start
            .get(..10)
            .unwrap_or_default()
            .to_owned();
        let sum = sums.entry((row.service_name.to_owned(), day)).or_default();
        let costs = [
            row.billed_cost,
            row.effective_cost,
            row.list_cost,
            row.contracted_cost,
        ];
        for (sum, cost) in sum.iter_mut().zip(costs) {
            *sum += cost.unwrap_or_default();
        }
    }
    sums
}

fn read_only(file: &[u8]) -> u64 {
    let mut reader = BillReader::new(file, &ReadOptions::default()).expect("the file is a bill");
    let mut rows = 0;
    while let Some(row) = reader.next_row() {
        rows += u64::from(matches!(row, Row::Record(_)));
    }
    rows
}

fn cube(file: &[u8]) -> Cube {
    let mut reader = BillReader::new(file, &ReadOptions::default()).expect("the file is a bill");
    let mut cube = Cube::new(vec![Dimension::Column(Column::ServiceName)]).expect("one dimension");
    while let Some(Row::Record(record)) = reader.next_row() {
        cube.add(&record).expect("the sums are small");
    }
    cube
}

fn review(file: &[u8], threads: usize) -> Vec<Tally> {
    let options = ReviewOptions::default();
    let reader = BillReader::new(file, &ReadOptions::default()).expect("the file is a bill");
    let threads = NonZeroUsize::new(threads).expect("at least one");
    let folded = reader.fold(threads, || Tally::new(&options), Tally::step);
    folded
        .parts
        .into_iter()
        .map(|part| part.expect("the sums are small"))
        .collect()
}

fn read(criterion: &mut Criterion) {
    let file = bill();
    let mut group = criterion.benchmark_group("focus_csv");
    group.throughput(Throughput::Elements(ROWS)).sample_size(20);
    group.bench_function("service_by_day/peer_csv_serde_decimal", |b| {
        b.iter(|| peer(black_box(&file)))
    });
    group.bench_function("service_by_day/bursar", |b| {
        b.iter(|| cube(black_box(&file)))
    });
    group.bench_function("records", |b| b.iter(|| read_only(black_box(&file))));
    group.bench_function("review/1_thread", |b| {
        b.iter(|| review(black_box(&file), 1))
    });
    group.bench_function("review/2_threads", |b| {
        b.iter(|| review(black_box(&file), 2))
    });
    group.finish();
}

fn exact(criterion: &mut Criterion) {
    let cells: Vec<String> = (0..1000u64)
        .map(|n| format!("{}.{:011}", n % 97, n * 7919))
        .collect();
    let mut group = criterion.benchmark_group("amounts");
    group.throughput(Throughput::Elements(cells.len() as u64));
    group.bench_function("parse_and_sum/rust_decimal", |b| {
        b.iter(|| {
            let decimals = cells
                .iter()
                .map(|c| c.parse::<Decimal>().expect("a number"));
            decimals.sum::<Decimal>()
        });
    });
    group.bench_function("parse_and_sum/bursar", |b| {
        b.iter(|| {
            let exacts = cells.iter().map(|c| c.parse::<Exact>().expect("a number"));
            ExactSum::of(exacts).expect("the sum is small")
        });
    });
    group.finish();
}

criterion_group!(benches, read, exact);
criterion_main!(benches);
