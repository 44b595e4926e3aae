//! Where is the endpoint, and how is it spoken to?

use std::fmt;
use std::time::Duration;

use bursar_model_router::TokenLimitName;

/// An endpoint that is compatible with OpenAI's.
#[derive(Clone)]
#[must_use]
pub struct OpenAiSettings {
    pub(crate) base_url: String,
    pub(crate) api_key: Option<String>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) token_limit: TokenLimitName,
    pub(crate) connect_timeout: Duration,
    pub(crate) read_timeout: Duration,
}

/// Why settings make no client.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The address is none.
    #[error("`{url}` is no address of an endpoint; it begins with https:// or http://")]
    Url {
        /// What was given.
        url: String,
    },
    /// A name or a value cannot be a header field.
    #[error("`{name}` is no header field, or its value has characters that a field cannot have")]
    Header {
        /// The name that was given. The value may be a secret.
        name: String,
    },
    /// The client cannot be built.
    #[error("the HTTP client cannot be built")]
    Client(#[source] reqwest::Error),
}

impl OpenAiSettings {
    /// The time in which a connection must be made, if nothing else is set.
    pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

    /// The time between two pieces of an answer, if nothing else is set. Models that think long are silent
    /// for minutes.
    pub const READ_TIMEOUT: Duration = Duration::from_secs(300);

    /// The endpoint at this address, to which `/chat/completions` is added.
    pub fn new(base_url: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            api_key: None,
            headers: Vec::new(),
            token_limit: TokenLimitName::default(),
            connect_timeout: Self::CONNECT_TIMEOUT,
            read_timeout: Self::READ_TIMEOUT,
        }
    }

    /// With this key as the bearer token.
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.api_key = Some(key.into());
        self
    }

    /// With a further header field in each request, such as `OpenAI-Organization`.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// With this name of the most tokens of an answer.
    pub fn token_limit(mut self, name: TokenLimitName) -> Self {
        self.token_limit = name;
        self
    }

    /// With this time in which a connection must be made.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// With this time between two pieces of an answer. For the whole answer there is no limit here: the
    /// caller drops the future.
    pub fn read_timeout(mut self, timeout: Duration) -> Self {
        self.read_timeout = timeout;
        self
    }
}

/// Without the key and the values of header fields.
impl fmt::Debug for OpenAiSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("OpenAiSettings")
            .field("base_url", &self.base_url)
            .field("api_key", &self.api_key.as_ref().map(|_| "…"))
            .field("headers", &names)
            .field("token_limit", &self.token_limit)
            .field("connect_timeout", &self.connect_timeout)
            .field("read_timeout", &self.read_timeout)
            .finish()
    }
}
