//! Where can money be saved, how much, and how sure is that?
//!
//! An [`OpportunityScan`] reads a bill once, row by row, and keeps the spend that one of its
//! rules concerns; [`OpportunityScan::finish`] applies the rules, together with what a bill does
//! not say: utilization, volumes, what may be batched. Every [`Opportunity`] states its reason in
//! numbers, whether its saving is computed from prices or is a rule of thumb, and how much of it
//! is in the [total](Opportunities::total), in which no spend is saved twice.
//!
//! **Spend** is the effective cost of usage rows, or the billed cost where a row states no
//! effective one. Taxes, credits, purchases, adjustments and corrections of earlier invoices are
//! left out, the last with their number.
//!
//! **Monthly** is the spend in the window ÷ its months when it is made of whole calendar months,
//! and otherwise the spend × 30.4375 ÷ its days (365.25 ÷ 12). A window of one month is that
//! month, to the last digit.
//!
//! Amounts are exact: parts add up to totals, and nothing is rounded before it is shown. Ratios
//! that have no end are rounded half to even to 12 places.

mod amount;
mod commitment;
mod compatible;
mod items;
mod line;
mod machines;
mod rules;
mod scan;
mod storage;
mod volume;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use bursar_units::Currency;

use crate::{
    DateRange, EfficiencyCurve, Exact, ExactError, ExactSum, Percent, SeriesError, Utilization,
};

pub use scan::{OpportunityScan, ScanOptions};
pub use volume::{Gp3Change, VolumePerformance, VolumePrices};

/// Something that would make the bill smaller, or a machine large enough.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Opportunity {
    /// What would be done.
    pub kind: OpportunityKind,
    /// Why, in one sentence with the numbers.
    pub reason: String,
    /// What it concerns, dearest first, at most [`OpportunityInputs::max_listed`].
    pub resources: Vec<AffectedResource>,
    /// How many more resources it concerns.
    pub resources_not_listed: u64,
    /// What the spend that it concerns comes to in a month, listed or not.
    pub monthly_cost: ExactSum,
    /// What it saves a month by itself; below 0 when it costs, `None` when that is not known.
    pub monthly_saving: Option<ExactSum>,
    /// How the saving was found.
    pub estimate: Estimate,
    /// What it takes.
    pub effort: Effort,
    /// What may go wrong.
    pub risk: Risk,
    /// Its part in the total.
    pub standing: Standing,
    /// How much of the saving is in the total.
    pub counted_saving: ExactSum,
}

/// What would be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum OpportunityKind {
    /// Delete volumes that are attached to nothing.
    UnattachedVolumes,
    /// Release public addresses that nothing uses.
    IdleAddresses,
    /// Delete load balancers that balance nothing.
    IdleLoadBalancers,
    /// Delete snapshots that nobody needs.
    Snapshots,
    /// Change gp2 volumes to gp3.
    Gp2ToGp3,
    /// Make volumes smaller or cheaper.
    VolumeSpend,
    /// Let a lifecycle rule move objects that are seldom read to a cheaper class.
    ObjectLifecycle,
    /// Run on smaller machines.
    SmallerInstances,
    /// Run on larger machines.
    LargerInstances,
    /// Send model calls that can wait in batches.
    LlmBatch,
    /// Let a cheaper model answer the calls that it answers as well.
    LlmModelChoice,
    /// Commit to the compute that always runs.
    Commitment(ComputeFamily),
    /// Use, sell or let end commitments that are paid and not used.
    UnusedCommitment(ComputeFamily),
}

impl OpportunityKind {
    /// A name to show.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            OpportunityKind::UnattachedVolumes => "unattached volumes",
            OpportunityKind::IdleAddresses => "idle addresses",
            OpportunityKind::IdleLoadBalancers => "idle load balancers",
            OpportunityKind::Snapshots => "snapshots",
            OpportunityKind::Gp2ToGp3 => "gp2 to gp3",
            OpportunityKind::VolumeSpend => "block storage",
            OpportunityKind::ObjectLifecycle => "object lifecycle",
            OpportunityKind::SmallerInstances => "smaller instances",
            OpportunityKind::LargerInstances => "larger instances",
            OpportunityKind::LlmBatch => "model calls in batches",
            OpportunityKind::LlmModelChoice => "model choice",
            OpportunityKind::Commitment(_) => "commitment",
            OpportunityKind::UnusedCommitment(_) => "unused commitment",
        }
    }
}

impl fmt::Display for OpportunityKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            OpportunityKind::Commitment(family) | OpportunityKind::UnusedCommitment(family) => {
                write!(f, " ({family})")
            }
            _ => Ok(()),
        }
    }
}

/// The compute services that commitments are sold for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum ComputeFamily {
    /// Amazon EC2 instances.
    Ec2,
    /// Azure virtual machines.
    AzureVm,
    /// Google Compute Engine instances.
    ComputeEngine,
    /// AWS Fargate tasks.
    Fargate,
    /// AWS Lambda, by duration.
    Lambda,
}

impl ComputeFamily {
    /// Every family.
    pub const ALL: [ComputeFamily; 5] = [
        ComputeFamily::Ec2,
        ComputeFamily::AzureVm,
        ComputeFamily::ComputeEngine,
        ComputeFamily::Fargate,
        ComputeFamily::Lambda,
    ];

    /// The provider's name of it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            ComputeFamily::Ec2 => "EC2",
            ComputeFamily::AzureVm => "Azure virtual machines",
            ComputeFamily::ComputeEngine => "Compute Engine",
            ComputeFamily::Fargate => "Fargate",
            ComputeFamily::Lambda => "Lambda",
        }
    }

    /// Whether it is machines of a size that one chooses.
    fn is_machines(self) -> bool {
        matches!(
            self,
            ComputeFamily::Ec2 | ComputeFamily::AzureVm | ComputeFamily::ComputeEngine
        )
    }
}

impl fmt::Display for ComputeFamily {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The kinds of block volume that AWS sells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum VolumeType {
    /// General purpose, second generation: performance by size.
    Gp2,
    /// General purpose, third generation: performance apart from size.
    Gp3,
    /// Provisioned IOPS.
    Io1,
    /// Provisioned IOPS, second generation.
    Io2,
    /// Throughput-optimized disks.
    St1,
    /// Cold disks.
    Sc1,
    /// Magnetic disks of the first generation.
    Standard,
    /// The bill does not say.
    Unknown,
}

/// One resource that an [`Opportunity`] concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct AffectedResource {
    /// The provider's id of it.
    pub id: String,
    /// What it costs a month.
    pub monthly_cost: ExactSum,
    /// What doing it to this resource saves a month, if that is known for each.
    pub monthly_saving: Option<ExactSum>,
    /// What would be done to it, and what is kept.
    pub action: Option<String>,
}

/// How a saving was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Estimate {
    /// From prices and amounts.
    Computed,
    /// By a share that is usual, and not known for this case.
    RuleOfThumb {
        /// The share of the spend that is saved: 0.30 is 30 %; below 0 where it costs more.
        rate: Exact,
    },
}

/// What a change takes, in the steps of AWS Compute Optimizer's migration effort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum Effort {
    /// One call, nothing stops.
    VeryLow,
    /// A few calls, checked by a person.
    Low,
    /// A restart, or a contract.
    Medium,
    /// A change of the program, or a copy of data.
    High,
}

/// What may go wrong with a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum Risk {
    /// It can be undone, and nothing slows down.
    Low,
    /// Something may slow down, or money is bound.
    Medium,
    /// It cannot be undone.
    High,
}

/// Which part an [`Opportunity`] has in the total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Standing {
    /// All that it saves.
    Counted,
    /// What it saves on spend for which nothing better was found.
    PartlyCounted,
    /// Nothing: for all of its spend something better was found.
    Alternative,
    /// Nothing: what it saves is not known.
    SavingUnknown,
    /// Nothing: it costs more than it saves.
    CostsMore,
}

/// A rule that found nothing to advise, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct NotAdvised {
    /// What the rule would have advised.
    pub kind: OpportunityKind,
    /// Whether the rule could be applied.
    pub cause: NotAdvisedCause,
    /// Why, in one sentence.
    pub reason: String,
}

/// Whether a rule that advises nothing could be applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum NotAdvisedCause {
    /// It was, and its condition does not hold.
    ConditionNotMet,
    /// It was not, or not to all of the spend: something is not known.
    NotEvaluated,
}

/// Monthly spend above which a rule of thumb applies, in the billing currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Thresholds {
    /// Spend on machines above which smaller ones are looked for.
    pub compute: Exact,
    /// Spend on block volumes above which it is looked for less of them.
    pub volumes: Exact,
}

impl Thresholds {
    /// 50 and 10 US dollars; `None` for any other currency, in which the rules have no threshold
    /// until one is given.
    ///
    /// ```
    /// use bursar_cost_model::Thresholds;
    /// use bursar_units::Currency;
    /// assert!(Thresholds::of(Currency::USD).is_some());
    /// assert_eq!(Thresholds::of(Currency::JPY), None);
    /// ```
    #[must_use]
    pub fn of(currency: Currency) -> Option<Thresholds> {
        (currency == Currency::USD).then_some(Thresholds {
            compute: Exact::from(50),
            volumes: Exact::from(10),
        })
    }
}

/// What was measured of one machine.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct InstanceMeasurement {
    /// Its type, such as `t3.xlarge`.
    pub instance_type: String,
    /// How busy it was.
    pub utilization: Utilization,
    /// What a month of the machine that fits costs, where a fit is known: then the saving is
    /// computed and no rule of thumb.
    pub target_monthly_cost: Option<Exact>,
}

impl InstanceMeasurement {
    /// The use of a machine, with no other machine in mind.
    #[must_use]
    pub fn new(instance_type: impl Into<String>, utilization: Utilization) -> InstanceMeasurement {
        InstanceMeasurement {
            instance_type: instance_type.into(),
            utilization,
            target_monthly_cost: None,
        }
    }
}

/// What is known of one block volume.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct VolumeInventory {
    /// Its type.
    pub volume_type: VolumeType,
    /// Its size in GiB.
    pub size_gib: u32,
    /// What it must go on doing; `None` keeps all that its type and size can do.
    pub performance: Option<VolumePerformance>,
    /// Whether it is attached to a machine; `None` when that is not known.
    pub attached: Option<bool>,
}

impl VolumeInventory {
    /// A volume of which only type and size are known.
    #[must_use]
    pub fn new(volume_type: VolumeType, size_gib: u32) -> VolumeInventory {
        VolumeInventory {
            volume_type,
            size_gib,
            performance: None,
            attached: None,
        }
    }
}

/// What an evaluation showed about answering calls with a cheaper model.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ModelChoice {
    /// The share of the spend on calls that the cheaper model answers as well.
    pub movable_share: Percent,
    /// What these calls cost with the cheaper model, in percent of what they cost now.
    pub remaining_cost: Percent,
}

/// What a bill does not say.
///
/// ```
/// use bursar_cost_model::{OpportunityInputs, Percent};
///
/// let mut inputs = OpportunityInputs::new("2026-10".parse()?);
/// inputs.batchable_share = Some(Percent::new(40.0)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct OpportunityInputs {
    /// The days that the rows cover.
    pub window: DateRange,
    /// Machines by resource id; the last part of an id (`i-0abc` of an ARN) is enough.
    pub instances: BTreeMap<String, InstanceMeasurement>,
    /// Volumes by resource id, likewise.
    pub volumes: BTreeMap<String, VolumeInventory>,
    /// Snapshots that nobody needs, by resource id, likewise.
    pub unneeded_snapshots: BTreeSet<String>,
    /// The share of the bytes in S3 Standard that is older than 30 days and seldom read, in
    /// objects of 128 KB and more, as S3 Storage Lens or an inventory tells.
    pub seldom_read_share: Option<Percent>,
    /// The share of the spend on model calls that can wait for a batch.
    pub batchable_share: Option<Percent>,
    /// What an evaluation showed about a cheaper model.
    pub model_choice: Option<ModelChoice>,
    /// What a commitment costs in percent of the list price, where one is offered; it goes
    /// before the rate that the bill shows.
    pub commitment_offers: BTreeMap<ComputeFamily, Percent>,
    /// Volume prices by region; at first those of `us-east-1`.
    pub volume_prices: BTreeMap<String, VolumePrices>,
    /// Thresholds of the rules of thumb; `None` takes those of the currency, if it has any.
    pub thresholds: Option<Thresholds>,
    /// How machines are scored.
    pub efficiency_curve: EfficiencyCurve,
    /// The most resources that one opportunity lists; at first 100.
    pub max_listed: usize,
}

impl OpportunityInputs {
    /// Only the days that the rows cover.
    #[must_use]
    pub fn new(window: DateRange) -> OpportunityInputs {
        let us_east_1 = (
            VolumePrices::US_EAST_1_REGION.to_owned(),
            VolumePrices::us_east_1(),
        );
        OpportunityInputs {
            window,
            instances: BTreeMap::new(),
            volumes: BTreeMap::new(),
            unneeded_snapshots: BTreeSet::new(),
            seldom_read_share: None,
            batchable_share: None,
            model_choice: None,
            commitment_offers: BTreeMap::new(),
            volume_prices: BTreeMap::from([us_east_1]),
            thresholds: None,
            efficiency_curve: EfficiencyCurve::default(),
            max_listed: 100,
        }
    }
}

/// Why opportunities could not be found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpportunityError {
    /// Rows lie outside the window, so that a monthly figure would be wrong.
    #[error("rows of {first} to {last} are not within the window {window}: scan only its rows")]
    OutsideWindow {
        /// The earliest day on which a row starts.
        first: jiff::civil::Date,
        /// The latest day on which a row starts.
        last: jiff::civil::Date,
        /// The window that was given.
        window: DateRange,
    },
    /// A scan was merged with one of another currency.
    #[error("a scan of {ours} cannot be merged with one of {theirs}: one scan a currency")]
    OtherCurrency {
        /// The currency of this scan.
        ours: Currency,
        /// The currency of the other.
        theirs: Currency,
    },
    /// A date is out of range.
    #[error(transparent)]
    Range(#[from] SeriesError),
    /// An amount cannot be kept.
    #[error(transparent)]
    Amount(#[from] ExactError),
}

/// All that was found in one bill.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Opportunities {
    /// The currency of all amounts.
    pub currency: Currency,
    /// The days that the rows cover.
    pub window: DateRange,
    /// The largest part in the total first, then the largest saving.
    pub found: Vec<Opportunity>,
    /// Rules that advise nothing, or could not be applied to some spend, and why.
    pub not_advised: Vec<NotAdvised>,
    /// What of the bill was left out.
    pub left_out: LeftOut,
    total: ExactSum,
    touched_cost: ExactSum,
}

/// What of a bill could not be looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct LeftOut {
    /// Rows of the services concerned with neither an effective nor a billed cost.
    pub rows_without_cost: u64,
    /// Corrections of earlier invoices in these services.
    pub corrections: u64,
    /// Rows in other currencies: each takes a scan of its own.
    pub rows_in_other_currencies: BTreeMap<Currency, u64>,
    /// Whether there were more resources than the scan tells apart; the spend of the others is
    /// in every sum, and in no list.
    pub resources_cut: bool,
}

impl Opportunities {
    /// What doing the best thing for all spend saves a month.
    ///
    /// For each resource and kind of spend one opportunity is counted, the one that saves most:
    /// a volume that is deleted is not also made gp3, an instance that is made smaller is not
    /// also committed to. A commitment concerns all on-demand spend of a service together, so
    /// there it is either the commitment or whatever saves more on its resources. The choice is
    /// the best there is, as no resource's choice bears on another's. Two actions on one
    /// resource are never combined, so the total may be exceeded, and is never above
    /// [`touched_cost`](Self::touched_cost).
    #[must_use]
    pub fn total(&self) -> &ExactSum {
        &self.total
    }

    /// What the spend costs a month from which the total is saved.
    #[must_use]
    pub fn touched_cost(&self) -> &ExactSum {
        &self.touched_cost
    }

    /// The opportunities that are in the total, wholly or in part.
    pub fn counted(&self) -> impl Iterator<Item = &Opportunity> {
        let counted =
            |o: &&Opportunity| matches!(o.standing, Standing::Counted | Standing::PartlyCounted);
        self.found.iter().filter(counted)
    }

    /// The opportunities for whose spend something better was found.
    pub fn alternatives(&self) -> impl Iterator<Item = &Opportunity> {
        let alternative = |o: &&Opportunity| o.standing == Standing::Alternative;
        self.found.iter().filter(alternative)
    }
}
