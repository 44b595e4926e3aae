//! Which words are in a text, and what are their hashes?

use std::collections::HashMap;

/// The words of a text: runs of letters, digits and `_`. Where a script writes no spaces between
/// words, every character is one.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let start = rest.find(|it| kind(it) != Kind::Gap)?;
        let tail = &rest[start..];
        let first = tail.chars().next()?;
        let end = match kind(first) {
            Kind::Alone => first.len_utf8(),
            _ => tail
                .find(|it| kind(it) != Kind::Letter)
                .unwrap_or(tail.len()),
        };
        let (word, after) = tail.split_at(end);
        rest = after;
        Some(word)
    })
}

#[derive(PartialEq, Eq)]
enum Kind {
    Gap,
    Letter,
    Alone,
}

/// By fixed ranges of Unicode: what is no letter above ASCII are the blocks of punctuation and
/// symbols; what stands alone are kana, Han, Thai, Lao, Khmer and Burmese.
fn kind(character: char) -> Kind {
    match u32::from(character) {
        0x30..=0x39 | 0x41..=0x5a | 0x5f | 0x61..=0x7a => Kind::Letter,
        0..=0xbf | 0xd7 | 0xf7 | 0x2000..=0x2bff | 0x3000..=0x303f => Kind::Gap,
        0xfe10..=0xfe6f | 0xff00..=0xff0f | 0xff1a..=0xff20 | 0x1f000..=0x1faff => Kind::Gap,
        0x0e00..=0x0eff | 0x1000..=0x109f | 0x1780..=0x17ff => Kind::Alone,
        0x3040..=0x30ff | 0x3400..=0x9fff | 0xf900..=0xfaff | 0x20000..=0x3ffff => Kind::Alone,
        _ => Kind::Letter,
    }
}

/// Small letters of ASCII, Latin-1, Greek and Cyrillic; other scripts with two cases are left as
/// they are.
fn lower(character: char) -> char {
    let code = u32::from(character);
    let offset = match code {
        0x41..=0x5a | 0xc0..=0xd6 | 0xd8..=0xde | 0x391..=0x3a9 | 0x410..=0x42f => 32,
        0x400..=0x40f => 80,
        _ => 0,
    };
    char::from_u32(code + offset).unwrap_or(character)
}

/// FNV-1a of 64 bits over a word in small letters (Fowler, Noll and Vo; RFC 9923).
pub(super) fn word_hash(word: &str) -> u64 {
    let mut bytes = [0; 4];
    let mut hash = OFFSET_BASIS;
    for character in word.chars().map(lower) {
        for &byte in character.encode_utf8(&mut bytes).as_bytes() {
            hash = fnv_1a(hash, byte);
        }
    }
    hash
}

/// The same for a word in small letters of ASCII that is known when this is compiled.
pub(super) const fn constant_hash(word: &str) -> u64 {
    let bytes = word.as_bytes();
    let mut hash = OFFSET_BASIS;
    let mut at = 0;
    while at < bytes.len() {
        hash = fnv_1a(hash, bytes[at]);
        at += 1;
    }
    hash
}

const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;

const fn fnv_1a(hash: u64, byte: u8) -> u64 {
    (hash ^ byte as u64).wrapping_mul(0x0000_0100_0000_01b3)
}

/// The hash of a word among those of words and pairs.
pub(super) fn single(word: u64) -> u32 {
    mix(word)
}

/// The hash of two words that follow each other.
pub(super) fn pair(first: u64, second: u64) -> u32 {
    mix(first.rotate_left(17) ^ second)
}

/// The upper half of MurmurHash3's finalizer: FNV's own upper bits hardly differ for short words.
fn mix(hash: u64) -> u32 {
    let hash = (hash ^ hash >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let hash = (hash ^ hash >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    (hash >> 32) as u32
}

/// The hashes of the runs of three and four characters in a word with a space before and after it,
/// from the lower 16 bits of each character.
pub(super) fn pieces(word: &str, mut found: impl FnMut(u32)) {
    let mut window = u64::from(b' ');
    let mut length = 1;
    for character in word.chars().map(lower).chain([' ']) {
        window = window << 16 | u64::from(u32::from(character) & 0xffff);
        length += 1;
        if length >= 3 {
            found(mix(window & 0xffff_ffff_ffff));
        }
        if length >= 4 {
            found(mix(window));
        }
    }
}

/// The words and pairs of a text by their hashes, to show what a hash stood for.
pub(crate) fn gram_texts(text: &str) -> HashMap<u32, String> {
    let mut texts = HashMap::new();
    let mut before: Option<(u64, &str)> = None;
    for word in words(text) {
        let hash = word_hash(word);
        texts.entry(single(hash)).or_insert_with(|| word.to_owned());
        if let Some((first_hash, first)) = before {
            let both = || format!("{first} {word}");
            texts.entry(pair(first_hash, hash)).or_insert_with(both);
        }
        before = Some((hash, word));
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_end_where_a_reader_sees_them_end() {
        let check = |text: &str, expected: &[&str]| {
            assert_eq!(words(text).collect::<Vec<_>>(), expected, "{text:?}");
        };
        check("x_1 isn't 3.5", &["x_1", "isn", "t", "3", "5"]);
        check("naïve—Ω «да»", &["naïve", "Ω", "да"]);
        check("解释ab。 ไทย", &["解", "释", "ab", "ไ", "ท", "ย"]);
        check(" \n", &[]);
    }

    #[test]
    fn hashes_are_those_that_the_authors_of_fnv_publish() {
        assert_eq!(word_hash(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(word_hash("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(word_hash("FooBar"), 0x8594_4171_f739_67e8);
        assert_eq!(constant_hash("foobar"), 0x8594_4171_f739_67e8);
        assert_eq!(word_hash("ÄЖΣЁ"), word_hash("äжσё"));
    }

    #[test]
    fn pieces_reach_over_the_edges_of_a_word() {
        let count = |word| {
            let mut count = 0;
            pieces(word, |_| count += 1);
            count
        };
        // " a ", then " ab", "ab ", " ab ".
        assert_eq!((count("a"), count("ab"), count("")), (1, 3, 0));
    }
}
