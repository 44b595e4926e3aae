//! How much is it, exactly, and in which currency?
//!
//! The nouns that engines of cost, price and routing must agree on: [`Money`] in
//! a [`Currency`], a [`TokenCount`], and the [`UnitRate`] that joins them. The
//! crate computes and does nothing else: no files, no clock, no network, no
//! panics on any input.
//!
//! # A running example
//! A model is priced at 3.00 USD per million input tokens and 15.00 USD per
//! million output tokens. What did a day cost, what is billed, and what does each
//! of three teams pay?
//!
//! ```
//! use bursar_units::{Currency, Money, Quantum, Rounding, TokenCount, UnitRate};
//!
//! let input_rate = UnitRate::per_million(Money::parse("3.00", Currency::USD)?);
//! let output_rate = UnitRate::per_million("15.00 USD".parse()?);
//!
//! // Costs are exact: fractions of a cent are kept.
//! let input_cost = input_rate.cost(TokenCount::new(1_482_337))?;
//! let output_cost = output_rate.cost(TokenCount::new(210_004))?;
//! assert_eq!(input_cost.to_string(), "4.447011 USD");
//! assert_eq!(output_cost.to_string(), "3.15006 USD");
//! let cost = input_cost.checked_add(output_cost)?;
//! assert_eq!(cost.to_string(), "7.597071 USD");
//!
//! // Rounding is a step that one sees.
//! let billed = cost.round_to(Quantum::MINOR_UNIT, Rounding::HalfEven)?;
//! assert_eq!(billed.to_string(), "7.60 USD");
//!
//! // The teams used 50 %, 30 % and 20 %; the parts are cents and add up.
//! let parts = billed.allocate(&[50, 30, 20], Quantum::MINOR_UNIT)?;
//! let texts: Vec<String> = parts.iter().map(ToString::to_string).collect();
//! assert_eq!(texts, ["3.80 USD", "2.28 USD", "1.52 USD"]);
//! assert_eq!(Money::try_sum(&parts)?, Some(billed));
//!
//! // Currencies do not mix.
//! let error = billed.checked_add(Money::zero(Currency::EUR)).unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "cannot combine USD with EUR; convert one at a rate of your choice, or keep one total per currency",
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Concepts
//! **Exact or an error.** An amount is a [`Decimal`](rust_decimal::Decimal): a
//! whole number below 2⁹⁶ (28 digits, and some of 29) with up to 28 of its digits
//! after the point. [`checked_add`](Money::checked_add),
//! [`checked_sub`](Money::checked_sub), [`checked_mul`](Money::checked_mul),
//! [`try_sum`](Money::try_sum) and [`cost`](UnitRate::cost) return the exact
//! result, or [`MoneyError::Overflow`] when it is too large, or
//! [`MoneyError::Inexact`] when it has more digits than that.
//!
//! **Three operations round**, and each says how:
//! [`round_to`](Money::round_to) as it is told, [`checked_div`](Money::checked_div)
//! and [`ratio_to`](Money::ratio_to) to the last digit that a decimal holds.
//!
//! **Places are kept.** `12.30` read is `12.30` printed, while `12.3` and `12.30`
//! are equal. A sum has the places of its more precise term.
//!
//! **Unknown is not zero.** The sum of no amounts is `None`. A currency without
//! minor unit has `None` of them, and rounding to it is an error. `XXX` means 'no
//! currency involved'; a currency that is not known is an `Option`.
//!
//! **No operators that can fail.** `+` could only panic on `USD + EUR`; see
//! [`Money`].
//!
//! # Algorithms
//! - *Exact product*: while the product of the two whole numbers is too long and
//!   ends in zero, a ten (a two and a five, each from either factor) is divided
//!   out of the factors, so no number over 128 bits is formed.
//! - *Division among parts*: the method of the largest remainder, also Hamilton's
//!   or Hare–Niemeyer (M. L. Balinski, H. P. Young, *Fair Representation*, 1982):
//!   each part of a whole number of quanta lies within one quantum of its exact
//!   share. Ties go to the lowest index. One more quantum in the whole can take
//!   one from a part (the Alabama paradox); a bill is divided once, so this does
//!   not matter to it.
//! - *Rounding*: half-even is roundTiesToEven of IEEE 754-2019, section 4.3.1; the
//!   others are those of the General Decimal Arithmetic Specification (M.
//!   Cowlishaw, version 1.70). A value is compared with the exact half of the
//!   step, not with an approximation of it.
//! - *Currencies*: ISO 4217, list one, codes and minor units, from the crate
//!   `iso_currency`.
//!
//! # What it does not do
//! - No exchange rates: a conversion is a factor, a date and a source, which a
//!   caller has and this crate does not.
//! - No names, symbols or local formats (`$1,234.50`, `1.234,50 €`): this is for
//!   whoever shows the number.
//! - No floating point: an `f64` does not become money.
//! - No amounts over 7.9 × 10²⁸ and none finer than 10⁻²⁸.
//!
//! # Features
//! - `serde` (off by default): [`Currency`] as its code, [`Money`] as
//!   `{"amount":"12.34","currency":"USD"}`, [`TokenCount`] as a whole number,
//!   [`UnitRate`] as `{"price":{…},"per":"million"}`. An amount is always a
//!   string, written and read: a JSON number is refused, since most readers keep
//!   only 17 digits of it.

#![deny(clippy::arithmetic_side_effects, clippy::float_arithmetic)]

mod currency;
mod error;
mod exact;
mod excerpt;
mod money;
mod rounding;
#[cfg(feature = "serde")]
mod serialization;
mod token_count;
mod unit_rate;

pub use crate::currency::{Currency, CurrencyError};
pub use crate::error::MoneyError;
pub use crate::money::{Money, ParseMoneyError};
pub use crate::rounding::{Quantum, Rounding};
pub use crate::token_count::{TokenCount, TokenCountError};
pub use crate::unit_rate::{Per, UnitRate};

/// Compiles the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
