//! What do the usage records of a period cost by a price list?

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use bursar_units::{Quantum, Rounding, TokenCount};

use super::statement::{ChargeError, ChargeLine, Statement};
use crate::name::Model;
use crate::price_list::PriceList;
use crate::token_kind::TokenKind;

/// What one request or job used.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct UsageRecord {
    /// What makes it one record, however often it is delivered.
    pub id: String,
    /// The model that was used.
    pub model: Model,
    /// How many tokens of each kind. A kind may stand several times.
    pub tokens: Vec<(TokenKind, TokenCount)>,
}

/// The usage of one tenant in one period, charged record by record.
///
/// Quantities add up over the period, for each model and kind, so that volume prices apply to all of
/// it and not to each record. Memory grows with the records, whose ids and lines are kept.
///
/// ```
/// use bursar_pricing::charge::{PeriodCharges, UsageRecord};
/// use bursar_pricing::{CostTable, ListTerms, Model, PriceListName, PricingPolicy, Tier, TokenKind};
/// use bursar_units::{Currency, Quantum, Rounding, TokenCount, UnitRate};
///
/// let gpt_4 = Model::GPT_4;
/// let cost = UnitRate::per_million("2.50 USD".parse()?);
/// let costs = CostTable::new(Currency::USD).with(gpt_4.clone(), TokenKind::Input, cost)?;
/// let terms = ListTerms::new(
///     PriceListName::new("growth-2026-11")?, &Tier::Growth, "2026-11-01T00:00:00Z".parse()?,
/// );
/// let list = costs.price(&PricingPolicy::standard(), &terms)?;
///
/// let mut charges = PeriodCharges::new(&list);
/// let record = UsageRecord {
///     id: "request-17".to_owned(),
///     model: gpt_4,
///     tokens: vec![(TokenKind::Input, TokenCount::new(400_000))],
/// };
/// charges.add(&record)?;
/// // 2.50 at a margin of 28.57 % is 3.50 a million.
/// let statement = charges.statement(Quantum::MINOR_UNIT, Rounding::HalfUp)?;
/// assert_eq!(statement.total.to_string(), "1.40 USD");
/// // A record that is delivered twice is charged once.
/// assert!(charges.add(&record).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct PeriodCharges<'a> {
    list: &'a PriceList,
    records: BTreeSet<String>,
    quantities: BTreeMap<(Model, TokenKind), u64>,
    lines: Vec<ChargeLine>,
}

impl<'a> PeriodCharges<'a> {
    /// Nothing yet, to be charged by this price list.
    #[must_use]
    pub const fn new(list: &'a PriceList) -> Self {
        Self {
            list,
            records: BTreeSet::new(),
            quantities: BTreeMap::new(),
            lines: Vec::new(),
        }
    }

    /// Charges a record, and returns its lines: one for each kind of tokens that it used.
    ///
    /// # Errors
    /// [`ChargeError::RecordTwice`], [`ChargeError::NoPrice`], [`ChargeError::Amount`]; nothing of the
    /// record is charged then.
    pub fn add(&mut self, record: &UsageRecord) -> Result<&[ChargeLine], ChargeError> {
        if self.records.contains(&record.id) {
            return Err(ChargeError::RecordTwice(record.id.clone()));
        }
        let mut quantities = Vec::new();
        let mut lines = Vec::new();
        for (kind, tokens) in by_kind(record)? {
            let line = self.line(record, kind, tokens)?;
            lines.push(line);
            quantities.push((kind, tokens));
        }
        // All of it can be charged, so now it is.
        self.records.insert(record.id.clone());
        for (kind, tokens) in quantities {
            let used = self.quantities.entry((record.model.clone(), kind));
            let used = used.or_default();
            *used = used.saturating_add(tokens);
        }
        let first = self.lines.len();
        self.lines.extend(lines);
        Ok(self.lines.get(first..).unwrap_or(&[]))
    }

    fn line(
        &self,
        record: &UsageRecord,
        kind: TokenKind,
        tokens: u64,
    ) -> Result<ChargeLine, ChargeError> {
        let item = format!("{} {kind} tokens", record.model);
        let entry = self.list.entry(&record.model, kind);
        let entry = entry.map_err(|_| ChargeError::NoPrice {
            record: record.id.clone(),
            item: item.clone(),
        })?;
        let before = self.quantities.get(&(record.model.clone(), kind));
        let exact = entry
            .schedule()
            .amount_after(before.copied().unwrap_or(0), tokens)
            .map_err(|source| ChargeError::Amount {
                record: record.id.clone(),
                item: item.clone(),
                source,
            })?;
        Ok(ChargeLine {
            record: record.id.clone(),
            item,
            quantity: tokens,
            exact,
        })
    }

    /// The lines so far.
    #[must_use]
    pub fn lines(&self) -> &[ChargeLine] {
        &self.lines
    }

    /// The statement of the records so far: their exact sum, rounded once, with lines that add up.
    ///
    /// # Errors
    /// [`ChargeError::Sum`].
    pub fn statement(
        &self,
        quantum: Quantum,
        rounding: Rounding,
    ) -> Result<Statement, ChargeError> {
        Statement::of(self.lines.clone(), self.list.currency(), quantum, rounding)
    }
}

impl PeriodCharges<'_> {
    /// The statement that a person reads: one line for each model and kind of tokens, and the total of
    /// [`statement`](Self::statement). A cent is divided among a few lines and not among thousands, so
    /// each line is what its quantity costs, to the cent.
    ///
    /// # Errors
    /// [`ChargeError::Sum`].
    pub fn invoice(&self, quantum: Quantum, rounding: Rounding) -> Result<Statement, ChargeError> {
        let mut items = BTreeMap::<&str, ChargeLine>::new();
        for line in &self.lines {
            match items.entry(&line.item) {
                Entry::Vacant(entry) => {
                    let record = format!("{} records", self.records.len());
                    entry.insert(ChargeLine {
                        record,
                        ..line.clone()
                    });
                }
                Entry::Occupied(mut entry) => {
                    let sum = entry.get_mut();
                    sum.exact = sum.exact.checked_add(line.exact)?;
                    sum.quantity = sum.quantity.saturating_add(line.quantity);
                }
            }
        }
        let lines = items.into_values().collect();
        Statement::of(lines, self.list.currency(), quantum, rounding)
    }
}

/// The kinds of a record in their order, each once; zeros are no line.
fn by_kind(record: &UsageRecord) -> Result<BTreeMap<TokenKind, u64>, ChargeError> {
    let mut kinds = BTreeMap::<TokenKind, u64>::new();
    for (kind, tokens) in &record.tokens {
        let sum = kinds.entry(*kind).or_default();
        *sum = sum
            .checked_add(tokens.as_u64())
            .ok_or_else(|| ChargeError::TooManyTokens {
                record: record.id.clone(),
                kind: *kind,
            })?;
    }
    kinds.retain(|_, tokens| *tokens > 0);
    Ok(kinds)
}
