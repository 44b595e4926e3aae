//! Do the bills that the crate makes hold what they promise?

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the helpers of tests fail as tests do; clippy only exempts the test functions"
)]

use std::collections::{BTreeMap, BTreeSet};

use bursar_cost_model::{
    ChargeCategory, Column, CommitmentStatus, CostGroup, CostRecord, Costs, Exact, ExactSum,
    FocusVersion, FocusWriter, InvariantChecks, InvariantOptions, Outcome, SyntheticBill,
    reference_month,
};
use bursar_units::Currency;

use crate::write::read;

/// The four costs of some records, by currency.
fn totals<'a>(records: impl IntoIterator<Item = CostRecord<'a>>) -> BTreeMap<Currency, Costs> {
    let mut totals: BTreeMap<Currency, Costs> = BTreeMap::new();
    for record in records {
        let costs = totals.entry(record.billing_currency).or_default();
        costs.add(&record).unwrap();
    }
    totals
}

fn csv<'a>(records: impl IntoIterator<Item = CostRecord<'a>>) -> Vec<u8> {
    let mut writer = FocusWriter::new(Vec::new(), FocusVersion::V1_2).unwrap();
    for record in records {
        writer.write(&record).unwrap();
    }
    writer.finish().unwrap()
}

fn by_text(records: &[CostRecord<'_>], column: Column) -> BTreeMap<String, ExactSum> {
    let mut sums: BTreeMap<String, ExactSum> = BTreeMap::new();
    for record in records {
        let key = record.text(column).unwrap_or("").to_owned();
        let cost = record.billed_cost.unwrap();
        sums.entry(key).or_default().add(cost).unwrap();
    }
    sums
}

/// The rules of FOCUS that a row can break on its own.
fn check_row(record: &CostRecord<'_>) {
    let what = format!("{record:?}");
    let period = record.charge_period;
    assert!(period.start < period.end, "{what}");
    let category = record.charge_category.unwrap();
    let correction = record.is_correction();
    let amounts = [
        (record.list_unit_price, record.list_cost),
        (record.contracted_unit_price, record.contracted_cost),
    ];
    for (price, cost) in amounts {
        let cost = cost.unwrap();
        if let (Some(price), Some(quantity), false) = (price, record.pricing_quantity, correction) {
            assert!(!price.is_negative(), "{what}");
            assert_eq!(price.checked_mul(quantity), Some(cost), "{what}");
        }
    }
    let (billed, effective) = (record.billed_cost.unwrap(), record.effective_cost.unwrap());
    let commitment = record.text(Column::CommitmentDiscountId);
    match category {
        ChargeCategory::Purchase if commitment.is_some() => assert!(effective.is_zero(), "{what}"),
        ChargeCategory::Usage if commitment.is_some() => assert!(billed.is_zero(), "{what}"),
        ChargeCategory::Credit => assert_eq!(billed, effective, "{what}"),
        _ => {}
    }
    let unused = record.commitment_status() == Some(CommitmentStatus::Unused);
    if category != ChargeCategory::Usage || unused {
        assert_eq!(record.consumed_quantity, None, "{what}");
    }
    if unused {
        assert_eq!(record.text(Column::ResourceId), commitment, "{what}");
    }
    match category {
        ChargeCategory::Tax => assert_eq!(record.pricing_quantity, None, "{what}"),
        ChargeCategory::Usage | ChargeCategory::Purchase if !correction => {
            assert!(record.pricing_quantity.is_some(), "{what}");
        }
        _ => {}
    }
    if let Some(tags) = record.text(Column::Tags) {
        let tags: serde_json::Map<String, serde_json::Value> = serde_json::from_str(tags).unwrap();
        assert!(
            tags.values().all(|v| !v.is_object() && !v.is_array()),
            "{what}"
        );
    }
    for column in Column::ALL.iter().filter(|c| c.is_mandatory()) {
        let typed = record.text(*column).is_none();
        let text_column = [
            Column::BillingAccountId,
            Column::InvoiceIssuerName,
            Column::ServiceCategory,
            Column::ServiceName,
        ];
        assert!(!(typed && text_column.contains(column)), "{column}: {what}");
    }
}

/// For each commitment, what was billed for it and what its use is worth are the same.
fn check_commitments(records: &[CostRecord<'_>]) -> usize {
    let mut sums: BTreeMap<String, (ExactSum, ExactSum)> = BTreeMap::new();
    for record in records {
        let Some(id) = record.text(Column::CommitmentDiscountId) else {
            continue;
        };
        let (bought, used) = sums.entry(id.to_owned()).or_default();
        bought.add(record.billed_cost.unwrap()).unwrap();
        used.add(record.effective_cost.unwrap()).unwrap();
    }
    for (id, (bought, used)) in &sums {
        assert_eq!(bought, used, "{id}");
        assert!(!bought.is_zero(), "{id}");
    }
    sums.len()
}

/// No rule of the crate's own checks fails; how many of the rules could be tested.
fn check_invariants(records: &[CostRecord<'_>]) -> usize {
    let mut options = InvariantOptions::default();
    for (invoice, payable) in by_text(records, Column::InvoiceId) {
        let of = |r: &&CostRecord<'_>| r.text(Column::InvoiceId) == Some(&invoice);
        let currency = records.iter().find(of).unwrap().billing_currency;
        let payable = (currency, payable.to_exact().unwrap());
        options.invoices.insert(invoice, payable);
    }
    let mut checks = InvariantChecks::new(options);
    for record in records {
        checks.add(record).unwrap();
    }
    let results = checks.finish();
    let rules = results.iter().flat_map(|invariant| &invariant.rules);
    for rule in rules.clone() {
        let Outcome::Failed { examples, .. } = &rule.outcome else {
            continue;
        };
        panic!("{}: {} {}", rule.rule, rule.outcome, examples[0]);
    }
    rules.filter(|rule| rule.outcome.tested() > 0).count()
}

#[test]
fn the_reference_month_adds_up_to_the_last_digit() {
    let records = reference_month();
    let totals = totals(records.iter().cloned());
    let costs = &totals[&Currency::USD];
    assert_eq!(totals.len(), 1);
    for sum in [
        &costs.billed,
        &costs.effective,
        &costs.list,
        &costs.contracted,
    ] {
        assert_eq!(sum.sum.to_string(), "200.34");
        assert_eq!(sum.unknown_rows, 0);
    }
    let services = by_text(&records, Column::ServiceName);
    let shares: Vec<_> = services
        .iter()
        .map(|(name, sum)| {
            let share = sum.to_f64() / 200.34 * 100.0;
            (name.as_str(), sum.to_string(), format!("{share:.1}"))
        })
        .collect();
    assert_eq!(
        shares,
        [
            ("Amazon Bedrock", "68.54".to_owned(), "34.2".to_owned()),
            (
                "Amazon Elastic Block Store",
                "8".to_owned(),
                "4.0".to_owned()
            ),
            (
                "Amazon Elastic Compute Cloud",
                "119.81".to_owned(),
                "59.8".to_owned()
            ),
            (
                "Amazon Virtual Private Cloud",
                "3.99".to_owned(),
                "2.0".to_owned()
            ),
        ]
    );
}

#[test]
fn the_reference_month_has_31_days_of_6_46() {
    let records = reference_month();
    let mut days: BTreeMap<String, ExactSum> = BTreeMap::new();
    for record in &records {
        let start = record.charge_period.start.unwrap().to_string();
        let day = days.entry(start[..10].to_owned()).or_default();
        day.add(record.billed_cost.unwrap()).unwrap();
    }
    assert_eq!(days.len(), 31);
    assert_eq!(days.first_key_value().unwrap().0, "2024-01-01");
    assert_eq!(days.last_key_value().unwrap().0, "2024-01-31");
    // 200.34 / 31 = 6.4625…
    let sum: f64 = days.values().map(ExactSum::to_f64).sum();
    assert_eq!(format!("{:.2}", sum / 31.0), "6.46");
    // Working days cost more than weekends: the 6th and 7th are the first weekend.
    assert!(days["2024-01-05"] > days["2024-01-06"]);
}

#[test]
fn the_reference_month_breaks_no_rule() {
    let records = reference_month();
    records.iter().for_each(check_row);
    assert!(check_invariants(&records) > 5);
    let hours = |r: &&CostRecord<'_>| r.text(Column::SkuId) == Some("T3XLARGE");
    assert_eq!(records.iter().filter(hours).count(), 720);
    let resources = by_text(&records, Column::ResourceId);
    assert_eq!(resources.len(), 5);
    let sorted = records.is_sorted_by_key(|r| r.charge_period.start);
    assert!(sorted);
    assert_eq!(read(&csv(records.clone())), records);
}

#[test]
fn has_as_many_rows_as_asked_for() {
    for rows in [0, 1, 2, 3, 49, 743, 4_999, 5_000, 5_001, 20_000] {
        for currencies in [1, 4] {
            let bill = SyntheticBill::new(rows, rows).currencies(currencies);
            assert_eq!(bill.count() as u64, rows);
        }
    }
}

#[test]
fn breaks_no_rule_at_any_size() {
    for (rows, seed, currencies) in [(500, 1, 1), (5_000, 2, 4), (40_000, 3, 2), (80_000, 4, 1)] {
        let bill = SyntheticBill::new(rows, seed).currencies(currencies);
        let records: Vec<_> = bill.collect();
        records.iter().for_each(check_row);
        assert!(check_commitments(&records) > 0);
        assert!(check_invariants(&records) > 10);
    }
}

#[test]
fn taxes_follow_what_they_are_levied_on() {
    let records: Vec<_> = SyntheticBill::new(30_000, 9).collect();
    let taxed = |invoice: &str, tax: bool| {
        let of = |r: &&CostRecord<'_>| {
            r.text(Column::InvoiceId) == Some(invoice)
                && (r.charge_category == Some(ChargeCategory::Tax)) == tax
        };
        ExactSum::of(records.iter().filter(of).filter_map(|r| r.billed_cost)).unwrap()
    };
    let net = taxed("aws-USD-2024-01", false);
    // The rounding adjustment makes the invoice a whole number of cents.
    assert_eq!(
        net.to_string(),
        net.rounded(2)
            .to_string()
            .trim_end_matches('0')
            .trim_end_matches('.')
    );
    let tax = taxed("aws-USD-2024-01", true).to_f64();
    assert!((tax - net.to_f64() * 0.08).abs() <= 0.005, "{tax} of {net}");
}

#[test]
fn has_every_kind_of_charge() {
    let records: Vec<_> = SyntheticBill::new(20_000, 5).collect();
    let categories: BTreeSet<_> = records.iter().filter_map(|r| r.charge_category).collect();
    assert_eq!(categories.len(), ChargeCategory::ALL.len());
    let groups: BTreeSet<_> = records.iter().map(CostRecord::cost_group).collect();
    assert_eq!(groups.len(), CostGroup::ALL.len());
    let distinct = |column| by_text(&records, column).len();
    assert_eq!(distinct(Column::ProviderName), 4);
    assert!(distinct(Column::ServiceName) >= 35);
    assert!(distinct(Column::ServiceCategory) >= 19);
    for (column, value) in [
        (Column::PricingCategory, "Standard"),
        (Column::PricingCategory, "Dynamic"),
        (Column::PricingCategory, "Committed"),
        (Column::CommitmentDiscountStatus, "Used"),
        (Column::CommitmentDiscountStatus, "Unused"),
        (Column::CommitmentDiscountType, "Reservation"),
        (Column::ChargeClass, "Correction"),
        (Column::ChargeFrequency, "One-Time"),
    ] {
        assert!(
            records.iter().any(|r| r.text(column) == Some(value)),
            "{value}"
        );
    }
    let zero = |r: &CostRecord<'_>| r.list_cost.is_some_and(Exact::is_zero) && !r.is_correction();
    assert!(records.iter().any(zero));
    let refund = |r: &CostRecord<'_>| r.pricing_quantity.is_some_and(Exact::is_negative);
    assert!(records.iter().any(refund));
}

#[test]
fn has_the_same_resources_however_many_rows() {
    let count = |rows| {
        let mut resources = BTreeSet::new();
        let mut bill = SyntheticBill::new(rows, 7);
        while let Some(record) = bill.next_record() {
            resources.extend(record.text(Column::ResourceId).map(str::to_owned));
        }
        resources.len()
    };
    let (full, double) = (count(100_000), count(200_000));
    assert_eq!(full, double);
    assert!(
        (SyntheticBill::RESOURCES..SyntheticBill::RESOURCES + 50).contains(&full),
        "{full}"
    );
}

#[test]
fn splits_hours_when_the_month_is_full() {
    // More rows than resources × hours would give, in one hour's worth of a small month.
    let mut rows: BTreeMap<(String, String), u64> = BTreeMap::new();
    let mut bill = SyntheticBill::new(2_000_000, 3);
    for _ in 0..4_000 {
        let record = bill.next_record().unwrap();
        let (Some(id), Some(start)) = (record.text(Column::ResourceId), record.charge_period.start)
        else {
            continue;
        };
        *rows.entry((id.to_owned(), start.to_string())).or_default() += 1;
    }
    assert!(rows.values().any(|&n| n > 1));
}

/// FNV-1a, 64 bits: enough to notice a change.
fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}

#[test]
fn is_the_same_for_the_same_rows_and_seed() {
    let file = |rows, seed| csv(SyntheticBill::new(rows, seed));
    assert_eq!(file(6_000, 1), file(6_000, 1));
    assert_ne!(file(6_000, 1), file(6_000, 2));
    // On every platform and in every version: results that others published stay comparable.
    assert_eq!(fingerprint(&file(6_000, 1)), FINGERPRINT);
    let lent = {
        let mut bill = SyntheticBill::new(500, 1);
        let mut writer = FocusWriter::new(Vec::new(), FocusVersion::V1_2).unwrap();
        while let Some(record) = bill.next_record() {
            writer.write(&record).unwrap();
        }
        writer.finish().unwrap()
    };
    assert_eq!(lent, file(500, 1));
}

/// Of the CSV of 6,000 rows with seed 1.
const FINGERPRINT: u64 = 11_832_226_978_497_196_277;

#[test]
fn reads_back_with_the_same_totals_in_every_format() {
    let bill = || SyntheticBill::new(12_000, 11).currencies(2);
    let expected = totals(bill());
    assert_eq!(expected.len(), 2);
    let file = csv(bill());
    let records = read(&file);
    assert_eq!(records, bill().collect::<Vec<_>>());
    assert_eq!(totals(records), expected);
    #[cfg(feature = "gzip")]
    {
        use std::io::Write;
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&file).unwrap();
        assert_eq!(totals(read(&gzip.finish().unwrap())), expected);
    }
    #[cfg(feature = "parquet")]
    {
        use bursar_cost_model::FocusParquetWriter;
        let mut writer = FocusParquetWriter::new(Vec::new(), FocusVersion::V1_2).unwrap();
        bill().for_each(|record| writer.write(&record).unwrap());
        let records = crate::parquet::read(writer.finish().unwrap());
        assert_eq!(records, bill().collect::<Vec<_>>());
        assert_eq!(totals(records), expected);
    }
}
