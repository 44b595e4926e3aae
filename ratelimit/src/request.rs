//! What does a request want? Who it comes from and what it costs, resolved to charges.

use smallvec::SmallVec;
use thiserror::Error;

use crate::limit::{Absence, Limit};
use crate::name::{Dimension, Unit};
use crate::quota::Quota;

/// Who asks, and for how much.
///
/// ```
/// use bursar_ratelimit::{Dimension, Request, Unit};
///
/// let request = Request::new()
///     .tenant("acme")
///     .api_key("key-17")
///     .method("chat")
///     .key(Dimension::new("region")?, "eu")
///     .tier("enterprise")
///     .cost(Unit::TOKENS, 1_200);
/// # Ok::<(), bursar_ratelimit::NameError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Request<'a> {
    keys: SmallVec<[(Dimension, &'a str); 6]>,
    tier: Option<&'a str>,
    costs: SmallVec<[(Unit, u64); 4]>,
}

impl<'a> Request<'a> {
    /// A request that costs one of [`Unit::REQUESTS`] and says nothing else.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Who the request is from in the given dimension; the last word for a dimension counts.
    #[must_use]
    pub fn key(mut self, dimension: Dimension, key: &'a str) -> Self {
        match self.keys.iter_mut().find(|(name, _)| *name == dimension) {
            Some((_, old)) => *old = key,
            None => self.keys.push((dimension, key)),
        }
        self
    }

    /// The customer.
    #[must_use]
    pub fn tenant(self, tenant: &'a str) -> Self {
        self.key(Dimension::TENANT, tenant)
    }

    /// The API key.
    #[must_use]
    pub fn api_key(self, api_key: &'a str) -> Self {
        self.key(Dimension::API_KEY, api_key)
    }

    /// The operation.
    #[must_use]
    pub fn method(self, method: &'a str) -> Self {
        self.key(Dimension::METHOD, method)
    }

    /// The customer's plan, for limits that differ by plan.
    #[must_use]
    pub fn tier(mut self, tier: &'a str) -> Self {
        self.tier = Some(tier);
        self
    }

    /// What the request costs in a unit; the last word for a unit counts.
    #[must_use]
    pub fn cost(mut self, unit: Unit, cost: u64) -> Self {
        match self.costs.iter_mut().find(|(name, _)| *name == unit) {
            Some((_, old)) => *old = cost,
            None => self.costs.push((unit, cost)),
        }
        self
    }

    fn key_of(&self, dimension: Dimension) -> Option<&'a str> {
        if dimension == Dimension::GLOBAL {
            return Some("");
        }
        let found = self.keys.iter().find(|(name, _)| *name == dimension);
        found.map(|(_, key)| *key)
    }

    fn cost_of(&self, unit: Unit) -> Option<u64> {
        let found = self.costs.iter().find(|(name, _)| *name == unit);
        let default = (unit == Unit::REQUESTS || unit == Unit::CONCURRENT_REQUESTS).then_some(1);
        found.map(|(_, cost)| *cost).or(default)
    }
}

/// One limit that a request has to pass: the key it is counted under, its quota and its cost.
#[derive(Clone, Copy, Debug)]
pub struct Charge<'a> {
    limit: &'a Limit,
    quota: &'a Quota,
    key: &'a str,
    cost: u64,
}

impl<'a> Charge<'a> {
    /// A charge of `cost` under `key`, with a quota that the caller looked up, for example in a
    /// customer's contract.
    #[must_use]
    pub const fn new(limit: &'a Limit, quota: &'a Quota, key: &'a str, cost: u64) -> Self {
        Self {
            limit,
            quota,
            key,
            cost,
        }
    }

    /// The limit.
    #[must_use]
    pub const fn limit(&self) -> &'a Limit {
        self.limit
    }

    /// The quota that holds for this key.
    #[must_use]
    pub const fn quota(&self) -> &'a Quota {
        self.quota
    }

    /// Who is charged; empty for [`Dimension::GLOBAL`].
    #[must_use]
    pub const fn key(&self) -> &'a str {
        self.key
    }

    /// How much.
    #[must_use]
    pub const fn cost(&self) -> u64 {
        self.cost
    }
}

/// Everything that a request has to pass at once. Up to eight charges need no allocation.
#[derive(Clone, Debug, Default)]
pub struct Charges<'a>(SmallVec<[Charge<'a>; 8]>);

impl<'a> Charges<'a> {
    /// Charges put together by the caller.
    ///
    /// # Errors
    ///
    /// Refuses two charges of one limit: the same bucket would be asked twice in one decision.
    pub fn new(charges: impl IntoIterator<Item = Charge<'a>>) -> Result<Self, ResolveError> {
        let charges: SmallVec<[Charge<'a>; 8]> = charges.into_iter().collect();
        for (index, charge) in charges.iter().enumerate() {
            let name = charge.limit.name();
            if charges[..index].iter().any(|one| one.limit.name() == name) {
                return Err(ResolveError::ChargedTwice {
                    limit: name.to_owned(),
                });
            }
        }
        Ok(Self(charges))
    }

    /// The charges in the order of the limits.
    #[must_use]
    pub fn as_slice(&self) -> &[Charge<'a>] {
        &self.0
    }
}

/// Why a request cannot be matched with the limits. It is the caller's mistake, so nothing is
/// decided.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// The request does not say who it is from.
    #[error(
        "limit `{limit}` needs the request's {dimension}; name it with `Request::key`, or make the limit optional"
    )]
    MissingKey {
        /// The limit.
        limit: String,
        /// What the request should name.
        dimension: Dimension,
    },
    /// The request does not say what it costs.
    #[error(
        "limit `{limit}` needs the request's cost in {unit}; name it with `Request::cost`, or make the limit optional"
    )]
    MissingCost {
        /// The limit.
        limit: String,
        /// The unit of the cost.
        unit: Unit,
    },
    /// One limit is charged twice in one decision.
    #[error("limit `{limit}` is charged twice in one decision; add the costs up")]
    ChargedTwice {
        /// The limit.
        limit: String,
    },
}

/// What `limit` charges for `request`, nothing if it does not apply.
pub(crate) fn charge<'a>(
    limit: &'a Limit,
    request: &Request<'a>,
) -> Result<Option<Charge<'a>>, ResolveError> {
    let Some(key) = request.key_of(limit.dimension()) else {
        return unless_skipped(limit, || ResolveError::MissingKey {
            limit: limit.name().to_owned(),
            dimension: limit.dimension(),
        });
    };
    let Some(cost) = request.cost_of(limit.unit()) else {
        return unless_skipped(limit, || ResolveError::MissingCost {
            limit: limit.name().to_owned(),
            unit: limit.unit(),
        });
    };
    let quota = limit.quota_of(key, request.tier);
    Ok(Some(Charge::new(limit, quota, key, cost)))
}

fn unless_skipped<'a>(
    limit: &Limit,
    error: impl FnOnce() -> ResolveError,
) -> Result<Option<Charge<'a>>, ResolveError> {
    match limit.absence() {
        Absence::Skip => Ok(None),
        Absence::Error => Err(error()),
    }
}

impl<'a> Charges<'a> {
    /// One charge for each limit that applies; limits have distinct names already.
    pub(crate) fn resolve(
        limits: &'a [Limit],
        request: &Request<'a>,
    ) -> Result<Self, ResolveError> {
        let mut charges = SmallVec::new();
        for limit in limits {
            charges.extend(charge(limit, request)?);
        }
        Ok(Self(charges))
    }
}
