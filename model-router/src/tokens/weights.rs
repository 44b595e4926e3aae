//! How many tokens does each property of a text add, and how far off is the sum?

use std::collections::BTreeMap;

use super::estimate::Ratios;
use super::feature::{Feature, N_FEATURES};
use super::scan::{self, LETTERS, N_PAIRS, N_PIECES, N_ROWS, N_SYMBOLS, PAIR_STRIDE};
use crate::format::Format;

/// A step of the tables of pairs and letters, in tokens.
pub(crate) const PIECE_STEP: f64 = 0.02;

/// The steps as they are saved, from none to 63.
const DIGITS: &[u8; 64] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+/";

/// The most steps that a pair or a letter has.
pub(crate) const MAX_PIECE_STEPS: u8 = 63;

/// Texts are told apart by these limits, in estimated tokens: a sum over more words is nearer to its
/// expectation.
pub(crate) const SIZES: [f64; 3] = [64.0, 256.0, 1024.0];

/// The largest weight of a property, in tokens.
const MAX_WEIGHT: f64 = 1_000.0;

/// The weights of a tokenizer and the errors that were measured with them.
///
/// Those of the common tokenizers ship with the crate, see [`TokenFamily`](super::TokenFamily);
/// [`fit`](Self::fit) makes them for another. Serializable, about 9 kB as JSON.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "Saved", into = "Saved")]
pub struct TokenWeights {
    pub(crate) features: [f64; N_FEATURES],
    pub(crate) pieces: Box<[u8; N_PIECES]>,
    pub(crate) errors: [Ratios; SIZES.len() + 1],
}

impl TokenWeights {
    /// The estimated number of tokens, not rounded, before errors are looked at.
    pub(crate) fn sum(&self, text: &str) -> f64 {
        let mut steps = 0_u64;
        let counts = scan::scan(text, |piece| steps += u64::from(self.pieces[piece]));
        let terms = counts.0.iter().zip(&self.features);
        let properties: f64 = terms
            .map(|(&count, weight)| f64::from(count) * weight)
            .sum();
        #[expect(
            clippy::cast_precision_loss,
            reason = "under 2⁵³ for every text that fits"
        )]
        let pieces = steps as f64 * PIECE_STEP;
        properties + pieces
    }

    /// What true counts are, as multiples of an estimate of this size.
    pub(crate) fn ratios(&self, tokens: f64) -> Ratios {
        self.errors[size_of(tokens)]
    }
}

/// The index of a size among [`SIZES`].
pub(crate) fn size_of(tokens: f64) -> usize {
    SIZES.iter().filter(|limit| tokens >= **limit).count()
}

/// Why saved weights cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// There is no such property.
    #[error("there is no property {name:?} of a text; the weights are of another version")]
    Unknown {
        /// Its name.
        name: String,
    },
    /// A weight is negative, not finite or very large.
    #[error("the weight {weight} of {name:?} is not between 0 and 1000")]
    Weight {
        /// The property.
        name: String,
        /// Its weight.
        weight: f64,
    },
    /// The table of letter pairs has another shape.
    #[error("the letter pairs are not 60 rows of 30 digits of base 64")]
    Pairs,
    /// A row of letters has another shape.
    #[error(
        "the letters from U+{first:04X} are not up to 128 digits of base 64 for U+0370 to U+10FF"
    )]
    Letters {
        /// The first code point of the row.
        first: u32,
    },
    /// The errors are no rising ratios.
    #[error("the measured errors are not positive ratios that rise from p50 to p99")]
    Errors,
}

/// The form in which weights are saved: names, a row of digits for the pairs after each letter, and one
/// for each block of 128 letters, by the first of them.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    format: Format<1>,
    features: BTreeMap<String, f64>,
    pairs: Vec<String>,
    letters: BTreeMap<u32, String>,
    errors: [Ratios; SIZES.len() + 1],
}

impl From<TokenWeights> for Saved {
    fn from(weights: TokenWeights) -> Self {
        let names = Feature::ALL.iter().map(|feature| format!("{feature:?}"));
        let (pairs, letters) = weights.pieces.split_at(N_PAIRS);
        let rows = LETTERS.step_by(BLOCK).zip(letters.chunks(BLOCK));
        let filled = rows.filter(|(_, row)| row.iter().any(|step| *step > 0));
        Self {
            format: Format,
            features: names.zip(weights.features).collect(),
            pairs: pairs
                .chunks(PAIR_STRIDE)
                .map(|row| digits_of(&row[..N_SYMBOLS]))
                .collect(),
            letters: filled.map(|(first, row)| (first, digits_of(row))).collect(),
            errors: weights.errors,
        }
    }
}

impl TryFrom<Saved> for TokenWeights {
    type Error = WeightsError;

    fn try_from(saved: Saved) -> Result<Self, WeightsError> {
        if !saved.errors.iter().all(is_rising) {
            return Err(WeightsError::Errors);
        }
        Ok(Self {
            features: features_of(saved.features)?,
            pieces: pieces_of(&saved.pairs, &saved.letters)?,
            errors: saved.errors,
        })
    }
}

/// Letters in a row.
const BLOCK: usize = 128;

fn digits_of(row: &[u8]) -> String {
    let steps = row
        .iter()
        .map(|step| usize::from(*step.min(&MAX_PIECE_STEPS)));
    steps.map(|step| char::from(DIGITS[step])).collect()
}

fn is_rising(ratios: &Ratios) -> bool {
    let Ratios {
        mean,
        p50,
        p95,
        p99,
    } = *ratios;
    let is_ratio = |it: f64| it > 0.0 && it < 1_000.0;
    [mean, p50, p95, p99].into_iter().all(is_ratio) && p50 <= p95 && p95 <= p99
}

/// A property that is not named has no weight.
fn features_of(named: BTreeMap<String, f64>) -> Result<[f64; N_FEATURES], WeightsError> {
    let mut features = [0.0; N_FEATURES];
    for (name, weight) in named {
        let mut all = Feature::ALL.iter();
        let Some(at) = all.position(|feature| format!("{feature:?}") == name) else {
            return Err(WeightsError::Unknown { name });
        };
        if !(0.0..=MAX_WEIGHT).contains(&weight) {
            return Err(WeightsError::Weight { name, weight });
        }
        features[at] = weight;
    }
    Ok(features)
}

fn pieces_of(
    pairs: &[String],
    letters: &BTreeMap<u32, String>,
) -> Result<Box<[u8; N_PIECES]>, WeightsError> {
    if pairs.len() != N_ROWS || pairs.iter().any(|row| row.len() != N_SYMBOLS) {
        return Err(WeightsError::Pairs);
    }
    let mut pieces = Box::new([0; N_PIECES]);
    let (of_pairs, of_letters) = pieces.split_at_mut(N_PAIRS);
    for (digits, steps) in pairs.iter().zip(of_pairs.chunks_mut(PAIR_STRIDE)) {
        read_row(digits, steps).ok_or(WeightsError::Pairs)?;
    }
    for (&first, digits) in letters {
        let is_first =
            LETTERS.contains(&first) && (first - LETTERS.start).is_multiple_of(BLOCK as u32);
        let row = is_first.then(|| &mut of_letters[(first - LETTERS.start) as usize..]);
        let steps = row.filter(|row| digits.len() <= row.len().min(BLOCK));
        steps
            .and_then(|steps| read_row(digits, steps))
            .ok_or(WeightsError::Letters { first })?;
    }
    Ok(pieces)
}

fn read_row(digits: &str, steps: &mut [u8]) -> Option<()> {
    for (digit, step) in digits.bytes().zip(steps) {
        *step = u8::try_from(DIGITS.iter().position(|it| *it == digit)?).ok()?;
    }
    Some(())
}
