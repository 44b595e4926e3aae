//! How does a store talk to its servers, and under which keys does it write?

use std::fmt;
use std::time::Duration;

use bursar_ratelimit::Dimension;
use redis::RedisError;
use thiserror::Error;

/// How a [`RedisStore`](crate::RedisStore) works. The default suits one server in the same data
/// center.
///
/// ```
/// use std::time::Duration;
/// use bursar_redis::{RedisSettings, RedisStore};
///
/// let settings = RedisSettings::default()
///     .prefix("gateway")
///     .timeout(Duration::from_millis(20))
///     .connections(2);
/// let store = RedisStore::single("redis://127.0.0.1:6379", settings)?;
/// # Ok::<(), bursar_redis::OpenError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisSettings {
    pub(crate) prefix: Box<str>,
    pub(crate) timeout: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) silence: Duration,
    pub(crate) connections: usize,
    pub(crate) keying: Keying,
    pub(crate) shared: Box<[Dimension]>,
    pub(crate) budget_retention: Option<Duration>,
    pub(crate) login: Option<Login>,
    pub(crate) database: i64,
}

/// Who logs in to a server that Sentinel has named.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Login {
    pub(crate) user: Option<String>,
    pub(crate) password: String,
}

impl fmt::Debug for Login {
    /// Without the password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Login")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// Which cells have to be on one server of a cluster.
///
/// A script decides over keys of one hash slot only, so the choice is between one exact decision over
/// everything and a load that spreads over the servers. It has to be the same in all processes, and a
/// change of it starts with fresh cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Keying {
    /// All cells under one tag, `{bursar}`.
    ///
    /// **Guarantee:** every request is decided under all its limits at once, exactly, in one round
    /// trip, on a single server and in a cluster. One server of a cluster does all the work.
    #[default]
    OneSlot,
    /// A tag for each key of this dimension, `{bursar:acme}`, and one for each cell of a
    /// [shared](RedisSettings::shared) dimension.
    ///
    /// **Guarantee:** the limits of a tenant (if [`Dimension::TENANT`] is chosen), its API keys
    /// included, are decided at once, exactly, in one round trip, and tenants spread over the
    /// cluster. What all tenants share (global, method) cannot be asked in the same script: let it
    /// come from leases ([`bursar_ratelimit`]'s `Leased` around this store), which adds the stated
    /// term of the leases to those limits alone.
    ///
    /// **Rule:** every call that is charged to a limit which is not shared must be charged to a limit
    /// of the chosen dimension too: that one names the tag. A call that lacks it, or that asks for
    /// cells of several slots, is an error ([`StoreError::Apart`](bursar_ratelimit::StoreError)), and
    /// nothing is charged.
    ByDimension(Dimension),
}

impl Default for RedisSettings {
    /// Prefix `bursar`, 50 ms for an answer, 2 s for a connection, one connection, all cells in one
    /// slot, budgets that are never forgotten.
    fn default() -> Self {
        Self {
            prefix: "bursar".into(),
            timeout: Duration::from_millis(50),
            connect_timeout: Duration::from_secs(2),
            silence: Duration::from_secs(1),
            connections: 1,
            keying: Keying::OneSlot,
            shared: Box::new([Dimension::GLOBAL, Dimension::METHOD]),
            budget_retention: None,
            login: None,
            database: 0,
        }
    }
}

impl RedisSettings {
    /// The first part of every key. Services that share a server but no limits need different ones.
    /// Letters, digits, `-`, `_` and `.`, at most 100 of them.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<Box<str>>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// How long a call waits for its answer, connecting included. In one data center an answer takes
    /// a fraction of a millisecond; 50 ms are for a server that forks to save its data or a packet
    /// that is sent twice. A call that takes longer is
    /// [`TimedOut`](bursar_ratelimit::StoreError::TimedOut), and its charge may have landed.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long an attempt to connect may take. It goes on while calls time out.
    #[must_use]
    pub const fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// After how long without any answer a connection on which calls time out is given up for a new
    /// one; a second unless said otherwise.
    #[must_use]
    pub const fn silence(mut self, silence: Duration) -> Self {
        self.silence = silence;
        self
    }

    /// How many connections calls are spread over, from 1 to 64. One carries any number of calls at
    /// once; more help when a single one keeps a core busy.
    #[must_use]
    pub const fn connections(mut self, connections: usize) -> Self {
        self.connections = connections;
        self
    }

    /// Which cells are in one slot of a cluster.
    #[must_use]
    pub const fn keying(mut self, keying: Keying) -> Self {
        self.keying = keying;
        self
    }

    /// The dimensions whose cells all share, so that they cannot be under the tag of
    /// [`Keying::ByDimension`]: [`Dimension::GLOBAL`] and [`Dimension::METHOD`] unless said otherwise.
    #[must_use]
    pub fn shared(mut self, dimensions: impl IntoIterator<Item = Dimension>) -> Self {
        self.shared = dimensions.into_iter().collect();
        self
    }

    /// How long a [budget](bursar_ratelimit::Budget)'s cell is kept after its last use. Unless said
    /// otherwise it is kept for ever: what was spent under a key whose cell is gone counts as
    /// nothing. A budget with the month in its key can go some months later.
    #[must_use]
    pub const fn budget_retention(mut self, retention: Duration) -> Self {
        self.budget_retention = Some(retention);
        self
    }

    /// User (the default one if there is none) and password for the server that Sentinel names; other
    /// servers have them in their URL.
    #[must_use]
    pub fn login(mut self, user: Option<&str>, password: &str) -> Self {
        self.login = Some(Login {
            user: user.map(str::to_owned),
            password: password.to_owned(),
        });
        self
    }

    /// The number of the database on the server that Sentinel names; other servers have it in their
    /// URL.
    #[must_use]
    pub const fn database(mut self, number: i64) -> Self {
        self.database = number;
        self
    }

    pub(crate) fn checked(self) -> Result<Self, OpenError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if self.prefix.is_empty() || self.prefix.len() > 100 || !self.prefix.bytes().all(plain) {
            return Err(OpenError::Prefix(self.prefix.into()));
        }
        if !(1..=64).contains(&self.connections) {
            return Err(OpenError::Connections(self.connections));
        }
        Ok(self)
    }
}

/// Why a store cannot be made. No connection is tried for it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// A URL that is none, or names what this build cannot do.
    #[error("the Redis URL is not usable; give one like redis://user:password@host:6379/0")]
    Url(#[source] RedisError),
    /// A prefix that would not stay one part of a key.
    #[error("the prefix `{0}` is not 1 to 100 letters, digits, `-`, `_` or `.`; choose another")]
    Prefix(String),
    /// None, or more than help.
    #[error("{0} connections are not possible; ask for 1 to 64")]
    Connections(usize),
    /// The operating system gives no random numbers, and without them reservations of two processes
    /// might have one identity.
    #[error("the operating system gives no random numbers")]
    Random(#[source] getrandom::Error),
}
