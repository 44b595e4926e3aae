//! Who could be behind an account? Labeled consumers of eight kinds, made from a seed.
//!
//! No public data set labels shared keys of language-model services, so this generator is the
//! project's own benchmark. Every seed is a world of its own: numbers of networks, prices, sizes of
//! rings, hours, how much of the hosting is on any list, all are drawn anew from wide ranges, so that
//! a detector tuned to one world's constants fails in the next.
//!
//! | kind | what is modeled | whom it resembles |
//! |---|---|---|
//! | home | a line, a phone, one to three clients, waking hours; one in ten travels | a thief's victim |
//! | office | 3 to 25 people behind up to three addresses; half work from home at times, and 15 % are spread over up to five countries | a ring |
//! | CI fleet | bursts from 15 to 3000 addresses of one to three clouds, listed as hosting or not | a ring, by addresses |
//! | serverless fleet | the same as an even stream | a ring, by addresses |
//! | VPN user | two to eight exits in many countries, listed or not, and sometimes the line at home | a ring, by travel |
//! | reseller ring | 5 to 50 strangers, a quarter of the rings in one country, half with one tool | a distributed office |
//! | leaked key | one of the first four, and from some day on a thief from a cloud, a VPN or a home, 15 % with the victim's tool | somebody who moved |
//! | new fraudster | an account of some hours that spends 60 to 900 a day until it is stopped | a launch |
//!
//! Of the honest, 6 % move in the time that is seen: another network, mostly another tool, and up to
//! six times the use, all at once. One in five is new, and 12 % of the new offices and fleets launch
//! with bills as large as a fraudster's. What is not modeled: whoever adapts to the rules, and several accounts
//! that act together.

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
