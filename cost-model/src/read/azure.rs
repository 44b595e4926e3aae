//! How does a row of an Azure usage file become a record?
//!
//! One table serves the headers of the Enterprise Agreement, of the Microsoft Customer Agreement
//! and of pay-as-you-go; case does not matter. Source of the columns: Microsoft, *Cost Management
//! and Billing*, "Cost and usage details file schema".
//!
//! - The header does not tell actual from amortized cost: see [`AzureCost`] for what a row's one
//!   cost is taken as. In either file it is both costs of whatever no commitment concerns. Usage
//!   that a commitment covers, and what nothing used of one, is billed at 0, because the purchase
//!   was billed; the purchase of a commitment has the effective cost 0, because its use has it.
//! - A day is stated once and a billing period by its last day: both become exclusive ends.
//! - The list cost is the one stated in the billing currency, or the market price times the
//!   quantity; the contracted cost is the agreed price times the quantity. Prices in another
//!   currency than the bill's become the FOCUS columns for that currency. A price of 0 on a row
//!   that costs something is how the files write that there is none.
//! - Tags without braces get them.

mod service;

use std::borrow::Cow;

use bursar_units::Currency;

use super::cell::{CellProblem, Memo, decimal};
use super::native::{Header, Names, day_after, letters, missing_column, product};
use super::{AzureCost, FileProblem, ReadOptions, focus};
use crate::cells::Cells;
use crate::layout::Layout;
use crate::{ChargeCategory, Column, CostRecord, Exact, Period};

const COST: &[&str] = &["costinbillingcurrency", "cost", "pretaxcost"];
const CURRENCY: &[&str] = &["billingcurrencycode", "billingcurrency", "currency"];
const PRICING_CURRENCY: &[&str] = &["pricingcurrencycode", "pricingcurrency"];
const DATE: &[&str] = &["date", "usagedate", "usagedatetime"];
const QUANTITY: &[&str] = &["quantity", "usagequantity", "consumedquantity"];

/// Whether the header has columns that only this dialect names so.
pub(crate) fn recognizes(header: &[&str]) -> bool {
    let columns = Header::new(header);
    columns.has_any(COST)
        && columns.has_any(DATE)
        && columns.has_any(&["metercategory", "meterid", "metername"])
        && !focus::recognizes(header)
}

/// What a cell holds as it stands.
const NAMES: Names = &[
    (Column::AvailabilityZone, &["availabilityzone"]),
    (Column::BillingAccountId, &["billingaccountid"]),
    (Column::BillingAccountName, &["billingaccountname"]),
    (Column::BillingCurrency, CURRENCY),
    (Column::BillingPeriodStart, &["billingperiodstartdate"]),
    (Column::ChargeDescription, &["productname", "product"]),
    (Column::ChargeFrequency, &["frequency"]),
    (Column::ChargePeriodStart, DATE),
    (
        Column::CommitmentDiscountId,
        &["benefitid", "reservationid"],
    ),
    (
        Column::CommitmentDiscountName,
        &["benefitname", "reservationname"],
    ),
    (Column::InvoiceId, &["invoiceid"]),
    (Column::PricingCurrency, PRICING_CURRENCY),
    (Column::PricingQuantity, QUANTITY),
    (Column::PricingUnit, &["unitofmeasure"]),
    (Column::PublisherName, &["publishername"]),
    (Column::RegionId, &["resourcelocation", "location"]),
    (Column::ResourceId, &["resourceid", "instanceid"]),
    (Column::ResourceName, &["resourcename"]),
    (Column::ResourceType, &["resourcetype"]),
    (Column::ServiceName, &["metercategory"]),
    (Column::ServiceSubcategory, &["metersubcategory"]),
    (Column::SkuId, &["meterid"]),
    (Column::SkuMeter, &["metername"]),
    (
        Column::SubAccountId,
        &["subscriptionid", "subscriptionguid"],
    ),
    (Column::SubAccountName, &["subscriptionname"]),
    (Column::Tags, &["tags"]),
];

/// The columns that FOCUS wants from every row: any of these, and the first as it is spelled.
const MANDATORY: &[(&str, &[&str])] = &[
    ("CostInBillingCurrency", COST),
    ("BillingCurrency", CURRENCY),
    ("Date", DATE),
    ("ChargeType", &["chargetype"]),
    ("MeterCategory", &["metercategory"]),
    ("BillingAccountId", &["billingaccountid"]),
    ("BillingPeriodStartDate", &["billingperiodstartdate"]),
    ("BillingPeriodEndDate", &["billingperiodenddate"]),
];

#[derive(Debug)]
pub(crate) struct Azure {
    /// The currency of rows that state none.
    currency: Currency,
    /// Which cost the file states, if the reader was told.
    states: Option<AzureCost>,
    places: Places,
}

/// Where the columns are that are read, looked up once a file.
#[derive(Debug)]
struct Places {
    cost: Option<usize>,
    market_cost: Option<usize>,
    market_price: Option<usize>,
    unit_price: Option<usize>,
    quantity: Option<usize>,
    unit: Option<usize>,
    currency: Option<usize>,
    pricing_currency: Option<usize>,
    date: Option<usize>,
    billing_start: Option<usize>,
    billing_end: Option<usize>,
    charge_type: Option<usize>,
    pricing_model: Option<usize>,
    frequency: Option<usize>,
    benefit_id: Option<usize>,
    benefit_name: Option<usize>,
    reservation_id: Option<usize>,
    reservation_name: Option<usize>,
    service_family: Option<usize>,
    meter_category: Option<usize>,
    tags: Option<usize>,
}

/// `ChargeType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ChargeType {
    Usage,
    /// `UnusedReservation` and `UnusedSavingsPlan`: what nothing used of a commitment.
    Unused,
    Purchase,
    Refund,
    Rounding,
    Tax,
    Credit,
    /// Not stated, or a type that is not known.
    Other,
}

/// What a row has to do with reservations and savings plans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Commitment {
    None,
    Reservation,
    SavingsPlan,
    /// The file has no column that would tell.
    Unknown,
}

impl ChargeType {
    fn from_name(name: &str) -> ChargeType {
        match name.to_ascii_lowercase().as_str() {
            "usage" => ChargeType::Usage,
            "unusedreservation" | "unusedsavingsplan" => ChargeType::Unused,
            "purchase" => ChargeType::Purchase,
            "refund" => ChargeType::Refund,
            "roundingadjustment" => ChargeType::Rounding,
            "tax" => ChargeType::Tax,
            "credit" => ChargeType::Credit,
            _ => ChargeType::Other,
        }
    }

    /// The FOCUS category. What Azure refunds are purchases, and they stay such.
    fn category(self) -> Option<ChargeCategory> {
        match self {
            ChargeType::Usage | ChargeType::Unused => Some(ChargeCategory::Usage),
            ChargeType::Purchase | ChargeType::Refund => Some(ChargeCategory::Purchase),
            ChargeType::Rounding => Some(ChargeCategory::Adjustment),
            ChargeType::Tax => Some(ChargeCategory::Tax),
            ChargeType::Credit => Some(ChargeCategory::Credit),
            ChargeType::Other => None,
        }
    }
}

impl Commitment {
    fn is_known(self) -> bool {
        matches!(self, Commitment::Reservation | Commitment::SavingsPlan)
    }
}

impl Azure {
    pub(crate) fn new(header: &[&str], options: &ReadOptions) -> (Layout, Azure, Vec<FileProblem>) {
        let header = Header::new(header);
        let layout = header.layout(NAMES, &[]);
        let at = |letters| header.at(letters);
        let places = Places {
            cost: header.first(COST),
            market_cost: at("paygcostinbillingcurrency"),
            market_price: at("paygprice"),
            unit_price: at("unitprice"),
            quantity: header.first(QUANTITY),
            unit: at("unitofmeasure"),
            currency: header.first(CURRENCY),
            pricing_currency: header.first(PRICING_CURRENCY),
            date: header.first(DATE),
            billing_start: at("billingperiodstartdate"),
            billing_end: at("billingperiodenddate"),
            charge_type: at("chargetype"),
            pricing_model: at("pricingmodel"),
            frequency: at("frequency"),
            benefit_id: at("benefitid"),
            benefit_name: at("benefitname"),
            reservation_id: at("reservationid"),
            reservation_name: at("reservationname"),
            service_family: at("servicefamily"),
            meter_category: at("metercategory"),
            tags: at("tags"),
        };
        let azure = Azure {
            currency: options.currency.unwrap_or(Currency::XXX),
            states: options.azure_cost,
            places,
        };
        (layout, azure, problems(&header, options))
    }

    pub(crate) fn decode<'a>(
        &'a self,
        cells: Cells<'a>,
        layout: &'a Layout,
        memo: &mut Memo,
    ) -> Result<CostRecord<'a>, CellProblem> {
        let at = &self.places;
        let text = |at: Option<usize>| at.and_then(|at| cells.value(at));
        let charge = text(at.charge_type).map_or(ChargeType::Other, ChargeType::from_name);
        let commitment = self.commitment(charge, cells);

        let currency = memo.currency(cells, at.currency)?.unwrap_or(self.currency);
        let mut record = CostRecord::of_row(currency, cells, layout);
        let cost = decimal(cells, at.cost)?;
        (record.billed_cost, record.effective_cost) = self.costs(cost, charge, commitment);
        let quantity = decimal(cells, at.quantity)?;
        record.pricing_quantity = quantity.filter(|_| charge != ChargeType::Tax);
        if charge == ChargeType::Usage {
            record.consumed_quantity = quantity;
        }
        self.price(&mut record, cost, charge, cells)?;
        record.charge_category = charge.category();
        record.charge_period = period(cells, at.date, at.date, memo)?;
        record.billing_period = period(cells, at.billing_start, at.billing_end, memo)?;

        record.set(Column::ProviderName, "Microsoft");
        if charge == ChargeType::Refund {
            record.set(Column::ChargeClass, "Correction");
        }
        self.name_commitment(&mut record, charge, commitment, cells);
        self.name_rest(&mut record, cells);
        Ok(record)
    }

    /// What a row has to do with reservations and savings plans.
    fn commitment(&self, charge: ChargeType, cells: Cells<'_>) -> Commitment {
        let at = &self.places;
        let text = |at: Option<usize>| at.and_then(|at| cells.value(at));
        let told = at.pricing_model.or(at.reservation_id).is_some();
        match text(at.pricing_model) {
            Some(model) if model.eq_ignore_ascii_case("Reservation") => Commitment::Reservation,
            Some(model) if model.eq_ignore_ascii_case("SavingsPlan") => Commitment::SavingsPlan,
            Some(_) => Commitment::None,
            None if charge == ChargeType::Unused => match text(at.charge_type) {
                Some(name) if name.eq_ignore_ascii_case("UnusedSavingsPlan") => {
                    Commitment::SavingsPlan
                }
                _ => Commitment::Reservation,
            },
            None if text(at.reservation_id).is_some() => Commitment::Reservation,
            None if told => Commitment::None,
            None => Commitment::Unknown,
        }
    }

    /// The billed and the effective cost of a row that states one of them.
    fn costs(
        &self,
        cost: Option<Exact>,
        charge: ChargeType,
        commitment: Commitment,
    ) -> (Option<Exact>, Option<Exact>) {
        let zero = Some(Exact::ZERO);
        let covered = charge == ChargeType::Usage && commitment.is_known();
        let bought = matches!(charge, ChargeType::Purchase | ChargeType::Refund);
        let nonzero = cost.is_some_and(|cost| !cost.is_zero());
        match self.states {
            Some(AzureCost::Actual) if covered => (cost, None),
            Some(AzureCost::Actual) if charge == ChargeType::Unused => (cost, None),
            Some(AzureCost::Amortized) if bought && commitment.is_known() => (None, cost),
            Some(AzureCost::Amortized) if covered => (zero, cost),
            _ if bought && commitment.is_known() => (cost, zero),
            _ if charge == ChargeType::Unused => (zero, cost),
            _ if covered && nonzero => (zero, cost),
            // 0 in an actual file; the amortized one knows what it costs.
            _ if covered => (cost, None),
            // It may be covered by a commitment that the file does not name.
            Some(AzureCost::Amortized) if commitment == Commitment::Unknown => (None, cost),
            _ if commitment == Commitment::Unknown => (cost, None),
            _ => (cost, cost),
        }
    }

    /// The prices of a row, and what it would cost at them.
    fn price<'a>(
        &self,
        record: &mut CostRecord<'a>,
        cost: Option<Exact>,
        charge: ChargeType,
        cells: Cells<'a>,
    ) -> Result<(), CellProblem> {
        let at = &self.places;
        let text = |at: Option<usize>| at.and_then(|at| cells.value(at));
        let nonzero = cost.is_some_and(|cost| !cost.is_zero());
        let price = |at| -> Result<Option<Exact>, CellProblem> {
            Ok(decimal(cells, at)?.filter(|price| !(price.is_zero() && nonzero)))
        };
        let market = price(at.market_price)?;
        let agreed = price(at.unit_price)?;
        record.list_cost = price(at.market_cost)?;
        let foreign = match (text(at.pricing_currency), text(at.currency)) {
            (Some(pricing), Some(billing)) => !pricing.eq_ignore_ascii_case(billing),
            _ => false,
        };
        if foreign {
            if let Some(cell) = text(at.market_price).filter(|_| market.is_some()) {
                record.set(Column::PricingCurrencyListUnitPrice, cell);
            }
            if let Some(cell) = text(at.unit_price).filter(|_| agreed.is_some()) {
                record.set(Column::PricingCurrencyContractedUnitPrice, cell);
            }
            return Ok(());
        }
        record.list_unit_price = market;
        record.contracted_unit_price = agreed;
        // What nothing used was not bought at a price for use.
        let priced = charge != ChargeType::Unused;
        let quantity = record.pricing_quantity.filter(|_| priced);
        record.list_cost = record.list_cost.or_else(|| product(market, quantity));
        record.contracted_cost = product(agreed, quantity);
        Ok(())
    }

    fn name_commitment<'a>(
        &self,
        record: &mut CostRecord<'a>,
        charge: ChargeType,
        commitment: Commitment,
        cells: Cells<'a>,
    ) {
        let at = &self.places;
        let text = |at: Option<usize>| at.and_then(|at| cells.value(at));
        if text(at.benefit_id).is_none()
            && let Some(id) = text(at.reservation_id)
        {
            record.set(Column::CommitmentDiscountId, id);
        }
        if text(at.benefit_name).is_none()
            && let Some(name) = text(at.reservation_name)
        {
            record.set(Column::CommitmentDiscountName, name);
        }
        let pricing = match (commitment, text(at.pricing_model)) {
            (Commitment::Reservation | Commitment::SavingsPlan, _) => Some("Committed"),
            (_, Some(model)) if model.eq_ignore_ascii_case("OnDemand") => Some("Standard"),
            (_, Some(model)) if model.eq_ignore_ascii_case("Spot") => Some("Dynamic"),
            _ => None,
        };
        if let Some(pricing) = pricing {
            record.set(Column::PricingCategory, pricing);
        }
        // FOCUS: reservations commit to usage, savings plans to spend.
        let (kind, category) = match commitment {
            Commitment::Reservation => ("Reservation", "Usage"),
            Commitment::SavingsPlan => ("Savings Plan", "Spend"),
            Commitment::None | Commitment::Unknown => return,
        };
        record.set(Column::CommitmentDiscountType, kind);
        record.set(Column::CommitmentDiscountCategory, category);
        match charge {
            ChargeType::Usage => record.set(Column::CommitmentDiscountStatus, "Used"),
            ChargeType::Unused => record.set(Column::CommitmentDiscountStatus, "Unused"),
            _ => return,
        }
        // FOCUS: the resource of an unused part is the commitment itself.
        let id = text(at.benefit_id).or_else(|| text(at.reservation_id));
        if let Some(id) = id.filter(|_| charge == ChargeType::Unused)
            && record.text(Column::ResourceId).is_none()
        {
            record.set(Column::ResourceId, id);
        }
    }

    fn name_rest<'a>(&self, record: &mut CostRecord<'a>, cells: Cells<'a>) {
        let at = &self.places;
        let text = |at: Option<usize>| at.and_then(|at| cells.value(at));
        let category = service::category(text(at.service_family), text(at.meter_category));
        if let Some(category) = category {
            record.set(Column::ServiceCategory, category);
        }
        if let Some(unit) = text(at.unit).filter(|_| record.consumed_quantity.is_some()) {
            record.set(Column::ConsumedUnit, unit);
        }
        if let Some(frequency) = text(at.frequency).and_then(frequency) {
            record.set(Column::ChargeFrequency, frequency);
        }
        if let Some(Cow::Owned(tags)) = text(at.tags).map(braced) {
            record.set(Column::Tags, tags);
        }
    }
}

/// What the header lacks, in the case of its own columns.
fn problems(header: &Header<'_>, options: &ReadOptions) -> Vec<FileProblem> {
    let lower = |name: &str| name.starts_with(|c: char| c.is_ascii_lowercase());
    let lower_case = header.names().filter(|(_, name)| lower(name)).count();
    let camel = lower_case * 2 > header.names().count();
    let problem = |name: &str| match camel {
        true => missing_column(&camel_case(name)),
        false => missing_column(name),
    };
    MANDATORY
        .iter()
        .filter(|(_, sources)| !header.has_any(sources))
        .filter(|(name, _)| *name != "BillingCurrency" || options.currency.is_none())
        .map(|(name, _)| problem(name))
        .collect()
}

/// `costInBillingCurrency` of `CostInBillingCurrency`.
fn camel_case(name: &str) -> String {
    let mut chars = name.chars();
    let first = chars.next().map(|c| c.to_ascii_lowercase());
    first.into_iter().chain(chars).collect()
}

/// The period from a day to the end of another, both of which it contains.
fn period(
    cells: Cells<'_>,
    first: Option<usize>,
    last: Option<usize>,
    memo: &mut Memo,
) -> Result<Period, CellProblem> {
    let start = memo.time(cells, first)?;
    let end = match last.zip(memo.time(cells, last)?) {
        Some((at, day)) => Some(day_after(day, cells, at)?),
        None => None,
    };
    Ok(Period { start, end })
}

/// FOCUS `ChargeFrequency`; `None` for one that FOCUS spells the same or does not know.
fn frequency(name: &str) -> Option<&'static str> {
    match letters(name).as_str() {
        "usagebased" => Some("Usage-Based"),
        "onetime" => Some("One-Time"),
        "recurring" | "monthly" => Some("Recurring"),
        _ => None,
    }
}

/// Tags as a JSON object: `"env": "prod","team": "x"` with its braces. What is no object even
/// so stays as it is.
fn braced(tags: &str) -> Cow<'_, str> {
    let tags = tags.trim();
    if tags.starts_with('{') {
        return Cow::Borrowed(tags);
    }
    let object = format!("{{{tags}}}");
    match serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&object) {
        Ok(_) => Cow::Owned(object),
        Err(_) => Cow::Borrowed(tags),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_tags_their_braces_and_breaks_none() {
        for (cell, json) in [
            (
                r#""env": "prod","team": "x""#,
                r#"{"env": "prod","team": "x"}"#,
            ),
            (r#"{"env":"prod"}"#, r#"{"env":"prod"}"#),
            (r#""a": "b"c""#, r#""a": "b"c""#),
            ("free text", "free text"),
        ] {
            assert_eq!(braced(cell), json);
        }
    }

    #[test]
    fn takes_a_cost_for_what_the_row_shows_it_to_be() {
        use ChargeType::{Purchase, Refund, Unused, Usage};
        use Commitment::{None as OnDemand, Reservation, SavingsPlan, Unknown};
        let (zero, five) = (Some(Exact::ZERO), Some(Exact::from(5)));
        let actual = Some(AzureCost::Actual);
        let amortized = Some(AzureCost::Amortized);
        for (states, cost, charge, commitment, costs) in [
            (None, five, Usage, OnDemand, (five, five)),
            (None, five, Usage, Reservation, (zero, five)),
            (None, zero, Usage, SavingsPlan, (zero, None)),
            (None, five, Unused, Reservation, (zero, five)),
            (None, five, Purchase, SavingsPlan, (five, zero)),
            (None, five, Refund, Reservation, (five, zero)),
            (None, five, Purchase, OnDemand, (five, five)),
            (None, five, Usage, Unknown, (five, None)),
            (None, None, Usage, OnDemand, (None, None)),
            (actual, five, Usage, Reservation, (five, None)),
            (actual, five, Unused, Reservation, (five, None)),
            (actual, five, Purchase, Reservation, (five, zero)),
            (amortized, zero, Usage, Reservation, (zero, zero)),
            (amortized, five, Usage, Unknown, (None, five)),
            (amortized, five, Purchase, Reservation, (None, five)),
            (amortized, five, Usage, OnDemand, (five, five)),
        ] {
            let header = ["Date", "Cost", "MeterId"];
            let options = ReadOptions {
                azure_cost: states,
                ..ReadOptions::default()
            };
            let (_, azure, _) = Azure::new(&header, &options);
            assert_eq!(
                azure.costs(cost, charge, commitment),
                costs,
                "{states:?} {cost:?} {charge:?} {commitment:?}"
            );
        }
    }
}
