//! AWS Cost and Usage Reports in three spellings of the header.

use bursar_cost_model::{
    ChargeCategory, Column, CommitmentStatus, CostGroup, CostRecord, Format, ReadOptions, Rule,
};
use bursar_units::Currency;
use proptest::prelude::*;

use super::{Bill, broken_rules, column_sum, csv_of, exact, sum, with_status};

/// The columns of the examples: legacy, CUR 2.0 and Athena.
const COLUMNS: &[[&str; 3]] = &[
    [
        "identity/LineItemId",
        "identity_line_item_id",
        "identity_lineitemid",
    ],
    [
        "identity/TimeInterval",
        "identity_time_interval",
        "identity_timeinterval",
    ],
    ["bill/InvoiceId", "bill_invoice_id", "bill_invoiceid"],
    [
        "bill/InvoicingEntity",
        "bill_invoicing_entity",
        "bill_invoicingentity",
    ],
    ["bill/BillType", "bill_bill_type", "bill_billtype"],
    [
        "bill/PayerAccountId",
        "bill_payer_account_id",
        "bill_payeraccountid",
    ],
    [
        "bill/BillingPeriodStartDate",
        "bill_billing_period_start_date",
        "bill_billingperiodstartdate",
    ],
    [
        "bill/BillingPeriodEndDate",
        "bill_billing_period_end_date",
        "bill_billingperiodenddate",
    ],
    [
        "lineItem/UsageAccountId",
        "line_item_usage_account_id",
        "lineitem_usageaccountid",
    ],
    [
        "lineItem/LineItemType",
        "line_item_line_item_type",
        "lineitem_lineitemtype",
    ],
    [
        "lineItem/UsageStartDate",
        "line_item_usage_start_date",
        "lineitem_usagestartdate",
    ],
    [
        "lineItem/UsageEndDate",
        "line_item_usage_end_date",
        "lineitem_usageenddate",
    ],
    [
        "lineItem/ProductCode",
        "line_item_product_code",
        "lineitem_productcode",
    ],
    [
        "lineItem/UsageType",
        "line_item_usage_type",
        "lineitem_usagetype",
    ],
    [
        "lineItem/ResourceId",
        "line_item_resource_id",
        "lineitem_resourceid",
    ],
    [
        "lineItem/UsageAmount",
        "line_item_usage_amount",
        "lineitem_usageamount",
    ],
    [
        "lineItem/CurrencyCode",
        "line_item_currency_code",
        "lineitem_currencycode",
    ],
    [
        "lineItem/UnblendedRate",
        "line_item_unblended_rate",
        "lineitem_unblendedrate",
    ],
    [
        "lineItem/UnblendedCost",
        "line_item_unblended_cost",
        "lineitem_unblendedcost",
    ],
    [
        "lineItem/BlendedCost",
        "line_item_blended_cost",
        "lineitem_blendedcost",
    ],
    [
        "lineItem/LineItemDescription",
        "line_item_line_item_description",
        "lineitem_lineitemdescription",
    ],
    [
        "product/ProductName",
        "product_product_name",
        "product_productname",
    ],
    [
        "product/regionCode",
        "product_region_code",
        "product_regioncode",
    ],
    ["product/sku", "product_sku", "product_sku"],
    [
        "pricing/publicOnDemandCost",
        "pricing_public_on_demand_cost",
        "pricing_publicondemandcost",
    ],
    [
        "pricing/publicOnDemandRate",
        "pricing_public_on_demand_rate",
        "pricing_publicondemandrate",
    ],
    ["pricing/term", "pricing_term", "pricing_term"],
    ["pricing/unit", "pricing_unit", "pricing_unit"],
    [
        "reservation/ReservationARN",
        "reservation_reservation_a_r_n",
        "reservation_reservationarn",
    ],
    [
        "reservation/EffectiveCost",
        "reservation_effective_cost",
        "reservation_effectivecost",
    ],
    [
        "reservation/UnusedAmortizedUpfrontFeeForBillingPeriod",
        "reservation_unused_amortized_upfront_fee_for_billing_period",
        "reservation_unusedamortizedupfrontfeeforbillingperiod",
    ],
    [
        "reservation/UnusedRecurringFee",
        "reservation_unused_recurring_fee",
        "reservation_unusedrecurringfee",
    ],
    [
        "reservation/AmortizedUpfrontFeeForBillingPeriod",
        "reservation_amortized_upfront_fee_for_billing_period",
        "reservation_amortizedupfrontfeeforbillingperiod",
    ],
    [
        "savingsPlan/SavingsPlanARN",
        "savings_plan_savings_plan_a_r_n",
        "savingsplan_savingsplanarn",
    ],
    [
        "savingsPlan/OfferingType",
        "savings_plan_offering_type",
        "savingsplan_offeringtype",
    ],
    [
        "savingsPlan/SavingsPlanEffectiveCost",
        "savings_plan_savings_plan_effective_cost",
        "savingsplan_savingsplaneffectivecost",
    ],
    [
        "savingsPlan/TotalCommitmentToDate",
        "savings_plan_total_commitment_to_date",
        "savingsplan_totalcommitmenttodate",
    ],
    [
        "savingsPlan/UsedCommitment",
        "savings_plan_used_commitment",
        "savingsplan_usedcommitment",
    ],
    [
        "savingsPlan/AmortizedUpfrontCommitmentForBillingPeriod",
        "savings_plan_amortized_upfront_commitment_for_billing_period",
        "savingsplan_amortizedupfrontcommitmentforbillingperiod",
    ],
    [
        "resourceTags/user:env",
        "resource_tags_user_env",
        "resourcetags_user_env",
    ],
    [
        "resourceTags/user:team",
        "resource_tags_user_team",
        "resourcetags_user_team",
    ],
];

const RI: &str = "arn:aws:ec2:us-east-1:111122223333:reserved-instances/0a1b";
const SP: &str = "arn:aws:savingsplans::111122223333:savingsplan/9f8e";

/// April 2024, 720 hours, with a reservation and a savings plan bought on its first day.
///
/// The reservation: $432 upfront, $36 of it in April, and $0.10 an hour, $72. An hour is
/// $36 / 720 + $0.10 = $0.15; 600 are used, $90, and 120 are not: $6 upfront and $12 recurring.
/// The savings plan: $0.50 an hour, $360, half of it paid upfront: $2,190 for the year. Usage of
/// $430 on demand uses $310 of it.
const APRIL: &[&[(&str, &str)]] = &[
    &[
        ("lineItem/LineItemType", "Fee"),
        ("lineItem/ProductCode", "AmazonEC2"),
        ("lineItem/UsageAmount", "1"),
        ("lineItem/UnblendedCost", "432.00"),
        ("pricing/unit", "Quantity"),
        ("reservation/ReservationARN", RI),
    ],
    &[
        ("lineItem/LineItemType", "RIFee"),
        ("lineItem/ProductCode", "AmazonEC2"),
        ("lineItem/UsageAmount", "720"),
        ("lineItem/UnblendedCost", "72.0000000000"),
        ("pricing/unit", "Hrs"),
        ("reservation/ReservationARN", RI),
        ("reservation/UnusedAmortizedUpfrontFeeForBillingPeriod", "6"),
        ("reservation/UnusedRecurringFee", "12.00"),
        ("reservation/AmortizedUpfrontFeeForBillingPeriod", "36"),
    ],
    &[
        ("lineItem/LineItemType", "DiscountedUsage"),
        ("lineItem/ProductCode", "AmazonEC2"),
        ("lineItem/UsageType", "BoxUsage:m5.xlarge"),
        ("lineItem/ResourceId", "i-0001"),
        ("lineItem/UsageAmount", "600"),
        ("lineItem/UnblendedRate", "0"),
        ("lineItem/UnblendedCost", "0"),
        ("pricing/publicOnDemandCost", "115.2"),
        ("pricing/publicOnDemandRate", "0.192"),
        ("pricing/term", "Reserved"),
        ("pricing/unit", "Hrs"),
        ("reservation/ReservationARN", RI),
        ("reservation/EffectiveCost", "90.0000000000"),
        ("resourceTags/user:team", "search"),
        ("resourceTags/user:env", "prod \"blue\""),
    ],
    &[
        ("lineItem/LineItemType", "SavingsPlanUpfrontFee"),
        ("lineItem/ProductCode", "ComputeSavingsPlans"),
        ("lineItem/UsageAmount", "1"),
        ("lineItem/UnblendedCost", "2190"),
        ("pricing/unit", "Quantity"),
        ("savingsPlan/SavingsPlanARN", SP),
        ("savingsPlan/OfferingType", "ComputeSavingsPlans"),
    ],
    &[
        ("lineItem/LineItemType", "SavingsPlanRecurringFee"),
        ("lineItem/ProductCode", "ComputeSavingsPlans"),
        ("lineItem/UsageAmount", "720"),
        ("lineItem/UnblendedCost", "180"),
        ("pricing/unit", "Hrs"),
        ("savingsPlan/SavingsPlanARN", SP),
        ("savingsPlan/OfferingType", "ComputeSavingsPlans"),
        ("savingsPlan/TotalCommitmentToDate", "360"),
        ("savingsPlan/UsedCommitment", "310"),
        (
            "savingsPlan/AmortizedUpfrontCommitmentForBillingPeriod",
            "180",
        ),
    ],
    &[
        ("lineItem/LineItemType", "SavingsPlanCoveredUsage"),
        ("lineItem/ProductCode", "AWSLambda"),
        ("lineItem/UsageType", "Lambda-GB-Second"),
        ("lineItem/UsageAmount", "4300"),
        ("lineItem/UnblendedRate", "0.1"),
        ("lineItem/UnblendedCost", "430"),
        ("pricing/publicOnDemandCost", "430"),
        ("pricing/term", "OnDemand"),
        ("pricing/unit", "Lambda-GB-Second"),
        ("savingsPlan/SavingsPlanARN", SP),
        ("savingsPlan/OfferingType", "ComputeSavingsPlans"),
        ("savingsPlan/SavingsPlanEffectiveCost", "310"),
    ],
    &[
        ("lineItem/LineItemType", "SavingsPlanNegation"),
        ("lineItem/ProductCode", "AWSLambda"),
        ("lineItem/UsageType", "Lambda-GB-Second"),
        ("lineItem/UsageAmount", "4300"),
        ("lineItem/UnblendedRate", "-0.1"),
        ("lineItem/UnblendedCost", "-430"),
        ("savingsPlan/SavingsPlanARN", SP),
        ("savingsPlan/OfferingType", "ComputeSavingsPlans"),
    ],
    &[
        ("lineItem/LineItemType", "Usage"),
        ("lineItem/ProductCode", "AmazonS3"),
        ("lineItem/UsageType", "TimedStorage-ByteHrs"),
        ("lineItem/ResourceId", "reports"),
        ("lineItem/UsageAmount", "617"),
        ("lineItem/UnblendedRate", "0.02"),
        ("lineItem/UnblendedCost", "12.34"),
        ("product/ProductName", "Amazon Simple Storage Service"),
        ("product/regionCode", "us-east-1"),
        ("product/sku", "WP9ANXZGBYYSGJEA"),
        ("pricing/publicOnDemandCost", "14.191"),
        ("pricing/publicOnDemandRate", "0.023"),
        ("pricing/term", "OnDemand"),
        ("pricing/unit", "GB-Mo"),
        (
            "lineItem/LineItemDescription",
            "first line,\nsecond \"line\"",
        ),
    ],
    &[
        ("lineItem/LineItemType", "Tax"),
        ("lineItem/ProductCode", "AmazonS3"),
        ("lineItem/UsageAmount", "1"),
        ("lineItem/UnblendedCost", "19"),
    ],
    &[
        ("lineItem/LineItemType", "Credit"),
        ("lineItem/ProductCode", "AmazonS3"),
        ("lineItem/UnblendedCost", "-5"),
    ],
    &[
        ("lineItem/LineItemType", "EdpDiscount"),
        ("lineItem/ProductCode", "AmazonS3"),
        ("lineItem/UnblendedCost", "-3.1"),
    ],
    &[
        ("bill/BillType", "Refund"),
        ("lineItem/LineItemType", "Refund"),
        ("lineItem/ProductCode", "AmazonS3"),
        ("lineItem/UsageType", "TimedStorage-ByteHrs"),
        ("lineItem/UnblendedCost", "-2"),
    ],
];

/// What every row of April states.
const COMMON: &[(&str, &str)] = &[
    ("identity/LineItemId", "abc"),
    (
        "identity/TimeInterval",
        "2024-04-01T00:00:00Z/2024-05-01T00:00:00Z",
    ),
    ("bill/InvoiceId", "2001"),
    ("bill/InvoicingEntity", "Amazon Web Services, Inc."),
    ("bill/PayerAccountId", "111122223333"),
    ("bill/BillingPeriodStartDate", "2024-04-01T00:00:00Z"),
    ("bill/BillingPeriodEndDate", "2024-05-01T00:00:00Z"),
    ("lineItem/UsageAccountId", "444455556666"),
    ("lineItem/UsageStartDate", "2024-04-01T00:00:00Z"),
    ("lineItem/UsageEndDate", "2024-04-30T23:59:59Z"),
    ("lineItem/CurrencyCode", "USD"),
    ("lineItem/BlendedCost", "0.0000000001"),
];

/// April under one of the three headers.
fn april(spelling: usize) -> String {
    let header: Vec<&str> = COLUMNS.iter().map(|names| names[spelling]).collect();
    let spelled = |legacy: &str| {
        let names = COLUMNS.iter().find(|names| names[0] == legacy);
        names.unwrap_or_else(|| panic!("{legacy}"))[spelling]
    };
    let rows: Vec<Vec<(&str, &str)>> = APRIL
        .iter()
        .map(|row| {
            let all = row.iter().chain(COMMON);
            all.map(|(name, value)| (spelled(name), *value)).collect()
        })
        .collect();
    let rows: Vec<&[(&str, &str)]> = rows.iter().map(Vec::as_slice).collect();
    csv_of(&header, &rows)
}

/// The row of April of this type.
fn of_type(item: &str) -> CostRecord<'static> {
    let records = Bill::good(&april(0));
    let found = |r: &CostRecord<'_>| r.extra("lineItem/LineItemType") == Some(item);
    records.into_iter().find(found).unwrap()
}

#[test]
fn adds_up_to_the_sums_of_the_file() {
    for (spelling, names) in ["legacy", "snake", "athena"].iter().enumerate() {
        let text = april(spelling);
        let bill = Bill::read(&text);
        assert_eq!(bill.format, Some(Format::AwsCur), "{names}");
        assert_eq!(
            (bill.rejected.len(), bill.problems.len()),
            (0, 0),
            "{names}"
        );
        assert_eq!(bill.records.len(), APRIL.len());
        let column = |legacy: &str| {
            let names = COLUMNS.iter().find(|names| names[0] == legacy).unwrap();
            column_sum(&text, names[spelling])
        };
        let records = &bill.records;
        assert_eq!(
            sum(records, |r| r.billed_cost),
            column("lineItem/UnblendedCost")
        );
        assert_eq!(
            sum(records, |r| r.list_cost),
            column("pricing/publicOnDemandCost")
        );
    }
}

#[test]
fn spreads_commitments_over_their_use() {
    let records = Bill::good(&april(0));
    // 108 of the reservation, 360 of the savings plan, 12.34 + 19 - 5 - 3.1 - 2 of the rest.
    assert_eq!(sum(&records, |r| r.effective_cost), "489.24");
    // 432 + 72 + 2190 + 430 + 180 - 430 + 12.34 + 19 - 5 - 3.1 - 2.
    assert_eq!(sum(&records, |r| r.billed_cost), "2895.24");
    let of = |id: &str| -> Vec<_> {
        let same = |r: &&CostRecord<'_>| r.text(Column::CommitmentDiscountId) == Some(id);
        records.iter().filter(same).cloned().collect()
    };
    assert_eq!(sum(&of(RI), |r| r.effective_cost), "108");
    assert_eq!(sum(&of(SP), |r| r.effective_cost), "360");
    // The CUR Query Library's reconciliation: the unblended cost without negations is the
    // amortized cost, the true-up and the upfront fees.
    let unblended = 2895.24 + 430.0_f64;
    let true_up = -180.0 - 36.0 + 430.0;
    let upfront = 2190.0 + 432.0;
    assert!((unblended - (489.24 + true_up + upfront)).abs() < 1e-9);
}

#[test]
fn shows_what_nothing_used_of_a_commitment() {
    let records = Bill::good(&april(0));
    let with = |status| with_status(&records, status);
    // 6 + 12 of the reservation and 360 - 310 of the savings plan.
    assert_eq!(
        sum(&with(CommitmentStatus::Unused), |r| r.effective_cost),
        "68"
    );
    assert_eq!(
        sum(&with(CommitmentStatus::Used), |r| r.effective_cost),
        "400"
    );
}

#[test]
fn breaks_no_rule_of_focus_but_those_that_need_other_rows() {
    // A fee is a purchase and an unused part in one row; covered usage is billed, and taken off
    // again by a row that has no quantity of its own.
    assert_eq!(
        broken_rules(&Bill::good(&april(0))),
        [
            (Rule::PrepaidPurchase, 2),
            (Rule::CoveredIsNotBilled, 2),
            (Rule::QuantityIsStated, 1),
        ]
    );
}

#[test]
fn takes_covered_usage_off_the_bill_within_its_category() {
    let records = Bill::good(&april(0));
    let lambda: Vec<_> = records
        .into_iter()
        .filter(|r| r.text(Column::ServiceName) == Some("AWSLambda"))
        .collect();
    assert_eq!(lambda.len(), 2);
    assert!(
        lambda
            .iter()
            .all(|r| r.charge_category == Some(ChargeCategory::Usage))
    );
    assert_eq!(sum(&lambda, |r| r.billed_cost), "0");
    assert_eq!(sum(&lambda, |r| r.effective_cost), "310");
    let status = |r: &CostRecord<'_>| r.commitment_status() == Some(CommitmentStatus::Used);
    assert!(lambda.iter().all(status));
    // The usage counts once.
    assert_eq!(sum(&lambda, |r| r.consumed_quantity), "4300");
    assert_eq!(sum(&lambda, |r| r.pricing_quantity), "4300");
    assert_eq!(sum(&lambda, |r| r.contracted_cost), "430");
}

#[test]
fn gives_equal_records_under_the_three_headers() {
    let letters = |name: &str| -> String {
        let letters = name.chars().filter(char::is_ascii_alphabetic);
        letters.collect::<String>().to_lowercase()
    };
    // The names of the columns that FOCUS does not know differ with the header.
    let essence = |spelling| -> Vec<_> {
        let records = Bill::good(&april(spelling));
        let essence = records.into_iter().map(|r| {
            let extras: Vec<_> = r
                .extras()
                .map(|(name, value)| (letters(name), value.to_owned()))
                .collect();
            let columns: Vec<_> = r.columns().map(|(c, v)| (c, v.to_owned())).collect();
            let typed = [
                r.billed_cost,
                r.effective_cost,
                r.list_cost,
                r.contracted_cost,
                r.list_unit_price,
                r.contracted_unit_price,
                r.pricing_quantity,
                r.consumed_quantity,
            ];
            let rest = (r.charge_category, r.charge_period, r.billing_period);
            (typed, rest, columns, extras)
        });
        essence.collect()
    };
    let legacy = essence(0);
    assert_eq!(legacy, essence(1));
    assert_eq!(legacy, essence(2));
}

#[test]
fn maps_every_column_of_a_usage_row() {
    let s3 = of_type("Usage");
    for (column, value) in [
        (Column::BillingAccountId, "111122223333"),
        (Column::SubAccountId, "444455556666"),
        (Column::ServiceName, "Amazon Simple Storage Service"),
        (Column::ServiceCategory, "Storage"),
        (Column::SkuMeter, "TimedStorage-ByteHrs"),
        (Column::SkuId, "WP9ANXZGBYYSGJEA"),
        (Column::RegionId, "us-east-1"),
        (Column::ResourceId, "reports"),
        (Column::PricingUnit, "GB-Mo"),
        (Column::ConsumedUnit, "GB-Mo"),
        (Column::PricingCategory, "Standard"),
        (Column::ChargeFrequency, "Usage-Based"),
        (Column::InvoiceId, "2001"),
        (Column::InvoiceIssuerName, "Amazon Web Services, Inc."),
        (Column::ProviderName, "AWS"),
        (Column::ChargeDescription, "first line,\nsecond \"line\""),
    ] {
        assert_eq!(s3.text(column), Some(value), "{column}");
    }
    assert_eq!(s3.billing_currency, Currency::USD);
    assert_eq!(s3.contracted_unit_price, exact("0.02"));
    assert_eq!(s3.contracted_cost, exact("12.34"));
    assert_eq!(s3.list_unit_price, exact("0.023"));
    assert_eq!(s3.cost_group(), CostGroup::Storage);
    assert_eq!(s3.text(Column::CommitmentDiscountId), None);
    // Ends are exclusive.
    let end = Some("2024-05-01T00:00:00Z".parse().unwrap());
    assert_eq!((s3.charge_period.end, s3.billing_period.end), (end, end));
    // What FOCUS does not know stays, what it does is not there twice.
    assert_eq!(s3.extra("lineItem/BlendedCost"), Some("0.0000000001"));
    assert_eq!(s3.extra("lineItem/UnblendedCost"), None);
}

#[test]
fn puts_each_type_of_line_item_in_a_category() {
    use ChargeCategory::{Adjustment, Credit, Purchase, Tax, Usage};
    for (item, category, class) in [
        ("Fee", Purchase, None),
        ("RIFee", Purchase, None),
        ("DiscountedUsage", Usage, None),
        ("SavingsPlanUpfrontFee", Purchase, None),
        ("SavingsPlanRecurringFee", Purchase, None),
        ("SavingsPlanCoveredUsage", Usage, None),
        ("SavingsPlanNegation", Usage, None),
        ("Usage", Usage, None),
        ("Tax", Tax, None),
        ("Credit", Credit, None),
        ("EdpDiscount", Adjustment, None),
        ("Refund", Usage, Some("Correction")),
    ] {
        let record = of_type(item);
        assert_eq!(record.charge_category, Some(category), "{item}");
        assert_eq!(record.text(Column::ChargeClass), class, "{item}");
    }
    assert_eq!(of_type("Tax").pricing_quantity, None);
    assert_eq!(of_type("Credit").contracted_cost, exact("-5"));
}

#[test]
fn keeps_commitments_apart_from_capacity() {
    let ri = of_type("DiscountedUsage");
    assert_eq!(ri.text(Column::CommitmentDiscountCategory), Some("Usage"));
    assert_eq!(
        ri.text(Column::CommitmentDiscountType),
        Some("Reserved Instance")
    );
    assert_eq!(ri.text(Column::PricingCategory), Some("Committed"));
    // A rate of 0 is that of the reservation, not the one agreed on before it.
    assert_eq!((ri.contracted_unit_price, ri.contracted_cost), (None, None));
    let sp = of_type("SavingsPlanCoveredUsage");
    assert_eq!(sp.text(Column::CommitmentDiscountCategory), Some("Spend"));
    assert_eq!(
        sp.text(Column::CommitmentDiscountType),
        Some("ComputeSavingsPlans")
    );

    let capacity = "arn:aws:ec2:us-east-1:111122223333:capacity-reservation/cr-1";
    let text = csv_of(
        &[
            "lineItem/LineItemType",
            "lineItem/UnblendedCost",
            "reservation/ReservationARN",
        ],
        &[&[
            ("lineItem/LineItemType", "Usage"),
            ("lineItem/UnblendedCost", "1"),
            ("reservation/ReservationARN", capacity),
        ]],
    );
    let [held] = Bill::good(&text).try_into().unwrap();
    assert_eq!(held.text(Column::CapacityReservationId), Some(capacity));
    assert_eq!(held.text(Column::CommitmentDiscountId), None);
    assert_eq!(held.effective_cost, exact("1"));
}

#[test]
fn leaves_unknown_what_the_file_does_not_state() {
    let text = "lineItem/LineItemType,lineItem/UnblendedCost\n\
                DiscountedUsage,0\nRIFee,5\nSavingsPlanCoveredUsage,7\n\
                SavingsPlanRecurringFee,2\nSomethingNew,3\nUsage,\n,4\n";
    let records = Bill::good(text);
    assert!(records.iter().all(|r| r.effective_cost.is_none()));
    assert!(
        records
            .iter()
            .all(|r| r.list_cost.is_none() && r.contracted_cost.is_none())
    );
    assert_eq!(records[4].charge_category, None);
    assert_eq!(records[5].billed_cost, None);
    assert_eq!(sum(&records, |r| r.billed_cost), "21");
    // Half of a sum is not the sum.
    let text = "lineItem/LineItemType,lineItem/UnblendedCost,reservation/UnusedRecurringFee\n\
                RIFee,5,1\n";
    assert_eq!(Bill::good(text)[0].effective_cost, None);
    assert_eq!(Bill::good(text)[0].billing_currency, Currency::XXX);
}

#[test]
fn never_adds_a_fee_to_the_effective_cost_of_covered_usage() {
    let text = "lineItem/LineItemType,lineItem/UnblendedCost,\
                savingsPlan/SavingsPlanEffectiveCost,savingsPlan/RecurringCommitmentForBillingPeriod,\
                savingsPlan/AmortizedUpfrontCommitmentForBillingPeriod,\
                reservation/EffectiveCost,reservation/RecurringFeeForUsage,\
                reservation/AmortizedUpfrontCostForUsage\n\
                SavingsPlanCoveredUsage,10,6,100,200,,,\n\
                DiscountedUsage,0,,,,4,3,1\n";
    let effective: Vec<_> = Bill::good(text).iter().map(|r| r.effective_cost).collect();
    assert_eq!(effective, [exact("6"), exact("4")]);
}

#[test]
fn reads_the_maps_of_cur_2() {
    let header = [
        "line_item_line_item_type",
        "line_item_usage_start_date",
        "line_item_usage_end_date",
        "line_item_product_code",
        "line_item_usage_type",
        "line_item_unblended_cost",
        "product",
        "resource_tags",
    ];
    let row = |product: &'static str, tags: &'static str| {
        vec![
            ("line_item_line_item_type", "Usage"),
            ("line_item_usage_start_date", "2024-04-01 00:00:00.000"),
            ("line_item_usage_end_date", "2024-04-01 01:00:00.000"),
            ("line_item_product_code", "AmazonEC2"),
            ("line_item_usage_type", "USE1-SpotUsage:m5.large"),
            ("line_item_unblended_cost", "0.034"),
            ("product", product),
            ("resource_tags", tags),
        ]
    };
    let full = row(
        r#"{"group":"x","product_name":"Amazon Elastic Compute Cloud"}"#,
        r#"{"user_team":"search","user_env":"a \"b\"","aws_created_by":"me"}"#,
    );
    let empty = row("{}", "{team=search}");
    let records = Bill::good(&csv_of(&header, &[&full, &empty]));
    let spot = &records[0];
    assert_eq!(
        spot.text(Column::ServiceName),
        Some("Amazon Elastic Compute Cloud")
    );
    assert_eq!(spot.text(Column::PricingCategory), Some("Dynamic"));
    assert_eq!(spot.tag("team").as_deref(), Some("search"));
    assert_eq!(spot.tag("env").as_deref(), Some("a \"b\""));
    assert_eq!(spot.tag("aws:created_by").as_deref(), Some("me"));
    assert_eq!(
        spot.charge_period.end,
        Some("2024-04-01T01:00:00Z".parse().unwrap())
    );
    // Without a name the code stands for the service; a map in another form stays as it is.
    assert_eq!(records[1].text(Column::ServiceName), Some("AmazonEC2"));
    assert_eq!(records[1].text(Column::Tags), Some("{team=search}"));
}

#[test]
fn gathers_tag_columns_into_one() {
    let tagged = of_type("DiscountedUsage");
    let json = r#"{"env":"prod \"blue\"","team":"search"}"#;
    assert_eq!(tagged.text(Column::Tags), Some(json));
    assert_eq!(tagged.tag("env").as_deref(), Some("prod \"blue\""));
    assert_eq!(tagged.extra("resourceTags/user:env"), None);
    assert_eq!(of_type("Usage").text(Column::Tags), None);
    assert!(!format!("{tagged:?}").contains("search"));
}

#[test]
fn falls_back_to_the_time_interval() {
    let text = "identity/TimeInterval,lineItem/LineItemType,lineItem/UnblendedCost\n\
                2024-04-01T00:00:00Z/2024-04-01T01:00:00Z,Usage,1\n";
    let period = Bill::good(text)[0].charge_period;
    assert_eq!(period.start, Some("2024-04-01T00:00:00Z".parse().unwrap()));
    assert_eq!(period.end, Some("2024-04-01T01:00:00Z".parse().unwrap()));
    let bad = text.replace("Z/2024", "Z-2024");
    let (line, column, ..) = Bill::rejection(&bad);
    assert_eq!((line, column.as_str()), (2, "identity/TimeInterval"));
}

#[test]
fn reports_what_the_header_lacks_in_its_own_spelling() {
    let lacking =
        Bill::lacking("line_item_unblended_cost,line_item_usage_start_date\n1,2024-01-01\n");
    assert_eq!(
        lacking,
        [
            "line_item_currency_code",
            "line_item_line_item_type",
            "line_item_product_code",
            "line_item_usage_end_date",
            "bill_payer_account_id",
            "bill_billing_period_start_date",
            "bill_billing_period_end_date",
            "pricing_public_on_demand_cost",
        ]
    );
    let lacking = Bill::lacking("lineItem/LineItemType,identity/TimeInterval\nUsage,\n");
    assert!(lacking.contains(&"lineItem/UnblendedCost".to_owned()));
    assert!(!lacking.contains(&"lineItem/UsageStartDate".to_owned()));

    let mut options = ReadOptions::default();
    options.currency = Some(Currency::EUR);
    let bill = Bill::read_with("lineitem_unblendedcost\n1\n", &options);
    assert_eq!(bill.records[0].billing_currency, Currency::EUR);
    assert!(
        bill.problems
            .iter()
            .all(|p| p.column != "lineitem_currencycode")
    );
    assert!(
        bill.problems
            .iter()
            .any(|p| p.column == "lineitem_lineitemtype")
    );
}

#[test]
fn reports_bad_cells_and_short_rows_and_keeps_the_others() {
    let header = "lineItem/LineItemType,lineItem/UsageStartDate,lineItem/UnblendedCost,\
                  savingsPlan/UsedCommitment,lineItem/CurrencyCode\n";
    for (row, column, value) in [
        (
            "Usage,2024-04-01,1.2.3,,USD",
            "lineItem/UnblendedCost",
            "1.2.3",
        ),
        (
            "Usage,2024-13-01,1,,USD",
            "lineItem/UsageStartDate",
            "2024-13-01",
        ),
        (
            "Usage,2024-04-01,1,many,USD",
            "savingsPlan/UsedCommitment",
            "many",
        ),
        (
            "Usage,2024-04-01,1,,DOLLARS",
            "lineItem/CurrencyCode",
            "DOLLARS",
        ),
        ("Usage,2024-04-01,1", "savingsPlan/UsedCommitment", "1"),
    ] {
        let good = "Usage,2024-04-01,1,,USD";
        let text = format!("{header}{good}\r\n\r\n{row}\r\n{good}\r\n");
        let bill = Bill::read(&text);
        assert_eq!(bill.records.len(), 2, "{row}");
        let [rejected] = bill.rejected.as_slice() else {
            panic!("{row}: {:?}", bill.rejected);
        };
        assert_eq!(
            (
                rejected.line,
                rejected.column.as_str(),
                rejected.value.as_str()
            ),
            (4, column, value)
        );
    }
}

proptest! {
    #[test]
    fn keeps_or_reports_every_row_of_any_cells(
        rows in prop::collection::vec(prop::collection::vec("[^\u{0}]{0,12}", COLUMNS.len()), 1..6),
        spelling in 0usize..3,
    ) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(COLUMNS.iter().map(|names| names[spelling])).unwrap();
        for row in &rows {
            writer.write_record(row).unwrap();
        }
        let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        let bill = Bill::read(&text);
        prop_assert_eq!(bill.records.len() + bill.rejected.len(), rows.len());
    }

    #[test]
    fn keeps_the_sum_of_any_costs(costs in prop::collection::vec((any::<i64>(), 0u32..28), 0..40)) {
        let types = ["Usage", "RIFee", "Tax", "SavingsPlanNegation", "New", "Credit"];
        let mut text = String::from("lineItem/LineItemType,lineItem/UnblendedCost\n");
        for (at, (mantissa, scale)) in costs.iter().enumerate() {
            let cost = bursar_cost_model::Exact::new(i128::from(*mantissa), *scale).unwrap();
            text.push_str(&format!("{},{cost}\n", types[at % types.len()]));
        }
        let records = Bill::good(&text);
        prop_assert_eq!(
            sum(&records, |r| r.billed_cost),
            column_sum(&text, "lineItem/UnblendedCost")
        );
    }
}
