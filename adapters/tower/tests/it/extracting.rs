//! Which keys and costs does the ready extractor find?

use bursar_ratelimit::{Dimension, Unit};
use bursar_tower::{Extract as _, ExtractError, Extractor, RequestFacts, hashed};
use http::request::Parts;
use http::{HeaderName, Request, StatusCode};
use proptest::prelude::*;

fn parts(method: &str, path: &str, headers: &[(&str, &str)]) -> Parts {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

fn with_headers(headers: &[(&str, &str)]) -> Parts {
    parts("GET", "/", headers)
}

#[test]
fn bearer_tokens_become_keys_without_the_secret() {
    let extractor = Extractor::new().bearer_token(Dimension::API_KEY);
    let key = RequestFacts::new().api_key(hashed("sk-secret"));
    for value in [
        "Bearer sk-secret",
        "bearer   sk-secret",
        "BEARER sk-secret ",
    ] {
        let parts = with_headers(&[("authorization", value)]);
        assert_eq!(extractor.extract(&parts), Ok(key.clone()), "{value}");
    }
    for value in ["Basic dXNlcjpwYXNz", "Bearer", "Bearer ", "", "sk-secret"] {
        let parts = with_headers(&[("authorization", value)]);
        let error = extractor.extract(&parts).unwrap_err();
        assert_eq!(error.status(), StatusCode::UNAUTHORIZED, "{value}");
    }
    let error = extractor.extract(&with_headers(&[])).unwrap_err();
    assert_eq!(error.status(), StatusCode::UNAUTHORIZED);
}

#[test]
fn other_secrets_are_hashed_too() {
    let name = HeaderName::from_static("x-api-key");
    let extractor = Extractor::new().secret_header(Dimension::API_KEY, name);
    let parts = with_headers(&[("x-api-key", "sk-secret")]);
    let facts = RequestFacts::new().api_key(hashed("sk-secret"));
    assert_eq!(extractor.extract(&parts), Ok(facts));
    assert_ne!(hashed("sk-secret"), hashed("sk-secreT"));
    assert!(extractor.extract(&with_headers(&[])).is_err());
}

#[test]
fn headers_are_keys_of_bounded_length() {
    let name = HeaderName::from_static("x-tenant");
    let extractor = Extractor::new().header(Dimension::TENANT, name);
    let extract = |value: &str| extractor.extract(&with_headers(&[("x-tenant", value)]));
    assert_eq!(extract(" acme "), Ok(RequestFacts::new().tenant("acme")));
    assert!(matches!(extract(""), Err(ExtractError::Missing(_))));
    assert!(extract(&"x".repeat(256)).is_ok());
    assert!(matches!(
        extract(&"x".repeat(257)),
        Err(ExtractError::Invalid { .. })
    ));
    assert!(matches!(
        extract("ümlaut"),
        Err(ExtractError::Invalid { .. })
    ));
}

#[test]
fn paths_are_counted_under_the_known_ones() {
    let known = ["/v1/chat", "/v1/chat/completions", "/files/"];
    let extractor = Extractor::new().path(Dimension::METHOD, known);
    for (path, key) in [
        ("/v1/chat", "/v1/chat"),
        ("/v1/chat?stream=true", "/v1/chat"),
        ("/v1/chat/other", "/v1/chat"),
        ("/v1/chat/completions", "/v1/chat/completions"),
        ("/v1/chatter", "other"),
        ("/files/7", "/files/"),
        ("/", "other"),
    ] {
        let facts = extractor.extract(&parts("GET", path, &[]));
        assert_eq!(facts, Ok(RequestFacts::new().method(key)), "{path}");
    }
}

#[test]
fn invented_methods_share_a_key() {
    let extractor = Extractor::new().http_method(Dimension::METHOD);
    for (method, key) in [("GET", "GET"), ("PATCH", "PATCH"), ("BREW", "other")] {
        let facts = extractor.extract(&parts(method, "/", &[]));
        assert_eq!(facts, Ok(RequestFacts::new().method(key)));
    }
}

#[test]
fn bodies_cost_their_length() {
    let extractor = Extractor::new().content_length();
    let cost = |headers: &[(&str, &str)]| extractor.extract(&with_headers(headers));
    let bytes = |bytes| Ok(RequestFacts::new().cost(Unit::CONTENT_BYTES, bytes));
    assert_eq!(cost(&[("content-length", "512")]), bytes(512));
    assert_eq!(cost(&[]), bytes(0));
    let unknown = cost(&[("transfer-encoding", "chunked")]).unwrap_err();
    assert_eq!(unknown.status(), StatusCode::LENGTH_REQUIRED);
    let invalid = cost(&[("content-length", "99999999999999999999")]).unwrap_err();
    assert_eq!(invalid.status(), StatusCode::BAD_REQUEST);
}

#[test]
fn a_stream_of_http_2_does_not_pass_for_an_empty_body() {
    let extractor = Extractor::new().content_length();
    let status = |method: http::Method, version| {
        let request = http::Request::builder().method(method).version(version);
        let (parts, ()) = request.body(()).unwrap().into_parts();
        extractor.extract(&parts).map_err(|error| error.status())
    };
    let nothing = || Ok(RequestFacts::new().cost(Unit::CONTENT_BYTES, 0));
    for version in [http::Version::HTTP_2, http::Version::HTTP_3] {
        let unknown = status(http::Method::POST, version);
        assert_eq!(unknown, Err(StatusCode::LENGTH_REQUIRED));
        assert_eq!(status(http::Method::GET, version), nothing());
    }
    // There a body would have announced itself.
    assert_eq!(
        status(http::Method::POST, http::Version::HTTP_11),
        nothing()
    );
}

#[test]
fn the_last_word_counts() {
    let facts = RequestFacts::new()
        .tenant("acme")
        .tenant("zenith")
        .cost(Unit::TOKENS, 1)
        .cost(Unit::TOKENS, 2)
        .tier("gold");
    assert_eq!(
        facts,
        RequestFacts::new()
            .tier("gold")
            .cost(Unit::TOKENS, 2)
            .tenant("zenith")
    );
}

proptest! {
    #[test]
    fn no_header_makes_an_extractor_panic(value in prop::collection::vec(any::<u8>(), 0..80)) {
        use bursar_tower::{ClientAddress, ForwardedBy};
        let Ok(value) = http::HeaderValue::from_bytes(&value) else { return Ok(()) };
        let two = std::num::NonZeroUsize::MIN.saturating_add(1);
        let behind = |by| ClientAddress::of_peer(|_| None).forwarded(by, two);
        let mut request = Request::new(());
        for name in ["authorization", "content-length", "forwarded", "x-forwarded-for", "x-tenant"] {
            request.headers_mut().insert(name, value.clone());
        }
        let (parts, ()) = request.into_parts();
        for extractor in [
            Extractor::new().bearer_token(Dimension::API_KEY),
            Extractor::new().content_length(),
            Extractor::new().client_address(Dimension::TENANT, behind(ForwardedBy::Forwarded)),
            Extractor::new().client_address(Dimension::TENANT, behind(ForwardedBy::XForwardedFor)),
            Extractor::new().header(Dimension::TENANT, HeaderName::from_static("x-tenant")),
        ] {
            let _ = extractor.extract(&parts);
        }
    }
}
