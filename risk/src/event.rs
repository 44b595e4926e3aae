//! What happened? One request of an account, as the streaming signals take it in.

use std::net::IpAddr;

use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::signal::Code;
use crate::travel::Place;

/// One request that was served.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event {
    /// When it was made.
    pub at: Timestamp,
    /// When the account was made, if that is known.
    pub account_created: Option<Timestamp>,
    /// Where it came from.
    pub address: Option<IpAddr>,
    /// The autonomous system of the address.
    pub network: Option<u32>,
    /// The country of the address.
    pub country: Option<Code>,
    /// Where the address lies, if more than its country is known; else [`Place::of_country`] is used.
    pub place: Option<Place>,
    /// A fingerprint of the client, such as a hash of library, version and system.
    pub client: Option<u64>,
    /// Tokens in and out.
    pub tokens: u64,
    /// What it cost, in one currency for all events of an account.
    pub spend: Option<Decimal>,
}

impl Event {
    /// An event of which only the time is known.
    #[must_use]
    pub const fn new(at: Timestamp) -> Self {
        Self {
            at,
            account_created: None,
            address: None,
            network: None,
            country: None,
            place: None,
            client: None,
            tokens: 0,
            spend: None,
        }
    }
}
