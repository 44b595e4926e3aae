//! Which spend does a bill have that an opportunity could concern?

use std::collections::BTreeMap;

use bursar_units::Currency;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::commitment::CommitmentUse;
use super::items::{Items, Share, SpendClass};
use super::line::{Line, Lines, is_meter_of_us_east_1};
use super::{
    ComputeFamily, LeftOut, Opportunities, OpportunityError, OpportunityInputs, VolumePrices, rules,
};
use crate::{ChargeCategory, Column, CommitmentStatus, CostRecord, Exact, ExactError};

/// How a bill is scanned.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ScanOptions {
    /// The currency whose rows are read; others are counted.
    pub currency: Currency,
    /// The most resources that are told apart, 200,000 at first, at about 200 bytes each. When
    /// there are more, a part of them is kept that does not depend on the order of the rows, and
    /// the spend of the others is kept as sums.
    pub max_resources: usize,
}

impl ScanOptions {
    /// The rows of one currency.
    #[must_use]
    pub fn new(currency: Currency) -> ScanOptions {
        ScanOptions {
            currency,
            max_resources: 200_000,
        }
    }
}

/// Reads a bill row by row and keeps what opportunities are found in.
///
/// The same rows in any order, or in parts that are [merged](Self::merge), lead to the same
/// opportunities.
///
/// ```
/// use bursar_cost_model::{
///     Column, CostRecord, OpportunityInputs, OpportunityScan, ScanOptions,
/// };
/// use bursar_units::Currency;
///
/// let mut scan = OpportunityScan::new(ScanOptions::new(Currency::USD));
/// let mut record = CostRecord::new(Currency::USD);
/// record.set(Column::ServiceName, "Amazon Virtual Private Cloud");
/// record.set(Column::SkuMeter, "PublicIPv4:IdleAddress");
/// record.set(Column::ResourceId, "eipalloc-1");
/// record.effective_cost = Some("3.60".parse()?);
/// scan.add(&record)?;
///
/// let opportunities = scan.finish(&OpportunityInputs::new("2026-11".parse()?))?;
/// assert_eq!(opportunities.total().to_string(), "3.6");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct OpportunityScan {
    pub(super) currency: Currency,
    lines: Lines,
    pub(super) items: Items,
    pub(super) commitments: BTreeMap<ComputeFamily, CommitmentUse>,
    pub(super) left_out: LeftOut,
    /// The first and the last start of a row.
    span: Option<(Timestamp, Timestamp)>,
}

impl OpportunityScan {
    /// A scan that has read nothing.
    #[must_use]
    pub fn new(options: ScanOptions) -> OpportunityScan {
        OpportunityScan {
            currency: options.currency,
            lines: Lines::default(),
            items: Items::new(options.max_resources),
            commitments: BTreeMap::new(),
            left_out: LeftOut::default(),
            span: None,
        }
    }

    /// Reads one row.
    ///
    /// # Errors
    /// [`ExactError::SumOutOfRange`], see [`ExactSum::add`](crate::ExactSum::add).
    #[inline]
    pub fn add(&mut self, record: &CostRecord<'_>) -> Result<(), ExactError> {
        match self.lines.of(record) {
            Line::Other => Ok(()),
            line => self.add_line(line, record),
        }
    }

    fn add_line(&mut self, line: Line, record: &CostRecord<'_>) -> Result<(), ExactError> {
        if !is_use(record) {
            return Ok(());
        }
        if record.billing_currency != self.currency {
            let others = &mut self.left_out.rows_in_other_currencies;
            *others.entry(record.billing_currency).or_default() += 1;
            return Ok(());
        }
        if record.is_correction() {
            self.left_out.corrections += 1;
            return Ok(());
        }
        let Some(cost) = record.effective_cost.or(record.billed_cost) else {
            self.left_out.rows_without_cost += 1;
            return Ok(());
        };
        self.cover(record.charge_period.start);
        self.add_cost(line, record, cost)
    }

    fn add_cost(
        &mut self,
        line: Line,
        record: &CostRecord<'_>,
        cost: Exact,
    ) -> Result<(), ExactError> {
        let mut share = Share {
            cost,
            ..Share::default()
        };
        let class = match line {
            Line::Other => return Ok(()),
            Line::Compute(family) => match self.compute_class(family, record, cost)? {
                Some(class) => class,
                None => return Ok(()),
            },
            Line::Volume(volume_type) => {
                share.quantity = quantity(record).unwrap_or_default();
                share.region = volume_region(record);
                SpendClass::Volume(volume_type)
            }
            Line::VolumePerformance => SpendClass::VolumePerformance,
            Line::Snapshot => SpendClass::Snapshot,
            Line::ObjectStorage => SpendClass::ObjectStorage,
            Line::IdleAddress => SpendClass::IdleAddress,
            Line::BalancerHours => SpendClass::Balancer,
            Line::BalancerUse => {
                // What a balancer did is no cost that goes when it was idle.
                share.cost = Exact::ZERO;
                share.active = quantity(record).is_none_or(|q| !q.is_zero());
                SpendClass::Balancer
            }
            Line::LlmOnDemand => SpendClass::LlmOnDemand,
            Line::LlmBatch => SpendClass::LlmBatch,
        };
        self.items
            .add(class, record.text(Column::ResourceId), &share)
    }

    /// At which prices a machine ran; `None` for commitments that nothing used.
    fn compute_class(
        &mut self,
        family: ComputeFamily,
        record: &CostRecord<'_>,
        cost: Exact,
    ) -> Result<Option<SpendClass>, ExactError> {
        use crate::CommitmentStatus::{Unused, Used};
        let status = record.commitment_status();
        let dynamic = record
            .text(Column::PricingCategory)
            .is_some_and(|c| c.eq_ignore_ascii_case("Dynamic"));
        let commitments = self.commitments.entry(family).or_default();
        Ok(match status {
            Some(status) => {
                commitments.add_commitment(status, record.list_cost, cost)?;
                match status {
                    Used => Some(SpendClass::Covered(family)),
                    Unused => None,
                }
            }
            None if dynamic => Some(SpendClass::Spot(family)),
            None => {
                commitments.add_on_demand(record, cost)?;
                Some(SpendClass::OnDemand(family))
            }
        })
    }

    #[inline]
    fn cover(&mut self, start: Option<Timestamp>) {
        let Some(start) = start else { return };
        self.span = Some(match self.span {
            Some((first, last)) => (first.min(start), last.max(start)),
            None => (start, start),
        });
    }

    /// Takes over what another scan has read.
    ///
    /// # Errors
    /// [`OpportunityError::OtherCurrency`] when it read another currency, and
    /// [`OpportunityError::Amount`] when a sum leaves its range.
    pub fn merge(&mut self, other: OpportunityScan) -> Result<(), OpportunityError> {
        if self.currency != other.currency {
            return Err(OpportunityError::OtherCurrency {
                ours: self.currency,
                theirs: other.currency,
            });
        }
        self.items.merge(other.items)?;
        for (family, commitments) in &other.commitments {
            self.commitments
                .entry(*family)
                .or_default()
                .merge(commitments)?;
        }
        self.left_out.rows_without_cost += other.left_out.rows_without_cost;
        self.left_out.corrections += other.left_out.corrections;
        for (currency, rows) in other.left_out.rows_in_other_currencies {
            *self
                .left_out
                .rows_in_other_currencies
                .entry(currency)
                .or_default() += rows;
        }
        if let Some((first, last)) = other.span {
            self.cover(Some(first));
            self.cover(Some(last));
        }
        Ok(())
    }

    /// Applies the rules to what was read.
    ///
    /// # Errors
    /// [`OpportunityError::OutsideWindow`] when a row starts outside the window, and
    /// [`OpportunityError::Amount`] when an amount leaves its range.
    pub fn finish(&self, inputs: &OpportunityInputs) -> Result<Opportunities, OpportunityError> {
        if let Some((first, last)) = self.span {
            let day = |time: Timestamp| time.to_zoned(TimeZone::UTC).date();
            let (first, last) = (day(first), day(last));
            if !inputs.window.contains(first) || !inputs.window.contains(last) {
                return Err(OpportunityError::OutsideWindow {
                    first,
                    last,
                    window: inputs.window,
                });
            }
        }
        rules::apply(self, inputs)
    }
}

/// Whether a row is use, or the unused part of a commitment: FOCUS calls that usage, and AWS a
/// fee, which is a purchase.
fn is_use(record: &CostRecord<'_>) -> bool {
    match record.charge_category {
        None | Some(ChargeCategory::Usage) => true,
        Some(ChargeCategory::Purchase) => {
            record.commitment_status() == Some(CommitmentStatus::Unused)
        }
        Some(_) => false,
    }
}

/// How much was used, in pricing units or else in units of consumption.
fn quantity(record: &CostRecord<'_>) -> Option<Exact> {
    record.pricing_quantity.or(record.consumed_quantity)
}

/// Where a volume is: the region of the row, or what its meter says.
fn volume_region<'a>(record: &'a CostRecord<'_>) -> Option<&'a str> {
    record
        .text(Column::RegionId)
        .or_else(|| is_meter_of_us_east_1(record).then_some(VolumePrices::US_EAST_1_REGION))
}
