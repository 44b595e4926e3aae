//! How many of its hours must a machine run, so that a commitment is no loss?

use bursar_units::Money;
use rust_decimal::Decimal;

use super::CommitmentError;

/// Hours of a month, 8,760 ÷ 12, as AWS counts them in its price calculator.
const HOURS_PER_MONTH: Decimal = Decimal::from_parts(730, 0, 0, false, 0);

/// How long a commitment lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Term {
    /// 365 days.
    OneYear,
    /// 3 × 365 days.
    ThreeYears,
}

impl Term {
    /// The hours of the term: 8,760 or 26,280.
    #[must_use]
    pub fn hours(self) -> Decimal {
        match self {
            Term::OneYear => Decimal::from(8_760),
            Term::ThreeYears => Decimal::from(26_280),
        }
    }
}

/// What is paid for one machine over a term, whether it runs or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Commitment {
    /// What is paid in advance, for the whole term.
    pub upfront: Money,
    /// What is paid in every hour of the term.
    pub hourly: Money,
    /// How long it lasts.
    pub term: Term,
}

/// When a commitment is as good as paying on demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct BreakEven {
    /// What an hour of the term costs, payment in advance included.
    pub effective_hourly: Money,
    /// The share of hours that the machine has to run: (payment in advance ÷ hours of the term +
    /// hourly payment) ÷ price on demand. Above 1 the commitment never pays.
    #[cfg_attr(feature = "serde", serde(with = "rust_decimal::serde::str"))]
    pub utilization: Decimal,
    /// Months of 730 hours until the payment in advance has come back, for a machine that runs all
    /// the time; zero where nothing is paid in advance. `None` where it does not come back within
    /// the term.
    #[cfg_attr(feature = "serde", serde(with = "rust_decimal::serde::str_option"))]
    pub payback_months: Option<Decimal>,
    /// What a machine that runs all the time costs less per month of 730 hours; below zero where it
    /// costs more.
    pub monthly_saving: Money,
}

impl Commitment {
    /// Paid by the hour only.
    #[must_use]
    pub fn no_upfront(hourly: Money, term: Term) -> Commitment {
        Commitment {
            upfront: Money::zero(hourly.currency()),
            hourly,
            term,
        }
    }

    /// Paid in part in advance, the rest by the hour.
    #[must_use]
    pub fn partial_upfront(upfront: Money, hourly: Money, term: Term) -> Commitment {
        Commitment {
            upfront,
            hourly,
            term,
        }
    }

    /// Paid in advance only.
    #[must_use]
    pub fn all_upfront(upfront: Money, term: Term) -> Commitment {
        Commitment {
            upfront,
            hourly: Money::zero(upfront.currency()),
            term,
        }
    }

    /// Compares the commitment with the price of an hour on demand.
    ///
    /// ```
    /// use bursar_cost_model::commitment::{Commitment, Term};
    ///
    /// // 876 USD in advance for a year, against 0.20 USD an hour.
    /// let commitment = Commitment::all_upfront("876 USD".parse()?, Term::OneYear);
    /// let break_even = commitment.break_even("0.20 USD".parse()?)?;
    /// assert_eq!(break_even.utilization, "0.5".parse()?);
    /// assert_eq!(break_even.payback_months, Some("6".parse()?)); // 876 ÷ (0.20 × 730)
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// A price that is not above zero, a payment below zero, two currencies, an overflow.
    pub fn break_even(&self, on_demand: Money) -> Result<BreakEven, CommitmentError> {
        require_positive("price on demand", on_demand)?;
        require_not_negative("payment in advance", self.upfront)?;
        require_not_negative("hourly payment", self.hourly)?;
        let effective_hourly = self
            .upfront
            .checked_div(self.term.hours())?
            .checked_add(self.hourly)?;
        Ok(BreakEven {
            effective_hourly,
            utilization: effective_hourly.ratio_to(&on_demand)?,
            payback_months: self.payback_months(on_demand)?,
            monthly_saving: self.monthly_saving(on_demand)?,
        })
    }

    fn payback_months(&self, on_demand: Money) -> Result<Option<Decimal>, CommitmentError> {
        if self.upfront.is_zero() {
            let saves = self.hourly.try_cmp(&on_demand)?.is_le();
            return Ok(saves.then_some(Decimal::ZERO));
        }
        let saved_per_hour = on_demand.checked_sub(self.hourly)?;
        if saved_per_hour.is_negative() || saved_per_hour.is_zero() {
            return Ok(None);
        }
        let saved_per_month = saved_per_hour.checked_mul(HOURS_PER_MONTH)?;
        let months = self.upfront.ratio_to(&saved_per_month)?;
        let term = self.term.hours() / HOURS_PER_MONTH;
        Ok((months <= term).then_some(months))
    }

    fn monthly_saving(&self, on_demand: Money) -> Result<Money, CommitmentError> {
        // The payment in advance is multiplied before it is divided: 12 months of a year are whole.
        let upfront = self
            .upfront
            .checked_mul(HOURS_PER_MONTH)?
            .checked_div(self.term.hours())?;
        let hourly = on_demand.checked_sub(self.hourly)?;
        Ok(hourly.checked_mul(HOURS_PER_MONTH)?.checked_sub(upfront)?)
    }
}

impl BreakEven {
    /// Whether a machine that runs this share of the hours, 0 to 1, costs no more committed than on
    /// demand.
    #[must_use]
    pub fn pays_at(&self, utilization: Decimal) -> bool {
        utilization >= self.utilization
    }
}

pub(super) fn require_positive(what: &str, value: Money) -> Result<(), CommitmentError> {
    if value.is_negative() || value.is_zero() {
        let what = what.to_owned();
        return Err(CommitmentError::NotPositive { what, value });
    }
    Ok(())
}

pub(super) fn require_not_negative(what: &str, value: Money) -> Result<(), CommitmentError> {
    if value.is_negative() {
        let what = what.to_owned();
        return Err(CommitmentError::Negative { what, value });
    }
    Ok(())
}
