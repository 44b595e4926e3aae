//! How is a text shown in an error message when it may be megabytes long?

/// No amount and no code is longer than this: sign, 29 digits, point, exponent.
const LONGEST: usize = 48;

/// The text itself, or its beginning followed by `…`.
pub(crate) fn excerpt(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_long_text_between_characters() {
        assert_eq!(excerpt("USD"), "USD");
        assert_eq!(
            excerpt(&"ü".repeat(1000)),
            format!("{}…", "ü".repeat(LONGEST))
        );
    }
}
