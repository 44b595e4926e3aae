//! Is a value that is not there a null, and not a text that stands in for one?

use super::InvariantChecks;
use super::rule::Rule;
use super::shown::Shown;
use crate::{Column, CostRecord};

impl InvariantChecks {
    #[inline]
    pub(crate) fn check_nulls(&mut self, record: &CostRecord<'_>) {
        let (has_text, placeholder) = record.seek_text(may_start_placeholder, is_placeholder);
        if has_text {
            self.check(Rule::NullsAreNull, record, placeholder.is_none(), || {
                let (column, text) = placeholder.unwrap_or((Column::Tags, ""));
                Shown::values([(column.name(), format!("`{text}`"))])
            });
        }
    }
}

/// The first bytes of the texts that stand in for null.
#[inline]
fn may_start_placeholder(byte: u8) -> bool {
    matches!(
        byte,
        b'n' | b'N' | b'-' | b'#' | b'(' | b'<' | b'[' | b' ' | b'\t'
    )
}

/// Whether a text stands in for a value that is not there.
///
/// Only texts that can hardly be a value: `NA` is a region, `0` a number, `undefined` a name.
#[inline]
fn is_placeholder(text: &[u8]) -> bool {
    match text {
        // NULL itself, which is what ought to be there.
        [b'n' | b'N', b'u' | b'U', ..] => false,
        [b'n' | b'N', ..] => is_one_of(
            text,
            &[
                "n/a",
                "none",
                "nil",
                "nan",
                "not available",
                "not applicable",
            ],
        ),
        [b'#' | b'(' | b'<' | b'[', ..] => is_one_of(text, &["#n/a", "(null)", "<null>", "[null]"]),
        [b'-', ..] => text.iter().all(|&b| b == b'-'),
        [b' ' | b'\t', ..] => text.iter().all(|b| matches!(b, b' ' | b'\t')),
        _ => false,
    }
}

fn is_one_of(text: &[u8], words: &[&str]) -> bool {
    let is = |word: &&str| text.eq_ignore_ascii_case(word.as_bytes());
    words.iter().any(is)
}
