//! Who uses what, at which price? The providers, services and resources of a made-up bill.
//!
//! Accounts and resources are invented; services and prices are those of the tables.

use bursar_units::Currency;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

use super::lines::{Cell, Lines};
use super::tables::{
    ENVIRONMENTS, Fixed, HOUR_PLACES, PROVIDERS, Provider, Rhythm, SERVICES, SIZES, Service, TEAMS,
};
use super::{COST_PLACES, SyntheticBill};
use crate::Column;

/// How much of a resource was used in an hour.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usage {
    pub(super) pricing: Fixed,
    pub(super) consumed: Fixed,
}

impl Usage {
    /// One whole hour.
    pub(super) fn hour() -> Fixed {
        Fixed::new(10i128.pow(HOUR_PLACES), HOUR_PLACES)
    }

    /// So many percent of the hours of a day.
    pub(super) fn day_percent(percent: i128) -> Fixed {
        Fixed::new(24 * percent, 2)
    }

    pub(super) fn negated(self) -> Usage {
        let turn = |n: Fixed| Fixed::new(-n.mantissa, n.scale);
        Usage {
            pricing: turn(self.pricing),
            consumed: turn(self.consumed),
        }
    }
}

/// How a resource is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Term {
    OnDemand,
    Free,
    Spot,
    SavingsPlan { plan: usize },
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Resource {
    pub(super) line: usize,
    pub(super) payer: usize,
    pub(super) term: Term,
    pub(super) list_price: Fixed,
    pub(super) contracted_price: Fixed,
    pub(super) plan_price: Fixed,
    rhythm: Rhythm,
    /// What an average hour uses.
    base: Fixed,
    /// Consumed units in a pricing unit.
    consumed_per_priced: i128,
    /// Growth, in thousandths a day.
    trend: i128,
}

impl Resource {
    /// What the resource uses in an hour of the month.
    pub(super) fn usage(&self, hour: u64, noise: u64) -> Usage {
        let (day, of_day) = (hour / 24, hour % 24);
        // The month starts on a Monday.
        let weekend = day % 7 >= 5;
        let daytime = (8..18).contains(&of_day);
        let level: i128 = match (self.rhythm, weekend, daytime) {
            (Rhythm::Machine | Rhythm::Steady, ..) => 1_000,
            (Rhythm::Office, false, true) => 1_900,
            (Rhythm::Office, false, false) => 800,
            (Rhythm::Office, true, _) => 450,
            (Rhythm::Night, _, true) => 300,
            (Rhythm::Night, _, false) => 1_500,
        };
        // ± 10 %, evenly.
        let swing = 900 + i128::from(noise % 201);
        let trend = 1_000 + self.trend * i128::from(day);
        let mut mantissa = self.base.mantissa * level * swing * trend / 1_000_000_000;
        if self.rhythm == Rhythm::Machine {
            mantissa = mantissa.min(self.base.mantissa);
        }
        let pricing = Fixed::new(mantissa.max(1), self.base.scale);
        Usage {
            pricing,
            consumed: Fixed::new(pricing.mantissa * self.consumed_per_priced, pricing.scale),
        }
    }
}

/// Who gets one invoice: a billing account of a provider, in one currency.
#[derive(Debug, Clone, Copy)]
pub(super) struct Payer {
    pub(super) currency: Currency,
    pub(super) tax_percent: i128,
    pub(super) tax_line: usize,
    pub(super) credit_line: usize,
    pub(super) correction_line: usize,
    pub(super) rounding_line: usize,
}

/// A savings plan, billed by the hour.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) purchase_line: usize,
    pub(super) unused_line: usize,
}

/// A machine reserved for the month and paid for at its start.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reservation {
    pub(super) payer: usize,
    pub(super) purchase_line: usize,
    pub(super) used_line: usize,
    pub(super) unused_line: usize,
    /// The public price of an hour; the reservation costs 60 % of it.
    pub(super) price: Fixed,
}

impl Reservation {
    pub(super) fn daily_fee(&self) -> i128 {
        self.price.percent(60).times(Usage::day_percent(100))
    }
}

#[derive(Debug)]
pub(super) struct Population {
    pub(super) lines: Lines,
    pub(super) payers: Vec<Payer>,
    pub(super) plans: Vec<Plan>,
    pub(super) reservations: Vec<Reservation>,
    pub(super) resources: Vec<Resource>,
    /// The resources that are charged on demand.
    pub(super) on_demand: Vec<usize>,
}

/// Sub-accounts of each billing account.
const SUB_ACCOUNTS: usize = 8;

/// Savings plans of each billing account.
const PLANS: usize = 3;

impl Population {
    pub(super) fn new(random: &mut ChaCha8Rng, currencies: &[Currency]) -> Population {
        let mut population = Population {
            lines: Lines::new(),
            payers: Vec::new(),
            plans: Vec::new(),
            reservations: Vec::new(),
            resources: Vec::new(),
            on_demand: Vec::new(),
        };
        for provider in &PROVIDERS {
            for &currency in currencies {
                population.add_payer(provider, currency, random);
            }
        }
        for at in 0..SyntheticBill::RESOURCES {
            population.add_resource(at, currencies, random);
        }
        population
    }

    /// A billing account with its lump charges, savings plans and reservation.
    fn add_payer(&mut self, provider: &Provider, currency: Currency, random: &mut ChaCha8Rng) {
        let payer = self.payers.len();
        let account = account_cells(provider, currency);
        let compute = &SERVICES[machines_of(provider)];
        let mut lump = |description: &str, frequency: &str, class: Option<&str>| {
            let mut cells = account.clone();
            cells.extend(service_cells(compute));
            cells.push((Column::ChargeDescription, description.to_owned()));
            cells.push((Column::ChargeFrequency, frequency.to_owned()));
            cells.extend(class.map(|class| (Column::ChargeClass, class.to_owned())));
            self.lines.add(&cells)
        };
        let tax = format!("{} % sales tax", provider.tax_percent);
        let tax_line = lump(&tax, "Recurring", None);
        let credit_line = lump("Promotional credit", "One-Time", None);
        let correction_line = lump(
            "Late correction of usage",
            "Usage-Based",
            Some("Correction"),
        );
        let rounding_line = lump("Rounding to the invoice", "Recurring", None);
        self.payers.push(Payer {
            currency,
            tax_percent: provider.tax_percent,
            tax_line,
            credit_line,
            correction_line,
            rounding_line,
        });
        for n in 0..PLANS {
            let id = format!("{}-sp-{}-{n}", provider.key, hex(random, 8));
            let name = provider.plan_name;
            let commitment = [&id, name, "Spend", "Savings Plan"];
            let purchase = commitment_cells(&account, compute, commitment, None, "Recurring");
            let rest =
                commitment_cells(&account, compute, commitment, Some("Unused"), "Usage-Based");
            self.plans.push(Plan {
                purchase_line: self.lines.add(&purchase),
                unused_line: self.lines.add(&rest),
            });
        }
        self.add_reservation(provider, &account, payer, random);
    }

    fn add_reservation(
        &mut self,
        provider: &Provider,
        account: &[(Column, String)],
        payer: usize,
        random: &mut ChaCha8Rng,
    ) {
        let compute = &SERVICES[machines_of(provider)];
        let id = format!("{}-res-{}", provider.key, hex(random, 8));
        let commitment = [&id, "Reserved machine, one month", "Usage", "Reservation"];
        let purchase = commitment_cells(account, compute, commitment, None, "One-Time");
        let rest = commitment_cells(account, compute, commitment, Some("Unused"), "Usage-Based");
        let mut used = commitment_cells(account, compute, commitment, Some("Used"), "Usage-Based");
        used.retain(|(column, _)| *column != Column::ResourceId);
        used.push((Column::ConsumedUnit, compute.consumed_unit.to_owned()));
        used.push((
            Column::ResourceId,
            format!("{}-i-{}", provider.key, hex(random, 12)),
        ));
        self.reservations.push(Reservation {
            payer,
            purchase_line: self.lines.add(&purchase),
            used_line: self.lines.add(&used),
            unused_line: self.lines.add(&rest),
            price: compute.price,
        });
    }

    fn add_resource(&mut self, at: usize, currencies: &[Currency], random: &mut ChaCha8Rng) {
        let service = &SERVICES[at % SERVICES.len()];
        let provider = &PROVIDERS[service.provider];
        let nth = at / SERVICES.len();
        let which_currency = nth % currencies.len();
        let payer = service.provider * currencies.len() + which_currency;
        let machine = service.rhythm == Rhythm::Machine;
        let term = match nth % 20 {
            19 => Term::Free,
            0 | 4 | 8 | 12 | 16 if machine => Term::SavingsPlan {
                plan: payer * PLANS + nth / 4 % PLANS,
            },
            2 | 7 | 13 if machine && service.category == "Compute" => Term::Spot,
            _ => Term::OnDemand,
        };
        let size = SIZES[random.next_u32() as usize % SIZES.len()];
        let list_price = match term {
            Term::Free => Fixed::new(0, service.price.scale),
            _ if machine => Fixed::new(service.price.mantissa * size.1 / 100, service.price.scale),
            _ => service.price,
        };
        // What a contract takes off: nothing, or 3, 6 or 9 %.
        let discount = i128::from(random.next_u32() % 4 * 3);
        let mut cells = account_cells(provider, currencies[which_currency]);
        cells.extend(service_cells(service));
        cells.extend(resource_cells(at, service, size.0, term, random));
        if let Term::SavingsPlan { plan } = term {
            let purchase = self.plans[plan].purchase_line;
            cells.extend(self.lines.commitment(purchase));
            cells.push((Column::CommitmentDiscountStatus, "Used".to_owned()));
        }
        if term == Term::OnDemand {
            self.on_demand.push(at);
        }
        self.resources.push(Resource {
            line: self.lines.add(&cells),
            payer,
            term,
            list_price,
            contracted_price: list_price.percent(100 - discount),
            plan_price: list_price.percent(72),
            rhythm: service.rhythm,
            base: fitting(service),
            consumed_per_priced: service.consumed_per_priced,
            trend: i128::from(random.next_u32() % 12) - 3,
        });
    }
}

/// The provider's machines: the first of its services.
fn machines_of(provider: &Provider) -> usize {
    let same = |service: &Service| PROVIDERS[service.provider].key == provider.key;
    SERVICES.iter().position(same).unwrap_or(0)
}

/// The base quantity with as many places as leave room for a price with two more.
fn fitting(service: &Service) -> Fixed {
    let Fixed {
        mut mantissa,
        mut scale,
    } = service.base;
    while scale + service.price.scale + 2 > COST_PLACES {
        mantissa /= 10;
        scale -= 1;
    }
    Fixed { mantissa, scale }
}

fn account_cells(provider: &Provider, currency: Currency) -> Vec<Cell> {
    let code = currency.code();
    vec![
        (
            Column::BillingAccountId,
            format!("{}{code}", provider.account),
        ),
        (Column::BillingAccountName, format!("Example {code}")),
        (
            Column::InvoiceId,
            format!("{}-{code}-2024-01", provider.key),
        ),
        (Column::InvoiceIssuerName, provider.issuer.to_owned()),
        (Column::ProviderName, provider.name.to_owned()),
        (Column::PublisherName, provider.name.to_owned()),
    ]
}

fn service_cells(service: &Service) -> Vec<Cell> {
    vec![
        (Column::ServiceName, service.name.to_owned()),
        (Column::ServiceCategory, service.category.to_owned()),
        (Column::ServiceSubcategory, service.subcategory.to_owned()),
    ]
}

/// A purchase of a commitment, or a charge against it.
fn commitment_cells(
    account: &[Cell],
    service: &Service,
    [id, name, category, kind]: [&str; 4],
    status: Option<&str>,
    frequency: &str,
) -> Vec<Cell> {
    let mut cells = account.to_vec();
    cells.extend(service_cells(service));
    let what = status.map_or("purchase", |_| "charge");
    let texts = [
        (Column::ChargeDescription, format!("{name}: {what}")),
        (Column::ChargeFrequency, frequency.to_owned()),
        (Column::CommitmentDiscountId, id.to_owned()),
        (Column::CommitmentDiscountName, name.to_owned()),
        (Column::CommitmentDiscountCategory, category.to_owned()),
        (Column::CommitmentDiscountType, kind.to_owned()),
        (Column::PricingCategory, "Committed".to_owned()),
        (Column::PricingUnit, "Hours".to_owned()),
        (Column::ResourceId, id.to_owned()),
        (Column::ResourceType, kind.to_owned()),
        (Column::SkuId, format!("{kind}-{category}")),
        (Column::SkuPriceId, format!("{kind}-{category}-1")),
    ];
    cells.extend(texts);
    cells.extend(status.map(|s| (Column::CommitmentDiscountStatus, s.to_owned())));
    cells
}

fn resource_cells(
    at: usize,
    service: &Service,
    size: &str,
    term: Term,
    random: &mut ChaCha8Rng,
) -> Vec<Cell> {
    let provider = &PROVIDERS[service.provider];
    let mut pick = |n: usize| random.next_u32() as usize % n;
    let (region, region_name) = provider.regions[pick(provider.regions.len())];
    let sub_account = pick(SUB_ACCOUNTS);
    let environment = ENVIRONMENTS[pick(ENVIRONMENTS.len())];
    let team = TEAMS[pick(TEAMS.len())];
    let tagged = pick(8) > 0;
    let zone = pick(3);
    let kind = service.resource_type;
    let machine = service.rhythm == Rhythm::Machine;
    let sku = format!("{}{:03}", provider.key.to_uppercase(), at % SERVICES.len());
    let pricing = match term {
        Term::OnDemand | Term::Free => "Standard",
        Term::Spot => "Dynamic",
        Term::SavingsPlan { .. } => "Committed",
    };
    let described = if machine {
        format!("{size} {} in {region}", service.unit)
    } else {
        format!("{} in {region}", service.unit)
    };
    let mut cells = vec![
        (Column::ChargeDescription, described),
        (Column::ChargeFrequency, "Usage-Based".to_owned()),
        (Column::ConsumedUnit, service.consumed_unit.to_owned()),
        (Column::PricingCategory, pricing.to_owned()),
        (Column::PricingUnit, service.unit.to_owned()),
        (Column::RegionId, region.to_owned()),
        (Column::RegionName, region_name.to_owned()),
        (
            Column::ResourceId,
            resource_id(provider, region, sub_account, at, random),
        ),
        (Column::ResourceName, format!("{environment}-{at:04}")),
        (Column::ResourceType, kind.to_owned()),
        (Column::SkuId, sku.clone()),
        (Column::SkuPriceId, format!("{sku}.{size}")),
        (Column::SubAccountId, sub_account_id(provider, sub_account)),
        (
            Column::SubAccountName,
            format!("{} {sub_account}", provider.key),
        ),
    ];
    if machine {
        let zone = format!("{region}{}", ["a", "b", "c"][zone]);
        cells.push((Column::AvailabilityZone, zone));
    }
    if tagged {
        cells.push((Column::Tags, tags(environment, team, at)));
    }
    cells
}

fn sub_account_id(provider: &Provider, n: usize) -> String {
    match provider.key {
        "aws" => format!("2109876543{n:02}"),
        "azure" => format!("/subscriptions/64e3{n:04}"),
        "gcp" => format!("example-{n}"),
        _ => format!("ocid1.compartment.{n}"),
    }
}

fn resource_id(
    provider: &Provider,
    region: &str,
    sub_account: usize,
    at: usize,
    random: &mut ChaCha8Rng,
) -> String {
    let account = sub_account_id(provider, sub_account);
    match provider.key {
        "aws" => format!("arn:aws:{region}:{account}:r-{}", hex(random, 12)),
        "azure" => format!("{account}/resourceGroups/rg{}/r{at:04}", at % 40),
        "gcp" => format!("//googleapis.com/projects/{account}/r{at:04}"),
        _ => format!("ocid1.r.oc1.{region}.{}", hex(random, 16)),
    }
}

/// Tags as FOCUS writes them: a JSON object, where a tag without a value is `true`.
fn tags(environment: &str, team: &str, at: usize) -> String {
    let team = serde_json::Value::from(team);
    let critical = if at.is_multiple_of(9) {
        r#","critical":true"#
    } else {
        ""
    };
    format!(r#"{{"env":"{environment}","team":{team}{critical}}}"#)
}

fn hex(random: &mut ChaCha8Rng, digits: usize) -> String {
    let text = format!("{:016x}", random.next_u64());
    text[..digits.min(16)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_columns_for_every_cell() {
        for service in &SERVICES {
            let base = fitting(service);
            assert!(base.mantissa > 0, "{}", service.name);
            assert!(
                service.price.scale + 2 + base.scale <= COST_PLACES,
                "{}",
                service.name
            );
        }
    }
}
