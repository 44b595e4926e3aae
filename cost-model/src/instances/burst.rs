//! How does AWS ration the CPU of its burstable types?

use bursar_units::{Currency, Money};
use rust_decimal::Decimal;

use super::{BurstCredits, CreditMode};

/// A size: baseline in percent of each vCPU, credits earned per hour, the most credits kept.
///
/// One credit is one vCPU at 100 % for a minute, so that credits per hour are baseline × vCPUs × 60,
/// and a machine keeps what it earns in 24 hours. Source, of 2026-11-20:
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/burstable-credits-baseline-concepts.html>.
type Size = (&'static str, f64, f64, f64);

const T2: [Size; 7] = [
    ("nano", 5.0, 3.0, 72.0),
    ("micro", 10.0, 6.0, 144.0),
    ("small", 20.0, 12.0, 288.0),
    ("medium", 20.0, 24.0, 576.0),
    ("large", 30.0, 36.0, 864.0),
    ("xlarge", 22.5, 54.0, 1296.0),
    ("2xlarge", 17.0, 81.6, 1958.4),
];

/// T3, T3a and T4g.
const T3: [Size; 7] = [
    ("nano", 5.0, 6.0, 144.0),
    ("micro", 10.0, 12.0, 288.0),
    ("small", 20.0, 24.0, 576.0),
    ("medium", 20.0, 24.0, 576.0),
    ("large", 30.0, 36.0, 864.0),
    ("xlarge", 40.0, 96.0, 2304.0),
    ("2xlarge", 40.0, 192.0, 4608.0),
];

/// US dollars per vCPU-hour of surplus with Linux, in hundredths: 5 for T2, T3 and T3a, 4 for T4g; the
/// same for all sizes, in all regions, on demand, reserved and spot.
/// Source: <https://aws.amazon.com/ec2/pricing/on-demand/>, "T2/T3/T4g Unlimited Mode Pricing".
const SURPLUS_CENTS: i64 = 5;
const SURPLUS_CENTS_T4G: i64 = 4;

/// How AWS rations the CPU of a type; `None` for one of another family than T2, T3, T3a and T4g.
///
/// T2 falls to its baseline without credits unless it is told otherwise; the others go on and are
/// charged.
///
/// ```
/// use bursar_cost_model::instances::{CreditMode, aws_burst_credits};
///
/// let credits = aws_burst_credits("t3.micro").expect("T3 is burstable");
/// assert_eq!((credits.baseline_percent, credits.credits_per_hour), (10.0, 12.0));
/// assert_eq!(credits.default_mode, CreditMode::Unlimited);
/// assert_eq!(aws_burst_credits("m5.large"), None);
/// ```
#[must_use]
pub fn aws_burst_credits(instance: &str) -> Option<BurstCredits> {
    let (family, size) = instance.split_once('.')?;
    let (sizes, default_mode, surplus) = match family {
        "t2" => (&T2, CreditMode::Standard, SURPLUS_CENTS),
        "t3" | "t3a" => (&T3, CreditMode::Unlimited, SURPLUS_CENTS),
        "t4g" => (&T3, CreditMode::Unlimited, SURPLUS_CENTS_T4G),
        _ => return None,
    };
    let &(_, baseline_percent, credits_per_hour, credit_cap) =
        sizes.iter().find(|(name, ..)| *name == size)?;
    Some(BurstCredits {
        baseline_percent,
        credits_per_hour,
        credit_cap,
        default_mode,
        surplus_per_vcpu_hour: Some(Money::new(Decimal::new(surplus, 2), Currency::USD)),
    })
}
