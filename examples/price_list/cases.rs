//! Which prices are in the list, and which three of them are explained?

use anyhow::Context as _;
use bursar_pricing::{
    AllowedPrices, Contract, ContractId, ListTerms, Model, Price, PriceList, PriceListName,
    PricingPolicy, Scope, SupplyState, Term, Tier, TokenKind,
};
use bursar_units::{Currency, Money};
use jiff::Timestamp;
use jiff::tz::Offset;
use rust_decimal::Decimal;
use serde::Serialize;

use crate::costs::Costs;

/// Which price is to be explained, and for when.
pub(crate) struct Question {
    pub(crate) tier: Tier,
    pub(crate) model: Model,
    pub(crate) kind: TokenKind,
    pub(crate) supply: SupplyState,
    pub(crate) fixed: Option<Decimal>,
    pub(crate) from: Timestamp,
}

/// A price list for the three tiers, and three prices explained.
pub(crate) struct Offer {
    pub(crate) source: String,
    pub(crate) supply: SupplyState,
    pub(crate) from: Timestamp,
    /// In the order of the costs.
    pub(crate) models: Vec<Model>,
    /// One for each standard tier, in their order.
    pub(crate) lists: Vec<PriceList>,
    pub(crate) cases: Vec<Case>,
}

/// A price that is explained.
#[derive(Serialize)]
pub(crate) struct Case {
    /// Why it is shown.
    pub(crate) title: &'static str,
    pub(crate) tier: Tier,
    pub(crate) model: Model,
    pub(crate) kind: TokenKind,
    pub(crate) supply: SupplyState,
    pub(crate) price: Price,
    /// What the margin bounds allow, also where a contract does not ask them.
    pub(crate) bounds: AllowedPrices,
}

impl Offer {
    pub(crate) fn make(costs: &Costs, question: &Question) -> anyhow::Result<Self> {
        let maker = Maker {
            costs,
            policy: costs.policy(),
            question,
        };
        let list = |tier| maker.list(tier, question.supply, None);
        let lists: Result<_, _> = Tier::STANDARD.iter().map(list).collect();
        let mut cases = vec![maker.quote()?];
        cases.extend(maker.held()?);
        cases.push(maker.fixed()?);
        Ok(Self {
            source: costs.source.clone(),
            supply: question.supply,
            from: question.from,
            models: costs.models().cloned().collect(),
            lists: lists?,
            cases,
        })
    }
}

/// All that prices come from.
struct Maker<'a> {
    costs: &'a Costs,
    policy: PricingPolicy,
    question: &'a Question,
}

impl Maker<'_> {
    fn list(
        &self,
        tier: &Tier,
        supply: SupplyState,
        contract: Option<&Contract>,
    ) -> anyhow::Result<PriceList> {
        let name = PriceListName::new(tier.as_str())?;
        let mut terms = ListTerms::new(name, tier, self.question.from).supply(supply);
        if let Some(contract) = contract {
            terms = terms.contract(contract);
        }
        Ok(self.costs.table.price(&self.policy, &terms)?)
    }

    /// The price of the question's tokens for a tier, as the list has it.
    fn price(
        &self,
        tier: &Tier,
        supply: SupplyState,
        contract: Option<&Contract>,
    ) -> anyhow::Result<Price> {
        let list = self.list(tier, supply, contract)?;
        let entry = list.entry(&self.question.model, self.question.kind)?;
        let price = entry.prices().first();
        price
            .cloned()
            .context("an entry has a price for its first band")
    }

    fn case(
        &self,
        title: &'static str,
        tier: &Tier,
        supply: SupplyState,
        price: Price,
    ) -> anyhow::Result<Case> {
        let bounds = self.price(tier, supply, None)?.allowed();
        Ok(Case {
            title,
            tier: tier.clone(),
            model: self.question.model.clone(),
            kind: self.question.kind,
            supply,
            price,
            bounds: bounds.context("a price without a contract has bounds")?,
        })
    }

    /// What was asked for.
    fn quote(&self) -> anyhow::Result<Case> {
        let (tier, supply) = (&self.question.tier, self.question.supply);
        let price = self.price(tier, supply, None)?;
        self.case("The quote", tier, supply, price)
    }

    /// The first tier and supply in which a bound holds the price of the same tokens, if there is one.
    fn held(&self) -> anyhow::Result<Option<Case>> {
        for tier in &Tier::STANDARD {
            for supply in [
                SupplyState::Surplus,
                SupplyState::Balanced,
                SupplyState::Scarce,
            ] {
                let price = self.price(tier, supply, None)?;
                if price.clamp().is_some() {
                    return self.case("Held by a bound", tier, supply, price).map(Some);
                }
            }
        }
        Ok(None)
    }

    /// The same tokens under a contract that fixes their price.
    fn fixed(&self) -> anyhow::Result<Case> {
        let Question {
            tier,
            supply,
            model,
            kind,
            ..
        } = self.question;
        let fixed = match self.question.fixed {
            Some(amount) => Money::new(amount, Currency::USD),
            None => self
                .price(tier, *supply, None)?
                .cost()
                .checked_mul(Decimal::new(11, 1))?,
        };
        let first_day = Offset::UTC.to_datetime(self.question.from).date();
        let contract = Contract::new(ContractId::new("acme-2026")?, first_day, None)?
            .with(Scope::of(model.clone(), *kind), Term::FixedPrice(fixed))?;
        let price = self.price(tier, *supply, Some(&contract))?;
        self.case("Fixed by a contract", tier, *supply, price)
    }
}
