//! Which days does a review speak of, and what does it compare?

use bursar_cost_model::{
    BillReader, FileReport, ReadOptions, Report, ReviewOptions, Tally, TextOptions,
};
use bursar_units::Currency;

const HEADER: &str = "BilledCost,EffectiveCost,BillingCurrency,ChargePeriodStart,ChargeCategory,ChargeClass,ServiceCategory,ServiceName\n";

fn row(day: &str, cost: &str, class: &str) -> String {
    format!(
        "{cost},{cost},USD,{day}T00:00:00Z,Usage,{class},Compute,Amazon Elastic Compute Cloud\n"
    )
}

/// Every day from the first to the last of a month, at this cost.
fn days(month: &str, first: u32, last: u32, cost: &str) -> String {
    let day = |day| row(&format!("{month}-{day:02}"), cost, "");
    (first..=last).map(day).collect()
}

fn review(rows: &[String]) -> Report {
    review_as(rows, &ReviewOptions::default())
}

fn review_as(rows: &[String], options: &ReviewOptions) -> Report {
    let bill = format!("{HEADER}{}", rows.concat());
    let mut tally = Tally::new(options).unwrap();
    let mut reader = BillReader::new(bill.as_bytes(), &ReadOptions::default()).unwrap();
    while let Some(row) = reader.next_row() {
        tally.add(row).unwrap();
    }
    tally.report(options).unwrap()
}

fn compared(report: &Report) -> Option<(String, String)> {
    let change = report.change.as_ref()?;
    Some((change.before.to_string(), change.after.to_string()))
}

#[test]
fn compares_months_only_where_both_are_whole() {
    let whole = review(&[days("2024-01", 1, 31, "10"), days("2024-02", 1, 29, "12")]);
    let months = ("2024-01-01..2024-02-01", "2024-02-01..2024-03-01");
    assert_eq!(compared(&whole), Some((months.0.into(), months.1.into())));

    // Two weeks of January against a whole February would be growth that is none.
    let cut = review(&[days("2024-01", 18, 31, "10"), days("2024-02", 1, 29, "10")]);
    let weeks = ("2024-02-16..2024-02-23", "2024-02-23..2024-03-01");
    assert_eq!(compared(&cut), Some((weeks.0.into(), weeks.1.into())));
    assert!(cut.change.unwrap().by_service.change.is_zero());
}

#[test]
fn a_correction_of_an_earlier_month_moves_no_average_and_no_monthly_saving() {
    let january = days("2024-01", 1, 31, "10");
    let plain = review(std::slice::from_ref(&january));
    let corrected = review(&[january, row("2023-12-04", "-20.66", "Correction")]);

    let total = corrected.totals.values().next().unwrap();
    assert_eq!(total.billed.as_ref().unwrap().to_string(), "289.34");
    assert_eq!(corrected.daily.len(), 32);

    assert_eq!(corrected.period, plain.period);
    let average = |report: &Report| report.summary.as_ref().unwrap().daily_average;
    assert_eq!(average(&corrected), average(&plain));
    assert_eq!(corrected.growth, plain.growth);
    assert_eq!(
        corrected.opportunities[0].total(),
        plain.opportunities[0].total()
    );
    assert_eq!(plain.opportunities[0].total().to_string(), "93");
    assert!(
        corrected
            .notes
            .iter()
            .any(|note| note.contains("USD -20.66")),
        "{:?}",
        corrected.notes
    );
}

#[test]
fn a_bill_of_corrections_alone_is_reviewed_by_their_days() {
    let report = review(&[row("2023-12-04", "-20.66", "Correction")]);
    assert_eq!(report.period.unwrap().to_string(), "2023-12-04..2023-12-05");
    assert!(report.notes.iter().all(|note| !note.contains("-20.66")));
}

#[test]
fn says_that_no_saving_was_found_and_why() {
    let report = review(&[days("2024-01", 1, 31, "1")]);
    let text = report.to_text(TextOptions::default());
    assert!(text.contains("Opportunities: none found"), "{text}");
    let flowing = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let why = "smaller instances: compute instances cost USD 31.00 a month; smaller ones are looked for above USD 50.00";
    assert!(flowing.contains(why), "{text}");
    for page in [report.to_markdown(), report.to_html()] {
        assert!(page.contains("None found."));
        assert!(page.contains("smaller ones are looked for above USD 50.00"));
    }
    let found = review(&[days("2024-01", 1, 31, "10")]).to_text(TextOptions::default());
    assert!(!found.contains("none found"), "{found}");
}

#[test]
fn the_text_names_a_file_that_could_not_be_read() {
    let mut report = review(&[days("2024-01", 1, 31, "1")]);
    let reason = "no such file or directory";
    report
        .files
        .push(FileReport::unreadable("bills/lost.csv", reason));
    let text = report.to_text(TextOptions::default());
    assert!(text.contains(reason), "{text}");
}

#[test]
fn tells_a_failed_rule_to_its_end() {
    let mut bill = String::from(
        "BilledCost,ListCost,ListUnitPrice,PricingQuantity,BillingCurrency,ChargePeriodStart,ServiceName\n",
    );
    bill.push_str("1,2.000000000001,0.250000000001,3.999999999999,USD,2024-01-01T00:00:00Z,EC2\n");
    let options = ReviewOptions::default();
    let mut tally = Tally::new(&options).unwrap();
    let mut reader = BillReader::new(bill.as_bytes(), &ReadOptions::default()).unwrap();
    while let Some(row) = reader.next_row() {
        tally.add(row).unwrap();
    }
    let text = tally
        .report(&options)
        .unwrap()
        .to_text(TextOptions::default());
    assert!(text.contains("3.999999999999"), "{text}");
    assert!(!text.contains('…'), "{text}");
}

#[test]
fn a_budget_that_cannot_be_judged_is_not_passed_over() {
    for (budget, first, why) in [
        (Currency::USD, 1, None),
        (
            Currency::EUR,
            1,
            Some("EUR 500 is not judged: most charges are in USD"),
        ),
        (
            Currency::USD,
            9,
            Some("USD 500 is not judged: the charges begin on 2024-01-09"),
        ),
    ] {
        let mut options = ReviewOptions::default();
        options.budget = Some((budget, "500".parse().unwrap()));
        let report = review_as(&[days("2024-01", first, 20, "10")], &options);
        assert_eq!(report.budget.is_some(), why.is_none());
        let note = report.notes.iter().find(|note| note.contains("budget"));
        match why {
            Some(why) => assert!(note.unwrap().contains(why), "{note:?}"),
            None => assert_eq!(note, None),
        }
    }
}
