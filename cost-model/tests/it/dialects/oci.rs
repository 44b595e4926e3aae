//! Cost reports of Oracle Cloud Infrastructure.

use bursar_cost_model::{ChargeCategory, Column, CostGroup, Format};
use bursar_units::Currency;
use proptest::prelude::*;

use super::{Bill, Cells, broken_rules, column_sum, csv_of, exact, sum, with_own};

/// The columns of a cost report, with tags of three namespaces.
const HEADER: &[&str] = &[
    "lineItem/referenceNo",
    "lineItem/tenantId",
    "lineItem/intervalUsageStart",
    "lineItem/intervalUsageEnd",
    "product/service",
    "product/compartmentId",
    "product/compartmentName",
    "product/region",
    "product/availabilityDomain",
    "product/resourceId",
    "usage/billedQuantity",
    "usage/billedQuantityOverage",
    "cost/subscriptionId",
    "cost/productSku",
    "product/Description",
    "cost/unitPrice",
    "cost/unitPriceOverage",
    "cost/myCost",
    "cost/myCostOverage",
    "cost/currencyCode",
    "cost/billingUnitReadable",
    "cost/skuUnitDescription",
    "cost/overageFlag",
    "lineItem/isCorrection",
    "lineItem/backreferenceNo",
    "tags/Oracle-Tags.CreatedBy",
    "tags/free-form-tag",
    "tags/Oracle-Tags.CreatedOn",
];

/// A row of one hour of a machine, with some cells of its own.
fn row<'a>(own: &[(&'a str, &'a str)]) -> Cells<'a> {
    let common = [
        ("lineItem/referenceNo", "V3.ref=="),
        ("lineItem/tenantId", "ocid1.tenancy.oc1..a"),
        ("lineItem/intervalUsageStart", "2024-06-01T10:00Z"),
        ("lineItem/intervalUsageEnd", "2024-06-01T11:00:00Z"),
        ("product/service", "COMPUTE"),
        ("product/compartmentName", "prod"),
        ("product/region", "eu-frankfurt-1"),
        ("product/availabilityDomain", "EU-FRANKFURT-1-AD-1"),
        ("product/resourceId", "ocid1.instance.oc1..b"),
        ("usage/billedQuantity", "2"),
        ("cost/subscriptionId", "777"),
        ("cost/productSku", "B93113"),
        ("product/Description", "Standard E4 - OCPU"),
        ("cost/unitPrice", "0.025"),
        ("cost/myCost", "0.05"),
        ("cost/currencyCode", "EUR"),
        ("cost/billingUnitReadable", "ONE OCPU HOURS"),
        ("cost/overageFlag", "N"),
        ("lineItem/isCorrection", "false"),
    ];
    with_own(&common, own)
}

fn file(rows: &[Cells<'_>]) -> String {
    let rows: Vec<&[(&str, &str)]> = rows.iter().map(Vec::as_slice).collect();
    csv_of(HEADER, &rows)
}

#[test]
fn maps_every_column_of_an_hour() {
    let text = file(&[row(&[])]);
    let bill = Bill::read(&text);
    assert_eq!(bill.format, Some(Format::Oci));
    assert_eq!((bill.rejected.len(), bill.problems.len()), (0, 0));
    let hour = &bill.records[0];
    for (column, value) in [
        (Column::BillingAccountId, "777"),
        (Column::SubAccountId, "ocid1.tenancy.oc1..a"),
        (Column::ServiceName, "COMPUTE"),
        (Column::ServiceCategory, "Compute"),
        (Column::RegionId, "eu-frankfurt-1"),
        (Column::AvailabilityZone, "EU-FRANKFURT-1-AD-1"),
        (Column::ResourceId, "ocid1.instance.oc1..b"),
        (Column::SkuId, "B93113"),
        (Column::ChargeDescription, "Standard E4 - OCPU"),
        (Column::PricingUnit, "ONE OCPU HOURS"),
        (Column::ProviderName, "Oracle"),
    ] {
        assert_eq!(hour.text(column), Some(value), "{column}");
    }
    assert_eq!(hour.billing_currency, Currency::EUR);
    assert_eq!(hour.charge_category, Some(ChargeCategory::Usage));
    assert_eq!(hour.cost_group(), CostGroup::Compute);
    assert_eq!(
        (hour.billed_cost, hour.effective_cost),
        (exact("0.05"), exact("0.05"))
    );
    assert_eq!(hour.contracted_cost, exact("0.05"));
    // The report does not know them, and neither do we.
    assert_eq!(
        (hour.list_cost, hour.list_unit_price, hour.consumed_quantity),
        (None, None, None)
    );
    assert_eq!(hour.billing_period, Default::default());
    assert_eq!(
        hour.charge_period.start,
        Some("2024-06-01T10:00:00Z".parse().unwrap())
    );
    assert_eq!(
        hour.charge_period.end,
        Some("2024-06-01T11:00:00Z".parse().unwrap())
    );
    assert_eq!(hour.extra("product/compartmentName"), Some("prod"));
    assert!(!hour.is_correction());
}

#[test]
fn adds_up_to_the_sum_of_the_file_with_corrections() {
    let text = file(&[
        row(&[("cost/myCost", "0.0000000000000000000000000001")]),
        row(&[("cost/myCost", "12.5")]),
        row(&[
            ("cost/myCost", "-12.5"),
            ("usage/billedQuantity", "-2"),
            ("lineItem/isCorrection", "true"),
            ("lineItem/backreferenceNo", "V3.ref=="),
        ]),
        row(&[("cost/myCost", "0")]),
        row(&[("cost/myCost", "")]),
        row(&[("cost/myCost", "1.5E-7")]),
    ]);
    let records = Bill::good(&text);
    assert_eq!(
        sum(&records, |r| r.billed_cost),
        column_sum(&text, "cost/myCost")
    );
    assert_eq!(
        sum(&records, |r| r.effective_cost),
        column_sum(&text, "cost/myCost")
    );
    let corrections: Vec<_> = records.iter().map(|r| r.is_correction()).collect();
    assert_eq!(corrections, [false, false, true, false, false, false]);
    assert_eq!(
        (records[4].billed_cost, records[4].effective_cost),
        (None, None)
    );
}

#[test]
fn breaks_no_rule_of_focus() {
    let correction = [("cost/myCost", "-0.05"), ("lineItem/isCorrection", "true")];
    let text = file(&[row(&[]), row(&correction)]);
    assert_eq!(broken_rules(&Bill::good(&text)), []);
}

#[test]
fn knows_no_product_of_prices_under_overage() {
    let text = file(&[row(&[
        ("cost/overageFlag", "Y"),
        ("usage/billedQuantityOverage", "1"),
        ("cost/unitPriceOverage", "0.05"),
        ("cost/myCost", "0.075"),
    ])]);
    let records = Bill::good(&text);
    assert_eq!(records[0].contracted_cost, None);
    assert_eq!(records[0].billed_cost, exact("0.075"));
}

#[test]
fn gathers_tags_and_shows_them_nowhere_else() {
    let text = file(&[row(&[
        ("tags/Oracle-Tags.CreatedBy", "jane.doe@example.com"),
        ("tags/free-form-tag", "x\"y"),
    ])]);
    let record = &Bill::good(&text)[0];
    let json = r#"{"Oracle-Tags.CreatedBy":"jane.doe@example.com","free-form-tag":"x\"y"}"#;
    assert_eq!(record.text(Column::Tags), Some(json));
    assert_eq!(record.tag("free-form-tag").as_deref(), Some("x\"y"));
    assert_eq!(
        record
            .extras()
            .filter(|(name, _)| name.starts_with("tags/"))
            .count(),
        0
    );
    assert!(!format!("{record:?}").contains("jane"));
    // Nor does a bad cell beside them show them.
    let text = file(&[row(&[
        ("tags/Oracle-Tags.CreatedBy", "jane.doe@example.com"),
        ("cost/myCost", "free"),
    ])]);
    let rejected = &Bill::read(&text).rejected[0];
    assert!(!format!("{rejected:?} {rejected}").contains("jane"));
}

#[test]
fn says_that_a_usage_report_has_no_costs() {
    let text = "lineItem/referenceNo,lineItem/intervalUsageStart,lineItem/intervalUsageEnd,\
                product/service,usage/consumedQuantity,usage/consumedQuantityUnits\n\
                r,2024-06-01T10:00Z,2024-06-01T11:00Z,COMPUTE,7,HOUR\n";
    let bill = Bill::read(text);
    assert_eq!(bill.format, Some(Format::Oci));
    assert_eq!(bill.problems.len(), 1);
    assert_eq!(bill.problems[0].column, "cost/myCost");
    assert!(bill.problems[0].reason.contains("no cost columns"));
    let record = &bill.records[0];
    assert_eq!((record.billed_cost, record.effective_cost), (None, None));
    assert_eq!(record.consumed_quantity, exact("7"));
    assert_eq!(record.text(Column::ConsumedUnit), Some("HOUR"));
}

#[test]
fn reports_what_the_header_lacks() {
    let lacking = Bill::lacking("lineItem/intervalUsageStart,cost/myCost\n2024-06-01T10:00Z,1\n");
    assert_eq!(
        lacking,
        [
            "cost/currencyCode",
            "cost/subscriptionId",
            "lineItem/intervalUsageEnd",
            "product/service"
        ]
    );
}

#[test]
fn reports_bad_cells() {
    for (column, value, reason) in [
        ("cost/myCost", "1,5", "1,5"),
        ("cost/unitPrice", "x", "x"),
        (
            "lineItem/intervalUsageStart",
            "2024-06-01T25:00Z",
            "no date",
        ),
        ("cost/currencyCode", "€", "€"),
        ("lineItem/isCorrection", "maybe", "true, false"),
    ] {
        let (line, at, found, why) = Bill::rejection(&file(&[row(&[(column, value)])]));
        assert_eq!((line, at.as_str(), found.as_str()), (2, column, value));
        assert!(why.contains(reason), "{why}");
    }
}

proptest! {
    #[test]
    fn keeps_or_reports_every_row_of_any_cells(
        rows in prop::collection::vec(prop::collection::vec("[^\u{0}]{0,12}", HEADER.len()), 1..6),
    ) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(HEADER).unwrap();
        for row in &rows {
            writer.write_record(row).unwrap();
        }
        let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        let bill = Bill::read(&text);
        prop_assert_eq!(bill.records.len() + bill.rejected.len(), rows.len());
    }
}
