//! In which script is a code point, as far as tokenizers tell scripts apart?

use super::feature::Feature;

macro_rules! scripts {
    ($($script:ident: $points:ident, $runs:ident;)*) => {
        /// Scripts that are counted apart from each other.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Script {
            /// Accents of Western Europe, U+00C0 to U+00FF.
            LatinWestern,
            /// Accents of Central Europe, Turkey and others, U+0100 to U+024F.
            LatinCentral,
            /// Letters with two accents, U+1E00 to U+1EFF.
            LatinVietnamese,
            $(
                #[doc = concat!("Counted as `", stringify!($points), "`.")]
                $script,
            )*
        }

        impl Script {
            /// What a code point and a run of this script count as.
            pub(crate) const fn features(self) -> (Feature, Feature) {
                match self {
                    Self::LatinWestern | Self::LatinCentral | Self::LatinVietnamese => {
                        (Feature::Rest, Feature::RestRuns)
                    }
                    $(Self::$script => (Feature::$points, Feature::$runs),)*
                }
            }
        }
    };
}

scripts! {
    Greek: Greek, GreekRuns;
    Cyrillic: Cyrillic, CyrillicRuns;
    CyrillicRare: CyrillicRare, CyrillicRareRuns;
    Armenian: Armenian, ArmenianRuns;
    Hebrew: Hebrew, HebrewRuns;
    Arabic: Arabic, ArabicRuns;
    ArabicRare: ArabicRare, ArabicRareRuns;
    Devanagari: Devanagari, DevanagariRuns;
    Bengali: Bengali, BengaliRuns;
    Gurmukhi: Gurmukhi, GurmukhiRuns;
    Gujarati: Gujarati, GujaratiRuns;
    Tamil: Tamil, TamilRuns;
    Telugu: Telugu, TeluguRuns;
    Kannada: Kannada, KannadaRuns;
    Malayalam: Malayalam, MalayalamRuns;
    Thai: Thai, ThaiRuns;
    Khmer: Khmer, KhmerRuns;
    Georgian: Georgian, GeorgianRuns;
    Hangul: Hangul, HangulRuns;
    Kana: Kana, KanaRuns;
    Han: Han, HanRuns;
    WideMarks: WideMarks, WideMarkRuns;
    Symbols: Symbols, SymbolRuns;
    Boxes: Boxes, BoxRuns;
    Emoji: Emoji, EmojiRuns;
    Ethiopic: Ethiopic, EthiopicRuns;
    OtherLetters: OtherLetters, OtherLetterRuns;
    Rest: Rest, RestRuns;
}

impl Script {
    pub(crate) const fn is_latin(self) -> bool {
        matches!(
            self,
            Self::LatinWestern | Self::LatinCentral | Self::LatinVietnamese
        )
    }
}

/// The script of a code point beyond ASCII, by the blocks of Unicode.
pub(crate) const fn of(point: char) -> Script {
    match point {
        '\u{00d7}' | '\u{00f7}' | '\u{0080}'..='\u{00bf}' => Script::Symbols,
        '\u{00c0}'..='\u{00ff}' => Script::LatinWestern,
        '\u{0100}'..='\u{024f}' => Script::LatinCentral,
        '\u{1e00}'..='\u{1eff}' => Script::LatinVietnamese,
        '\u{0370}'..='\u{03ff}' | '\u{1f00}'..='\u{1fff}' => Script::Greek,
        '\u{0410}'..='\u{044f}' | '\u{0401}' | '\u{0451}' => Script::Cyrillic,
        '\u{0400}'..='\u{052f}' => Script::CyrillicRare,
        '\u{0530}'..='\u{058f}' => Script::Armenian,
        '\u{0590}'..='\u{05ff}' => Script::Hebrew,
        '\u{0600}'..='\u{0670}' => Script::Arabic,
        '\u{0671}'..='\u{077f}' | '\u{200c}' => Script::ArabicRare,
        '\u{0900}'..='\u{097f}' => Script::Devanagari,
        '\u{0980}'..='\u{09ff}' => Script::Bengali,
        '\u{0a00}'..='\u{0a7f}' => Script::Gurmukhi,
        '\u{0a80}'..='\u{0aff}' => Script::Gujarati,
        '\u{0b80}'..='\u{0bff}' => Script::Tamil,
        '\u{0c00}'..='\u{0c7f}' => Script::Telugu,
        '\u{0c80}'..='\u{0cff}' => Script::Kannada,
        '\u{0d00}'..='\u{0d7f}' => Script::Malayalam,
        '\u{0e00}'..='\u{0e7f}' => Script::Thai,
        '\u{1780}'..='\u{17ff}' => Script::Khmer,
        '\u{10a0}'..='\u{10ff}' => Script::Georgian,
        '\u{1100}'..='\u{11ff}' | '\u{3130}'..='\u{318f}' | '\u{ac00}'..='\u{d7ff}' => {
            Script::Hangul
        }
        '\u{3040}'..='\u{30ff}' | '\u{ff66}'..='\u{ff9f}' => Script::Kana,
        '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' => Script::Han,
        '\u{3000}'..='\u{303f}' | '\u{ff00}'..='\u{ff65}' => Script::WideMarks,
        '\u{2500}'..='\u{259f}' => Script::Boxes,
        '\u{2000}'..='\u{2bff}' => Script::Symbols,
        '\u{fe0f}' | '\u{1f000}'..='\u{1faff}' => Script::Emoji,
        '\u{1200}'..='\u{139f}' | '\u{2d80}'..='\u{2ddf}' => Script::Ethiopic,
        '\u{0700}'..='\u{1cff}' | '\u{2c00}'..='\u{2fdf}' | '\u{a000}'..='\u{abff}' => {
            Script::OtherLetters
        }
        _ => Script::Rest,
    }
}

/// Whether a Han character has one of the radicals 糸, 言, 貝, 車, 金, 門, 頁, 食, 馬 in the form that simplified
/// Chinese does not have. Unicode keeps the two forms of a radical in ranges of their own.
pub(crate) const fn is_traditional(point: char) -> bool {
    matches!(point,
        '\u{7cf8}'..='\u{7e9f}'
        | '\u{8a00}'..='\u{8b9f}'
        | '\u{8c9d}'..='\u{8d1c}'
        | '\u{8eca}'..='\u{8f65}'
        | '\u{91d1}'..='\u{9484}'
        | '\u{9580}'..='\u{95e7}'
        | '\u{9801}'..='\u{9874}'
        | '\u{98df}'..='\u{9964}'
        | '\u{99ac}'..='\u{9a6b}'
    )
}
