//! Which words are in a text, and what are their hashes?

use std::collections::HashMap;

use super::counts::Counter;

/// The words of a text: runs of letters, digits and `_`. Where a script writes no spaces between
/// words, every character is one.
fn words(text: &str) -> impl Iterator<Item = &str> {
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Gap,
    Letter,
    Alone,
}

/// By fixed ranges of Unicode: what is no letter above ASCII are the blocks of punctuation and
/// symbols; what stands alone are kana, Han, Thai, Lao, Khmer and Burmese.
#[inline]
pub(super) fn kind(character: char) -> Kind {
    let code = u32::from(character);
    match ASCII.get(code as usize) {
        Some(kind) => *kind,
        None => kind_of(code),
    }
}

const ASCII: [Kind; 128] = {
    let mut kinds = [Kind::Gap; 128];
    let mut code = 0;
    while code < 128 {
        kinds[code as usize] = kind_of(code);
        code += 1;
    }
    kinds
};

const fn kind_of(code: u32) -> Kind {
    match code {
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
fn word_hash(word: &str) -> u64 {
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

/// A word while it is read, with the hash of [`word_hash`].
#[derive(Debug)]
pub(super) struct Word {
    /// Where it starts in the text.
    pub(super) start: usize,
    /// In characters; 0 before the first.
    pub(super) length: u32,
    pub(super) hash: u64,
    /// The lower 16 bits of its last four characters in small letters, a space before the first.
    window: u64,
}

impl Default for Word {
    fn default() -> Self {
        Self {
            start: 0,
            length: 0,
            hash: OFFSET_BASIS,
            window: b' ' as u64,
        }
    }
}

impl Word {
    /// Reads the next character, which is at this place of the text. The pieces are the runs of four
    /// characters in the word with a space before and after it, or all three of a word of one letter.
    #[inline]
    pub(super) fn push(&mut self, character: char, at: usize, pieces: &mut Counter) {
        if self.length == 0 {
            self.start = at;
        }
        self.length += 1;
        let code = if character.is_ascii() {
            let byte = (character as u8).to_ascii_lowercase();
            self.hash = fnv_1a(self.hash, byte);
            u32::from(byte)
        } else {
            self.push_foreign(lower(character))
        };
        self.window = self.window << 16 | u64::from(code & 0xffff);
        if self.length >= 3 {
            pieces.add(mix(self.window));
        }
    }

    fn push_foreign(&mut self, character: char) -> u32 {
        let bytes = &mut [0; 4];
        for &byte in character.encode_utf8(bytes).as_bytes() {
            self.hash = fnv_1a(self.hash, byte);
        }
        u32::from(character)
    }

    /// The piece that ends with the space after it.
    pub(super) fn finish(&mut self, pieces: &mut Counter) {
        self.window = self.window << 16 | u64::from(b' ');
        pieces.add(mix(self.window));
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
    fn a_word_that_is_read_letter_by_letter_has_its_hash() {
        for text in ["a", "FooBar", "ÄЖΣЁ", "x_1", "解"] {
            assert_eq!(read(text).0, word_hash(text), "{text}");
        }
    }

    #[test]
    fn pieces_reach_over_the_edges_of_a_word() {
        // " a "; " ab "; " abc", "abc ".
        assert_eq!(["a", "ab", "abc"].map(|it| read(it).1), [1, 1, 2]);
    }

    fn read(text: &str) -> (u64, usize) {
        let mut pieces = Counter::with_capacity(1);
        let mut word = Word::default();
        for (at, character) in text.char_indices() {
            word.push(character, at, &mut pieces);
        }
        word.finish(&mut pieces);
        (word.hash, pieces.grams.len())
    }
}
