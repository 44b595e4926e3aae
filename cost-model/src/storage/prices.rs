//! What does a gigabyte cost, by the kind of storage?

use std::collections::BTreeMap;

use bursar_units::{Currency, Money, MoneyError, Quantum, Rounding};
use rust_decimal::Decimal;

use super::StorageClass;
use crate::VolumePrices;

/// Bytes of a gigabyte as the provider bills it.
const GIB: u64 = 1 << 30;

/// Places that amounts by the gigabyte are rounded to: millionths of a dollar.
const PLACES: u32 = 6;

/// What volumes cost a month in one region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct EbsPrices {
    /// gp2 and gp3, in the currency of the others.
    pub general: VolumePrices,
    /// io1 and io2, per GB-month.
    pub provisioned_gb: Money,
    /// io1, and io2 up to 32,000 IOPS, per IOPS-month.
    pub provisioned_iops: Money,
}

impl EbsPrices {
    /// The list prices of `us-east-1`: gp2 0.10, gp3 0.08 with 0.005 per IOPS and 0.04 per MB/s,
    /// io1 and io2 0.125 with 0.065 per IOPS.
    ///
    /// Source: reference outputs of Infracost, as of [`VolumePrices::us_east_1`].
    #[must_use]
    pub fn us_east_1() -> EbsPrices {
        EbsPrices {
            general: VolumePrices::us_east_1(),
            provisioned_gb: usd(125, 3),
            provisioned_iops: usd(65, 3),
        }
    }

    /// The currency of all of them.
    #[must_use]
    pub fn currency(&self) -> Currency {
        self.provisioned_gb.currency()
    }
}

/// What objects cost in one region, by class; a class that is not in it has no known price.
///
/// ```
/// use bursar_cost_model::storage::{S3Prices, StorageClass};
///
/// let prices = S3Prices::us_east_1();
/// let standard = &prices.classes[&StorageClass::Standard];
/// assert_eq!(standard.storage_gb.to_string(), "0.023 USD");
/// let seldom = &prices.classes[&StorageClass::StandardIa];
/// assert_eq!(seldom.storage_gb.to_string(), "0.0125 USD");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct S3Prices {
    /// Prices by class.
    pub classes: BTreeMap<StorageClass, ClassPrices>,
    /// What watching an object of Intelligent-Tiering costs a month, for 1,000 objects.
    pub monitoring_per_1000: Money,
}

/// What objects of one class cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ClassPrices {
    /// A gigabyte a month.
    pub storage_gb: Money,
    /// Moving 1,000 objects into the class by a lifecycle.
    pub transition_per_1000: Money,
    /// Writing 1,000 objects into the class.
    pub put_per_1000: Money,
    /// Reading a gigabyte, at the usual speed of the class.
    pub retrieval_gb: Money,
}

impl S3Prices {
    /// The list prices of `us-east-1` for the first 50 TB.
    ///
    /// Source: Infracost, `s3_bucket_test.golden`, read in November 2026: the monthly costs there
    /// divided by their quantities. It has no Glacier Instant Retrieval, so that class has no
    /// price here; Intelligent-Tiering is priced as its frequent tier, where objects start.
    #[must_use]
    pub fn us_east_1() -> S3Prices {
        let class = |storage, transition, put, retrieval| ClassPrices {
            storage_gb: usd(storage, 5),
            transition_per_1000: usd(transition, 3),
            put_per_1000: usd(put, 3),
            retrieval_gb: usd(retrieval, 2),
        };
        S3Prices {
            classes: BTreeMap::from([
                (StorageClass::Standard, class(2_300, 0, 5, 0)),
                (StorageClass::IntelligentTiering, class(2_300, 10, 5, 0)),
                (StorageClass::StandardIa, class(1_250, 10, 10, 1)),
                (StorageClass::OneZoneIa, class(1_000, 10, 10, 1)),
                (StorageClass::Glacier, class(360, 30, 30, 1)),
                (StorageClass::DeepArchive, class(99, 50, 50, 2)),
            ]),
            monitoring_per_1000: usd(25, 4),
        }
    }

    /// The currency of all of them.
    #[must_use]
    pub fn currency(&self) -> Currency {
        self.monitoring_per_1000.currency()
    }
}

fn usd(mantissa: i64, places: u32) -> Money {
    Money::new(Decimal::new(mantissa, places).normalize(), Currency::USD)
}

/// What so many bytes cost at a price by the gigabyte, to the millionth, half to even.
pub(super) fn by_gigabyte(price: Money, bytes: u64) -> Result<Money, MoneyError> {
    let exact = price.checked_mul(Decimal::from(bytes))?;
    rounded(exact.checked_div(Decimal::from(GIB))?)
}

/// What so many objects cost at a price by the thousand, to the millionth, half to even.
pub(super) fn by_thousand(price: Money, objects: u64) -> Result<Money, MoneyError> {
    let exact = price.checked_mul(Decimal::from(objects))?;
    rounded(exact.checked_div(Decimal::from(1_000))?)
}

fn rounded(money: Money) -> Result<Money, MoneyError> {
    money.round_to(Quantum::decimal_places(PLACES)?, Rounding::HalfEven)
}
