//! What has to be told now, and what is known already?

use std::collections::BTreeMap;

use bursar_units::MoneyError;
use jiff::Timestamp;

use crate::event::Count;
use crate::feedback::Lessons;
use crate::{
    Alarm, Alert, DayProjection, DetectorKind, Direction, Escalation, Event, EventId, Feedback,
    PlannedEvent, Policy, Severity, Suppression,
};

/// Keeps the events of any number of series: alarms of every detector go in, and what comes out is
/// what has to be told.
///
/// # Life of an event
/// The first alarm of a series opens an event. Further alarms in the same direction, of any detector,
/// belong to it as long as less than the quiet time of the [`Policy`] lies between them: the one alert
/// is updated, and told again only when its severity rises or its money at stake has grown by the
/// factor of the policy. It closes exactly one quiet time after the end of its last point or day,
/// whenever that is noticed.
///
/// # Feeding twice
/// An alarm that is not newer than the last of its detector and direction is
/// [stale](Update::Stale) and changes nothing, so a history may be fed again. Only one that is as new
/// and has other numbers corrects its alert. An alarm that comes after its event was closed reopens it.
///
/// # Time
/// [`advance`](Self::advance) closes and forgets; call it once for each round of reports, since it
/// looks at every series. Its argument is the time through which the series are known: with days that
/// arrive a day late that is yesterday's end, not now.
///
/// # Memory
/// One to three events, of about 1 kB each, for each series that had alerts within the policy's memory;
/// series without alerts take none.
///
/// ```
/// use bursar_anomaly::{
///     Alarm, AlertBook, DetectorKind, Direction, Interval, Policy, Update, Verdict, When,
/// };
/// use bursar_units::Quantum;
/// use jiff::civil::date;
///
/// let verdict = |actual| Verdict {
///     score: 0.97,
///     direction: Direction::Rise,
///     actual,
///     expected: 12.65,
///     interval: Interval { low: 10.1, high: 15.2 },
/// };
/// let alarm = |day, text: &str| {
///     let (day, cost) = (When::Day(date(2026, 11, day)), format!("{text} USD").parse()?);
///     let verdict = verdict(text.parse()?);
///     let alarm =
///         Alarm::of_cost("aws/prod", day, cost, DetectorKind::ZScore, &verdict, Quantum::MINOR_UNIT)?;
///     Ok::<_, Box<dyn std::error::Error>>(alarm)
/// };
///
/// let mut book = AlertBook::new(Policy::daily());
/// let told = book.report(alarm(20, "20.65")?)?;
/// assert!(matches!(&told[..], [Update::Opened(event)] if event.id.as_str() == "aws/prod@2026-11-20#1"));
/// // The next day is worse: the same event, told again.
/// let told = book.report(alarm(21, "47.82")?)?;
/// assert!(matches!(&told[..], [Update::Escalated { event, .. }] if event.n_alarms == 2));
/// // Three days without alarm after the 21st, and it is over.
/// let told = book.advance("2026-11-25T00:00:00Z".parse()?);
/// let [Update::Closed(event)] = &told[..] else { panic!("it closes") };
/// assert_eq!(event.at_stake.unwrap().to_string(), "43.17 USD");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AlertBook {
    #[cfg(feature = "serde")]
    format: crate::format::Format<1>,
    policy: Policy,
    plans: Vec<PlannedEvent>,
    lessons: Lessons,
    tracks: BTreeMap<String, Track>,
    /// An older alarm of a series that is not known may be one that was forgotten.
    forgotten_before: Timestamp,
}

/// What an alarm, the time or a person has changed, with the event as it is now.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
#[must_use]
pub enum Update {
    /// A new event: tell it.
    Opened(Event),
    /// It became worse: tell it again.
    Escalated {
        /// The event.
        event: Event,
        /// By what.
        by: Escalation,
    },
    /// It goes on as it was told.
    Continued(Event),
    /// It goes on after all: an alarm came later than the time at which it was closed.
    Reopened(Event),
    /// It is over.
    Closed(Event),
    /// The alarm is explained by a plan.
    Planned {
        /// The alarm.
        alarm: Alarm,
        /// What is planned.
        note: String,
    },
    /// The alarm is not worth an alert.
    Suppressed {
        /// The alarm.
        alarm: Alarm,
        /// Why not.
        reason: Suppression,
    },
    /// The alarm is known already, or about a time that is forgotten.
    Stale(Alarm),
}

impl Update {
    /// The event, where it is about one.
    #[must_use]
    pub const fn event(&self) -> Option<&Event> {
        match self {
            Self::Opened(event)
            | Self::Escalated { event, .. }
            | Self::Continued(event)
            | Self::Reopened(event)
            | Self::Closed(event) => Some(event),
            Self::Planned { .. } | Self::Suppressed { .. } | Self::Stale(_) => None,
        }
    }

    /// Whether a person should hear of it now: a new event, or one that became worse.
    #[must_use]
    pub const fn is_news(&self) -> bool {
        matches!(self, Self::Opened(_) | Self::Escalated { .. })
    }
}

/// Why the book could not take something in; it is then as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BookError {
    /// The money of the alarm cannot be added to that of its event.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// Every series that is remembered has an open event.
    #[error(
        "{capacity} series have open events, and the book holds no more: raise the capacity, or find out what ails all of them"
    )]
    Full {
        /// How many series the book holds.
        capacity: usize,
    },
    /// There is no such event, or none any more.
    #[error("the event `{0}` is not known: it never was, or is forgotten")]
    UnknownEvent(EventId),
}

/// What is remembered of one series.
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Track {
    /// The open ones, and the last closed one of each direction.
    events: Vec<Event>,
    /// The last alarm of each detector and direction.
    marks: Vec<Mark>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Mark {
    detector: DetectorKind,
    direction: Direction,
    at: Timestamp,
    level: f64,
    score: f64,
}

/// What is done with an alarm.
enum Judgment {
    Tell(Severity),
    Planned(String),
    Suppressed(Suppression),
}

impl AlertBook {
    /// A book without events.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self {
            #[cfg(feature = "serde")]
            format: crate::format::Format,
            policy,
            plans: Vec::new(),
            lessons: Lessons::default(),
            tracks: BTreeMap::new(),
            forgotten_before: Timestamp::MIN,
        }
    }

    /// Takes an alarm in: closes the events of its series that are over at its time, and then says
    /// what became of it, as the last update.
    ///
    /// # Errors
    /// [`BookError::Money`] when the alarm's currency is not that of its event or the sum is out of
    /// range; [`BookError::Full`].
    pub fn report(&mut self, alarm: Alarm) -> Result<Vec<Update>, BookError> {
        let Some(count) = self.novelty(&alarm) else {
            return Ok(vec![Update::Stale(alarm)]);
        };
        let (series, start) = (alarm.series.clone(), alarm.when.start());
        let outcome = match self.judge(&alarm) {
            Judgment::Tell(severity) => self.take_in(Alert { severity, alarm }, count)?,
            Judgment::Planned(note) => Update::Planned { alarm, note },
            Judgment::Suppressed(reason) => Update::Suppressed { alarm, reason },
        };
        let mut updates = Vec::new();
        if let Some(track) = self.tracks.get_mut(&series) {
            track.close_due(start, &mut updates);
        }
        updates.push(outcome);
        Ok(updates)
    }

    /// Closes every event that is over at a moment, and forgets what is older than the memory of the
    /// policy. Going back in time does nothing.
    pub fn advance(&mut self, now: Timestamp) -> Vec<Update> {
        let mut updates = Vec::new();
        for track in self.tracks.values_mut() {
            track.close_due(now, &mut updates);
        }
        let memory = now.checked_sub(self.policy.memory_time());
        let before = memory.unwrap_or(Timestamp::MIN);
        self.forgotten_before = self.forgotten_before.max(before);
        self.tracks.retain(|_, track| !track.is_over_before(before));
        self.plans.retain(|plan| plan.until() > before);
        self.lessons.forget(now, self.policy.feedback_half_life());
        updates
    }

    /// Takes in what a person says of an event, open or closed, and changes what is normal from now
    /// on. An event that is [expected](Feedback::Expected) or [false](Feedback::FalseAlarm) closes
    /// with its last point or day.
    ///
    /// - *Expected*: in this series and direction nothing is raised that is at most a quarter further
    ///   from the old expectation than the event was, whichever detector says so.
    /// - *False alarm*: the detectors of the event need half as much evidence again (score ÷
    ///   (1 − score)) as they had in it.
    /// - *Confirmed*: what was learned before of this series and direction is withdrawn.
    ///
    /// Both allowances halve with each [half-life](Policy::half_life) and end after four.
    ///
    /// # Errors
    /// [`BookError::UnknownEvent`].
    pub fn feedback(
        &mut self,
        id: &EventId,
        feedback: Feedback,
        now: Timestamp,
    ) -> Result<Option<Update>, BookError> {
        let quiet = self.policy.quiet_time();
        let event = self.event_mut(id);
        let event = event.ok_or_else(|| BookError::UnknownEvent(id.clone()))?;
        event.feedback = Some(feedback);
        let ends = event.is_open() && event.dismissal().is_some();
        if ends {
            event.dismiss(quiet);
        }
        let event = event.clone();
        let strongest: Vec<_> = event.witnesses.iter().map(|w| &w.strongest).collect();
        self.lessons.learn(feedback, &strongest, now);
        Ok(ends.then_some(Update::Closed(event)))
    }

    /// Adds something that is planned. What it explains is from now on recorded and not raised;
    /// events that are open already stay open.
    pub fn plan(&mut self, planned: PlannedEvent) {
        self.plans.push(planned);
    }

    /// What is planned and not forgotten.
    #[must_use]
    pub fn plans(&self) -> &[PlannedEvent] {
        &self.plans
    }

    /// Tells the open events of a series what the current day is projected to have cost at its end,
    /// and says how many events these are.
    pub fn project(&mut self, series: &str, projection: DayProjection) -> usize {
        let track = self.tracks.get_mut(series).into_iter();
        let events = track.flat_map(|track| &mut track.events);
        let open = events.filter(|event| event.is_open());
        open.map(|event| event.alert.alarm.projection = Some(projection))
            .count()
    }

    /// The events that go on, by series.
    pub fn open_events(&self) -> impl Iterator<Item = &Event> {
        let events = self.tracks.values().flat_map(|track| &track.events);
        events.filter(|event| event.is_open())
    }

    /// An event that is open, or the last closed one of its series and direction.
    #[must_use]
    pub fn event(&self, id: &EventId) -> Option<&Event> {
        let track = self.tracks.get(series_of(id)?)?;
        track.events.iter().find(|event| event.id == *id)
    }

    fn event_mut(&mut self, id: &EventId) -> Option<&mut Event> {
        let track = self.tracks.get_mut(series_of(id)?)?;
        track.events.iter_mut().find(|event| event.id == *id)
    }

    /// How an alarm counts; `None` when it is stale.
    fn novelty(&self, alarm: &Alarm) -> Option<Count> {
        match self.tracks.get(&alarm.series) {
            Some(track) => track.novelty(alarm),
            None => (alarm.when.start() >= self.forgotten_before).then_some(Count::Once),
        }
    }

    fn judge(&self, alarm: &Alarm) -> Judgment {
        if let Some(plan) = self.plans.iter().find(|plan| plan.covers(alarm)) {
            return Judgment::Planned(plan.note().to_owned());
        }
        match self.policy.judge(alarm) {
            Err(reason) => Judgment::Suppressed(reason),
            Ok(severity) => match self.excuse(alarm) {
                Some(reason) => Judgment::Suppressed(reason),
                None => Judgment::Tell(severity),
            },
        }
    }

    /// What a person has said of this level, of such alarms, or of this very event.
    fn excuse(&self, alarm: &Alarm) -> Option<Suppression> {
        let half_life = self.policy.feedback_half_life();
        self.lessons.excuse(alarm, half_life).or_else(|| {
            let events = &self.tracks.get(&alarm.series)?.events;
            let quiet = self.policy.quiet_time();
            let mut own = events.iter().filter(|e| e.has_place_for(alarm, quiet));
            own.find_map(Event::dismissal)
        })
    }

    fn take_in(&mut self, alert: Alert, count: Count) -> Result<Update, BookError> {
        let series = alert.alarm.series.clone();
        if !self.tracks.contains_key(&series) {
            self.make_room()?;
        }
        let mark = Mark::of(&alert.alarm);
        let track = self.tracks.entry(series).or_default();
        let update = track.take_in(alert, count, &self.policy)?;
        track.remember(mark);
        Ok(update)
    }

    /// Forgets the series that has been quiet for longest when there is no room for another.
    fn make_room(&mut self) -> Result<(), BookError> {
        let capacity = self.policy.n_series();
        if self.tracks.len() < capacity {
            return Ok(());
        }
        let over = self.tracks.iter().filter(|(_, track)| track.is_over());
        let quietest = over.min_by_key(|(_, track)| track.last_alarm_at());
        let quietest = quietest.map(|(series, _)| series.clone());
        let quietest = quietest.ok_or(BookError::Full { capacity })?;
        self.tracks.remove(&quietest);
        Ok(())
    }
}

impl Track {
    fn novelty(&self, alarm: &Alarm) -> Option<Count> {
        let new = Mark::of(alarm);
        match self.marks.iter().find(|mark| mark.is_for(&new)) {
            Some(mark) if new.at < mark.at || new == *mark => None,
            Some(mark) if new.at == mark.at => Some(Count::Already),
            _ => Some(Count::Once),
        }
    }

    fn take_in(
        &mut self,
        alert: Alert,
        count: Count,
        policy: &Policy,
    ) -> Result<Update, MoneyError> {
        let quiet = policy.quiet_time();
        let Some(event) = self.place_of(&alert.alarm, policy) else {
            let event = Event::open(alert, &self.events, quiet);
            self.events.push(event.clone());
            return Ok(Update::Opened(event));
        };
        let was_open = event.is_open();
        let escalation = event.merge(alert, count, quiet, policy.growth_factor())?;
        if !was_open && escalation.is_none() {
            event.reopen();
        }
        let event = event.clone();
        Ok(match escalation {
            Some(by) => Update::Escalated { event, by },
            None if was_open => Update::Continued(event),
            None => Update::Reopened(event),
        })
    }

    /// The event that an alarm belongs to: of its own direction rather than of another, and the
    /// newest of these.
    fn place_of(&mut self, alarm: &Alarm, policy: &Policy) -> Option<&mut Event> {
        let quiet = policy.quiet_time();
        let events = self.events.iter_mut();
        let places = events.filter(|event| event.has_place_for(alarm, quiet));
        places.max_by_key(|event| (event.direction == alarm.direction, event.closes_at))
    }

    fn remember(&mut self, mark: Mark) {
        self.marks.retain(|old| !old.is_for(&mark));
        self.marks.push(mark);
    }

    fn close_due(&mut self, now: Timestamp, updates: &mut Vec<Update>) {
        for event in &mut self.events {
            if event.is_open() && event.closes_at <= now {
                event.close();
                updates.push(Update::Closed(event.clone()));
            }
        }
        self.forget_all_but_last();
    }

    /// Of closed events, the last of each direction stays.
    fn forget_all_but_last(&mut self) {
        let mut seen = Vec::new();
        self.events
            .sort_by_key(|event| std::cmp::Reverse(event.closes_at));
        self.events.retain(|event| {
            let is_first = !seen.contains(&event.direction);
            if !event.is_open() && is_first {
                seen.push(event.direction);
            }
            event.is_open() || is_first
        });
    }

    fn is_over(&self) -> bool {
        !self.events.iter().any(Event::is_open)
    }

    fn is_over_before(&self, moment: Timestamp) -> bool {
        self.is_over() && self.last_alarm_at() < moment
    }

    fn last_alarm_at(&self) -> Timestamp {
        let marks = self.marks.iter().map(|mark| mark.at);
        marks.max().unwrap_or(Timestamp::MIN)
    }
}

impl Mark {
    fn of(alarm: &Alarm) -> Self {
        Self {
            detector: alarm.detector,
            direction: alarm.direction,
            at: alarm.when.start(),
            level: alarm.figures.level(),
            score: alarm.score,
        }
    }

    fn is_for(&self, other: &Self) -> bool {
        self.detector == other.detector && self.direction == other.direction
    }
}

/// The series in an event's name.
fn series_of(id: &EventId) -> Option<&str> {
    id.as_str().rsplit_once('@').map(|(series, _)| series)
}
