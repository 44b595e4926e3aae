//! Do the checks find every fault that a bill can have, and none in a lawful bill?
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the helpers of tests fail as tests do"
)]

mod bill;
mod faults;

use std::collections::BTreeMap;

use bursar_cost_model::{
    BillReader, Evidence, Exact, Invariant, InvariantChecks, InvariantOptions, InvariantResult,
    Outcome, ReadOptions, Row, Rule, RuleResult, Verdict,
};
use bursar_units::Currency;

use bill::Bill;

fn exact(text: &str) -> Exact {
    text.parse().unwrap()
}

/// The results by rule.
struct Found(Vec<InvariantResult>);

impl Found {
    fn in_text(csv: &str, options: InvariantOptions) -> Found {
        let mut checks = InvariantChecks::new(options);
        let mut reader = BillReader::new(csv.as_bytes(), &ReadOptions::default()).unwrap();
        while let Some(row) = reader.next_row() {
            match row {
                Row::Record(record) => checks.add(&record).unwrap(),
                Row::Rejected(row) => panic!("{row}"),
            }
        }
        Found(checks.finish())
    }

    fn rule(&self, rule: Rule) -> &RuleResult {
        let mut rules = self.0.iter().flat_map(|invariant| &invariant.rules);
        rules.find(|result| result.rule == rule).unwrap()
    }

    fn counts(&self, rule: Rule) -> (u64, u64) {
        let outcome = &self.rule(rule).outcome;
        (outcome.tested(), outcome.failed())
    }

    fn reason(&self, rule: Rule) -> &str {
        match &self.rule(rule).outcome {
            Outcome::NotTestable { reason } => reason,
            other => panic!("{rule}: {other}"),
        }
    }

    fn failed_lines(&self, rule: Rule) -> Vec<u64> {
        match &self.rule(rule).outcome {
            Outcome::Failed { examples, .. } => examples.iter().filter_map(|e| e.line).collect(),
            _ => Vec::new(),
        }
    }
}

fn sample() -> Option<String> {
    let path = crate::development_data("focus/focus_sample.csv")?;
    Some(std::fs::read_to_string(path).unwrap())
}

#[test]
fn finds_what_is_wrong_in_the_sample_of_the_specification_and_no_more() {
    let Some(csv) = sample() else { return };
    let options = {
        let mut options = InvariantOptions::default();
        options.examples = 1000;
        options
    };
    let found = Found::in_text(&csv, options);
    // Counted independently with arbitrary-precision decimals over the same 1,000 rows.
    for (rule, tested, failed) in [
        (Rule::ChargePeriodOrder, 1000, 0),
        (Rule::BillingPeriodOrder, 1000, 0),
        (Rule::ExclusiveEnds, 1000, 0),
        (Rule::ChargeInBillingPeriod, 1000, 1),
        (Rule::UtcTimes, 0, 0),
        (Rule::NullsAreNull, 1000, 0),
        (Rule::ListProduct, 999, 25),
        (Rule::ContractedProduct, 993, 17),
        (Rule::InvoiceTotal, 0, 0),
        (Rule::InvoiceAccount, 0, 0),
        (Rule::PrepaidPurchase, 0, 0),
        (Rule::CreditCost, 1, 1),
        (Rule::TaxFollowsCharges, 0, 0),
        (Rule::CommitmentBalance, 0, 0),
        (Rule::CoveredIsNotBilled, 4, 0),
        (Rule::UnusedNamesCommitment, 0, 0),
        (Rule::UnusedIsNotConsumed, 0, 0),
        (Rule::ConsumedOnlyByUsage, 3, 2),
        (Rule::TaxHasNoQuantity, 0, 0),
        (Rule::QuantityIsStated, 997, 0),
        (Rule::PricingUnitIsStated, 997, 0),
        (Rule::ConsumedUnitIsStated, 997, 0),
        (Rule::CoveredHasStatus, 4, 0),
        (Rule::CoveredIsCommitted, 4, 0),
        (Rule::CommittedNamesCommitment, 4, 0),
        (Rule::StatusNamesCommitment, 4, 0),
        (Rule::TagsAreObject, 711, 0),
        (Rule::TagsAreFlat, 711, 0),
        (Rule::TagKeysAreUnique, 711, 0),
    ] {
        assert_eq!(found.counts(rule), (tested, failed), "{rule}");
    }

    let list = found.rule(Rule::ListProduct);
    assert_eq!(list.exact, Some(509));
    let Outcome::Failed {
        examples,
        by_provider,
        ..
    } = &list.outcome
    else {
        panic!("{}", list.outcome);
    };
    assert_eq!(by_provider.len(), 1);
    assert_eq!(by_provider[0].provider.as_deref(), Some("Microsoft"));
    assert_eq!((examples.len(), by_provider[0].failed), (25, 25));
    assert_eq!(examples[0].line, Some(948));
    assert_eq!(
        list.notes,
        [
            "Microsoft, PricingUnit `Units`: the stated cost is 10^4 times the product in all 25 failing rows; the unit may hide a block of that many"
        ]
    );
    assert_eq!(found.failed_lines(Rule::ChargeInBillingPeriod), [946]);
    assert_eq!(found.failed_lines(Rule::CreditCost), [458]);
    assert_eq!(found.failed_lines(Rule::ConsumedOnlyByUsage), [949, 950]);

    let reason = found.reason(Rule::InvoiceTotal);
    assert_eq!(reason, "`InvoiceId` is missing, or null in all 1000 rows");
    assert_eq!(found.reason(Rule::TaxHasNoQuantity), "no row is a tax");
    let reason = found.reason(Rule::CommitmentBalance);
    assert!(
        reason.contains("not tested for 2 of 2 commitments: its purchase is not in the bill"),
        "{reason}"
    );
    let verdicts: Vec<Verdict> = found.0.iter().map(|result| result.outcome).collect();
    assert_eq!(
        verdicts,
        [
            Verdict::Failed,
            Verdict::Failed,
            Verdict::NotTestable,
            Verdict::Failed,
            Verdict::PassedInPart,
            Verdict::Failed,
            Verdict::Passed,
            Verdict::Passed,
        ]
    );
}

#[test]
fn passes_every_rule_on_a_lawful_bill() {
    for seed in 0..10 {
        let bill = Bill::lawful(seed);
        assert!(bill.rows.len() >= 300);
        let found = Found::in_text(&bill.to_csv(), bill.options());
        for rule in Rule::ALL {
            let result = found.rule(*rule);
            assert!(
                matches!(result.outcome, Outcome::Passed { tested } if tested > 0),
                "seed {seed}, {rule}: {:?}",
                result
            );
        }
        assert!(found.0.iter().all(|r| r.outcome == Verdict::Passed));
    }
}

#[test]
fn finds_every_kind_of_fault_by_its_rule() {
    let faults = faults::all();
    assert!(faults.len() >= 25);
    let (mut injected, mut missed) = (0, Vec::new());
    for (kind, fault) in faults.iter().enumerate() {
        for seed in 0..6 {
            let mut bill = Bill::lawful(seed);
            let options = bill.options();
            let mut dice = bill::Dice::new(seed * 1000 + kind as u64);
            let line = bill.inject(fault, &mut dice);
            let found = Found::in_text(&bill.to_csv(), options);
            injected += 1;
            if found.counts(fault.rule).1 == 0 {
                missed.push(format!("{} in line {line}, seed {seed}", fault.name));
            }
        }
    }
    let share = missed.len() as f64 / f64::from(injected);
    assert!(share <= 0.01, "{} of {injected}: {missed:#?}", missed.len());
}

#[test]
fn does_not_depend_on_the_order_of_rows_or_parts() {
    let mut bill = Bill::lawful(7);
    let mut dice = bill::Dice::new(7);
    let options = bill.options();
    for fault in &faults::all() {
        bill.inject(fault, &mut dice);
    }
    let csv = bill.to_csv();
    let whole = Found::in_text(&csv, options.clone());
    assert!(whole.0.iter().all(|r| r.outcome == Verdict::Failed));

    let mut reader = BillReader::new(csv.as_bytes(), &ReadOptions::default()).unwrap();
    let mut records = Vec::new();
    while let Some(Row::Record(record)) = reader.next_row() {
        records.push(record.into_owned());
    }
    for turn in 0..10 {
        dice.shuffle(&mut records);
        let mut parts: Vec<InvariantChecks> = records
            .chunks(records.len() / (turn + 1) + 1)
            .map(|chunk| {
                let mut part = InvariantChecks::new(options.clone());
                for record in chunk {
                    part.add(record).unwrap();
                }
                part
            })
            .collect();
        dice.shuffle(&mut parts);
        let mut merged = InvariantChecks::new(options.clone());
        for part in parts {
            merged.merge(part).unwrap();
        }
        assert_eq!(merged.rows(), records.len() as u64);
        assert_eq!(merged.finish(), whole.0);
    }
}

#[test]
fn never_passes_on_nothing() {
    let empty = InvariantChecks::new(InvariantOptions::default()).finish();
    let numbers: Vec<u8> = empty.iter().map(|r| r.invariant.number()).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7, 8]);
    for result in &empty {
        assert_eq!(result.outcome, Verdict::NotTestable);
        assert_eq!(
            result.rules.iter().map(|r| r.rule).collect::<Vec<_>>(),
            result.invariant.rules().collect::<Vec<_>>()
        );
    }

    // Corrections alone prove nothing about products, whatever their class is spelled like.
    let csv = "\
BilledCost,BillingCurrency,ChargeCategory,ChargeClass,ListCost,ListUnitPrice,PricingQuantity
1,USD,Usage,Correction,1,7,9
1,USD,Usage,correction,63,7,9
";
    let found = Found::in_text(csv, InvariantOptions::default());
    assert_eq!(
        found.reason(Rule::ListProduct),
        "no row that is no correction has cost, unit price and quantity"
    );
    // And an ordinary charge, whose class is null, is tested.
    let found = Found::in_text(&csv.replace("correction", ""), InvariantOptions::default());
    assert_eq!(found.counts(Rule::ListProduct), (1, 0));
}

#[test]
fn does_not_blame_rows_for_columns_that_the_bill_does_not_have() {
    for (column, rule) in [
        ("PricingUnit", Rule::PricingUnitIsStated),
        ("ConsumedUnit", Rule::ConsumedUnitIsStated),
        ("PricingCategory", Rule::CoveredIsCommitted),
        ("CommitmentDiscountStatus", Rule::CoveredHasStatus),
        ("CommitmentDiscountId", Rule::StatusNamesCommitment),
        ("PricingQuantity", Rule::QuantityIsStated),
        ("ResourceId", Rule::UnusedNamesCommitment),
    ] {
        let mut bill = Bill::lawful(3);
        for row in &mut bill.rows {
            row.remove(column);
        }
        let found = Found::in_text(&bill.to_csv(), bill.options());
        let reason = found.reason(rule);
        assert!(
            reason.contains(&format!("`{column}` is missing")),
            "{reason}"
        );
        // Nothing else fails for the lack of it.
        for rule in Rule::ALL {
            assert_eq!(found.counts(*rule).1, 0, "{rule} without {column}");
        }
    }
}

#[test]
fn reports_the_sum_of_every_invoice_without_a_payable_amount() {
    let csv = "\
BilledCost,BillingCurrency,InvoiceId
0.105,USD,INV-7
0.10,USD,INV-7
12,EUR,INV-8
";
    let found = Found::in_text(csv, InvariantOptions::default());
    let result = found.rule(Rule::InvoiceTotal);
    assert_eq!(
        found.reason(Rule::InvoiceTotal),
        "no payable amounts of invoices were given to compare with"
    );
    let Evidence::Invoices(sums) = &result.evidence else {
        panic!("{:?}", result.evidence);
    };
    let sums: Vec<String> = sums
        .iter()
        .map(|s| format!("{} {} {} {}", s.invoice, s.billed, s.currency, s.rows))
        .collect();
    assert_eq!(sums, ["INV-7 0.205 USD 2", "INV-8 12 EUR 1"]);

    // The payable amount is the sum rounded once: half a cent either way, and not a cent.
    for (payable, failed) in [("0.20", 0), ("0.21", 0), ("0.22", 1), ("0.19", 1)] {
        let mut options = InvariantOptions::default();
        let invoices = [("INV-7".to_owned(), (Currency::USD, exact(payable)))];
        options.invoices = BTreeMap::from(invoices);
        let found = Found::in_text(csv, options);
        assert_eq!(found.counts(Rule::InvoiceTotal), (1, failed), "{payable}");
    }
    // An invoice of which no row came is off by all of it, and so is one in another currency.
    for id in ["INV-9", "INV-8"] {
        let mut options = InvariantOptions::default();
        options.invoices = BTreeMap::from([(id.to_owned(), (Currency::USD, exact("12")))]);
        let found = Found::in_text(csv, options);
        assert_eq!(found.counts(Rule::InvoiceTotal), (1, 1), "{id}");
    }
}

/// A commitment as rows of purchase (frequency, start, end, billed) and usage (start, end,
/// effective), all in the billing period of January 2025, with one other charge before.
fn commitment(
    data_start: &str,
    purchases: &[(&str, &str, &str, &str)],
    usage: &[(&str, &str, &str)],
) -> Found {
    let mut csv = "BilledCost,EffectiveCost,BillingCurrency,ChargeCategory,ChargeFrequency,\
        ChargePeriodStart,ChargePeriodEnd,BillingPeriodStart,BillingPeriodEnd,CommitmentDiscountId\n"
        .to_owned();
    let period = "2025-01-01,2025-02-01";
    csv += &format!("1,1,USD,Usage,,{data_start},2025-01-01T01:00:00Z,{period},\n");
    for (frequency, start, end, billed) in purchases {
        csv += &format!("{billed},0,USD,Purchase,{frequency},{start},{end},{period},C\n");
    }
    for (start, end, effective) in usage {
        csv += &format!("0,{effective},USD,Usage,,{start},{end},{period},C\n");
    }
    Found::in_text(&csv, InvariantOptions::default())
}

#[test]
fn compares_commitments_only_over_their_whole_term() {
    const JANUARY: (&str, &str) = ("2025-01-01", "2025-02-01");
    let (start, end) = JANUARY;
    let whole = |effective: &'static str| vec![(start, end, effective)];
    let same = "2025-01-01";
    let before = "2024-12-31";

    // A month's commitment, paid at once: 31 days at 10.
    let once = [("One-Time", start, end, "310")];
    let counts = |found: Found| found.counts(Rule::CommitmentBalance);
    assert_eq!(counts(commitment(same, &once, &whole("310"))), (1, 0));
    assert_eq!(counts(commitment(same, &once, &whole("309.99"))), (1, 1));
    assert_eq!(counts(commitment(same, &once, &whole("320"))), (1, 1));

    // A year's commitment of which the bill has one month.
    let year = [("One-Time", start, "2026-01-01", "3650")];
    let found = commitment(same, &year, &whole("310"));
    let reason = found.reason(Rule::CommitmentBalance);
    assert!(reason.contains("does not have every day"), "{reason}");
    // The same, where the exporter states the month of payment as the charge period.
    let found = commitment(same, &[("One-Time", start, end, "3650")], &whole("310"));
    let reason = found.reason(Rule::CommitmentBalance);
    assert!(reason.contains("is not its term"), "{reason}");
    // Partly paid upfront: the upfront part belongs to a longer term.
    let partly = [
        ("One-Time", start, end, "1825"),
        ("Recurring", start, end, "155"),
    ];
    let found = commitment(same, &partly, &whole("310"));
    let reason = found.reason(Rule::CommitmentBalance);
    assert!(reason.contains("is not its term"), "{reason}");

    // Paid monthly: an upfront payment may lie before the bill, unless the bill begins earlier.
    let monthly = [("Recurring", start, end, "155")];
    assert_eq!(counts(commitment(same, &monthly, &whole("155"))), (1, 0));
    let found = commitment(same, &monthly, &whole("310"));
    let reason = found.reason(Rule::CommitmentBalance);
    assert!(
        reason.contains("upfront payment may lie before"),
        "{reason}"
    );
    assert_eq!(counts(commitment(before, &monthly, &whole("310"))), (1, 1));
    // Usage that costs less than was paid is no question of what lies before.
    assert_eq!(counts(commitment(same, &monthly, &whole("100"))), (1, 1));

    // A day without a row, usage outside the term, no purchase, no usage.
    let gap = [(start, "2025-01-10", "90"), ("2025-01-11", end, "220")];
    for (purchases, usage, part) in [
        (&once[..], &gap[..], "does not have every day"),
        (
            &once[..],
            &[(start, "2025-02-02", "310")][..],
            "outside the charge periods",
        ),
        (&[][..], &[(start, end, "310")][..], "purchase is not"),
        (&once[..], &[][..], "usage is not"),
        (&once[..], &[(start, end, "")][..], "states no amount"),
        (&once[..], &[(end, start, "310")][..], "no period"),
    ] {
        let found = commitment(same, purchases, usage);
        let reason = found.reason(Rule::CommitmentBalance);
        assert!(reason.contains(part), "{part}: {reason}");
    }
}

#[test]
fn names_eight_invariants_with_their_sources() {
    for (at, invariant) in Invariant::ALL.into_iter().enumerate() {
        assert_eq!(usize::from(invariant.number()), at + 1);
        assert!(invariant.source().starts_with("FOCUS "));
        assert!(invariant.rules().count() > 0);
    }
}

#[cfg(feature = "serde")]
#[test]
fn serializes_results_without_the_values_of_tags() {
    let csv = "\
BilledCost,BillingCurrency,ChargeCategory,Tags
1,USD,Usage,\"{\"\"owner\"\": {\"\"name\"\": \"\"Ada\"\"}}\"
2,USD,Usage,\"owner=Ada\"
";
    let found = Found::in_text(csv, InvariantOptions::default());
    let json = serde_json::to_string(&found.0).unwrap();
    assert!(json.contains("the value of key `owner` is nested"));
    assert!(json.contains("\"rule\":\"tags-are-object\""));
    assert!(!json.contains("Ada"));
}
