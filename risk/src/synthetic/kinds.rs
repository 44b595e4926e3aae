//! How does each kind of consumer behave? Sessions of requests from places, with clients.

use std::net::{IpAddr, Ipv4Addr};

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use super::draw::Draw;
use super::{LabeledEvent, start};
use crate::event::Event;
use crate::signal::Code;

/// Who is behind an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// One person with a line at home and a phone, who may travel.
    Home,
    /// People behind one address, some of them at home.
    Office,
    /// Build machines: bursts from many addresses of a cloud.
    CiFleet,
    /// Functions: an even stream from many addresses of a cloud.
    ServerlessFleet,
    /// One person behind changing exits of a VPN.
    VpnUser,
    /// Strangers in many countries who share a key.
    ResellerRing,
    /// An honest account whose key a thief uses from some day on.
    LeakedKey,
    /// A new account that spends what it will not pay.
    NewFraudster,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::Home,
        Self::Office,
        Self::CiFleet,
        Self::ServerlessFleet,
        Self::VpnUser,
        Self::ResellerRing,
        Self::LeakedKey,
        Self::NewFraudster,
    ];

    /// The label in files, such as `reseller_ring`.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Home => "home",
            Self::Office => "office",
            Self::CiFleet => "ci_fleet",
            Self::ServerlessFleet => "serverless_fleet",
            Self::VpnUser => "vpn_user",
            Self::ResellerRing => "reseller_ring",
            Self::LeakedKey => "leaked_key",
            Self::NewFraudster => "new_fraudster",
        }
    }

    /// Whether such an account is abused, or abuses.
    #[must_use]
    pub const fn is_abused(self) -> bool {
        matches!(
            self,
            Self::ResellerRing | Self::LeakedKey | Self::NewFraudster
        )
    }
}

/// A network with the country it serves.
#[derive(Clone, Copy)]
struct Network {
    number: u32,
    country: Code,
    /// The first two bytes of its addresses.
    block: u16,
}

/// Somebody who makes requests: when awake, from where, with what, how much.
#[derive(Clone)]
struct Person {
    lines: Vec<Line>,
    clients: Vec<u64>,
    /// Hours from UTC; waking hours follow from it. `None` never sleeps.
    zone: Option<i64>,
    sessions_per_day: f64,
    requests: f64,
    gap_seconds: f64,
    tokens: f64,
}

/// A network in use, with how many addresses and how often.
#[derive(Clone, Copy)]
struct Line {
    network: Network,
    pool: u32,
    base: u32,
    share: f64,
}

/// What all accounts of a seed have in common.
pub(super) struct World {
    draw: Draw,
    days: u32,
    access: Vec<Network>,
    hosting: Vec<Network>,
    vpn: Vec<Network>,
    /// Money for a million tokens.
    price: f64,
    /// How much of the accounts is abused.
    abused: f64,
    activity: f64,
}

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
                let people = self.people(kind);
                let until = f64::from(self.days);
                self.live(&people, from, until, kind.is_abused(), &mut made);
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

    fn people(&mut self, kind: Kind) -> Vec<Person> {
        match kind {
            Kind::Office => self.office(),
            Kind::CiFleet | Kind::ServerlessFleet => vec![self.fleet(kind)],
            Kind::VpnUser => vec![self.vpn_user()],
            Kind::ResellerRing => self.ring(),
            Kind::Home | Kind::LeakedKey | Kind::NewFraudster => vec![self.home(None)],
        }
    }

    fn home(&mut self, country: Option<Code>) -> Person {
        let line = self.access_network(country);
        let mobile = self.access_network(Some(line.country));
        let abroad = self.access_network(None);
        let mobile_share = self.draw.between(0.0, 0.4);
        let mut lines = vec![self.line(line, 3, 1.0 - mobile_share)];
        lines.push(self.line(mobile, 12, mobile_share));
        if self.draw.chance(0.1) {
            lines.push(self.line(abroad, 3, 0.04));
        }
        let n_clients = self.draw.whole(1, 3);
        let activity = self.activity;
        Person {
            lines,
            clients: (0..n_clients).map(|_| self.draw.word()).collect(),
            zone: Some(i64::from(self.draw.whole(0, 23)) - 11),
            sessions_per_day: self.draw.scale(0.5, 3.0) * activity,
            requests: self.draw.scale(3.0, 12.0),
            gap_seconds: self.draw.scale(20.0, 200.0),
            tokens: self.draw.scale(400.0, 6000.0),
        }
    }

    fn office(&mut self) -> Vec<Person> {
        let desk = self.access_network(None);
        let line_pool = self.draw.whole(1, 3);
        let desk_line = self.line(desk, line_pool, 1.0);
        let zone = Some(i64::from(self.draw.whole(0, 23)) - 11);
        let remote = if self.draw.chance(0.5) {
            self.draw.between(0.0, 0.35)
        } else {
            0.0
        };
        let client = self.draw.word();
        let person = |world: &mut Self| {
            let mut person = world.home(Some(desk.country));
            person.zone = zone;
            if world.draw.chance(0.7) {
                person.clients = vec![client];
            }
            let at_home = person.lines[0];
            person.lines = vec![desk_line];
            if remote > 0.0 {
                person.lines.push(Line {
                    share: remote,
                    ..at_home
                });
            }
            person.sessions_per_day *= 0.7;
            person
        };
        (0..self.draw.whole(3, 25)).map(|_| person(self)).collect()
    }

    fn fleet(&mut self, kind: Kind) -> Person {
        let pool = self.draw.scale(15.0, 3000.0) as u32;
        let mut lines = Vec::new();
        for _ in 0..self.draw.whole(1, 3) {
            let network = self.draw.pick(&self.hosting.clone());
            lines.extend(network.map(|network| self.line(network, pool, 1.0)));
        }
        let is_even = kind == Kind::ServerlessFleet;
        let per_day = self.draw.scale(15.0, 90.0) * self.activity;
        Person {
            lines,
            clients: vec![self.draw.word()],
            zone: None,
            sessions_per_day: if is_even { per_day } else { per_day / 12.0 },
            requests: if is_even { 1.0 } else { 12.0 },
            gap_seconds: self.draw.scale(1.0, 30.0),
            tokens: self.draw.scale(500.0, 20_000.0),
        }
    }

    fn vpn_user(&mut self) -> Person {
        let mut person = self.home(None);
        let own = self.draw.between(0.0, 0.4);
        person.lines.truncate(1);
        person.lines[0].share = own;
        let one_company = self.draw.chance(0.6);
        let first = self.draw.pick(&self.vpn.clone());
        for _ in 0..self.draw.whole(2, 8) {
            let exit = self.draw.pick(&self.vpn.clone()).zip(first);
            let exit = exit.map(|(exit, first)| Network {
                // One company's exits in many countries share its number, more often than not.
                number: if one_company {
                    first.number
                } else {
                    exit.number
                },
                ..exit
            });
            person
                .lines
                .extend(exit.map(|exit| self.line(exit, 6, 0.3)));
        }
        person
    }

    fn ring(&mut self) -> Vec<Person> {
        let members = self.draw.scale(5.0, 50.0) as u32;
        // One tool for all, or each his own.
        let tool = self.draw.chance(0.5).then(|| self.draw.word());
        let one_country = self
            .draw
            .chance(0.25)
            .then(|| self.access_network(None).country);
        let member = |world: &mut Self| {
            let mut person = world.home(one_country);
            person.sessions_per_day = world.draw.scale(0.4, 2.5) * world.activity;
            if world.draw.chance(0.15) {
                let exit = world.draw.pick(&world.vpn.clone());
                person.lines.clear();
                person
                    .lines
                    .extend(exit.map(|exit| world.line(exit, 6, 1.0)));
            }
            if let Some(tool) = tool {
                person.clients = vec![tool];
            }
            person
        };
        (0..members).map(|_| member(self)).collect()
    }

    fn leak(&mut self, from: f64, made: &mut Vec<(Event, bool)>) {
        let victims = [
            Kind::Home,
            Kind::Office,
            Kind::CiFleet,
            Kind::ServerlessFleet,
        ];
        let victim = self.draw.pick(&victims).unwrap_or(Kind::Home);
        let people = self.people(victim);
        let until = f64::from(self.days);
        self.live(&people, from, until, false, made);
        let usual = made.len() as f64 / (until - from).max(1.0);
        let stolen = from + (until - from) * self.draw.between(0.35, 0.85);
        let end = (stolen + self.draw.scale(0.2, 4.0)).min(until);
        let mut thief = self.stranger();
        let same_tool = self.draw.chance(0.15);
        if let (true, Some(person)) = (same_tool, people.first()) {
            thief.clients.clone_from(&person.clients);
        }
        let rate = (usual * self.draw.scale(1.5, 15.0)).clamp(30.0, 900.0);
        thief.sessions_per_day = rate / thief.requests;
        self.live(&[thief], stolen, end, true, made);
    }

    fn fraud(&mut self, from: f64, made: &mut Vec<(Event, bool)>) {
        let mut person = self.stranger();
        let spend_per_day = self.draw.scale(60.0, 900.0);
        let requests = self.draw.scale(80.0, 500.0);
        person.sessions_per_day = requests / person.requests;
        person.tokens = spend_per_day / self.price * 1e6 / requests;
        let until = (from + self.draw.scale(0.5, 5.0)).min(f64::from(self.days));
        self.live(&[person], from, until, true, made);
    }

    /// Somebody with rented machines, or a proxy, who does not sleep.
    fn stranger(&mut self) -> Person {
        let mut lines = Vec::new();
        for _ in 0..self.draw.whole(1, 3) {
            let source = match self.draw.unit() {
                x if x < 0.5 => self.hosting.clone(),
                x if x < 0.7 => self.vpn.clone(),
                _ => self.access.clone(),
            };
            let pool = self.draw.whole(1, 8);
            let network = self.draw.pick(&source);
            lines.extend(network.map(|network| self.line(network, pool, 1.0)));
        }
        Person {
            lines,
            clients: (0..self.draw.whole(1, 2))
                .map(|_| self.draw.word())
                .collect(),
            zone: None,
            sessions_per_day: 1.0,
            requests: self.draw.scale(5.0, 40.0),
            gap_seconds: self.draw.scale(2.0, 40.0),
            tokens: self.draw.scale(1000.0, 15_000.0),
        }
    }

    fn access_network(&mut self, country: Option<Code>) -> Network {
        let near = |network: &&Network| country.is_none_or(|country| network.country == country);
        let near: Vec<Network> = self.access.iter().filter(near).copied().collect();
        let found = self.draw.pick(&near);
        found.unwrap_or_else(|| network(&mut self.draw, country))
    }

    fn line(&mut self, network: Network, pool: u32, share: f64) -> Line {
        Line {
            network,
            pool: pool.max(1),
            base: self.draw.whole(0, 60_000),
            share,
        }
    }

    fn live(
        &mut self,
        people: &[Person],
        from: f64,
        until: f64,
        is_abuse: bool,
        made: &mut Vec<(Event, bool)>,
    ) {
        for person in people {
            let mut day = from;
            loop {
                day += self
                    .draw
                    .exponential(1.0 / person.sessions_per_day.max(0.01));
                if day >= until {
                    break;
                }
                if self.is_awake(person, day) {
                    self.session(person, day, is_abuse, made);
                }
            }
        }
    }

    /// Between 8 and 23 by the clock of the person, or with a small chance at night.
    fn is_awake(&mut self, person: &Person, day: f64) -> bool {
        let Some(zone) = person.zone else { return true };
        let hour = (day * 24.0 + 8.0 + zone as f64).rem_euclid(24.0);
        (8.0..23.0).contains(&hour) || self.draw.chance(0.05)
    }

    fn session(
        &mut self,
        person: &Person,
        day: f64,
        is_abuse: bool,
        made: &mut Vec<(Event, bool)>,
    ) {
        let Some(line) = self.choose(&person.lines) else {
            return;
        };
        let client = self.draw.pick(&person.clients);
        let is_fleet = line.pool > 12;
        let mut address = self.address(&line);
        let mut second = day * 86_400.0;
        let requests = self
            .draw
            .exponential(person.requests)
            .ceil()
            .clamp(1.0, 200.0) as u32;
        for _ in 0..requests {
            // Each machine of a fleet has its own address.
            if is_fleet {
                address = self.address(&line);
            }
            let tokens = (person.tokens * self.draw.log_normal(0.8)).clamp(20.0, 2e6) as u64;
            let mut event = Event::new(at_day(second / 86_400.0));
            event.address = Some(address);
            event.network = Some(line.network.number);
            event.country = Some(line.network.country);
            event.client = client;
            event.tokens = tokens;
            event.spend = Some(Decimal::new((tokens as f64 * self.price) as i64, 6));
            made.push((event, is_abuse));
            second += self.draw.exponential(person.gap_seconds);
        }
    }

    fn choose(&mut self, lines: &[Line]) -> Option<Line> {
        let total: f64 = lines.iter().map(|line| line.share).sum();
        let mut left = self.draw.between(0.0, total);
        for line in lines {
            left -= line.share;
            if left < 0.0 {
                return Some(*line);
            }
        }
        lines.last().copied()
    }

    fn address(&mut self, line: &Line) -> IpAddr {
        let host = line.base + self.draw.whole(0, line.pool - 1);
        let bits = (u32::from(line.network.block) << 16) | (host & 0xffff);
        IpAddr::V4(Ipv4Addr::from_bits(bits))
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

fn at_day(day: f64) -> Timestamp {
    let millis = SignedDuration::from_millis((day * 86_400_000.0) as i64);
    start().checked_add(millis).unwrap_or(Timestamp::MAX)
}
