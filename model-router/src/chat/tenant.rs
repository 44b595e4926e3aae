//! For whom is a model asked?

use std::fmt;
use std::sync::Arc;

/// The longest name of a tenant, in bytes.
const MAX_LENGTH: usize = 256;

/// Why a text names no tenant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a tenant's name has 1 to {MAX_LENGTH} bytes, and this one has {length}")]
pub struct TenantIdError {
    /// Its length in bytes.
    pub length: usize,
}

/// A customer, a team or a user whose requests and answers are apart from those of others: any text of
/// 1 to 256 bytes. Cheap to clone.
///
/// ```
/// use bursar_model_router::{ChatRequest, TenantId};
///
/// let request = ChatRequest::user("Hello").tenant(TenantId::new("acme")?);
/// # Ok::<(), bursar_model_router::TenantIdError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TenantId(Arc<str>);

impl TenantId {
    /// The tenant of this name.
    ///
    /// # Errors
    /// [`TenantIdError`] if it is empty or too long.
    pub fn new(name: &str) -> Result<Self, TenantIdError> {
        match name.len() {
            1..=MAX_LENGTH => Ok(Self(name.into())),
            length => Err(TenantIdError { length }),
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl TryFrom<String> for TenantId {
    type Error = TenantIdError;

    fn try_from(name: String) -> Result<Self, TenantIdError> {
        Self::new(&name)
    }
}

impl From<TenantId> for String {
    fn from(tenant: TenantId) -> String {
        tenant.as_str().to_owned()
    }
}
