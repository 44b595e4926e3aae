//! What does a unit cost, by how many are taken?

use bursar_units::{Currency, MoneyError, UnitRate};

/// The price of one kind of tokens, perhaps by volume.
///
/// ```
/// use bursar_pricing::{Band, Schedule, Tiering};
/// use bursar_units::UnitRate;
///
/// let rate = |text: &str| text.parse().map(UnitRate::per_million);
/// let schedule = Schedule::tiered(
///     Tiering::Graduated,
///     vec![
///         Band { up_to: Some(1_000_000), rate: rate("3.00 USD")? },
///         Band { up_to: None, rate: rate("2.40 USD")? },
///     ],
/// )?;
/// assert_eq!(schedule.band(1_000_000).rate, rate("3.00 USD")?);
/// assert_eq!(schedule.band(1_000_001).rate, rate("2.40 USD")?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Parts", into = "Parts"))]
pub struct Schedule {
    tiering: Tiering,
    first: Vec<Band>,
    last: UnitRate,
}

/// What a band of a volume is priced by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Tiering {
    /// Each unit costs what the band says that it falls into.
    Graduated,
    /// All units cost what the band says that the last of them falls into.
    Volume,
}

/// The rate up to a quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct Band {
    /// Up to this quantity, included; the last band has no end.
    pub up_to: Option<u64>,
    /// What units cost.
    pub rate: UnitRate,
}

/// Why bands are no schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// There is no band.
    #[error("a schedule needs at least one band")]
    NoBands,
    /// A band does not reach beyond the one before it.
    #[error(
        "band {band} ends at {up_to}, not beyond the band before it: order bands by their ends"
    )]
    OutOfOrder {
        /// The band, from 1.
        band: usize,
        /// Where it ends.
        up_to: u64,
    },
    /// A band that is not the last has no end, or the last has one.
    #[error("band {band} of {bands}: the last band has no end, and every other has one")]
    WrongEnd {
        /// The band, from 1.
        band: usize,
        /// How many there are.
        bands: usize,
    },
    /// A rate is under zero.
    #[error("the rate of band {band}, {rate}, is under zero")]
    NegativeRate {
        /// The band, from 1.
        band: usize,
        /// Its rate.
        rate: UnitRate,
    },
    /// Rates are in different currencies.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

impl Schedule {
    /// The same rate for every unit.
    ///
    /// # Errors
    /// [`ScheduleError::NegativeRate`].
    pub fn flat(rate: UnitRate) -> Result<Self, ScheduleError> {
        Self::tiered(Tiering::Graduated, vec![Band { up_to: None, rate }])
    }

    /// Rates by volume.
    ///
    /// # Errors
    /// [`ScheduleError`] names the band that is wrong.
    pub fn tiered(tiering: Tiering, mut bands: Vec<Band>) -> Result<Self, ScheduleError> {
        require_bands(&bands)?;
        match bands.pop() {
            Some(last) => Ok(Self {
                tiering,
                first: bands,
                last: last.rate,
            }),
            None => Err(ScheduleError::NoBands),
        }
    }

    /// How the bands apply.
    #[must_use]
    pub const fn tiering(&self) -> Tiering {
        self.tiering
    }

    /// All bands, from the smallest quantity on; the last has no end.
    pub fn bands(&self) -> impl Iterator<Item = Band> + '_ {
        self.first.iter().copied().chain([self.last_band()])
    }

    /// The band that the `quantity`-th unit falls into.
    #[must_use]
    pub fn band(&self, quantity: u64) -> Band {
        let reaches = |band: &&Band| band.up_to.is_some_and(|up_to| quantity <= up_to);
        let found = self.first.iter().find(reaches);
        found.copied().unwrap_or(self.last_band())
    }

    /// The currency of all rates.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.last.price.currency()
    }

    const fn last_band(&self) -> Band {
        Band {
            up_to: None,
            rate: self.last,
        }
    }
}

fn require_bands(bands: &[Band]) -> Result<(), ScheduleError> {
    require_ends(bands.iter().map(|band| band.up_to))?;
    let Some(first) = bands.first() else {
        return Err(ScheduleError::NoBands);
    };
    for (band, Band { rate, .. }) in (1..).zip(bands) {
        first.rate.price.try_cmp(&rate.price)?;
        if rate.price.is_negative() {
            return Err(ScheduleError::NegativeRate { band, rate: *rate });
        }
    }
    Ok(())
}

/// Ends rise, and the last is none.
pub(crate) fn require_ends(
    ends: impl ExactSizeIterator<Item = Option<u64>>,
) -> Result<(), ScheduleError> {
    let bands = ends.len();
    let mut before = 0;
    for (band, end) in (1..).zip(ends) {
        match end {
            Some(_) if band == bands => return Err(ScheduleError::WrongEnd { band, bands }),
            None if band < bands => return Err(ScheduleError::WrongEnd { band, bands }),
            Some(up_to) if up_to <= before => {
                return Err(ScheduleError::OutOfOrder { band, up_to });
            }
            _ => before = end.unwrap_or(before),
        }
    }
    match bands {
        0 => Err(ScheduleError::NoBands),
        _ => Ok(()),
    }
}

#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    tiering: Tiering,
    bands: Vec<Band>,
}

#[cfg(feature = "serde")]
impl TryFrom<Parts> for Schedule {
    type Error = ScheduleError;

    fn try_from(parts: Parts) -> Result<Self, ScheduleError> {
        Self::tiered(parts.tiering, parts.bands)
    }
}

#[cfg(feature = "serde")]
impl From<Schedule> for Parts {
    fn from(schedule: Schedule) -> Self {
        Self {
            tiering: schedule.tiering,
            bands: schedule.bands().collect(),
        }
    }
}
