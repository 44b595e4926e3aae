//! Who asks, and for how much? From the head of a request to keys, tier and costs.

mod client_address;
mod extractor;

use bursar_ratelimit::{Dimension, Request, Unit};
use http::StatusCode;
use http::request::Parts;
use smallvec::SmallVec;
use thiserror::Error;

pub use client_address::{ClientAddress, ForwardedBy};
pub use extractor::{Extractor, hashed};

/// Reads from the head of a request what its limits need to know.
///
/// Every closure of this form is one; [`Extractor`] is one for the usual cases. What is only in the
/// body (a model's name, the length of a prompt) has to be put into the request's extensions or
/// headers by a layer before this one.
///
/// ```
/// use bursar_tower::{Extract, ExtractError, RequestFacts};
/// use bursar_ratelimit::Unit;
/// use http::request::Parts;
///
/// /// Put there by the layer that checks API keys.
/// #[derive(Clone)]
/// struct Customer { id: String, plan: &'static str }
///
/// fn extract(parts: &Parts) -> Result<RequestFacts, ExtractError> {
///     let customer: &Customer = parts
///         .extensions
///         .get()
///         .ok_or_else(|| ExtractError::Unauthenticated("API key".to_owned()))?;
///     Ok(RequestFacts::new()
///         .tenant(customer.id.as_str())
///         .tier(customer.plan)
///         .cost(Unit::TOKENS, 2_000))
/// }
/// # fn takes(_: impl Extract) {}
/// # takes(extract);
/// ```
pub trait Extract: Send + Sync + 'static {
    /// The facts of a request.
    ///
    /// # Errors
    ///
    /// When the request does not say what it has to; it is then answered with the error's status.
    fn extract(&self, parts: &Parts) -> Result<RequestFacts, ExtractError>;
}

impl<F> Extract for F
where
    F: Fn(&Parts) -> Result<RequestFacts, ExtractError> + Send + Sync + 'static,
{
    fn extract(&self, parts: &Parts) -> Result<RequestFacts, ExtractError> {
        self(parts)
    }
}

/// Who asks, and for how much: a [`Request`] that owns its texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestFacts {
    keys: SmallVec<[(Dimension, Box<str>); 4]>,
    tier: Option<Box<str>>,
    costs: SmallVec<[(Unit, u64); 4]>,
    exempt: bool,
}

impl RequestFacts {
    /// A request that says nothing; it costs one of [`Unit::REQUESTS`].
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A request that no limit applies to, such as a health check of one's own.
    #[must_use]
    pub fn exempt() -> Self {
        Self {
            exempt: true,
            ..Self::default()
        }
    }

    /// Who the request is from in the given dimension; the last word for a dimension counts.
    #[must_use]
    pub fn key(mut self, dimension: Dimension, key: impl Into<Box<str>>) -> Self {
        self.keys.retain(|(name, _)| *name != dimension);
        self.keys.push((dimension, key.into()));
        self
    }

    /// The customer.
    #[must_use]
    pub fn tenant(self, tenant: impl Into<Box<str>>) -> Self {
        self.key(Dimension::TENANT, tenant)
    }

    /// The API key, or better what stands for it; see [`hashed`].
    #[must_use]
    pub fn api_key(self, api_key: impl Into<Box<str>>) -> Self {
        self.key(Dimension::API_KEY, api_key)
    }

    /// The operation.
    #[must_use]
    pub fn method(self, method: impl Into<Box<str>>) -> Self {
        self.key(Dimension::METHOD, method)
    }

    /// The customer's plan. A client must not be able to choose it.
    #[must_use]
    pub fn tier(mut self, tier: impl Into<Box<str>>) -> Self {
        self.tier = Some(tier.into());
        self
    }

    /// What the request costs in a unit, or the estimate of it; the last word for a unit counts.
    #[must_use]
    pub fn cost(mut self, unit: Unit, cost: u64) -> Self {
        self.costs.retain(|(name, _)| *name != unit);
        self.costs.push((unit, cost));
        self
    }

    /// Whether no limit applies.
    #[must_use]
    pub const fn is_exempt(&self) -> bool {
        self.exempt
    }

    /// The same as the engine takes it.
    #[must_use]
    pub fn as_request(&self) -> Request<'_> {
        let mut request = Request::new();
        for (dimension, key) in &self.keys {
            request = request.key(*dimension, key);
        }
        for (unit, cost) in &self.costs {
            request = request.cost(*unit, *cost);
        }
        match &self.tier {
            Some(tier) => request.tier(tier),
            None => request,
        }
    }
}

/// Why a request does not say who it is from or what it costs. The client is told.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ExtractError {
    /// Nobody has shown who they are: status 401.
    #[error("the request carries no usable {0}; send one")]
    Unauthenticated(String),
    /// Something else is missing: status 400.
    #[error("the request carries no {0}; send one")]
    Missing(String),
    /// Something is there and makes no sense: status 400.
    #[error("the request's {what} cannot be used: {reason}")]
    Invalid {
        /// What it is.
        what: String,
        /// Why not.
        reason: String,
    },
    /// Anything else.
    #[error("{detail}")]
    Other {
        /// The status to answer with.
        status: StatusCode,
        /// What the client is told.
        detail: String,
    },
}

impl ExtractError {
    /// The status to answer with, unless the layer
    /// [says otherwise](crate::RateLimitLayer::error_status).
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
            Self::Missing(_) | Self::Invalid { .. } => StatusCode::BAD_REQUEST,
            Self::Other { status, .. } => *status,
        }
    }

    pub(crate) fn invalid(what: &str, reason: impl Into<String>) -> Self {
        Self::Invalid {
            what: what.to_owned(),
            reason: reason.into(),
        }
    }
}
