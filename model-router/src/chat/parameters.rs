//! How shall a model write?

use std::hash::{Hash, Hasher};

/// A parameter outside of its range.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("a {parameter} of {value} is not possible; give one {range}")]
pub struct OutOfRange {
    /// Which parameter.
    pub parameter: &'static str,
    /// What was given.
    pub value: f64,
    range: &'static str,
}

macro_rules! numbers {
    ($($(#[$documentation:meta])* $type:ident, $name:literal, $range:literal, |$it:ident| $fits:expr;)*) => {$(
        $(#[$documentation])*
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "f64", into = "f64")]
        pub struct $type(f64);

        impl $type {
            /// This value.
            ///
            /// # Errors
            /// [`OutOfRange`] if no provider takes it.
            pub fn new(value: f64) -> Result<Self, OutOfRange> {
                let $it = value;
                if $fits {
                    // Minus zero is zero, so that equal values have equal bits.
                    Ok(Self(value + 0.0))
                } else {
                    Err(OutOfRange { parameter: $name, value, range: $range })
                }
            }

            /// The number.
            #[must_use]
            pub const fn as_f64(self) -> f64 {
                self.0
            }
        }

        // No value is NaN, and zero has one form.
        impl Eq for $type {}

        impl Hash for $type {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.0.to_bits().hash(state);
            }
        }

        impl TryFrom<f64> for $type {
            type Error = OutOfRange;

            fn try_from(value: f64) -> Result<Self, OutOfRange> {
                Self::new(value)
            }
        }

        impl From<$type> for f64 {
            fn from(value: $type) -> f64 {
                value.0
            }
        }
    )*};
}

numbers! {
    /// How freely a model chooses among likely words, from 0 to 2. Providers other than OpenAI take at
    /// most 1.
    Temperature, "temperature", "from 0 to 2", |it| (0.0..=2.0).contains(&it);
    /// The share of the likeliest words that a model chooses among, above 0 and at most 1.
    TopP, "top_p", "above 0 and at most 1", |it| it > 0.0 && it <= 1.0;
}

/// How a model shall write.
///
/// ```
/// use bursar_model_router::Parameters;
///
/// let parameters = Parameters::default();
/// assert_eq!(parameters.max_output_tokens, 200);
/// assert_eq!(parameters.temperature.map(f64::from), Some(0.1));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Parameters {
    /// How many tokens the answer has at most, at least 1.
    pub max_output_tokens: u32,
    /// How freely it is written. Without one the model's own default holds, which is near 1; some
    /// models take none.
    pub temperature: Option<Temperature>,
    /// From what share of the likeliest words. Without one, the model's own default.
    pub top_p: Option<TopP>,
    /// Texts at which the answer ends.
    pub stop: Vec<String>,
}

impl Default for Parameters {
    /// 200 tokens at a temperature of 0.1.
    fn default() -> Self {
        Self {
            max_output_tokens: 200,
            temperature: Some(Temperature(0.1)),
            top_p: None,
            stop: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_provider_takes_is_refused() {
        for value in [-0.1, 2.01, f64::NAN, f64::INFINITY] {
            assert!(Temperature::new(value).is_err(), "{value}");
        }
        for value in [0.0, -0.5, 1.01, f64::NAN] {
            assert!(TopP::new(value).is_err(), "{value}");
        }
        assert!(serde_json::from_str::<Temperature>("3").is_err());
        assert!(serde_json::from_str::<TopP>("0").is_err());
    }

    #[test]
    fn minus_zero_is_zero() {
        let zero = Temperature::new(-0.0).unwrap();
        assert_eq!(zero.as_f64().to_bits(), 0);
    }
}
