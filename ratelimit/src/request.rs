//! What does a request want? Who it comes from and what it costs, resolved to charges.

use smallvec::SmallVec;
use thiserror::Error;

use crate::limit::{Absence, Limit};
use crate::name::{Dimension, DimensionRole, Unit, UnitRole};
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
    tenant: Option<&'a str>,
    api_key: Option<&'a str>,
    method: Option<&'a str>,
    /// Keys of other dimensions.
    others: SmallVec<[(Dimension, &'a str); 2]>,
    tier: Option<&'a str>,
    requests: Option<u64>,
    tokens: Option<u64>,
    /// Costs in other units.
    costs: SmallVec<[(Unit, u64); 2]>,
}

impl<'a> Request<'a> {
    /// A request that costs one of [`Unit::REQUESTS`] and says nothing else.
    #[inline]
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Who the request is from in the given dimension; the last word for a dimension counts.
    #[must_use]
    pub fn key(mut self, dimension: Dimension, key: &'a str) -> Self {
        match dimension.role() {
            // There is one key in all, whatever it is called.
            DimensionRole::Global => {}
            DimensionRole::Tenant => self.tenant = Some(key),
            DimensionRole::ApiKey => self.api_key = Some(key),
            DimensionRole::Method => self.method = Some(key),
            DimensionRole::Other => put(&mut self.others, dimension, key),
        }
        self
    }

    /// The customer.
    #[inline]
    #[must_use]
    pub fn tenant(mut self, tenant: &'a str) -> Self {
        self.tenant = Some(tenant);
        self
    }

    /// The API key.
    #[inline]
    #[must_use]
    pub fn api_key(mut self, api_key: &'a str) -> Self {
        self.api_key = Some(api_key);
        self
    }

    /// The operation.
    #[inline]
    #[must_use]
    pub fn method(mut self, method: &'a str) -> Self {
        self.method = Some(method);
        self
    }

    /// The customer's plan, for limits that differ by plan.
    #[inline]
    #[must_use]
    pub fn tier(mut self, tier: &'a str) -> Self {
        self.tier = Some(tier);
        self
    }

    /// What the request costs in a unit; the last word for a unit counts.
    #[inline]
    #[must_use]
    pub fn cost(mut self, unit: Unit, cost: u64) -> Self {
        match unit.role() {
            UnitRole::Requests => self.requests = Some(cost),
            UnitRole::Tokens => self.tokens = Some(cost),
            UnitRole::ConcurrentRequests | UnitRole::Other => put(&mut self.costs, unit, cost),
        }
        self
    }

    #[inline]
    fn key_for(&self, limit: &Limit) -> Option<&'a str> {
        match limit.dimension_role() {
            DimensionRole::Global => Some(""),
            DimensionRole::Tenant => self.tenant,
            DimensionRole::ApiKey => self.api_key,
            DimensionRole::Method => self.method,
            DimensionRole::Other => find(&self.others, limit.dimension()),
        }
    }

    #[inline]
    fn cost_for(&self, limit: &Limit) -> Option<u64> {
        match limit.unit_role() {
            UnitRole::Requests => self.requests.or(Some(1)),
            UnitRole::Tokens => self.tokens,
            UnitRole::ConcurrentRequests => find(&self.costs, limit.unit()).or(Some(1)),
            UnitRole::Other => find(&self.costs, limit.unit()),
        }
    }
}

fn put<N: PartialEq, V>(pairs: &mut SmallVec<[(N, V); 2]>, name: N, value: V) {
    match pairs.iter_mut().find(|(one, _)| *one == name) {
        Some((_, old)) => *old = value,
        None => pairs.push((name, value)),
    }
}

fn find<N: PartialEq, V: Copy>(pairs: &[(N, V)], name: N) -> Option<V> {
    let found = pairs.iter().find(|(one, _)| *one == name);
    found.map(|(_, value)| *value)
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

    /// The same, field by field: copied as a whole it would be read in wider words than those in which
    /// it has just been written, for which processors wait until the writes have reached the cache.
    #[inline]
    pub(crate) const fn copied(&self) -> Self {
        Self {
            limit: self.limit,
            quota: self.quota,
            key: self.key,
            cost: self.cost,
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

/// What it means that a request lacks the key, or else the cost, that a limit asks for.
#[cold]
fn absent(limit: &Limit, key: Option<&str>) -> Result<(), ResolveError> {
    match (limit.absence(), key) {
        (Absence::Skip, _) => Ok(()),
        (Absence::Error, None) => Err(ResolveError::MissingKey {
            limit: limit.name().to_owned(),
            dimension: limit.dimension(),
        }),
        (Absence::Error, Some(_)) => Err(ResolveError::MissingCost {
            limit: limit.name().to_owned(),
            unit: limit.unit(),
        }),
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
            match (request.key_for(limit), request.cost_for(limit)) {
                (Some(key), Some(cost)) => {
                    let quota = limit.quota_of(key, request.tier);
                    charges.push(Charge::new(limit, quota, key, cost));
                }
                (key, _) => absent(limit, key)?,
            }
        }
        Ok(Self(charges))
    }
}
