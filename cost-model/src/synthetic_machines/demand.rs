//! What does one machine need at each moment, and how often does it need more than that?

use std::f64::consts::{SQRT_2, TAU};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;
use statrs::function::erf::erfc;

use super::{Habit, SAMPLES_PER_DAY};

/// Samples of a week.
const SAMPLES_PER_WEEK: usize = 7 * SAMPLES_PER_DAY;

/// Five minutes as a share of an hour.
const STEP_HOURS: f64 = 1.0 / 12.0;

/// Heights of bursts, as multiples of the machine's own, and how likely each is.
const HEIGHTS: [(f64, f64); 3] = [(0.5, 0.5), (1.0, 0.35), (2.0, 0.15)];

/// What is drawn once for a machine.
#[derive(Debug, Clone)]
pub(super) struct Demand {
    /// Percent that is always used.
    floor: f64,
    /// Mean percent above it.
    level: f64,
    rhythm: Rhythm,
    noise: Noise,
    burst: Option<Burst>,
    job: Option<Job>,
    pub(super) change: Change,
}

/// How the level follows the day and the week.
#[derive(Debug, Clone, Copy)]
struct Rhythm {
    amplitude: f64,
    /// The second peak of a day, as a share of the first.
    second: f64,
    peak_hour: f64,
    weekend: f64,
}

/// Log-normal noise with memory.
#[derive(Debug, Clone, Copy)]
struct Noise {
    sigma: f64,
    memory: f64,
}

/// A two-state Markov chain; chances per five minutes.
#[derive(Debug, Clone, Copy)]
struct Burst {
    begin: f64,
    end: f64,
    height: f64,
}

/// Work that starts at one moment of the day, or of the week.
#[derive(Debug, Clone, Copy)]
struct Job {
    start: usize,
    /// The day of the week, or every day.
    day: Option<usize>,
    end: f64,
    height: f64,
}

/// What makes the level different from week to week.
#[derive(Debug, Clone, Copy)]
pub(super) enum Change {
    None,
    /// The level grows by this share of itself a day, between 0.3 and 3 times.
    Drift {
        per_day: f64,
    },
    /// Each change draws a new level around the machine's own.
    Steps {
        per_sample: f64,
        spread: f64,
    },
    /// The level grows by `rise` over `days`, then starts again.
    Leak {
        days: f64,
        rise: f64,
    },
}

/// The machine's state from sample to sample.
struct State {
    noise: f64,
    burst: Option<f64>,
    job: bool,
    factor: f64,
    leak: f64,
    leak_days: f64,
}

impl Demand {
    /// Draws a machine of this habit.
    pub(super) fn draw(habit: Habit, random: &mut Random) -> Demand {
        let quiet = matches!(habit, Habit::Bursty | Habit::Batch);
        let level = match habit {
            Habit::Idle => random.log_between(0.3, 2.0),
            _ if quiet => random.log_between(2.0, 15.0),
            _ => random.log_between(4.0, 40.0),
        };
        let mut demand = Demand {
            floor: random.between(0.2, 1.5),
            level,
            rhythm: Rhythm::draw(habit, random),
            noise: Noise {
                sigma: random.between(0.1, 0.5),
                memory: random.between(0.5, 0.97),
            },
            burst: None,
            job: None,
            change: Change::draw(habit, random),
        };
        let often = habit == Habit::Bursty;
        if often || random.chance(0.25) {
            demand.burst = Some(Burst::draw(often, level, random));
        }
        if matches!(habit, Habit::Batch | Habit::Idle) {
            demand.job = Some(Job::draw(habit, random));
        }
        demand
    }

    /// So many samples, from a Monday 00:00 on.
    pub(super) fn run(&self, random: &mut Random, n_samples: usize) -> Vec<f64> {
        let mut state = State::start(self, random);
        (0..n_samples)
            .map(|sample| {
                state.step(self, random, sample);
                self.at(&state, sample).clamp(0.0, 100.0)
            })
            .collect()
    }

    fn at(&self, state: &State, sample: usize) -> f64 {
        let noise = self.noise.factor(state.noise);
        let job = self.job.filter(|_| state.job).map_or(0.0, |job| job.height);
        let level = self.level * self.rhythm.factor(sample) * state.factor;
        self.floor + (level + state.burst.unwrap_or(0.0)) * noise + job
    }

    /// The share of time above a level, over the five minutes of a week.
    pub(super) fn exceedance(&self, percent: f64) -> f64 {
        if percent >= 100.0 {
            return 0.0;
        }
        let chances = (0..SAMPLES_PER_WEEK).map(|sample| self.exceedance_at(sample, percent));
        chances.sum::<f64>() / SAMPLES_PER_WEEK as f64
    }

    fn exceedance_at(&self, sample: usize, percent: f64) -> f64 {
        let over = percent - self.floor;
        let Some(job) = self.job else {
            return self.exceedance_of_noise(sample, over);
        };
        let active = job.chance_at(sample);
        active * self.exceedance_of_noise(sample, over - job.height)
            + (1.0 - active) * self.exceedance_of_noise(sample, over)
    }

    fn exceedance_of_noise(&self, sample: usize, over: f64) -> f64 {
        let level = self.level * self.rhythm.factor(sample);
        let calm = self.noise.exceedance(over / level);
        let Some(burst) = self.burst else {
            return calm;
        };
        let active = burst.begin / (burst.begin + burst.end);
        let bursts = HEIGHTS.iter().map(|(height, chance)| {
            chance
                * self
                    .noise
                    .exceedance(over / (level + height * burst.height))
        });
        active * bursts.sum::<f64>() + (1.0 - active) * calm
    }
}

impl Rhythm {
    fn draw(habit: Habit, random: &mut Random) -> Rhythm {
        let flat = matches!(habit, Habit::Steady | Habit::Idle | Habit::Leak);
        let weekly = matches!(habit, Habit::Weekly | Habit::Drift | Habit::Steps);
        let (amplitude, second) = (random.between(0.2, 0.8), random.between(0.0, 0.4));
        let (peak_hour, weekend) = (random.between(0.0, 24.0), random.between(0.3, 0.9));
        Rhythm {
            amplitude: if flat { 0.0 } else { amplitude },
            second,
            peak_hour,
            weekend: if weekly { weekend } else { 1.0 },
        }
    }

    /// Never below 0.05: a machine that serves nobody still does something.
    fn factor(&self, sample: usize) -> f64 {
        let hour = (sample % SAMPLES_PER_DAY) as f64 * STEP_HOURS;
        let angle = TAU * (hour - self.peak_hour) / 24.0;
        let day = 1.0 + self.amplitude * (angle.cos() + self.second * (2.0 * angle).cos());
        let is_weekend = (sample / SAMPLES_PER_DAY) % 7 >= 5;
        let week = if is_weekend { self.weekend } else { 1.0 };
        (day * week).max(0.05)
    }
}

impl Noise {
    /// The factor of a standard normal number; its mean is one.
    fn factor(&self, normal: f64) -> f64 {
        (self.sigma * normal - self.sigma * self.sigma / 2.0).exp()
    }

    /// How likely the factor is above `factor`.
    fn exceedance(&self, factor: f64) -> f64 {
        if factor <= 0.0 {
            return 1.0;
        }
        let normal = (factor.ln() + self.sigma * self.sigma / 2.0) / self.sigma;
        0.5 * erfc(normal / SQRT_2)
    }

    fn next(&self, normal: f64, random: &mut Random) -> f64 {
        let fresh = (1.0 - self.memory * self.memory).sqrt();
        self.memory * normal + fresh * random.normal()
    }
}

impl Burst {
    fn draw(often: bool, level: f64, random: &mut Random) -> Burst {
        let gap_hours = if often {
            random.log_between(3.0, 24.0)
        } else {
            random.log_between(12.0, 96.0)
        };
        let hours = random.log_between(1.0 / 6.0, 2.0);
        let height = (level * random.between(1.0, 5.0)).clamp(3.0, 40.0);
        Burst {
            begin: STEP_HOURS / gap_hours,
            end: (STEP_HOURS / hours).min(1.0),
            height,
        }
    }

    fn height(&self, random: &mut Random) -> f64 {
        let mut left = random.uniform();
        for (height, chance) in HEIGHTS {
            if left < chance {
                return height * self.height;
            }
            left -= chance;
        }
        self.height
    }
}

impl Job {
    fn draw(habit: Habit, random: &mut Random) -> Job {
        let start = random.below(SAMPLES_PER_DAY as u32) as usize;
        let weekly = random.chance(0.3);
        let day = random.below(7) as usize;
        let (hours, height) = match habit {
            Habit::Idle => (random.between(0.1, 0.5), random.between(1.0, 10.0)),
            _ => (random.log_between(0.25, 4.0), random.between(20.0, 80.0)),
        };
        Job {
            start,
            day: weekly.then_some(day),
            end: (STEP_HOURS / hours).min(1.0),
            height,
        }
    }

    fn starts_at(&self, sample: usize) -> bool {
        let today = (sample / SAMPLES_PER_DAY) % 7;
        sample % SAMPLES_PER_DAY == self.start && self.day.is_none_or(|day| day == today)
    }

    /// How likely it runs: it does when it starts, and each five minutes it may end.
    fn chance_at(&self, sample: usize) -> f64 {
        let period = self.day.map_or(SAMPLES_PER_DAY, |_| SAMPLES_PER_WEEK);
        let start = self.day.unwrap_or(0) * SAMPLES_PER_DAY + self.start;
        let since = (sample + SAMPLES_PER_WEEK - start) % period;
        (1.0 - self.end).powi(since as i32)
    }
}

impl Change {
    fn draw(habit: Habit, random: &mut Random) -> Change {
        match habit {
            Habit::Drift => Change::Drift {
                per_day: random.between(-0.01, 0.02),
            },
            Habit::Steps => Change::Steps {
                per_sample: 1.0 / (random.between(4.0, 14.0) * SAMPLES_PER_DAY as f64),
                spread: random.between(0.1, 0.35),
            },
            Habit::Leak => Change::Leak {
                days: random.between(1.0, 6.0),
                rise: random.between(0.3, 1.5),
            },
            _ => Change::None,
        }
    }
}

impl State {
    fn start(demand: &Demand, random: &mut Random) -> State {
        let mut state = State {
            noise: random.normal(),
            burst: None,
            job: false,
            factor: 1.0,
            leak: random.uniform(),
            leak_days: 1.0,
        };
        if let Change::Leak { days, .. } = demand.change {
            state.leak_days = days;
        }
        state
    }

    fn step(&mut self, demand: &Demand, random: &mut Random, sample: usize) {
        self.noise = demand.noise.next(self.noise, random);
        if let Some(burst) = &demand.burst {
            self.burst = match self.burst {
                Some(height) => (!random.chance(burst.end)).then_some(height),
                None => random.chance(burst.begin).then(|| burst.height(random)),
            };
        }
        if let Some(job) = &demand.job {
            self.job = job.starts_at(sample) || (self.job && !random.chance(job.end));
        }
        self.change(&demand.change, random, sample);
    }

    fn change(&mut self, change: &Change, random: &mut Random, sample: usize) {
        match *change {
            Change::None => {}
            Change::Drift { per_day } => {
                let days = sample as f64 / SAMPLES_PER_DAY as f64;
                self.factor = (1.0 + per_day * days).clamp(0.3, 3.0);
            }
            Change::Steps { per_sample, spread } => {
                if sample == 0 || random.chance(per_sample) {
                    self.factor = (spread * random.normal()).exp();
                }
            }
            Change::Leak { days, rise } => {
                self.leak += 1.0 / (self.leak_days * SAMPLES_PER_DAY as f64);
                if self.leak >= 1.0 {
                    self.leak = 0.0;
                    // It is restarted when somebody notices.
                    self.leak_days = days * random.between(0.7, 1.3);
                }
                self.factor = 1.0 + rise * self.leak * self.leak_days / days;
            }
        }
    }
}

/// Numbers drawn from a seeded stream.
pub(super) struct Random(pub(super) ChaCha8Rng);

impl Random {
    /// 0 to below 1, in steps of 2⁻⁵³.
    fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// Uniform in the logarithm: as many between 1 and 10 as between 10 and 100.
    fn log_between(&mut self, low: f64, high: f64) -> f64 {
        low * (high / low).powf(self.uniform())
    }

    fn chance(&mut self, chance: f64) -> bool {
        self.uniform() < chance
    }

    /// 0 to `n` − 1, for a small `n`.
    pub(super) fn below(&mut self, n: u32) -> u32 {
        (self.uniform() * f64::from(n)) as u32
    }

    /// A standard normal number, by Box and Muller, “A note on the generation of random normal
    /// deviates”, 1958.
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (TAU * self.uniform()).cos()
    }
}
