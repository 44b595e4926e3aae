//! What is counted in a call, and which count is a part of which?

use std::fmt;

/// Input or output; what has neither, such as a search of the web, is billed beside both.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// What was sent to the model.
    Input,
    /// What came from it.
    Output,
}

/// What sets a kind apart: what is counted, its direction, its modality, its role and how long it is
/// kept. [`ANY`] leaves it open, and a kind is a part of every kind that leaves more open than it does
/// and agrees in the rest.
///
/// The dimensions are those of `prices/units.yml` of genai-prices, whose names the kinds have too.
type Nature = [u8; 5];

const ANY: u8 = 0;

const TOKENS: u8 = 1;
const CHARACTERS: u8 = 2;
const MESSAGES: u8 = 3;
const PIXELS: u8 = 4;
const PAGES: u8 = 5;
const RERANKING: u8 = 6;
const TOOL_CALLS: u8 = 7;
const REQUESTS: u8 = 8;

const INPUT: u8 = 1;
const OUTPUT: u8 = 2;

const TEXT: u8 = 1;
const AUDIO: u8 = 2;
const IMAGE: u8 = 3;
const VIDEO: u8 = 4;

const CACHE_READ: u8 = 1;
const CACHE_WRITE: u8 = 2;
const TOOL: u8 = 3;
const REASONING: u8 = 4;
const CITATION: u8 = 5;
const WEB: u8 = 6;
const SOCIAL: u8 = 7;
const STORAGE: u8 = 8;
const CODE: u8 = 9;
const ANNOTATED: u8 = 10;

const FIVE_MINUTES: u8 = 1;
const ONE_HOUR: u8 = 2;

macro_rules! kinds {
    ($($(#[$documentation:meta])* $kind:ident = $name:literal, $price:literal / $per:literal, $nature:expr;)*) => {
        /// What is counted and billed in a call.
        ///
        /// A kind may be a part of another: cached tokens are a part of the input tokens, and reasoning
        /// tokens of the output tokens, whatever the provider's own counting is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[non_exhaustive]
        pub enum UsageKind {
            $($(#[$documentation])* #[serde(rename = $name)] $kind,)*
        }

        impl UsageKind {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$kind,)*];

            /// The name in data, `cache_read_tokens`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }

            /// What price lists in the form of genai-prices call its price, and for how many units it is.
            pub(crate) const fn price_key(self) -> (&'static str, u64) {
                match self {
                    $(Self::$kind => ($price, $per),)*
                }
            }
        }

        const NATURES: [Nature; UsageKind::ALL.len()] = [$($nature,)*];
    };
}

kinds! {
    /// All tokens of the input, those from and into a cache included.
    InputTokens = "input_tokens", "input_mtok" / 1_000_000, [TOKENS, INPUT, ANY, ANY, ANY];
    /// All tokens of the answer, those of reasoning included.
    OutputTokens = "output_tokens", "output_mtok" / 1_000_000, [TOKENS, OUTPUT, ANY, ANY, ANY];
    /// Of the input, what was read from the provider's prompt cache.
    CacheReadTokens = "cache_read_tokens", "cache_read_mtok" / 1_000_000, [TOKENS, INPUT, ANY, CACHE_READ, ANY];
    /// Of the input, what was written into the provider's prompt cache.
    CacheWriteTokens = "cache_write_tokens", "cache_write_mtok" / 1_000_000, [TOKENS, INPUT, ANY, CACHE_WRITE, ANY];
    /// Of what was written into the cache, what stays there for five minutes.
    CacheWrite5mTokens = "cache_write_5m_tokens", "cache_write_5m_mtok" / 1_000_000, [TOKENS, INPUT, ANY, CACHE_WRITE, FIVE_MINUTES];
    /// Of what was written into the cache, what stays there for an hour.
    CacheWrite1hTokens = "cache_write_1h_tokens", "cache_write_1h_mtok" / 1_000_000, [TOKENS, INPUT, ANY, CACHE_WRITE, ONE_HOUR];
    /// Of the input, what was text.
    InputTextTokens = "input_text_tokens", "input_text_mtok" / 1_000_000, [TOKENS, INPUT, TEXT, ANY, ANY];
    /// Of the output, what was text.
    OutputTextTokens = "output_text_tokens", "output_text_mtok" / 1_000_000, [TOKENS, OUTPUT, TEXT, ANY, ANY];
    /// Of the text of the input, what was read from the prompt cache.
    CacheTextReadTokens = "cache_text_read_tokens", "cache_text_read_mtok" / 1_000_000, [TOKENS, INPUT, TEXT, CACHE_READ, ANY];
    /// Of the text of the input, what was written into the prompt cache.
    CacheTextWriteTokens = "cache_text_write_tokens", "cache_text_write_mtok" / 1_000_000, [TOKENS, INPUT, TEXT, CACHE_WRITE, ANY];
    /// Of the text of the input, what was written into the prompt cache for five minutes.
    CacheTextWrite5mTokens = "cache_text_write_5m_tokens", "cache_text_write_5m_mtok" / 1_000_000, [TOKENS, INPUT, TEXT, CACHE_WRITE, FIVE_MINUTES];
    /// Of the text of the input, what was written into the prompt cache for an hour.
    CacheTextWrite1hTokens = "cache_text_write_1h_tokens", "cache_text_write_1h_mtok" / 1_000_000, [TOKENS, INPUT, TEXT, CACHE_WRITE, ONE_HOUR];
    /// Of the input, what was sound.
    InputAudioTokens = "input_audio_tokens", "input_audio_mtok" / 1_000_000, [TOKENS, INPUT, AUDIO, ANY, ANY];
    /// Of the output, what was sound.
    OutputAudioTokens = "output_audio_tokens", "output_audio_mtok" / 1_000_000, [TOKENS, OUTPUT, AUDIO, ANY, ANY];
    /// Of the sound of the input, what was read from the prompt cache.
    CacheAudioReadTokens = "cache_audio_read_tokens", "cache_audio_read_mtok" / 1_000_000, [TOKENS, INPUT, AUDIO, CACHE_READ, ANY];
    /// Of the sound of the input, what was written into the prompt cache.
    CacheAudioWriteTokens = "cache_audio_write_tokens", "cache_audio_write_mtok" / 1_000_000, [TOKENS, INPUT, AUDIO, CACHE_WRITE, ANY];
    /// Of the sound of the input, what was written into the prompt cache for five minutes.
    CacheAudioWrite5mTokens = "cache_audio_write_5m_tokens", "cache_audio_write_5m_mtok" / 1_000_000, [TOKENS, INPUT, AUDIO, CACHE_WRITE, FIVE_MINUTES];
    /// Of the sound of the input, what was written into the prompt cache for an hour.
    CacheAudioWrite1hTokens = "cache_audio_write_1h_tokens", "cache_audio_write_1h_mtok" / 1_000_000, [TOKENS, INPUT, AUDIO, CACHE_WRITE, ONE_HOUR];
    /// Of the input, what was images.
    InputImageTokens = "input_image_tokens", "input_image_mtok" / 1_000_000, [TOKENS, INPUT, IMAGE, ANY, ANY];
    /// Of the output, what was images.
    OutputImageTokens = "output_image_tokens", "output_image_mtok" / 1_000_000, [TOKENS, OUTPUT, IMAGE, ANY, ANY];
    /// Of the images of the input, what was read from the prompt cache.
    CacheImageReadTokens = "cache_image_read_tokens", "cache_image_read_mtok" / 1_000_000, [TOKENS, INPUT, IMAGE, CACHE_READ, ANY];
    /// Of the images of the input, what was written into the prompt cache.
    CacheImageWriteTokens = "cache_image_write_tokens", "cache_image_write_mtok" / 1_000_000, [TOKENS, INPUT, IMAGE, CACHE_WRITE, ANY];
    /// Of the images of the input, what was written into the prompt cache for five minutes.
    CacheImageWrite5mTokens = "cache_image_write_5m_tokens", "cache_image_write_5m_mtok" / 1_000_000, [TOKENS, INPUT, IMAGE, CACHE_WRITE, FIVE_MINUTES];
    /// Of the images of the input, what was written into the prompt cache for an hour.
    CacheImageWrite1hTokens = "cache_image_write_1h_tokens", "cache_image_write_1h_mtok" / 1_000_000, [TOKENS, INPUT, IMAGE, CACHE_WRITE, ONE_HOUR];
    /// Of the input, what was video.
    InputVideoTokens = "input_video_tokens", "input_video_mtok" / 1_000_000, [TOKENS, INPUT, VIDEO, ANY, ANY];
    /// Of the output, what was video.
    OutputVideoTokens = "output_video_tokens", "output_video_mtok" / 1_000_000, [TOKENS, OUTPUT, VIDEO, ANY, ANY];
    /// Of the video of the input, what was read from the prompt cache.
    CacheVideoReadTokens = "cache_video_read_tokens", "cache_video_read_mtok" / 1_000_000, [TOKENS, INPUT, VIDEO, CACHE_READ, ANY];
    /// Of the video of the input, what was written into the prompt cache.
    CacheVideoWriteTokens = "cache_video_write_tokens", "cache_video_write_mtok" / 1_000_000, [TOKENS, INPUT, VIDEO, CACHE_WRITE, ANY];
    /// Of the video of the input, what was written into the prompt cache for five minutes.
    CacheVideoWrite5mTokens = "cache_video_write_5m_tokens", "cache_video_write_5m_mtok" / 1_000_000, [TOKENS, INPUT, VIDEO, CACHE_WRITE, FIVE_MINUTES];
    /// Of the video of the input, what was written into the prompt cache for an hour.
    CacheVideoWrite1hTokens = "cache_video_write_1h_tokens", "cache_video_write_1h_mtok" / 1_000_000, [TOKENS, INPUT, VIDEO, CACHE_WRITE, ONE_HOUR];
    /// Of the input, what tools gave to the model.
    InputToolTokens = "input_tool_tokens", "input_tool_mtok" / 1_000_000, [TOKENS, INPUT, ANY, TOOL, ANY];
    /// Of the text of the input, what tools gave to the model.
    InputTextToolTokens = "input_text_tool_tokens", "input_text_tool_mtok" / 1_000_000, [TOKENS, INPUT, TEXT, TOOL, ANY];
    /// Of the sound of the input, what tools gave to the model.
    InputAudioToolTokens = "input_audio_tool_tokens", "input_audio_tool_mtok" / 1_000_000, [TOKENS, INPUT, AUDIO, TOOL, ANY];
    /// Of the images of the input, what tools gave to the model.
    InputImageToolTokens = "input_image_tool_tokens", "input_image_tool_mtok" / 1_000_000, [TOKENS, INPUT, IMAGE, TOOL, ANY];
    /// Of the video of the input, what tools gave to the model.
    InputVideoToolTokens = "input_video_tool_tokens", "input_video_tool_mtok" / 1_000_000, [TOKENS, INPUT, VIDEO, TOOL, ANY];
    /// Of the output, what was reasoning.
    OutputReasoningTokens = "output_reasoning_tokens", "output_reasoning_mtok" / 1_000_000, [TOKENS, OUTPUT, ANY, REASONING, ANY];
    /// Of the text of the output, what was reasoning.
    OutputTextReasoningTokens = "output_text_reasoning_tokens", "output_text_reasoning_mtok" / 1_000_000, [TOKENS, OUTPUT, TEXT, REASONING, ANY];
    /// Of the sound of the output, what was reasoning.
    OutputAudioReasoningTokens = "output_audio_reasoning_tokens", "output_audio_reasoning_mtok" / 1_000_000, [TOKENS, OUTPUT, AUDIO, REASONING, ANY];
    /// Of the images of the output, what was reasoning.
    OutputImageReasoningTokens = "output_image_reasoning_tokens", "output_image_reasoning_mtok" / 1_000_000, [TOKENS, OUTPUT, IMAGE, REASONING, ANY];
    /// Of the video of the output, what was reasoning.
    OutputVideoReasoningTokens = "output_video_reasoning_tokens", "output_video_reasoning_mtok" / 1_000_000, [TOKENS, OUTPUT, VIDEO, REASONING, ANY];
    /// Of the output, what was citations.
    OutputCitationTokens = "output_citation_tokens", "output_citation_mtok" / 1_000_000, [TOKENS, OUTPUT, ANY, CITATION, ANY];
    /// Of the text of the output, what was citations.
    OutputTextCitationTokens = "output_text_citation_tokens", "output_text_citation_mtok" / 1_000_000, [TOKENS, OUTPUT, TEXT, CITATION, ANY];
    /// Of the sound of the output, what was citations.
    OutputAudioCitationTokens = "output_audio_citation_tokens", "output_audio_citation_mtok" / 1_000_000, [TOKENS, OUTPUT, AUDIO, CITATION, ANY];
    /// Of the images of the output, what was citations.
    OutputImageCitationTokens = "output_image_citation_tokens", "output_image_citation_mtok" / 1_000_000, [TOKENS, OUTPUT, IMAGE, CITATION, ANY];
    /// Of the video of the output, what was citations.
    OutputVideoCitationTokens = "output_video_citation_tokens", "output_video_citation_mtok" / 1_000_000, [TOKENS, OUTPUT, VIDEO, CITATION, ANY];
    /// Characters of the input, where these are billed in place of tokens.
    InputCharacters = "input_characters", "input_mchars" / 1_000_000, [CHARACTERS, INPUT, ANY, ANY, ANY];
    /// Messages of text in the input, where these are billed.
    InputTextMessages = "input_text_messages", "input_text_messages_kcount" / 1_000, [MESSAGES, INPUT, TEXT, ANY, ANY];
    /// Pixels of the input.
    InputPixels = "input_pixels", "input_gpixels" / 1_000_000_000, [PIXELS, INPUT, ANY, ANY, ANY];
    /// Pages of documents in the input.
    InputDocumentPages = "input_document_pages", "input_document_kpages" / 1_000, [PAGES, INPUT, ANY, ANY, ANY];
    /// Of the pages of the input, those that were annotated.
    InputAnnotatedDocumentPages = "input_annotated_document_pages", "input_annotated_document_kpages" / 1_000, [PAGES, INPUT, ANY, ANNOTATED, ANY];
    /// Searches whose results were ranked.
    RerankSearches = "rerank_searches", "rerank_searches_kcount" / 1_000, [RERANKING, ANY, ANY, ANY, ANY];
    /// Searches of the web that the provider made for the call.
    WebSearches = "web_searches", "web_searches_kcount" / 1_000, [TOOL_CALLS, ANY, ANY, WEB, ANY];
    /// Searches of social networks that the provider made for the call.
    SocialSearches = "social_searches", "social_searches_kcount" / 1_000, [TOOL_CALLS, ANY, ANY, SOCIAL, ANY];
    /// Searches of files that the caller keeps with the provider.
    StorageSearches = "storage_searches", "storage_searches_kcount" / 1_000, [TOOL_CALLS, ANY, ANY, STORAGE, ANY];
    /// Runs of code that the provider made for the call.
    CodeExecutions = "code_executions", "code_executions_kcount" / 1_000, [TOOL_CALLS, ANY, ANY, CODE, ANY];
    /// Calls. A call that says nothing of it is one.
    Requests = "requests", "requests_kcount" / 1_000, [REQUESTS, ANY, ANY, ANY, ANY];
}

/// How many kinds there are.
pub(crate) const N_KINDS: usize = UsageKind::ALL.len();

// A set of kinds is one word.
const _: () = assert!(N_KINDS <= KindSet::BITS as usize);

/// A set of kinds, one bit for each.
pub(crate) type KindSet = u64;

/// The kinds in a set, in their order.
pub(crate) fn kinds_in(mut set: KindSet) -> impl Iterator<Item = UsageKind> {
    std::iter::from_fn(move || {
        let kind = UsageKind::ALL.get(set.trailing_zeros() as usize)?;
        set &= set.wrapping_sub(1);
        Some(*kind)
    })
}

const fn is_part(part: Nature, whole: Nature) -> bool {
    let mut differs = false;
    let mut at = 0;
    while at < part.len() {
        if whole[at] != ANY && whole[at] != part[at] {
            return false;
        }
        differs |= whole[at] != part[at];
        at += 1;
    }
    differs
}

const PARTS: [KindSet; N_KINDS] = {
    let mut sets = [0; N_KINDS];
    let mut whole = 0;
    while whole < N_KINDS {
        let mut part = 0;
        while part < N_KINDS {
            if is_part(NATURES[part], NATURES[whole]) {
                sets[whole] |= 1 << part;
            }
            part += 1;
        }
        whole += 1;
    }
    sets
};

impl UsageKind {
    /// The kind of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// Whether this is a part of `whole`, and not all of it.
    ///
    /// ```
    /// use bursar_model_router::UsageKind;
    ///
    /// assert!(UsageKind::CacheReadTokens.is_part_of(UsageKind::InputTokens));
    /// assert!(!UsageKind::CacheReadTokens.is_part_of(UsageKind::InputAudioTokens));
    /// assert!(!UsageKind::InputTokens.is_part_of(UsageKind::InputTokens));
    /// ```
    #[must_use]
    pub const fn is_part_of(self, whole: Self) -> bool {
        whole.parts() & self.bit() != 0
    }

    /// Whether it is of the input or of the output; `None` for what is neither, such as a search.
    #[must_use]
    pub const fn direction(self) -> Option<Direction> {
        match self.nature()[1] {
            INPUT => Some(Direction::Input),
            OUTPUT => Some(Direction::Output),
            _ => None,
        }
    }

    const fn nature(self) -> Nature {
        NATURES[self as usize]
    }

    pub(crate) const fn bit(self) -> KindSet {
        1 << self as usize
    }

    /// Its parts, the parts of these included.
    pub(crate) const fn parts(self) -> KindSet {
        PARTS[self as usize]
    }

    /// How many dimensions it fixes; a part fixes more than its whole.
    pub(crate) fn depth(self) -> usize {
        self.nature().iter().filter(|&&it| it != ANY).count()
    }

    /// The largest kind that is a part of both, for kinds that overlap: cached sound for what is cached
    /// and for sound. `None` where one is a part of the other, where they exclude each other, and where
    /// no kind counts what they share.
    pub(crate) fn overlap(self, other: Self) -> Option<Self> {
        // What both share would be a part of both.
        if self.parts() & other.parts() == 0 {
            return None;
        }
        let (left, right) = (self.nature(), other.nature());
        if self == other || is_part(left, right) || is_part(right, left) {
            return None;
        }
        let mut shared = left;
        for (at, &dimension) in right.iter().enumerate() {
            match (shared[at], dimension) {
                (ANY, _) => shared[at] = dimension,
                (_, ANY) => {}
                (one, another) if one == another => {}
                _ => return None,
            }
        }
        let mut kinds = Self::ALL.iter().copied();
        kinds.find(|kind| kind.nature() == shared)
    }

    /// Whether providers bill this part of `whole` like the rest of it unless they say otherwise: text,
    /// reasoning, what tools gave, and a cache of five minutes. Sound, images, what comes from a cache
    /// and what stays in one for an hour have prices of their own as a rule.
    pub(crate) fn is_billed_alike(self, whole: Self) -> bool {
        let [_, _, modality, role, lifetime] = self.nature();
        let [_, _, whole_modality, whole_role, whole_lifetime] = whole.nature();
        (modality == whole_modality || modality == TEXT)
            && (role == whole_role || role == REASONING || role == TOOL)
            && (lifetime == whole_lifetime || lifetime == FIVE_MINUTES)
    }

    /// Whether its rate, and not that of `other`, is taken for what both share: what is cached costs what
    /// a cache costs, whether it is sound or text, and how long it is kept counts before all else.
    pub(crate) fn decides_over(self, other: Self) -> bool {
        let rank = |[_, _, _, role, lifetime]: Nature| (lifetime != ANY, role != ANY);
        rank(self.nature()) > rank(other.nature())
    }
}

impl fmt::Display for UsageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::UsageKind as Kind;
    use super::*;

    #[test]
    fn a_kind_is_read_back_from_its_name() {
        for &kind in Kind::ALL {
            assert_eq!(Kind::named(kind.name()), Some(kind));
            let json = serde_json::to_value(kind).unwrap();
            assert_eq!(json, kind.name());
            assert_eq!(serde_json::from_value::<Kind>(json).unwrap(), kind);
        }
    }

    #[test]
    fn parts_are_deeper_than_their_wholes_and_nest() {
        for &whole in Kind::ALL {
            for part in kinds_in(whole.parts()) {
                assert!(part.depth() > whole.depth(), "{part} in {whole}");
                assert_eq!(part.direction(), whole.direction());
                assert_eq!(part.parts() & !whole.parts(), 0, "{part} in {whole}");
            }
        }
        let of_cache_writes = kinds_in(Kind::CacheWriteTokens.parts()).count();
        assert_eq!(
            of_cache_writes,
            2 + 4 * 3,
            "two lifetimes; four modalities, alone and with each"
        );
    }

    #[test]
    fn kinds_that_overlap_have_a_kind_for_what_they_share() {
        let shared = Kind::InputAudioTokens.overlap(Kind::CacheReadTokens);
        assert_eq!(shared, Some(Kind::CacheAudioReadTokens));
        let excluded = Kind::InputAudioTokens.overlap(Kind::InputImageTokens);
        assert_eq!(excluded, None);
        assert_eq!(Kind::InputTokens.overlap(Kind::CacheReadTokens), None);
    }

    #[test]
    fn what_is_billed_like_the_rest_is_no_surprise() {
        assert!(Kind::OutputReasoningTokens.is_billed_alike(Kind::OutputTokens));
        assert!(Kind::CacheWrite5mTokens.is_billed_alike(Kind::CacheWriteTokens));
        assert!(!Kind::CacheWrite1hTokens.is_billed_alike(Kind::CacheWriteTokens));
        assert!(!Kind::CacheReadTokens.is_billed_alike(Kind::InputTokens));
        assert!(!Kind::InputAudioTokens.is_billed_alike(Kind::InputTokens));
    }
}
