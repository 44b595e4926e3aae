//! What was agreed with a customer that the policy does not say?

use std::fmt;

use bursar_units::Money;
use jiff::civil::Date;

use crate::error::PricingError;
use crate::margin::Discount;
use crate::name::{ContractId, Model};
use crate::token_kind::TokenKind;

/// Terms that were agreed with a customer, for a time.
///
/// A fixed price is honored as it is, and reported as [exposure](crate::Exposure) where it breaks the margin
/// bounds. A discount, a floor and a ceiling act inside the bounds: what they leave empty is an error that
/// names the term.
///
/// Where several terms of one kind apply, the one with the narrowest [`Scope`] does: model and kind, then
/// model, then kind, then all.
///
/// ```
/// use bursar_pricing::{Contract, ContractId, Model, Scope, Term, TokenKind};
/// use jiff::civil::date;
///
/// let contract = Contract::new(ContractId::new("acme-2026")?, date(2026, 1, 1), Some(date(2026, 12, 31)))?
///     .with(Scope::all(), Term::Discount("5%".parse()?))?
///     .with(Scope::of(Model::GPT_4, TokenKind::Output), Term::FixedPrice("12.50 USD".parse()?))?;
/// assert!(contract.is_in_force(date(2026, 12, 31)));
/// assert!(!contract.is_in_force(date(2027, 1, 1)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Parts", into = "Parts"))]
pub struct Contract {
    id: ContractId,
    first_day: Date,
    last_day: Option<Date>,
    terms: Vec<(Scope, Term)>,
}

/// For what a term holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct Scope {
    /// For this model; `None` for all.
    pub model: Option<Model>,
    /// For this kind of tokens; `None` for all.
    pub kind: Option<TokenKind>,
}

/// What is agreed. Amounts are for the same unit as the cost, a million tokens in a price list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Term {
    /// The price is this, whatever the cost.
    FixedPrice(Money),
    /// So much is let off the price before the bounds are kept.
    Discount(Discount),
    /// The price is at least this.
    Floor(Money),
    /// The price is at most this.
    Ceiling(Money),
}

/// The kind of a term, as messages name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum TermName {
    /// [`Term::FixedPrice`].
    FixedPrice,
    /// [`Term::Discount`].
    Discount,
    /// [`Term::Floor`].
    Floor,
    /// [`Term::Ceiling`].
    Ceiling,
}

impl Contract {
    /// A contract without terms, in force from its first to its last day, both included, or without end.
    ///
    /// # Errors
    /// [`PricingError::ContractEndsBefore`].
    pub fn new(
        id: ContractId,
        first_day: Date,
        last_day: Option<Date>,
    ) -> Result<Self, PricingError> {
        match last_day {
            Some(last_day) if last_day < first_day => Err(PricingError::ContractEndsBefore {
                contract: id,
                first_day,
                last_day,
            }),
            _ => Ok(Self {
                id,
                first_day,
                last_day,
                terms: Vec::new(),
            }),
        }
    }

    /// The contract with one more term.
    ///
    /// # Errors
    /// [`PricingError::TermNotPositive`]; [`PricingError::DuplicateTerm`];
    /// [`PricingError::ContractContradiction`] when floor and ceiling of one scope exclude each other;
    /// [`PricingError::Money`] when they are in two currencies.
    pub fn with(mut self, scope: Scope, term: Term) -> Result<Self, PricingError> {
        self.require_positive(term)?;
        let same_scope = self.terms.iter().filter(|(it, _)| *it == scope);
        for (_, other) in same_scope {
            self.require_compatible(term, *other)?;
        }
        self.terms.push((scope, term));
        Ok(self)
    }

    /// Which contract it is.
    #[must_use]
    pub const fn id(&self) -> &ContractId {
        &self.id
    }

    /// Whether the contract holds on this day.
    #[must_use]
    pub fn is_in_force(&self, day: Date) -> bool {
        self.first_day <= day && self.last_day.is_none_or(|last_day| day <= last_day)
    }

    /// All terms, in the order in which they were added.
    #[must_use]
    pub fn terms(&self) -> &[(Scope, Term)] {
        &self.terms
    }

    /// The terms that apply to tokens of this kind of a model.
    pub(crate) fn applicable(&self, model: &Model, kind: Option<TokenKind>) -> Applicable {
        let mut found = Applicable::default();
        let mut narrowness = [0; 4];
        for (scope, term) in &self.terms {
            let Some(narrow) = scope.narrowness(model, kind) else {
                continue;
            };
            let best = match term {
                Term::FixedPrice(_) => &mut narrowness[0],
                Term::Discount(_) => &mut narrowness[1],
                Term::Floor(_) => &mut narrowness[2],
                Term::Ceiling(_) => &mut narrowness[3],
            };
            if narrow > *best {
                *best = narrow;
                found.take(*term);
            }
        }
        found
    }

    fn require_positive(&self, term: Term) -> Result<(), PricingError> {
        match term.amount() {
            Some(amount) if amount.is_zero() || amount.is_negative() => {
                Err(PricingError::TermNotPositive {
                    contract: self.id.clone(),
                    term: term.name(),
                    amount,
                })
            }
            _ => Ok(()),
        }
    }

    fn require_compatible(&self, term: Term, other: Term) -> Result<(), PricingError> {
        if term.name() == other.name() {
            return Err(PricingError::DuplicateTerm {
                contract: self.id.clone(),
                term: term.name(),
            });
        }
        match (term, other) {
            (Term::Floor(floor), Term::Ceiling(ceiling))
            | (Term::Ceiling(ceiling), Term::Floor(floor))
                if floor.try_cmp(&ceiling)?.is_gt() =>
            {
                Err(PricingError::ContractContradiction {
                    contract: self.id.clone(),
                    floor,
                    ceiling,
                })
            }
            _ => Ok(()),
        }
    }
}

impl Scope {
    /// For every kind of tokens of every model.
    #[must_use]
    pub const fn all() -> Self {
        Self {
            model: None,
            kind: None,
        }
    }

    /// For every kind of tokens of one model.
    #[must_use]
    pub const fn of_model(model: Model) -> Self {
        Self {
            model: Some(model),
            kind: None,
        }
    }

    /// For one kind of tokens of one model.
    #[must_use]
    pub const fn of(model: Model, kind: TokenKind) -> Self {
        Self {
            model: Some(model),
            kind: Some(kind),
        }
    }

    /// Over 0, and more the narrower the scope is; `None` where it does not apply.
    fn narrowness(&self, model: &Model, kind: Option<TokenKind>) -> Option<u8> {
        let by_model = match &self.model {
            None => 1,
            Some(it) if it == model => 3,
            Some(_) => return None,
        };
        match self.kind {
            None => Some(by_model),
            Some(it) if Some(it) == kind => Some(by_model.saturating_add(1)),
            Some(_) => None,
        }
    }
}

impl Term {
    /// The kind of the term.
    #[must_use]
    pub const fn name(&self) -> TermName {
        match self {
            Self::FixedPrice(_) => TermName::FixedPrice,
            Self::Discount(_) => TermName::Discount,
            Self::Floor(_) => TermName::Floor,
            Self::Ceiling(_) => TermName::Ceiling,
        }
    }

    const fn amount(&self) -> Option<Money> {
        match self {
            Self::FixedPrice(amount) | Self::Floor(amount) | Self::Ceiling(amount) => Some(*amount),
            Self::Discount(_) => None,
        }
    }
}

/// `fixed price`, `discount`, `floor`, `ceiling`.
impl fmt::Display for TermName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::FixedPrice => "fixed price",
            Self::Discount => "discount",
            Self::Floor => "floor",
            Self::Ceiling => "ceiling",
        })
    }
}

/// At most one term of each kind.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Applicable {
    pub(crate) fixed_price: Option<Money>,
    pub(crate) discount: Option<Discount>,
    pub(crate) floor: Option<Money>,
    pub(crate) ceiling: Option<Money>,
}

impl Applicable {
    fn take(&mut self, term: Term) {
        match term {
            Term::FixedPrice(price) => self.fixed_price = Some(price),
            Term::Discount(discount) => self.discount = Some(discount),
            Term::Floor(floor) => self.floor = Some(floor),
            Term::Ceiling(ceiling) => self.ceiling = Some(ceiling),
        }
    }
}

#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    id: ContractId,
    first_day: Date,
    last_day: Option<Date>,
    terms: Vec<ScopedTerm>,
}

#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
struct ScopedTerm {
    #[serde(flatten)]
    scope: ScopeParts,
    term: Term,
}

#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
struct ScopeParts {
    #[serde(default)]
    model: Option<Model>,
    #[serde(default)]
    kind: Option<TokenKind>,
}

#[cfg(feature = "serde")]
impl TryFrom<Parts> for Contract {
    type Error = PricingError;

    fn try_from(parts: Parts) -> Result<Self, PricingError> {
        let contract = Self::new(parts.id, parts.first_day, parts.last_day)?;
        parts
            .terms
            .into_iter()
            .try_fold(contract, |contract, ScopedTerm { scope, term }| {
                let ScopeParts { model, kind } = scope;
                contract.with(Scope { model, kind }, term)
            })
    }
}

#[cfg(feature = "serde")]
impl From<Contract> for Parts {
    fn from(contract: Contract) -> Self {
        let terms = contract.terms.into_iter();
        let terms = terms.map(|(Scope { model, kind }, term)| ScopedTerm {
            scope: ScopeParts { model, kind },
            term,
        });
        Self {
            id: contract.id,
            first_day: contract.first_day,
            last_day: contract.last_day,
            terms: terms.collect(),
        }
    }
}
