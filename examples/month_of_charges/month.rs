//! What was used in the month, and what does the provider say of it?

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};
use bursar_pricing::charge::UsageRecord;
use bursar_pricing::reconciliation::{BilledItem, Reconciliation, Tolerance};
use bursar_pricing::sla::{Event, Outcome, Window};
use bursar_pricing::{CostTable, Model, TokenKind};
use bursar_units::{Currency, Money, TokenCount, UnitRate};
use jiff::Timestamp;
use rand::RngExt as _;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use rust_decimal::Decimal;

use crate::Arguments;

/// What happened in the month.
pub(crate) struct Month {
    pub(crate) period: Window,
    pub(crate) records: Vec<UsageRecord>,
    pub(crate) events: Vec<Event>,
    pub(crate) costs: CostTable,
}

impl Month {
    pub(crate) fn generate(arguments: &Arguments) -> Result<Self> {
        let mut rng = ChaCha8Rng::seed_from_u64(arguments.seed);
        let start: Timestamp = "2026-11-01T00:00:00Z".parse()?;
        let period = Window::new(start, "2026-12-01T00:00:00Z".parse()?)?;
        let month = Duration::try_from(period.end().duration_since(start))?;
        let (mut records, mut events) = (Vec::new(), Vec::new());
        for number in 0..arguments.requests {
            let at = start + month * number / arguments.requests;
            // Outages of twenty requests, every ten thousand, and one request in a thousand by itself.
            let failed = number % 1_000 == 7 || (number / 20) % 500 == 250;
            let outcome = if failed {
                Outcome::Failed
            } else {
                Outcome::Answered
            };
            let first_token = Duration::from_millis(rng.random_range(120..900));
            events.push(Event {
                at,
                outcome,
                time_to_first_token: Some(first_token),
                whole_answer: None,
            });
            if !failed {
                records.push(record(number, &mut rng));
            }
        }
        Ok(Self {
            period,
            records,
            events,
            costs: costs()?,
        })
    }
}

fn record(number: u32, rng: &mut ChaCha8Rng) -> UsageRecord {
    let model = if rng.random_bool(0.3) {
        Model::GPT_4
    } else {
        Model::CLAUDE
    };
    let mut tokens = |most: u64| TokenCount::new(rng.random_range(1..=most));
    UsageRecord {
        id: format!("request-{number:06}"),
        model,
        tokens: vec![
            (TokenKind::Input, tokens(3_000)),
            (TokenKind::Output, tokens(900)),
            (TokenKind::CachedInput, tokens(12_000)),
        ],
    }
}

/// What a million tokens cost the reseller; round numbers of the size that providers ask for.
fn costs() -> Result<CostTable> {
    let mut table = CostTable::new(Currency::USD);
    for (model, input, output, cached) in [
        (Model::GPT_4, "2.50", "10.00", "1.25"),
        (Model::CLAUDE, "3.00", "15.00", "0.30"),
    ] {
        for (kind, cost) in [
            (TokenKind::Input, input),
            (TokenKind::Output, output),
            (TokenKind::CachedInput, cached),
        ] {
            let rate = UnitRate::per_million(Money::parse(cost, Currency::USD)?);
            table = table.with(model.clone(), kind, rate)?;
        }
    }
    Ok(table)
}

/// Our own records beside an invoice of the provider that lacks one, has one too many, and has
/// another amount for one.
pub(crate) fn reconcile(records: &[UsageRecord], costs: &CostTable) -> Result<Reconciliation> {
    let costs: BTreeMap<_, _> = costs
        .rows()
        .map(|(model, kind, cost)| ((model, kind), cost))
        .collect();
    let mut recorded = Vec::new();
    for record in records {
        let mut amount = Money::zero(Currency::USD);
        for (kind, tokens) in &record.tokens {
            let cost = costs
                .get(&(&record.model, *kind))
                .context("each kind has a cost")?;
            amount = amount.checked_add(UnitRate::per_million(*cost).cost(*tokens)?)?;
        }
        recorded.push(BilledItem::new(&*record.id, amount));
    }
    let mut invoiced = recorded.clone();
    if invoiced.len() > 2 {
        invoiced.remove(0);
        invoiced.push(BilledItem::new(
            "request-unknown",
            Money::parse("0.0123", Currency::USD)?,
        ));
        if let Some(item) = invoiced.first_mut() {
            item.amount = item.amount.checked_mul(Decimal::TWO)?;
        }
    }
    Ok(Reconciliation::of(
        recorded,
        invoiced,
        &Tolerance::exact(Currency::USD),
    )?)
}
