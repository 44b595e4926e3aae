//! What does one rule say, and how does it give its reason in numbers?

use std::fmt::{self, Write as _};

use crate::condition::{Condition, Threshold, Truth, Values};
use crate::error::RuleError;
use crate::signal::{Context, Signal, SignalKind, Vocabulary, is_name};

/// The most points of one rule: 1000 rules of it stay far from the largest sum.
pub const MAX_POINTS: u32 = 1_000_000;

/// What a rule asks for on its own. Whether that counts is the rule set's [`Policy`](crate::Policy).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum Action {
    /// Tell somebody.
    Flag,
    /// Have a person look.
    Review,
    /// Do not serve.
    Block,
}

/// Whether a rule counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum Mode {
    /// Its points count.
    #[default]
    Active,
    /// It is evaluated and reported, and counts nothing: to see what it would do.
    Shadow,
    /// It is not evaluated.
    Off,
}

/// What a rule does when the signals that would decide it are missing. Both are reported.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum Missing {
    /// The rule is not evaluable and gives no points.
    #[default]
    NotEvaluable,
    /// The rule gives its points, as for a signal without which nobody should be served.
    Trigger,
}

/// A condition with what it is worth and the words for it.
///
/// ```
/// use bursar_risk::{Action, Rule, Signal};
///
/// let rule = Rule::new("high_velocity", Signal::TOKENS_PER_MINUTE.above(1000.0), 30, Action::Flag)
///     .reason("{tokens_per_minute} tokens in a minute, more than {threshold}");
/// assert_eq!(rule.points(), 30);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    pub(crate) name: String,
    pub(crate) when: Condition,
    pub(crate) points: u32,
    pub(crate) action: Action,
    pub(crate) mode: Mode,
    pub(crate) missing: Missing,
    pub(crate) reason: Option<String>,
    pub(crate) notice: Option<String>,
}

impl Rule {
    /// An active rule whose reason is its comparisons with their numbers.
    #[must_use]
    pub fn new(name: impl Into<String>, when: Condition, points: u32, action: Action) -> Self {
        Self {
            name: name.into(),
            when,
            points,
            action,
            mode: Mode::Active,
            missing: Missing::NotEvaluable,
            reason: None,
            notice: None,
        }
    }

    /// Whether the rule counts.
    #[must_use]
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// What the rule does when signals are missing.
    #[must_use]
    pub fn when_missing(mut self, missing: Missing) -> Self {
        self.missing = missing;
        self
    }

    /// The reason in words. `{name_of_a_signal}` becomes its value, `{threshold}` the first threshold
    /// of the condition and `{points}` the points.
    #[must_use]
    pub fn reason(mut self, template: impl Into<String>) -> Self {
        self.reason = Some(template.into());
        self
    }

    /// What the consumer may be told, as it is: no numbers, which would say what to change.
    #[must_use]
    pub fn notice(mut self, text: impl Into<String>) -> Self {
        self.notice = Some(text.into());
        self
    }

    /// What the consumer may be told.
    #[must_use]
    pub fn public_notice(&self) -> Option<&str> {
        self.notice.as_deref()
    }

    /// The stable name that records and reports use.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// When it holds.
    #[must_use]
    pub const fn condition(&self) -> &Condition {
        &self.when
    }

    /// What it adds to the score.
    #[must_use]
    pub const fn points(&self) -> u32 {
        self.points
    }

    /// What it asks for on its own.
    #[must_use]
    pub const fn action(&self) -> Action {
        self.action
    }

    /// Whether it is active, in shadow or off.
    #[must_use]
    pub const fn current_mode(&self) -> Mode {
        self.mode
    }

    pub(crate) fn check(&self, vocabulary: &Vocabulary) -> Result<(), RuleError> {
        if !is_name(&self.name) {
            let shown: String = self.name.chars().take(40).collect();
            let shown = shown.escape_default();
            return Err(RuleError::new(format!(
                "the rule name `{shown}` is not 1 to 64 lower-case letters, digits and `_`: rename it"
            ))
            .under("name"));
        }
        if self.points > MAX_POINTS {
            let message = format!(
                "{} points are more than {MAX_POINTS}: give less",
                self.points
            );
            return Err(RuleError::new(message).under("score"));
        }
        self.when
            .check(vocabulary)
            .map_err(|error| error.under("when"))?;
        match &self.reason {
            Some(template) => {
                check_template(template, vocabulary).map_err(|error| error.under("reason"))
            }
            None => Ok(()),
        }
    }

    /// Writes the reason with the numbers of `context`.
    pub(crate) fn write_reason(
        &self,
        vocabulary: &Vocabulary,
        context: &Context,
        text: &mut impl fmt::Write,
    ) -> fmt::Result {
        match &self.reason {
            Some(template) => {
                for piece in pieces(template) {
                    match piece {
                        Piece::Text(words) => text.write_str(words)?,
                        Piece::Name("points") => write!(text, "{}", self.points)?,
                        Piece::Name("threshold") => self.write_threshold(context, text)?,
                        Piece::Name(name) => write_named(name, vocabulary, context, text)?,
                    }
                }
                Ok(())
            }
            None => self.write_comparisons(vocabulary, context, text),
        }
    }

    fn write_threshold(&self, context: &Context, text: &mut impl fmt::Write) -> fmt::Result {
        let mut first = None;
        self.when.leaves(&mut |leaf| {
            if let (None, Condition::Compare { threshold, .. }) = (first, leaf) {
                first = Some(*threshold);
            }
        });
        match first.and_then(|threshold| threshold.value(context)) {
            Some(value) => write_number(value, text),
            None => text.write_str("(unknown)"),
        }
    }

    /// The comparisons that are known, as they came out: `unique_ips 14 > 10`.
    fn write_comparisons(
        &self,
        vocabulary: &Vocabulary,
        context: &Context,
        text: &mut impl fmt::Write,
    ) -> fmt::Result {
        let mut parts = Vec::new();
        self.when.leaves(&mut |leaf| parts.push(leaf));
        for (index, leaf) in parts.into_iter().enumerate() {
            if index > 0 {
                text.write_str(", ")?;
            }
            write_leaf(leaf, vocabulary, context, text)?;
        }
        Ok(())
    }
}

/// One comparison behind a decision, with its numbers.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Evidence {
    /// The signal's name.
    pub signal: String,
    /// What was seen, as text; `None` when it was missing.
    pub observed: Option<String>,
    /// What it was compared with, such as `> 1000`.
    pub compared_with: String,
    /// Whether the comparison held; `None` when a signal was missing.
    pub holds: Option<bool>,
}

/// The comparisons of a rule in a context.
pub(crate) fn evidence(rule: &Rule, vocabulary: &Vocabulary, context: &Context) -> Vec<Evidence> {
    let mut found = Vec::new();
    rule.when.leaves(&mut |leaf| {
        let signal = match leaf {
            Condition::Compare { signal, .. } | Condition::OneOf { signal, .. } => *signal,
            _ => return,
        };
        let mut compared_with = String::new();
        // Writing to a String cannot fail.
        let _ = write_right_side(leaf, context, &mut compared_with);
        found.push(Evidence {
            signal: vocabulary.name(signal).to_owned(),
            observed: observed(signal, vocabulary, context),
            compared_with,
            holds: match leaf.truth(context) {
                Truth::True => Some(true),
                Truth::False => Some(false),
                Truth::Unknown => None,
            },
        });
    });
    found
}

/// The value of a signal as text.
pub(crate) fn observed(
    signal: Signal,
    vocabulary: &Vocabulary,
    context: &Context,
) -> Option<String> {
    match vocabulary.kind(signal)? {
        SignalKind::Code => context.code(signal).map(|code| code.to_string()),
        SignalKind::Number => context.number(signal).map(|value| {
            let mut text = String::new();
            let _ = write_number(value, &mut text);
            text
        }),
    }
}

fn write_leaf(
    leaf: &Condition,
    vocabulary: &Vocabulary,
    context: &Context,
    text: &mut impl fmt::Write,
) -> fmt::Result {
    let signal = match leaf {
        Condition::Compare { signal, .. } | Condition::OneOf { signal, .. } => *signal,
        _ => return Ok(()),
    };
    write!(text, "{} ", vocabulary.name(signal))?;
    let value = observed(signal, vocabulary, context);
    text.write_str(value.as_deref().unwrap_or("(unknown)"))?;
    text.write_str(match leaf.truth(context) {
        Truth::True => " ",
        Truth::False => " not ",
        Truth::Unknown => " compared with ",
    })?;
    write_right_side(leaf, context, text)
}

fn write_right_side(
    leaf: &Condition,
    context: &Context,
    text: &mut impl fmt::Write,
) -> fmt::Result {
    match leaf {
        Condition::Compare {
            relation,
            threshold,
            ..
        } => {
            write!(text, "{} ", relation.sign())?;
            match (threshold.value(context), threshold) {
                (Some(value), _) => write_number(value, text),
                (None, Threshold::Fraction { fraction, .. }) => {
                    write!(text, "{fraction} of (unknown)")
                }
                (None, Threshold::Fixed(_)) => Ok(()),
            }
        }
        Condition::OneOf { values, .. } => write_values(values, text),
        _ => Ok(()),
    }
}

/// The first few members of a list; a reason is read by people.
fn write_values(values: &Values, text: &mut impl fmt::Write) -> fmt::Result {
    const SHOWN: usize = 6;
    let (shown, total): (Vec<String>, usize) = match values {
        Values::Numbers(all) => (
            all.iter().take(SHOWN).map(f64::to_string).collect(),
            all.len(),
        ),
        Values::Codes(all) => (
            all.iter().take(SHOWN).map(ToString::to_string).collect(),
            all.len(),
        ),
    };
    write!(text, "in [{}", shown.join(", "))?;
    text.write_str(if total > SHOWN { ", …]" } else { "]" })
}

/// Whole numbers whole, others with up to three places: enough to see which side it is on.
fn write_number(value: f64, text: &mut impl fmt::Write) -> fmt::Result {
    // The shortest digits that mean this number are found much faster than rounded ones.
    let shortest = value.to_string();
    let places = shortest.split_once('.').map_or(0, |(_, after)| after.len());
    if places <= 3 {
        return text.write_str(&shortest);
    }
    let mut full = format!("{value:.3}");
    if full.contains('.') {
        full.truncate(full.trim_end_matches('0').trim_end_matches('.').len());
    }
    // What rounding would turn into another number is printed in full.
    match full == "0" && value != 0.0 {
        true => write!(text, "{value:e}"),
        false => text.write_str(&full),
    }
}

fn write_named(
    name: &str,
    vocabulary: &Vocabulary,
    context: &Context,
    text: &mut impl fmt::Write,
) -> fmt::Result {
    let value = vocabulary
        .find(name)
        .and_then(|signal| observed(signal, vocabulary, context));
    text.write_str(value.as_deref().unwrap_or("(unknown)"))
}

/// A part of a reason's template.
enum Piece<'t> {
    Text(&'t str),
    Name(&'t str),
}

/// Cuts a template at its braces. A brace without its partner is text, and refused when checked.
fn pieces(template: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = template;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some((name, after)) = rest.strip_prefix('{').and_then(|open| open.split_once('}')) {
            rest = after;
            return Some(Piece::Name(name));
        }
        let from = usize::from(rest.starts_with('{'));
        let end = rest[from..].find('{').map_or(rest.len(), |at| at + from);
        let (text, after) = rest.split_at(end);
        rest = after;
        Some(Piece::Text(text))
    })
}

fn check_template(template: &str, vocabulary: &Vocabulary) -> Result<(), RuleError> {
    for piece in pieces(template) {
        match piece {
            Piece::Name("points" | "threshold") => {}
            Piece::Name(name) if vocabulary.find(name).is_some() => {}
            Piece::Name(name) => {
                let name: String = name.chars().take(40).collect();
                let mut message = String::new();
                let _ = write!(
                    message,
                    "`{{{}}}` is no signal, `{{threshold}}` or `{{points}}`: name one of these",
                    name.escape_default()
                );
                return Err(RuleError::new(message));
            }
            Piece::Text(text) if text.contains(['{', '}']) => {
                let message = "a brace stands without its partner: write `{name_of_a_signal}`";
                return Err(RuleError::new(message));
            }
            Piece::Text(_) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: f64) -> String {
        let mut text = String::new();
        write_number(value, &mut text).expect("a string takes all");
        text
    }

    #[test]
    fn numbers_have_up_to_three_places() {
        let cases = [
            (1000.0, "1000"),
            (-2.5, "-2.5"),
            (0.125, "0.125"),
            (0.1 + 0.2, "0.3"),
            (2.0 / 3.0, "0.667"),
            (0.9999, "1"),
            (1e-7, "1e-7"),
            (0.0, "0"),
            (1e15, "1000000000000000"),
        ];
        for (value, expected) in cases {
            assert_eq!(written(value), expected);
        }
    }

    /// The quick way writes what rounding writes.
    #[test]
    fn thousandths_are_written_as_if_rounded() {
        for thousandths in -3000..3000 {
            let value = f64::from(thousandths) / 1000.0;
            let rounded = format!("{value:.3}");
            let rounded = rounded.trim_end_matches('0').trim_end_matches('.');
            assert_eq!(written(value), rounded);
        }
    }
}
