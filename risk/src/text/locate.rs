//! Where in the file is it? Each parser's own place, and the field that was being read.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de::DeserializeOwned};
use serde_path_to_error::Track;

use super::{Format, LoadError};
use crate::error::{RuleError, Segment};

/// A parser's complaint in one form.
struct Complaint {
    line: usize,
    column: usize,
    message: String,
}

/// Reads the form of a file.
pub(super) fn read<T: DeserializeOwned>(format: Format, text: &str) -> Result<T, LoadError> {
    let mut track = Track::new();
    let found = with_parser(format, text, Root(&mut track, std::marker::PhantomData));
    found.map_err(|complaint| {
        let path = track.path().to_string();
        let path = path.trim_end_matches(['?', '.']);
        let field = match path.is_empty() {
            true => name_before(text, complaint.line, complaint.column),
            false => path.to_owned(),
        };
        LoadError {
            line: complaint.line,
            column: complaint.column,
            field,
            message: complaint.message,
        }
    })
}

/// Finds the place of an error in what the file says: reads the file again and complains at the field,
/// so that the parser tells where that is.
pub(super) fn place(format: Format, text: &str, error: &RuleError) -> LoadError {
    let probe = Probe {
        path: error.path(),
        message: error.message(),
    };
    let (line, column) = match with_parser(format, text, probe) {
        Err(complaint) => (complaint.line, complaint.column),
        Ok(()) => (1, 1),
    };
    let field = error.field();
    LoadError {
        line,
        column,
        field: if field.is_empty() {
            "(file)".to_owned()
        } else {
            field
        },
        message: error.message().to_owned(),
    }
}

/// The last thing that looks like a key, at or before a place in a text that does not parse.
fn name_before(text: &str, line: usize, column: usize) -> String {
    let mut last = None;
    for (number, content) in (1..=line).zip(text.lines()) {
        let until = if number == line {
            column.max(1)
        } else {
            usize::MAX
        };
        let before: String = content.chars().take(until).collect();
        last = last_name(&before).or(last);
    }
    // A broken first line has its name behind the place.
    last.or_else(|| text.lines().nth(line.saturating_sub(1)).and_then(last_name))
        .unwrap_or_else(|| "(file)".to_owned())
}

fn last_name(line: &str) -> Option<String> {
    let is_part = |character: char| character.is_ascii_alphanumeric() || "_-.".contains(character);
    let words = line.split(|character: char| !is_part(character));
    let mut names =
        words.filter(|word| word.starts_with(|first: char| first.is_ascii_alphabetic()));
    names.next_back().map(str::to_owned)
}

fn with_parser<'t, S: DeserializeSeed<'t>>(
    format: Format,
    text: &'t str,
    seed: S,
) -> Result<S::Value, Complaint> {
    match format {
        Format::Toml => from_toml(text, seed),
        Format::Json => from_json(text, seed),
        Format::Yaml => from_yaml(text, seed),
    }
}

fn from_toml<'t, S: DeserializeSeed<'t>>(text: &'t str, seed: S) -> Result<S::Value, Complaint> {
    let parsed = toml::Deserializer::parse(text).and_then(|parser| seed.deserialize(parser));
    parsed.map_err(|error| {
        let start = error.span().map_or(text.len(), |span| span.start);
        let before = text.get(..start).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Complaint {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            message: error.message().to_owned(),
        }
    })
}

fn from_json<'t, S: DeserializeSeed<'t>>(text: &'t str, seed: S) -> Result<S::Value, Complaint> {
    let mut parser = serde_json::Deserializer::from_str(text);
    let parsed = seed
        .deserialize(&mut parser)
        .and_then(|value| parser.end().map(|()| value));
    parsed.map_err(|error| {
        let whole = error.to_string();
        let message = whole.split(" at line ").next().unwrap_or(&whole);
        Complaint {
            line: error.line().max(1),
            column: error.column().max(1),
            message: message.to_owned(),
        }
    })
}

fn from_yaml<'t, S: DeserializeSeed<'t>>(text: &'t str, seed: S) -> Result<S::Value, Complaint> {
    let parsed = serde_saphyr::with_deserializer_from_str(text, |parser| seed.deserialize(parser));
    parsed.map_err(|error| {
        let bare = error.without_snippet();
        let place = error.location();
        let part = |value: u64| usize::try_from(value).unwrap_or(usize::MAX).max(1);
        let whole = bare.to_string();
        Complaint {
            line: place.map_or(1, |place| part(place.line())),
            column: place.map_or(1, |place| part(place.column())),
            message: whole.split(" at line ").next().unwrap_or(&whole).to_owned(),
        }
    })
}

/// Reads a value while its path is tracked.
struct Root<'k, T>(&'k mut Track, std::marker::PhantomData<T>);

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Root<'_, T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        T::deserialize(serde_path_to_error::Deserializer::new(deserializer, self.0))
    }
}

/// Walks to a field and complains there.
#[derive(Clone, Copy)]
struct Probe<'p> {
    path: &'p [Segment],
    message: &'p str,
}

impl<'de> DeserializeSeed<'de> for Probe<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Probe<'_> {
    /// The path ends here, or leads on to what the file does not say: this is the place.
    fn complain<E: de::Error>(self) -> E {
        E::custom(self.message)
    }
}

impl<'de> Visitor<'de> for Probe<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.message)
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<(), E> {
        Err(self.complain())
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<(), E> {
        Err(self.complain())
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<(), E> {
        Err(self.complain())
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<(), E> {
        Err(self.complain())
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<(), E> {
        Err(self.complain())
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Err(self.complain())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((Segment::Key(wanted), rest)) = self.path.split_first() else {
            return Err(self.complain());
        };
        while let Some(key) = map.next_key::<String>()? {
            if key == *wanted {
                map.next_value_seed(Probe { path: rest, ..self })?;
            } else {
                map.next_value::<de::IgnoredAny>()?;
            }
        }
        Err(self.complain())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Some((Segment::Index(wanted), rest)) = self.path.split_first() else {
            return Err(self.complain());
        };
        for _ in 0..*wanted {
            seq.next_element::<de::IgnoredAny>()?;
        }
        seq.next_element_seed(Probe { path: rest, ..self })?;
        Err(self.complain())
    }
}
