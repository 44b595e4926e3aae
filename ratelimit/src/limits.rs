//! Which limits does a service have? A checked set of them, and a ready one.

use std::collections::HashSet;

use thiserror::Error;

use crate::limit::Limit;
use crate::name::{Dimension, Unit};
use crate::quota::{QuotaError, Rate};
use crate::request::{Charges, Request, ResolveError};

/// The limits of a service, all of which a request has to pass.
///
/// A set never changes. To change limits while the service runs, put a new set in the old one's
/// place: limits are known by their names, and each key's state is carried over to its new quota when
/// it is next used.
///
/// ```
/// use bursar_ratelimit::{Limits, Request, Unit};
///
/// let limits = Limits::preset()?;
/// let request = Request::new()
///     .tenant("acme")
///     .api_key("key-17")
///     .method("chat")
///     .cost(Unit::TOKENS, 1_200);
/// let charges = limits.resolve(&request)?;
/// assert_eq!(charges.as_slice().len(), 5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Limits(Box<[Limit]>);

/// Why limits do not make a set.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LimitsError {
    /// Two limits of one name would share their buckets.
    #[error("two limits are named `{0}`; give each a name of its own")]
    DuplicateName(String),
    /// A name that a header or a key of a store could not carry.
    #[error(
        "the limit name `{0}` is empty, longer than 100 bytes or not printable ASCII; rename it"
    )]
    Name(String),
    /// A quota of the set cannot be.
    #[error("a quota of the set is not possible")]
    Quota(#[from] QuotaError),
}

impl Limits {
    /// A set of limits.
    ///
    /// # Errors
    ///
    /// Refuses two limits of one name, and names that are empty, longer than 100 bytes or not
    /// printable ASCII.
    pub fn new(limits: impl IntoIterator<Item = Limit>) -> Result<Self, LimitsError> {
        let limits: Box<[Limit]> = limits.into_iter().collect();
        let mut names = HashSet::new();
        for limit in &limits {
            let name = limit.name();
            let printable = name.bytes().all(|byte| (b' '..=b'~').contains(&byte));
            if name.is_empty() || name.len() > 100 || !printable {
                return Err(LimitsError::Name(name.to_owned()));
            }
            if !names.insert(name) {
                return Err(LimitsError::DuplicateName(name.to_owned()));
            }
        }
        Ok(Self(limits))
    }

    /// The limits of a typical gateway: 100 000 requests a minute in all; 10 000 a minute and 1500 at
    /// once for each tenant; 1000 requests and 100 000 tokens a minute for each API key; 500 requests
    /// a minute for each method of an API.
    ///
    /// # Errors
    ///
    /// None in practice: the numbers are valid quotas.
    pub fn preset() -> Result<Self, LimitsError> {
        Self::new([
            Limit::new(
                "global",
                Dimension::GLOBAL,
                Unit::REQUESTS,
                Rate::per_minute(100_000)?,
            ),
            Limit::new(
                "tenant",
                Dimension::TENANT,
                Unit::REQUESTS,
                Rate::per_minute(10_000)?.burst(1_500)?,
            ),
            Limit::new(
                "key",
                Dimension::API_KEY,
                Unit::REQUESTS,
                Rate::per_minute(1_000)?,
            ),
            Limit::new(
                "key-tokens",
                Dimension::API_KEY,
                Unit::TOKENS,
                Rate::per_minute(100_000)?,
            ),
            Limit::new(
                "method",
                Dimension::METHOD,
                Unit::REQUESTS,
                Rate::per_minute(500)?,
            ),
        ])
    }

    /// The charges of a request, one for each limit that applies to it.
    ///
    /// # Errors
    ///
    /// Says which limit needs a key or a cost that the request does not name.
    pub fn resolve<'a>(&'a self, request: &Request<'a>) -> Result<Charges<'a>, ResolveError> {
        Charges::resolve(&self.0, request)
    }

    /// The limits in the order in which they were given.
    #[must_use]
    pub fn as_slice(&self) -> &[Limit] {
        &self.0
    }
}
