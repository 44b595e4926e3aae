//! What does one thing cost, and is it what was quoted?

use bursar_pricing::{
    Model, NotRedeemable, Price, PriceRequest, Quote, QuoteError, QuoteId, TokenKind,
};
use bursar_units::Money;
use jiff::{SignedDuration, Timestamp};
use rand::RngExt;
use rust_decimal::Decimal;

use crate::draw::{Random, amount, any_decimal, currency, of_magnitude, pick, quantum, step};
use crate::exact::Fraction;
use crate::judge::judge;
use crate::outcome::{Findings, Outcome};
use crate::policy::{Agreement, DAY, KINDS, Rules};
use crate::truth::Inputs;

/// All inputs of a price, as the judge needs them beside the engine's own types.
#[derive(Debug)]
struct Case {
    rules: Rules,
    agreement: Agreement,
    cost: Money,
    model: Model,
    kind: Option<TokenKind>,
    inputs: Inputs,
}

/// Prices a random request, issues it as a quote, and judges both.
pub(crate) fn check(random: &mut Random, number: u64, outcome: &mut Outcome) -> anyhow::Result<()> {
    let case = Case::random(random)?;
    let mut findings = outcome.case(number, &case);
    let (cost, step) = (case.inputs.cost, case.inputs.quantum);
    findings.count(magnitude(cost, &COSTS));
    if let Some(step) = step {
        findings.count(magnitude(step, &QUANTA));
    }
    let answer = case.rules.policy.price(&case.request());
    judge(&mut findings, &case.inputs, answer.as_ref());
    case.quote(&mut findings, answer.ok().as_ref())
}

const COSTS: [&str; 8] = [
    "cost under 10^-9",
    "cost from 10^-9",
    "cost from 10^-6",
    "cost from 10^-3",
    "cost from 1",
    "cost from 10^3",
    "cost from 10^6",
    "cost from 10^9",
];
const QUANTA: [&str; 8] = [
    "quantum under 10^-9",
    "quantum from 10^-9",
    "quantum from 10^-6",
    "quantum from 10^-3",
    "quantum from 1",
    "quantum from 10^3",
    "quantum from 10^6",
    "quantum from 10^9",
];

fn magnitude(amount: Decimal, names: &[&'static str; 8]) -> &'static str {
    let powers = [-9, -6, -3, 0, 3, 6, 9_i32];
    let reached = powers.into_iter().filter(|power| {
        amount
            >= match u32::try_from(*power) {
                Ok(power) => Decimal::from(10_i64.pow(power)),
                Err(_) => Decimal::new(1, power.unsigned_abs()),
            }
    });
    names[reached.count()]
}

impl Case {
    fn random(random: &mut Random) -> anyhow::Result<Self> {
        let rules = Rules::random(random)?;
        let (currency, places) = currency(random)?;
        // Mostly from 10⁻⁹ to 10⁹; sometimes with all digits that there are, or anything at all.
        let mut cost = match random.random_range(0..16) {
            0 => any_decimal(random),
            1 => {
                let exponent: i32 = random.random_range(-9..=9);
                let digits = (28 + exponent.min(0)).cast_unsigned();
                of_magnitude(random, exponent, digits)
            }
            _ => amount(random),
        };
        let step = match random.random_range(0..16) {
            0 => any_decimal(random),
            _ => step(random, cost),
        };
        if random.random_bool(0.01) {
            cost = *pick(random, &[Decimal::ZERO, -cost]);
        }
        let (quantum, quantum_step) = quantum(random, places, step)?;
        let agreement = Agreement::random(random, &[cost.abs()], currency)?;
        let model = match random.random_bool(0.01) {
            true => Model::DOMESTIC,
            false => rules.models[0].0.clone(),
        };
        let kind = random.random_bool(0.5).then(|| *pick(random, &KINDS));
        let terms = agreement.terms(&model, kind);
        Ok(Self {
            inputs: rules.inputs(cost, &model, Decimal::ZERO, terms, quantum_step),
            rules: rules.with_quantum(quantum),
            agreement,
            cost: Money::new(cost, currency),
            model,
            kind,
        })
    }

    fn request(&self) -> PriceRequest<'_> {
        let mut request = PriceRequest::new(self.cost, &self.rules.tier, &self.model, DAY)
            .supply(self.rules.supply)
            .cost_rise(self.rules.cost_rise);
        if let Some(kind) = self.kind {
            request = request.kind(kind);
        }
        match &self.agreement.contract {
            Some(contract) => request.contract(contract),
            None => request,
        }
    }

    /// A quote is redeemed at exactly the price while it holds, and keeps the floor after the rise of the
    /// cost. Where there is no price, there is no quote.
    fn quote(&self, findings: &mut Findings<'_>, price: Option<&Price>) -> anyhow::Result<()> {
        let issued = Timestamp::UNIX_EPOCH;
        let validity = SignedDuration::from_hours(1);
        let id = QuoteId::new("q-1")?;
        let policy = &self.rules.policy;
        let quote = Quote::issue(id, policy, &self.request(), issued, validity);
        let (quote, price) = match (quote, price) {
            (Ok(quote), Some(price)) => (quote, price),
            (Err(QuoteError::Pricing(_)), None) => return Ok(()),
            _ => {
                findings.require(false, "a quote where there is a price, and only there");
                return Ok(());
            }
        };
        findings.count("quote: issued and redeemed");
        let expires = issued + validity;
        let moment = SignedDuration::from_nanos(1);
        let price_itself = Ok(price.price());
        for (at, expected) in [
            (issued, price_itself.clone()),
            (expires - moment, price_itself),
            (
                issued - moment,
                Err(NotRedeemable::NotYetValid { issued_at: issued }),
            ),
            (
                expires,
                Err(NotRedeemable::Expired {
                    expires_at: expires,
                }),
            ),
        ] {
            findings.require(quote.redeem(at) == expected, "what a quote is redeemed at");
        }
        findings.require(quote.price() == price, "the same inputs have one price");
        findings.require(
            quote.is_for(policy, &self.request())?,
            "the same inputs have one fingerprint",
        );
        let one = Fraction::whole(1);
        let floor = &Fraction::of(self.inputs.cost) / &(&one - &Fraction::of(self.inputs.least));
        let is_kept = Fraction::of(price.price().amount()) >= floor;
        let found = quote.keeps_floor_at(self.cost)?;
        findings.require(found == is_kept, "whether a quote keeps the floor");
        Ok(())
    }
}
