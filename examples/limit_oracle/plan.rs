//! What is asked in a run? Random limits, and random requests under them.

use std::time::Duration;

use bursar_ratelimit::lease::{self, LeaseSize};
use bursar_ratelimit::{
    Budget, Concurrency, Dimension, Expired, Limit, Limits, Quota, QuotaError, Rate, Request,
    SlidingWindow, Unit, Usage,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const UNITS: [Unit; 2] = [Unit::REQUESTS, Unit::TOKENS];
const DIMENSIONS: [Dimension; 4] = [
    Dimension::GLOBAL,
    Dimension::TENANT,
    Dimension::API_KEY,
    Dimension::METHOD,
];
const DAY: u64 = 86_400_000_000_000;
const SECOND: u64 = 1_000_000_000;
/// No step of virtual time is longer, so that a run ends before 64 bits of nanoseconds do.
const LONGEST_STEP: u64 = 1 << 55;

/// Which quotas a run has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quotas {
    /// Every kind, from one a day to a billion a second.
    All,
    /// The same with bursts so small that no run gives back more than a cell remembers: what is not
    /// given back after that would look as if refused requests had taken it.
    Leased,
    /// Rates alone, of the same kinds as all.
    Rates,
    /// Every kind, with rates whose bursts drain within milliseconds.
    Quick,
    /// Rates alone, whose bursts drain within milliseconds.
    SmallQuickRates,
}

/// A run: everything that is random in it.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Its number.
    pub(crate) number: u64,
    /// The limits.
    pub(crate) limits: Limits,
    /// How many callers there are.
    pub(crate) callers: usize,
    /// How many calls they make in all.
    pub(crate) calls: usize,
    /// Whether callers' clocks are behind each other.
    pub(crate) is_skewed: bool,
    keys: [Vec<String>; 3],
    /// How many calls there are, roughly, while a burst drains.
    pace: u64,
    /// Whether more may be used than was reserved.
    pub(crate) has_overruns: bool,
    quotas: Quotas,
    random: ChaCha8Rng,
}

/// What a caller does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Decides and charges.
    Check,
    /// Decides and holds.
    Reserve,
    /// Says what was used so far, if it holds something.
    Step,
    /// Says what was used in the end, if it holds something.
    Settle,
}

impl Plan {
    /// The plan of a run.
    pub(crate) fn new(seed: u64, number: u64, quotas: Quotas) -> Result<Self, QuotaError> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(number);
        // Half of the runs crowd one bucket, the others spread over several limits and keys.
        let is_crowded = random.random_bool(0.5);
        let count = if is_crowded {
            1
        } else {
            random.random_range(1..=4)
        };
        let limits = (0..count).map(|index| limit(&mut random, number, index, quotas));
        let limits = Limits::new(limits.collect::<Result<Vec<_>, _>>()?);
        // The names are numbered, so they differ.
        let limits = limits.unwrap_or_default();
        let mut keys = |name: &str| {
            let count = if is_crowded {
                1
            } else {
                random.random_range(1..=3)
            };
            (0..count).map(|key| format!("{name}-{key}")).collect()
        };
        let keys = [keys("tenant"), keys("key"), keys("method")];
        Ok(Self {
            number,
            limits,
            callers: random.random_range(1..=12),
            calls: random.random_range(20..=200),
            has_overruns: random.random_bool(0.5),
            pace: [2, 8, 32][random.random_range(0..3)],
            is_skewed: quotas == Quotas::All && random.random_bool(0.15),
            keys,
            quotas,
            random,
        })
    }

    /// Who acts next.
    pub(crate) fn caller(&mut self) -> usize {
        self.random.random_range(0..self.callers)
    }

    /// What it does.
    pub(crate) fn action(&mut self, holds: bool) -> Action {
        // Concurrent use cannot be checked without a reservation.
        let is_held = |limit: &Limit| matches!(limit.quota(), Quota::Concurrency(_));
        let only_reserves = self.limits.as_slice().iter().any(is_held);
        match self.random.random_range(0..100) {
            0..5 if holds => Action::Step,
            5..45 if holds => Action::Settle,
            // Beside what it holds, or instead of it: then that is never settled.
            45..75 if !only_reserves => Action::Check,
            75..97 if holds => Action::Settle,
            _ => Action::Reserve,
        }
    }

    /// Who it is for, and what it costs.
    pub(crate) fn request(&mut self) -> Wanted {
        let mut key = |of: usize| self.random.random_range(0..self.keys[of].len());
        let keys = [key(0), key(1), key(2)];
        let costs = UNITS.map(|unit| self.cost(unit));
        Wanted {
            keys: [0, 1, 2].map(|of| self.keys[of][keys[of]].clone()),
            costs,
        }
    }

    /// What was really used of an estimate, at least as much as was used before.
    pub(crate) fn usage(
        &mut self,
        reserved: impl Fn(Unit) -> Option<u64>,
        before: &Usage,
    ) -> Usage {
        let mut usage = before.clone();
        for unit in UNITS {
            let Some(estimate) = reserved(unit) else {
                continue;
            };
            let used = match self.random.random_range(0..20) {
                0..4 => 0,
                4..13 => self.up_to(estimate),
                13..15 => estimate,
                15..17 if self.has_overruns => estimate.saturating_add(self.up_to(estimate)),
                17..19 if self.has_overruns => estimate.saturating_add(self.up_to(5)),
                15..19 => self.up_to(estimate / 4),
                _ => continue,
            };
            let before = before.of(unit).unwrap_or(0);
            usage = usage.with(unit, used.max(before));
        }
        usage
    }

    /// How several instances lease from one store.
    pub(crate) fn lease(&mut self) -> lease::Settings {
        let size = match self.random.random_range(0..3) {
            0 => LeaseSize::Units(self.random.random_range(1..=20)),
            1 => LeaseSize::BurstPart(self.random.random_range(2..=20)),
            _ => LeaseSize::RateShare,
        };
        let scale = timescale(self.limits.as_slice()[0].quota());
        let time = Duration::from_nanos(self.up_to(scale).clamp(1, self.longest_pause()));
        let settings = lease::Settings::new(size, time, self.random.random_range(1..=4));
        match self.random.random_bool(0.5) {
            true => settings.dimensions([Dimension::GLOBAL, Dimension::METHOD]),
            false => settings,
        }
    }

    /// How much time passes before the next call.
    pub(crate) fn pause(&mut self, retry_after: Option<Duration>) -> Duration {
        if let Some(wait) = retry_after
            && self.random.random_bool(0.2)
        {
            // Exactly as told, or a nanosecond early.
            let wait = nanos(wait).saturating_sub(self.random.random_range(0..=1));
            return Duration::from_nanos(wait.min(self.longest_pause()));
        }
        let limit = self.random.random_range(0..self.limits.as_slice().len());
        let scale = timescale(self.limits.as_slice()[limit].quota());
        let pause = match self.random.random_range(0..100) {
            0..30 => 0,
            30..40 => self.random.random_range(1..=3),
            40..95 => self.up_to(scale / self.pace * 2),
            95..99 => self.up_to(scale),
            _ => scale.saturating_mul(2),
        };
        Duration::from_nanos(pause.min(self.longest_pause()))
    }

    /// By how much a caller's clock is behind.
    pub(crate) fn lag(&mut self) -> Duration {
        let most = SECOND / 2;
        let limit = self.random.random_range(0..self.limits.as_slice().len());
        let scale = timescale(self.limits.as_slice()[limit].quota()).min(most);
        match self.is_skewed && self.random.random_bool(0.5) {
            true => Duration::from_nanos(self.up_to(scale)),
            false => Duration::ZERO,
        }
    }

    fn longest_pause(&self) -> u64 {
        match self.quotas {
            Quotas::All | Quotas::Leased | Quotas::Rates => LONGEST_STEP,
            Quotas::Quick | Quotas::SmallQuickRates => SECOND / 200,
        }
    }

    fn cost(&mut self, unit: Unit) -> u64 {
        let of_unit = |limit: &&Limit| limit.unit() == unit;
        let limits: Vec<_> = self.limits.as_slice().iter().filter(of_unit).collect();
        if limits.is_empty() {
            return 1;
        }
        let most = limits[self.random.random_range(0..limits.len())]
            .quota()
            .largest_cost();
        match self.random.random_range(0..200) {
            0..10 => 0,
            10..40 => 1,
            40..110 => self.up_to(most / 3 + 1),
            110..170 => self.up_to(most),
            170..195 => most,
            195..198 => most.saturating_add(1),
            _ => u64::MAX,
        }
    }

    fn up_to(&mut self, most: u64) -> u64 {
        self.random.random_range(0..=most)
    }
}

/// A request that owns its texts.
#[derive(Debug)]
pub(crate) struct Wanted {
    keys: [String; 3],
    costs: [u64; 2],
}

impl Wanted {
    /// The request.
    pub(crate) fn request(&self) -> Request<'_> {
        let [tenant, api_key, method] = &self.keys;
        let request = Request::new().tenant(tenant).api_key(api_key);
        UNITS
            .into_iter()
            .zip(self.costs)
            .fold(request.method(method), |request, (unit, cost)| {
                request.cost(unit, cost)
            })
    }
}

fn limit(
    random: &mut ChaCha8Rng,
    run: u64,
    index: u64,
    quotas: Quotas,
) -> Result<Limit, QuotaError> {
    let kind = match quotas {
        Quotas::Rates | Quotas::SmallQuickRates => 0,
        Quotas::All | Quotas::Leased | Quotas::Quick => random.random_range(0..20),
    };
    let mut unit = UNITS[random.random_range(0..UNITS.len())];
    let quota: Quota = match kind {
        0..14 => rate(random, quotas)?.into(),
        14..16 => window(random, quotas)?.into(),
        16..18 => {
            unit = Unit::CONCURRENT_REQUESTS;
            let expiry = match quotas {
                Quotas::Quick => Duration::from_secs(60),
                _ => Duration::from_nanos(log_uniform(random, 50)),
            };
            Concurrency::new(random.random_range(1..=4), expiry)?.into()
        }
        _ => {
            let amount = random.random_range(1..=500);
            // No hold of a run expires, and servers count no more than some decades.
            let expiry = match quotas {
                Quotas::Quick => Duration::from_nanos(DAY),
                _ => Duration::from_nanos(u64::MAX),
            };
            let budget = Budget::new(amount, expiry)?;
            budget.on_expiry(Expired::Spent).into()
        }
    };
    let dimension = DIMENSIONS[random.random_range(0..DIMENSIONS.len())];
    let limit = Limit::new(format!("run-{run}-limit-{index}"), dimension, unit, quota);
    Ok(match random.random_bool(0.1) {
        true => limit.shadow(),
        false => limit,
    })
}

fn rate(random: &mut ChaCha8Rng, quotas: Quotas) -> Result<Rate, QuotaError> {
    if matches!(quotas, Quotas::Quick | Quotas::SmallQuickRates) {
        let limit = random.random_range(1_000..=20_000);
        let rate = Rate::per_second(limit)?;
        return rate.burst(random.random_range(1..=40));
    }
    let (limit, period) = match random.random_range(0..6) {
        0 => (1, DAY),
        1 => (random.random_range(1..=1_000), DAY),
        2 => (random.random_range(SECOND / 10..=SECOND), SECOND),
        3 => (random.random_range(1..=50), random.random_range(1..=100)),
        4 => (random.random_range(1..=1_000_000), log_uniform(random, 34)),
        _ => (log_uniform(random, 40), log_uniform(random, 46)),
    };
    let burst = match random.random_range(0..10) {
        0..6 => random.random_range(1..=20),
        6..9 => random.random_range(1..=1_000),
        _ if quotas == Quotas::Leased => log_uniform(random, 30),
        _ => log_uniform(random, 40),
    };
    Rate::new(limit, Duration::from_nanos(period))?.burst(burst)
}

fn window(random: &mut ChaCha8Rng, quotas: Quotas) -> Result<SlidingWindow, QuotaError> {
    let length = match quotas {
        Quotas::Quick => random.random_range(2_000_000..=20_000_000),
        _ => log_uniform(random, 46),
    };
    let window = SlidingWindow::new(random.random_range(1..=100), Duration::from_nanos(length))?;
    match random.random_bool(0.5) {
        true => window.slices(random.random_range(1..=10.min(length as u32))),
        false => Ok(window),
    }
}

/// From 1 to 2^`bits`, each power of two as likely as the others.
fn log_uniform(random: &mut ChaCha8Rng, bits: u32) -> u64 {
    let bits = random.random_range(0..bits);
    random.random_range(1 << bits..=(2 << bits) - 1)
}

/// How long it takes until what was used is free again.
fn timescale(quota: &Quota) -> u64 {
    match quota {
        Quota::Rate(rate) => {
            let drain = u128::from(rate.burst_size()) * rate.period().as_nanos();
            u64::try_from(drain / u128::from(rate.limit())).unwrap_or(u64::MAX)
        }
        Quota::SlidingWindow(window) => nanos(window.window()),
        Quota::Concurrency(concurrency) => nanos(concurrency.expiry()),
        _ => SECOND,
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
