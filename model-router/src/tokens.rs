//! How many tokens is this text for that model?
//!
//! A tokenizer answers exactly where one is known; for most models none is, and a request is priced
//! before it is sent. [`TokenEstimator`] answers for every model from what a text is made of, in one
//! pass and without a vocabulary, and says how far it may be off.
//!
//! The number of tokens is taken to be a sum: so much for each word, each letter pair inside it, each
//! group of three digits, each change of punctuation, each code point of a script. The weights are not
//! negative and are [fitted](TokenWeights::fit) to the counts of true tokenizers. The table of letter
//! pairs is what tells languages apart: tokenizers know English words whole and cut others into pieces,
//! and the pairs at which they cut (`zw`, `kj`, `ğı`) are rare in English.

mod calibration;
mod estimate;
mod estimator;
#[cfg(feature = "tokenizers")]
mod exact;
mod family;
mod feature;
mod fit;
mod scan;
mod script;
mod weights;

pub use calibration::{CalibrationError, TokenCalibration};
pub use estimate::{CountTokens, TokenEstimate};
pub use estimator::TokenEstimator;
#[cfg(feature = "tokenizers")]
pub use exact::ExactTokenizer;
pub use family::{TokenFamily, UnknownFamily};
pub use fit::{FitError, TokenSample};
pub use weights::{TokenWeights, WeightsError};

pub(crate) use estimate::{round, round_up};
