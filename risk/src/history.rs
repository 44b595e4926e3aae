//! What is usual for this account? Its spend on a day, and the hours of the day it is active in.

use crate::shares::DAY_MS;

/// The account's own past: an average of daily spend, and how its requests are spread over the day.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub(crate) struct History {
    day: i64,
    #[cfg_attr(feature = "serde", serde(deserialize_with = "crate::format::amount"))]
    spend_today: f64,
    #[cfg_attr(feature = "serde", serde(deserialize_with = "crate::format::amount"))]
    usual: f64,
    days: u32,
    #[cfg_attr(feature = "serde", serde(deserialize_with = "hours"))]
    today: [f32; 24],
    #[cfg_attr(feature = "serde", serde(deserialize_with = "hours"))]
    past: [f32; 24],
}

/// A new day counts a fifth: a week of another use becomes usual, a day does not.
const NEW_DAY: f64 = 0.2;

/// Past hours fade by this each day, a half-life of about two weeks.
const FADE: f32 = 0.95;

/// So many requests of past habits are mixed into today's, or a morning would look like another life.
const PRIOR: f32 = 20.0;

/// Days of activity before the hours of a day are a habit.
const HABIT_DAYS: u32 = 7;

impl History {
    pub(crate) fn add(&mut self, spend: u64, at_ms: i64) {
        let day = at_ms.div_euclid(DAY_MS);
        if day > self.day {
            self.close_day();
            self.day = day;
        }
        self.spend_today += spend as f64;
        let hour = at_ms.rem_euclid(DAY_MS) / 3_600_000;
        if day == self.day {
            self.today[hour.rem_euclid(24) as usize] += 1.0;
        }
    }

    /// What a day of activity costs, in the unit of [`add`](Self::add); known after the first day.
    pub(crate) fn usual_spend(&self) -> Option<f64> {
        (self.days > 0).then_some(self.usual)
    }

    /// The Jensen-Shannon divergence (Lin, 1991) between today's hours and those of the past, from 0
    /// (alike) to 1 (no hour in common), with today drawn toward the past while it is short.
    pub(crate) fn anomaly(&self, at_ms: i64) -> Option<f64> {
        if self.days < HABIT_DAYS || at_ms.div_euclid(DAY_MS) != self.day {
            return None;
        }
        let past_total: f32 = self.past.iter().sum();
        let today_total: f32 = self.today.iter().sum();
        if past_total <= 0.0 {
            return None;
        }
        let past = self.past.map(|weight| weight / past_total);
        let mut today = [0.0; 24];
        for (hour, share) in today.iter_mut().enumerate() {
            *share = (self.today[hour] + PRIOR * past[hour]) / (today_total + PRIOR);
        }
        Some(divergence(&today, &past))
    }

    fn close_day(&mut self) {
        if self.today.iter().all(|&requests| requests <= 0.0) {
            return;
        }
        self.usual = match self.days {
            0 => self.spend_today,
            _ => self.usual + NEW_DAY * (self.spend_today - self.usual),
        };
        self.days = self.days.saturating_add(1);
        for (past, today) in self.past.iter_mut().zip(&self.today) {
            *past = *past * FADE + today;
        }
        self.today = [0.0; 24];
        self.spend_today = 0.0;
    }
}

fn divergence(one: &[f32; 24], other: &[f32; 24]) -> f64 {
    let mut sum = 0.0;
    for (&p, &q) in one.iter().zip(other) {
        let (p, q) = (f64::from(p), f64::from(q));
        let middle = f64::midpoint(p, q);
        if p > 0.0 {
            sum += 0.5 * p * (p / middle).log2();
        }
        if q > 0.0 {
            sum += 0.5 * q * (q / middle).log2();
        }
    }
    sum.clamp(0.0, 1.0)
}

/// Requests by hour: finite and not negative.
#[cfg(feature = "serde")]
fn hours<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<[f32; 24], D::Error> {
    let hours = <[f32; 24] as serde::Deserialize>::deserialize(deserializer)?;
    for &requests in &hours {
        crate::format::check_amount(f64::from(requests)).map_err(serde::de::Error::custom)?;
    }
    Ok(hours)
}
