//! How is a bill made for tests and measurements, when no real one may be shown?
//!
//! [`reference_month`] is one small bill whose total and shares are known to the last digit.
//! [`SyntheticBill`] makes bills of any size: the same records for the same rows and seed, on
//! every platform, because no floating-point number takes part.

mod lines;
mod population;
mod reference;
mod tables;

use std::collections::VecDeque;

use bursar_units::Currency;
use jiff::{SignedDuration, Timestamp};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::{ChargeCategory, CostRecord, Exact, Period};

use population::{Payer, Population, Reservation, Resource, Term, Usage};

pub use reference::reference_month;

/// Makes the records of one month's bill of several providers.
///
/// The month is January 2024, by the hour. The bill has a fixed population of
/// [`RESOURCES`](SyntheticBill::RESOURCES) resources, however many rows it has, so that groups do
/// not grow with rows; where a month of hours is not enough for the rows, an hour of a resource
/// is split into several, as FOCUS allows. Usage follows the week and has a trend. Resources are
/// charged on demand, as spot, under savings plans that are billed by the hour, or for nothing;
/// a bill of at least [`CALENDAR_ROWS`](SyntheticBill::CALENDAR_ROWS) rows also has reservations
/// bought for the month, credits, refunds, corrections, rounding adjustments and taxes. The
/// sums that FOCUS demands hold: unit prices × quantities, purchases against the usage that they
/// cover, taxes against what they are levied on.
///
/// ```
/// use bursar_cost_model::{Costs, SyntheticBill};
///
/// let mut costs = Costs::default();
/// for record in SyntheticBill::new(1_000, 1) {
///     costs.add(&record)?;
/// }
/// assert_eq!(costs.rows, 1_000);
/// assert!(costs.billed.sum < costs.list.sum, "discounts are part of the bill");
/// # Ok::<(), bursar_cost_model::ExactError>(())
/// ```
#[derive(Debug)]
pub struct SyntheticBill {
    rows: u64,
    seed: u64,
    population: Population,
    random: ChaCha8Rng,
    /// Rows handed out.
    done: u64,
    /// The hour of the month that the next row is about.
    hour: u64,
    /// The resource that is charged next.
    resource: usize,
    /// Charges that belong together and are handed out before anything else.
    pending: VecDeque<Charge>,
    /// Whether the charges at the end of the month have been made.
    closed: bool,
    /// What each payer has been charged for so far.
    charged: Vec<Amounts>,
}

/// Days of the month.
const DAYS: u64 = 31;

/// Hours of the month.
const HOURS: u64 = DAYS * 24;

/// The start of the month: 2024-01-01T00:00:00Z, a Monday.
const MONTH: Timestamp = Timestamp::constant(1_704_067_200, 0);

/// Decimal places of every cost, as AWS prints them.
const COST_PLACES: u32 = 11;

/// The four costs of a charge, as integers of their 11th place.
#[derive(Debug, Clone, Copy, Default)]
struct Amounts {
    billed: i128,
    effective: i128,
    list: i128,
    contracted: i128,
}

/// How much was priced and used, and at which unit prices; `None` is null.
#[derive(Debug, Clone, Copy, Default)]
struct Quantities {
    list_unit_price: Option<Exact>,
    contracted_unit_price: Option<Exact>,
    pricing: Option<Exact>,
    consumed: Option<Exact>,
}

/// One row, but for its texts.
#[derive(Debug, Clone, Copy)]
struct Charge {
    line: usize,
    payer: usize,
    category: ChargeCategory,
    /// Hours from the start of the month; before it for corrections.
    hours: (i64, i64),
    amounts: Amounts,
    quantities: Quantities,
}

impl SyntheticBill {
    /// How many resources there are.
    pub const RESOURCES: usize = 2_000;

    /// The smallest bill that has charges by the day and by the month: below it they would
    /// outweigh the rest.
    pub const CALENDAR_ROWS: u64 = 5_000;

    /// The currencies that a bill can have.
    pub const CURRENCIES: [Currency; 4] =
        [Currency::USD, Currency::EUR, Currency::GBP, Currency::INR];

    /// A bill of so many rows, all in US dollars.
    #[must_use]
    pub fn new(rows: u64, seed: u64) -> SyntheticBill {
        SyntheticBill::build(rows, seed, 1)
    }

    /// The same in the first `n` of [`CURRENCIES`](SyntheticBill::CURRENCIES), at least one:
    /// each provider then has one billing account per currency.
    #[must_use]
    pub fn currencies(self, n: usize) -> SyntheticBill {
        SyntheticBill::build(self.rows, self.seed, n)
    }

    fn build(rows: u64, seed: u64, n_currencies: usize) -> SyntheticBill {
        let n_currencies = n_currencies.clamp(1, SyntheticBill::CURRENCIES.len());
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let currencies = &SyntheticBill::CURRENCIES[..n_currencies];
        let population = Population::new(&mut random, currencies);
        let charged = vec![Amounts::default(); population.payers.len()];
        let mut bill = SyntheticBill {
            rows,
            seed,
            population,
            random,
            done: 0,
            hour: 0,
            resource: 0,
            pending: VecDeque::new(),
            closed: false,
            charged,
        };
        bill.begin_day(0);
        bill
    }

    /// The next record, which borrows its texts from the bill; `None` after the last.
    ///
    /// The iterator gives the same records as their own owners; this spares the copies.
    pub fn next_record(&mut self) -> Option<CostRecord<'_>> {
        if self.done == self.rows {
            return None;
        }
        if self.pending.is_empty() {
            self.advance();
        }
        let charge = self.pending.pop_front()?;
        self.done += 1;
        Some(self.record(charge))
    }

    /// Whether there are charges by the day and by the month.
    fn has_calendar(&self) -> bool {
        self.rows >= SyntheticBill::CALENDAR_ROWS
    }

    /// How many rows are kept back for the end of the month.
    fn closing_rows(&self) -> u64 {
        if self.has_calendar() && !self.closed {
            2 * self.population.payers.len() as u64
        } else {
            0
        }
    }

    /// Makes the charges that come next.
    fn advance(&mut self) {
        let left = self.rows - self.done;
        if self.has_calendar() && left <= self.closing_rows() {
            self.close_month();
            return;
        }
        while self.hour + 1 < HOURS && self.done >= self.rows_before(self.hour + 1) {
            self.hour += 1;
            if self.hour.is_multiple_of(24) {
                self.begin_day(self.hour / 24);
            }
        }
        if self.pending.is_empty() {
            self.charge_resource(left - self.closing_rows());
        }
    }

    /// How many rows come before an hour: the same number in each.
    fn rows_before(&self, hour: u64) -> u64 {
        let rows = u128::from(self.rows) * u128::from(hour) / u128::from(HOURS);
        u64::try_from(rows).unwrap_or(self.rows)
    }

    /// How many of the resources are charged at all: small bills have each one once a day.
    fn active(&self) -> usize {
        let daily = usize::try_from(self.rows / DAYS).unwrap_or(usize::MAX);
        daily.clamp(50, SyntheticBill::RESOURCES)
    }

    /// Charges the next resource for the hour, with at most so many rows.
    fn charge_resource(&mut self, rows_left: u64) {
        let at = self.resource % self.active();
        self.resource = at + 1;
        let resource = self.population.resources[at];
        let noise = u64::from(self.random.next_u32());
        let usage = resource.usage(self.hour, noise);
        match resource.term {
            Term::SavingsPlan { plan } if rows_left >= 3 => {
                self.charge_under_plan(&resource, plan, usage);
            }
            // Its three rows stand together or not at all.
            Term::SavingsPlan { .. } => {
                let on_demand = &self.population.on_demand;
                let other = self.population.resources[on_demand[at % on_demand.len()]];
                let usage = other.usage(self.hour, noise);
                self.charge_on_demand(&other, usage, noise);
            }
            _ => self.charge_on_demand(&resource, usage, noise),
        }
    }

    fn charge_on_demand(&mut self, resource: &Resource, usage: Usage, noise: u64) {
        let list = resource.list_price;
        let contracted = match resource.term {
            // Between 30 and 49 % of the public price, another one each time.
            Term::Spot => list.percent(30 + (noise >> 24) as i128 % 20),
            _ => resource.contracted_price,
        };
        let net = contracted.times(usage.pricing);
        let amounts = Amounts {
            billed: net,
            effective: net,
            list: list.times(usage.pricing),
            contracted: net,
        };
        let quantities = Quantities {
            list_unit_price: Some(list.exact()),
            contracted_unit_price: Some(contracted.exact()),
            pricing: Some(usage.pricing.exact()),
            consumed: Some(usage.consumed.exact()),
        };
        self.push(Charge {
            line: resource.line,
            payer: resource.payer,
            category: ChargeCategory::Usage,
            hours: self.this_hour(),
            amounts,
            quantities,
        });
    }

    /// An hour of a savings plan: what it costs, what was used of it, and the rest.
    fn charge_under_plan(&mut self, resource: &Resource, plan: usize, usage: Usage) {
        let plan = self.population.plans[plan];
        let hour = Usage::hour();
        let fee = resource.plan_price.times(hour);
        let used = resource.plan_price.times(usage.pricing);
        let base = Charge {
            line: plan.purchase_line,
            payer: resource.payer,
            category: ChargeCategory::Purchase,
            hours: self.this_hour(),
            amounts: Amounts {
                billed: fee,
                effective: 0,
                list: fee,
                contracted: fee,
            },
            quantities: Quantities {
                list_unit_price: Some(resource.plan_price.exact()),
                contracted_unit_price: Some(resource.plan_price.exact()),
                pricing: Some(Exact::from(1)),
                consumed: None,
            },
        };
        self.push(base);
        self.push(Charge {
            line: resource.line,
            category: ChargeCategory::Usage,
            amounts: Amounts {
                billed: 0,
                effective: used,
                list: resource.list_price.times(usage.pricing),
                contracted: resource.contracted_price.times(usage.pricing),
            },
            quantities: Quantities {
                list_unit_price: Some(resource.list_price.exact()),
                contracted_unit_price: Some(resource.contracted_price.exact()),
                pricing: Some(usage.pricing.exact()),
                consumed: Some(usage.consumed.exact()),
            },
            ..base
        });
        if used < fee {
            let rest = hour.less(usage.pricing);
            self.push(unused(base, plan.unused_line, fee - used, rest.exact()));
        }
    }

    /// The charges of a day that are not by the hour.
    fn begin_day(&mut self, day: u64) {
        if !self.has_calendar() {
            return;
        }
        for at in 0..self.population.reservations.len() {
            let reservation = self.population.reservations[at];
            if day == 0 {
                self.buy(&reservation);
            }
            self.charge_reservation(&reservation, day);
        }
        if day == 14 {
            (0..self.population.payers.len()).for_each(|payer| self.credit(payer));
        }
        if day % 7 == 3 {
            self.refund();
            self.correct(day);
        }
    }

    /// The purchase that covers the month.
    fn buy(&mut self, reservation: &Reservation) {
        let fee = reservation.daily_fee() * i128::from(DAYS);
        let price = Some(cost(fee));
        self.push(Charge {
            line: reservation.purchase_line,
            payer: reservation.payer,
            category: ChargeCategory::Purchase,
            hours: (0, HOURS as i64),
            amounts: Amounts {
                billed: fee,
                effective: 0,
                list: fee,
                contracted: fee,
            },
            quantities: Quantities {
                list_unit_price: price,
                contracted_unit_price: price,
                pricing: Some(Exact::from(1)),
                consumed: None,
            },
        });
    }

    /// A day of what was bought: used for part of it, unused for the rest.
    fn charge_reservation(&mut self, reservation: &Reservation, day: u64) {
        let percent = 70 + i128::from(self.random.next_u32() % 31);
        let used = Usage::day_percent(percent);
        let fee = reservation.daily_fee();
        let effective = reservation.price.percent(60).times(used);
        let list = reservation.price.times(used);
        let base = Charge {
            line: reservation.used_line,
            payer: reservation.payer,
            category: ChargeCategory::Usage,
            hours: (day as i64 * 24, day as i64 * 24 + 24),
            amounts: Amounts {
                billed: 0,
                effective,
                list,
                contracted: list,
            },
            quantities: Quantities {
                list_unit_price: Some(reservation.price.exact()),
                contracted_unit_price: Some(reservation.price.exact()),
                pricing: Some(used.exact()),
                consumed: Some(used.exact()),
            },
        };
        self.push(base);
        if effective < fee {
            let rest = Usage::day_percent(100 - percent);
            let line = reservation.unused_line;
            self.push(unused(base, line, fee - effective, rest.exact()));
        }
    }

    /// Two percent back on what was billed so far.
    fn credit(&mut self, payer: usize) {
        let amount = -to_cents(self.charged[payer].billed * 2, 100);
        let line = self.population.payers[payer].credit_line;
        self.push_lump(line, payer, ChargeCategory::Credit, Amounts::all(amount));
    }

    /// An hour of a resource given back: the same charge with its sign turned.
    fn refund(&mut self) {
        let at = self.random.next_u32() as usize % self.population.on_demand.len();
        let resource = self.population.resources[self.population.on_demand[at]];
        let usage = resource.usage(self.hour, 0).negated();
        self.charge_on_demand(&resource, usage, 0);
    }

    /// A charge of the month before, taken back by half without saying for which quantity.
    fn correct(&mut self, day: u64) {
        let at = self.random.next_u32() as usize % self.population.payers.len();
        let Payer {
            correction_line, ..
        } = self.population.payers[at];
        let amount = -i128::from(1 + self.random.next_u32() % 900_000) * 1_000_000;
        let start = (day as i64 - DAYS as i64) * 24;
        self.push(Charge {
            line: correction_line,
            payer: at,
            category: ChargeCategory::Usage,
            hours: (start, start + 1),
            amounts: Amounts::all(amount),
            quantities: Quantities::default(),
        });
    }

    /// What only the end of the month can tell: rounding and taxes, two rows a payer.
    fn close_month(&mut self) {
        self.closed = true;
        for payer in 0..self.population.payers.len() {
            let billed = self.charged[payer].billed;
            // To the whole cent, as the invoice is.
            let rounding = to_cents(billed, 1) - billed;
            let Payer {
                tax_line,
                rounding_line,
                tax_percent,
                ..
            } = self.population.payers[payer];
            let adjustment = ChargeCategory::Adjustment;
            self.push_lump(rounding_line, payer, adjustment, Amounts::all(rounding));
            let base = self.charged[payer];
            let tax = |amount: i128| to_cents(amount * tax_percent, 100);
            let taxes = Amounts {
                billed: tax(base.billed),
                effective: tax(base.effective),
                list: tax(base.list),
                contracted: tax(base.contracted),
            };
            self.push_lump(tax_line, payer, ChargeCategory::Tax, taxes);
        }
    }

    /// A charge for the month as a whole, without quantities.
    fn push_lump(&mut self, line: usize, payer: usize, category: ChargeCategory, amounts: Amounts) {
        self.push(Charge {
            line,
            payer,
            category,
            hours: (0, HOURS as i64),
            amounts,
            quantities: Quantities::default(),
        });
    }

    fn push(&mut self, charge: Charge) {
        let charged = &mut self.charged[charge.payer];
        charged.billed += charge.amounts.billed;
        charged.effective += charge.amounts.effective;
        charged.list += charge.amounts.list;
        charged.contracted += charge.amounts.contracted;
        self.pending.push_back(charge);
    }

    fn this_hour(&self) -> (i64, i64) {
        (self.hour as i64, self.hour as i64 + 1)
    }

    fn record(&self, charge: Charge) -> CostRecord<'_> {
        let currency = self.population.payers[charge.payer].currency;
        let mut record = self.population.lines.record(charge.line, currency);
        record.charge_category = Some(charge.category);
        record.billing_period = period(0, HOURS as i64);
        record.charge_period = period(charge.hours.0, charge.hours.1);
        record.billed_cost = Some(cost(charge.amounts.billed));
        record.effective_cost = Some(cost(charge.amounts.effective));
        record.list_cost = Some(cost(charge.amounts.list));
        record.contracted_cost = Some(cost(charge.amounts.contracted));
        record.list_unit_price = charge.quantities.list_unit_price;
        record.contracted_unit_price = charge.quantities.contracted_unit_price;
        record.pricing_quantity = charge.quantities.pricing;
        record.consumed_quantity = charge.quantities.consumed;
        record
    }
}

impl Iterator for SyntheticBill {
    type Item = CostRecord<'static>;

    fn next(&mut self) -> Option<CostRecord<'static>> {
        self.next_record().map(CostRecord::into_owned)
    }
}

impl Amounts {
    /// The same for all four: charges that have no price of their own.
    fn all(amount: i128) -> Amounts {
        Amounts {
            billed: amount,
            effective: amount,
            list: amount,
            contracted: amount,
        }
    }
}

/// The part of a commitment that nothing used: no price, no consumption, no list cost.
fn unused(base: Charge, line: usize, effective: i128, pricing: Exact) -> Charge {
    Charge {
        line,
        category: ChargeCategory::Usage,
        amounts: Amounts {
            effective,
            ..Amounts::default()
        },
        quantities: Quantities {
            pricing: Some(pricing),
            ..Quantities::default()
        },
        ..base
    }
}

/// `amount` ÷ `divisor`, rounded to whole cents, halves away from zero.
fn to_cents(amount: i128, divisor: i128) -> i128 {
    let cent = 10i128.pow(COST_PLACES - 2);
    let step = cent * divisor;
    (amount + amount.signum() * step / 2) / step * cent
}

/// A cost from an integer of its 11th place.
fn cost(amount: i128) -> Exact {
    exact(amount, COST_PLACES)
}

fn exact(mantissa: i128, scale: u32) -> Exact {
    Exact::new(mantissa, scale).expect("no amount of a made-up bill reaches 10^24")
}

/// A stretch of hours from the start of the month.
fn period(start: i64, end: i64) -> Period {
    let hour = |hours| {
        MONTH
            .checked_add(SignedDuration::from_hours(hours))
            .expect("a few months around 2024 are in range")
    };
    Period {
        start: Some(hour(start)),
        end: Some(hour(end)),
    }
}
