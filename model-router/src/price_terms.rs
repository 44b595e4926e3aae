//! When, where and for which way of processing does a price hold, and who says so?

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

use crate::name::Region;
use crate::price::RateCard;

/// How a call is processed, as far as it has a price of its own.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Processing {
    /// At once, in the order of arrival.
    #[default]
    Standard,
    /// Some time within a day or more, many calls together.
    Batch,
    /// At once, when there is room: OpenAI's, Google's and Bedrock's `flex`.
    Flex,
    /// At once and before others: `priority`.
    Priority,
    /// At once and quicker: what OpenAI calls `fast` since October 2026.
    Fast,
}

impl Processing {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Standard,
        Self::Batch,
        Self::Flex,
        Self::Priority,
        Self::Fast,
    ];

    /// The name in data, `batch`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Batch => "batch",
            Self::Flex => "flex",
            Self::Priority => "priority",
            Self::Fast => "fast",
        }
    }

    /// That of the name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|it| it.name() == name)
    }
}

impl std::fmt::Display for Processing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// When, where and how a call was made: what its price depends on beside its usage.
///
/// ```
/// use bursar_model_router::{PriceContext, Processing, Region};
///
/// let context = PriceContext::at("2026-11-20T12:00:00Z".parse()?)
///     .with_processing(Processing::Batch)
///     .in_region(Region::new("eu")?);
/// assert_eq!(context.processing, Processing::Batch);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
#[must_use]
pub struct PriceContext {
    /// When the call was made.
    pub at: Timestamp,
    /// How it was processed.
    pub processing: Processing,
    /// Where, in the words of the price list; `None` for the provider's ordinary price.
    pub region: Option<Region>,
}

impl PriceContext {
    /// A call made then, processed at once, at the provider's ordinary price.
    pub const fn at(at: Timestamp) -> Self {
        Self {
            at,
            processing: Processing::Standard,
            region: None,
        }
    }

    /// Processed in this way.
    pub const fn with_processing(mut self, processing: Processing) -> Self {
        self.processing = processing;
        self
    }

    /// Made there.
    pub fn in_region(mut self, region: Region) -> Self {
        self.region = Some(region);
        self
    }
}

/// When a price holds.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct Validity {
    /// The first day, from its midnight in UTC on; `None` for since ever.
    pub from: Option<Date>,
    /// The first day on which it holds no more; `None` for until further notice.
    pub until: Option<Date>,
    /// The hours of each day.
    pub daily: Option<DailyWindow>,
}

/// Hours of a day in UTC. A window that ends before it starts goes over midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct DailyWindow {
    /// Its first moment.
    pub start: Time,
    /// The first moment after it.
    pub end: Time,
}

impl Validity {
    /// Always.
    pub const ALWAYS: Self = Self {
        from: None,
        until: None,
        daily: None,
    };

    /// Whether it holds at that moment.
    ///
    /// ```
    /// use bursar_model_router::Validity;
    ///
    /// let from_august = Validity {
    ///     from: Some("2026-08-01".parse()?),
    ///     ..Validity::ALWAYS
    /// };
    /// assert!(from_august.contains("2026-08-01T00:00:00Z".parse()?));
    /// assert!(!from_august.contains("2026-07-31T23:59:59Z".parse()?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn contains(&self, at: Timestamp) -> bool {
        if *self == Self::ALWAYS {
            return true;
        }
        let moment = TimeZone::UTC.to_datetime(at);
        self.from.is_none_or(|from| from <= moment.date())
            && self.until.is_none_or(|until| moment.date() < until)
            && self.daily.is_none_or(|daily| daily.contains(moment.time()))
    }

    /// When both hold; `None` if that is never, or at two times of a day.
    pub(crate) fn and(self, other: Self) -> Option<Self> {
        let from = self.from.max(other.from);
        let until = match (self.until, other.until) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        let daily = match (self.daily, other.daily) {
            (Some(one), Some(other)) if one != other => return None,
            (one, other) => one.or(other),
        };
        let is_never = from.zip(until).is_some_and(|(from, until)| from >= until);
        (!is_never).then_some(Self { from, until, daily })
    }
}

impl DailyWindow {
    fn contains(&self, time: Time) -> bool {
        if self.end < self.start {
            return time >= self.start || time < self.end;
        }
        (self.start..self.end).contains(&time)
    }
}

/// Who says what a price is, and when it was read there.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Source {
    /// The price list, such as `genai-prices`.
    pub name: String,
    /// The page behind it, where the list names one.
    pub url: Option<String>,
    /// When the list was read.
    pub read_on: Option<Date>,
}

impl Source {
    /// A list of this name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            url: None,
            read_on: None,
        }
    }

    /// Read on this day.
    #[must_use]
    pub fn read_on(mut self, date: Date) -> Self {
        self.read_on = Some(date);
        self
    }

    /// With the page behind it.
    #[must_use]
    pub fn with_url(mut self, url: &str) -> Self {
        self.url = Some(url.to_owned());
        self
    }
}

/// A rate card with its conditions and its source.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Price {
    /// The rates.
    pub rates: RateCard,
    /// When they hold.
    pub validity: Validity,
    /// For which processing.
    pub processing: Processing,
    /// Where; `None` for the provider's ordinary price.
    pub region: Option<Region>,
    /// Who says so.
    pub source: Arc<Source>,
}

impl Price {
    /// These rates, always, everywhere, for what is processed at once.
    pub const fn new(rates: RateCard, source: Arc<Source>) -> Self {
        Self {
            rates,
            validity: Validity::ALWAYS,
            processing: Processing::Standard,
            region: None,
            source,
        }
    }

    /// Holding then.
    pub const fn valid(mut self, validity: Validity) -> Self {
        self.validity = validity;
        self
    }

    /// For this processing.
    pub const fn for_processing(mut self, processing: Processing) -> Self {
        self.processing = processing;
        self
    }

    /// For this region.
    pub fn in_region(mut self, region: Region) -> Self {
        self.region = Some(region);
        self
    }

    /// Whether it is for this processing and holds at this time; where is another question.
    pub(crate) fn holds(&self, context: &PriceContext) -> bool {
        self.processing == context.processing && self.validity.contains(context.at)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, time};

    use super::*;

    fn window(start: Time, end: Time) -> Validity {
        Validity {
            daily: Some(DailyWindow { start, end }),
            ..Validity::ALWAYS
        }
    }

    fn holds(validity: Validity, at: &str) -> bool {
        validity.contains(at.parse().unwrap())
    }

    #[test]
    fn hours_may_go_over_midnight() {
        let day = window(time(0, 30, 0, 0), time(16, 30, 0, 0));
        let night = window(time(16, 30, 0, 0), time(0, 30, 0, 0));
        for (at, is_day) in [
            ("2025-11-06T00:29:59Z", false),
            ("2025-11-06T00:30:00Z", true),
            ("2025-11-06T16:29:59Z", true),
            ("2025-11-06T16:30:00Z", false),
        ] {
            assert_eq!(
                (holds(day, at), holds(night, at)),
                (is_day, !is_day),
                "{at}"
            );
        }
    }

    #[test]
    fn two_validities_hold_where_both_do() {
        let from = |from| Validity {
            from: Some(from),
            ..Validity::ALWAYS
        };
        let until = |until| Validity {
            until: Some(until),
            ..Validity::ALWAYS
        };
        let (may, june) = (date(2026, 5, 1), date(2026, 6, 1));
        assert_eq!(from(may).and(from(june)), Some(from(june)));
        assert_eq!(from(june).and(until(may)), None);
        let both = from(may).and(until(june)).unwrap();
        assert!(holds(both, "2026-05-31T23:59:59Z") && !holds(both, "2026-06-01T00:00:00Z"));
        let (day, night) = (
            window(time(8, 0, 0, 0), time(20, 0, 0, 0)),
            window(time(20, 0, 0, 0), time(8, 0, 0, 0)),
        );
        assert_eq!(day.and(night), None);
        assert_eq!(day.and(Validity::ALWAYS), Some(day));
    }
}
