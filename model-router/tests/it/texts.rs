//! Texts of this repository with the counts of true tokenizers.
//!
//! Counted by `count_tokens --exact --family o200k --json` and the same for cl100k (`bpe-openai` 0.3.2).
//! The weights that ship were not fitted to them.

/// A text and its true counts.
pub(crate) struct Counted {
    pub(crate) kind: &'static str,
    pub(crate) text: &'static str,
    pub(crate) o200k: u64,
    pub(crate) cl100k: u64,
}

macro_rules! counted {
    ($($kind:literal: $o200k:literal, $cl100k:literal;)*) => {
        pub(crate) const COUNTED: &[Counted] = &[$(Counted {
            kind: $kind,
            text: include_str!(concat!("../texts/", $kind, ".txt")),
            o200k: $o200k,
            cl100k: $cl100k,
        },)*];
    };
}

counted! {
    "arabic": 149, 349;
    "base64": 465, 492;
    "c": 181, 181;
    "chat": 112, 123;
    "chinese": 164, 242;
    "chinese_traditional": 187, 288;
    "csv": 227, 225;
    "czech": 192, 245;
    "dutch": 144, 200;
    "english_prompt": 129, 130;
    "english_prose": 170, 170;
    "finnish": 170, 223;
    "french": 167, 196;
    "german": 155, 196;
    "greek": 191, 484;
    "hashes": 370, 368;
    "hebrew": 144, 403;
    "hindi": 138, 478;
    "html": 208, 206;
    "hungarian": 217, 258;
    "indonesian": 138, 179;
    "italian": 178, 211;
    "japanese": 179, 262;
    "javascript": 193, 189;
    "json": 195, 195;
    "korean": 183, 296;
    "latex": 261, 257;
    "log": 264, 264;
    "markdown": 188, 190;
    "persian": 153, 320;
    "polish": 199, 232;
    "portuguese": 140, 174;
    "python": 243, 239;
    "russian": 162, 270;
    "rust": 254, 255;
    "spanish": 154, 174;
    "sql": 200, 199;
    "swedish": 151, 191;
    "thai": 163, 382;
    "turkish": 183, 266;
    "ukrainian": 187, 311;
    "vietnamese": 164, 288;
    "xml": 208, 207;
    "yaml": 150, 151;
}
