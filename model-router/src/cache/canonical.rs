//! How does one JSON value have one form in bytes?

use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// Feeds a value to a digest with the keys of objects in order, whatever their order in memory is.
///
/// As in the JSON Canonicalization Scheme (RFC 8785) nothing is between the tokens, but keys are ordered
/// by their UTF-8 bytes, and a number keeps the form that it has: 1 and 1.0 differ, which can only make
/// a request be asked twice.
pub(super) fn digest(value: &Value, sha: &mut Sha256) {
    match value {
        Value::Array(items) => {
            sha.update(b"[");
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    sha.update(b",");
                }
                digest(item, sha);
            }
            sha.update(b"]");
        }
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_unstable_by_key(|(key, _)| *key);
            sha.update(b"{");
            for (place, (key, item)) in entries.into_iter().enumerate() {
                if place > 0 {
                    sha.update(b",");
                }
                // A string is written with its quotes and escapes, so that no two texts look the same.
                sha.update(Value::from(key.as_str()).to_string());
                sha.update(b":");
                digest(item, sha);
            }
            sha.update(b"}");
        }
        scalar => sha.update(scalar.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str) -> Vec<u8> {
        let mut sha = Sha256::new();
        digest(&serde_json::from_str(json).unwrap(), &mut sha);
        sha.finalize().to_vec()
    }

    #[test]
    fn the_order_of_keys_and_white_space_do_not_matter() {
        let sorted = r#"{"a":[1,{"b":null,"c":true}],"d":"é\n"}"#;
        let other = r#"{ "d": "\u00e9\u000a", "a": [1, {"c": true, "b": null}] }"#;
        assert_eq!(of(sorted), of(other));
        // It is the digest of the sorted text itself.
        let plain = Sha256::digest(sorted.as_bytes());
        assert_eq!(of(sorted), plain.to_vec());
    }

    #[test]
    fn what_differs_differs() {
        let texts = [
            "{}",
            "[]",
            "null",
            "\"\"",
            "\"{}\"",
            "[[],[]]",
            "[[[]]]",
            "[\"a\",\"b\"]",
            "[\"a,b\"]",
            "{\"a\":\"b\"}",
            "[\"a\",\"b\",null]",
            "1",
            "1.0",
            "\"1\"",
        ];
        let digests: std::collections::BTreeSet<_> = texts.iter().map(|text| of(text)).collect();
        assert_eq!(digests.len(), texts.len());
    }
}
