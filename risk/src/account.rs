//! What does the stream of an account's requests say about it? Signals in about two kilobytes.

use std::time::Duration;

use jiff::Timestamp;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::distinct::{RecentDistinct, address_key};
use crate::event::Event;
use crate::history::History;
use crate::networks::HostingNetworks;
use crate::shares::{DAY_MS, FadingShare, Shares};
use crate::signal::{Code, Context, Signal};
use crate::sketch::{DistinctCount, DistinctSketch};
use crate::travel::{IMPOSSIBLE_KMH, Place};
use crate::window::{HourlyDay, SlidingSum};

/// How signals are computed.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct SignalSettings {
    /// [`Signal::UNIQUE_IPS`] is exact up to one more than this.
    pub unique_ips: u16,
    /// The window of [`Signal::UNIQUE_IPS`].
    pub unique_window: Duration,
    /// Two requests within this time belong to one session, or overlap.
    pub session_gap: Duration,
    /// What counts as hosting.
    pub hosting: HostingNetworks,
}

impl Default for SignalSettings {
    /// Ten addresses within a day, sessions of ten minutes, the well-known hosting networks.
    fn default() -> Self {
        Self {
            unique_ips: 10,
            unique_window: Duration::from_secs(86_400),
            session_gap: Duration::from_secs(600),
            hosting: HostingNetworks::well_known(),
        }
    }
}

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 3_600_000;

/// How many networks, clients and sessions of an account are told apart; what is used least makes
/// room. A spread of twelve is a ring beyond doubt.
const SLOTS: usize = 12;

/// Everything that is remembered of one account. With the feature `serde` it is saved as data; loaded
/// again it goes on as if it had never been away, and what cannot have been saved is an error.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct Account {
    #[cfg(feature = "serde")]
    format: crate::format::Format<1>,
    created: Option<Timestamp>,
    #[cfg_attr(feature = "serde", serde(deserialize_with = "crate::format::time"))]
    first_ms: i64,
    #[cfg_attr(feature = "serde", serde(deserialize_with = "crate::format::time"))]
    last_ms: i64,
    addresses: RecentDistinct,
    /// Only while there are more addresses than are kept.
    crowd: Option<Box<DistinctSketch>>,
    tokens: SlidingSum,
    requests: SlidingSum,
    spend_day: HourlyDay,
    requests_day: HourlyDay,
    /// All networks, for what is new.
    networks: Shares<SLOTS>,
    /// Those that are not hosting, for what is spread.
    access: Shares<SLOTS>,
    clients: Shares<SLOTS>,
    countries: Shares<SLOTS>,
    sessions: Shares<SLOTS>,
    new_network: FadingShare,
    new_client: FadingShare,
    new_place: FadingShare,
    hosting: FadingShare,
    place: Option<Stop>,
    fastest: Option<Trip>,
    #[cfg_attr(feature = "serde", serde(deserialize_with = "crate::format::amount"))]
    impossible: f64,
    #[cfg_attr(feature = "serde", serde(deserialize_with = "crate::format::time"))]
    impossible_ms: i64,
    history: History,
    network: Option<u32>,
    country: Option<Code>,
}

/// Where the account was last seen.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
struct Stop {
    place: Place,
    #[cfg_attr(feature = "serde", serde(deserialize_with = "crate::format::time"))]
    at_ms: i64,
}

/// The fastest change of place of a day.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
struct Trip {
    #[cfg_attr(feature = "serde", serde(deserialize_with = "crate::format::amount"))]
    kmh: f64,
    #[cfg_attr(feature = "serde", serde(deserialize_with = "crate::format::time"))]
    at_ms: i64,
}

impl Account {
    /// An account that was first seen with this event, which is yet to be taken in.
    #[must_use]
    pub fn new(settings: &SignalSettings, first: &Event) -> Self {
        let first_ms = first.at.as_millisecond();
        Self {
            #[cfg(feature = "serde")]
            format: crate::format::Format,
            created: first.account_created,
            first_ms,
            last_ms: first_ms,
            addresses: RecentDistinct::new(settings.unique_ips),
            crowd: None,
            tokens: SlidingSum::default(),
            requests: SlidingSum::default(),
            spend_day: HourlyDay::default(),
            requests_day: HourlyDay::default(),
            networks: Shares::default(),
            access: Shares::default(),
            clients: Shares::default(),
            countries: Shares::default(),
            sessions: Shares::default(),
            new_network: FadingShare::default(),
            new_client: FadingShare::default(),
            new_place: FadingShare::default(),
            hosting: FadingShare::default(),
            place: None,
            fastest: None,
            impossible: 0.0,
            impossible_ms: first_ms,
            history: History::default(),
            network: None,
            country: None,
        }
    }

    /// Takes an event in. One that comes late counts where its time still lies in a window.
    pub fn observe(&mut self, settings: &SignalSettings, event: &Event) {
        let at_ms = event.at.as_millisecond();
        self.created = self.created.or(event.account_created);
        self.volume(event, at_ms);
        if let Some(address) = event.address {
            self.address(settings, address_key(address), event.at);
        }
        let is_hosting = event
            .network
            .is_some_and(|network| settings.hosting.contains(network));
        self.origin(event, is_hosting, at_ms);
        if !is_hosting {
            self.travel(event, at_ms);
        }
        // Of this request, late or not.
        self.network = event.network;
        self.country = event.country;
        self.last_ms = self.last_ms.max(at_ms);
    }

    /// The signals as they are at a time. What cannot be known yet is missing: novelty in the first
    /// day, the jump of spend before a full day lies behind, the anomaly in the first week.
    #[must_use]
    pub fn context(&self, settings: &SignalSettings, now: Timestamp) -> Context {
        let now_ms = now.as_millisecond();
        let mut context = Context::new();
        self.write_volume(&mut context, now_ms);
        self.write_origin(&mut context, settings, now);
        self.write_novelty(&mut context, now_ms);
        if let Some(created) = self.created {
            let age = now_ms.saturating_sub(created.as_millisecond()).max(0);
            context.set(Signal::ACCOUNT_AGE_DAYS, age as f64 / DAY_MS as f64);
        }
        context
    }

    /// How many distinct addresses there were in the window, for people to read: exact up to the
    /// threshold, and about so many above it. Rules decide by [`Signal::UNIQUE_IPS`], which is exact.
    #[must_use]
    pub fn addresses(&self, settings: &SignalSettings, now: Timestamp) -> DistinctCount {
        let exact = self.addresses.count(settings.unique_window, now);
        match &self.crowd {
            Some(crowd) if exact > self.addresses.threshold() => {
                let about = crowd.estimate(now).round() as u64;
                DistinctCount::About(about.max(exact as u64))
            }
            _ => DistinctCount::Exact(exact),
        }
    }

    /// Up to how many addresses [`Signal::UNIQUE_IPS`] is exact.
    #[cfg(feature = "serde")]
    pub(crate) fn unique_ips(&self) -> usize {
        self.addresses.threshold()
    }

    /// When the account was last seen.
    #[must_use]
    pub fn last_seen(&self) -> Timestamp {
        Timestamp::from_millisecond(self.last_ms).unwrap_or(Timestamp::MIN)
    }

    /// A sketch begins when the addresses in the window first are too many to be kept; those that are
    /// kept then are all that there were, so nothing is missed.
    fn address(&mut self, settings: &SignalSettings, key: u64, at: Timestamp) {
        self.addresses.insert(key, at);
        let now = at.max(self.last_seen());
        if !self.addresses.is_over(settings.unique_window, now) {
            self.crowd = None;
        } else if let Some(crowd) = &mut self.crowd {
            crowd.insert(key, at);
        } else {
            let mut crowd = DistinctSketch::new(settings.unique_window);
            for (key, last_seen) in self.addresses.seen() {
                let last_seen = Timestamp::from_millisecond(last_seen);
                crowd.insert(key, last_seen.unwrap_or(at));
            }
            self.crowd = Some(Box::new(crowd));
        }
    }

    fn volume(&mut self, event: &Event, at_ms: i64) {
        self.tokens.add(event.tokens, at_ms, MINUTE_MS);
        self.requests.add(1, at_ms, HOUR_MS);
        self.requests_day.add(1, at_ms);
        let spend = event.spend.map_or(0, micro_units);
        self.spend_day.add(spend, at_ms);
        self.history.add(spend, at_ms);
    }

    fn origin(&mut self, event: &Event, is_hosting: bool, at_ms: i64) {
        // A request without tokens is still a request.
        let weight = event.tokens.max(1) as f64;
        let is_settled = at_ms - self.first_ms >= DAY_MS;
        let network = event.network.map(u64::from);
        let new_network = network.is_some_and(|value| self.networks.add(value, weight, at_ms));
        let new_client = event
            .client
            .is_some_and(|value| self.clients.add(value, weight, at_ms));
        // Spread counts requests: one long prompt must not hide a crowd.
        if let (Some(value), false) = (network, is_hosting) {
            self.access.add(value, 1.0, at_ms);
            if let Some(country) = event.country {
                self.countries.add(country.word(), 1.0, at_ms);
            }
        }
        if let (Some(network), Some(client)) = (network, event.client) {
            self.sessions
                .add(client.rotate_left(32) ^ network, 1.0, at_ms);
        }
        if network.is_some() {
            self.hosting.add(is_hosting, weight, at_ms);
        }
        if is_settled {
            self.new_network.add(new_network, weight, at_ms);
            self.new_client.add(new_client, weight, at_ms);
            self.new_place.add(new_network && new_client, weight, at_ms);
        }
    }

    fn travel(&mut self, event: &Event, at_ms: i64) {
        let place = event.place.filter(Place::is_finite);
        let place = place.or_else(|| event.country.and_then(Place::of_country));
        let Some(place) = place else { return };
        let here = Stop { place, at_ms };
        if let Some(before) = self.place {
            self.trip(&before, &here);
        }
        // A late event is a trip of its own, and not where the account is now.
        if self.place.is_none_or(|before| before.at_ms <= at_ms) {
            self.place = Some(here);
        }
    }

    fn trip(&mut self, before: &Stop, here: &Stop) {
        let at_ms = here.at_ms;
        let kmh = before.place.least_kmh(&here.place, at_ms - before.at_ms);
        let is_fastest = |fastest: Trip| kmh >= fastest.kmh || at_ms - fastest.at_ms > DAY_MS;
        if self.fastest.is_none_or(is_fastest) {
            self.fastest = Some(Trip { kmh, at_ms });
        }
        if kmh > IMPOSSIBLE_KMH {
            self.impossible = self.impossible_at(at_ms) + 1.0;
            self.impossible_ms = self.impossible_ms.max(at_ms);
        }
    }

    fn impossible_at(&self, at_ms: i64) -> f64 {
        let days = (at_ms - self.impossible_ms).max(0) as f64 / DAY_MS as f64;
        self.impossible * (-days).exp2()
    }

    fn write_volume(&self, context: &mut Context, now_ms: i64) {
        let spend = self.spend_day.sum(now_ms) as f64 / MICRO;
        context.set(
            Signal::TOKENS_PER_MINUTE,
            self.tokens.sum(now_ms, MINUTE_MS),
        );
        context.set(
            Signal::REQUESTS_PER_HOUR,
            self.requests.sum(now_ms, HOUR_MS),
        );
        context.set(Signal::SPEND_PER_DAY, spend);
        let hours = self.requests_day.active_hours(now_ms);
        context.set(Signal::ACTIVE_HOURS, hours as f64);
        if let Some(usual) = self.history.usual_spend() {
            // A unit of currency on both sides: from one cent to ten is no jump.
            let jump = (spend + 1.0) / (usual / MICRO + 1.0);
            context.set(Signal::SPEND_JUMP, jump);
        }
        if let Some(anomaly) = self.history.anomaly(now_ms) {
            context.set(Signal::USAGE_ANOMALY, anomaly);
        }
    }

    fn write_origin(&self, context: &mut Context, settings: &SignalSettings, now: Timestamp) {
        let now_ms = now.as_millisecond();
        let gap = i64::try_from(settings.session_gap.as_millis()).unwrap_or(i64::MAX);
        let addresses = self.addresses.count(settings.unique_window, now);
        context.set(Signal::UNIQUE_IPS, addresses as f64);
        let mut count = |signal, number: usize| context.set(signal, number as f64);
        count(
            Signal::UNIQUE_NETWORKS,
            self.networks.active(DAY_MS, now_ms),
        );
        count(
            Signal::UNIQUE_COUNTRIES,
            self.countries.active(DAY_MS, now_ms),
        );
        count(
            Signal::CONCURRENT_SESSIONS,
            self.sessions.active(gap, now_ms),
        );
        count(Signal::CONCURRENT_NETWORKS, self.access.active(gap, now_ms));
        context.set(Signal::NETWORK_SPREAD, self.access.spread(now_ms));
        context.set(Signal::CLIENT_SPREAD, self.clients.spread(now_ms));
        let is_fresh = |trip: &Trip| now_ms - trip.at_ms <= DAY_MS;
        let speed = self.fastest.filter(is_fresh).map_or(0.0, |trip| trip.kmh);
        context.set(Signal::TRAVEL_KMH, speed);
        context.set(Signal::IMPOSSIBLE_TRAVELS, self.impossible_at(now_ms));
        if let Some(network) = self.network {
            context.set(Signal::NETWORK, f64::from(network));
        }
        if let Some(country) = self.country {
            context.set_code(Signal::COUNTRY, country);
        }
    }

    fn write_novelty(&self, context: &mut Context, now_ms: i64) {
        let mut share = |signal, share: &FadingShare| {
            if let Some(value) = share.share() {
                context.set(signal, value);
            }
        };
        share(Signal::HOSTING_SHARE, &self.hosting);
        if now_ms - self.first_ms >= DAY_MS {
            share(Signal::NEW_NETWORK_SHARE, &self.new_network);
            share(Signal::NEW_CLIENT_SHARE, &self.new_client);
            share(Signal::NEW_PLACE_SHARE, &self.new_place);
        }
    }
}

/// Millionths of a unit of currency.
const MICRO: f64 = 1_000_000.0;

/// The named step in which an amount becomes a statistic: whole millionths, rounded down; credits
/// (negative amounts) count as nothing spent, and what does not fit as the largest that does.
fn micro_units(spend: Decimal) -> u64 {
    let scaled = spend
        .max(Decimal::ZERO)
        .checked_mul(Decimal::from(1_000_000));
    scaled
        .and_then(|scaled| scaled.floor().to_u64())
        .unwrap_or(u64::MAX)
}
