//! What did a call use, in the provider's own words?

mod format;
mod stream;

use serde_json::Value;

pub use self::format::ApiFormat;
pub use self::stream::StreamedUsage;
use crate::price_list::NamePattern;
use crate::usage::{Usage, UsageKind};

/// Reads usage out of a response body: where to look, and what each count there means.
///
/// Providers count differently. Cached tokens are a part of OpenAI's and Gemini's input count and stand
/// beside Anthropic's and Bedrock's; reasoning is a part of OpenAI's output count and stands beside
/// Gemini's. Where several counts make one kind, they are added up: an extractor names them all.
///
/// [`ApiFormat`] has those of the large providers; price lists in the form of genai-prices bring more.
///
/// ```
/// use bursar_model_router::{Extractor, UsageKind};
///
/// let extractor = Extractor::new("usage")
///     .with_model_at("model")
///     .required("in_tokens", UsageKind::InputTokens)
///     .optional("cache.hits", UsageKind::InputTokens)
///     .optional("cache.hits", UsageKind::CacheReadTokens)
///     .required("out_tokens", UsageKind::OutputTokens);
/// let body = br#"{"model":"m","usage":{"in_tokens":20,"cache":{"hits":80},"out_tokens":5}}"#;
/// let extracted = extractor.extract(body)?;
/// assert_eq!(extracted.model.as_deref(), Some("m"));
/// assert_eq!(extracted.usage.get(UsageKind::InputTokens), Some(100));
/// # Ok::<(), bursar_model_router::ExtractError>(())
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Extractor {
    root: Path,
    model: Option<Path>,
    mappings: Vec<Mapping>,
}

/// What a response body says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extracted {
    /// Which model answered, where the body names it.
    pub model: Option<String>,
    /// What it used.
    pub usage: Usage,
}

/// Why no usage can be read from a body.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExtractError {
    /// It is not JSON.
    #[error("the body is not JSON")]
    Json(#[from] serde_json::Error),
    /// What the extractor starts from is not there.
    #[error(
        "there is no usage at `{path}`; check which API the body is of, and that a stream was asked for its usage"
    )]
    NoUsage {
        /// Where it should be.
        path: String,
    },
    /// A count that must be there is not.
    #[error("the count at `{path}` is missing")]
    Missing {
        /// Where it should be.
        path: String,
    },
    /// It is there and is no count.
    #[error("{value} at `{path}` is no count")]
    NotACount {
        /// Where it is.
        path: String,
        /// The JSON found there.
        value: String,
    },
    /// The counts that make one kind are over 2⁶⁴ − 1.
    #[error("the counts of {kind} are more than a count holds, 18446744073709551615")]
    Overflow {
        /// Of which kind.
        kind: UsageKind,
    },
}

#[derive(Debug, Clone)]
struct Mapping {
    path: Path,
    kind: UsageKind,
    is_required: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Path(Vec<Step>);

#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Into the field of this name.
    Field(Box<str>),
    /// To the first element of a list whose field holds such a name.
    Element { field: Box<str>, is: NamePattern },
}

impl Extractor {
    /// Usage is under this path, and so are the paths of counts.
    ///
    /// A path is field names with dots between them. `details[kind=AUDIO].count` is the count of that
    /// element of the list `details` whose field `kind` is `AUDIO`.
    pub fn new(root: &str) -> Self {
        Self::from_path(Path::parse(root))
    }

    pub(crate) const fn from_path(root: Path) -> Self {
        Self {
            root,
            model: None,
            mappings: Vec::new(),
        }
    }

    /// The name of the model is at this path of the body.
    pub fn with_model_at(self, path: &str) -> Self {
        self.with_model_path(Path::parse(path))
    }

    pub(crate) fn with_model_path(mut self, path: Path) -> Self {
        self.model = Some(path);
        self
    }

    /// What is counted there belongs to this kind; without it, there is no usage.
    pub fn required(self, path: &str, kind: UsageKind) -> Self {
        self.with_mapping(Path::parse(path), kind, true)
    }

    /// What is counted there, if it is, belongs to this kind.
    pub fn optional(self, path: &str, kind: UsageKind) -> Self {
        self.with_mapping(Path::parse(path), kind, false)
    }

    pub(crate) fn with_mapping(mut self, path: Path, kind: UsageKind, is_required: bool) -> Self {
        self.mappings.push(Mapping {
            path,
            kind,
            is_required,
        });
        self
    }

    /// The usage in a response body, a JSON document.
    ///
    /// # Errors
    /// [`ExtractError`]; a body without any count is one, and is not a call that used nothing.
    pub fn extract(&self, body: &[u8]) -> Result<Extracted, ExtractError> {
        self.extract_value(&serde_json::from_slice(body)?)
    }

    /// As [`extract`](Self::extract), of a document that was parsed before.
    ///
    /// # Errors
    /// [`ExtractError`].
    pub fn extract_value(&self, body: &Value) -> Result<Extracted, ExtractError> {
        let model = self.model.as_ref().and_then(|path| path.find(body));
        let root = self.root.find(body).filter(|found| found.is_object());
        let root = root.ok_or_else(|| self.no_usage())?;
        let mut usage = Usage::new();
        let mut finds_any = false;
        for mapping in &self.mappings {
            let Some(count) = self.count(mapping, root)? else {
                continue;
            };
            finds_any = true;
            let kind = mapping.kind;
            let sum = usage.get(kind).unwrap_or(0).checked_add(count);
            usage = usage.with(kind, sum.ok_or(ExtractError::Overflow { kind })?);
        }
        if !finds_any {
            return Err(self.no_usage());
        }
        Ok(Extracted {
            model: model.and_then(Value::as_str).map(str::to_owned),
            usage,
        })
    }

    fn no_usage(&self) -> ExtractError {
        ExtractError::NoUsage {
            path: self.root.to_string(),
        }
    }

    fn count(&self, mapping: &Mapping, root: &Value) -> Result<Option<u64>, ExtractError> {
        let path = || format!("{}.{}", self.root, mapping.path);
        match mapping.path.find(root).filter(|found| !found.is_null()) {
            Some(found) => match whole_number(found) {
                Some(count) => Ok(Some(count)),
                None => Err(ExtractError::NotACount {
                    path: path(),
                    value: found.to_string(),
                }),
            },
            None if mapping.is_required => Err(ExtractError::Missing { path: path() }),
            None => Ok(None),
        }
    }
}

/// A count; some providers write 12.0 for 12.
fn whole_number(value: &Value) -> Option<u64> {
    const LARGEST_WHOLE: f64 = 9_007_199_254_740_992.0;
    value.as_u64().or_else(|| {
        let number = value.as_f64()?;
        let is_whole = number.fract() == 0.0 && (0.0..=LARGEST_WHOLE).contains(&number);
        is_whole.then_some(number as u64)
    })
}

impl Path {
    pub(crate) const fn from_steps(steps: Vec<Step>) -> Self {
        Self(steps)
    }

    fn parse(text: &str) -> Self {
        Self(text.split('.').flat_map(steps).collect())
    }

    fn find<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        self.0
            .iter()
            .try_fold(value, |value, step| step.find(value))
    }
}

fn steps(segment: &str) -> impl Iterator<Item = Step> {
    let element = segment.strip_suffix(']').and_then(|segment| {
        let (list, condition) = segment.split_once('[')?;
        let (field, name) = condition.split_once('=')?;
        Some((list, field, name))
    });
    let (field, element) = match element {
        None => (segment, None),
        Some((list, field, name)) => {
            let is = NamePattern::equals(name);
            let field = field.into();
            (list, Some(Step::Element { field, is }))
        }
    };
    std::iter::once(Step::Field(field.into())).chain(element)
}

impl Step {
    fn find<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        match self {
            Self::Field(name) => value.get(&**name),
            Self::Element { field, is } => value.as_array()?.iter().find(|element| {
                let name = element.get(&**field).and_then(Value::as_str);
                name.is_some_and(|name| is.matches(name))
            }),
        }
    }
}

/// As it is parsed.
impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Step::Field(name) if at == 0 => f.write_str(name)?,
                Step::Field(name) => write!(f, ".{name}")?,
                Step::Element { field, is } => write!(f, "[{field}={is}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::UsageKind as Kind;
    use super::*;

    fn extractor() -> Extractor {
        Extractor::new("meta.usage")
            .required("in", Kind::InputTokens)
            .optional("parts[kind=AUDIO].n", Kind::InputAudioTokens)
    }

    fn refusal(body: Value) -> String {
        extractor().extract_value(&body).unwrap_err().to_string()
    }

    #[test]
    fn an_element_of_a_list_is_found_by_its_field() {
        let parts = json!([{"kind": "TEXT", "n": 1}, {"kind": "AUDIO", "n": 2}]);
        let body = json!({"meta": {"usage": {"in": 12.0, "parts": parts}}});
        let extracted = extractor().extract_value(&body).unwrap();
        let expected = Usage::new()
            .with(Kind::InputTokens, 12)
            .with(Kind::InputAudioTokens, 2);
        assert_eq!((extracted.model, extracted.usage), (None, expected));
    }

    #[test]
    fn what_is_not_there_or_no_count_says_where() {
        let no_usage = refusal(json!({"usage": {"in": 1}}));
        assert!(no_usage.starts_with("there is no usage at `meta.usage`"));
        let missing = refusal(json!({"meta": {"usage": {"in": null}}}));
        assert_eq!(missing, "the count at `meta.usage.in` is missing");
        for wrong in [json!(-1), json!(1.5), json!("7"), json!(1e300), json!(true)] {
            let refused = refusal(json!({"meta": {"usage": {"in": wrong}}}));
            assert!(
                refused.ends_with("at `meta.usage.in` is no count"),
                "{refused}"
            );
        }
        let wrong = json!([{"kind": "AUDIO", "n": "many"}]);
        let refused = refusal(json!({"meta": {"usage": {"in": 1, "parts": wrong}}}));
        assert_eq!(
            refused,
            "\"many\" at `meta.usage.parts[kind=audio].n` is no count"
        );
    }

    #[test]
    fn a_body_without_any_count_is_no_usage_of_nothing() {
        let extractor = Extractor::new("usage").optional("in", Kind::InputTokens);
        let body = json!({"usage": {"other": 3}});
        assert!(matches!(
            extractor.extract_value(&body),
            Err(ExtractError::NoUsage { .. })
        ));
        assert!(matches!(
            extractor.extract(b"<html>"),
            Err(ExtractError::Json(_))
        ));
    }

    #[test]
    fn counts_that_make_one_kind_do_not_wrap() {
        let extractor = Extractor::new("usage")
            .required("a", Kind::InputTokens)
            .required("b", Kind::InputTokens);
        let body = json!({"usage": {"a": u64::MAX, "b": 1}});
        assert!(matches!(
            extractor.extract_value(&body),
            Err(ExtractError::Overflow { .. })
        ));
    }
}
