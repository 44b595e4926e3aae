//! What do millions of amounts come to, with no digit lost?

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;

use super::{Exact, ExactError, MAX_SCALE, POWERS, Parts, aligned};

/// A running sum that never rounds.
///
/// Adding is one 128-bit addition as long as the digits fit; where they do not, the sum moves to
/// a whole and a fractional part of 128 bits each. [`Display`](fmt::Display) prints the value in
/// full, without trailing zeros.
///
/// ```
/// use bursar_cost_model::{Exact, ExactSum};
///
/// let mut sum = ExactSum::default();
/// sum.add("20000000000".parse()?)?;
/// sum.add("0.0000000000000000000000000001".parse()?)?;
/// assert_eq!(sum.to_string(), "20000000000.0000000000000000000000000001");
/// # Ok::<(), bursar_cost_model::ExactError>(())
/// ```
#[derive(Clone, Default)]
pub struct ExactSum {
    near: Exact,
    far: Option<Box<Wide>>,
}

impl ExactSum {
    /// Nothing added yet: 0.
    pub const ZERO: ExactSum = ExactSum {
        near: Exact::ZERO,
        far: None,
    };

    /// Adds one cell.
    ///
    /// # Errors
    /// [`ExactError::SumOutOfRange`] when the whole part leaves 128 bits, which cells alone
    /// cannot do in fewer than 10¹⁴ additions.
    #[inline]
    pub fn add(&mut self, cell: Exact) -> Result<(), ExactError> {
        if cell.scale == self.near.scale
            && let Some(mantissa) = self.near.mantissa.checked_add(cell.mantissa)
        {
            self.near.mantissa = mantissa;
            return Ok(());
        }
        self.add_aligned(cell)
    }

    fn add_aligned(&mut self, cell: Exact) -> Result<(), ExactError> {
        if let Some((a, b, scale)) = aligned(self.near, cell)
            && let Some(mantissa) = a.checked_add(b)
        {
            self.near = Exact { mantissa, scale };
            return Ok(());
        }
        let near = std::mem::replace(&mut self.near, cell);
        let far = self.far.get_or_insert_default();
        far.add(&Wide::from(near)).ok_or(ExactError::SumOutOfRange)
    }

    /// Adds another sum.
    ///
    /// # Errors
    /// [`ExactError::SumOutOfRange`] when the whole part leaves 128 bits.
    pub fn add_sum(&mut self, other: &ExactSum) -> Result<(), ExactError> {
        self.add(other.near)?;
        if let Some(theirs) = &other.far {
            let far = self.far.get_or_insert_default();
            far.add(theirs).ok_or(ExactError::SumOutOfRange)?;
        }
        Ok(())
    }

    /// This sum less another: the change from `other` to `self`.
    ///
    /// # Errors
    /// [`ExactError::SumOutOfRange`] when the whole part leaves 128 bits.
    pub fn minus(&self, other: &ExactSum) -> Result<ExactSum, ExactError> {
        let mut difference = self.clone();
        difference.add_sum(&other.negated())?;
        Ok(difference)
    }

    /// The sum with its sign turned.
    #[must_use]
    pub fn negated(&self) -> ExactSum {
        let mut far = self.far.as_ref().map(|far| Box::new(far.negated()));
        let near = match self.near.mantissa.checked_neg() {
            Some(mantissa) => Exact {
                mantissa,
                ..self.near
            },
            // A sum can come to the smallest integer, which has no counterpart above 0.
            None => {
                let turned = Wide::from(self.near).negated();
                far.get_or_insert_default().add_saturating(&turned);
                Exact::ZERO
            }
        };
        ExactSum { near, far }
    }

    /// The sum of many cells.
    ///
    /// # Errors
    /// [`ExactError::SumOutOfRange`] when the whole part leaves 128 bits.
    pub fn of(cells: impl IntoIterator<Item = Exact>) -> Result<ExactSum, ExactError> {
        let mut sum = ExactSum::default();
        for cell in cells {
            sum.add(cell)?;
        }
        Ok(sum)
    }

    /// Whether the sum is 0.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.wide() == Wide::default()
    }

    /// Whether the sum is below 0.
    #[must_use]
    pub fn is_negative(&self) -> bool {
        self.wide() < Wide::default()
    }

    /// The sum as one [`Exact`] without trailing zeros; `None` when it has too many digits.
    #[must_use]
    pub fn to_exact(&self) -> Option<Exact> {
        if self.far.is_none() {
            let near = self.near.normalized();
            return Exact::new(near.mantissa, near.scale());
        }
        let Wide { whole, fraction } = self.wide();
        let fraction = Exact {
            mantissa: fraction,
            scale: MAX_SCALE as u8,
        }
        .normalized();
        let mantissa = whole.checked_mul(POWERS[usize::from(fraction.scale)])?;
        Exact::new(mantissa.checked_add(fraction.mantissa)?, fraction.scale())
    }

    /// The sum as a [`Decimal`], exactly; `None` when it needs more than 96 bits or 28 places.
    ///
    /// ```
    /// use bursar_cost_model::{Exact, ExactSum};
    /// let sum = ExactSum::of(["119.81".parse()?, "68.54".parse()?])?;
    /// assert_eq!(sum.to_decimal().map(|d| d.to_string()), Some("188.35".to_owned()));
    /// # Ok::<(), bursar_cost_model::ExactError>(())
    /// ```
    #[must_use]
    pub fn to_decimal(&self) -> Option<Decimal> {
        self.to_exact()?.to_decimal()
    }

    /// The sum rounded to `places` decimal places, half to even: for showing, not for adding.
    #[must_use]
    pub fn rounded(&self, places: u32) -> RoundedSum {
        let places = places.min(MAX_SCALE);
        let Wide {
            mut whole,
            fraction,
        } = self.wide();
        let step = POWERS[(MAX_SCALE - places) as usize];
        let (mut kept, rest) = (fraction / step, (fraction % step).unsigned_abs());
        let half = step.unsigned_abs() / 2;
        // Parity is that of the last digit shown, which is the whole part's when places is 0.
        let odd = if places == 0 {
            whole % 2 != 0
        } else {
            kept % 2 != 0
        };
        if rest > half || (rest == half && step > 1 && odd) {
            kept += if fraction < 0 { -1 } else { 1 };
        }
        let unit = POWERS[places as usize];
        whole = whole.saturating_add(kept / unit);
        RoundedSum {
            whole,
            fraction: kept % unit,
            places,
        }
    }

    /// The nearest floating-point number: for statistics and shares, never for money.
    #[must_use]
    pub fn to_f64(&self) -> f64 {
        // The canonical form, so that the order of addition does not show in the last bit.
        self.wide().to_f64()
    }

    /// One canonical form: whole and fraction with the same sign.
    fn wide(&self) -> Wide {
        let mut wide = Wide::from(self.near);
        if let Some(far) = &self.far {
            // A sum that was built stays in range: `add` checks every step, and the two parts
            // together exceed the range only within one cell of its end.
            wide.add_saturating(far);
        }
        wide.canonical()
    }
}

impl From<Exact> for ExactSum {
    fn from(cell: Exact) -> ExactSum {
        ExactSum {
            near: cell,
            far: None,
        }
    }
}

impl FromStr for ExactSum {
    type Err = ExactError;

    /// Reads what [`Display`](fmt::Display) prints, also where that is longer than one cell.
    fn from_str(text: &str) -> Result<ExactSum, ExactError> {
        if let Ok(cell) = Exact::parse(text.as_bytes()) {
            return Ok(cell.into());
        }
        let bad = || ExactError::NotANumber(text.to_owned());
        let parts = Parts::split(text.as_bytes())
            .filter(|p| p.exponent == 0)
            .ok_or_else(bad)?;
        if parts.fraction.len() > MAX_SCALE as usize {
            return Err(ExactError::TooManyDigits(text.to_owned()));
        }
        let digits = |part: &[u8]| -> Option<i128> {
            part.iter().try_fold(0i128, |n, b| {
                n.checked_mul(10)?.checked_add(i128::from(b - b'0'))
            })
        };
        let whole = digits(parts.whole).ok_or(ExactError::SumOutOfRange)?;
        let scaled = digits(parts.fraction).ok_or_else(bad)?;
        let fraction = scaled * POWERS[MAX_SCALE as usize - parts.fraction.len()];
        let sign = if parts.negative { -1 } else { 1 };
        let far = Wide {
            whole: sign * whole,
            fraction: sign * fraction,
        };
        Ok(ExactSum {
            near: Exact::ZERO,
            far: Some(Box::new(far)),
        })
    }
}

impl fmt::Display for ExactSum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Wide { whole, fraction } = self.wide();
        let negative = whole < 0 || fraction < 0;
        let mut text = whole.unsigned_abs().to_string();
        if fraction != 0 {
            let places = MAX_SCALE as usize;
            let digits = format!("{:0places$}", fraction.unsigned_abs());
            text.push('.');
            text.push_str(digits.trim_end_matches('0'));
        }
        f.pad_integral(!negative, "", &text)
    }
}

impl fmt::Debug for ExactSum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PartialEq for ExactSum {
    fn eq(&self, other: &ExactSum) -> bool {
        self.wide() == other.wide()
    }
}

impl Eq for ExactSum {}

impl PartialOrd for ExactSum {
    fn partial_cmp(&self, other: &ExactSum) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ExactSum {
    fn cmp(&self, other: &ExactSum) -> Ordering {
        self.wide().cmp(&other.wide())
    }
}

/// A sum rounded for showing; its [`Display`](fmt::Display) always has all its places.
///
/// ```
/// use bursar_cost_model::ExactSum;
/// let sum: ExactSum = "20.52022672899".parse()?;
/// assert_eq!(sum.rounded(2).to_string(), "20.52");
/// # Ok::<(), bursar_cost_model::ExactError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoundedSum {
    whole: i128,
    fraction: i128,
    places: u32,
}

impl fmt::Display for RoundedSum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let negative = self.whole < 0 || self.fraction < 0;
        let mut text = self.whole.unsigned_abs().to_string();
        if self.places > 0 {
            let places = self.places as usize;
            text.push_str(&format!(".{:0places$}", self.fraction.unsigned_abs()));
        }
        f.pad_integral(!negative, "", &text)
    }
}

/// Whole units and 10⁻³⁷ths, for sums that outgrow 38 digits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Wide {
    whole: i128,
    fraction: i128,
}

impl From<Exact> for Wide {
    fn from(cell: Exact) -> Wide {
        let power = POWERS[usize::from(cell.scale)];
        let up = POWERS[MAX_SCALE as usize - usize::from(cell.scale)];
        Wide {
            whole: cell.mantissa / power,
            fraction: cell.mantissa % power * up,
        }
    }
}

impl Wide {
    /// One, in units of the fraction.
    const ONE: i128 = POWERS[MAX_SCALE as usize];

    fn add(&mut self, other: &Wide) -> Option<()> {
        // Each fraction is below one, so their sum is below two and fits.
        let fraction = self.fraction + other.fraction;
        let carry = fraction / Wide::ONE;
        let whole = self.whole.checked_add(other.whole)?.checked_add(carry)?;
        // So that every sum that there is can be negated.
        whole.checked_neg()?;
        *self = Wide {
            whole,
            fraction: fraction % Wide::ONE,
        };
        Some(())
    }

    fn negated(&self) -> Wide {
        Wide {
            whole: self.whole.saturating_neg(),
            fraction: -self.fraction,
        }
    }

    fn add_saturating(&mut self, other: &Wide) {
        let fraction = self.fraction + other.fraction;
        self.whole = self
            .whole
            .saturating_add(other.whole)
            .saturating_add(fraction / Wide::ONE);
        self.fraction = fraction % Wide::ONE;
    }

    /// The same value with both parts of one sign, so that equality and order are plain.
    fn canonical(self) -> Wide {
        match self {
            Wide { whole, fraction } if whole > 0 && fraction < 0 => Wide {
                whole: whole - 1,
                fraction: fraction + Wide::ONE,
            },
            Wide { whole, fraction } if whole < 0 && fraction > 0 => Wide {
                whole: whole + 1,
                fraction: fraction - Wide::ONE,
            },
            same => same,
        }
    }

    fn to_f64(self) -> f64 {
        self.whole as f64 + self.fraction as f64 / Wide::ONE as f64
    }
}
