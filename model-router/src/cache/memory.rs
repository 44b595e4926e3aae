//! How are answers kept in this process?

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use foldhash::quality::FixedState;
use jiff::Timestamp;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{OptionsBuilder, Weighter};

use super::{CacheError, CacheKey, CachedAnswer, ResponseCache};
use crate::{ContentBlock, ImageSource};

/// Parts that are locked apart, so that threads do not wait for each other.
const PARTS: usize = 8;
/// What an entry takes beside its texts: its key, the structs and the map's place for it.
const OVERHEAD: u64 = 512;

/// Answers in the memory of this process, within a number of bytes.
///
/// What goes first when it is full is what was neither asked for again nor kept lately (a form of Clock-PRO,
/// Jiang, Chen and Zhang, USENIX 2005, by the crate `quick_cache`), so that many different requests do not
/// push out those that come again. An answer that is larger than an eighth of the memory is not kept.
///
/// ```
/// let cache = bursar_model_router::MemoryCache::new(64 << 20);
/// assert!(cache.is_empty());
/// ```
pub struct MemoryCache {
    entries: Cache<CacheKey, Entry, Weight, FixedState, DefaultLifecycle<CacheKey, Entry>>,
}

#[derive(Clone)]
struct Entry {
    kept: Arc<CachedAnswer>,
    bytes: u64,
}

#[derive(Clone)]
struct Weight;

impl Weighter<CacheKey, Entry> for Weight {
    fn weight(&self, _: &CacheKey, entry: &Entry) -> u64 {
        entry.bytes
    }
}

impl fmt::Debug for MemoryCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryCache")
            .field("answers", &self.len())
            .field("bytes", &self.bytes())
            .finish_non_exhaustive()
    }
}

impl MemoryCache {
    /// An empty cache that keeps answers in up to so many bytes.
    #[must_use]
    pub fn new(max_bytes: u64) -> Self {
        let typical = usize::try_from(max_bytes / (4 * OVERHEAD)).unwrap_or(usize::MAX);
        let options = OptionsBuilder::new()
            .shards(PARTS)
            .estimated_items_capacity(typical.clamp(PARTS, 1 << 20))
            .weight_capacity(max_bytes)
            .build()
            .expect("both capacities are given");
        Self {
            // The keys are digests already, so nobody can choose them to collide.
            entries: Cache::with_options(
                options,
                Weight,
                FixedState::default(),
                DefaultLifecycle::default(),
            ),
        }
    }

    /// How many answers are kept, expired ones that nobody has asked for again included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many bytes the answers take, as far as the lengths of their texts say.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.entries.weight()
    }
}

#[async_trait]
impl ResponseCache for MemoryCache {
    async fn get(
        &self,
        key: &CacheKey,
        now: Timestamp,
    ) -> Result<Option<CachedAnswer>, CacheError> {
        let Some(entry) = self.entries.get(key) else {
            return Ok(None);
        };
        if now < entry.kept.expires_at {
            return Ok(Some(CachedAnswer::clone(&entry.kept)));
        }
        let expired = |found: &Entry| found.kept.expires_at <= now;
        self.entries.remove_if(key, expired);
        Ok(None)
    }

    async fn put(
        &self,
        key: &CacheKey,
        kept: &CachedAnswer,
        now: Timestamp,
    ) -> Result<(), CacheError> {
        if kept.expires_at <= now {
            self.entries.remove(key);
            return Ok(());
        }
        let bytes = OVERHEAD + kept.answer.content.iter().map(size).sum::<u64>();
        let entry = Entry {
            kept: Arc::new(kept.clone()),
            bytes,
        };
        self.entries.insert(*key, entry);
        Ok(())
    }
}

/// The bytes that a block's texts take.
fn size(block: &ContentBlock) -> u64 {
    let bytes = match block {
        ContentBlock::Text(text) => text.len(),
        ContentBlock::Image(image) => match &image.source {
            ImageSource::Bytes(bytes) => bytes.len(),
            ImageSource::Uri(uri) => uri.len(),
        },
        ContentBlock::Reasoning { text, signature } => {
            text.len() + signature.as_ref().map_or(0, String::len)
        }
        ContentBlock::ToolUse(tool_use) => tool_use.name.len() + tool_use.input.to_string().len(),
        ContentBlock::ToolResult(result) => result.content.len(),
        ContentBlock::CachePoint(_) => 0,
    };
    bytes as u64 + 64
}
