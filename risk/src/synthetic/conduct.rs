//! What do they do, day by day? Sessions of requests, the thief's and the fraudster's among them.

use std::net::{IpAddr, Ipv4Addr};

use rust_decimal::Decimal;

use super::kind::Kind;
use super::people::{LARGEST_HOME, Line, Person};
use super::world::{World, at_day};
use crate::event::Event;

/// How many of the honest accounts move in the time that is seen, which is about every eight months.
const MOVES: f64 = 0.06;

impl World {
    /// Honest use, which may change all at once: that alone makes nobody a thief.
    pub(super) fn honest(&mut self, people: Vec<Person>, from: f64, made: &mut Vec<(Event, bool)>) {
        let until = f64::from(self.days);
        if !self.draw.chance(MOVES) {
            return self.live(&people, from, until, false, made);
        }
        let day = from + (until - from) * self.draw.between(0.3, 0.8);
        self.live(&people, from, day, false, made);
        let moved = self.moved(&people);
        self.live(&moved, day, until, false, made);
    }

    pub(super) fn leak(&mut self, from: f64, made: &mut Vec<(Event, bool)>) {
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

    pub(super) fn fraud(&mut self, from: f64, made: &mut Vec<(Event, bool)>) {
        let mut person = self.stranger();
        let spend_per_day = self.draw.scale(60.0, 900.0);
        let requests = self.draw.scale(80.0, 500.0);
        person.sessions_per_day = requests / person.requests;
        person.tokens = spend_per_day / self.price * 1e6 / requests;
        let until = (from + self.draw.scale(0.5, 5.0)).min(f64::from(self.days));
        self.live(&[person], from, until, true, made);
    }

    pub(super) fn live(
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
        let is_fleet = line.pool > LARGEST_HOME;
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
