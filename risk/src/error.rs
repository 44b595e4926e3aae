//! What is wrong with a rule, a list or a model, and where does it stand?

use std::fmt;

use thiserror::Error;

/// Why something cannot be a rule set: what is wrong and the field it stands in.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct RuleError {
    path: Vec<Segment>,
    message: String,
}

/// A step on the way to a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Segment {
    Key(String),
    Index(usize),
}

impl RuleError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            path: Vec::new(),
            message: message.into(),
        }
    }

    /// The same error, one level further in: `key` holds what was wrong.
    pub(crate) fn under(mut self, key: &str) -> Self {
        self.path.insert(0, Segment::Key(key.to_owned()));
        self
    }

    /// The same error, one level further in: the element `index` was wrong.
    pub(crate) fn at(mut self, index: usize) -> Self {
        self.path.insert(0, Segment::Index(index));
        self
    }

    /// What is wrong, and what to do.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The field, such as `rules[2].when.above`; empty when the whole is meant.
    #[must_use]
    pub fn field(&self) -> String {
        let mut field = String::new();
        for segment in &self.path {
            match segment {
                Segment::Key(key) if field.is_empty() => field.push_str(key),
                Segment::Key(key) => field.extend([".", key]),
                Segment::Index(index) => field.extend(["[", &index.to_string(), "]"]),
            }
        }
        field
    }

    #[cfg(feature = "serde")]
    pub(crate) fn path(&self) -> &[Segment] {
        &self.path
    }
}

impl fmt::Display for RuleError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.is_empty() {
            true => formatter.write_str(&self.message),
            false => write!(formatter, "`{}`: {}", self.field(), self.message),
        }
    }
}
