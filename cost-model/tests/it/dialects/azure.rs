//! Azure usage files: Enterprise Agreement, Microsoft Customer Agreement, actual and amortized.

use bursar_cost_model::{
    AzureCost, ChargeCategory, Column, CommitmentStatus, CostGroup, CostRecord, Format, ReadOptions,
};
use bursar_units::Currency;
use proptest::prelude::*;

use super::{Bill, Cells, broken_rules, column_sum, csv_of, exact, sum, with_own, with_status};

/// The 55 columns of the Enterprise Agreement.
const EA: &[&str] = &[
    "InvoiceSectionName",
    "AccountName",
    "AccountOwnerId",
    "SubscriptionId",
    "SubscriptionName",
    "ResourceGroup",
    "ResourceLocation",
    "Date",
    "ProductName",
    "MeterCategory",
    "MeterSubCategory",
    "MeterId",
    "MeterName",
    "MeterRegion",
    "UnitOfMeasure",
    "Quantity",
    "EffectivePrice",
    "CostInBillingCurrency",
    "CostCenter",
    "ConsumedService",
    "ResourceId",
    "Tags",
    "OfferId",
    "AdditionalInfo",
    "ServiceInfo1",
    "ServiceInfo2",
    "ResourceName",
    "ReservationId",
    "ReservationName",
    "UnitPrice",
    "ProductOrderId",
    "ProductOrderName",
    "Term",
    "PublisherType",
    "PublisherName",
    "ChargeType",
    "Frequency",
    "PricingModel",
    "AvailabilityZone",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrencyCode",
    "BillingPeriodStartDate",
    "BillingPeriodEndDate",
    "BillingProfileId",
    "BillingProfileName",
    "InvoiceSectionId",
    "IsAzureCreditEligible",
    "PartNumber",
    "PayGPrice",
    "PlanName",
    "ServiceFamily",
    "CostAllocationRuleName",
    "benefitId",
    "benefitName",
];

/// The columns of the Microsoft Customer Agreement that are read, in its mixed case.
const MCA: &[&str] = &[
    "invoiceId",
    "previousInvoiceId",
    "billingAccountId",
    "billingAccountName",
    "billingPeriodEndDate",
    "billingPeriodStartDate",
    "servicePeriodEndDate",
    "servicePeriodStartDate",
    "date",
    "serviceFamily",
    "consumedService",
    "meterId",
    "meterName",
    "meterCategory",
    "meterSubCategory",
    "ProductId",
    "ProductName",
    "SubscriptionId",
    "subscriptionName",
    "publisherName",
    "ResourceId",
    "resourceLocation",
    "location",
    "effectivePrice",
    "quantity",
    "unitOfMeasure",
    "chargeType",
    "billingCurrency",
    "pricingCurrency",
    "costInBillingCurrency",
    "costInPricingCurrency",
    "costInUsd",
    "paygCostInBillingCurrency",
    "tags",
    "PayGPrice",
    "frequency",
    "reservationId",
    "reservationName",
    "pricingModel",
    "unitPrice",
    "benefitId",
    "benefitName",
];

/// A row of the Enterprise Agreement with some cells of its own.
fn ea<'a>(own: &[(&'a str, &'a str)]) -> Cells<'a> {
    let common = [
        ("SubscriptionId", "sub-1"),
        ("SubscriptionName", "Production"),
        ("ResourceLocation", "EastUS"),
        ("Date", "9/2/2023"),
        (
            "ProductName",
            "Virtual Machines Dv3 Series - D2 v3 - US East",
        ),
        ("MeterCategory", "Virtual Machines"),
        ("MeterSubCategory", "Dv3 Series"),
        ("MeterId", "meter-1"),
        ("MeterName", "D2 v3"),
        ("UnitOfMeasure", "1 Hour"),
        ("Quantity", "24"),
        ("EffectivePrice", "0.08"),
        ("CostInBillingCurrency", "1.92"),
        ("ResourceId", "/subscriptions/sub-1/vm1"),
        ("ResourceName", "vm1"),
        ("UnitPrice", "0.09"),
        ("PublisherName", "Microsoft"),
        ("ChargeType", "Usage"),
        ("Frequency", "UsageBased"),
        ("PricingModel", "OnDemand"),
        ("BillingAccountId", "8611537"),
        ("BillingCurrencyCode", "GBP"),
        ("BillingPeriodStartDate", "9/1/2023"),
        ("BillingPeriodEndDate", "9/30/2023"),
        ("PayGPrice", "0.1"),
        ("ServiceFamily", "Compute"),
    ];
    with_own(&common, own)
}

fn file(rows: &[Cells<'_>]) -> String {
    let rows: Vec<&[(&str, &str)]> = rows.iter().map(Vec::as_slice).collect();
    csv_of(EA, &rows)
}

fn told(cost: AzureCost) -> ReadOptions {
    let mut options = ReadOptions::default();
    options.azure_cost = Some(cost);
    options
}

/// September as it is invoiced: a reservation and a savings plan are bought.
fn actual() -> String {
    let reservation = ("ReservationId", "ri-1");
    file(&[
        ea(&[]),
        ea(&[
            ("ChargeType", "Purchase"),
            ("PricingModel", "Reservation"),
            ("Frequency", "OneTime"),
            ("CostInBillingCurrency", "1200"),
            reservation,
        ]),
        ea(&[
            ("PricingModel", "Reservation"),
            ("CostInBillingCurrency", "0"),
            ("EffectivePrice", "0"),
            reservation,
        ]),
        ea(&[
            ("ChargeType", "Purchase"),
            ("PricingModel", "SavingsPlan"),
            ("Frequency", "Recurring"),
            ("CostInBillingCurrency", "300"),
            ("benefitId", "sp-1"),
        ]),
        ea(&[
            ("PricingModel", "SavingsPlan"),
            ("CostInBillingCurrency", "0"),
            ("benefitId", "sp-1"),
        ]),
        ea(&[
            ("ChargeType", "Refund"),
            ("PricingModel", "Reservation"),
            ("CostInBillingCurrency", "-50.5"),
            reservation,
        ]),
        ea(&[
            ("ChargeType", "RoundingAdjustment"),
            ("CostInBillingCurrency", "-0.0000000000000000000000000001"),
        ]),
        ea(&[("ChargeType", "Tax"), ("CostInBillingCurrency", "7.77")]),
    ])
}

/// September as it is consumed: $100 of the reservation, $300 of the savings plan.
fn amortized() -> String {
    let reservation = ("ReservationId", "ri-1");
    file(&[
        ea(&[]),
        ea(&[
            ("PricingModel", "Reservation"),
            ("CostInBillingCurrency", "79.9999999999999999999999999999"),
            reservation,
        ]),
        ea(&[
            ("ChargeType", "UnusedReservation"),
            ("PricingModel", "Reservation"),
            ("CostInBillingCurrency", "20.0000000000000000000000000001"),
            ("ResourceId", ""),
            reservation,
        ]),
        ea(&[
            ("PricingModel", "SavingsPlan"),
            ("CostInBillingCurrency", "260"),
            ("benefitId", "sp-1"),
        ]),
        ea(&[
            ("ChargeType", "UnusedSavingsPlan"),
            ("PricingModel", "SavingsPlan"),
            ("CostInBillingCurrency", "40"),
            ("ResourceId", ""),
            ("benefitId", "sp-1"),
        ]),
        ea(&[("ChargeType", "Tax"), ("CostInBillingCurrency", "7.77")]),
    ])
}

#[test]
fn maps_every_column_of_a_day() {
    let text = file(&[ea(&[("Tags", r#""env": "prod","team": "x \"y\"""#)])]);
    let bill = Bill::read(&text);
    assert_eq!(bill.format, Some(Format::Azure));
    assert_eq!((bill.rejected.len(), bill.problems.len()), (0, 0));
    let day = &bill.records[0];
    for (column, value) in [
        (Column::BillingAccountId, "8611537"),
        (Column::SubAccountId, "sub-1"),
        (Column::SubAccountName, "Production"),
        (Column::ServiceName, "Virtual Machines"),
        (Column::ServiceCategory, "Compute"),
        (Column::SkuId, "meter-1"),
        (Column::SkuMeter, "D2 v3"),
        (Column::RegionId, "EastUS"),
        (Column::ResourceId, "/subscriptions/sub-1/vm1"),
        (Column::ResourceName, "vm1"),
        (Column::PricingUnit, "1 Hour"),
        (Column::ConsumedUnit, "1 Hour"),
        (Column::PricingCategory, "Standard"),
        (Column::ChargeFrequency, "Usage-Based"),
        (Column::ProviderName, "Microsoft"),
        (Column::Tags, r#"{"env": "prod","team": "x \"y\""}"#),
    ] {
        assert_eq!(day.text(column), Some(value), "{column}");
    }
    assert_eq!(day.tag("team").as_deref(), Some("x \"y\""));
    assert_eq!(day.billing_currency, Currency::GBP);
    assert_eq!(day.charge_category, Some(ChargeCategory::Usage));
    assert_eq!(day.cost_group(), CostGroup::Compute);
    assert_eq!(
        (day.billed_cost, day.effective_cost),
        (exact("1.92"), exact("1.92"))
    );
    assert_eq!(
        (day.list_unit_price, day.list_cost),
        (exact("0.1"), exact("2.4"))
    );
    assert_eq!(
        (day.contracted_unit_price, day.contracted_cost),
        (exact("0.09"), exact("2.16"))
    );
    assert_eq!(day.extra("ChargeType"), Some("Usage"));
    assert_eq!(day.extra("EffectivePrice"), Some("0.08"));
    assert_eq!(day.extra("CostInBillingCurrency"), Some("1.92"));
}

#[test]
fn reads_the_month_first_and_ends_after_the_last_day() {
    let day = &Bill::good(&file(&[ea(&[])]))[0];
    let time = |text: &str| Some(text.parse().unwrap());
    assert_eq!(day.charge_period.start, time("2023-09-02T00:00:00Z"));
    assert_eq!(day.charge_period.end, time("2023-09-03T00:00:00Z"));
    assert_eq!(day.billing_period.start, time("2023-09-01T00:00:00Z"));
    assert_eq!(day.billing_period.end, time("2023-10-01T00:00:00Z"));
}

#[test]
fn adds_an_actual_file_up_to_the_billed_cost() {
    let text = actual();
    let own = column_sum(&text, "CostInBillingCurrency");
    for options in [ReadOptions::default(), told(AzureCost::Actual)] {
        let records = Bill::read_with(&text, &options).records;
        assert_eq!(records.len(), 8);
        assert_eq!(sum(&records, |r| r.billed_cost), own);
        // Without what the commitments cost in use, which the file does not know.
        let unknown: Vec<_> = records.iter().map(|r| r.effective_cost.is_none()).collect();
        assert_eq!(
            unknown,
            [false, false, true, false, true, false, false, false]
        );
        assert_eq!(records[1].effective_cost, exact("0"));
    }
}

#[test]
fn adds_an_amortized_file_up_to_the_effective_cost() {
    let text = amortized();
    let own = column_sum(&text, "CostInBillingCurrency");
    assert_eq!(own, "409.69");
    for options in [ReadOptions::default(), told(AzureCost::Amortized)] {
        let records = Bill::read_with(&text, &options).records;
        assert_eq!(records.len(), 6);
        assert_eq!(sum(&records, |r| r.effective_cost), own);
        // What was bought is billed in the actual file.
        assert_eq!(sum(&records, |r| r.billed_cost), "9.69");
        let of = |status| with_status(&records, status);
        assert_eq!(
            sum(&of(CommitmentStatus::Unused), |r| r.effective_cost),
            "60.0000000000000000000000000001"
        );
        assert_eq!(
            sum(&of(CommitmentStatus::Used), |r| r.effective_cost),
            "339.9999999999999999999999999999"
        );
    }
}

#[test]
fn breaks_no_rule_of_focus() {
    assert_eq!(broken_rules(&Bill::good(&amortized())), []);
    assert_eq!(broken_rules(&Bill::good(&actual())), []);
}

#[test]
fn believes_the_reader_over_the_row() {
    let covered = [("PricingModel", "Reservation"), ("ReservationId", "ri-1")];
    let text = file(&[ea(&covered)]);
    let costs = |options: &ReadOptions| {
        let records = Bill::read_with(&text, options).records;
        (records[0].billed_cost, records[0].effective_cost)
    };
    assert_eq!(costs(&ReadOptions::default()), (exact("0"), exact("1.92")));
    assert_eq!(costs(&told(AzureCost::Actual)), (exact("1.92"), None));
    assert_eq!(
        costs(&told(AzureCost::Amortized)),
        (exact("0"), exact("1.92"))
    );
}

#[test]
fn names_commitments_and_their_kind() {
    let records = Bill::good(&amortized());
    let named = |at: usize| {
        let text = |column| records[at].text(column);
        (
            text(Column::CommitmentDiscountId),
            text(Column::CommitmentDiscountType),
            text(Column::CommitmentDiscountCategory),
            text(Column::CommitmentDiscountStatus),
            text(Column::PricingCategory),
        )
    };
    let (ri, sp) = (Some("ri-1"), Some("sp-1"));
    let committed = Some("Committed");
    assert_eq!(named(0), (None, None, None, None, Some("Standard")));
    let (reservation, plan) = (Some("Reservation"), Some("Savings Plan"));
    assert_eq!(
        named(1),
        (ri, reservation, Some("Usage"), Some("Used"), committed)
    );
    assert_eq!(
        named(2),
        (ri, reservation, Some("Usage"), Some("Unused"), committed)
    );
    assert_eq!(named(3), (sp, plan, Some("Spend"), Some("Used"), committed));
    assert_eq!(
        named(4),
        (sp, plan, Some("Spend"), Some("Unused"), committed)
    );
    // Nothing was consumed of what nothing used, and it has no price for use.
    assert_eq!(
        (records[2].consumed_quantity, records[2].contracted_cost),
        (None, None)
    );
}

#[test]
fn puts_each_charge_type_in_a_category() {
    let records = Bill::good(&actual());
    let found: Vec<_> = records
        .iter()
        .map(|r| {
            (
                r.charge_category.map(ChargeCategory::name),
                r.is_correction(),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            (Some("Usage"), false),
            (Some("Purchase"), false),
            (Some("Usage"), false),
            (Some("Purchase"), false),
            (Some("Usage"), false),
            (Some("Purchase"), true),
            (Some("Adjustment"), false),
            (Some("Tax"), false),
        ]
    );
    let unknown = Bill::good(&file(&[ea(&[("ChargeType", "Gift")])]));
    assert_eq!(unknown[0].charge_category, None);
    assert_eq!(unknown[0].billed_cost, exact("1.92"));
    assert_eq!(records[7].pricing_quantity, None);
}

#[test]
fn takes_a_price_of_nothing_for_no_price_on_what_costs() {
    let text = file(&[
        ea(&[("PayGPrice", "0"), ("UnitPrice", "0")]),
        ea(&[("PayGPrice", "0"), ("CostInBillingCurrency", "0")]),
        ea(&[
            ("PricingModel", "Spot"),
            ("CostInBillingCurrency", "1.2E-05"),
        ]),
    ]);
    let records = Bill::good(&text);
    assert_eq!(
        (records[0].list_cost, records[0].contracted_cost),
        (None, None)
    );
    assert_eq!(
        (records[0].list_unit_price, records[0].contracted_unit_price),
        (None, None)
    );
    assert_eq!(records[1].list_cost, exact("0"));
    assert_eq!(records[2].billed_cost, exact("0.000012"));
    assert_eq!(records[2].text(Column::PricingCategory), Some("Dynamic"));
}

#[test]
fn reads_the_customer_agreement_with_its_two_currencies() {
    let row: Cells<'_> = vec![
        ("invoiceId", "T000"),
        ("billingAccountId", "acc"),
        ("billingPeriodStartDate", "09/01/2024"),
        ("billingPeriodEndDate", "09/30/2024"),
        ("date", "09/18/2024"),
        ("serviceFamily", "AI + Machine Learning"),
        ("meterCategory", "Azure OpenAI"),
        ("meterId", "m"),
        ("quantity", "1000"),
        ("unitOfMeasure", "1K"),
        ("chargeType", "Usage"),
        ("billingCurrency", "EUR"),
        ("pricingCurrency", "USD"),
        ("costInBillingCurrency", "9.1"),
        ("costInPricingCurrency", "10"),
        ("paygCostInBillingCurrency", "11.25"),
        ("tags", "{\"a\":\"b\"}"),
        ("PayGPrice", "0.012"),
        ("frequency", "usageBased"),
        ("pricingModel", "OnDemand"),
        ("unitPrice", "0.01"),
    ];
    let text = format!("\u{FEFF}{}", csv_of(MCA, &[&row])).replace('\n', "\r\n");
    let bill = Bill::read(&text);
    assert_eq!((bill.format, bill.problems.len()), (Some(Format::Azure), 0));
    let record = &bill.records[0];
    assert_eq!(record.billing_currency, Currency::EUR);
    assert_eq!(
        sum(&bill.records, |r| r.billed_cost),
        column_sum(&text, "costInBillingCurrency")
    );
    assert_eq!(record.list_cost, exact("11.25"));
    // Dollars are no euros: the prices stay in the currency that they are in.
    assert_eq!(
        (record.list_unit_price, record.contracted_cost),
        (None, None)
    );
    assert_eq!(
        record.text(Column::PricingCurrencyListUnitPrice),
        Some("0.012")
    );
    assert_eq!(
        record.text(Column::PricingCurrencyContractedUnitPrice),
        Some("0.01")
    );
    assert_eq!(record.text(Column::PricingCurrency), Some("USD"));
    assert_eq!(
        record.text(Column::ServiceCategory),
        Some("AI and Machine Learning")
    );
    assert_eq!(record.text(Column::InvoiceId), Some("T000"));
    assert_eq!(record.tag("a").as_deref(), Some("b"));
    assert_eq!(record.extra("costInPricingCurrency"), Some("10"));
    assert_eq!(
        record.charge_period.start,
        Some("2024-09-18T00:00:00Z".parse().unwrap())
    );
}

#[test]
fn knows_no_effective_cost_where_commitments_do_not_show() {
    let text = "UsageDate,MeterCategory,Cost,Currency\n2024-09-01,Storage,5,USD\n";
    let records = Bill::good(text);
    assert_eq!(
        (records[0].billed_cost, records[0].effective_cost),
        (exact("5"), None)
    );
    assert_eq!(records[0].cost_group(), CostGroup::Storage);
    // A column for reservations is enough to tell.
    let text = "UsageDate,MeterCategory,Cost,Currency,ReservationId\n2024-09-01,Storage,5,USD,\n";
    assert_eq!(Bill::good(text)[0].effective_cost, exact("5"));
}

#[test]
fn reports_what_the_header_lacks_in_its_own_case() {
    let lacking = Bill::lacking("Date,MeterId,Cost\n9/2/2023,m,1\n");
    assert_eq!(
        lacking,
        [
            "BillingCurrency",
            "ChargeType",
            "MeterCategory",
            "BillingAccountId",
            "BillingPeriodStartDate",
            "BillingPeriodEndDate"
        ]
    );
    let lacking = Bill::lacking("date,meterId,cost,billingCurrency\n9/2/2023,m,1,USD\n");
    assert_eq!(lacking[0], "chargeType");
    assert_eq!(lacking.len(), 5);
}

#[test]
fn reports_bad_cells_and_short_rows() {
    for (column, value) in [
        ("CostInBillingCurrency", "1,92"),
        ("Quantity", "many"),
        ("UnitPrice", "?"),
        ("Date", "13/2/2023"),
        ("Date", "9999-12-31"),
        ("BillingPeriodEndDate", "9/31/2023"),
        ("BillingCurrencyCode", "GBPX"),
    ] {
        let (line, at, found, _) = Bill::rejection(&file(&[ea(&[(column, value)])]));
        assert_eq!((line, at.as_str(), found.as_str()), (2, column, value));
    }
    let text = "Date,MeterId,Cost\n9/2/2023,m\n";
    let (line, column, value, reason) = Bill::rejection(text);
    assert_eq!((line, column.as_str(), value.as_str()), (2, "Cost", "m"));
    assert_eq!(reason, "the row has 2 cells, the header has 3");
}

proptest! {
    #[test]
    fn keeps_or_reports_every_row_of_any_cells(
        rows in prop::collection::vec(prop::collection::vec("[^\u{0}]{0,12}", MCA.len()), 1..6),
    ) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(MCA).unwrap();
        for row in &rows {
            writer.write_record(row).unwrap();
        }
        let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        let bill = Bill::read(&text);
        prop_assert_eq!(bill.records.len() + bill.rejected.len(), rows.len());
    }

    /// Whatever a file is told to state, it states of every row.
    #[test]
    fn keeps_the_sum_of_any_file_of_a_known_kind(
        rows in prop::collection::vec((any::<i32>(), 0u32..28, 0usize..6, 0usize..4), 0..30),
        amortized in any::<bool>(),
    ) {
        let charges = ["Usage", "UnusedReservation", "Purchase", "Refund", "Tax", "New"];
        let models = ["OnDemand", "Reservation", "SavingsPlan", ""];
        let mut text = String::from("Date,MeterId,Cost,ChargeType,PricingModel\n");
        for (mantissa, scale, charge, model) in rows {
            let cost = bursar_cost_model::Exact::new(i128::from(mantissa), scale).unwrap();
            text.push_str(&format!("9/2/2023,m,{cost},{},{}\n", charges[charge], models[model]));
        }
        let own = column_sum(&text, "Cost");
        let (states, total): (_, fn(&CostRecord<'_>) -> _) = match amortized {
            true => (AzureCost::Amortized, |r| r.effective_cost),
            false => (AzureCost::Actual, |r| r.billed_cost),
        };
        let bill = Bill::read_with(&text, &told(states));
        prop_assert_eq!(bill.rejected.len(), 0);
        prop_assert_eq!(sum(&bill.records, total), own);
    }
}
