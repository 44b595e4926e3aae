//! How is a text that somebody else wrote kept from being more than text?
//!
//! Names of services, tags and resources are chosen by whoever has an account. They must not
//! move a terminal's cursor, break out of a Markdown cell, or hide in the direction of writing.
//! HTML is escaped by the templates themselves.

use bursar_units::Currency;

use super::table::Cell;

/// Stands for a character that is not shown.
const REPLACEMENT: char = '\u{FFFD}';

/// The text on one line, without control characters and without those that turn the direction of
/// writing.
pub(crate) fn plain(text: &str) -> String {
    let clean = |c: char| match c {
        '\n' | '\r' | '\t' => ' ',
        c if c.is_control() || is_invisible(c) => REPLACEMENT,
        c => c,
    };
    text.chars().map(clean).collect()
}

/// The text as it reads in Markdown, table cells included.
pub(crate) fn markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in plain(text).chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' | '#' | '!' => {
                escaped.push('\\');
                escaped.push(c);
            }
            c => escaped.push(c),
        }
    }
    escaped
}

/// A cell as HTML shows it: with a true minus sign before numbers.
pub(crate) fn typeset(cell: &Cell, column_currency: Option<Currency>) -> String {
    let shown = cell.shown(column_currency);
    match cell {
        Cell::Text(_) => plain(&shown),
        Cell::Date(_) => shown,
        _ => minus(&shown),
    }
}

/// A number with a true minus sign, which is as wide as a digit.
pub(crate) fn minus(number: &str) -> String {
    number.replace('-', "\u{2212}")
}

/// Words in which no figure is parted from its unit at the end of a line.
pub(crate) fn tied(words: &str) -> String {
    words.replace(" %", "\u{a0}%")
}

/// Marks of direction, joiners without width, the byte order mark and what is no character: Unicode Technical
/// Report 36 tells how names are forged with them.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_a_name_from_moving_the_cursor() {
        assert_eq!(plain("a\u{1b}[2Jb\nc\u{202e}d"), "a\u{FFFD}[2Jb c\u{FFFD}d");
        assert_eq!(plain("Größe 大阪 – ok"), "Größe 大阪 – ok");
    }

    #[test]
    fn keeps_a_name_within_its_cell() {
        assert_eq!(
            markdown("a|b\n<img src=x> [x](y) `c`"),
            "a\\|b &lt;img src=x&gt; \\[x\\](y) \\`c\\`",
        );
    }
}
