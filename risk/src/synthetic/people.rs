//! From where, when and with what do people and machines make requests?

use super::kind::Kind;
use super::world::{Network, World};
use crate::signal::Code;

/// Somebody who makes requests: when awake, from where, with what, how much.
#[derive(Clone)]
pub(super) struct Person {
    pub(super) lines: Vec<Line>,
    pub(super) clients: Vec<u64>,
    /// Hours from UTC; waking hours follow from it. `None` never sleeps.
    pub(super) zone: Option<i64>,
    pub(super) sessions_per_day: f64,
    pub(super) requests: f64,
    pub(super) gap_seconds: f64,
    pub(super) tokens: f64,
}

/// A network in use, with how many addresses and how often.
#[derive(Clone, Copy)]
pub(super) struct Line {
    pub(super) network: Network,
    pub(super) pool: u32,
    pub(super) base: u32,
    pub(super) share: f64,
}

/// A line with more addresses than this is one of machines.
pub(super) const LARGEST_HOME: u32 = 12;

/// How many of the offices have their people at home in several countries.
const DISTRIBUTED: f64 = 0.15;

impl World {
    pub(super) fn people(&mut self, kind: Kind) -> Vec<Person> {
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
        let is_distributed = self.draw.chance(DISTRIBUTED);
        let remote = match is_distributed {
            true => self.draw.between(0.4, 0.9),
            false if self.draw.chance(0.5) => self.draw.between(0.0, 0.35),
            false => 0.0,
        };
        let mut countries = vec![desk.country];
        if is_distributed {
            for _ in 0..self.draw.whole(1, 4) {
                countries.push(self.access_network(None).country);
            }
        }
        let client = self.draw.word();
        let person = |world: &mut Self| {
            let country = world.draw.pick(&countries);
            let mut person = world.home(country);
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

    /// Somebody with rented machines, or a proxy, who does not sleep.
    pub(super) fn stranger(&mut self) -> Person {
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

    fn line(&mut self, network: Network, pool: u32, share: f64) -> Line {
        Line {
            network,
            pool: pool.max(1),
            base: self.draw.whole(0, 60_000),
            share,
        }
    }

    /// The same people after they have changed office, provider or tool, and grown by it.
    pub(super) fn moved(&mut self, people: &[Person]) -> Vec<Person> {
        let old = people.first().and_then(|person| person.lines.first());
        let Some(old) = old.copied() else {
            return people.to_vec();
        };
        let to = match old.pool > LARGEST_HOME {
            true => self.draw.pick(&self.hosting.clone()),
            false => Some(self.access_network(Some(old.network.country))),
        };
        let line = to.map(|to| self.line(to, old.pool, old.share));
        let tool = self.draw.chance(0.7).then(|| self.draw.word());
        let growth = self.draw.scale(1.0, 6.0);
        let mut moved = people.to_vec();
        for person in &mut moved {
            if let (Some(line), Some(place)) = (line, person.lines.first_mut()) {
                *place = line;
            }
            if let Some(tool) = tool {
                person.clients = vec![tool];
            }
            person.sessions_per_day *= growth;
        }
        moved
    }

    /// Makes bills as large as those of fraud.
    pub(super) fn launch(&mut self, people: &mut [Person]) {
        let a_day = |person: &Person| person.sessions_per_day * person.requests * person.tokens;
        let tokens: f64 = people.iter().map(a_day).sum();
        let factor = self.draw.scale(30.0, 600.0) / (tokens * self.price / 1e6).max(1e-9);
        for person in people {
            person.tokens *= factor.max(1.0);
        }
    }
}
