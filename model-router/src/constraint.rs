//! Which models cannot serve a request, and why not?

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use bursar_units::Money;
use serde::Serialize;

use crate::candidate::{CandidateCost, Latency, Situation, TokenRange};
use crate::entry::ModelEntry;
use crate::feature::Feature;
use crate::name::{ModelId, ProviderId};

/// What a request demands of a model, whatever the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Constraint {
    /// Input and output fit the context window.
    ContextWindow,
    /// The answer may be as long as the request allows.
    MaxOutput,
    /// The model does what is needed.
    Features,
    /// The answer comes in time.
    Deadline,
    /// The cost is known.
    Price,
    /// The cost stays under the budget, however long the answer.
    Budget,
    /// The provider is allowed.
    Provider,
    /// The provider answers at present.
    Health,
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::ContextWindow => "context window",
            Self::MaxOutput => "maximum output",
            Self::Features => "features",
            Self::Deadline => "deadline",
            Self::Price => "price",
            Self::Budget => "budget",
            Self::Provider => "providers",
            Self::Health => "health",
        })
    }
}

/// Why a model cannot serve a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// Input and output together are longer than the context window.
    ContextWindow {
        /// As many tokens may be needed.
        needed: u64,
        /// As many there are.
        window: u64,
    },
    /// The answer may be longer than the model's answers can be.
    MaxOutput {
        /// As many tokens are allowed by the request.
        needed: u64,
        /// As many the model can give.
        most: u64,
    },
    /// The model does not do this.
    Lacks {
        /// What.
        feature: Feature,
    },
    /// It is not known whether the model does this.
    FeatureUnknown {
        /// What.
        feature: Feature,
    },
    /// The answer may take too long.
    Deadline {
        /// As long may it take.
        upper: Duration,
        /// As long there is.
        deadline: Duration,
    },
    /// There is a deadline, and it is not known how long the model takes.
    LatencyUnknown,
    /// It is not known what the model costs.
    PriceUnknown,
    /// The cost has too many digits to be told exactly.
    PriceTooLong,
    /// The cost may exceed the budget.
    Budget {
        /// What it may cost.
        upper_bound: Money,
        /// What there is.
        budget: Money,
    },
    /// The budget is in another currency than the prices.
    BudgetCurrency {
        /// What there is.
        budget: Money,
        /// What it may cost.
        upper_bound: Money,
    },
    /// The provider is not allowed.
    Provider {
        /// Which.
        provider: ProviderId,
    },
    /// The provider does not answer at present.
    Unhealthy {
        /// Which.
        provider: ProviderId,
    },
}

impl Reason {
    /// What it breaks.
    #[must_use]
    pub const fn constraint(&self) -> Constraint {
        match self {
            Self::ContextWindow { .. } => Constraint::ContextWindow,
            Self::MaxOutput { .. } => Constraint::MaxOutput,
            Self::Lacks { .. } | Self::FeatureUnknown { .. } => Constraint::Features,
            Self::Deadline { .. } | Self::LatencyUnknown => Constraint::Deadline,
            Self::PriceUnknown | Self::PriceTooLong => Constraint::Price,
            Self::Budget { .. } | Self::BudgetCurrency { .. } => Constraint::Budget,
            Self::Provider { .. } => Constraint::Provider,
            Self::Unhealthy { .. } => Constraint::Health,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ContextWindow { needed, window } => {
                write!(f, "needs {needed} tokens of context, has {window}")
            }
            Self::MaxOutput { needed, most } => {
                write!(
                    f,
                    "may have to answer with {needed} tokens, gives at most {most}"
                )
            }
            Self::Lacks { feature } => write!(f, "does not do {feature}"),
            Self::FeatureUnknown { feature } => write!(f, "is not known to do {feature}"),
            Self::Deadline { upper, deadline } => {
                let (upper, deadline) = (upper.as_millis(), deadline.as_millis());
                write!(f, "may take {upper} ms, must answer in {deadline} ms")
            }
            Self::LatencyUnknown => f.write_str("has a deadline, and its latency is not known"),
            Self::PriceUnknown => f.write_str("has no known price"),
            Self::PriceTooLong => f.write_str("has a cost of more digits than a decimal holds"),
            Self::Budget {
                upper_bound,
                budget,
            } => {
                write!(f, "may cost {upper_bound}, the budget is {budget}")
            }
            Self::BudgetCurrency {
                budget,
                upper_bound,
            } => {
                write!(
                    f,
                    "may cost {upper_bound}, and the budget is in {}",
                    budget.currency()
                )
            }
            Self::Provider { provider } => write!(f, "provider {provider} is not allowed"),
            Self::Unhealthy { provider } => write!(f, "provider {provider} does not answer"),
        }
    }
}

/// A model that cannot serve a request, with every reason and not only the first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rejection {
    /// The model.
    pub model: ModelId,
    /// Its provider.
    pub provider: ProviderId,
    /// Why not; at least one.
    pub reasons: Vec<Reason>,
}

/// `amazon.nova-micro-v1:0 (aws): does not do tools; may take 1500 ms, must answer in 1000 ms`.
impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): ", self.model, self.provider)?;
        for (at, reason) in self.reasons.iter().enumerate() {
            let separator = if at == 0 { "" } else { "; " };
            write!(f, "{separator}{reason}")?;
        }
        Ok(())
    }
}

/// No model can serve the request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RouteError {
    /// There is no model at all.
    #[error("the router knows no model")]
    NoModels,
    /// Each model breaks a constraint.
    #[error("none of {} models can serve the request: {}{}", .rejections.len(), broken(.rejections), remedy(.rejections))]
    NoneFits {
        /// Every model with its reasons.
        rejections: Vec<Rejection>,
    },
}

impl RouteError {
    /// The constraints of which one alone, if it were lifted, would let a model serve the request.
    #[must_use]
    pub fn binding(&self) -> BTreeSet<Constraint> {
        match self {
            Self::NoModels => BTreeSet::new(),
            Self::NoneFits { rejections } => binding(rejections),
        }
    }
}

fn constraints(rejection: &Rejection) -> BTreeSet<Constraint> {
    rejection.reasons.iter().map(Reason::constraint).collect()
}

fn binding(rejections: &[Rejection]) -> BTreeSet<Constraint> {
    let broken = rejections.iter().map(constraints);
    broken.filter(|it| it.len() == 1).flatten().collect()
}

/// `budget 3, deadline 1`.
fn broken(rejections: &[Rejection]) -> String {
    let mut counts = BTreeMap::<Constraint, usize>::new();
    for constraint in rejections.iter().flat_map(constraints) {
        let count = counts.entry(constraint).or_default();
        *count = count.saturating_add(1);
    }
    let counts = counts
        .iter()
        .map(|(constraint, count)| format!("{constraint} {count}"));
    counts.collect::<Vec<_>>().join(", ")
}

fn remedy(rejections: &[Rejection]) -> String {
    let binding: Vec<_> = binding(rejections)
        .iter()
        .map(Constraint::to_string)
        .collect();
    match binding.is_empty() {
        true => "; each breaks more than one of them".to_owned(),
        false => format!(
            "; one of these alone stands in the way: {}",
            binding.join(", ")
        ),
    }
}

/// A model that is asked whether it can serve a request.
pub(crate) struct Asked<'a> {
    pub(crate) entry: &'a ModelEntry,
    pub(crate) input_tokens: TokenRange,
    pub(crate) cost: &'a Result<CandidateCost, Reason>,
    pub(crate) latency: Option<Latency>,
}

/// Everything that keeps a model from serving a request.
pub(crate) fn reasons(
    asked: &Asked<'_>,
    situation: &Situation<'_>,
    unavailable: &BTreeSet<ProviderId>,
) -> Vec<Reason> {
    let Asked {
        entry,
        input_tokens,
        cost,
        latency,
    } = asked;
    let request = situation.request;
    let output = request.max_output_tokens();
    let needed = input_tokens.upper.saturating_add(output);
    let mut reasons = Vec::new();
    if let Some(window) = entry.context_window.filter(|window| *window < needed) {
        reasons.push(Reason::ContextWindow { needed, window });
    }
    if let Some(most) = entry.max_output_tokens.filter(|most| *most < output) {
        reasons.push(Reason::MaxOutput {
            needed: output,
            most,
        });
    }
    for feature in request.needs().without(entry.features).iter() {
        reasons.push(match entry.supports(feature) {
            Some(_) => Reason::Lacks { feature },
            None => Reason::FeatureUnknown { feature },
        });
    }
    if let Some(deadline) = request.deadline() {
        match latency {
            None => reasons.push(Reason::LatencyUnknown),
            Some(Latency { upper, .. }) if *upper > deadline => {
                let upper = *upper;
                reasons.push(Reason::Deadline { upper, deadline });
            }
            Some(_) => {}
        }
    }
    match (cost, request.budget()) {
        (Err(reason), _) => reasons.push(reason.clone()),
        (Ok(cost), Some(budget)) => reasons.extend(over_budget(cost.upper_bound, budget)),
        (Ok(_), None) => {}
    }
    let provider = &entry.provider;
    if request
        .providers()
        .is_some_and(|allowed| !allowed.contains(provider))
    {
        let provider = provider.clone();
        reasons.push(Reason::Provider { provider });
    }
    if unavailable.contains(provider) {
        let provider = provider.clone();
        reasons.push(Reason::Unhealthy { provider });
    }
    reasons
}

fn over_budget(upper_bound: Money, budget: Money) -> Option<Reason> {
    match upper_bound.try_cmp(&budget) {
        Ok(std::cmp::Ordering::Greater) => Some(Reason::Budget {
            upper_bound,
            budget,
        }),
        Ok(_) => None,
        Err(_) => Some(Reason::BudgetCurrency {
            budget,
            upper_bound,
        }),
    }
}
