//! Which properties of a text does its number of tokens depend on?

macro_rules! features {
    ($($(#[$documentation:meta])* $feature:ident,)*) => {
        /// What is counted in a text.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Feature {
            $($(#[$documentation])* $feature,)*
        }

        impl Feature {
            /// All of them, in the order of their weights.
            pub(crate) const ALL: &[Self] = &[$(Self::$feature,)*];
        }
    };
}

features! {
    // Words of Latin letters.
    WordAfterSpace, WordAfterMark, WordElsewhere,
    /// Letters after the sixth of a word.
    LongWordLetters,
    /// A capital after a small letter, as in `camelCase`.
    Humps,
    /// A capital after a capital.
    Capitals,
    LatinWestern, LatinCentral, LatinVietnamese,
    // Numbers: most tokenizers cut them into groups of three digits, some into single ones.
    DigitRuns, DigitsAfterSpace, Digits, DigitTriples,
    // Space: a run at the begin of a line, elsewhere, or that begins with a tab.
    Indents, SpaceRuns, TabRuns, SpacesBeyondTwo,
    Breaks, BreaksAfterMark, MoreBreaks,
    // Punctuation of ASCII.
    MarksAfterWord, MarksElsewhere, MarksChanged, MarksRepeated,
    // Code points, and runs of them, by script.
    Greek, GreekRuns,
    Cyrillic, CyrillicRuns, CyrillicRare, CyrillicRareRuns,
    Armenian, ArmenianRuns,
    Hebrew, HebrewRuns,
    Arabic, ArabicRuns, ArabicRare, ArabicRareRuns,
    Devanagari, DevanagariRuns,
    Bengali, BengaliRuns,
    Gurmukhi, GurmukhiRuns,
    Gujarati, GujaratiRuns,
    Tamil, TamilRuns,
    Telugu, TeluguRuns,
    Kannada, KannadaRuns,
    Malayalam, MalayalamRuns,
    Thai, ThaiRuns,
    Khmer, KhmerRuns,
    Georgian, GeorgianRuns,
    Hangul, HangulRuns,
    Kana, KanaRuns,
    Han, HanRuns,
    /// On top of `Han`, what is written otherwise in simplified Chinese and tells that a text is not.
    HanTraditional,
    WideMarks, WideMarkRuns,
    Symbols, SymbolRuns,
    Boxes, BoxRuns,
    Emoji, EmojiRuns,
    Ethiopic,
    EthiopicRuns,
    /// Alphabets that have no weight of their own.
    OtherLetters, OtherLetterRuns,
    /// What is none of these: phonetic letters, combining accents, private use.
    Rest, RestRuns,
}

/// How many there are.
pub(crate) const N_FEATURES: usize = Feature::ALL.len();
