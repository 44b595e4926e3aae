//! Which currency is an amount in, and how many decimal places does it have?

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use crate::excerpt::excerpt;

/// A currency of ISO 4217, such as `USD`.
///
/// One byte, `Copy`, and always valid: the only ways in are the constants and
/// [`from_code`](Self::from_code), which is a table lookup and fit to be called
/// for every row of a bill. Currencies order by their code.
///
/// The table is that of the crate `iso_currency`: the codes of the present
/// standard, with a few that were withdrawn recently (`HRK`, `BGN`, `SLL`), so
/// that bills of those years can still be read. Codes withdrawn long ago (`DEM`)
/// and codes outside the standard (`BTC`) are refused.
///
/// ```
/// use bursar_units::Currency;
///
/// let currency = Currency::from_code("JPY")?;
/// assert_eq!(currency, Currency::JPY);
/// assert_eq!(currency.code(), "JPY");
/// assert_eq!(currency.minor_units(), Some(0));
/// # Ok::<(), bursar_units::CurrencyError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency(iso_currency::Currency);

/// Declares the constants, so that each has its name in the documentation.
macro_rules! constants {
    ($($code:ident $name:literal,)*) => {
        /// The currencies that cloud bills and price lists are written in, by name.
        /// Every other one is reached by [`from_code`](Self::from_code).
        impl Currency {
            $(
                #[doc = $name]
                pub const $code: Self = Self(iso_currency::Currency::$code);
            )*
        }
    };
}

constants! {
    AED "United Arab Emirates dirham.",
    ARS "Argentine peso.",
    AUD "Australian dollar.",
    BHD "Bahraini dinar, three decimal places.",
    BRL "Brazilian real.",
    CAD "Canadian dollar.",
    CHF "Swiss franc; cash is paid in steps of 0.05.",
    CLP "Chilean peso, no decimal places.",
    CNY "Chinese yuan renminbi.",
    COP "Colombian peso.",
    CZK "Czech koruna.",
    DKK "Danish krone.",
    EUR "Euro.",
    GBP "Pound sterling.",
    HKD "Hong Kong dollar.",
    HUF "Hungarian forint.",
    IDR "Indonesian rupiah.",
    ILS "Israeli new shekel.",
    INR "Indian rupee.",
    JPY "Japanese yen, no decimal places.",
    KRW "South Korean won, no decimal places.",
    KWD "Kuwaiti dinar, three decimal places.",
    MXN "Mexican peso.",
    MYR "Malaysian ringgit.",
    NOK "Norwegian krone.",
    NZD "New Zealand dollar.",
    PHP "Philippine peso.",
    PLN "Polish złoty.",
    RON "Romanian leu.",
    SAR "Saudi riyal.",
    SEK "Swedish krona.",
    SGD "Singapore dollar.",
    THB "Thai baht.",
    TRY "Turkish lira.",
    TWD "New Taiwan dollar.",
    UAH "Ukrainian hryvnia.",
    USD "United States dollar.",
    VND "Vietnamese đồng, no decimal places.",
    XTS "The code that ISO 4217 reserves for testing.",
    XXX "No currency involved, as ISO 4217 says it, for credits and points. It does not
        mean 'unknown': a currency that is not known is an `Option<Currency>` of `None`.",
    ZAR "South African rand.",
}

impl Currency {
    /// The currency of a code of three upper-case letters.
    ///
    /// `usd` is refused: FOCUS and ISO 4217 write codes in upper case, and a
    /// file that does not is better noticed where it is read. The error names
    /// the code to write instead.
    ///
    /// # Errors
    /// [`CurrencyError`] when the code is not one of ISO 4217, or is one but
    /// not in upper case.
    ///
    /// ```
    /// use bursar_units::Currency;
    ///
    /// assert_eq!(Currency::from_code("EUR"), Ok(Currency::EUR));
    /// assert_eq!(
    ///     Currency::from_code("eur").unwrap_err().to_string(),
    ///     "currency code `eur` is not in upper case; write `EUR`",
    /// );
    /// ```
    #[inline]
    pub fn from_code(code: &str) -> Result<Self, CurrencyError> {
        lookup(code).ok_or_else(|| refusal(code))
    }

    /// The code of three upper-case letters.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// How many decimal places the smallest unit of account has: 2 for `USD`
    /// (cents), 0 for `JPY`, 3 for `KWD`.
    ///
    /// `None` where ISO 4217 says that the notion does not apply (`XXX`, `XAU`,
    /// `XDR`); it is not zero places.
    #[must_use]
    pub fn minor_units(self) -> Option<u32> {
        self.0.exponent().map(u32::from)
    }
}

impl Ord for Currency {
    fn cmp(&self, other: &Self) -> Ordering {
        self.code().cmp(other.code())
    }
}

impl PartialOrd for Currency {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// The code; width, fill and alignment are obeyed.
impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

/// The same as [`Currency::from_code`].
impl FromStr for Currency {
    type Err = CurrencyError;

    fn from_str(code: &str) -> Result<Self, CurrencyError> {
        Self::from_code(code)
    }
}

/// Why a text is not the code of a currency.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CurrencyError {
    /// The text is not a code that ISO 4217 lists.
    #[error("`{code}` is not a currency code of ISO 4217; write three letters such as `USD`")]
    Unknown {
        /// The text, cut short when it is long.
        code: String,
    },
    /// The text is a code, but not in upper case.
    #[error("currency code `{code}` is not in upper case; write `{expected}`")]
    NotUpperCase {
        /// The text as given.
        code: String,
        /// The currency that it would be in upper case.
        expected: Currency,
    },
}

/// Slots for every word of three letters from `AAA` to `ZZZ`.
const SLOTS: usize = 26 * 26 * 26;

/// ISO 4217 numeric codes have three digits.
const LARGEST_NUMERIC_CODE: u16 = 999;

/// The currencies by [`slot`]. The crate behind it matches codes as strings,
/// one after the other; a bill of ten million rows asks ten million times.
static BY_SLOT: LazyLock<[Option<iso_currency::Currency>; SLOTS]> = LazyLock::new(|| {
    let mut table = [None; SLOTS];
    for currency in (0..=LARGEST_NUMERIC_CODE).filter_map(iso_currency::Currency::from_numeric) {
        if let Some(entry) = slot(currency.code()).and_then(|slot| table.get_mut(slot)) {
            *entry = Some(currency);
        }
    }
    table
});

#[inline]
fn lookup(code: &str) -> Option<Currency> {
    BY_SLOT.get(slot(code)?).copied().flatten().map(Currency)
}

/// The code read as a number of three digits to the base 26.
#[inline]
fn slot(code: &str) -> Option<usize> {
    let letters: [u8; 3] = code.as_bytes().try_into().ok()?;
    letters.into_iter().try_fold(0_usize, |slot, letter| {
        let digit = letter.checked_sub(b'A').filter(|digit| *digit < 26)?;
        slot.checked_mul(26)?.checked_add(usize::from(digit))
    })
}

#[cold]
fn refusal(code: &str) -> CurrencyError {
    match lookup(&excerpt(code).to_ascii_uppercase()) {
        Some(expected) => CurrencyError::NotUpperCase {
            code: code.to_owned(),
            expected,
        },
        None => CurrencyError::Unknown {
            code: excerpt(code),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_same_currency_as_the_table_for_every_word_of_three_letters() {
        let letters = || (b'A'..=b'Z').map(char::from);
        let mut n_currencies = 0;
        for code in letters().flat_map(|a| {
            letters().flat_map(move |b| letters().map(move |c| String::from_iter([a, b, c])))
        }) {
            let expected = iso_currency::Currency::from_code(&code).map(Currency);
            assert_eq!(lookup(&code), expected, "{code}");
            n_currencies += usize::from(expected.is_some());
        }
        assert!(n_currencies > 170, "only {n_currencies} currencies");
    }
}
