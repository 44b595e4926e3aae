//! How are the price lists of others read?
//!
//! Numbers are taken from the text of the file, digit for digit, and never pass through floating point.
//! What a list says and this crate does not understand is handed back by name, so that a price is
//! missing rather than wrong.

mod genai_prices;
mod litellm;
mod number;

use std::fmt;

pub use self::genai_prices::read_genai_prices;
pub use self::litellm::read_litellm;
pub(crate) use self::number::exact_decimal;
use crate::price_list::PriceList;

/// A price list that was read, with what could not be used of it.
#[derive(Debug, Clone)]
pub struct Imported {
    /// The prices.
    pub list: PriceList,
    /// What is not in them.
    pub skipped: Vec<Skipped>,
}

/// A part of a price list that was not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Where it is: provider, model, field.
    pub place: String,
    /// Why.
    pub reason: String,
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.reason)
    }
}

/// Why a file is no price list.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// It is not JSON of the form that was expected.
    #[error("this is no price list of {list}")]
    Json {
        /// Whose form was expected.
        list: &'static str,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
}

/// Collects what is skipped under the place where a reader is.
#[derive(Debug, Default)]
struct Notes(Vec<Skipped>);

impl Notes {
    fn skip(&mut self, place: impl fmt::Display, reason: impl fmt::Display) {
        self.0.push(Skipped {
            place: place.to_string(),
            reason: reason.to_string(),
        });
    }

    /// The value, or a note that says why there is none.
    fn keep<T, E: fmt::Display>(
        &mut self,
        place: impl fmt::Display,
        result: Result<T, E>,
    ) -> Option<T> {
        result.map_err(|error| self.skip(place, error)).ok()
    }
}
