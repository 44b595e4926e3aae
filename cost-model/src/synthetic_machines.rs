//! What does the CPU of a machine look like over weeks, when no real one may be shown?
//!
//! [`SyntheticMachine::make`] gives one machine: its CPU use at steps of five minutes, with the
//! habits of real ones. Of the habits that stay as they are the truth is known: the
//! [share of time](SyntheticMachine::exceedance) that the machine spends above any level, in the
//! long run. What a rule for sizing promises can be held against it.
//!
//! ```
//! use bursar_cost_model::synthetic_machines::SyntheticMachine;
//!
//! let machine = SyntheticMachine::make(1, 0, 14);
//! assert_eq!(machine.cpu_percent.len(), 14 * 288);
//! assert!(machine.cpu_percent.iter().all(|cpu| (0.0..=100.0).contains(cpu)));
//! ```
//!
//! # How a machine is made
//!
//! Demand is floor + (level + burst) × noise + job, all in percent of the machine, at most 100:
//!
//! - the *level* follows the hour of the day, with one or two peaks, and falls at weekends; it can
//!   drift, step, or grow until the process is restarted;
//! - the *noise* is log-normal with a mean of one, and its logarithm is a first-order
//!   autoregression: a busy five minutes follows a busy five minutes;
//! - *bursts* come and go at random (a two-state Markov chain); each has one of three heights;
//! - a *job* starts at one time of day or week and ends at random.
//!
//! All ranges are in [`Habit`]'s constructor and were set before any rule was tried on them. They
//! are the author's view of what is common, not fitted to a trace.
//!
//! The same seed and number give the same machine, but for the last bits of logarithms and sines,
//! which differ between platforms.

mod demand;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use demand::{Change, Demand, Random};

/// Samples of a day: one every five minutes.
pub const SAMPLES_PER_DAY: usize = 288;

/// What a machine's load does over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Habit {
    /// The same at all hours.
    Steady,
    /// Follows the hour of the day.
    Daily,
    /// Follows the hour of the day and rests at weekends.
    Weekly,
    /// Quiet, with bursts of minutes to hours.
    Bursty,
    /// Follows the day, and grows or shrinks a little every day.
    Drift,
    /// Follows the day, and changes its level now and then, as after a deployment.
    Steps,
    /// Does almost nothing.
    Idle,
    /// Quiet but for a job every night or every week.
    Batch,
    /// Needs more from hour to hour until it is restarted.
    Leak,
}

impl Habit {
    /// All habits, and how many of one hundred machines have each.
    pub const SHARES: [(Habit, u32); 9] = [
        (Habit::Steady, 15),
        (Habit::Daily, 20),
        (Habit::Weekly, 20),
        (Habit::Bursty, 12),
        (Habit::Drift, 6),
        (Habit::Steps, 7),
        (Habit::Idle, 8),
        (Habit::Batch, 8),
        (Habit::Leak, 4),
    ];

    fn draw(random: &mut Random) -> Habit {
        let mut left = random.below(100);
        for (habit, share) in Habit::SHARES {
            if left < share {
                return habit;
            }
            left -= share;
        }
        Habit::Leak
    }

    /// The word for it, as in `weekly`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Habit::Steady => "steady",
            Habit::Daily => "daily",
            Habit::Weekly => "weekly",
            Habit::Bursty => "bursty",
            Habit::Drift => "drift",
            Habit::Steps => "steps",
            Habit::Idle => "idle",
            Habit::Batch => "batch",
            Habit::Leak => "leak",
        }
    }
}

/// A made machine.
#[derive(Debug, Clone)]
pub struct SyntheticMachine {
    /// What its load does.
    pub habit: Habit,
    /// CPU use in percent of the whole machine, the mean of each five minutes, from a Monday
    /// 00:00 on.
    pub cpu_percent: Vec<f64>,
    demand: Demand,
}

impl SyntheticMachine {
    /// Machine `number` of those that `seed` gives, over so many days.
    ///
    /// A longer machine begins as the shorter one.
    #[must_use]
    pub fn make(seed: u64, number: u64, days: usize) -> SyntheticMachine {
        let mut random = Random(ChaCha8Rng::seed_from_u64(seed));
        random.0.set_stream(number);
        let habit = Habit::draw(&mut random);
        SyntheticMachine::run(habit, &mut random, days)
    }

    /// The same with a habit of choice.
    #[must_use]
    pub fn with_habit(habit: Habit, seed: u64, number: u64, days: usize) -> SyntheticMachine {
        let mut random = Random(ChaCha8Rng::seed_from_u64(seed));
        random.0.set_stream(number);
        SyntheticMachine::run(habit, &mut random, days)
    }

    fn run(habit: Habit, random: &mut Random, days: usize) -> SyntheticMachine {
        let demand = Demand::draw(habit, random);
        let cpu_percent = demand.run(random, days.saturating_mul(SAMPLES_PER_DAY));
        SyntheticMachine {
            habit,
            cpu_percent,
            demand,
        }
    }

    /// The share of time, in the long run, with a demand above `percent`; `None` for a habit that
    /// does not stay as it is (drift, steps, leak), and for a level that is not a number.
    ///
    /// Computed and not simulated: for each five minutes of the week, the chance of the log-normal
    /// noise to exceed what is left over, with and without each burst and with and without the job.
    #[must_use]
    pub fn exceedance(&self, percent: f64) -> Option<f64> {
        if percent.is_nan() || !matches!(self.demand.change, Change::None) {
            return None;
        }
        Some(self.demand.exceedance(percent))
    }
}
