//! Which dialect a header belongs to.

use bursar_cost_model::{BillReader, Format, ReadOptions};
use proptest::prelude::*;

#[test]
fn tells_the_dialects_apart_by_their_header() {
    for (header, format) in [
        (
            "identity/LineItemId,lineItem/LineItemType,lineItem/UsageStartDate,lineItem/UnblendedCost",
            Some(Format::AwsCur),
        ),
        (
            "line_item_usage_start_date,line_item_unblended_cost,product",
            Some(Format::AwsCur),
        ),
        (
            "lineitem_unblendedcost,lineitem_usagestartdate",
            Some(Format::AwsCur),
        ),
        (
            "line_item_line_item_type,identity_time_interval",
            Some(Format::AwsCur),
        ),
        (
            "Date,MeterCategory,CostInBillingCurrency",
            Some(Format::Azure),
        ),
        (
            "date,meterId,costInBillingCurrency,billingCurrency",
            Some(Format::Azure),
        ),
        ("UsageDateTime,MeterName,PreTaxCost", Some(Format::Azure)),
        ("lineItem/intervalUsageStart,cost/myCost", Some(Format::Oci)),
        (
            "lineItem/intervalUsageStart,usage/consumedQuantity",
            Some(Format::Oci),
        ),
        ("BilledCost,ChargePeriodStart", Some(Format::Focus)),
        // Exports of FOCUS with the providers' own columns beside.
        (
            "BilledCost,EffectiveCost,ChargePeriodStart,BillingCurrency,x_ServiceCode,x_UsageType",
            Some(Format::Focus),
        ),
        (
            "BilledCost,ChargePeriodStart,BillingCurrency,Tags,x_SkuMeterCategory,\
             x_CostInUsd,x_BillingProfileId,Date,Cost,MeterCategory",
            Some(Format::Focus),
        ),
        (
            "billed_cost,charge_period_start,line_item_unblended_cost",
            Some(Format::Focus),
        ),
        ("date,cost,service", None),
        ("name,age", None),
        ("", None),
    ] {
        let names: Vec<&str> = header.split(',').collect();
        assert_eq!(Format::detect(&names), format, "{header}");
    }
}

#[test]
fn reads_a_native_file_as_it_is_told_to() {
    let mut options = ReadOptions::default();
    options.format = Some(Format::Azure);
    let mut reader = BillReader::new("what,ever\n1,2\n".as_bytes(), &options).unwrap();
    assert_eq!(reader.format(), Some(Format::Azure));
    assert!(!reader.problems().is_empty());
    assert!(reader.next_row().is_some());
    assert!(reader.next_row().is_none());
}

proptest! {
    #[test]
    fn never_fails_on_any_bytes(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        format in prop::sample::select(vec![Format::AwsCur, Format::Azure, Format::Oci]),
    ) {
        let mut options = ReadOptions::default();
        options.format = Some(format);
        if let Ok(mut reader) = BillReader::new(bytes.as_slice(), &options) {
            while reader.next_row().is_some() {}
        }
    }

    #[test]
    fn never_fails_on_any_header(names in prop::collection::vec("\\PC{0,16}", 0..8)) {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let tags: Vec<String> = names.iter().map(|n| format!("resourceTags/{n}")).collect();
        let header = format!("{},lineItem/UnblendedCost\n", tags.join(",").replace(['"', '\n'], "'"));
        let _ = Format::detect(&names);
        let _ = BillReader::new(header.as_bytes(), &ReadOptions::default());
    }
}
