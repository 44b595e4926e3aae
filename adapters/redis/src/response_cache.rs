//! Which answers of models do many processes share? The [`ResponseCache`] on a server.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bursar_model_router::{CacheError, CacheKey, CachedAnswer, ResponseCache};
use jiff::Timestamp;
use redis::{RedisError, Value};
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::connection::{Line, Source};
use crate::script::{Call, Script};
use crate::settings::{OpenError, RedisSettings};

const GET: &str = "return redis.call('GET', KEYS[1])";
const PUT: &str = "redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) return 1";
const REMOVE: &str = "return redis.call('DEL', KEYS[1])";

/// Answers of models that many processes share on Redis or Valkey.
///
/// Cloning gives another handle to the same connections. Calls need a Tokio runtime with its timer.
///
/// **Keys.** `<prefix>:answer:1:<digest>`, strings, JSON of [`CachedAnswer`]; nothing of a request is in a
/// key but its digest, and the answer is in the value as it is. They expire by themselves (`PX`), and a
/// cluster spreads them over its servers. `maxmemory-policy allkeys-lru` suits a server that has nothing
/// else, and does not suit one that has rate limits.
///
/// **Time.** An answer is gone for the caller from its deadline on by the caller's clock, and on the server
/// after the time that was left when it was put.
///
/// **Failure.** A call that takes longer than [`RedisSettings::timeout`], that fails, or that finds
/// something else under a key is a [`CacheError`], which the
/// [`AnswerCache`](bursar_model_router::AnswerCache) counts and takes for nothing found: a broken server
/// costs a request at most one time-out. While a connection is being made again calls fail at once.
///
/// ```no_run
/// use std::sync::Arc;
/// use bursar_model_router::{AnswerCache, Clock, InvocationError, StandardCachePolicy};
/// use bursar_redis::{RedisResponseCache, RedisSettings};
///
/// # fn example(clock: Arc<dyn Clock>) -> Result<(), Box<dyn std::error::Error>> {
/// let store = RedisResponseCache::single("redis://127.0.0.1:6379", RedisSettings::default())?;
/// let cache: AnswerCache<InvocationError> =
///     AnswerCache::new(Arc::new(store), Arc::new(StandardCachePolicy::default()), clock);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RedisResponseCache(Arc<Inner>);

struct Inner {
    settings: RedisSettings,
    lines: Box<[Arc<Line>]>,
    next: AtomicUsize,
    get: Script,
    put: Script,
    remove: Script,
}

impl fmt::Debug for RedisResponseCache {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RedisResponseCache")
            .field("settings", &self.0.settings)
            .finish_non_exhaustive()
    }
}

/// Why a call has no result.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("redis has not answered within {0:?}")]
    TimedOut(Duration),
    #[error("redis failed: {0}")]
    Redis(#[from] RedisError),
    #[error("calls need a Tokio runtime: {0}")]
    Runtime(#[from] tokio::runtime::TryCurrentError),
    #[error("what is kept under the key is no answer of this version: {0}")]
    Damaged(#[from] serde_json::Error),
    #[error("what is kept under the key is no text")]
    Type,
}

impl RedisResponseCache {
    /// Answers on one server: `redis://user:password@host:6379/0`, or `redis+unix:///path`.
    ///
    /// No connection is made before the first call.
    ///
    /// # Errors
    ///
    /// Refuses a URL or settings that cannot be used.
    pub fn single(url: &str, settings: RedisSettings) -> Result<Self, OpenError> {
        Self::new(Source::single(url), settings)
    }

    /// Answers on the server that Sentinel calls the master of `name`; the URLs are those of the
    /// sentinels.
    ///
    /// # Errors
    ///
    /// Refuses URLs or settings that cannot be used.
    pub fn sentinel(urls: &[&str], name: &str, settings: RedisSettings) -> Result<Self, OpenError> {
        Self::new(Source::sentinel(urls, name, &settings), settings)
    }

    /// Answers spread over a cluster, some of whose servers are named.
    ///
    /// # Errors
    ///
    /// Refuses URLs or settings that cannot be used.
    pub fn cluster(urls: &[&str], settings: RedisSettings) -> Result<Self, OpenError> {
        Self::new(Source::cluster(urls, &settings), settings)
    }

    fn new(source: Result<Source, RedisError>, settings: RedisSettings) -> Result<Self, OpenError> {
        let settings = settings.checked()?;
        let source = Arc::new(source.map_err(OpenError::Url)?);
        let (connect, silence) = (settings.connect_timeout, settings.silence);
        let line = |_| Arc::new(Line::new(Arc::clone(&source), connect, silence));
        Ok(Self(Arc::new(Inner {
            lines: (0..settings.connections).map(line).collect(),
            next: AtomicUsize::new(0),
            get: Script::new(GET),
            put: Script::new(PUT),
            remove: Script::new(REMOVE),
            settings,
        })))
    }

    fn key(&self, key: &CacheKey) -> String {
        format!("{}:answer:1:{key}", self.0.settings.prefix)
    }

    /// Runs a script within the time that a call may take. Each of them may run twice.
    async fn run(
        &self,
        script: &Script,
        key: String,
        arguments: &[Vec<u8>],
    ) -> Result<Value, Failure> {
        let inner = &*self.0;
        // Outside of a runtime the client library panics.
        Handle::try_current()?;
        let call = Call {
            script,
            keys: &[key],
            arguments,
            may_repeat: true,
        };
        let next = inner.next.fetch_add(1, Ordering::Relaxed);
        let line = &inner.lines[next % inner.lines.len()];
        match timeout(inner.settings.timeout, line.run(&call)).await {
            Ok(result) => Ok(result?),
            Err(_) => {
                line.timed_out();
                Err(Failure::TimedOut(inner.settings.timeout))
            }
        }
    }

    async fn find(&self, key: &CacheKey) -> Result<Option<CachedAnswer>, Failure> {
        match self.run(&self.0.get, self.key(key), &[]).await? {
            Value::Nil => Ok(None),
            Value::BulkString(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            _ => Err(Failure::Type),
        }
    }

    async fn keep(
        &self,
        key: &CacheKey,
        kept: &CachedAnswer,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let left = kept
            .expires_at
            .as_millisecond()
            .saturating_sub(now.as_millisecond());
        if kept.expires_at <= now {
            self.run(&self.0.remove, self.key(key), &[]).await?;
            return Ok(());
        }
        // Part of a millisecond counts as a whole one, since Redis refuses none.
        let left = left.clamp(1, LONGEST.as_millis() as i64);
        let arguments = [serde_json::to_vec(kept)?, left.to_string().into_bytes()];
        self.run(&self.0.put, self.key(key), &arguments).await?;
        Ok(())
    }
}

/// Redis refuses times beyond what its clock can count; nobody keeps an answer for a hundred years.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 86_400);

#[async_trait]
impl ResponseCache for RedisResponseCache {
    async fn get(
        &self,
        key: &CacheKey,
        now: Timestamp,
    ) -> Result<Option<CachedAnswer>, CacheError> {
        let found = self.find(key).await.map_err(CacheError::new)?;
        Ok(found.filter(|kept| now < kept.expires_at))
    }

    async fn put(
        &self,
        key: &CacheKey,
        kept: &CachedAnswer,
        now: Timestamp,
    ) -> Result<(), CacheError> {
        self.keep(key, kept, now).await.map_err(CacheError::new)
    }
}
