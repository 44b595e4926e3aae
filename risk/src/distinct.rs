//! Were more than T distinct addresses seen in a window? Exactly, with T + 1 pairs.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use jiff::Timestamp;

/// The part of an address that stands for a consumer's line, as one word: an address of IPv4 whole,
/// one of IPv6 by its /64, which is what one line is given (RFC 6177, RFC 7421).
///
/// No two lines share a word, so nothing is lost to hash collisions: a /64 below `0:0:ffff:ffff::`
/// belongs to the block that RFC 4291 keeps reserved, and an IPv4 address mapped into IPv6 is counted
/// as what it is.
///
/// ```
/// use bursar_risk::address_key;
///
/// assert_eq!(address_key("10.0.0.1".parse()?), address_key("::ffff:10.0.0.1".parse()?));
/// assert_eq!(address_key("2001:db8::1".parse()?), address_key("2001:db8::2:3".parse()?));
/// assert_ne!(address_key("2001:db8::1".parse()?), address_key("2001:db8:0:1::1".parse()?));
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[must_use]
pub fn address_key(address: IpAddr) -> u64 {
    match address {
        IpAddr::V4(four) => u64::from(four.to_bits()),
        IpAddr::V6(six) => match six.to_ipv4_mapped() {
            Some(four) => u64::from(four.to_bits()),
            None => prefix(six),
        },
    }
}

/// An address of a key: that of IPv4, or the first of the /64.
pub(crate) fn key_address(key: u64) -> IpAddr {
    match u32::try_from(key) {
        Ok(four) => IpAddr::V4(Ipv4Addr::from_bits(four)),
        Err(_) => IpAddr::V6(Ipv6Addr::from_bits(u128::from(key) << 64)),
    }
}

fn prefix(address: Ipv6Addr) -> u64 {
    u64::try_from(address.to_bits() >> 64).unwrap_or(u64::MAX)
}

/// The T + 1 values that were seen last, each with when. More than T distinct values lie in a window
/// if and only if the (T + 1)-th most recent lies in it, so nothing else needs to be kept.
///
/// With T = 10 it takes 192 bytes: 11 pairs of 16 bytes behind a pointer of 16.
///
/// ```
/// use bursar_risk::RecentDistinct;
/// use jiff::Timestamp;
/// use std::time::Duration;
///
/// let hour = Duration::from_secs(3600);
/// let at = |second| Timestamp::from_second(second);
/// let mut addresses = RecentDistinct::new(2);
/// addresses.insert(7, at(0)?);
/// addresses.insert(8, at(10)?);
/// addresses.insert(7, at(20)?);
/// assert!(!addresses.is_over(hour, at(20)?));
/// addresses.insert(9, at(30)?);
/// assert!(addresses.is_over(hour, at(30)?));
/// // An hour after 8 was seen there are two again.
/// assert_eq!(addresses.count(hour, at(3_610)?), 2);
/// # Ok::<(), jiff::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "SavedPairs", into = "SavedPairs"))]
pub struct RecentDistinct {
    pairs: Box<[Pair]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pair {
    value: u64,
    /// In milliseconds since 1970.
    last_seen: i64,
}

/// Before every time that a `Timestamp` can hold.
const NEVER: i64 = i64::MIN;

impl RecentDistinct {
    /// Decides about more than `threshold` values.
    #[must_use]
    pub fn new(threshold: u16) -> Self {
        let empty = Pair {
            value: 0,
            last_seen: NEVER,
        };
        Self {
            pairs: vec![empty; usize::from(threshold) + 1].into_boxed_slice(),
        }
    }

    /// Takes a value in. Events may come in any order.
    pub fn insert(&mut self, value: u64, at: Timestamp) {
        let last_seen = at.as_millisecond();
        let mut oldest = 0;
        for index in 0..self.pairs.len() {
            let pair = &mut self.pairs[index];
            if pair.value == value && pair.last_seen != NEVER {
                pair.last_seen = pair.last_seen.max(last_seen);
                return;
            }
            if pair.last_seen < self.pairs[oldest].last_seen {
                oldest = index;
            }
        }
        if last_seen > self.pairs[oldest].last_seen {
            self.pairs[oldest] = Pair { value, last_seen };
        }
    }

    /// How many distinct values were seen after `now − window`: exact up to the threshold, and one
    /// more than the threshold for any larger number. What is later than `now` counts as seen.
    #[must_use]
    pub fn count(&self, window: Duration, now: Timestamp) -> usize {
        let window = i64::try_from(window.as_millis()).unwrap_or(i64::MAX);
        let start = now.as_millisecond().saturating_sub(window);
        let is_within = |pair: &&Pair| pair.last_seen > start && pair.last_seen != NEVER;
        self.pairs.iter().filter(is_within).count()
    }

    /// Whether more than the threshold were seen after `now − window`.
    #[must_use]
    pub fn is_over(&self, window: Duration, now: Timestamp) -> bool {
        self.count(window, now) == self.pairs.len()
    }

    /// Takes in what another one saw, such as another process.
    pub fn merge(&mut self, other: &Self) {
        for pair in other.pairs.iter().filter(|pair| pair.last_seen != NEVER) {
            if let Ok(at) = Timestamp::from_millisecond(pair.last_seen) {
                self.insert(pair.value, at);
            }
        }
    }

    /// Up to how many values are counted exactly.
    #[must_use]
    pub fn threshold(&self) -> usize {
        self.pairs.len() - 1
    }

    /// The values that are remembered, each with when it was seen last.
    pub(crate) fn seen(&self) -> impl Iterator<Item = (u64, i64)> {
        let seen = self.pairs.iter().filter(|pair| pair.last_seen != NEVER);
        seen.map(|pair| (pair.value, pair.last_seen))
    }

    /// The bytes it takes, with what it points to.
    #[must_use]
    pub fn size_in_memory(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.pairs)
    }
}

/// The places for pairs, empty ones as none: value and milliseconds since 1970.
#[cfg(feature = "serde")]
type SavedPairs = Vec<Option<(u64, i64)>>;

#[cfg(feature = "serde")]
impl From<RecentDistinct> for SavedPairs {
    fn from(recent: RecentDistinct) -> Self {
        let saved = |pair: &Pair| (pair.last_seen != NEVER).then_some((pair.value, pair.last_seen));
        recent.pairs.iter().map(saved).collect()
    }
}

#[cfg(feature = "serde")]
impl TryFrom<SavedPairs> for RecentDistinct {
    type Error = String;

    fn try_from(saved: SavedPairs) -> Result<Self, String> {
        let threshold = saved.len().checked_sub(1);
        let threshold = threshold.and_then(|threshold| u16::try_from(threshold).ok());
        let threshold = threshold.ok_or_else(|| {
            format!(
                "{} pairs of addresses are none or too many: make the state anew from its source",
                saved.len()
            )
        })?;
        let mut recent = Self::new(threshold);
        let mut values = std::collections::BTreeSet::new();
        for (pair, saved) in recent.pairs.iter_mut().zip(saved) {
            let Some((value, last_seen)) = saved else {
                continue;
            };
            if !values.insert(value) {
                return Err(format!(
                    "the address {value} is saved twice: make the state anew from its source"
                ));
            }
            let last_seen = crate::format::check_time(last_seen)?;
            *pair = Pair { value, last_seen };
        }
        Ok(recent)
    }
}
