//! How does a row of an AWS Cost and Usage Report become a record?
//!
//! One table serves the three spellings of the header: legacy (`lineItem/UnblendedCost`), CUR 2.0
//! of Data Exports (`line_item_unblended_cost`) and Athena (`lineitem_unblendedcost`).
//! Source of the columns: AWS, *Data Exports User Guide*, "Data dictionary".
//!
//! - The billed cost is the unblended cost of every row, so that it adds up to the file's own
//!   sum. FOCUS has no negations: there, usage under a savings plan is billed at 0. Here it is
//!   billed at the on-demand price, and its negation, which is usage too, takes that off again.
//! - The effective cost spreads commitments over their use: the effective cost that AWS states on
//!   covered usage, what nothing used on the fee of a commitment, 0 on upfront fees and negations,
//!   the unblended cost on all else. An amortized or recurring fee is never added to it: the
//!   stated effective cost already has both. It is unknown where AWS states none.
//! - The fee of a commitment is one row here and two in FOCUS: a purchase, with what nothing used
//!   as its effective cost. Where that is more than 0 the row has the status `Unused`.
//! - Costs net of private discounts (`lineItem/NetUnblendedCost` and others) stay extras.

mod line_item;
mod service;
mod spelling;

use bursar_units::Currency;
use jiff::Timestamp;

use super::cell::{CellProblem, Memo, decimal};
use super::native::{
    Header, Names, TagColumns, exclusive_end, lacking, letters, missing_column, product,
};
use super::{FileProblem, ReadOptions, focus};
use crate::cells::Cells;
use crate::layout::Layout;
use crate::{Column, CostRecord, Exact, Period, RejectReason};
use line_item::LineItem;
use spelling::{Spelling, product_name, tag_key, tags_of_map};

/// Whether the header has columns that only this dialect names so.
pub(crate) fn recognizes(header: &[&str]) -> bool {
    let columns = Header::new(header);
    let typed = columns.has_any(&["lineitemlineitemtype"]);
    let dated = columns.has_any(&["lineitemusagestartdate", "identitytimeinterval"]);
    (columns.has_any(&["lineitemunblendedcost"]) || typed && dated) && !focus::recognizes(header)
}

/// What a cell holds as it stands.
const NAMES: Names = &[
    (Column::AvailabilityZone, &["lineitemavailabilityzone"]),
    (Column::BilledCost, &["lineitemunblendedcost"]),
    (Column::BillingAccountId, &["billpayeraccountid"]),
    (Column::BillingAccountName, &["billpayeraccountname"]),
    (Column::BillingCurrency, &["lineitemcurrencycode"]),
    (Column::BillingPeriodEnd, &["billbillingperiodenddate"]),
    (Column::BillingPeriodStart, &["billbillingperiodstartdate"]),
    (Column::ChargeDescription, &["lineitemlineitemdescription"]),
    (Column::ChargePeriodEnd, &["lineitemusageenddate"]),
    (Column::ChargePeriodStart, &["lineitemusagestartdate"]),
    (Column::InvoiceId, &["billinvoiceid"]),
    (Column::InvoiceIssuerName, &["billinvoicingentity"]),
    (Column::ListCost, &["pricingpublicondemandcost"]),
    (Column::ListUnitPrice, &["pricingpublicondemandrate"]),
    (Column::PricingCurrency, &["pricingcurrency"]),
    (Column::PricingUnit, &["pricingunit"]),
    (Column::PublisherName, &["lineitemlegalentity"]),
    (Column::RegionId, &["productregioncode", "productregion"]),
    (Column::ResourceId, &["lineitemresourceid"]),
    (Column::ServiceName, &["productproductname"]),
    (Column::SkuId, &["productsku"]),
    (Column::SkuMeter, &["lineitemusagetype"]),
    (Column::SkuPriceId, &["pricingratecode", "pricingrateid"]),
    (Column::SubAccountId, &["lineitemusageaccountid"]),
    (Column::SubAccountName, &["lineitemusageaccountname"]),
    // The map of CUR 2.0; its keys are rewritten.
    (Column::Tags, &["resourcetags"]),
];

/// The columns that FOCUS wants from every row, as the legacy header spells them.
const MANDATORY: &[&str] = &[
    "lineItem/UnblendedCost",
    "lineItem/CurrencyCode",
    "lineItem/LineItemType",
    "lineItem/ProductCode",
    "lineItem/UsageStartDate",
    "lineItem/UsageEndDate",
    "bill/PayerAccountId",
    "bill/BillingPeriodStartDate",
    "bill/BillingPeriodEndDate",
    "pricing/publicOnDemandCost",
];

#[derive(Debug)]
pub(crate) struct AwsCur {
    /// The currency of rows that state none.
    currency: Currency,
    places: Places,
    tags: TagColumns,
}

/// Where the columns are that are read, looked up once a file.
#[derive(Debug)]
struct Places {
    unblended_cost: Option<usize>,
    unblended_rate: Option<usize>,
    public_cost: Option<usize>,
    public_rate: Option<usize>,
    usage_amount: Option<usize>,
    currency: Option<usize>,
    line_item_type: Option<usize>,
    bill_type: Option<usize>,
    usage_start: Option<usize>,
    usage_end: Option<usize>,
    time_interval: Option<usize>,
    billing_start: Option<usize>,
    billing_end: Option<usize>,
    product_code: Option<usize>,
    product_name: Option<usize>,
    product_map: Option<usize>,
    usage_type: Option<usize>,
    pricing_term: Option<usize>,
    pricing_unit: Option<usize>,
    tag_map: Option<usize>,
    reservation: Reservation,
    savings_plan: SavingsPlan,
}

#[derive(Debug)]
struct Reservation {
    arn: Option<usize>,
    effective_cost: Option<usize>,
    unused_upfront: Option<usize>,
    unused_recurring: Option<usize>,
}

#[derive(Debug)]
struct SavingsPlan {
    arn: Option<usize>,
    offering: Option<usize>,
    effective_cost: Option<usize>,
    total_commitment: Option<usize>,
    used_commitment: Option<usize>,
}

impl Places {
    fn new(header: &Header<'_>) -> Places {
        let at = |letters| header.at(letters);
        Places {
            unblended_cost: at("lineitemunblendedcost"),
            unblended_rate: at("lineitemunblendedrate"),
            public_cost: at("pricingpublicondemandcost"),
            public_rate: at("pricingpublicondemandrate"),
            usage_amount: at("lineitemusageamount"),
            currency: at("lineitemcurrencycode"),
            line_item_type: at("lineitemlineitemtype"),
            bill_type: at("billbilltype"),
            usage_start: at("lineitemusagestartdate"),
            usage_end: at("lineitemusageenddate"),
            time_interval: at("identitytimeinterval"),
            billing_start: at("billbillingperiodstartdate"),
            billing_end: at("billbillingperiodenddate"),
            product_code: at("lineitemproductcode"),
            product_name: at("productproductname"),
            product_map: at("product"),
            usage_type: at("lineitemusagetype"),
            pricing_term: at("pricingterm"),
            pricing_unit: at("pricingunit"),
            tag_map: at("resourcetags"),
            reservation: Reservation {
                arn: at("reservationreservationarn"),
                effective_cost: at("reservationeffectivecost"),
                unused_upfront: at("reservationunusedamortizedupfrontfeeforbillingperiod"),
                unused_recurring: at("reservationunusedrecurringfee"),
            },
            savings_plan: SavingsPlan {
                arn: at("savingsplansavingsplanarn"),
                offering: at("savingsplanofferingtype"),
                effective_cost: at("savingsplansavingsplaneffectivecost"),
                total_commitment: at("savingsplantotalcommitmenttodate"),
                used_commitment: at("savingsplanusedcommitment"),
            },
        }
    }
}

/// The commitment that a row belongs to.
#[derive(Debug, Clone, Copy)]
enum Commitment<'a> {
    Reservation(&'a str),
    SavingsPlan(&'a str),
}

/// What the amortized cost of a row is computed from.
struct Amortized {
    reservation: Option<Exact>,
    unused_reservation: Option<Exact>,
    savings_plan: Option<Exact>,
    unused_savings_plan: Option<Exact>,
}

impl AwsCur {
    pub(crate) fn new(
        header: &[&str],
        options: &ReadOptions,
    ) -> (Layout, AwsCur, Vec<FileProblem>) {
        let header = Header::new(header);
        let keys = header
            .names()
            .filter_map(|(at, name)| Some((tag_key(name)?, at)));
        let tags = TagColumns::new(keys);
        let layout = header.layout(NAMES, &tags.places());
        let cur = AwsCur {
            currency: options.currency.unwrap_or(Currency::XXX),
            places: Places::new(&header),
            tags,
        };
        (layout, cur, problems(&header, options))
    }

    pub(crate) fn decode<'a>(
        &'a self,
        cells: Cells<'a>,
        layout: &'a Layout,
        memo: &mut Memo,
    ) -> Result<CostRecord<'a>, CellProblem> {
        let at = &self.places;
        let text = |at: Option<usize>| at.and_then(|at| cells.value(at));
        let item = text(at.line_item_type).map_or(LineItem::Other, LineItem::from_name);
        let commitment = self.commitment(cells);

        let currency = memo.currency(cells, at.currency)?.unwrap_or(self.currency);
        let mut record = CostRecord::of_row(currency, cells, layout);
        record.billed_cost = decimal(cells, at.unblended_cost)?;
        record.effective_cost = self.effective_cost(item, commitment, record.billed_cost, cells)?;
        record.list_cost = decimal(cells, at.public_cost)?;
        record.list_unit_price = decimal(cells, at.public_rate)?;
        let rate = decimal(cells, at.unblended_rate)?;
        record.contracted_unit_price = rate.filter(|_| item.has_contracted_price());
        let amount = decimal(cells, at.usage_amount)?;
        // Tax has no quantity of its own, and a negation repeats that of the usage.
        let counted = !matches!(item, LineItem::Tax | LineItem::SavingsPlanNegation);
        record.pricing_quantity = amount.filter(|_| counted);
        record.consumed_quantity = amount.filter(|_| item.is_consumption());
        record.contracted_cost = match item {
            // Stands for itself: there is no price that it was computed from.
            LineItem::Credit => record.billed_cost,
            _ => product(record.contracted_unit_price, amount),
        };
        let metered = text(at.usage_type).is_some();
        record.charge_category = item.category(commitment.is_some(), metered);
        record.charge_period = self.charge_period(cells, memo)?;
        record.billing_period = Period {
            start: memo.time(cells, at.billing_start)?,
            end: memo.time(cells, at.billing_end)?.map(exclusive_end),
        };
        self.name_service(&mut record, cells);
        self.name_commitment(&mut record, item, commitment, cells);
        self.name_rest(&mut record, item, commitment.is_some(), cells);
        Ok(record)
    }

    /// The reservation or savings plan of a row.
    fn commitment<'a>(&self, cells: Cells<'a>) -> Option<Commitment<'a>> {
        let text = |at: Option<usize>| at.and_then(|at| cells.value(at));
        if let Some(arn) = text(self.places.savings_plan.arn) {
            return Some(Commitment::SavingsPlan(arn));
        }
        text(self.places.reservation.arn)
            .filter(|arn| !is_capacity_reservation(arn))
            .map(Commitment::Reservation)
    }

    /// The cost of a row with commitments spread over their use; unknown where AWS does not
    /// state what it is made of.
    fn effective_cost(
        &self,
        item: LineItem,
        commitment: Option<Commitment<'_>>,
        unblended: Option<Exact>,
        cells: Cells<'_>,
    ) -> Result<Option<Exact>, CellProblem> {
        let stated = self.amortized(cells)?;
        let prepaid = matches!(commitment, Some(Commitment::Reservation(_)));
        Ok(match item {
            LineItem::SavingsPlanCoveredUsage => stated.savings_plan,
            LineItem::SavingsPlanRecurringFee => stated.unused_savings_plan,
            LineItem::DiscountedUsage => stated.reservation,
            LineItem::RiFee => stated.unused_reservation,
            LineItem::SavingsPlanNegation | LineItem::SavingsPlanUpfrontFee => Some(Exact::ZERO),
            LineItem::Fee if prepaid => Some(Exact::ZERO),
            LineItem::Usage
            | LineItem::Fee
            | LineItem::Tax
            | LineItem::Credit
            | LineItem::Refund
            | LineItem::Discount => unblended,
            LineItem::Other => None,
        })
    }

    fn amortized(&self, cells: Cells<'_>) -> Result<Amortized, CellProblem> {
        let reservation = &self.places.reservation;
        let plan = &self.places.savings_plan;
        let unused_upfront = decimal(cells, reservation.unused_upfront)?;
        let unused_recurring = decimal(cells, reservation.unused_recurring)?;
        let total = decimal(cells, plan.total_commitment)?;
        let used = decimal(cells, plan.used_commitment)?;
        Ok(Amortized {
            reservation: decimal(cells, reservation.effective_cost)?,
            unused_reservation: unused_upfront
                .zip(unused_recurring)
                .and_then(|(upfront, recurring)| upfront.checked_add(recurring)),
            savings_plan: decimal(cells, plan.effective_cost)?,
            unused_savings_plan: total
                .zip(used)
                .and_then(|(total, used)| total.checked_sub(used)),
        })
    }

    /// When a row was used; by `identity/TimeInterval` where its own dates are null.
    fn charge_period(&self, cells: Cells<'_>, memo: &mut Memo) -> Result<Period, CellProblem> {
        let at = &self.places;
        let mut period = Period {
            start: memo.time(cells, at.usage_start)?,
            end: memo.time(cells, at.usage_end)?,
        };
        if (period.start.is_none() || period.end.is_none())
            && let Some((start, end)) = interval(cells, at.time_interval, memo)?
        {
            period.start = period.start.or(Some(start));
            period.end = period.end.or(Some(end));
        }
        period.end = period.end.map(exclusive_end);
        Ok(period)
    }

    fn name_service<'a>(&self, record: &mut CostRecord<'a>, cells: Cells<'a>) {
        let at = &self.places;
        let text = |at: Option<usize>| at.and_then(|at| cells.value(at));
        let code = text(at.product_code);
        if text(at.product_name).is_none() {
            if let Some(name) = text(at.product_map).and_then(product_name) {
                record.set(Column::ServiceName, name);
            } else if let Some(code) = code {
                record.set(Column::ServiceName, code);
            }
        }
        let usage_type = text(at.usage_type).unwrap_or_default();
        if let Some(category) = code.and_then(|code| service::category(code, usage_type)) {
            record.set(Column::ServiceCategory, category);
        }
    }

    fn name_commitment<'a>(
        &self,
        record: &mut CostRecord<'a>,
        item: LineItem,
        commitment: Option<Commitment<'a>>,
        cells: Cells<'a>,
    ) {
        let at = &self.places;
        let reservation = at.reservation.arn.and_then(|at| cells.value(at));
        if let Some(arn) = reservation.filter(|arn| is_capacity_reservation(arn)) {
            record.set(Column::CapacityReservationId, arn);
        }
        // FOCUS: reservations commit to usage, savings plans to spend.
        let (id, kind, category) = match commitment {
            None => return,
            Some(Commitment::Reservation(arn)) => (arn, "Reserved Instance", "Usage"),
            Some(Commitment::SavingsPlan(arn)) => {
                let offering = at.savings_plan.offering.and_then(|at| cells.value(at));
                (arn, offering.unwrap_or("Savings Plan"), "Spend")
            }
        };
        record.set(Column::CommitmentDiscountId, id);
        record.set(Column::CommitmentDiscountType, kind);
        record.set(Column::CommitmentDiscountCategory, category);
        let unused = record.effective_cost.is_some_and(|cost| cost > Exact::ZERO);
        if item.consumes_commitment() {
            record.set(Column::CommitmentDiscountStatus, "Used");
        } else if item.states_unused() && unused {
            record.set(Column::CommitmentDiscountStatus, "Unused");
            // FOCUS: the resource of an unused part is the commitment itself.
            if record.text(Column::ResourceId).is_none() {
                record.set(Column::ResourceId, id);
            }
        }
    }

    fn name_rest<'a>(
        &self,
        record: &mut CostRecord<'a>,
        item: LineItem,
        commitment: bool,
        cells: Cells<'a>,
    ) {
        let at = &self.places;
        let text = |at: Option<usize>| at.and_then(|at| cells.value(at));
        record.set(Column::ProviderName, "AWS");
        // A bill of refunds gives back what an earlier one charged.
        if item == LineItem::Refund && text(at.bill_type) == Some("Refund") {
            record.set(Column::ChargeClass, "Correction");
        }
        if let Some(frequency) = item.frequency(commitment) {
            record.set(Column::ChargeFrequency, frequency);
        }
        if let Some(unit) = text(at.pricing_unit).filter(|_| record.consumed_quantity.is_some()) {
            record.set(Column::ConsumedUnit, unit);
        }
        let spot = text(at.usage_type).is_some_and(|usage| usage.contains("SpotUsage"));
        let on_demand = text(at.pricing_term) == Some("OnDemand");
        let pricing = match item {
            _ if item.consumes_commitment() => Some("Committed"),
            LineItem::Usage if spot => Some("Dynamic"),
            LineItem::Usage if on_demand => Some("Standard"),
            _ => None,
        };
        if let Some(pricing) = pricing {
            record.set(Column::PricingCategory, pricing);
        }
        let tags = text(at.tag_map).and_then(tags_of_map);
        if let Some(tags) = tags.or_else(|| self.tags.of(cells)) {
            record.set(Column::Tags, tags);
        }
    }
}

/// What the header lacks, in the spelling of its own columns.
fn problems(header: &Header<'_>, options: &ReadOptions) -> Vec<FileProblem> {
    let spelling = Spelling::of(header);
    let lacking = lacking(header, MANDATORY, "lineItem/CurrencyCode", options);
    let mut problems: Vec<FileProblem> = lacking
        .map(|name| missing_column(&spelling.spell(name)))
        .collect();
    // Either period will do.
    if header.has_any(&["identitytimeinterval"]) {
        problems.retain(|problem| !letters(&problem.column).starts_with("lineitemusage"));
    }
    problems
}

/// On-demand capacity reservations stand in the column of the reservations: they hold capacity
/// and discount nothing.
fn is_capacity_reservation(arn: &str) -> bool {
    arn.contains(":capacity-reservation/")
}

/// Reads `2024-01-01T00:00:00Z/2024-01-01T01:00:00Z`.
fn interval(
    cells: Cells<'_>,
    at: Option<usize>,
    memo: &mut Memo,
) -> Result<Option<(Timestamp, Timestamp)>, CellProblem> {
    let Some(at) = at else { return Ok(None) };
    let Some(cell) = cells.value(at) else {
        return Ok(None);
    };
    let Some((start, end)) = cell.split_once('/') else {
        return Err(CellProblem {
            at,
            reason: RejectReason::Time(cell.to_owned()),
        });
    };
    Ok(Some((memo.time_of(start, at)?, memo.time_of(end, at)?)))
}
