//! The ways in which a row can break a rule, each with the rule that must notice.

use bursar_cost_model::{Exact, Rule};

use super::bill::{Cells, set};
use super::exact;

pub(crate) struct Fault {
    pub(crate) name: &'static str,
    pub(crate) rule: Rule,
    /// The rows that can have it.
    pub(crate) fits: fn(&Cells) -> bool,
    pub(crate) apply: fn(&mut Vec<Cells>, usize),
}

fn is(row: &Cells, column: &str, value: &str) -> bool {
    row.get(column).is_some_and(|cell| cell == value)
}

fn number(row: &Cells, column: &str) -> Exact {
    row.get(column).map_or(Exact::ZERO, |cell| exact(cell))
}

fn ordinary(row: &Cells) -> bool {
    !is(row, "ChargeClass", "Correction")
}

fn standard_usage(row: &Cells) -> bool {
    ordinary(row) && is(row, "ChargeCategory", "Usage") && !row.contains_key("CommitmentDiscountId")
}

fn used(row: &Cells) -> bool {
    is(row, "CommitmentDiscountStatus", "Used")
}

fn unused(row: &Cells) -> bool {
    is(row, "CommitmentDiscountStatus", "Unused")
}

fn covered(row: &Cells) -> bool {
    used(row) || unused(row)
}

fn purchase(row: &Cells) -> bool {
    is(row, "ChargeCategory", "Purchase")
}

fn tax(row: &Cells) -> bool {
    is(row, "ChargeCategory", "Tax")
}

fn dear(row: &Cells) -> bool {
    ordinary(row) && number(row, "BilledCost") > exact("0.02")
}

fn shift(row: &mut Cells, column: &'static str, by: &str) {
    let moved = number(row, column)
        .checked_add(exact(by))
        .expect("small numbers fit");
    set(row, column, moved);
}

fn scale(row: &mut Cells, column: &'static str, by: &str) {
    let scaled = number(row, column)
        .checked_mul(exact(by))
        .expect("small numbers fit");
    set(row, column, scaled);
}

fn replace(row: &mut Cells, column: &'static str, from: &str, to: &str) {
    let text = row[column].replace(from, to);
    set(row, column, text);
}

macro_rules! faults {
    ($($rule:ident $name:literal $fits:expr => $apply:expr;)+) => {
        vec![$(Fault { name: $name, rule: Rule::$rule, fits: $fits, apply: $apply },)+]
    };
}

pub(crate) fn all() -> Vec<Fault> {
    faults! {
        ChargePeriodOrder "charge period turned around" |_| true => |rows, at| {
            let start = rows[at]["ChargePeriodStart"].clone();
            let end = rows[at]["ChargePeriodEnd"].clone();
            set(&mut rows[at], "ChargePeriodStart", end);
            set(&mut rows[at], "ChargePeriodEnd", start);
        };
        ChargePeriodOrder "empty charge period" |_| true => |rows, at| {
            let start = rows[at]["ChargePeriodStart"].clone();
            set(&mut rows[at], "ChargePeriodEnd", start);
        };
        BillingPeriodOrder "empty billing period" |_| true => |rows, at| {
            set(&mut rows[at], "BillingPeriodEnd", "2024-09-01T00:00:00Z");
        };
        ExclusiveEnds "charge ends with its last second" |_| true => |rows, at| {
            let end = rows[at]["ChargePeriodStart"].replace(":00:00Z", ":59:59Z");
            set(&mut rows[at], "ChargePeriodEnd", end);
        };
        ExclusiveEnds "billing ends with its last second" |_| true => |rows, at| {
            set(&mut rows[at], "BillingPeriodEnd", "2024-09-30T23:59:59Z");
        };
        ExclusiveEnds "billing ends with its last day" |_| true => |rows, at| {
            set(&mut rows[at], "BillingPeriodEnd", "2024-09-30T00:00:00Z");
        };
        ChargeInBillingPeriod "charge of the month before" ordinary => |rows, at| {
            set(&mut rows[at], "ChargePeriodStart", "2024-08-31T22:00:00Z");
        };
        ChargeInBillingPeriod "billing period of the next month" ordinary => |rows, at| {
            set(&mut rows[at], "BillingPeriodStart", "2024-10-01T00:00:00Z");
            set(&mut rows[at], "BillingPeriodEnd", "2024-11-01T00:00:00Z");
        };
        UtcTimes "local time" |_| true => |rows, at| {
            replace(&mut rows[at], "ChargePeriodEnd", "Z", "+02:00");
        };
        UtcTimes "local billing period" |_| true => |rows, at| {
            replace(&mut rows[at], "BillingPeriodStart", "Z", "-0700");
        };
        NullsAreNull "N/A as region" |_| true => |rows, at| set(&mut rows[at], "RegionId", "N/A");
        NullsAreNull "dash as name" |_| true => |rows, at| set(&mut rows[at], "ResourceName", "-");
        NullsAreNull "none as SKU" |_| true => |rows, at| set(&mut rows[at], "SkuId", "None");
        NullsAreNull "blank as class" ordinary => |rows, at| set(&mut rows[at], "ChargeClass", " ");
        ListProduct "list cost tenfold" standard_usage => |rows, at| {
            scale(&mut rows[at], "ListCost", "10");
        };
        ListProduct "list price a cent more" standard_usage => |rows, at| {
            shift(&mut rows[at], "ListUnitPrice", "0.01");
        };
        ListProduct "block size hidden" standard_usage => |rows, at| {
            scale(&mut rows[at], "PricingQuantity", "0.0001");
        };
        ListProduct "sign of list cost lost" standard_usage => |rows, at| {
            scale(&mut rows[at], "ListCost", "-1");
        };
        ContractedProduct "contracted cost a cent more" standard_usage => |rows, at| {
            shift(&mut rows[at], "ContractedCost", "0.01");
        };
        ContractedProduct "contracted cost rounded to nothing" dear => |rows, at| {
            set(&mut rows[at], "ContractedCost", "0");
            set(&mut rows[at], "ContractedUnitPrice", "3");
            set(&mut rows[at], "PricingQuantity", "5");
        };
        ContractedProduct "quantity one more" standard_usage => |rows, at| {
            shift(&mut rows[at], "PricingQuantity", "1");
        };
        InvoiceTotal "row lost" dear => |rows, at| drop(rows.remove(at));
        InvoiceTotal "row twice" dear => |rows, at| {
            let row = rows[at].clone();
            rows.push(row);
        };
        InvoiceTotal "billed two cents more" |_| true => |rows, at| {
            shift(&mut rows[at], "BilledCost", "0.02");
        };
        InvoiceTotal "row on the other invoice" dear => |rows, at| {
            let other = if is(&rows[at], "InvoiceId", "INV-A1") { "INV-A2" } else { "INV-A1" };
            set(&mut rows[at], "InvoiceId", other);
        };
        InvoiceAccount "invoice of another account" |_| true => |rows, at| {
            set(&mut rows[at], "BillingAccountId", "A9");
        };
        PrepaidPurchase "purchase not amortized" purchase => |rows, at| {
            let billed = rows[at]["BilledCost"].clone();
            set(&mut rows[at], "EffectiveCost", billed);
        };
        CreditCost "credit without effect" |row| is(row, "ChargeCategory", "Credit") => |rows, at| {
            set(&mut rows[at], "EffectiveCost", "0");
        };
        CreditCost "credit rounded" |row| is(row, "ChargeCategory", "Credit") => |rows, at| {
            shift(&mut rows[at], "EffectiveCost", "-0.05");
        };
        TaxFollowsCharges "tax without effect" |row| tax(row) && is(row, "BillingAccountId", "A2")
        => |rows, at| set(&mut rows[at], "EffectiveCost", "0");
        CommitmentBalance "amortized share a cent more" covered => |rows, at| {
            shift(&mut rows[at], "EffectiveCost", "0.01");
        };
        CommitmentBalance "unused part lost" unused => |rows, at| drop(rows.remove(at));
        CommitmentBalance "purchase at another price" purchase => |rows, at| {
            shift(&mut rows[at], "BilledCost", "1");
        };
        CoveredIsNotBilled "covered usage billed" covered => |rows, at| {
            let effective = rows[at]["EffectiveCost"].clone();
            set(&mut rows[at], "BilledCost", effective);
        };
        UnusedNamesCommitment "unused part of a machine" unused => |rows, at| {
            set(&mut rows[at], "ResourceId", "machine/1");
        };
        UnusedNamesCommitment "unused part of nothing" unused => |rows, at| {
            rows[at].remove("ResourceId");
        };
        UnusedIsNotConsumed "unused part consumed" unused => |rows, at| {
            set(&mut rows[at], "ConsumedQuantity", "3");
        };
        ConsumedOnlyByUsage "purchase consumed" purchase => |rows, at| {
            set(&mut rows[at], "ConsumedQuantity", "1");
        };
        ConsumedOnlyByUsage "tax consumed" tax => |rows, at| {
            set(&mut rows[at], "ConsumedQuantity", "0");
        };
        TaxHasNoQuantity "tax with a quantity" tax => |rows, at| {
            set(&mut rows[at], "PricingQuantity", "1");
        };
        QuantityIsStated "usage without quantity" standard_usage => |rows, at| {
            rows[at].remove("PricingQuantity");
        };
        QuantityIsStated "purchase without quantity" purchase => |rows, at| {
            rows[at].remove("PricingQuantity");
        };
        PricingUnitIsStated "quantity without unit" standard_usage => |rows, at| {
            set(&mut rows[at], "PricingUnit", "NULL");
        };
        ConsumedUnitIsStated "consumption without unit" standard_usage => |rows, at| {
            rows[at].remove("ConsumedUnit");
        };
        CoveredHasStatus "covered without status" covered => |rows, at| {
            rows[at].remove("CommitmentDiscountStatus");
        };
        CoveredHasStatus "unknown status" covered => |rows, at| {
            set(&mut rows[at], "CommitmentDiscountStatus", "Partly");
        };
        CoveredIsCommitted "covered at the standard price" covered => |rows, at| {
            set(&mut rows[at], "PricingCategory", "Standard");
        };
        CoveredIsCommitted "covered at no price" covered => |rows, at| {
            rows[at].remove("PricingCategory");
        };
        CommittedNamesCommitment "commitment not named" covered => |rows, at| {
            rows[at].remove("CommitmentDiscountId");
        };
        CommittedNamesCommitment "ordinary usage as committed" standard_usage => |rows, at| {
            set(&mut rows[at], "PricingCategory", "Committed");
        };
        StatusNamesCommitment "status without commitment" standard_usage => |rows, at| {
            set(&mut rows[at], "CommitmentDiscountStatus", "Used");
        };
        TagsAreObject "tags without braces" |row| row.contains_key("Tags") => |rows, at| {
            replace(&mut rows[at], "Tags", "{", "");
        };
        TagsAreObject "comma too many" |row| row.contains_key("Tags") => |rows, at| {
            replace(&mut rows[at], "Tags", "}", ",}");
        };
        TagsAreObject "tags as a list" |_| true => |rows, at| {
            set(&mut rows[at], "Tags", r#"["search"]"#);
        };
        TagsAreFlat "nested tag" |row| row.contains_key("Tags") => |rows, at| {
            replace(&mut rows[at], "Tags", "\"search\"", "{\"name\": \"search\"}");
        };
        TagKeysAreUnique "key twice" |row| row.contains_key("Tags") => |rows, at| {
            replace(&mut rows[at], "Tags", "\"machine\"", "\"team\"");
        };
    }
}
