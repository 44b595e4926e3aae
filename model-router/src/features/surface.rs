//! How is a prompt written?

use super::scan::{Word, constant_hash};

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
    /// How often each character of ASCII was read.
    ascii: [u32; 128],
    foreign: u32,
    words: u32,
    letters_in_words: u32,
    longest_sentence: u32,
    sentence: u32,
    number: f64,
    is_number: bool,
    largest_number: f64,
    options: Options,
}

impl Default for Surface {
    fn default() -> Self {
        Self {
            counts: [0; SURFACE_SIZE],
            ascii: [0; 128],
            foreign: 0,
            words: 0,
            letters_in_words: 0,
            longest_sentence: 0,
            sentence: 0,
            number: 0.0,
            is_number: false,
            largest_number: 0.0,
            options: Options::default(),
        }
    }
}

impl Surface {
    fn count(&mut self, measure: Measure) {
        self.counts[measure as usize] += 1;
    }

    #[inline]
    pub(super) fn see_character(&mut self, character: char) {
        self.sentence += 1;
        let Some(count) = self.ascii.get_mut(character as usize) else {
            return self.see_foreign(character);
        };
        *count += 1;
        if character.is_ascii_digit() {
            let digit = f64::from(character as u8 - b'0');
            self.number = (10.0 * self.number + digit).min(LARGEST_NUMBER);
            self.is_number = true;
        } else if self.is_number {
            // A point or comma is inside a number as often as after it; either way the part before
            // it says how large the number is.
            self.end_number();
        }
        if matches!(character, '.' | '!' | '?' | '\n') {
            self.end_sentence();
        }
    }

    fn see_foreign(&mut self, character: char) {
        self.foreign += 1;
        self.end_number();
        match character {
            '。' | '！' => self.end_sentence(),
            '？' => {
                self.count(Measure::Questions);
                self.end_sentence();
            }
            '“' | '”' => self.count(Measure::Quotes),
            '，' => self.count(Measure::Commas),
            _ => {}
        }
    }

    fn end_number(&mut self) {
        if std::mem::take(&mut self.is_number) {
            self.count(Measure::Numbers);
            self.largest_number = self.largest_number.max(self.number);
            self.number = 0.0;
        }
    }

    /// Its last character, which ends it, is counted already.
    fn end_sentence(&mut self) {
        let length = std::mem::take(&mut self.sentence) - 1;
        if length > 0 {
            self.count(Measure::Sentences);
        }
        self.longest_sentence = self.longest_sentence.max(length);
    }

    /// Whatever is open ends with the text, of which the lines are still to be looked at.
    pub(super) fn end_text(&mut self, text: &str) {
        self.end_number();
        self.sentence += 1;
        self.end_sentence();
        text.split('\n').for_each(|it| self.see_line(it));
    }

    fn see_line(&mut self, line: &str) {
        if line.trim_ascii_start().is_empty() {
            return;
        }
        self.count(Measure::Lines);
        if let Some(option) = option_text(line) {
            self.options.add(option);
        }
    }

    pub(super) fn see_word(&mut self, text: &str, word: &Word) {
        self.words += 1;
        self.letters_in_words += word.length;
        if word.length >= 8 {
            self.count(Measure::LongWords);
        }
        if text.as_bytes()[0].is_ascii_uppercase() {
            self.count(Measure::CapitalizedShare);
            if matches!(text, "I" | "II" | "III" | "IV") {
                self.count(Measure::Roman);
            }
        }
        if let Some(measure) = meaning(word.hash) {
            self.count(measure);
        }
    }

    fn count_ascii(&mut self) {
        for (code, count) in (0_u8..).zip(self.ascii) {
            if let Some(measure) = ascii_measure(code) {
                self.counts[measure as usize] += count;
            }
            if code.is_ascii_punctuation() {
                self.counts[Measure::PunctuationShare as usize] += count;
            }
        }
        self.counts[Measure::ForeignShare as usize] = self.foreign;
    }

    /// The measures, when all of a text that is to be read was read.
    pub(super) fn finish(mut self, text: &str) -> [f32; SURFACE_SIZE] {
        use Measure as M;
        self.count_ascii();
        let words = f64::from(self.words.max(1));
        let read = self.ascii.iter().sum::<u32>() + self.foreign;
        let characters = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
        let share_of_characters = |it: u32| f64::from(it) / f64::from(read.max(1));
        let counts = self.counts;
        let mut measures = counts.map(|it| f64::from(it).ln_1p());
        let mut set = |measure: Measure, value: f64| measures[measure as usize] = value;
        set(M::Characters, f64::from(characters).ln_1p());
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
        let stem = characters.saturating_sub(options.characters + options.count);
        set(M::StemLength, f64::from(stem).ln_1p());
        measures.map(|it| it as f32)
    }
}

/// What a character of ASCII counts for, beside punctuation.
const fn ascii_measure(code: u8) -> Option<Measure> {
    Some(match code {
        b'0'..=b'9' => Measure::Digits,
        b'A'..=b'Z' => Measure::UpperShare,
        b'?' => Measure::Questions,
        b'"' | b'\'' => Measure::Quotes,
        b'(' => Measure::Parentheses,
        b',' => Measure::Commas,
        b'{' | b'}' | b';' | b'[' | b']' => Measure::Code,
        b'$' | b'\\' => Measure::Formulas,
        b'_' => Measure::Blanks,
        b'+' | b'-' | b'*' | b'/' | b'=' | b'<' | b'>' | b'^' => Measure::Operators,
        b'%' => Measure::Percents,
        _ => return None,
    })
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
        /// What words count for, each in the slot that its hash names or in the next free one.
        const MEANINGS: [Option<(u64, Measure)>; SLOTS] =
            in_slots(&[$($((constant_hash($word), Measure::$measure),)*)*]);
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

/// Four to five times the number of words: a word without a meaning seldom meets one.
const SLOTS: usize = 256;

const fn in_slots(words: &[(u64, Measure)]) -> [Option<(u64, Measure)>; SLOTS] {
    let mut slots = [None; SLOTS];
    let mut next = 0;
    while next < words.len() {
        let mut at = words[next].0 as usize % SLOTS;
        while slots[at].is_some() {
            at = (at + 1) % SLOTS;
        }
        slots[at] = Some(words[next]);
        next += 1;
    }
    slots
}

/// What a word counts for, by its hash.
fn meaning(hash: u64) -> Option<Measure> {
    let mut at = hash as usize % SLOTS;
    while let Some((word, measure)) = MEANINGS[at] {
        if word == hash {
            return Some(measure);
        }
        at = (at + 1) % SLOTS;
    }
    None
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
