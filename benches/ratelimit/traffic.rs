//! Who asks, in which order, and for how many tokens?

use std::sync::atomic::{AtomicUsize, Ordering};

/// The burst of every limit: the largest that governor's 32-bit costs can ask for and that no bench
/// uses up.
pub(crate) const BURST: u32 = 1 << 31;

/// Methods of the API, of which there are few.
const METHODS: u64 = 16;
/// As many calls as keep a million keys out of the caches; the stream repeats after them.
const LONGEST: usize = 1 << 20;
/// Long enough that no branch predictor learns which calls are refused.
const SHORTEST: usize = 1 << 12;

/// One request.
pub(crate) struct Call {
    pub(crate) tenant: String,
    pub(crate) api_key: String,
    pub(crate) method: String,
    /// One token fits always. The whole burst never does, because every key has used a token.
    pub(crate) tokens: u32,
}

impl Call {
    /// The `number`-th caller, with keys of 32 bytes. Each API key has a tenant of its own, which is
    /// the worst case for the caches.
    pub(crate) fn of(number: u64, tokens: u32) -> Self {
        Self {
            tenant: format!("tenant-{:025x}", scattered(number)),
            api_key: format!("api-key-{:024x}", scattered(!number)),
            method: format!("method-{:025}", number % METHODS),
            tokens,
        }
    }
}

/// Which calls are refused, by their tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mix {
    Allowed,
    HalfRefused,
    Refused,
}

impl Mix {
    pub(crate) const ALL: [Self; 3] = [Self::Allowed, Self::HalfRefused, Self::Refused];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::HalfRefused => "half_refused",
            Self::Refused => "refused",
        }
    }

    fn tokens(self, random: u64) -> u32 {
        let refused = match self {
            Self::Allowed => false,
            Self::HalfRefused => random >> 63 == 1,
            Self::Refused => true,
        };
        if refused { BURST } else { 1 }
    }
}

/// Calls in the order in which they arrive, callers at random. Their texts lie in that order too:
/// a server has just read them from the network, so they are in the cache.
pub(crate) struct Traffic {
    /// A power of two of them.
    calls: Vec<Call>,
    next: AtomicUsize,
}

impl Traffic {
    pub(crate) fn new(keys: u64, mix: Mix) -> Self {
        let length = (keys as usize * 4)
            .clamp(SHORTEST, LONGEST)
            .next_power_of_two();
        let call = |number| {
            let random = scattered(number);
            Call::of(random % keys, mix.tokens(scattered(random)))
        };
        Self {
            calls: (0..length as u64).map(call).collect(),
            next: AtomicUsize::new(0),
        }
    }

    /// The calls from where the last stream ended, without end. Each thread takes its own.
    pub(crate) fn stream(&self) -> impl Iterator<Item = &Call> {
        let start = self.next.fetch_add(self.calls.len() / 3, Ordering::Relaxed);
        let mask = self.calls.len() - 1;
        (start..).map(move |index| &self.calls[index & mask])
    }
}

/// A bijection without a pattern: SplitMix64's finalizer.
const fn scattered(number: u64) -> u64 {
    let number = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}
