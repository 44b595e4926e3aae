//! Are the rows of a Parquet file the rows of the same bill in CSV, whatever its types?

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the helpers of tests fail as tests do; clippy only exempts the test functions"
)]

use std::io::Cursor;
use std::sync::Arc;

use arrow_array::builder::{MapBuilder, StringBuilder};
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, DictionaryArray,
    FixedSizeBinaryArray, Float64Array, Int64Array, LargeStringArray, RecordBatch, StringArray,
    StringViewArray, TimestampMicrosecondArray, TimestampNanosecondArray,
};
use bursar_cost_model::{
    Column, CostRecord, Exact, FocusColumns, FocusParquetWriter, FocusVersion, Format, ParquetBill,
    ReadError, ReadOptions, RejectReason, Row, WriteError,
};
use bursar_units::Currency;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, GzipLevel, ZstdLevel};
use parquet::file::properties::WriterProperties;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

fn open(file: Vec<u8>) -> Result<ParquetBill, ReadError> {
    ParquetBill::new(Cursor::new(file), &ReadOptions::default())
}

/// The records of a file, all of which must be readable.
pub(crate) fn read(file: Vec<u8>) -> Vec<CostRecord<'static>> {
    let mut bill = open(file).unwrap();
    let mut records = Vec::new();
    while let Some(row) = bill.next_row() {
        match row {
            Row::Record(record) => records.push(record.into_owned()),
            Row::Rejected(rejected) => panic!("{rejected}"),
        }
    }
    let lost = |reason: &str| reason.contains("cannot be read");
    assert!(
        !bill.problems().iter().any(|p| lost(&p.reason)),
        "{:?}",
        bill.problems()
    );
    records
}

/// A file of these columns, with so many rows in a row group.
fn file_of(columns: Vec<(&str, ArrayRef)>, compression: Compression, group_rows: usize) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, array)| (name, array, true)),
    )
    .unwrap();
    let properties = WriterProperties::builder()
        .set_compression(compression)
        .set_max_row_group_row_count(Some(group_rows))
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

/// `n` charges that differ in every typed column.
fn records(n: i64) -> Vec<CostRecord<'static>> {
    let start: jiff::Timestamp = "2024-01-01T00:00:00Z".parse().unwrap();
    let record = |i: i64| {
        let mut record = CostRecord::new(Currency::USD);
        record.billed_cost = Exact::new(i128::from(i) - 3, 11);
        record.list_cost = (i % 3 != 0).then(|| Exact::from(i));
        record.charge_period.start = start.checked_add(jiff::SignedDuration::from_hours(i)).ok();
        record.set(Column::ServiceName, format!("service {}", i % 7));
        record.set(Column::CommitmentDiscountQuantity, format!("{i}.5"));
        record.set(Column::Tags, r#"{"team":"search"}"#);
        record.set_extra("x_Row", &i.to_string());
        record
    };
    (0..n).map(record).collect()
}

fn write(records: &[CostRecord<'_>]) -> Vec<u8> {
    let columns = FocusColumns::from(FocusVersion::V1_4).with_extras(["x_Row"]);
    let mut writer = FocusParquetWriter::new(Vec::new(), columns.unwrap()).unwrap();
    for record in records {
        writer.write(record).unwrap();
    }
    writer.finish().unwrap()
}

#[test]
fn reads_back_what_was_written() {
    let records = records(20_000);
    assert_eq!(read(write(&records)), records);
    assert!(read(write(&[])).is_empty());
}

#[test]
fn counts_rows_from_one() {
    let lines: Vec<_> = read(write(&records(3))).iter().map(|r| r.line).collect();
    assert_eq!(lines, [Some(1), Some(2), Some(3)]);
}

#[test]
fn refuses_to_write_what_the_types_would_round() {
    let mut writer = FocusParquetWriter::new(Vec::new(), FocusVersion::V1_0).unwrap();
    let mut record = CostRecord::new(Currency::USD);
    record.billed_cost = Some("0.0000000000000000001".parse().unwrap());
    let refused = writer.write(&record).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "column `BilledCost`: `0.0000000000000000001` does not fit DECIMAL(38, 18) without loss; \
         write CSV instead"
    );
    record.billed_cost = Some(Exact::ZERO);
    record.charge_period.start = Some("2024-01-01T00:00:00.0001Z".parse().unwrap());
    assert!(matches!(
        writer.write(&record),
        Err(WriteError::DoesNotFit {
            column: "ChargePeriodStart",
            ..
        })
    ));
    // A refused record leaves no part of itself behind.
    record.charge_period.start = None;
    writer.write(&record).unwrap();
    assert_eq!(read(writer.finish().unwrap()), [record]);
}

/// The columns of an AWS FOCUS export as AWS types them, in the types given.
fn focus_columns(
    cost: ArrayRef,
    start: ArrayRef,
    service: ArrayRef,
) -> Vec<(&'static str, ArrayRef)> {
    let mut tags = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
    for row in 0..cost.len() {
        if row == 0 {
            tags.keys().append_value("team");
            tags.values().append_value("search \"core\"");
        }
        tags.append(row != 1).unwrap();
    }
    let currency = StringArray::from(vec!["USD"; cost.len()]);
    vec![
        ("billed_cost", cost),
        ("charge_period_start", start),
        ("service_name", service),
        ("billing_currency", Arc::new(currency)),
        ("tags", Arc::new(tags.finish())),
    ]
}

#[test]
fn reads_every_type_that_exporters_use() {
    let micros = 1_704_067_200_000_000;
    let costs: [ArrayRef; 4] = [
        Arc::new(Float64Array::from(vec![Some(0.1), Some(-2.5e-7), None])),
        Arc::new(
            Decimal128Array::from(vec![Some(100_000_000), Some(-250), None])
                .with_precision_and_scale(20, 9)
                .unwrap(),
        ),
        Arc::new(StringArray::from(vec![Some("0.1"), Some("-2.5e-7"), None])),
        Arc::new(BinaryArray::from_opt_vec(vec![
            Some(b"0.1"),
            Some(b"-2.5e-7"),
            None,
        ])),
    ];
    let starts: [ArrayRef; 4] = [
        Arc::new(TimestampMicrosecondArray::from(vec![micros; 3]).with_timezone("UTC")),
        Arc::new(TimestampNanosecondArray::from(vec![micros * 1000; 3])),
        Arc::new(StringArray::from(vec!["2024-01-01T00:00Z"; 3])),
        Arc::new(Date32Array::from(vec![19_723; 3])),
    ];
    let names = vec![Some("EC2"), Some("S3"), None];
    let services: [ArrayRef; 4] = [
        Arc::new(StringArray::from(names.clone())),
        Arc::new(LargeStringArray::from(names.clone())),
        Arc::new(StringViewArray::from(names.clone())),
        Arc::new(
            names
                .into_iter()
                .collect::<DictionaryArray<arrow_array::types::Int32Type>>(),
        ),
    ];
    let codecs = [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::ZSTD(ZstdLevel::default()),
        Compression::GZIP(GzipLevel::default()),
    ];
    for (((cost, start), service), codec) in costs.into_iter().zip(starts).zip(services).zip(codecs)
    {
        let case = format!(
            "{} {} {}",
            cost.data_type(),
            start.data_type(),
            service.data_type()
        );
        let records = read(file_of(focus_columns(cost, start, service), codec, 1000));
        let billed: Vec<_> = records
            .iter()
            .map(|r| r.billed_cost.map(|c| c.to_string()))
            .collect();
        let expected = [Some("0.1"), Some("-0.00000025"), None];
        for (billed, expected) in billed.iter().zip(expected) {
            let same = |text: &str| text.parse::<Exact>().ok();
            assert_eq!(
                billed.as_deref().and_then(same),
                expected.and_then(same),
                "{case}"
            );
        }
        let day = Some("2024-01-01T00:00:00Z".parse().unwrap());
        assert!(
            records.iter().all(|r| r.charge_period.start == day),
            "{case}"
        );
        let services: Vec<_> = records
            .iter()
            .map(|r| r.text(Column::ServiceName))
            .collect();
        assert_eq!(services, [Some("EC2"), Some("S3"), None], "{case}");
        let tags: Vec<_> = records.iter().map(|r| r.text(Column::Tags)).collect();
        assert_eq!(
            tags,
            [Some(r#"{"team":"search \"core\""}"#), None, Some("{}")],
            "{case}"
        );
        assert_eq!(records[0].tag("team").as_deref(), Some("search \"core\""));
    }
}

#[test]
fn keeps_columns_that_focus_does_not_know() {
    let mut columns = focus_columns(
        Arc::new(Int64Array::from(vec![7])),
        Arc::new(StringArray::from(vec!["2024-01-01"])),
        Arc::new(StringArray::from(vec!["EC2"])),
    );
    columns.push(("x_Flag", Arc::new(BooleanArray::from(vec![true]))));
    let records = read(file_of(columns, Compression::SNAPPY, 10));
    assert_eq!(records[0].extra("x_Flag"), Some("true"));
    assert_eq!(records[0].billed_cost, Some(Exact::from(7)));
}

#[test]
fn says_which_columns_have_a_type_that_cannot_be_read() {
    let mut columns = focus_columns(
        Arc::new(Int64Array::from(vec![7])),
        Arc::new(StringArray::from(vec!["2024-01-01"])),
        Arc::new(StringArray::from(vec!["EC2"])),
    );
    let blob = FixedSizeBinaryArray::try_from_iter([[0u8, 1]].into_iter()).unwrap();
    columns.push(("x_Blob", Arc::new(blob)));
    let mut bill = open(file_of(columns, Compression::SNAPPY, 10)).unwrap();
    assert_eq!(bill.format(), Format::Focus);
    let Some(Row::Record(record)) = bill.next_row() else {
        panic!("the row is readable");
    };
    assert_eq!(record.extra("x_Blob"), None);
    let named = bill
        .problems()
        .iter()
        .find(|p| p.column == "x_Blob")
        .unwrap();
    assert!(named.reason.contains("FixedSizeBinary"), "{}", named.reason);
}

#[test]
fn rejects_a_row_and_goes_on() {
    let columns = focus_columns(
        Arc::new(StringArray::from(vec!["1", "oops", "3"])),
        Arc::new(StringArray::from(vec!["2024-01-01"; 3])),
        Arc::new(BinaryArray::from_vec(vec![b"EC2", b"S3", b"\xFF\xFE"])),
    );
    let mut bill = open(file_of(columns, Compression::SNAPPY, 10)).unwrap();
    assert!(matches!(bill.next_row(), Some(Row::Record(_))));
    let Some(Row::Rejected(rejected)) = bill.next_row() else {
        panic!("`oops` is no amount");
    };
    assert_eq!(
        (
            rejected.line,
            rejected.column.as_str(),
            rejected.value.as_str()
        ),
        (2, "billed_cost", "oops")
    );
    let Some(Row::Rejected(rejected)) = bill.next_row() else {
        panic!("FF FE is no text");
    };
    assert_eq!((rejected.line, rejected.reason), (3, RejectReason::NotUtf8));
    assert!(bill.next_row().is_none());
    assert!(bill.next_row().is_none());
}

#[test]
fn refuses_what_is_no_bill() {
    let shop = file_of(
        vec![("price", Arc::new(Int64Array::from(vec![1])))],
        Compression::SNAPPY,
        10,
    );
    assert!(matches!(open(shop), Err(ReadError::UnknownFormat(names)) if names == "price"));
    for bytes in [&b""[..], b"PAR1", b"PAR1PAR1", b"BilledCost,Tags\n1,2\n"] {
        assert!(matches!(open(bytes.to_vec()), Err(ReadError::Parquet(_))));
    }
}

/// Opens a damaged file and reads it to its end; how many rows came out, were rejected, were lost.
fn survive(file: Vec<u8>) -> Option<(u64, u64, u64)> {
    let mut bill = open(file).ok()?;
    let (mut records, mut rejected) = (0, 0);
    while let Some(row) = bill.next_row() {
        match row {
            Row::Record(_) => records += 1,
            Row::Rejected(_) => rejected += 1,
        }
    }
    Some((records, rejected, bill.stated_rows()))
}

#[test]
fn survives_cut_and_flipped_bytes() {
    let columns = focus_columns(
        Arc::new(Float64Array::from_iter_values((0..600).map(f64::from))),
        Arc::new(TimestampMicrosecondArray::from(vec![
            1_704_067_200_000_000;
            600
        ])),
        Arc::new(StringArray::from_iter_values(
            (0..600).map(|i| format!("service {}", i % 9)),
        )),
    );
    let typed = file_of(columns, Compression::SNAPPY, 150);
    let own = write(&records(600));
    let mut random = ChaCha8Rng::seed_from_u64(600);
    let mut pick = |below: usize| random.next_u64() as usize % below;
    let (mut opened, mut refused) = (0, 0);
    for variant in 0..500 {
        let mut file = if variant % 2 == 0 {
            typed.clone()
        } else {
            own.clone()
        };
        if variant % 5 == 0 {
            file.truncate(pick(file.len()));
        } else {
            // Half of the flips hit the footer, where the structure is described.
            for _ in 0..1 + pick(4) {
                let tail = if pick(2) == 0 {
                    file.len()
                } else {
                    file.len().min(3000)
                };
                let at = file.len() - 1 - pick(tail);
                file[at] ^= 1 << pick(8);
            }
        }
        match survive(file) {
            Some(_) => opened += 1,
            None => refused += 1,
        }
    }
    assert!(
        opened > 100 && refused > 100,
        "{opened} opened, {refused} refused"
    );
}

#[test]
fn loses_no_more_than_the_damaged_row_group() {
    let columns = focus_columns(
        Arc::new(Float64Array::from_iter_values((0..600).map(f64::from))),
        Arc::new(TimestampMicrosecondArray::from(vec![
            1_704_067_200_000_000;
            600
        ])),
        Arc::new(StringArray::from(vec!["EC2"; 600])),
    );
    let mut file = file_of(columns, Compression::SNAPPY, 200);
    // The first page of the first column of the first group: its header and some data.
    file[4..40].fill(0xFF);
    let mut bill = open(file).unwrap();
    let mut lines = Vec::new();
    while let Some(row) = bill.next_row() {
        if let Row::Record(record) = row {
            lines.extend(record.line);
        }
    }
    assert_eq!(lines, (201..=600).collect::<Vec<_>>());
    let lost = bill.problems().last().unwrap();
    assert_eq!(lost.line, 1);
    assert!(
        lost.reason.starts_with("200 rows from here on"),
        "{}",
        lost.reason
    );
}
