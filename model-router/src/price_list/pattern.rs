//! Which names does an entry of a price list stand for?

use std::fmt;
use std::str::FromStr;

use regex_lite::Regex;

/// A pattern of names, in the words of genai-prices: equals, starts with, ends with, contains, a regular
/// expression, all of several, any of several. Case does not matter.
///
/// Its text has one word for each: `gpt-4o` equals, `gpt-4o*` starts with, `*-latest` ends with,
/// `*haiku*` contains, `/^o[134]/` is a regular expression; ` & ` joins what must hold together, and
/// ` | ` what may hold each alone.
///
/// ```
/// use bursar_model_router::NamePattern;
///
/// let pattern: NamePattern = "claude-3-haiku* | *claude* & *haiku-3*".parse()?;
/// assert!(pattern.matches("Claude-3-Haiku-20240307"));
/// assert!(pattern.matches("anthropic.claude-haiku-3"));
/// assert!(!pattern.matches("claude-3-opus"));
/// # Ok::<(), bursar_model_router::PatternError>(())
/// ```
#[derive(Debug, Clone)]
pub struct NamePattern(Clause);

#[derive(Debug, Clone)]
enum Clause {
    Equals(Box<str>),
    StartsWith(Box<str>),
    EndsWith(Box<str>),
    Contains(Box<str>),
    Regex(Box<Regex>),
    All(Vec<Self>),
    Any(Vec<Self>),
}

/// Why a text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// Nothing is to be compared.
    #[error("an empty pattern matches everything or nothing; say which names are meant")]
    Empty,
    /// A regular expression has an error.
    #[error("{expression:?} is no regular expression: {reason}")]
    Regex {
        /// As it is written.
        expression: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl NamePattern {
    /// Whether the name is one of those that are meant.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        self.matches_lowercase(&name.to_ascii_lowercase())
    }

    /// As [`matches`](Self::matches), of a name in lower case.
    pub(crate) fn matches_lowercase(&self, name: &str) -> bool {
        self.0.matches(name)
    }

    /// This name alone.
    pub(crate) fn equals(name: &str) -> Self {
        Self(Clause::Equals(lowercase(name)))
    }

    pub(crate) fn starts_with(start: &str) -> Result<Self, PatternError> {
        not_empty(start).map(|it| Self(Clause::StartsWith(it)))
    }

    pub(crate) fn ends_with(end: &str) -> Result<Self, PatternError> {
        not_empty(end).map(|it| Self(Clause::EndsWith(it)))
    }

    pub(crate) fn contains(part: &str) -> Result<Self, PatternError> {
        not_empty(part).map(|it| Self(Clause::Contains(it)))
    }

    pub(crate) fn regex(expression: &str) -> Result<Self, PatternError> {
        match Regex::new(expression) {
            Ok(regex) => Ok(Self(Clause::Regex(Box::new(regex)))),
            Err(error) => Err(PatternError::Regex {
                expression: expression.to_owned(),
                reason: error.to_string(),
            }),
        }
    }

    pub(crate) fn all(patterns: Vec<Self>) -> Result<Self, PatternError> {
        several(patterns).map(|clauses| Self(Clause::All(clauses)))
    }

    pub(crate) fn any(patterns: Vec<Self>) -> Result<Self, PatternError> {
        several(patterns).map(|clauses| Self(Clause::Any(clauses)))
    }

    /// The names that it holds for alone, as far as these can be listed, and whether there are others.
    pub(crate) fn listed_names(&self) -> (Vec<&str>, bool) {
        match &self.0 {
            Clause::Equals(name) => (vec![name], false),
            Clause::Any(clauses) => {
                let names = clauses.iter().filter_map(|clause| match clause {
                    Clause::Equals(name) => Some(&**name),
                    _ => None,
                });
                let names: Vec<_> = names.collect();
                let has_others = names.len() < clauses.len();
                (names, has_others)
            }
            _ => (Vec::new(), true),
        }
    }
}

fn lowercase(text: &str) -> Box<str> {
    text.to_ascii_lowercase().into()
}

fn not_empty(text: &str) -> Result<Box<str>, PatternError> {
    if text.is_empty() {
        return Err(PatternError::Empty);
    }
    Ok(lowercase(text))
}

fn several(patterns: Vec<NamePattern>) -> Result<Vec<Clause>, PatternError> {
    if patterns.is_empty() {
        return Err(PatternError::Empty);
    }
    Ok(patterns.into_iter().map(|pattern| pattern.0).collect())
}

impl Clause {
    fn matches(&self, name: &str) -> bool {
        match self {
            Self::Equals(text) => name == &**text,
            Self::StartsWith(text) => name.starts_with(&**text),
            Self::EndsWith(text) => name.ends_with(&**text),
            Self::Contains(text) => name.contains(&**text),
            Self::Regex(regex) => regex.is_match(name),
            Self::All(clauses) => clauses.iter().all(|clause| clause.matches(name)),
            Self::Any(clauses) => clauses.iter().any(|clause| clause.matches(name)),
        }
    }
}

impl FromStr for NamePattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        joined_by(text, b'|', conjunction, Self::any)
    }
}

fn conjunction(text: &str) -> Result<NamePattern, PatternError> {
    joined_by(text, b'&', clause, NamePattern::all)
}

/// What stands between ` | ` or ` & `, joined if there is more than one of it.
fn joined_by(
    text: &str,
    sign: u8,
    part: fn(&str) -> Result<NamePattern, PatternError>,
    join: fn(Vec<NamePattern>) -> Result<NamePattern, PatternError>,
) -> Result<NamePattern, PatternError> {
    let separator = [b' ', sign, b' '];
    let mut parts = Vec::new();
    let (mut start, mut at) = (0, 0);
    // Byte by byte: most patterns are one short name, for which a searcher would only be set up.
    while let Some(next) = text.as_bytes().get(at..at + separator.len()) {
        if next == separator {
            parts.push(part(&text[start..at])?);
            (start, at) = (at + separator.len(), at + separator.len());
        } else {
            at += 1;
        }
    }
    let last = part(&text[start..])?;
    if parts.is_empty() {
        return Ok(last);
    }
    parts.push(last);
    join(parts)
}

fn clause(text: &str) -> Result<NamePattern, PatternError> {
    let expression = text.strip_prefix('/').and_then(|it| it.strip_suffix('/'));
    if let Some(expression) = expression {
        return NamePattern::regex(expression);
    }
    let (after_star, before_star) = (text.strip_prefix('*'), text.strip_suffix('*'));
    match (after_star, before_star) {
        (Some(rest), Some(_)) => NamePattern::contains(rest.strip_suffix('*').unwrap_or(rest)),
        (Some(end), None) => NamePattern::ends_with(end),
        (None, Some(start)) => NamePattern::starts_with(start),
        (None, None) => not_empty(text).map(|name| NamePattern(Clause::Equals(name))),
    }
}

/// In the form that is read back.
impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Display for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Equals(text) => f.write_str(text),
            Self::StartsWith(text) => write!(f, "{text}*"),
            Self::EndsWith(text) => write!(f, "*{text}"),
            Self::Contains(text) => write!(f, "*{text}*"),
            Self::Regex(regex) => write!(f, "/{}/", regex.as_str()),
            Self::All(clauses) => joined(f, clauses, " & "),
            Self::Any(clauses) => joined(f, clauses, " | "),
        }
    }
}

fn joined(f: &mut fmt::Formatter<'_>, clauses: &[Clause], between: &str) -> fmt::Result {
    for (at, clause) in clauses.iter().enumerate() {
        if at > 0 {
            f.write_str(between)?;
        }
        fmt::Display::fmt(clause, f)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_matches_as_it_says() {
        for (pattern, name, expected) in [
            ("gpt-4o", "GPT-4o", true),
            ("gpt-4o", "gpt-4o-mini", false),
            ("gpt-4o*", "gpt-4o-mini", true),
            ("*-latest", "mistral-large-latest", true),
            ("*-latest", "mistral-latest-large", false),
            ("*haiku*", "claude-haiku-4-5", true),
            ("/^o[134]/", "o3-mini", true),
            ("/^o[134]/", "gpt-o3", false),
            ("*claude* & *haiku*", "claude-opus", false),
            ("a | b* | *c", "xc", true),
        ] {
            let parsed: NamePattern = pattern.parse().unwrap();
            assert_eq!(parsed.matches(name), expected, "{pattern} on {name}");
            assert_eq!(parsed.to_string(), pattern);
        }
    }

    #[test]
    fn what_means_everything_is_no_pattern() {
        for text in ["", "*", "**", "a | ", " & b"] {
            let refused = text.parse::<NamePattern>().unwrap_err();
            assert_eq!(refused, PatternError::Empty, "{text:?}");
        }
        let refused = "/(/".parse::<NamePattern>().unwrap_err();
        assert!(
            refused
                .to_string()
                .contains("\"(\" is no regular expression")
        );
    }

    #[test]
    fn names_are_listed_where_they_can_be() {
        let parsed: NamePattern = "a | b | c*".parse().unwrap();
        assert_eq!(parsed.listed_names(), (vec!["a", "b"], true));
        let parsed: NamePattern = "a".parse().unwrap();
        assert_eq!(parsed.listed_names(), (vec!["a"], false));
        let parsed: NamePattern = "a & b*".parse().unwrap();
        assert_eq!(parsed.listed_names(), (vec![], true));
    }
}
