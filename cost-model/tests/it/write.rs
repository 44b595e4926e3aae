//! Is what was written what is read back?

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the helpers of tests fail as tests do; clippy only exempts the test functions"
)]

use bursar_cost_model::{
    BillReader, ChargeCategory, Column, CostRecord, Exact, FocusColumns, FocusVersion, FocusWriter,
    ReadOptions, Row, WriteError,
};
use bursar_units::Currency;
use jiff::Timestamp;
use proptest::prelude::*;

/// The records of a CSV file, all of which must be readable.
pub(crate) fn read(file: &[u8]) -> Vec<CostRecord<'static>> {
    let mut reader = BillReader::new(file, &ReadOptions::default()).unwrap();
    let mut records = Vec::new();
    while let Some(row) = reader.next_row() {
        match row {
            Row::Record(record) => records.push(record.into_owned()),
            Row::Rejected(rejected) => panic!("{rejected}"),
        }
    }
    assert!(reader.problems().is_empty(), "{:?}", reader.problems());
    records
}

fn write(records: &[CostRecord<'_>], columns: FocusColumns) -> Vec<u8> {
    let mut writer = FocusWriter::new(Vec::new(), columns).unwrap();
    for record in records {
        writer.write(record).unwrap();
    }
    writer.finish().unwrap()
}

#[test]
fn writes_every_column_of_a_version_in_its_order() {
    let file = write(&[], FocusVersion::V1_2.into());
    let header = String::from_utf8(file).unwrap();
    assert!(header.starts_with("AvailabilityZone,BilledCost,BillingAccountId,"));
    assert!(header.ends_with(",PricingCurrencyListUnitPrice,SubAccountType\n"));
    assert_eq!(header.split(',').count(), 57);
}

#[test]
fn writes_unknown_as_empty_and_zero_as_zero() {
    let mut record = CostRecord::new(Currency::EUR);
    record.billed_cost = Some(Exact::ZERO);
    let columns = FocusColumns::new([
        Column::BilledCost,
        Column::EffectiveCost,
        Column::BillingCurrency,
        Column::Tags,
    ]);
    let file = String::from_utf8(write(&[record], columns)).unwrap();
    assert_eq!(
        file,
        "BilledCost,EffectiveCost,BillingCurrency,Tags\n0,,EUR,\n"
    );
}

#[test]
fn keeps_a_row_of_one_empty_cell() {
    let record = CostRecord::new(Currency::USD);
    let file = write(&[record], FocusColumns::new([Column::Tags]));
    assert_eq!(file, b"Tags\n\"\"\n");
}

#[test]
fn refuses_names_that_would_not_be_found_again() {
    for name in ["", " x", "billed_cost", "Tags"] {
        let columns = FocusColumns::from(FocusVersion::V1_0).with_extras([name]);
        assert!(
            matches!(columns, Err(WriteError::ColumnName(_))),
            "`{name}`"
        );
    }
    let twice = FocusColumns::new([]).with_extras(["x_A", "x_A"]);
    assert!(matches!(twice, Err(WriteError::ColumnName(_))));
    let columns = FocusColumns::new([Column::BilledCost]).with_extras(["a;b;c"]);
    let writer = FocusWriter::new(Vec::new(), columns.unwrap());
    assert!(matches!(writer, Err(WriteError::Separator(';'))));
}

#[test]
fn says_when_the_output_fails() {
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let writer = FocusWriter::new(Full, FocusVersion::V1_0).unwrap();
    assert!(matches!(writer.finish(), Err(WriteError::Io(_))));
}

/// Text that a reader does not take for null.
fn any_text() -> impl Strategy<Value = String> {
    let plain = "[a-zA-Z0-9 ,;\"'|\n\r\t{}:é日-]{1,24}";
    plain.prop_filter("reads as null", |text| !text.eq_ignore_ascii_case("null"))
}

fn any_amount() -> impl Strategy<Value = Option<Exact>> {
    let exact = (any::<i128>(), 0u32..38).prop_filter_map("too large", |(m, s)| Exact::new(m, s));
    let short = (any::<i64>(), 0u32..12).prop_filter_map("", |(m, s)| Exact::new(m.into(), s));
    prop::option::of(prop_oneof![exact, short])
}

fn any_time() -> impl Strategy<Value = Option<Timestamp>> {
    let seconds = 0i64..4_000_000_000;
    prop::option::of((seconds, prop_oneof![Just(0), 0i32..1_000_000_000]))
        .prop_map(|time| time.and_then(|(s, ns)| Timestamp::new(s, ns).ok()))
}

prop_compose! {
    fn any_record()(
        amounts in prop::collection::vec(any_amount(), 8),
        times in prop::collection::vec(any_time(), 4),
        currency in prop::sample::select(vec![Currency::USD, Currency::JPY, Currency::XXX]),
        category in prop::option::of(prop::sample::select(ChargeCategory::ALL.to_vec())),
        texts in prop::collection::vec((prop::sample::select(text_columns()), any_text()), 0..12),
        extra in prop::option::of(any_text()),
    ) -> CostRecord<'static> {
        let mut record = CostRecord::new(currency);
        record.billed_cost = amounts[0];
        record.effective_cost = amounts[1];
        record.list_cost = amounts[2];
        record.contracted_cost = amounts[3];
        record.list_unit_price = amounts[4];
        record.contracted_unit_price = amounts[5];
        record.pricing_quantity = amounts[6];
        record.consumed_quantity = amounts[7];
        record.charge_category = category;
        record.charge_period.start = times[0];
        record.charge_period.end = times[1];
        record.billing_period.start = times[2];
        record.billing_period.end = times[3];
        for (column, text) in texts {
            record.set(column, text);
        }
        if let Some(text) = &extra {
            record.set_extra("x_\"Team\", the\nfirst", text);
        }
        record
    }
}

fn text_columns() -> Vec<Column> {
    use bursar_cost_model::ColumnKind::{Json, Text};
    let typed = [Column::BillingCurrency, Column::ChargeCategory];
    let columns = Column::ALL.iter().copied();
    columns
        .filter(|c| matches!(c.kind(), Text | Json) && !typed.contains(c))
        .collect()
}

proptest! {
    #[test]
    fn reads_back_what_was_written(records in prop::collection::vec(any_record(), 0..8)) {
        let columns = FocusColumns::from(FocusVersion::V1_4)
            .with_extras(["x_\"Team\", the\nfirst"])
            .unwrap();
        prop_assert_eq!(read(&write(&records, columns)), records);
    }
}
