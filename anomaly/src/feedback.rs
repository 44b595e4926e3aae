//! What does a person say of an alert, and what is normal from then on?

use jiff::{SignedDuration, Timestamp};

use crate::{Alarm, DetectorKind, Direction, Suppression};

/// What a person says of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Feedback {
    /// It is true and meant to be: this level is normal now.
    Expected,
    /// It is nothing: less sensitive here, please.
    FalseAlarm,
    /// It is true, and was worth telling. What was said before of this series is withdrawn.
    Confirmed,
}

/// What was learned from feedback, each for one series and direction.
///
/// - *Expected* is about a level, whoever measures it: it lets pass what is as far from the old expectation as the marked value, and a quarter
///   further ([`TOLERANCE`]).
/// - *False alarm* is about the detector that gave it: it lets pass what has as much evidence as the marked alarm, and half as much again
///   ([`EVIDENCE_MARGIN`]). Evidence is score ÷ (1 − score), so 1 is the alarm line.
///
/// Both allowances halve with every half-life, and end after four of them.
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Lessons {
    // A list and not a map, for JSON has no keys with several parts.
    lessons: Vec<Lesson>,
}

/// A level repeats within a quarter of its excess: instances come in steps, prices in percents.
const TOLERANCE: f64 = 1.25;

/// A false alarm that comes again is seldom of the same size.
const EVIDENCE_MARGIN: f64 = 1.5;

/// After four half-lives a sixteenth is left, which decides nothing.
const HALF_LIVES: f64 = 4.0;

#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Lesson {
    series: String,
    direction: Direction,
    since: Timestamp,
    allowance: Allowance,
}

#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
enum Allowance {
    /// The excess over what was expected when it was marked.
    Level { expected: f64, excess: f64 },
    /// The detector and the score of the false alarm.
    Score(DetectorKind, f64),
}

impl Lessons {
    /// Learns from feedback on the strongest alarm of each detector that noticed an event.
    pub(crate) fn learn(&mut self, feedback: Feedback, strongest: &[&Alarm], now: Timestamp) {
        if let (Feedback::Confirmed, Some(alarm)) = (feedback, strongest.first()) {
            let (series, direction) = (&alarm.series, alarm.direction);
            let is_of_event = |l: &Lesson| l.series == *series && l.direction == direction;
            self.lessons.retain(|lesson| !is_of_event(lesson));
        }
        for alarm in strongest {
            if let Some(allowance) = Allowance::new(feedback, alarm) {
                self.insert(Lesson {
                    series: alarm.series.clone(),
                    direction: alarm.direction,
                    since: now,
                    allowance,
                });
            }
        }
    }

    /// Adds a lesson in the place of an older one on the same.
    fn insert(&mut self, lesson: Lesson) {
        self.lessons.retain(|old| !old.is_replaced_by(&lesson));
        self.lessons.push(lesson);
    }

    /// What was said of such alarms, where it lets this one pass.
    pub(crate) fn excuse(&self, alarm: &Alarm, half_life: SignedDuration) -> Option<Suppression> {
        let mut of_alarm = self.lessons.iter().filter(|lesson| lesson.is_for(alarm));
        of_alarm
            .find(|lesson| lesson.allows(alarm, half_life))
            .map(|lesson| lesson.allowance.suppression())
    }

    /// Forgets what has no weight any more.
    pub(crate) fn forget(&mut self, now: Timestamp, half_life: SignedDuration) {
        self.lessons
            .retain(|lesson| lesson.left(now, half_life).is_some());
    }
}

impl Lesson {
    fn is_for(&self, alarm: &Alarm) -> bool {
        let is_heard = match self.allowance {
            Allowance::Level { .. } => true,
            Allowance::Score(detector, _) => detector == alarm.detector,
        };
        is_heard && self.series == alarm.series && self.direction == alarm.direction
    }

    /// Whether a newer lesson says more of the same. Of one answer, which has one time, the larger
    /// excess stays.
    fn is_replaced_by(&self, newer: &Self) -> bool {
        let is_same = match (self.allowance, newer.allowance) {
            (Allowance::Level { excess: old, .. }, Allowance::Level { excess: new, .. }) => {
                self.since != newer.since || old <= new
            }
            (Allowance::Score(old, _), Allowance::Score(new, _)) => old == new,
            _ => false,
        };
        is_same && self.series == newer.series && self.direction == newer.direction
    }

    fn allows(&self, alarm: &Alarm, half_life: SignedDuration) -> bool {
        let Some(left) = self.left(alarm.when.start(), half_life) else {
            return false;
        };
        match self.allowance {
            Allowance::Level { expected, excess } => {
                (alarm.figures.level() - expected).abs() <= excess * TOLERANCE * left
            }
            Allowance::Score(_, score) => {
                evidence(alarm.score) <= evidence(score) * EVIDENCE_MARGIN * left
            }
        }
    }

    /// The part of the allowance that is left; alarms from before the feedback have all of it.
    fn left(&self, now: Timestamp, half_life: SignedDuration) -> Option<f64> {
        let age = now.duration_since(self.since).as_secs_f64();
        let half_lives = (age / half_life.as_secs_f64()).max(0.0);
        (half_lives < HALF_LIVES).then(|| (-half_lives).exp2())
    }
}

impl Allowance {
    fn new(feedback: Feedback, alarm: &Alarm) -> Option<Self> {
        match feedback {
            Feedback::Expected => {
                let (expected, level) = (alarm.figures.expected_level(), alarm.figures.level());
                let excess = (level - expected).abs();
                Some(Self::Level { expected, excess })
            }
            Feedback::FalseAlarm => Some(Self::Score(alarm.detector, alarm.score)),
            Feedback::Confirmed => None,
        }
    }

    fn suppression(&self) -> Suppression {
        match self {
            Self::Level { .. } => Suppression::Expected,
            Self::Score(..) => Suppression::FalseAlarm,
        }
    }
}

/// The evidence of a score, in alarm lines; that of the score 1 is as large as a score can tell.
fn evidence(score: f64) -> f64 {
    score / (1.0 - score).max(f64::EPSILON)
}
