//! What does a prompt look like, in numbers that a model of kilobytes can learn from?
//!
//! Two kinds of features, in one pass over the text and without a dictionary:
//!
//! - **What it says**: its words and pairs of neighboring words, and the runs of three and four
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
    /// it differs between requests); what all requests share tells nothing.
    pub fn of(text: &str) -> Self {
        let mut surface = Surface::of(text);
        let mut words = Vec::with_capacity(text.len() / 2);
        let mut pieces = Vec::with_capacity(2 * text.len());
        let mut before = None;
        for word in scan::words(text) {
            let hash = scan::word_hash(word);
            surface.see_word(word, hash);
            words.push(scan::single(hash));
            words.extend(before.map(|before| scan::pair(before, hash)));
            scan::pieces(word, |hash| pieces.push(hash));
            before = Some(hash);
        }
        Self {
            words: counts::count(&words),
            pieces: counts::count(&pieces),
            surface: surface.finish(),
        }
    }

    /// The measures of the surface with their names, all of them finite.
    pub fn surface(&self) -> impl Iterator<Item = (&'static str, f32)> + '_ {
        SURFACE_NAMES.into_iter().zip(self.surface)
    }
}
