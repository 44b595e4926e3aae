//! Which machines can be had, what can they hold, and what do they cost?
//!
//! An [`InstanceType`] is what a provider sells under one name. What is not known of it is `None`;
//! a fit that needs the value then says that it is unknown and never takes it for zero.
//!
//! An [`InstanceCatalog`] has the types of one region by name, read from tables of text. The crate
//! `bursar-catalog` ships such tables for EC2; a newer set, or one of your own, is read the same way.
//!
//! ```
//! use bursar_cost_model::instances::{InstanceCatalog, InstanceTables};
//!
//! let catalog = InstanceCatalog::parse(
//!     &InstanceTables {
//!         instances: bursar_catalog::INSTANCES,
//!         credits: bursar_catalog::INSTANCE_CREDITS,
//!         measurements: bursar_catalog::INSTANCE_MEASUREMENTS,
//!         prices: bursar_catalog::INSTANCE_PRICES,
//!         spot: bursar_catalog::INSTANCE_SPOT,
//!         sources: bursar_catalog::INSTANCE_SOURCES,
//!     },
//!     "us-east-1",
//! )?;
//! let m5 = catalog.get("m5.large").expect("the catalog has it");
//! assert_eq!(m5.on_demand.map(|price| price.to_string()).as_deref(), Some("0.096 USD"));
//! assert_eq!((m5.memory_mib, m5.usable_memory_mib), (8192, Some(7811)));
//! // “Up to 10 Gigabit” is what it bursts to, not what it has all day.
//! let network = m5.network.expect("the catalog has it");
//! assert_eq!((network.baseline_mbps, network.burst_mbps), (750, 10_000));
//! // No public source has the price of a commitment, so the catalog has none.
//! assert_eq!(m5.reserved_one_year, None);
//!
//! let origin = catalog.origin("m5.large").expect("the catalog has it");
//! let price = origin.price.as_ref().expect("it has a price");
//! assert_eq!(price.as_of.to_string(), "2026-07-20");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Concepts
//!
//! - **Every value has a source and a date.** [`InstanceOrigin`] says from where the size, the
//!   credits, the measurements, the price and the spot market of a type come, and of which day each
//!   is. Nothing is filled in from a neighbor: a type that nobody measured has no CPU score.
//! - **Capacity is what can be had all day.** Network and volumes have a baseline and a burst;
//!   memory has what is sold and what the operating system sees; the CPU of a burstable type has
//!   [`BurstCredits`].
//! - **Prices have a period.** A new price is a new row; [`InstanceCatalog::parse_on`] reads the
//!   catalog as it was on a day, so that last month can be priced again.
//! - **Regions differ in price and spot market only.** The other values are those of the type.
//!
//! [`source_catalog`] has the 14 types that the points scorer was first written for, with the prices
//! that were given then. They are for tests and not for decisions.
//!
//! # Making the tables
//!
//! [`read_moto`], [`read_prices`], [`read_measurements`] and [`read_spot`] read what others publish,
//! [`InstanceTexts`] joins it to tables and [`InstanceReview`] looks for
//! gaps, overlaps and stale values in them. `cargo xtask catalog refresh` does all of it.
//!
//! # Sources
//!
//! - Sizes, network and volumes: the answers of EC2's `DescribeInstanceTypes` that
//!   [moto](https://github.com/getmoto/moto) records, Apache-2.0.
//! - Credits: [the table of AWS](https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/burstable-credits-baseline-concepts.html).
//! - Prices on demand: the table that
//!   [Karpenter](https://github.com/aws/karpenter-provider-aws) generates from the AWS price list,
//!   Apache-2.0.
//! - CPU score and usable memory: measured by
//!   [ec2instances.info](https://github.com/vantage-sh/ec2instances.info), MIT.
//! - Spot market: AWS Spot Advisor, as [spotinfo](https://github.com/alexei-led/spotinfo) keeps it,
//!   Apache-2.0.
//!
//! # What it does not do
//!
//! It asks no service and opens no file. It has no price of another provider, no price of a
//! commitment and no model of one, and no price outside the regions of its tables. It does not
//! know accelerators: [`InstanceType::accelerated`] says that there are some, not which.

mod burst;
mod catalog;
mod error;
mod import;
mod review;
mod source;
mod table;
mod texts;

use std::fmt;
use std::num::NonZeroU32;

use bursar_units::{Money, MoneyError};
use rust_decimal::Decimal;

pub use self::burst::aws_burst_credits;
pub use self::catalog::{InstanceCatalog, InstanceOrigin, InstanceSource, InstanceTables};
pub use self::error::{CatalogProblem, InstanceCatalogError};
pub use self::import::{
    ImportError, LeftOut, LeftOutReason, MeasurementRow, MotoTypes, PriceList, PriceRow, SpotRow,
    read_measurements, read_moto, read_prices, read_spot,
};
pub use self::review::{InstanceCounts, InstanceFinding, InstanceReview, InstanceValues};
pub use self::source::source_catalog;
pub use self::texts::{InstanceLists, InstanceTexts, NotJoined};

/// What a provider sells under one name, in one region.
///
/// ```
/// use std::num::NonZeroU32;
///
/// use bursar_cost_model::instances::{Architecture, InstanceType};
///
/// let mut machine = InstanceType::new("m7g.large", Architecture::Arm64, NonZeroU32::new(2).unwrap(), 8192);
/// machine.usable_memory_mib = Some(7811);
/// assert_eq!(machine.family(), "m7g");
/// assert_eq!(machine.on_demand, None);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct InstanceType {
    /// The provider's name of it, `m7g.large`.
    pub name: Box<str>,
    /// The instruction set.
    pub architecture: Architecture,
    /// Threads that the operating system sees.
    pub vcpus: NonZeroU32,
    /// Memory as it is sold, in MiB.
    pub memory_mib: u64,
    /// Memory that the operating system sees, in MiB, as measured; always less than what is sold.
    pub usable_memory_mib: Option<u64>,
    /// What the network carries.
    pub network: Option<NetworkLimits>,
    /// What passes between the machine and its volumes.
    pub ebs: Option<EbsLimits>,
    /// How the CPU is rationed, where it is: `None` for a machine that may use its CPU all day.
    pub burst: Option<BurstCredits>,
    /// Whether it is a flex type: it has all of its CPU most of the time, but not all day.
    ///
    /// AWS states a baseline of 40 % of each vCPU, and up to all of it for 95 % of the time in 24
    /// hours; a use that stays over the baseline for long may find its burst gradually reduced, by
    /// how much is not published. Nothing is charged for it. Source:
    /// <https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-types.html>, "Flex instances".
    pub flex: bool,
    /// Measured CPU score of the whole machine: CoreMark iterations per second on all threads.
    pub cpu_score: Option<f64>,
    /// Whether it carries accelerators (GPU, FPGA, inference chips), which a fit by CPU and memory
    /// does not weigh.
    pub accelerated: bool,
    /// Whether the provider still counts it among the current ones.
    pub current_generation: bool,
    /// Price of an hour on demand, for Linux.
    pub on_demand: Option<Money>,
    /// Price of an hour under a commitment of one year without payment in advance.
    pub reserved_one_year: Option<Money>,
    /// What the spot market gave, and what it took.
    pub spot: Option<SpotMarket>,
    /// Price of an hour on the spot market, where a source states the price itself and not only the
    /// saving; see [`InstanceType::spot_hourly`].
    pub spot_price: Option<Money>,
}

impl InstanceType {
    /// A type of which nothing is known but its size.
    #[must_use]
    pub fn new(
        name: &str,
        architecture: Architecture,
        vcpus: NonZeroU32,
        memory_mib: u64,
    ) -> InstanceType {
        InstanceType {
            name: name.into(),
            architecture,
            vcpus,
            memory_mib,
            usable_memory_mib: None,
            network: None,
            ebs: None,
            burst: None,
            flex: false,
            cpu_score: None,
            accelerated: false,
            current_generation: true,
            on_demand: None,
            reserved_one_year: None,
            spot: None,
            spot_price: None,
        }
    }

    /// Price of an hour on the spot market: the stated price, else the price on demand less the
    /// saving; `None` where neither is known.
    ///
    /// A spot price moves from hour to hour. This one is the mean of the days on which the source
    /// looked, and the saving may be of another day than the price on demand.
    ///
    /// # Errors
    /// [`MoneyError`] if the price has more digits than an amount can hold.
    pub fn spot_hourly(&self) -> Result<Option<Money>, MoneyError> {
        if self.spot_price.is_some() {
            return Ok(self.spot_price);
        }
        let (Some(on_demand), Some(spot)) = (self.on_demand, self.spot) else {
            return Ok(None);
        };
        let paid_percent = 100_u8.saturating_sub(spot.saving_percent);
        let paid = Decimal::new(i64::from(paid_percent), 2);
        on_demand.checked_mul(paid).map(Some)
    }

    /// What stands before the size: `m7g` of `m7g.large`; the whole name where it has no dot.
    #[must_use]
    pub fn family(&self) -> &str {
        self.name
            .split_once('.')
            .map_or(&self.name, |(family, _)| family)
    }
}

/// An instruction set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Architecture {
    /// AMD and Intel, 64 bits.
    #[cfg_attr(feature = "serde", serde(rename = "x86_64"))]
    X86_64,
    /// 64-bit ARM, such as AWS Graviton.
    Arm64,
}

impl Architecture {
    /// The set of that name: `x86_64` or `arm64`.
    #[must_use]
    pub fn named(name: &str) -> Option<Architecture> {
        match name {
            "x86_64" => Some(Architecture::X86_64),
            "arm64" => Some(Architecture::Arm64),
            _ => None,
        }
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Architecture::X86_64 => "x86_64",
            Architecture::Arm64 => "arm64",
        })
    }
}

/// What the network carries, in Mbit/s and in each direction.
///
/// Providers name the burst (“up to 5 Gigabit”); the baseline can be had all day and is up to 156
/// times less (0.032 and 5 Gbit/s for a `t3.nano`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct NetworkLimits {
    /// What can be had all day.
    pub baseline_mbps: u32,
    /// What can be had for minutes; the baseline where there is no burst.
    pub burst_mbps: u32,
}

/// What passes between a machine and its volumes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct EbsLimits {
    /// Throughput that can be had all day, in Mbit/s.
    pub baseline_mbps: u32,
    /// Throughput that can be had for 30 minutes a day, in Mbit/s.
    pub maximum_mbps: u32,
    /// Operations per second that can be had all day.
    pub baseline_iops: u32,
    /// Operations per second that can be had for 30 minutes a day.
    pub maximum_iops: u32,
}

/// How the CPU of a burstable machine is rationed.
///
/// One credit is one vCPU at 100 % for one minute. Source:
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/burstable-credits-baseline-concepts.html>.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BurstCredits {
    /// Use of each vCPU that the earned credits pay for, in percent.
    pub baseline_percent: f64,
    /// Credits earned per hour.
    pub credits_per_hour: f64,
    /// The most credits that are kept.
    pub credit_cap: f64,
    /// What the machine does without credits unless it is told otherwise.
    pub default_mode: CreditMode,
    /// Price of one vCPU-hour of surplus in unlimited mode.
    pub surplus_per_vcpu_hour: Option<Money>,
}

/// What a burstable machine does when its credits are spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum CreditMode {
    /// It falls to its baseline.
    Standard,
    /// It goes on, and what a day's mean is above the baseline is charged.
    Unlimited,
}

/// What the spot market gave, and what it took.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SpotMarket {
    /// Saving over the price on demand, in percent, 0 to 100.
    pub saving_percent: u8,
    /// How often it was taken back.
    pub interruption: InterruptionFrequency,
}

/// How many of a type's spot machines the provider took back in a month, as AWS Spot Advisor
/// reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum InterruptionFrequency {
    /// Less than 5 %.
    Under5,
    /// 5 to 10 %.
    From5To10,
    /// 10 to 15 %.
    From10To15,
    /// 15 to 20 %.
    From15To20,
    /// More than 20 %.
    Over20,
}

impl InterruptionFrequency {
    /// The class that Spot Advisor counts from 0 to 4.
    #[must_use]
    pub fn from_bucket(bucket: u8) -> Option<InterruptionFrequency> {
        match bucket {
            0 => Some(InterruptionFrequency::Under5),
            1 => Some(InterruptionFrequency::From5To10),
            2 => Some(InterruptionFrequency::From10To15),
            3 => Some(InterruptionFrequency::From15To20),
            4 => Some(InterruptionFrequency::Over20),
            _ => None,
        }
    }

    /// The number of the class, 0 to 4.
    #[must_use]
    pub fn bucket(self) -> u8 {
        match self {
            InterruptionFrequency::Under5 => 0,
            InterruptionFrequency::From5To10 => 1,
            InterruptionFrequency::From10To15 => 2,
            InterruptionFrequency::From15To20 => 3,
            InterruptionFrequency::Over20 => 4,
        }
    }

    /// The share of machines taken back in a month, from and to, in percent; the highest class has
    /// no upper end.
    #[must_use]
    pub fn percent_per_month(self) -> (f64, Option<f64>) {
        match self {
            InterruptionFrequency::Under5 => (0.0, Some(5.0)),
            InterruptionFrequency::From5To10 => (5.0, Some(10.0)),
            InterruptionFrequency::From10To15 => (10.0, Some(15.0)),
            InterruptionFrequency::From15To20 => (15.0, Some(20.0)),
            InterruptionFrequency::Over20 => (20.0, None),
        }
    }
}
