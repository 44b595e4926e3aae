//! What is a text made of? One pass that counts words, digits, punctuation and scripts.

use super::feature::{Feature, N_FEATURES};
use super::script::{self, Script};

/// Letters `a` to `z`, accented letters of three kinds, and the edge before a word.
pub(crate) const N_SYMBOLS: usize = 30;
/// Rows of the table of letter pairs: one for each first symbol near the begin of a word, and one for each
/// further on. Short words of every common language are a token, whatever their letters.
pub(crate) const N_ROWS: usize = 2 * N_SYMBOLS;
/// From this letter of a word on, counted from zero, pairs are further on.
const NEAR: u32 = 4;
/// A row of the table of letter pairs is a power of two long, so that an index is a shift and an or.
pub(crate) const PAIR_STRIDE: usize = 32;
/// Entries of the table of letter pairs.
pub(crate) const N_PAIRS: usize = N_ROWS * PAIR_STRIDE;

/// Code points that are counted one by one, from Greek to Georgian: the alphabets, of which each serves
/// several languages.
pub(crate) const LETTERS: std::ops::Range<u32> = 0x0370..0x1100;
/// Entries of the table of letters.
pub(crate) const N_LETTERS: usize = (LETTERS.end - LETTERS.start) as usize;
/// Entries of both tables, the pairs before the letters.
pub(crate) const N_PIECES: usize = N_PAIRS + N_LETTERS;

/// The edge before a word, as the first of a pair.
const EDGE: u8 = 0;

/// What a text is made of, without letter pairs and single letters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Counts(pub(crate) [u32; N_FEATURES]);

impl Counts {
    fn add(&mut self, feature: Feature, count: u32) {
        let sum = &mut self.0[feature as usize];
        *sum = sum.saturating_add(count);
    }

    fn one(&mut self, feature: Feature) {
        self.add(feature, 1);
    }
}

/// What stands before a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    Start,
    Space,
    Break,
    Word,
    Digit,
    Mark,
    Other(Script),
}

/// What a byte begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Letter,
    Digit,
    Space,
    Break,
    Mark,
    Wide,
}

const fn class_of(byte: u8) -> Class {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' => Class::Letter,
        b'0'..=b'9' => Class::Digit,
        b' ' | b'\t' => Class::Space,
        b'\n' | b'\r' => Class::Break,
        0x80.. => Class::Wide,
        _ => Class::Mark,
    }
}

const CLASSES: [Class; 256] = {
    let mut classes = [Class::Mark; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = class_of(byte as u8);
        byte += 1;
    }
    classes
};

/// Counts a text, and shows each letter pair of Latin and each letter of another alphabet to `piece`, as
/// an index under [`N_PIECES`].
pub(crate) fn scan(text: &str, piece: impl FnMut(usize)) -> Counts {
    let mut scan = Scan {
        text,
        bytes: text.as_bytes(),
        at: 0,
        before: Before::Start,
        counts: Counts([0; N_FEATURES]),
        piece,
    };
    while let Some(&byte) = scan.bytes.get(scan.at) {
        match CLASSES[usize::from(byte)] {
            Class::Letter => scan.words(),
            Class::Digit => scan.digits(),
            Class::Space => scan.spaces(),
            Class::Break => scan.breaks(),
            Class::Mark => scan.marks(),
            Class::Wide => scan.wide(),
        }
    }
    scan.counts
}

/// What was read of a part of a word.
struct Letters {
    last: u8,
    /// How many letters there were.
    place: u32,
    is_upper: bool,
}

impl Letters {
    const fn new() -> Self {
        Self {
            last: EDGE,
            place: 0,
            is_upper: false,
        }
    }

    fn pass(&mut self, symbol: u8, is_upper: bool) {
        self.last = symbol;
        self.place = self.place.saturating_add(1);
        self.is_upper = is_upper;
    }
}

/// The index of two letters, of which the second is at this place of its word.
fn pair(first: u8, second: u8, place: u32) -> usize {
    let row = usize::from(first) + if place >= NEAR { N_SYMBOLS } else { 0 };
    row * PAIR_STRIDE + usize::from(second)
}

struct Scan<'a, F> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    before: Before,
    counts: Counts,
    piece: F,
}

impl<F: FnMut(usize)> Scan<'_, F> {
    /// Latin letters, accented ones included, and the words that follow with one space between them:
    /// prose is little else.
    fn words(&mut self) {
        self.word();
        while let [b' ', next, ..] = self.bytes[self.at..] {
            if CLASSES[usize::from(next)] != Class::Letter {
                break;
            }
            self.at += 1;
            self.before = Before::Space;
            self.word();
        }
    }

    /// A capital after a small letter begins a part of the word.
    fn word(&mut self) {
        self.counts.one(match self.before {
            Before::Space => Feature::WordAfterSpace,
            Before::Mark => Feature::WordAfterMark,
            _ => Feature::WordElsewhere,
        });
        let start = self.at;
        let (mut letters, mut n_accents) = (Letters::new(), 0);
        loop {
            self.small_letters(&mut letters);
            match self.bytes.get(self.at) {
                Some(&byte) if byte.is_ascii_uppercase() => self.capital(byte, &mut letters),
                Some(0x80..) => {
                    let Some((symbol, feature, width)) = self.accented() else {
                        break;
                    };
                    self.counts.one(feature);
                    (self.piece)(pair(letters.last, symbol, letters.place));
                    letters.pass(symbol, false);
                    self.at += width;
                    n_accents += width - 1;
                }
                _ => break,
            }
        }
        let length = u32::try_from(self.at - start - n_accents).unwrap_or(u32::MAX);
        if length > 6 {
            self.counts.add(Feature::LongWordLetters, length - 6);
        }
        self.before = Before::Word;
    }

    /// Small letters of ASCII, as fast as can be.
    fn small_letters(&mut self, letters: &mut Letters) {
        let rest = &self.bytes[self.at..];
        let is_other = |byte: &u8| !byte.is_ascii_lowercase();
        let length = rest.iter().position(is_other).unwrap_or(rest.len());
        if length == 0 {
            return;
        }
        let n_near = length.min(NEAR.saturating_sub(letters.place) as usize);
        let (near, far) = rest[..length].split_at(n_near);
        let mut last = letters.last;
        for byte in near {
            let letter = byte - b'a' + 1;
            (self.piece)(pair(last, letter, 0));
            last = letter;
        }
        for byte in far {
            let letter = byte - b'a' + 1;
            (self.piece)(pair(last, letter, NEAR));
            last = letter;
        }
        letters.last = last;
        letters.place = letters
            .place
            .saturating_add(u32::try_from(length).unwrap_or(u32::MAX));
        letters.is_upper = false;
        self.at += length;
    }

    fn capital(&mut self, byte: u8, letters: &mut Letters) {
        if letters.is_upper {
            self.counts.one(Feature::Capitals);
        } else if letters.last != EDGE {
            self.counts.one(Feature::Humps);
            *letters = Letters::new();
        }
        let letter = byte - b'A' + 1;
        (self.piece)(pair(letters.last, letter, letters.place));
        letters.pass(letter, true);
        self.at += 1;
    }

    /// The accented Latin letter here, if there is one.
    fn accented(&self) -> Option<(u8, Feature, usize)> {
        if self.bytes.get(self.at).is_none_or(u8::is_ascii) {
            return None;
        }
        let letter = self.text.get(self.at..)?.chars().next()?;
        let (symbol, feature) = match script::of(letter) {
            Script::LatinWestern => (27, Feature::LatinWestern),
            Script::LatinCentral => (28, Feature::LatinCentral),
            Script::LatinVietnamese => (29, Feature::LatinVietnamese),
            _ => return None,
        };
        Some((symbol, feature, letter.len_utf8()))
    }

    fn digits(&mut self) {
        if self.before == Before::Space {
            self.counts.one(Feature::DigitsAfterSpace);
        }
        let length = self.run(Class::Digit);
        self.counts.one(Feature::DigitRuns);
        self.counts.add(Feature::Digits, length);
        self.counts.add(Feature::DigitTriples, length.div_ceil(3));
        self.before = Before::Digit;
    }

    /// One space before a word costs nothing: it is a part of the word's token.
    fn spaces(&mut self) {
        let is_tab = self.bytes[self.at] == b'\t';
        let is_indent = matches!(self.before, Before::Break | Before::Start);
        let length = self.run(Class::Space);
        if is_tab {
            self.counts.one(Feature::TabRuns);
            self.counts.add(Feature::SpacesBeyondTwo, length - 1);
        } else if length > 1 {
            self.counts.one(if is_indent {
                Feature::Indents
            } else {
                Feature::SpaceRuns
            });
            self.counts.add(Feature::SpacesBeyondTwo, length - 2);
        }
        self.before = Before::Space;
    }

    fn breaks(&mut self) {
        let length = self.run(Class::Break);
        self.counts.one(if self.before == Before::Mark {
            Feature::BreaksAfterMark
        } else {
            Feature::Breaks
        });
        self.counts.add(Feature::MoreBreaks, length - 1);
        self.before = Before::Break;
    }

    /// Punctuation. A line of `=` is cheaper than as many different marks.
    fn marks(&mut self) {
        self.counts.one(match self.before {
            Before::Word => Feature::MarksAfterWord,
            _ => Feature::MarksElsewhere,
        });
        let mut last = self.bytes[self.at];
        self.at += 1;
        while let Some(&byte) = self.bytes.get(self.at) {
            if CLASSES[usize::from(byte)] != Class::Mark {
                break;
            }
            self.counts.one(if byte == last {
                Feature::MarksRepeated
            } else {
                Feature::MarksChanged
            });
            last = byte;
            self.at += 1;
        }
        self.before = Before::Mark;
    }

    /// A code point beyond ASCII.
    fn wide(&mut self) {
        let Some(point) = self
            .text
            .get(self.at..)
            .and_then(|rest| rest.chars().next())
        else {
            // Not reached: every step above ends at the edge of a code point.
            self.at = self.bytes.len();
            return;
        };
        let script = script::of(point);
        if script.is_latin() {
            return self.words();
        }
        let before = Before::Other(script);
        let (points, runs) = script.features();
        self.counts.one(points);
        if LETTERS.contains(&u32::from(point)) {
            (self.piece)(N_PAIRS + (u32::from(point) - LETTERS.start) as usize);
        } else if script::is_traditional(point) {
            self.counts.one(Feature::HanTraditional);
        }
        if self.before != before {
            self.counts.one(runs);
        }
        self.before = before;
        self.at += point.len_utf8();
    }

    /// Passes the bytes of a class and says how many there were.
    fn run(&mut self, class: Class) -> u32 {
        let rest = &self.bytes[self.at..];
        let is_other = |byte: &u8| CLASSES[usize::from(*byte)] != class;
        let length = rest.iter().position(is_other).unwrap_or(rest.len());
        self.at += length;
        u32::try_from(length).unwrap_or(u32::MAX)
    }
}
