//! What do all accounts of a seed have in common? Networks, prices, and how much is abused.

use jiff::{SignedDuration, Timestamp};

use super::draw::Draw;
use super::kind::Kind;
use super::{LabeledEvent, start};
use crate::signal::Code;

/// A network with the country it serves.
#[derive(Clone, Copy)]
pub(super) struct Network {
    pub(super) number: u32,
    pub(super) country: Code,
    /// The first two bytes of its addresses.
    pub(super) block: u16,
}

/// What all accounts of a seed have in common.
pub(super) struct World {
    pub(super) draw: Draw,
    pub(super) days: u32,
    pub(super) access: Vec<Network>,
    pub(super) hosting: Vec<Network>,
    pub(super) vpn: Vec<Network>,
    /// Money for a million tokens.
    pub(super) price: f64,
    /// How much of the accounts is abused.
    pub(super) abused: f64,
    pub(super) activity: f64,
}

/// How many of the new and honest businesses have large bills from the first day on: about one in a
/// hundred of all accounts.
const LAUNCHES: f64 = 0.12;

const LISTED_HOSTING: &[u32] = &[16509, 14618, 15169, 8075, 14061, 24940, 16276, 31898];
const LISTED_VPN: &[u32] = &[9009, 60068, 212_238, 62240, 39351];
const COUNTRIES: &[&str] = &[
    "US", "DE", "GB", "FR", "IN", "BR", "CN", "JP", "KR", "VN", "ID", "RU", "UA", "PL", "TR", "NL",
    "ES", "IT", "CA", "AU", "MX", "NG", "PK", "PH", "SG", "TH", "EG", "AR", "SE", "CH",
];

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let mut draw = Draw::new(seed);
        let access = (0..draw.whole(60, 250))
            .map(|_| network(&mut draw, None))
            .collect();
        // How much of the hosting a service's list knows differs from world to world.
        let known = draw.between(0.2, 0.9);
        let hosting = (0..draw.whole(4, 14))
            .map(|_| rented(&mut draw, LISTED_HOSTING, known))
            .collect();
        let vpn = (0..draw.whole(6, 20))
            .map(|_| rented(&mut draw, LISTED_VPN, known))
            .collect();
        Self {
            days: draw.whole(10, 18),
            access,
            hosting,
            vpn,
            price: draw.scale(1.0, 15.0),
            abused: draw.between(0.12, 0.3),
            activity: draw.scale(0.5, 2.0),
            draw,
        }
    }

    pub(super) fn account(&mut self, account: u32, events: &mut Vec<LabeledEvent>) {
        let kind = self.kind(account);
        let first_day = if self.draw.chance(0.2) {
            self.draw.between(0.0, 0.6)
        } else {
            0.0
        };
        let is_new = kind == Kind::NewFraudster || first_day > 0.0;
        let from = first_day * f64::from(self.days);
        let age = if is_new {
            self.draw.between(0.0, 0.3)
        } else {
            self.draw.scale(5.0, 900.0)
        };
        let created = at_day(from - age);
        let mut made = Vec::new();
        match kind {
            Kind::LeakedKey => self.leak(from, &mut made),
            Kind::NewFraudster => self.fraud(from, &mut made),
            _ => {
                let mut people = self.people(kind);
                if kind.is_abused() {
                    let until = f64::from(self.days);
                    self.live(&people, from, until, true, &mut made);
                } else {
                    let is_business = !matches!(kind, Kind::Home | Kind::VpnUser);
                    if first_day > 0.0 && is_business && self.draw.chance(LAUNCHES) {
                        self.launch(&mut people);
                    }
                    self.honest(people, from, &mut made);
                }
            }
        }
        events.extend(made.into_iter().map(|(mut event, is_abuse)| {
            event.account_created = Some(created);
            LabeledEvent {
                account,
                kind,
                is_abuse,
                event,
            }
        }));
    }

    /// The first eight accounts are one of each kind, so that small worlds have all.
    fn kind(&mut self, account: u32) -> Kind {
        if let Some(kind) = Kind::ALL.get(account as usize) {
            return *kind;
        }
        if self.draw.chance(self.abused) {
            let bad = [Kind::ResellerRing, Kind::LeakedKey, Kind::NewFraudster];
            return self.draw.pick(&bad).unwrap_or(Kind::ResellerRing);
        }
        match self.draw.unit() {
            x if x < 0.40 => Kind::Home,
            x if x < 0.60 => Kind::Office,
            x if x < 0.72 => Kind::CiFleet,
            x if x < 0.82 => Kind::ServerlessFleet,
            _ => Kind::VpnUser,
        }
    }

    pub(super) fn access_network(&mut self, country: Option<Code>) -> Network {
        let near = |network: &&Network| country.is_none_or(|country| network.country == country);
        let near: Vec<Network> = self.access.iter().filter(near).copied().collect();
        let found = self.draw.pick(&near);
        found.unwrap_or_else(|| network(&mut self.draw, country))
    }
}

fn network(draw: &mut Draw, country: Option<Code>) -> Network {
    let drawn = draw.pick(COUNTRIES).and_then(|code| Code::new(code).ok());
    let fallback = Code::new("US").expect("two letters are a code");
    Network {
        number: draw.whole(1000, 399_999),
        country: country.or(drawn).unwrap_or(fallback),
        block: draw.whole(0x0b00, 0xdf00) as u16,
    }
}

/// A network of machines for rent, which lists know with a certain chance.
fn rented(draw: &mut Draw, listed: &[u32], known: f64) -> Network {
    let mut network = network(draw, None);
    if let (true, Some(number)) = (draw.chance(known), draw.pick(listed)) {
        network.number = number;
    }
    network
}

pub(super) fn at_day(day: f64) -> Timestamp {
    let millis = SignedDuration::from_millis((day * 86_400_000.0) as i64);
    start().checked_add(millis).unwrap_or(Timestamp::MAX)
}
