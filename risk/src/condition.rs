//! When does a rule hold? Comparisons over signals, joined by and, or and not, in three truth values.

use std::ops::Not;

use crate::error::RuleError;
use crate::signal::{Code, Context, Signal, SignalKind, Vocabulary};

/// How deep conditions may nest. Hand-written rules stay under four; the bound keeps recursion safe.
pub const MAX_DEPTH: usize = 16;

/// What a condition comes to: the strong logic of Kleene (*Introduction to Metamathematics*, 1952,
/// §64), in which what is missing decides nothing, but cannot undo what is decided without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    /// It holds, whatever the missing signals are.
    True,
    /// It does not hold, whatever the missing signals are.
    False,
    /// The missing signals decide.
    Unknown,
}

impl Truth {
    const fn of(holds: bool) -> Self {
        match holds {
            true => Self::True,
            false => Self::False,
        }
    }
}

impl Not for Truth {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
        }
    }
}

/// How a signal is compared with a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// Greater than.
    Above,
    /// Greater than or equal to.
    AtLeast,
    /// Less than.
    Below,
    /// Less than or equal to.
    AtMost,
}

impl Relation {
    /// The sign, such as `>`.
    #[must_use]
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Above => ">",
            Self::AtLeast => ">=",
            Self::Below => "<",
            Self::AtMost => "<=",
        }
    }

    #[inline]
    fn holds(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::Above => value > threshold,
            Self::AtLeast => value >= threshold,
            Self::Below => value < threshold,
            Self::AtMost => value <= threshold,
        }
    }
}

/// What a signal is compared with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Threshold {
    /// A number.
    Fixed(f64),
    /// A part of another signal, such as 0.8 of what the plan allows: a thousand tokens a minute is
    /// one ordinary prompt on one plan and abuse on another.
    Fraction {
        /// The part, such as 0.8.
        fraction: f64,
        /// Of which signal.
        of: Signal,
    },
}

impl Threshold {
    #[inline]
    pub(crate) fn value(&self, context: &Context) -> Option<f64> {
        match self {
            Self::Fixed(value) => Some(*value),
            Self::Fraction { fraction, of } => Some(fraction * context.number(*of)?),
        }
    }
}

impl From<f64> for Threshold {
    fn from(value: f64) -> Self {
        Self::Fixed(value)
    }
}

/// The members of a list that a signal is looked up in.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Of a measured signal, such as networks.
    Numbers(Vec<f64>),
    /// Of a signal that is a name, such as countries.
    Codes(Vec<Code>),
}

/// When a rule holds.
///
/// ```
/// use bursar_risk::{Condition, Context, Signal, Truth};
///
/// let young = Signal::ACCOUNT_AGE_DAYS.below(7.0);
/// let condition = young.and(Signal::SPEND_PER_DAY.above(100.0));
/// let known = Context::new().with(Signal::ACCOUNT_AGE_DAYS, 2.0);
/// assert_eq!(condition.truth(&known), Truth::Unknown);
/// // An old account decides it, whatever was spent.
/// let old = Context::new().with(Signal::ACCOUNT_AGE_DAYS, 200.0);
/// assert_eq!(condition.truth(&old), Truth::False);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// A signal against a threshold.
    Compare {
        /// The left side.
        signal: Signal,
        /// How they are compared.
        relation: Relation,
        /// The right side.
        threshold: Threshold,
    },
    /// A signal is in a list.
    OneOf {
        /// What is looked up.
        signal: Signal,
        /// Where.
        values: Values,
    },
    /// All of these hold.
    All(Vec<Condition>),
    /// At least one of these holds.
    Any(Vec<Condition>),
    /// This does not hold.
    Not(Box<Condition>),
}

impl Signal {
    /// The signal is greater than the threshold.
    #[must_use]
    pub fn above(self, threshold: impl Into<Threshold>) -> Condition {
        self.compare(Relation::Above, threshold.into())
    }

    /// The signal is the threshold or greater.
    #[must_use]
    pub fn at_least(self, threshold: impl Into<Threshold>) -> Condition {
        self.compare(Relation::AtLeast, threshold.into())
    }

    /// The signal is less than the threshold.
    #[must_use]
    pub fn below(self, threshold: impl Into<Threshold>) -> Condition {
        self.compare(Relation::Below, threshold.into())
    }

    /// The signal is the threshold or less.
    #[must_use]
    pub fn at_most(self, threshold: impl Into<Threshold>) -> Condition {
        self.compare(Relation::AtMost, threshold.into())
    }

    /// The signal is one of these names.
    #[must_use]
    pub fn one_of(self, codes: impl IntoIterator<Item = Code>) -> Condition {
        Condition::OneOf {
            signal: self,
            values: Values::Codes(codes.into_iter().collect()),
        }
    }

    /// A part of this signal, as the threshold of another.
    #[must_use]
    pub const fn fraction(self, fraction: f64) -> Threshold {
        Threshold::Fraction { fraction, of: self }
    }

    const fn compare(self, relation: Relation, threshold: Threshold) -> Condition {
        Condition::Compare {
            signal: self,
            relation,
            threshold,
        }
    }
}

impl Condition {
    /// Both hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self::All(vec![self, other])
    }

    /// At least one holds.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self::Any(vec![self, other])
    }

    /// What it comes to in a context.
    #[must_use]
    #[inline]
    pub fn truth(&self, context: &Context) -> Truth {
        match self {
            Self::Compare {
                signal,
                relation,
                threshold,
            } => match (context.number(*signal), threshold.value(context)) {
                (Some(value), Some(threshold)) => Truth::of(relation.holds(value, threshold)),
                _ => Truth::Unknown,
            },
            Self::OneOf { signal, values } => among(*signal, values, context),
            Self::All(parts) => decided(parts, context, Truth::False),
            Self::Any(parts) => decided(parts, context, Truth::True),
            Self::Not(part) => !part.truth(context),
        }
    }

    /// Calls `visit` with each comparison and lookup, from left to right.
    pub(crate) fn leaves<'c>(&'c self, visit: &mut impl FnMut(&'c Self)) {
        match self {
            Self::Compare { .. } | Self::OneOf { .. } => visit(self),
            Self::All(parts) | Self::Any(parts) => {
                for part in parts {
                    part.leaves(visit);
                }
            }
            Self::Not(part) => part.leaves(visit),
        }
    }

    /// Calls `visit` with each signal that is read, from left to right.
    pub(crate) fn signals(&self, visit: &mut impl FnMut(Signal)) {
        self.leaves(&mut |leaf| match leaf {
            Self::Compare {
                signal, threshold, ..
            } => {
                visit(*signal);
                if let Threshold::Fraction { of, .. } = threshold {
                    visit(*of);
                }
            }
            Self::OneOf { signal, .. } => visit(*signal),
            Self::All(_) | Self::Any(_) | Self::Not(_) => {}
        });
    }

    /// Whether thresholds are numbers, kinds agree, and nothing is empty or too deep.
    pub(crate) fn check(&self, vocabulary: &Vocabulary) -> Result<(), RuleError> {
        self.check_within(vocabulary, MAX_DEPTH)
    }

    fn check_within(&self, vocabulary: &Vocabulary, depth: usize) -> Result<(), RuleError> {
        let Some(depth) = depth.checked_sub(1) else {
            let message = format!("conditions nest deeper than {MAX_DEPTH}: split the rule");
            return Err(RuleError::new(message));
        };
        match self {
            Self::Compare {
                signal,
                relation,
                threshold,
            } => {
                require_kind(vocabulary, *signal, SignalKind::Number)?;
                check_threshold(vocabulary, threshold).map_err(|error| error.under(key(*relation)))
            }
            Self::OneOf { signal, values } => {
                let kind = match values {
                    Values::Numbers(_) => SignalKind::Number,
                    Values::Codes(_) => SignalKind::Code,
                };
                require_kind(vocabulary, *signal, kind)?;
                check_values(values).map_err(|error| error.under("one_of"))
            }
            Self::All(parts) => check_parts(parts, vocabulary, depth, "all"),
            Self::Any(parts) => check_parts(parts, vocabulary, depth, "any"),
            Self::Not(part) => part
                .check_within(vocabulary, depth)
                .map_err(|error| error.under("not")),
        }
    }
}

impl Not for Condition {
    type Output = Self;

    fn not(self) -> Self {
        Self::Not(Box::new(self))
    }
}

/// The field of a rule file that a relation is written in.
pub(crate) const fn key(relation: Relation) -> &'static str {
    match relation {
        Relation::Above => "above",
        Relation::AtLeast => "at_least",
        Relation::Below => "below",
        Relation::AtMost => "at_most",
    }
}

fn among(signal: Signal, values: &Values, context: &Context) -> Truth {
    let found = match values {
        Values::Numbers(numbers) => context.number(signal).map(|value| numbers.contains(&value)),
        Values::Codes(codes) => context.code(signal).map(|code| codes.contains(&code)),
    };
    found.map_or(Truth::Unknown, Truth::of)
}

/// One part that is `deciding` decides; else a missing part leaves it open.
fn decided(parts: &[Condition], context: &Context, deciding: Truth) -> Truth {
    let mut truth = !deciding;
    for part in parts {
        match part.truth(context) {
            found if found == deciding => return deciding,
            Truth::Unknown => truth = Truth::Unknown,
            _ => {}
        }
    }
    truth
}

fn check_parts(
    parts: &[Condition],
    vocabulary: &Vocabulary,
    depth: usize,
    key: &str,
) -> Result<(), RuleError> {
    if parts.is_empty() {
        let message = "the list of conditions is empty: give at least one";
        return Err(RuleError::new(message).under(key));
    }
    for (index, part) in parts.iter().enumerate() {
        part.check_within(vocabulary, depth)
            .map_err(|error| error.at(index).under(key))?;
    }
    Ok(())
}

fn require_kind(
    vocabulary: &Vocabulary,
    signal: Signal,
    wanted: SignalKind,
) -> Result<(), RuleError> {
    let advice = match (vocabulary.kind(signal), wanted) {
        (Some(found), wanted) if found == wanted => return Ok(()),
        (Some(_), SignalKind::Number) => "is a name: compare it with `one_of` and texts",
        (Some(_), SignalKind::Code) => "is a number: compare it with numbers",
        (None, _) => "belongs to another vocabulary: define it in this one",
    };
    let name = vocabulary.name(signal);
    Err(RuleError::new(format!("the signal `{name}` {advice}")).under("signal"))
}

fn check_threshold(vocabulary: &Vocabulary, threshold: &Threshold) -> Result<(), RuleError> {
    match threshold {
        Threshold::Fixed(value) => check_number(*value),
        Threshold::Fraction { fraction, of } => {
            require_kind(vocabulary, *of, SignalKind::Number)
                .map_err(|error| RuleError::new(error.message()).under("of"))?;
            check_number(*fraction).map_err(|error| error.under("fraction"))
        }
    }
}

fn check_number(value: f64) -> Result<(), RuleError> {
    match value.is_finite() {
        true => Ok(()),
        false => Err(RuleError::new(format!(
            "{value} is not a number that can be compared: give a finite one"
        ))),
    }
}

fn check_values(values: &Values) -> Result<(), RuleError> {
    let is_empty = match values {
        Values::Numbers(numbers) => {
            for (index, number) in numbers.iter().enumerate() {
                check_number(*number).map_err(|error| error.at(index))?;
            }
            numbers.is_empty()
        }
        Values::Codes(codes) => codes.is_empty(),
    };
    match is_empty {
        true => Err(RuleError::new("the list is empty: name at least one value")),
        false => Ok(()),
    }
}
