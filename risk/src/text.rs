//! How are rules written in a file? TOML, JSON or YAML, with the place of whatever is wrong.
//!
//! ```
//! use bursar_risk::RuleSet;
//!
//! let rules = RuleSet::from_toml(r#"
//!     name = "gateway"
//!     version = 7
//!     policy = "score-only"
//!     thresholds = { review = 40, block = 70 }
//!     tiers.free = { review = 30, block = 50 }
//!     numbers = ["chargebacks"]
//!
//!     [[rules]]
//!     name = "high_velocity"
//!     when = { signal = "tokens_per_minute", above = { fraction = 0.8, of = "plan_tokens_per_minute" } }
//!     score = 30
//!     action = "flag"
//!     reason = "{tokens_per_minute} tokens in a minute, more than {threshold}"
//!
//!     [[rules]]
//!     name = "young_and_disputed"
//!     when.all = [
//!         { signal = "account_age_days", below = 7 },
//!         { any = [{ signal = "chargebacks", at_least = 1 }, { signal = "country", one_of = ["XX"] }] },
//!     ]
//!     score = 60
//!     action = "review"
//!     mode = "shadow"
//!     missing = "trigger"
//! "#)?;
//! assert_eq!(rules.rules().len(), 2);
//!
//! let error = RuleSet::from_toml("name = 'gateway'\nversion = 7\npolicy = 'lenient'\n").unwrap_err();
//! assert_eq!((error.line(), error.field()), (3, "policy"));
//! # Ok::<(), bursar_risk::LoadError>(())
//! ```
//!
//! `when` is a signal with exactly one of `above`, `at_least`, `below`, `at_most` or `one_of`, or
//! exactly one of `all`, `any` and `not`. A threshold is a number or a `fraction` `of` another signal.
//! `reason` is for those who work here and may name signals, `notice` is what the consumer may be told.
//! `mode` is `active`, `shadow` or `off`, `missing` is `not-evaluable` or `trigger`, `policy` is
//! `score-only` or `strictest`. Own signals are listed in `numbers` and `codes`. Fields that are not
//! known are an error.

mod locate;
mod written;

use serde::Deserialize;
use thiserror::Error;

use crate::error::RuleError;
use crate::rule_set::RuleSet;
use crate::text::written::SetText;

/// The longest rule file, in bytes: a set of thousand rules takes a fifth of it.
pub const MAX_FILE: usize = 1 << 20;

/// In which form a rule file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// `rules.toml`.
    Toml,
    /// `rules.json`.
    Json,
    /// `rules.yaml`.
    Yaml,
}

impl Format {
    /// The format of a file's name by its ending.
    #[must_use]
    pub fn of_file(name: &str) -> Option<Self> {
        let (_, ending) = name.rsplit_once('.')?;
        match ending.to_ascii_lowercase().as_str() {
            "toml" => Some(Self::Toml),
            "json" => Some(Self::Json),
            "yaml" | "yml" => Some(Self::Yaml),
            _ => None,
        }
    }
}

/// Why a file is no rule set: where, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}, column {column}, `{field}`: {message}")]
pub struct LoadError {
    line: usize,
    column: usize,
    field: String,
    message: String,
}

impl LoadError {
    /// The line, from 1 on.
    #[must_use]
    pub const fn line(&self) -> usize {
        self.line
    }

    /// The column, from 1 on, in characters.
    #[must_use]
    pub const fn column(&self) -> usize {
        self.column
    }

    /// The field that was being read, such as `rules[2].when.above`; where the text itself is broken,
    /// the last name before the place; `(file)` before any.
    #[must_use]
    pub fn field(&self) -> &str {
        &self.field
    }

    /// What is wrong.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl RuleSet {
    /// Reads a set from TOML.
    ///
    /// # Errors
    /// [`LoadError`] with line, column and field.
    pub fn from_toml(text: &str) -> Result<Self, LoadError> {
        Self::from_text(Format::Toml, text)
    }

    /// Reads a set from JSON.
    ///
    /// # Errors
    /// As [`from_toml`](Self::from_toml).
    pub fn from_json(text: &str) -> Result<Self, LoadError> {
        Self::from_text(Format::Json, text)
    }

    /// Reads a set from YAML.
    ///
    /// # Errors
    /// As [`from_toml`](Self::from_toml).
    pub fn from_yaml(text: &str) -> Result<Self, LoadError> {
        Self::from_text(Format::Yaml, text)
    }

    /// Reads a set from any of the formats.
    ///
    /// # Errors
    /// As [`from_toml`](Self::from_toml).
    pub fn from_text(format: Format, text: &str) -> Result<Self, LoadError> {
        if text.len() > MAX_FILE {
            return Err(LoadError {
                line: 1,
                column: 1,
                field: "(file)".to_owned(),
                message: format!(
                    "{} bytes are more than {MAX_FILE}: split the set",
                    text.len()
                ),
            });
        }
        let written = locate::read::<SetText>(format, text)?;
        written
            .check()
            .map_err(|error: RuleError| locate::place(format, text, &error))
    }
}

impl serde::Serialize for RuleSet {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        SetText::of(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RuleSet {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = SetText::deserialize(deserializer)?;
        written.check().map_err(serde::de::Error::custom)
    }
}
