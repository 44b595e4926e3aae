//! How is a prompt written?

use super::scan::constant_hash;

macro_rules! measures {
    ($($name:ident = $text:literal,)*) => {
        #[derive(Clone, Copy)]
        enum Measure { $($name,)* }

        /// The measures of the surface by name, in their order. Counts and lengths are ln(1 + n),
        /// shares are of characters or of words, the others are 0 or 1.
        pub const SURFACE_NAMES: [&str; SURFACE_SIZE] = [$($text,)*];

        pub(crate) const SURFACE_SIZE: usize = [$($text,)*].len();
    };
}

measures! {
    Characters = "characters",
    Words = "words",
    WordLength = "mean length of words",
    Lines = "lines",
    Digits = "digits",
    DigitShare = "share of digits",
    Numbers = "numbers",
    LargestNumber = "largest number",
    Operators = "operators",
    OperatorShare = "share of operators",
    Questions = "question marks",
    Negations = "negations",
    UpperShare = "share of capitals",
    PunctuationShare = "share of punctuation",
    Quotes = "quotes",
    Parentheses = "parentheses",
    Code = "marks of code",
    Formulas = "marks of formulas",
    ForeignShare = "share outside ASCII",
    Commas = "commas",
    Blanks = "blanks to fill",
    Options = "answer options",
    OptionLength = "mean length of options",
    OptionSpread = "spread of the lengths of options",
    StemLength = "length without options",
    LongestSentence = "longest sentence",
    LongWords = "share of long words",
    NumericOptions = "options with digits",
    Roman = "Roman numerals",
    CapitalizedShare = "share of capitalized words",
    Sentences = "sentences",
    Percents = "percent signs",
    Condition = "states a condition",
    Multiplicity = "words of quantity",
    Persons = "persons",
    Superlatives = "superlatives",
    What = "asks what",
    Which = "asks which",
    How = "asks how",
    Why = "asks why",
    Who = "asks who",
    When = "asks when",
    Where = "asks where",
}

/// What is counted while a text is read.
pub(super) struct Surface {
    counts: [u32; SURFACE_SIZE],
    characters: u32,
    words: u32,
    letters_in_words: u32,
    longest_sentence: u32,
    sentence: u32,
    number: f64,
    is_number: bool,
    largest_number: f64,
    options: Options,
}

impl Surface {
    pub(super) fn of(text: &str) -> Self {
        let mut surface = Self {
            counts: [0; SURFACE_SIZE],
            characters: 0,
            words: 0,
            letters_in_words: 0,
            longest_sentence: 0,
            sentence: 0,
            number: 0.0,
            is_number: false,
            largest_number: 0.0,
            options: Options::default(),
        };
        text.chars().for_each(|it| surface.see_character(it));
        surface.end_number();
        surface.end_sentence();
        text.split('\n').for_each(|it| surface.see_line(it));
        surface
    }

    fn count(&mut self, measure: Measure) {
        self.counts[measure as usize] += 1;
    }

    fn see_character(&mut self, character: char) {
        self.characters = self.characters.saturating_add(1);
        self.see_digit(character);
        match character {
            '.' | '!' | '?' | '\n' | '。' | '！' | '？' => self.end_sentence(),
            _ => self.sentence += 1,
        }
        match character {
            'A'..='Z' => self.count(Measure::UpperShare),
            '?' | '？' => self.count(Measure::Questions),
            '"' | '\'' | '“' | '”' => self.count(Measure::Quotes),
            '(' => self.count(Measure::Parentheses),
            ',' | '，' => self.count(Measure::Commas),
            '{' | '}' | ';' | '[' | ']' => self.count(Measure::Code),
            '$' | '\\' => self.count(Measure::Formulas),
            '_' => self.count(Measure::Blanks),
            '+' | '-' | '*' | '/' | '=' | '<' | '>' | '^' => self.count(Measure::Operators),
            '%' => self.count(Measure::Percents),
            _ => {}
        }
        if !character.is_ascii() {
            self.count(Measure::ForeignShare);
        } else if character.is_ascii_punctuation() {
            self.count(Measure::PunctuationShare);
        }
    }

    fn see_digit(&mut self, character: char) {
        match character.to_digit(10) {
            Some(digit) => {
                self.count(Measure::Digits);
                self.number = (10.0 * self.number + f64::from(digit)).min(LARGEST_NUMBER);
                self.is_number = true;
            }
            // A point or comma is inside a number as often as after it; either way the part before
            // it says how large the number is.
            None => self.end_number(),
        }
    }

    fn end_number(&mut self) {
        if std::mem::take(&mut self.is_number) {
            self.count(Measure::Numbers);
            self.largest_number = self.largest_number.max(self.number);
            self.number = 0.0;
        }
    }

    fn end_sentence(&mut self) {
        if self.sentence > 0 {
            self.count(Measure::Sentences);
        }
        self.longest_sentence = self
            .longest_sentence
            .max(std::mem::take(&mut self.sentence));
    }

    fn see_line(&mut self, line: &str) {
        if line.trim_ascii().is_empty() {
            return;
        }
        self.count(Measure::Lines);
        if let Some(option) = option_text(line) {
            self.options.add(option);
        }
    }

    pub(super) fn see_word(&mut self, word: &str, hash: u64) {
        let length = word.chars().count() as u32;
        self.words = self.words.saturating_add(1);
        self.letters_in_words = self.letters_in_words.saturating_add(length);
        if length >= 8 {
            self.count(Measure::LongWords);
        }
        if word.as_bytes()[0].is_ascii_uppercase() {
            self.count(Measure::CapitalizedShare);
        }
        if matches!(word, "I" | "II" | "III" | "IV") {
            self.count(Measure::Roman);
        }
        if let Some(measure) = meaning(hash) {
            self.count(measure);
        }
    }

    /// The measures, when all words have been seen.
    pub(super) fn finish(mut self) -> [f32; SURFACE_SIZE] {
        use Measure as M;
        let words = f64::from(self.words.max(1));
        let characters = f64::from(self.characters.max(1));
        let share_of_characters = |it: u32| f64::from(it) / characters;
        let counts = self.counts;
        let mut measures = counts.map(|it| f64::from(it).ln_1p());
        let mut set = |measure: Measure, value: f64| measures[measure as usize] = value;
        set(M::Characters, f64::from(self.characters).ln_1p());
        set(M::Words, f64::from(self.words).ln_1p());
        set(M::WordLength, f64::from(self.letters_in_words) / words);
        set(
            M::DigitShare,
            share_of_characters(counts[M::Digits as usize]),
        );
        set(M::LargestNumber, self.largest_number.ln_1p());
        set(
            M::OperatorShare,
            share_of_characters(counts[M::Operators as usize]),
        );
        for measure in [M::UpperShare, M::PunctuationShare, M::ForeignShare] {
            set(measure, share_of_characters(counts[measure as usize]));
        }
        for measure in [M::LongWords, M::CapitalizedShare] {
            set(measure, f64::from(counts[measure as usize]) / words);
        }
        set(M::LongestSentence, f64::from(self.longest_sentence).ln_1p());
        for measure in [
            M::Condition,
            M::What,
            M::Which,
            M::How,
            M::Why,
            M::Who,
            M::When,
            M::Where,
        ] {
            set(measure, f64::from(counts[measure as usize].min(1)));
        }
        let options = std::mem::take(&mut self.options);
        set(M::Options, f64::from(options.count).ln_1p());
        set(M::OptionLength, options.mean_length().ln_1p());
        set(M::OptionSpread, options.spread().ln_1p());
        set(M::NumericOptions, f64::from(options.with_digits).ln_1p());
        let stem = self
            .characters
            .saturating_sub(options.characters + options.count);
        set(M::StemLength, f64::from(stem).ln_1p());
        measures.map(|it| it as f32)
    }
}

/// Numbers are not told apart above this.
const LARGEST_NUMBER: f64 = 1e12;

#[derive(Default)]
struct Options {
    count: u32,
    characters: u32,
    longest: u32,
    shortest: u32,
    with_digits: u32,
}

impl Options {
    fn add(&mut self, option: &str) {
        let length = option.chars().count() as u32;
        self.shortest = match self.count {
            0 => length,
            _ => self.shortest.min(length),
        };
        self.longest = self.longest.max(length);
        self.count += 1;
        self.characters += length;
        self.with_digits += u32::from(option.bytes().any(|it| it.is_ascii_digit()));
    }

    fn mean_length(&self) -> f64 {
        f64::from(self.characters) / f64::from(self.count.max(1))
    }

    fn spread(&self) -> f64 {
        f64::from(self.longest - self.shortest)
    }
}

/// What follows `A. `, `(B) ` or `C: ` at the start of a line.
fn option_text(line: &str) -> Option<&str> {
    let line = line.strip_prefix('(').unwrap_or(line);
    let rest = line.strip_prefix(|it| matches!(it, 'A'..='J'))?;
    let rest = rest.strip_prefix(['.', ')', ':'])?;
    rest.strip_prefix(' ')
}

macro_rules! meanings {
    ($($measure:ident: $($word:literal)*;)*) => {
        /// What words count for, sorted by their hashes.
        const MEANINGS: [(u64, Measure); [$($($word,)*)*].len()] =
            sorted([$($((constant_hash($word), Measure::$measure),)*)*]);
    };
}

meanings! {
    Negations: "not" "no" "never" "none" "nor" "neither" "without" "except" "least" "false"
        "incorrect" "cannot" "unlikely" "isn" "doesn" "don" "didn" "can" "t";
    Condition: "if" "suppose" "assume" "given" "assuming";
    Multiplicity: "each" "every" "per" "total" "times" "half" "twice" "altogether" "remaining";
    Persons: "he" "she" "his" "her" "they" "him" "them" "their";
    Superlatives: "best" "most" "worst" "primarily" "mainly" "likely" "main" "primary";
    What: "what";
    Which: "which";
    How: "how";
    Why: "why";
    Who: "who";
    When: "when";
    Where: "where";
}

const fn sorted<const N: usize>(mut table: [(u64, Measure); N]) -> [(u64, Measure); N] {
    let mut end = 1;
    while end < N {
        let mut at = end;
        while at > 0 && table[at].0 < table[at - 1].0 {
            (table[at], table[at - 1]) = (table[at - 1], table[at]);
            at -= 1;
        }
        end += 1;
    }
    table
}

/// What a word counts for, by its hash.
fn meaning(hash: u64) -> Option<Measure> {
    let at = MEANINGS.binary_search_by_key(&hash, |it| it.0).ok()?;
    Some(MEANINGS[at].1)
}

#[cfg(test)]
mod tests {
    use super::super::Features;

    fn measure(text: &str, name: &str) -> f32 {
        let features = Features::of(text);
        let mut surface = features.surface();
        surface.find(|it| it.0 == name).expect("a measure").1
    }

    #[test]
    fn the_surface_of_a_question_with_options_is_what_a_reader_counts() {
        let text = "Which of 3 primes is NOT 17% of 1,200?\nA. 2\nB. none\nC. 2041\nAnswer:";
        let ln = |count: f32| count.ln_1p();
        for (name, expected) in [
            ("characters", ln(67.0)),
            ("lines", ln(5.0)),
            ("digits", ln(12.0)),
            ("numbers", ln(6.0)),
            ("largest number", ln(2041.0)),
            ("answer options", ln(3.0)),
            ("mean length of options", ln(3.0)),
            ("spread of the lengths of options", ln(3.0)),
            ("options with digits", ln(2.0)),
            ("length without options", ln(55.0)),
            ("negations", ln(2.0)),
            ("asks which", 1.0),
            ("asks why", 0.0),
            ("percent signs", ln(1.0)),
        ] {
            let got = measure(text, name);
            assert!(
                (got - expected).abs() < 1e-6,
                "{name}: {got} is not {expected}"
            );
        }
    }

    #[test]
    fn every_measure_of_any_text_is_finite() {
        let long = "9".repeat(400);
        for text in ["", "\n", "()", "\u{ff1f}", "A. ", long.as_str()] {
            for (name, value) in Features::of(text).surface() {
                assert!(value.is_finite(), "{name} of {text:?}");
            }
        }
    }
}
