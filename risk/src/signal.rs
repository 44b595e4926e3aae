//! What is known about a consumer right now? Named numbers and codes, each present or missing.

use std::fmt;

use crate::error::RuleError;

/// The most signals a [`Vocabulary`] holds: one bit each of a machine word says which are known.
pub const MAX_SIGNALS: usize = 64;

/// A signal by its place in a [`Vocabulary`]; looking one up in a [`Context`] compares no names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Signal(u8);

/// Whether a signal is measured or says one of several names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignalKind {
    /// A finite number.
    Number,
    /// A short name, such as a country.
    Code,
}

/// Declares the signals that the crate knows, so that names, constants and kinds stay together.
macro_rules! standard {
    ($($constant:ident $name:literal $kind:ident $documentation:literal,)*) => {
        impl Signal {
            $(
                #[doc = $documentation]
                pub const $constant: Self = Self(Standard::$constant as u8);
            )*
        }

        /// Numbers the standard signals in the order of their declaration.
        #[expect(clippy::upper_case_acronyms, non_camel_case_types, reason = "named after the constants")]
        enum Standard { $($constant,)* }

        const STANDARD: &[(&str, SignalKind)] = &[$(($name, SignalKind::$kind),)*];
    };
}

standard! {
    TOKENS_PER_MINUTE "tokens_per_minute" Number "Input and output tokens of the last minute.",
    UNIQUE_IPS "unique_ips" Number "Distinct addresses in the window, IPv6 by /64; exact up to one over the threshold.",
    USAGE_ANOMALY "usage_anomaly" Number "How far today's use departs from the account's own history, from 0 to 1.",
    ACCOUNT_AGE_DAYS "account_age_days" Number "Days since the account was made.",
    SPEND_PER_DAY "spend_per_day" Number "What the last 24 hours cost, in the currency of the events.",
    UNIQUE_NETWORKS "unique_networks" Number "Distinct autonomous systems of the last day.",
    UNIQUE_COUNTRIES "unique_countries" Number "Distinct countries of the last day.",
    REQUESTS_PER_HOUR "requests_per_hour" Number "Requests of the last hour.",
    CONCURRENT_SESSIONS "concurrent_sessions" Number "Sessions (network and client) that overlap now.",
    CONCURRENT_NETWORKS "concurrent_networks" Number "Access networks that overlap now; hosting and VPN networks do not count.",
    TRAVEL_KMH "travel_kmh" Number "The least speed at which the last two places can both be true, in km/h.",
    IMPOSSIBLE_TRAVELS "impossible_travels" Number "Impossible travels between access networks, faded by half each day.",
    NETWORK_SPREAD "network_spread" Number "Effective number of access networks, 2 to the power of their entropy.",
    CLIENT_SPREAD "client_spread" Number "Effective number of clients, 2 to the power of their entropy.",
    NEW_NETWORK_SHARE "new_network_share" Number "Share of recent tokens from networks the account had not used before.",
    NEW_CLIENT_SHARE "new_client_share" Number "Share of recent tokens from clients the account had not used before.",
    NEW_PLACE_SHARE "new_place_share" Number "Share of recent tokens from a network and a client that are both new.",
    SPEND_JUMP "spend_jump" Number "Spend of the last day over the account's usual day.",
    ACTIVE_HOURS "active_hours" Number "Hours of the last 24 in which there was a request.",
    HOSTING_SHARE "hosting_share" Number "Share of recent tokens from hosting and VPN networks.",
    LEARNED_RISK "learned_risk" Number "The model's calibrated probability that the account is abused.",
    PLAN_TOKENS_PER_MINUTE "plan_tokens_per_minute" Number "What the plan allows in a minute.",
    NETWORK "network" Number "The autonomous system of this request.",
    COUNTRY "country" Code "The country of this request, ISO 3166 alpha-2.",
    TIER "tier" Code "The plan, such as `free`.",
}

impl Signal {
    /// The place in the vocabulary, below [`MAX_SIGNALS`].
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    const fn bit(self) -> u64 {
        1 << (self.0 as u64 & 63)
    }
}

/// The names of signals: the standard ones, and those of the caller's own.
///
/// ```
/// use bursar_risk::{Signal, Vocabulary};
///
/// let mut vocabulary = Vocabulary::standard();
/// assert_eq!(vocabulary.find("unique_ips"), Some(Signal::UNIQUE_IPS));
/// let chargebacks = vocabulary.define_number("chargebacks")?;
/// assert_eq!(vocabulary.name(chargebacks), "chargebacks");
/// # Ok::<(), bursar_risk::RuleError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vocabulary {
    own: Vec<(String, SignalKind)>,
}

impl Default for Vocabulary {
    fn default() -> Self {
        Self::standard()
    }
}

impl Vocabulary {
    /// The signals that the crate computes or names.
    #[must_use]
    pub const fn standard() -> Self {
        Self { own: Vec::new() }
    }

    /// Adds a measured signal of the caller's own.
    ///
    /// # Errors
    /// [`RuleError`] when the name is taken or is not lower-case letters, digits and `_`, or when
    /// there are [`MAX_SIGNALS`] already.
    pub fn define_number(&mut self, name: &str) -> Result<Signal, RuleError> {
        self.define(name, SignalKind::Number)
    }

    /// Adds a named signal of the caller's own, which is compared with lists of codes.
    ///
    /// # Errors
    /// As [`define_number`](Self::define_number).
    pub fn define_code(&mut self, name: &str) -> Result<Signal, RuleError> {
        self.define(name, SignalKind::Code)
    }

    fn define(&mut self, name: &str, kind: SignalKind) -> Result<Signal, RuleError> {
        if !is_name(name) {
            return Err(RuleError::new(format!(
                "the signal name `{}` is not made of lower-case letters, digits and `_`: rename it",
                name.escape_default()
            )));
        }
        if self.find(name).is_some() {
            return Err(RuleError::new(format!(
                "the signal `{name}` is defined already: define it once"
            )));
        }
        let index = STANDARD.len() + self.own.len();
        if index >= MAX_SIGNALS {
            return Err(RuleError::new(format!(
                "there are {MAX_SIGNALS} signals before `{name}`: remove some"
            )));
        }
        self.own.push((name.to_owned(), kind));
        Ok(Signal(u8::try_from(index).unwrap_or(u8::MAX)))
    }

    /// The signal of a name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<Signal> {
        let index = self.entries().position(|(known, _)| known == name)?;
        u8::try_from(index).ok().map(Signal)
    }

    /// The name of a signal; `?` for one of another vocabulary.
    #[must_use]
    pub fn name(&self, signal: Signal) -> &str {
        self.entry(signal).map_or("?", |(name, _)| name)
    }

    /// What the signal holds; `None` for one of another vocabulary.
    #[must_use]
    pub fn kind(&self, signal: Signal) -> Option<SignalKind> {
        self.entry(signal).map(|(_, kind)| kind)
    }

    /// All signals in their order.
    pub fn signals(&self) -> impl Iterator<Item = Signal> + '_ {
        (0..self.entries().count()).filter_map(|index| u8::try_from(index).ok().map(Signal))
    }

    /// The names of the caller's own signals of one kind.
    #[cfg(feature = "serde")]
    pub(crate) fn own(&self, kind: SignalKind) -> impl Iterator<Item = &str> {
        let of_kind = move |entry: &&(String, SignalKind)| entry.1 == kind;
        self.own
            .iter()
            .filter(of_kind)
            .map(|(name, _)| name.as_str())
    }

    fn entry(&self, signal: Signal) -> Option<(&str, SignalKind)> {
        match STANDARD.get(signal.index()) {
            Some(&entry) => Some(entry),
            None => {
                let own = self.own.get(signal.index() - STANDARD.len())?;
                Some((&own.0, own.1))
            }
        }
    }

    fn entries(&self) -> impl Iterator<Item = (&str, SignalKind)> {
        let own = self.own.iter().map(|(name, kind)| (name.as_str(), *kind));
        STANDARD.iter().copied().chain(own)
    }
}

/// Whether a text can name a signal or a rule.
pub(crate) fn is_name(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    !text.is_empty() && text.len() <= 64 && text.bytes().all(is_allowed)
}

/// A name of at most eight printable ASCII characters, kept in one word.
///
/// ```
/// use bursar_risk::Code;
///
/// let country = Code::new("DE")?;
/// assert_eq!(country.to_string(), "DE");
/// assert!(Code::new("Deutschland").is_err());
/// # Ok::<(), bursar_risk::RuleError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "String", into = "String"))]
pub struct Code([u8; 8]);

impl Code {
    /// Keeps a name.
    ///
    /// # Errors
    /// [`RuleError`] when the text is empty, longer than eight bytes or not printable ASCII.
    pub fn new(text: &str) -> Result<Self, RuleError> {
        let bytes = text.as_bytes();
        if bytes.is_empty() || bytes.len() > 8 || !bytes.iter().all(u8::is_ascii_graphic) {
            return Err(RuleError::new(format!(
                "`{}` is not 1 to 8 printable ASCII characters: shorten it",
                text.chars().take(40).collect::<String>().escape_default()
            )));
        }
        let mut code = [0; 8];
        code[..bytes.len()].copy_from_slice(bytes);
        Ok(Self(code))
    }

    /// The name as one word, the same for the same name.
    pub(crate) const fn word(self) -> u64 {
        u64::from_le_bytes(self.0)
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let end = self.0.iter().position(|&byte| byte == 0).unwrap_or(8);
        std::str::from_utf8(&self.0[..end]).unwrap_or_default()
    }
}

#[cfg(feature = "serde")]
impl TryFrom<String> for Code {
    type Error = RuleError;

    fn try_from(text: String) -> Result<Self, RuleError> {
        Self::new(&text)
    }
}

#[cfg(feature = "serde")]
impl From<Code> for String {
    fn from(code: Code) -> Self {
        code.as_str().to_owned()
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Code({self})")
    }
}

/// What is known of a consumer at one moment. Whatever was not set is missing, which is not zero.
///
/// ```
/// use bursar_risk::{Context, Signal};
///
/// let context = Context::new().with(Signal::UNIQUE_IPS, 4.0);
/// assert_eq!(context.number(Signal::UNIQUE_IPS), Some(4.0));
/// assert_eq!(context.number(Signal::SPEND_PER_DAY), None);
/// ```
#[derive(Clone, Copy, PartialEq)]
pub struct Context {
    present: u64,
    values: [u64; MAX_SIGNALS],
}

impl Default for Context {
    fn default() -> Self {
        Self::new()
    }
}

impl Context {
    /// Nothing is known yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            present: 0,
            values: [0; MAX_SIGNALS],
        }
    }

    /// Sets a measured signal. NaN and infinities are not measurements: they make it missing.
    pub fn set(&mut self, signal: Signal, value: f64) {
        match value.is_finite() {
            true => self.store(signal, value.to_bits()),
            false => self.clear(signal),
        }
    }

    /// Sets a signal that is a name.
    pub fn set_code(&mut self, signal: Signal, code: Code) {
        self.store(signal, u64::from_le_bytes(code.0));
    }

    /// Makes a signal missing again.
    pub fn clear(&mut self, signal: Signal) {
        self.present &= !signal.bit();
        self.values[signal.index() % MAX_SIGNALS] = 0;
    }

    /// [`set`](Self::set) in one expression.
    #[must_use]
    pub fn with(mut self, signal: Signal, value: f64) -> Self {
        self.set(signal, value);
        self
    }

    /// [`set_code`](Self::set_code) in one expression.
    #[must_use]
    pub fn with_code(mut self, signal: Signal, code: Code) -> Self {
        self.set_code(signal, code);
        self
    }

    /// A measured signal, or `None` while it is missing.
    #[must_use]
    #[inline]
    pub fn number(&self, signal: Signal) -> Option<f64> {
        self.word(signal).map(f64::from_bits)
    }

    /// A signal that is a name, or `None` while it is missing.
    #[must_use]
    #[inline]
    pub fn code(&self, signal: Signal) -> Option<Code> {
        self.word(signal).map(|word| Code(word.to_le_bytes()))
    }

    /// Whether the signal is known.
    #[must_use]
    pub const fn is_known(&self, signal: Signal) -> bool {
        self.present & signal.bit() != 0
    }

    /// The bits of a signal, zero while it is missing.
    #[inline]
    pub(crate) const fn word_or_zero(&self, signal: Signal) -> u64 {
        self.values[signal.index() % MAX_SIGNALS]
    }

    #[inline]
    fn word(&self, signal: Signal) -> Option<u64> {
        let word = self.word_or_zero(signal);
        self.is_known(signal).then_some(word)
    }

    fn store(&mut self, signal: Signal, word: u64) {
        self.present |= signal.bit();
        self.values[signal.index() % MAX_SIGNALS] = word;
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = STANDARD
            .iter()
            .zip(0_u8..)
            .filter_map(|(&(name, kind), index)| {
                let signal = Signal(index);
                let value = match kind {
                    SignalKind::Number => self.number(signal)?.to_string(),
                    SignalKind::Code => self.code(signal)?.to_string(),
                };
                Some((name, value))
            });
        formatter.debug_map().entries(known).finish()
    }
}
