//! What happens to a load on a machine? The same for every rule.

use bursar_cost_model::instances::{CreditMode, InstanceType};
use bursar_units::{Currency, Money};
use rust_decimal::Decimal;

/// Hours of five minutes.
const STEP_HOURS: f64 = 1.0 / 12.0;

/// Hours of a month.
pub(crate) const MONTH: Decimal = Decimal::from_parts(730, 0, 0, false, 0);

/// CPU use in percent of the present machine.
pub(crate) struct Series {
    /// In order of time, NaN where a sample is missing.
    values: Vec<f64>,
    /// Ascending, without missing ones.
    sorted: Vec<f64>,
}

impl Series {
    pub(crate) fn new(values: &[f64]) -> Series {
        let mut sorted: Vec<f64> = values.iter().copied().filter(|it| !it.is_nan()).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        Series {
            values: values.to_vec(),
            sorted,
        }
    }

    pub(crate) fn values(&self) -> &[f64] {
        &self.values
    }

    /// Samples that are there.
    pub(crate) fn len(&self) -> usize {
        self.sorted.len()
    }

    /// The share of samples above a level.
    pub(crate) fn share_above(&self, level: f64) -> f64 {
        let up_to = self.sorted.partition_point(|value| *value <= level);
        (self.sorted.len() - up_to) as f64 / self.sorted.len().max(1) as f64
    }

    /// The smallest sample that a share `q` of the samples does not exceed.
    pub(crate) fn quantile(&self, q: f64) -> f64 {
        let place = (q * self.sorted.len() as f64).ceil() as usize;
        let place = place.clamp(1, self.sorted.len().max(1)) - 1;
        self.sorted.get(place).copied().unwrap_or(0.0)
    }
}

/// A type that a rule may choose.
pub(crate) struct Machine<'a> {
    pub(crate) kind: &'a InstanceType,
    /// What its CPU does, in percent of the present machine.
    pub(crate) capacity: f64,
    /// What a month of it costs, without surplus credits.
    pub(crate) month: Money,
}

/// How a machine fared.
#[derive(Clone, Copy)]
pub(crate) struct Fared {
    /// The share of samples in which it was too small.
    pub(crate) breach: f64,
    /// What a month of it costs.
    pub(crate) monthly: Money,
}

impl<'a> Machine<'a> {
    /// `None` where the price or the measured score is not known.
    pub(crate) fn new(kind: &'a InstanceType, present_score: f64) -> Option<Machine<'a>> {
        let (score, hourly) = (kind.cpu_score?, kind.on_demand?);
        if hourly.currency() != Currency::USD {
            return None;
        }
        Some(Machine {
            kind,
            capacity: 100.0 * score / present_score,
            month: hourly.checked_mul(MONTH).ok()?,
        })
    }

    /// How its credits are spent unless a rule says otherwise.
    pub(crate) fn default_mode(&self) -> Option<CreditMode> {
        self.kind.burst.as_ref().map(|burst| burst.default_mode)
    }

    /// What its CPU does all day, in percent of the present machine: in standard mode, the baseline.
    pub(crate) fn lasting_capacity(&self) -> f64 {
        match &self.kind.burst {
            Some(burst) if burst.default_mode == CreditMode::Standard => {
                self.capacity * burst.baseline_percent / 100.0
            }
            _ => self.capacity,
        }
    }

    /// Plays a load on it. `None` where its surplus has no known price.
    pub(crate) fn play(&self, mode: Option<CreditMode>, load: &Series) -> Option<Fared> {
        let Some(burst) = &self.kind.burst else {
            return Some(Fared {
                breach: load.share_above(self.capacity),
                monthly: self.month,
            });
        };
        let vcpus = f64::from(self.kind.vcpus.get());
        let earned = burst.credits_per_hour * STEP_HOURS;
        match mode.unwrap_or(burst.default_mode) {
            CreditMode::Unlimited => {
                let credits = self.surplus(load, vcpus, earned, burst.credit_cap);
                let hours = load.len() as f64 * STEP_HOURS;
                // A credit is a minute of a vCPU.
                let vcpu_hours_per_hour = credits / 60.0 / hours.max(STEP_HOURS);
                let vcpu_hours = Decimal::from_f64_retain(vcpu_hours_per_hour)?.round_dp(6);
                let surplus = burst.surplus_per_vcpu_hour?.checked_mul(vcpu_hours).ok()?;
                let surplus = surplus.checked_mul(MONTH).ok()?;
                Some(Fared {
                    breach: load.share_above(self.capacity),
                    monthly: self.month.checked_add(surplus).ok()?,
                })
            }
            CreditMode::Standard => Some(Fared {
                breach: self.throttled(load, vcpus, earned, burst.credit_cap),
                monthly: self.month,
            }),
        }
    }

    /// Credits spent beyond those earned: each that no earned credit pays back within the cap, and
    /// what is owed in the end.
    fn surplus(&self, load: &Series, vcpus: f64, earned: f64, cap: f64) -> f64 {
        let (mut balance, mut charged) = (0.0_f64, 0.0_f64);
        for spent in self.spending(load, vcpus) {
            balance = (balance + earned - spent).min(cap);
            charged += (-cap - balance).max(0.0);
            balance = balance.max(-cap);
        }
        charged + (-balance).max(0.0)
    }

    /// The share of samples in which credits, or the whole CPU, do not suffice.
    fn throttled(&self, load: &Series, vcpus: f64, earned: f64, cap: f64) -> f64 {
        let (mut balance, mut short) = (0.0_f64, 0_usize);
        for (value, spent) in load.present().zip(self.spending(load, vcpus)) {
            let after = balance + earned - spent;
            if after < -1e-9 || value > self.capacity {
                short += 1;
            }
            balance = after.clamp(0.0, cap);
        }
        short as f64 / load.len().max(1) as f64
    }

    /// Credits that each sample takes, none more than all vCPUs for five minutes.
    fn spending<'s>(&'s self, load: &'s Series, vcpus: f64) -> impl Iterator<Item = f64> + 's {
        let all = vcpus * 60.0 * STEP_HOURS;
        load.present()
            .map(move |value| (value / self.capacity).min(1.0) * all)
    }
}

impl Series {
    /// Samples that are there, in order of time.
    fn present(&self) -> impl Iterator<Item = f64> + '_ {
        self.values.iter().copied().filter(|value| !value.is_nan())
    }
}
