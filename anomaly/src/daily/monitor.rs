//! The costs of one account, day by day.

use jiff::civil::Date;

use super::baseline::{Fit, MIN_DAYS};
use super::budget::AlarmBudget;
use super::channel::{Channel, HISTORY_DAYS, days_between, days_of, plus_days};
use super::episode::Role;
use super::evidence::Signal;
use super::verdicts::{Account, Judged, Verdicts, value_of};
use super::{
    DailyCosts, DailyError, DailyFeedback, DayAssessment, Finding, FindingKind, PlannedDays, Scope,
    Stage,
};
#[cfg(feature = "serde")]
use crate::format::Format;
use crate::{Assessment, Reading, score};

/// Judges the daily costs of one account: the total and each service. See the [module](super).
///
/// It remembers the last [`HISTORY_DAYS`] days in five bytes a day and service, and computes the
/// baseline from them each day: so late corrections ([`revise`](Self::revise)) and feedback reach
/// everything.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "saved::SavedMonitor"))]
pub struct DailyMonitor {
    #[cfg(feature = "serde")]
    format: Format<1>,
    budget: AlarmBudget,
    last: Option<Date>,
    total: Channel,
    services: Vec<Channel>,
    planned: Vec<PlannedDays>,
}

/// What is normal for a total or a service, as of the day after the last one observed.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct DailyBaseline {
    /// The cost of an ordinary workday.
    pub level: f64,
    /// The factor of each weekday on it, Monday first.
    pub weekdays: [f64; 7],
    /// The standard deviation of an ordinary day, as part of the level; at least 1.2 %.
    pub noise: f64,
    /// Days of the month from 1 on whose cost usually differs, with the middle of the factors seen.
    pub month_days: Vec<(i8, f64)>,
    /// How many days it was learned from.
    pub days: usize,
}

/// The smallest part of the account's expected cost that a service's deviation must be.
const SMALLEST_SHARE: f64 = 0.003;

/// How much of the total's deviation must be explained by services for the total to be silent.
const EXPLAINED_SHARE: f64 = 0.4;

/// How much of the total's deviation one service must make up to be blamed for it.
const CULPRIT_SHARE: f64 = 0.5;

/// As many services that deviate together, if they are most, are the whole account.
const MANY_SERVICES: usize = 3;

impl Default for DailyMonitor {
    fn default() -> Self {
        Self::new()
    }
}

impl DailyMonitor {
    /// A monitor that knows nothing yet, with the default [`AlarmBudget`].
    #[must_use]
    pub fn new() -> Self {
        Self {
            #[cfg(feature = "serde")]
            format: Format,
            budget: AlarmBudget::default(),
            last: None,
            total: Channel::new(String::new(), 0),
            services: Vec::new(),
            planned: Vec::new(),
        }
    }

    /// With another number of false alarms that it may raise.
    #[must_use]
    pub const fn with_budget(mut self, budget: AlarmBudget) -> Self {
        self.budget = budget;
        self
    }

    /// Judges a day by the days before it, then learns from it. Days that were left out are days of
    /// which nothing is known.
    ///
    /// # Errors
    /// [`DailyError::OutOfOrder`] when the day is not newer than the last, [`DailyError::NotFinite`]
    /// for costs that are no numbers. The monitor is then as it was.
    pub fn observe(&mut self, costs: &DailyCosts) -> Result<DayAssessment, DailyError> {
        self.admit(costs)?;
        let verdicts = self.account().judge(costs);
        let findings = self.find(costs.date, &verdicts);
        let total = self.assess_total(costs, verdicts.total.as_ref());
        self.learn(costs);
        Ok(DayAssessment {
            date: costs.date,
            total,
            findings,
        })
    }

    /// Replaces what is known of an earlier day: costs that were booked late, or restated. What was
    /// said before is not said again, but the baseline is that of the new costs.
    ///
    /// # Errors
    /// [`DailyError::Unknown`] when the day is not among the last [`HISTORY_DAYS`],
    /// [`DailyError::NotFinite`] for costs that are no numbers.
    pub fn revise(&mut self, costs: &DailyCosts) -> Result<(), DailyError> {
        costs.check()?;
        let date = costs.date;
        let day = self.offset_of(date).ok_or(DailyError::Unknown { date })?;
        self.add_services(costs);
        self.total.replace(day, final_value(costs.total));
        for channel in &mut self.services {
            channel.replace(day, final_value(costs.reading_of(&channel.name)));
        }
        Ok(())
    }

    /// Learns from a person's answer to a finding, while its event goes on or after it has ended;
    /// `false` when the scope is not known.
    pub fn feedback(&mut self, scope: &Scope, kind: FindingKind, feedback: DailyFeedback) -> bool {
        let account = self.account();
        let (Some(date), Some(channel)) = (self.last, self.channel(scope)) else {
            return false;
        };
        let next = plus_days(date, 1);
        let fit = match feedback {
            DailyFeedback::Expected => account.fit_of(channel, next),
            DailyFeedback::False => None,
        };
        let Some(channel) = self.channel_mut(scope) else {
            return false;
        };
        match feedback {
            DailyFeedback::Expected => {
                if let Some(fit) = fit {
                    channel.accept_now(&fit, next);
                }
            }
            DailyFeedback::False => {
                let is_single = !matches!(kind, FindingKind::LevelShift | FindingKind::SlowLeak);
                channel.tolerance.raise(is_single);
                channel.forget_episode();
            }
        }
        true
    }

    /// Adds days on which costs are known to be unusual. Plans that memory no longer reaches are
    /// forgotten.
    pub fn plan(&mut self, planned: PlannedDays) {
        if let Some(last) = self.last {
            let oldest = plus_days(last, -days_of(HISTORY_DAYS));
            self.planned.retain(|plan| plan.to > oldest);
        }
        self.planned.push(planned);
    }

    /// What is normal; `None` before there is a baseline.
    #[must_use]
    pub fn baseline(&self, scope: &Scope) -> Option<DailyBaseline> {
        let account = self.account();
        let next = plus_days(self.last?, 1);
        let fit = account.fit_of(self.channel(scope)?, next)?;
        Some(DailyBaseline::of(&fit, account.month_days(&fit, next)))
    }

    /// The services that are known, in the order in which they were first named.
    pub fn services(&self) -> impl Iterator<Item = &str> {
        self.services.iter().map(|channel| channel.name.as_str())
    }

    /// The newest day that was observed.
    #[must_use]
    pub const fn last(&self) -> Option<Date> {
        self.last
    }

    fn account(&self) -> Account<'_> {
        Account {
            total: &self.total,
            services: &self.services,
            planned: &self.planned,
            bars: self.budget.bars(),
        }
    }

    /// Makes room for the day: days that were left out become unknown ones.
    fn admit(&mut self, costs: &DailyCosts) -> Result<(), DailyError> {
        costs.check()?;
        let date = costs.date;
        if let Some(last) = self.last {
            if date <= last {
                return Err(DailyError::OutOfOrder { date, last });
            }
            for _ in 1..days_between(last, date).min(days_of(HISTORY_DAYS) + 1) {
                self.total.push(None, false);
                self.services
                    .iter_mut()
                    .for_each(|channel| channel.push(None, false));
            }
        }
        self.services.retain(|channel| {
            channel.is_known() || costs.reading_of(&channel.name) != Reading::Missing
        });
        self.add_services(costs);
        self.last = Some(date);
        Ok(())
    }

    fn add_services(&mut self, costs: &DailyCosts) {
        for (name, _) in &costs.services {
            if !self.services.iter().any(|channel| channel.name == *name) {
                let channel = Channel::new(name.clone(), self.total.n_days());
                self.services.push(channel);
            }
        }
    }

    fn learn(&mut self, costs: &DailyCosts) {
        let is_planned = |service: Option<&str>| {
            self.planned
                .iter()
                .any(|plan| plan.covers(costs.date, service))
        };
        let is_aside = self.total.episode.is_some() || self.is_total_planned(costs.date);
        for channel in &mut self.services {
            let cost = final_value(costs.reading_of(&channel.name));
            let is_aside = channel.episode.is_some()
                || is_planned(Some(&channel.name))
                || cost.is_some_and(|cost| cost < 0.0);
            channel.push(cost, is_aside);
        }
        self.total.push(final_value(costs.total), is_aside);
    }

    /// Whether the total can be unusual because anything is planned to be.
    fn is_total_planned(&self, date: Date) -> bool {
        self.planned.iter().any(|plan| plan.is_on(date))
    }

    fn assess_total(&self, costs: &DailyCosts, judged: Option<&Judged>) -> Assessment {
        if costs.total == Reading::Missing || self.is_total_planned(costs.date) {
            return Assessment::Missing;
        }
        let known = (0..self.total.n_days()).filter(|&day| self.total.cost(day).is_some());
        judged.map_or_else(
            || Assessment::NotReady {
                have: known.count().min(MIN_DAYS - 1),
                need: MIN_DAYS,
            },
            |judged| Assessment::Scored(judged.verdict()),
        )
    }

    /// Follows events that are known and raises new ones: services first, because they say who.
    fn find(&mut self, date: Date, verdicts: &Verdicts) -> Vec<Finding> {
        let mut findings = Vec::new();
        let expected = verdicts.total.as_ref();
        let expected = expected.map_or(0.0, |judged| judged.judgment.expected);
        let mut news: Vec<(usize, Signal)> = Vec::new();
        for (service, judged) in verdicts.services.iter().enumerate() {
            let (Some(judged), Some(channel)) = (judged, self.services.get_mut(service)) else {
                continue;
            };
            if channel.episode.is_some() {
                findings.extend(follow(channel, judged, date));
            } else if let Some(signal) = new_signal(channel, judged, date)
                && judged.excess().abs() > SMALLEST_SHARE * expected
            {
                news.push((service, signal));
            }
        }
        let total = self.find_in_total(date, verdicts, &mut news);
        for (service, signal) in news {
            let judged = verdicts.services.get(service).and_then(Option::as_ref);
            if let (Some(judged), Some(channel)) = (judged, self.services.get_mut(service)) {
                let culprit = Some(channel.name.clone());
                channel.open(signal, &judged.judgment, date, Role::Raised, culprit);
                findings.extend(finding(channel, judged, Stage::Raised));
            }
        }
        findings.extend(total);
        findings
    }

    /// The total's own finding, if services do not explain it already.
    fn find_in_total(
        &mut self,
        date: Date,
        verdicts: &Verdicts,
        news: &mut Vec<(usize, Signal)>,
    ) -> Option<Finding> {
        let judged = verdicts.total.as_ref()?;
        if self.total.episode.is_some() {
            return follow(&mut self.total, judged, date);
        }
        let signal = new_signal(&mut self.total, judged, date)?;
        let together = news
            .iter()
            .filter(|(_, new)| new.direction == signal.direction);
        let n_together = together.count();
        let n_judged = verdicts.services.iter().flatten().count();
        if n_together >= MANY_SERVICES && 2 * n_together > n_judged {
            for (service, signal) in news.drain(..) {
                self.cover(service, verdicts, signal, date);
            }
            self.total
                .open(signal, &judged.judgment, date, Role::Raised, None);
            return finding(&self.total, judged, Stage::Raised);
        }
        if self.is_explained(verdicts, news, judged.excess()) {
            self.total
                .open(signal, &judged.judgment, date, Role::Covered, None);
            return None;
        }
        let culprit = largest_part(&verdicts.services, judged.excess(), signal.days_ago);
        if let Some(service) = culprit
            && !news.iter().any(|(new, _)| *new == service)
        {
            self.cover(service, verdicts, signal, date);
        }
        let name = culprit.and_then(|service| self.services.get(service));
        let name = name.map(|channel| channel.name.clone());
        self.total
            .open(signal, &judged.judgment, date, Role::Raised, name);
        finding(&self.total, judged, Stage::Raised)
    }

    /// Follows an event in a service whose finding is the total's.
    fn cover(&mut self, service: usize, verdicts: &Verdicts, signal: Signal, date: Date) {
        let judged = verdicts.services.get(service).and_then(Option::as_ref);
        if let (Some(judged), Some(channel)) = (judged, self.services.get_mut(service))
            && channel.episode.is_none()
        {
            channel.open(signal, &judged.judgment, date, Role::Covered, None);
        }
    }

    /// Whether services with findings make up most of the total's deviation.
    fn is_explained(&self, verdicts: &Verdicts, news: &[(usize, Signal)], excess: f64) -> bool {
        let has_finding = |service: usize, channel: &Channel| {
            let is_open = channel
                .episode
                .as_ref()
                .is_some_and(|episode| episode.role == Role::Raised);
            is_open || news.iter().any(|(new, _)| *new == service)
        };
        let explained: f64 = self
            .services
            .iter()
            .zip(&verdicts.services)
            .enumerate()
            .filter(|(service, (channel, _))| has_finding(*service, channel))
            .filter_map(|(_, (_, judged))| judged.as_ref())
            .map(Judged::excess)
            .sum();
        explained * excess > 0.0 && explained.abs() > EXPLAINED_SHARE * excess.abs()
    }

    fn channel(&self, scope: &Scope) -> Option<&Channel> {
        match scope {
            Scope::Total => Some(&self.total),
            Scope::Service(name) => self.services.iter().find(|channel| channel.name == *name),
        }
    }

    fn channel_mut(&mut self, scope: &Scope) -> Option<&mut Channel> {
        match scope {
            Scope::Total => Some(&mut self.total),
            Scope::Service(name) => self
                .services
                .iter_mut()
                .find(|channel| channel.name == *name),
        }
    }

    /// The place of a day in memory.
    fn offset_of(&self, date: Date) -> Option<usize> {
        let age = usize::try_from(days_between(date, self.last?)).ok()?;
        self.total.n_days().checked_sub(age + 1)
    }
}

impl DailyBaseline {
    fn of(fit: &Fit, month_days: Vec<(i8, f64)>) -> Self {
        Self {
            level: fit.level.exp(),
            weekdays: fit.weekdays.map(f64::exp),
            noise: fit.sigma,
            month_days,
            days: fit.n_days,
        }
    }
}

fn final_value(reading: Reading) -> Option<f64> {
    match reading {
        Reading::Final(_) => value_of(reading),
        Reading::Partial(_) | Reading::Missing => None,
    }
}

/// A sign over the alarm line that is not the end of something that had become normal.
fn new_signal(channel: &mut Channel, judged: &Judged, date: Date) -> Option<Signal> {
    let signal = judged.judgment.signal;
    if !signal.is_alarm() {
        return None;
    }
    let is_return =
        signal.kind != FindingKind::Drop && channel.undoes_a_shift(signal.change, judged.fit.sigma);
    if is_return {
        channel.open(signal, &judged.judgment, date, Role::Return, None);
        return None;
    }
    Some(signal)
}

fn follow(channel: &mut Channel, judged: &Judged, date: Date) -> Option<Finding> {
    let stage = channel.follow(judged, date)?;
    finding(channel, judged, stage)
}

/// The finding about a channel's event, if one was raised.
fn finding(channel: &Channel, judged: &Judged, stage: Stage) -> Option<Finding> {
    let episode = channel.episode.as_ref()?;
    let scope = match channel.name.as_str() {
        "" => Scope::Total,
        name => Scope::Service(name.to_owned()),
    };
    (episode.role == Role::Raised).then(|| Finding {
        scope,
        kind: episode.kind,
        direction: episode.direction,
        actual: judged.value,
        expected: judged.judgment.expected,
        interval: judged.judgment.interval,
        score: score(judged.judgment.signal.ratio, 1.0),
        since: episode.since,
        culprit: episode.culprit.clone(),
        stage,
    })
}

/// The service whose deviation in money is the largest, if it is most of the total's.
fn largest_part(services: &[Option<Judged>], excess: f64, days_ago: usize) -> Option<usize> {
    let part = |judged: &Judged| judged.excess_over(days_ago) * excess.signum();
    let (service, judged) = services
        .iter()
        .enumerate()
        .filter_map(|(service, judged)| Some((service, judged.as_ref()?)))
        .max_by(|(_, left), (_, right)| part(left).total_cmp(&part(right)))?;
    (part(judged) > CULPRIT_SHARE * excess.abs()).then_some(service)
}

#[cfg(feature = "serde")]
mod saved {
    //! A monitor as it was saved, before it is known to be sound.

    use super::{AlarmBudget, Channel, DailyMonitor, Date, Format, PlannedDays};

    #[derive(Debug, serde::Deserialize)]
    pub(super) struct SavedMonitor {
        format: Format<1>,
        budget: AlarmBudget,
        last: Option<Date>,
        total: Channel,
        services: Vec<Channel>,
        planned: Vec<PlannedDays>,
    }

    #[derive(Debug, thiserror::Error)]
    #[error("the saved days do not fit together: learn the baseline anew from history")]
    pub(super) struct Unsound;

    impl TryFrom<SavedMonitor> for DailyMonitor {
        type Error = Unsound;

        fn try_from(saved: SavedMonitor) -> Result<Self, Unsound> {
            let n_days = saved.total.n_days();
            let channels = || saved.services.iter().chain([&saved.total]);
            let is_sound = channels().all(|channel| channel.is_sound(n_days));
            if !is_sound || saved.last.is_some() != (n_days > 0) {
                return Err(Unsound);
            }
            Ok(Self {
                format: saved.format,
                budget: saved.budget,
                last: saved.last,
                total: saved.total,
                services: saved.services,
                planned: saved.planned,
            })
        }
    }
}
