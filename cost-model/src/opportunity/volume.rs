//! What does a gp2 volume cost as a gp3 volume that does all that it did?

use super::amount::times;
use crate::{Exact, ExactError, ExactSum};

/// What a general-purpose volume costs a month in one region.
///
/// ```
/// use bursar_cost_model::VolumePrices;
///
/// let prices = VolumePrices::us_east_1();
/// assert_eq!(prices.gp2_gb.to_string(), "0.10");
/// assert_eq!(prices.gp3_gb.to_string(), "0.08");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct VolumePrices {
    /// gp2, per GB-month.
    pub gp2_gb: Exact,
    /// gp3, per GB-month, with 3,000 IOPS and 125 MB/s.
    pub gp3_gb: Exact,
    /// gp3, per IOPS-month above 3,000.
    pub gp3_iops: Exact,
    /// gp3, per MB/s-month above 125.
    pub gp3_throughput: Exact,
}

impl VolumePrices {
    /// The region of [`us_east_1`](Self::us_east_1).
    pub const US_EAST_1_REGION: &'static str = "us-east-1";

    /// The list prices of `us-east-1` in US dollars.
    ///
    /// Source: AWS price list as quoted by the reference outputs of Infracost
    /// (`internal/providers/terraform/aws/testdata`, Apache-2.0), checked in November 2026.
    #[must_use]
    pub fn us_east_1() -> VolumePrices {
        let price = |mantissa, places| {
            Exact::new(mantissa, places)
                .expect("a price of two digits and three places is in range")
        };
        VolumePrices {
            gp2_gb: price(10, 2),
            gp3_gb: price(8, 2),
            gp3_iops: price(5, 3),
            gp3_throughput: price(4, 2),
        }
    }
}

/// What a volume must be able to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct VolumePerformance {
    /// Requests a second.
    pub iops: u32,
    /// MiB a second.
    pub throughput: u32,
}

impl VolumePerformance {
    /// What every gp3 volume does at no further charge.
    pub const GP3_INCLUDED: VolumePerformance = VolumePerformance {
        iops: 3_000,
        throughput: 125,
    };

    /// What a gp2 volume of this size does at its best.
    ///
    /// 3 IOPS per GiB up to 16,000, and below 1,000 GiB bursts to 3,000; 128 MiB/s up to
    /// 170 GiB, and 250 above. Source: Amazon EBS User Guide, "General Purpose SSD volumes".
    #[must_use]
    pub fn of_gp2(size_gib: u32) -> VolumePerformance {
        VolumePerformance {
            iops: size_gib.saturating_mul(3).clamp(3_000, 16_000),
            throughput: if size_gib <= 170 { 128 } else { 250 },
        }
    }

    /// At least what every gp3 volume does.
    fn of_gp3(self) -> VolumePerformance {
        VolumePerformance {
            iops: self.iops.max(Self::GP3_INCLUDED.iops),
            throughput: self.throughput.max(Self::GP3_INCLUDED.throughput),
        }
    }
}

/// A gp2 volume beside the gp3 volume that replaces it, at list price.
///
/// ```
/// use bursar_cost_model::{Gp3Change, VolumePerformance, VolumePrices};
///
/// let kept = VolumePerformance::of_gp2(500);
/// let change = Gp3Change::new(500, kept, &VolumePrices::us_east_1())?;
/// // 500 GB at 0.08 and 125 MB/s at 0.04 above what is included.
/// assert_eq!((change.before.to_string(), change.after.to_string()), ("50".into(), "45".into()));
/// # Ok::<(), bursar_cost_model::ExactError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Gp3Change {
    /// What gp3 is bought with.
    pub gp3: VolumePerformance,
    /// A month as gp2.
    pub before: ExactSum,
    /// A month as gp3, with the IOPS and throughput that must be bought.
    pub after: ExactSum,
}

impl Gp3Change {
    /// The change of a volume of this size which must go on doing `kept`.
    ///
    /// # Errors
    /// [`ExactError::SumOutOfRange`] for prices that no volume has.
    pub fn new(
        size_gib: u32,
        kept: VolumePerformance,
        prices: &VolumePrices,
    ) -> Result<Gp3Change, ExactError> {
        let gp3 = kept.of_gp3();
        let included = VolumePerformance::GP3_INCLUDED;
        let part = |units: u32, price: Exact| times(&Exact::from(i64::from(units)).into(), price);
        let mut after = part(size_gib, prices.gp3_gb)?;
        after.add_sum(&part(gp3.iops - included.iops, prices.gp3_iops)?)?;
        let throughput = gp3.throughput - included.throughput;
        after.add_sum(&part(throughput, prices.gp3_throughput)?)?;
        Ok(Gp3Change {
            gp3,
            before: part(size_gib, prices.gp2_gb)?,
            after,
        })
    }
}
