//! What does a prompt look like, in numbers that a model of kilobytes can learn from?
//!
//! Two kinds of features, in one pass over the text and without a dictionary:
//!
//! - **What it says**: its words and pairs of neighboring words, and the runs of four
//!   characters inside its words, each as a hash of 32 bits with its count.
//! - **How it is written**: about forty measures of its surface, such as its length, its digits, its
//!   negations and the lengths of its answer options ([`SURFACE_NAMES`]).
//!
//! Models are saved and read again by later versions, so nothing here may depend on a platform or on
//! the version of a library: words are hashed with FNV-1a, classes of characters and lower case come
//! from the fixed ranges in this file and not from a Unicode table that grows.

mod counts;
mod scan;
mod surface;

pub(crate) use scan::gram_texts;
pub use surface::SURFACE_NAMES;
pub(crate) use surface::SURFACE_SIZE;

use counts::Counter;
use scan::{Kind, Word};
use surface::Surface;

/// The numbers that a learned router sees of a prompt.
///
/// ```
/// use bursar_model_router::Features;
///
/// let features = Features::of("What is the capital of France?");
/// let surface: Vec<_> = features.surface().collect();
/// let ("characters", log_length) = surface[0] else { panic!() };
/// assert_eq!(log_length, 31_f32.ln()); // ln(1 + 30)
/// assert_eq!(features, Features::of("What is the capital of France?"));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct Features {
    pub(crate) words: Vec<Gram>,
    pub(crate) pieces: Vec<Gram>,
    pub(crate) surface: [f32; SURFACE_SIZE],
}

/// A word, a pair of words or a piece of a word, and how often it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gram {
    pub(crate) hash: u32,
    pub(crate) count: u16,
}

impl Features {
    /// The features of a text of any length and language.
    ///
    /// Give the part that says what is asked (the last message of the user, and the system prompt if
    /// it differs between requests); what all requests share tells nothing. Of a text of more than
    /// 32 KiB the first and the last 16 KiB are read; the number of its characters is that of all.
    pub fn of(text: &str) -> Self {
        let mut reader = Reader::new(text.len().min(2 * HALF));
        if text.len() <= 2 * HALF {
            reader.read(text);
        } else {
            reader.read(&text[..boundary(text, HALF)]);
            reader.read(&text[boundary(text, text.len() - HALF)..]);
        }
        reader.finish(text)
    }

    /// The measures of the surface with their names, all of them finite.
    pub fn surface(&self) -> impl Iterator<Item = (&'static str, f32)> + '_ {
        SURFACE_NAMES.into_iter().zip(self.surface)
    }
}

/// Of a longer text as much is read from its start and from its end.
const HALF: usize = 16 * 1024;

/// The last place up to `at` that is between two characters.
fn boundary(text: &str, at: usize) -> usize {
    let is_between = |it: &usize| text.is_char_boundary(*it);
    (0..=at).rev().find(is_between).unwrap_or(0)
}

/// What is gathered while a text is read.
struct Reader {
    surface: Surface,
    words: Counter,
    pieces: Counter,
    word: Word,
    /// The hash of the word before this one.
    before: Option<u64>,
}

impl Reader {
    fn new(length: usize) -> Self {
        Self {
            surface: Surface::default(),
            words: Counter::with_capacity(length / 4),
            pieces: Counter::with_capacity(length / 2),
            word: Word::default(),
            before: None,
        }
    }

    fn read(&mut self, text: &str) {
        for (at, character) in text.char_indices() {
            self.surface.see_character(character);
            match scan::kind(character) {
                Kind::Letter => self.word.push(character, at, &mut self.pieces),
                Kind::Alone => {
                    self.end_word(text, at);
                    self.word.push(character, at, &mut self.pieces);
                    self.end_word(text, at + character.len_utf8());
                }
                Kind::Gap => self.end_word(text, at),
            }
        }
        self.end_word(text, text.len());
        self.before = None;
        self.surface.end_text(text);
    }

    fn end_word(&mut self, text: &str, end: usize) {
        if self.word.length == 0 {
            return;
        }
        self.word.finish(&mut self.pieces);
        let word = std::mem::take(&mut self.word);
        self.surface.see_word(&text[word.start..end], &word);
        self.words.add(scan::single(word.hash));
        if let Some(before) = self.before.replace(word.hash) {
            self.words.add(scan::pair(before, word.hash));
        }
    }

    fn finish(self, text: &str) -> Features {
        Features {
            words: self.words.grams,
            pieces: self.pieces.grams,
            surface: self.surface.finish(text),
        }
    }
}
