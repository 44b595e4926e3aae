//! Who could be behind an account? Labeled consumers of eight kinds, made from a seed.
//!
//! No public data set labels shared keys of language-model services, so this generator is the
//! project's own benchmark. Every seed is a world of its own: numbers of networks, prices, sizes of
//! rings, hours, how much of the hosting is on any list, all are drawn anew from wide ranges, so that
//! a detector tuned to one world's constants fails in the next. Kinds are made hard on purpose: offices
//! with people at home, travelers, VPN users with unlisted exits, young accounts with large and honest
//! bills, rings of five.

mod conduct;
mod draw;
mod kind;
mod people;
mod world;

use jiff::Timestamp;

pub use self::kind::Kind;
use self::world::World;
use crate::event::Event;

/// An event with its account and the truth about it.
#[derive(Debug, Clone, PartialEq)]
pub struct LabeledEvent {
    /// The account's number in its world.
    pub account: u32,
    /// Who is behind the account.
    pub kind: Kind,
    /// Whether this request is abuse; of a leaked key only the thief's are.
    pub is_abuse: bool,
    /// What was seen.
    pub event: Event,
}

/// Makes the events of `accounts` accounts over about two weeks, ordered by time.
///
/// ```
/// use bursar_risk::synthetic::{Kind, generate};
///
/// let events = generate(7, 60);
/// assert_eq!(events, generate(7, 60));
/// assert!(events.iter().any(|labeled| labeled.kind == Kind::ResellerRing));
/// assert!(events.is_sorted_by_key(|labeled| labeled.event.at));
/// ```
#[must_use]
pub fn generate(seed: u64, accounts: u32) -> Vec<LabeledEvent> {
    let mut world = World::new(seed);
    let mut events = Vec::new();
    for account in 0..accounts {
        world.account(account, &mut events);
    }
    events.sort_by_key(|labeled| (labeled.event.at, labeled.account));
    events
}

/// The first moment of every world, 2027-01-15 08:00 UTC.
fn start() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap_or(Timestamp::UNIX_EPOCH)
}
