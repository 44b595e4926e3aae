//! How long does a burstable machine run at full speed, and what does it charge after that?
//!
//! A burstable machine earns credits all the time and spends them with its CPU; a credit is one
//! vCPU at 100 % for one minute. At its baseline it spends what it earns. What happens without
//! credits depends on its [mode](CreditMode): it is throttled to the baseline, or it goes on with
//! surplus credits, which it pays back by being idle or in money.
//!
//! Sources: the pages *Key concepts*, *Standard mode examples* and *Unlimited mode examples* under
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/burstable-performance-instances.html>,
//! whose walks are tests of this crate.

use std::num::NonZeroU32;

use bursar_units::{Money, MoneyError};
use rust_decimal::Decimal;

use crate::instances::{BurstCredits, CreditMode};

/// Credits of a burstable machine over time.
///
/// Within a step the CPU is taken to be even. Launch credits (T2 in standard mode) are not
/// counted: they are spent once, and a fit is about weeks.
///
/// ```
/// use std::num::NonZeroU32;
///
/// use bursar_cost_model::fit::CreditSimulation;
/// use bursar_cost_model::instances::{BurstCredits, CreditMode};
///
/// let nano = BurstCredits {
///     baseline_percent: 5.0,
///     credits_per_hour: 6.0,
///     credit_cap: 144.0,
///     default_mode: CreditMode::Unlimited,
///     surplus_per_vcpu_hour: None,
/// };
/// let two = NonZeroU32::new(2).ok_or("two is not zero")?;
/// let mut credits = CreditSimulation::new(&nano, two, CreditMode::Standard);
/// credits.step(24.0, 0.0);
/// assert_eq!(credits.balance(), 144.0);
/// // 100 % of two vCPUs spends 120 credits an hour and earns 6.
/// let burst = credits.step(2.0, 100.0);
/// assert!((burst.throttled_hours - (2.0 - 144.0 / 114.0)).abs() < 1e-9);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct CreditSimulation {
    credits_per_hour: f64,
    cap: f64,
    vcpus: f64,
    mode: CreditMode,
    balance: f64,
    surplus: f64,
    charged: f64,
}

/// What one step of a [`CreditSimulation`] did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CreditStep {
    /// Hours in which the machine could not give what was asked: standard mode without credits.
    pub throttled_hours: f64,
    /// Surplus credits that can no longer be paid back by being idle, and are charged.
    pub charged_credits: f64,
}

impl CreditSimulation {
    /// A machine that was just started, without any credit.
    #[must_use]
    pub fn new(credits: &BurstCredits, vcpus: NonZeroU32, mode: CreditMode) -> CreditSimulation {
        CreditSimulation {
            credits_per_hour: credits.credits_per_hour,
            cap: credits.credit_cap,
            vcpus: f64::from(vcpus.get()),
            mode,
            balance: 0.0,
            surplus: 0.0,
            charged: 0.0,
        }
    }

    /// Credits in hand.
    #[must_use]
    pub fn balance(&self) -> f64 {
        self.balance
    }

    /// Surplus credits that can still be paid back by being idle (unlimited mode).
    #[must_use]
    pub fn surplus_balance(&self) -> f64 {
        self.surplus
    }

    /// Surplus credits charged so far.
    #[must_use]
    pub fn charged_credits(&self) -> f64 {
        self.charged
    }

    /// Lets `hours` pass with the CPU at `cpu_percent` of all vCPUs. A number that is negative or
    /// not a number counts as zero; CPU over 100 counts as 100.
    pub fn step(&mut self, hours: f64, cpu_percent: f64) -> CreditStep {
        let hours = if hours > 0.0 { hours } else { 0.0 };
        let percent = if cpu_percent > 0.0 {
            cpu_percent.min(100.0)
        } else {
            0.0
        };
        let spent_per_hour = percent / 100.0 * self.vcpus * 60.0;
        let net = (self.credits_per_hour - spent_per_hour) * hours;
        if net >= 0.0 {
            self.gain(net);
            return CreditStep {
                throttled_hours: 0.0,
                charged_credits: 0.0,
            };
        }
        self.lose(-net, hours)
    }

    /// Surplus is paid back first; what exceeds the cap is discarded.
    fn gain(&mut self, credits: f64) {
        let paid_back = credits.min(self.surplus);
        self.surplus -= paid_back;
        self.balance = (self.balance + credits - paid_back).min(self.cap);
    }

    fn lose(&mut self, credits: f64, hours: f64) -> CreditStep {
        let from_balance = credits.min(self.balance);
        self.balance -= from_balance;
        let missing = credits - from_balance;
        match self.mode {
            CreditMode::Standard => CreditStep {
                throttled_hours: hours * missing / credits,
                charged_credits: 0.0,
            },
            CreditMode::Unlimited => {
                let borrowed = missing.min((self.cap - self.surplus).max(0.0));
                self.surplus += borrowed;
                let charged_credits = missing - borrowed;
                self.charged += charged_credits;
                CreditStep {
                    throttled_hours: 0.0,
                    charged_credits,
                }
            }
        }
    }
}

/// The CPU use, in percent, from which a machine with a fixed CPU costs no more than a burstable
/// one in unlimited mode: baseline + (price of the fixed one − price of the burstable one) ÷
/// (price of a vCPU-hour of surplus × vCPUs), in percent.
///
/// Both prices are per hour. A result under the baseline says that the fixed machine is cheaper
/// at any use; one over 100 that it never is.
///
/// ```
/// use std::num::NonZeroU32;
///
/// use bursar_cost_model::fit::break_even_percent;
/// use bursar_units::{Currency, Money};
/// use rust_decimal::Decimal;
///
/// let dollars = |text| Money::parse(text, Currency::USD);
/// // t3.large beside m5.large, with the prices of the page.
/// let two = NonZeroU32::new(2).ok_or("two is not zero")?;
/// let percent = break_even_percent(
///     Decimal::from(30), dollars("0.0835")?, dollars("0.096")?, dollars("0.05")?, two,
/// )?;
/// assert_eq!(percent.normalize().to_string(), "42.5");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`MoneyError`] where the prices are of two currencies, or the surplus is free.
pub fn break_even_percent(
    baseline_percent: Decimal,
    burstable_per_hour: Money,
    fixed_per_hour: Money,
    surplus_per_vcpu_hour: Money,
    vcpus: NonZeroU32,
) -> Result<Decimal, MoneyError> {
    let surplus_at_full_use = surplus_per_vcpu_hour.checked_mul(Decimal::from(vcpus.get()))?;
    let extra = fixed_per_hour.checked_sub(burstable_per_hour)?;
    let share = extra
        .checked_mul(Decimal::ONE_HUNDRED)?
        .ratio_to(&surplus_at_full_use)?;
    Ok(baseline_percent.saturating_add(share))
}
