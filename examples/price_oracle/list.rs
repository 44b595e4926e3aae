//! Is each price of a list inside the bounds on its own?

use bursar_pricing::{
    CostTable, Discount, ListTerms, Model, PriceList, PriceListError, PriceListName, Tiering,
    TokenKind, VolumeDiscounts,
};
use bursar_units::{Currency, Money, UnitRate};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rand::RngExt;
use rust_decimal::Decimal;

use crate::draw::{Random, currency, of_magnitude, pick, share};
use crate::exact::units;
use crate::judge::judge;
use crate::outcome::{Findings, Outcome};
use crate::policy::{Agreement, DAY, KINDS, Rules};
use crate::truth::{Inputs, Truth};

/// Costs of models and kinds, and the terms of a list.
#[derive(Debug)]
struct Case {
    rules: Rules,
    currency: Currency,
    effective_from: Timestamp,
    agreement: Agreement,
    tiering: Tiering,
    /// Empty where there are no discounts for volume.
    volume: Vec<Discounted>,
    rows: Vec<Row>,
}

/// The end of a band, and what is let off in it.
type Discounted = (Option<u64>, Discount);

#[derive(Debug)]
struct Row {
    model: Model,
    kind: TokenKind,
    rate: UnitRate,
    /// What each band's price follows from.
    bands: Vec<(Option<u64>, Inputs)>,
}

/// The step of listed prices.
const STEP: Decimal = Decimal::from_parts(1, 0, 0, false, 6);

/// Makes a random price list, and judges each price in it.
pub(crate) fn check(random: &mut Random, number: u64, outcome: &mut Outcome) -> anyhow::Result<()> {
    let case = Case::random(random)?;
    let mut findings = outcome.case(number, &case);
    match case.list()? {
        Ok(list) => case.accepted(&mut findings, &list),
        Err(PriceListError::Pricing { model, kind, error }) => {
            findings.count("list: refused for one of its prices");
            let named = case.first_refused();
            let is_first = named.is_some_and(|(row, _)| row.model == model && row.kind == kind);
            findings.require(is_first, "the price that a list is refused for");
            if let Some((_, inputs)) = named {
                judge(&mut findings, inputs, Err(&error));
            }
        }
        Err(other) => findings.require(false, &format!("refused: {other}")),
    }
    Ok(())
}

impl Case {
    fn random(random: &mut Random) -> anyhow::Result<Self> {
        let rules = Rules::random(random)?;
        let (currency, _) = currency(random)?;
        let exponent = random.random_range(-3..=7);
        let costs: Vec<Decimal> = (0..4)
            .map(|_| {
                let digits = random.random_range(1..=12);
                of_magnitude(random, exponent, digits)
            })
            .collect();
        let agreement = Agreement::random(random, &costs, currency)?;
        let (tiering, volume) = volume(random)?;
        let midnight = DAY.to_zoned(TimeZone::UTC)?.timestamp();
        let second = *pick(random, &[0, 1, 43_200, 86_399]);
        let mut case = Self {
            effective_from: midnight + std::time::Duration::from_secs(second),
            rules,
            currency,
            agreement,
            tiering,
            volume,
            rows: Vec::new(),
        };
        for cost in costs {
            let model = pick(random, &case.rules.models).0.clone();
            let kind = *pick(random, &KINDS);
            let is_new = |row: &Row| row.model != model || row.kind != kind;
            if case.rows.iter().all(is_new) {
                let row = case.row(random, model, kind, cost);
                case.rows.push(row);
            }
        }
        Ok(case)
    }

    /// The cost of a million, told for one, for a thousand or for a million tokens.
    fn row(&self, random: &mut Random, model: Model, kind: TokenKind, cost: Decimal) -> Row {
        let money = |places| {
            let mut amount = cost.normalize();
            let scale = amount.scale() + places;
            amount = Decimal::from_i128_with_scale(amount.mantissa(), scale);
            Money::new(amount, self.currency)
        };
        let rate = match random.random_range(0..3) {
            0 => UnitRate::per_unit(money(6)),
            1 => UnitRate::per_thousand(money(3)),
            _ => UnitRate::per_million(money(0)),
        };
        let terms = self.agreement.terms(&model, Some(kind));
        let flat = [(None, Discount::ZERO)];
        let volume = match self.volume.as_slice() {
            [] => flat.as_slice(),
            volume => volume,
        };
        let inputs = |(up_to, discount): &Discounted| {
            let (discount, terms) = (discount.as_decimal(), terms.clone());
            let inputs = self.rules.inputs(cost, &model, discount, terms, Some(STEP));
            (*up_to, inputs)
        };
        Row {
            bands: volume.iter().map(inputs).collect(),
            model,
            kind,
            rate,
        }
    }

    fn list(&self) -> anyhow::Result<Result<PriceList, PriceListError>> {
        let mut costs = CostTable::new(self.currency);
        for row in &self.rows {
            costs = costs.with(row.model.clone(), row.kind, row.rate)?;
        }
        let volume = match self.volume.is_empty() {
            true => None,
            false => Some(VolumeDiscounts::new(self.tiering, self.volume.clone())?),
        };
        let name = PriceListName::new("list")?;
        let mut terms = ListTerms::new(name, &self.rules.tier, self.effective_from)
            .supply(self.rules.supply)
            .cost_rise(self.rules.cost_rise);
        if let Some(contract) = &self.agreement.contract {
            terms = terms.contract(contract);
        }
        if let Some(volume) = &volume {
            terms = terms.volume(volume);
        }
        Ok(costs.price(&self.rules.policy, &terms))
    }

    /// Every cost has a price for each band, and nothing else has one.
    fn accepted(&self, findings: &mut Findings<'_>, list: &PriceList) {
        findings.count(match (self.volume.is_empty(), self.tiering) {
            (true, _) => "list: one price each",
            (false, Tiering::Graduated) => "list: graduated discounts",
            (false, _) => "list: volume discounts",
        });
        let n_entries = list.entries().len();
        findings.require(n_entries == self.rows.len(), "a price for each cost");
        let key = |index: usize| {
            let entry = list.entries().get(index);
            entry.map(|entry| (entry.model().as_str(), entry.kind()))
        };
        let is_sorted = (1..n_entries).all(|index| key(index - 1) < key(index));
        findings.require(is_sorted, "the order of a list");
        for row in &self.rows {
            self.entry(findings, list, row);
        }
        let unlisted = list.entry(&Model::CLAUDE, TokenKind::Reasoning);
        let is_refused = matches!(unlisted, Err(PriceListError::NotListed { .. }));
        findings.require(is_refused, "no price for what has no cost");
    }

    fn entry(&self, findings: &mut Findings<'_>, list: &PriceList, row: &Row) {
        let Ok(entry) = list.entry(&row.model, row.kind) else {
            return findings.require(false, "a cost is listed");
        };
        let schedule = entry.schedule();
        let is_complete = entry.prices().len() == row.bands.len()
            && schedule.bands().count() == row.bands.len()
            && (self.volume.is_empty() || schedule.tiering() == self.tiering);
        findings.require(is_complete, "a price for each band");
        let bands = schedule.bands().zip(entry.prices()).zip(&row.bands);
        for ((band, price), (up_to, inputs)) in bands {
            judge(findings, inputs, Ok(price));
            let is_charged =
                band.up_to == *up_to && band.rate == UnitRate::per_million(price.price());
            findings.require(is_charged, "what is listed is the price");
            let is_the_cost = units(price.cost().amount()) == units(inputs.cost);
            findings.require(is_the_cost, "the cost of a million");
        }
    }

    /// The first row, with the inputs of its first band, that has no price.
    fn first_refused(&self) -> Option<(&Row, &Inputs)> {
        let bands = self.rows.iter();
        let mut bands = bands.flat_map(|row| row.bands.iter().map(move |(_, it)| (row, it)));
        bands.find(|(_, inputs)| {
            Truth::of(inputs).is_none_or(|truth| {
                let has_none = inputs.terms.fixed_price.is_none() && truth.quanta().is_none();
                has_none || truth.has_too_many_digits(inputs)
            })
        })
    }
}

/// Up to three bands, the first of them often without a discount.
fn volume(random: &mut Random) -> anyhow::Result<(Tiering, Vec<Discounted>)> {
    let tiering = *pick(random, &[Tiering::Graduated, Tiering::Volume]);
    let n_bands = *pick(random, &[0, 0, 2, 3]);
    let (mut bands, mut end) = (Vec::new(), 0);
    for band in 1..=n_bands {
        end += random.random_range(1..=1_000_000_000);
        let discount = match band {
            1 => Decimal::ZERO,
            _ => share(random, 60),
        };
        let up_to = (band < n_bands).then_some(end);
        bands.push((up_to, Discount::new(discount)?));
    }
    Ok((tiering, bands))
}
