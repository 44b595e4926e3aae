//! Which parts of a request's head are its keys? Rules for the usual cases.

use std::fmt;
use std::sync::Arc;

use bursar_ratelimit::{Dimension, Unit};
use http::header::{AUTHORIZATION, CONTENT_LENGTH, HeaderName, TRANSFER_ENCODING};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Version};
use sha2::{Digest as _, Sha256};

use super::{ClientAddress, Extract, ExtractError, RequestFacts};

/// The longest key that a client may choose, in bytes: it becomes part of a store's keys.
const LONGEST_KEY: usize = 256;

type Rule = Arc<dyn Fn(&Parts, RequestFacts) -> Result<RequestFacts, ExtractError> + Send + Sync>;

/// Keys and costs from the head of a request, by rules that are applied in order.
///
/// ```
/// use bursar_ratelimit::{Dimension, Unit};
/// use bursar_tower::{Extract as _, Extractor, hashed};
///
/// let extractor = Extractor::new()
///     .bearer_token(Dimension::API_KEY)
///     .path(Dimension::METHOD, ["/v1/chat/completions", "/v1/embeddings"])
///     .fixed_cost(Unit::TOKENS, 2_000);
///
/// let request = http::Request::post("/v1/chat/completions")
///     .header("authorization", "Bearer sk-secret")
///     .body(())?;
/// let facts = extractor.extract(&request.into_parts().0)?;
/// let expected = bursar_tower::RequestFacts::new()
///     .api_key(hashed("sk-secret"))
///     .method("/v1/chat/completions")
///     .cost(Unit::TOKENS, 2_000);
/// assert_eq!(facts, expected);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct Extractor(Vec<Rule>);

impl Extractor {
    /// No rules: every request costs one of [`Unit::REQUESTS`], from nobody.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The value of a header as the key of a dimension; a request without it is an error. Only for
    /// headers that a proxy of one's own sets: with one that clients choose they choose their bucket.
    #[must_use]
    pub fn header(self, dimension: Dimension, name: HeaderName) -> Self {
        self.with(move |parts, facts| match text_of(&parts.headers, &name)? {
            Some(text) => Ok(facts.key(dimension, text)),
            None => Err(ExtractError::Missing(format!("header `{name}`"))),
        })
    }

    /// The token of `Authorization: Bearer`, [hashed], as the key of a dimension; without one the
    /// request is answered with status 401.
    ///
    /// That a token is there does not make it valid: whoever invents a new one for each request gets
    /// a new bucket each time. Check tokens in a layer before this one, or limit by
    /// [`ClientAddress`] as well.
    #[must_use]
    pub fn bearer_token(self, dimension: Dimension) -> Self {
        self.with(move |parts, facts| {
            let value = secret_of(&parts.headers, &AUTHORIZATION)?;
            let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
            let token = token.trim_matches(' ');
            if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
                return Err(ExtractError::Unauthenticated("bearer token".to_owned()));
            }
            Ok(facts.key(dimension, hashed(token)))
        })
    }

    /// A header that holds a secret, such as `x-api-key`, [hashed], as the key of a dimension; as
    /// [`bearer_token`](Self::bearer_token).
    #[must_use]
    pub fn secret_header(self, dimension: Dimension, name: HeaderName) -> Self {
        self.with(move |parts, facts| {
            let secret = secret_of(&parts.headers, &name)?;
            Ok(facts.key(dimension, hashed(secret)))
        })
    }

    /// The method of the request (`GET`, `POST`) as the key of a dimension. Methods that HTTP does
    /// not define share the key `other`.
    #[must_use]
    pub fn http_method(self, dimension: Dimension) -> Self {
        const DEFINED: [Method; 9] = [
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::DELETE,
            Method::HEAD,
            Method::OPTIONS,
            Method::CONNECT,
            Method::PATCH,
            Method::TRACE,
        ];
        self.with(move |parts, facts| {
            let key = match DEFINED.contains(&parts.method) {
                true => parts.method.as_str(),
                false => "other",
            };
            Ok(facts.key(dimension, key))
        })
    }

    /// The longest of the given paths that the request's path is or lies below, as the key of a
    /// dimension. All other paths share the key `other`, since paths are the client's to invent.
    #[must_use]
    pub fn path<P: Into<Box<str>>>(
        self,
        dimension: Dimension,
        paths: impl IntoIterator<Item = P>,
    ) -> Self {
        let paths: Vec<Box<str>> = paths.into_iter().map(Into::into).collect();
        self.with(move |parts, facts| {
            let path = parts.uri.path();
            let above = paths.iter().filter(|known| lies_in(path, known));
            let key = above.max_by_key(|known| known.len());
            Ok(facts.key(dimension, key.map_or("other", |known| known)))
        })
    }

    /// The address of the client as the key of a dimension.
    #[must_use]
    pub fn client_address(self, dimension: Dimension, address: ClientAddress) -> Self {
        self.with(move |parts, facts| Ok(facts.key(dimension, address.key(parts)?)))
    }

    /// The same cost for every request: an estimate where the handler reports the real usage.
    #[must_use]
    pub fn fixed_cost(self, unit: Unit, cost: u64) -> Self {
        self.with(move |_, facts| Ok(facts.cost(unit, cost)))
    }

    /// `Content-Length` as the cost in [`Unit::CONTENT_BYTES`], zero without a body. A body of
    /// unknown length is answered with status 411. From HTTP/2 on such a body does not announce
    /// itself, so there every request without the header counts as one that has a body, but for the
    /// methods in which a body has no meaning (`GET`, `HEAD`, `OPTIONS`, `TRACE`, `CONNECT`,
    /// `DELETE`): do not read one there.
    #[must_use]
    pub fn content_length(self) -> Self {
        self.with(|parts, facts| {
            let bytes = content_length(parts)?;
            Ok(facts.cost(Unit::CONTENT_BYTES, bytes))
        })
    }

    /// A rule of one's own, which is given what was found so far.
    #[must_use]
    pub fn with(
        mut self,
        rule: impl Fn(&Parts, RequestFacts) -> Result<RequestFacts, ExtractError>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        self.0.push(Arc::new(rule));
        self
    }
}

impl Extract for Extractor {
    fn extract(&self, parts: &Parts) -> Result<RequestFacts, ExtractError> {
        let mut rules = self.0.iter();
        rules.try_fold(RequestFacts::new(), |facts, rule| rule(parts, facts))
    }
}

impl fmt::Debug for Extractor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Extractor")
            .field("rules", &self.0.len())
            .finish()
    }
}

/// What stands for a secret in keys: the first 128 bits of its SHA-256, in hexadecimal. Stores,
/// metrics and logs then never see the secret; a limit's quota for one key is given under this name.
///
/// ```
/// assert_eq!(bursar_tower::hashed("sk-secret"), "746b4ad1ca9129e1caf080bf9406d435");
/// ```
#[must_use]
pub fn hashed(secret: &str) -> String {
    let hash = Sha256::digest(secret.as_bytes());
    hash.iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// A header as a key, `None` if it is not there or empty.
fn text_of<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, ExtractError> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    let what = || format!("header `{name}`");
    let text = value
        .to_str()
        .map_err(|_| ExtractError::invalid(&what(), "it is not visible ASCII"))?;
    match text.trim() {
        "" => Ok(None),
        text if text.len() > LONGEST_KEY => Err(ExtractError::invalid(
            &what(),
            "it is longer than 256 bytes",
        )),
        text => Ok(Some(text)),
    }
}

fn secret_of<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<&'h str, ExtractError> {
    let value = headers.get(name).map(HeaderValue::to_str);
    match value {
        Some(Ok(secret)) if !secret.trim().is_empty() => Ok(secret.trim()),
        _ => Err(ExtractError::Unauthenticated(format!("header `{name}`"))),
    }
}

/// Whether a request that does not say how long its body is may have one.
fn may_have_body(parts: &Parts) -> bool {
    match parts.version {
        // RFC 9112, section 6.3: without either header there is none.
        Version::HTTP_09 | Version::HTTP_10 | Version::HTTP_11 => {
            parts.headers.contains_key(TRANSFER_ENCODING)
        }
        // RFC 9113, section 8.1: the body is whatever data frames follow.
        _ => ![
            Method::GET,
            Method::HEAD,
            Method::OPTIONS,
            Method::TRACE,
            Method::CONNECT,
            Method::DELETE,
        ]
        .contains(&parts.method),
    }
}

/// Whether a path is the known one or lies below it.
fn lies_in(path: &str, known: &str) -> bool {
    let below = path.strip_prefix(known.trim_end_matches('/'));
    below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn content_length(parts: &Parts) -> Result<u64, ExtractError> {
    let Some(value) = parts.headers.get(CONTENT_LENGTH) else {
        return match may_have_body(parts) {
            false => Ok(0),
            true => Err(ExtractError::Other {
                status: StatusCode::LENGTH_REQUIRED,
                detail: "the request does not say how long its body is; send `Content-Length`"
                    .to_owned(),
            }),
        };
    };
    let length = value.to_str().ok().and_then(|text| text.parse().ok());
    length.ok_or_else(|| {
        ExtractError::invalid("header `content-length`", "it is not a number of bytes")
    })
}
