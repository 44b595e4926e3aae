//! What is played for each rule, and what must come of it?

use jiff::{SignedDuration, Timestamp};

use super::series::{self, Chance, Kind};
use super::{Broken, Rule, Suite};
use crate::{Assessment, Detector, Direction, Observation, ObservationError, Reading};

/// What must hold for every assessment.
pub(super) fn is_sound(assessment: &Assessment) -> Result<(), String> {
    let verdict = match assessment {
        Assessment::Scored(verdict) => verdict,
        Assessment::NotReady { have, need } if have >= need => {
            return Err(format!("it is not ready with {have} of {need} points"));
        }
        _ => return Ok(()),
    };
    let (low, high) = (verdict.interval.low, verdict.interval.high);
    let values = [verdict.score, verdict.actual, verdict.expected, low, high];
    let is_finite = values.iter().all(|value| value.is_finite());
    let is_in_range = (0.0..=1.0).contains(&verdict.score);
    if is_finite && is_in_range && verdict.interval.contains(verdict.expected) {
        return Ok(());
    }
    Err(format!("{verdict:?}"))
}

impl<D: Detector, Make: Fn() -> D> Suite<Make> {
    fn ordinary(&self) -> Vec<Observation> {
        series::ordinary(self.step, self.length)
    }

    /// Points of the ordinary series to look at closely: after a half, three quarters, and the last.
    fn places(&self) -> [usize; 3] {
        [self.length / 2, self.length * 3 / 4, self.length - 1]
    }

    pub(super) fn is_deterministic(&self) -> Result<(), Broken> {
        let observations = self.ordinary();
        let first = self.play(&observations, Rule::Deterministic)?;
        let second = self.play(&observations, Rule::Deterministic)?;
        same(&first, &second, Rule::Deterministic)
    }

    pub(super) fn becomes_ready(&self) -> Result<(), Broken> {
        let assessments = self.play(&self.ordinary(), Rule::Ready)?;
        let mut last = (0, 1);
        for (index, assessment) in assessments.iter().enumerate() {
            match *assessment {
                Assessment::NotReady { have, need } if have >= last.0 => last = (have, need),
                Assessment::NotReady { have, .. } => {
                    let detail = format!("at point {index} it has {have} after {}", last.0);
                    return Err(Rule::Ready.broken(detail));
                }
                Assessment::Missing => {
                    let detail = format!("point {index} has a value, and is called missing");
                    return Err(Rule::Ready.broken(detail));
                }
                Assessment::Scored(_) => return is_due(index, last),
            }
        }
        let detail = format!("it gives no verdict in {} points", self.length);
        Err(Rule::Ready.broken(detail))
    }

    pub(super) fn judges_by_the_past(&self) -> Result<(), Broken> {
        let observations = self.ordinary();
        let judged = self.play(&observations, Rule::Causal)?;
        for place in self.places() {
            let mut changed = observations.clone();
            for observation in &mut changed[place..] {
                *observation = series::observation(observation.at(), 1e6);
            }
            let judged_again = self.play(&changed, Rule::Causal)?;
            same(&judged[..place], &judged_again[..place], Rule::Causal)?;
            let expected = |assessments: &[Assessment]| {
                assessments[place].verdict().map(|verdict| verdict.expected)
            };
            let (before, after) = (expected(&judged), expected(&judged_again));
            if before != after {
                let detail = format!(
                    "point {place} was expected at {before:?}, and at {after:?} when it is 1e6"
                );
                return Err(Rule::Causal.broken(detail));
            }
        }
        Ok(())
    }

    pub(super) fn ranks_extremes(&self) -> Result<(), Broken> {
        let observations = self.ordinary();
        for place in self.places() {
            for sign in [1.0, -1.0] {
                self.ranks_extremes_at(&observations[..=place], sign)?;
            }
        }
        Ok(())
    }

    fn ranks_extremes_at(&self, observations: &[Observation], sign: f64) -> Result<(), Broken> {
        let Some((last, before)) = observations.split_last() else {
            return Ok(());
        };
        let mut best = (0.0, 0.0);
        for size in SIZES {
            let mut detector = (self.make)();
            self.continue_with(&mut detector, before, Rule::Monotone)?;
            let extreme = series::observation(last.at(), sign * size);
            let judged = self.continue_with(&mut detector, &[extreme], Rule::Monotone)?;
            let score = judged.iter().map(Assessment::score).fold(0.0, f64::max);
            if score < best.1 {
                let detail = format!(
                    "as point {} the value {:e} has the score {}, and {:e} has {score}",
                    before.len(),
                    sign * best.0,
                    best.1,
                    sign * size,
                );
                return Err(Rule::Monotone.broken(detail));
            }
            best = (size, score);
        }
        Ok(())
    }

    pub(super) fn keeps_silent_on_constants(&self) -> Result<(), Broken> {
        for value in CONSTANTS {
            let mut chance = Chance::new(3);
            for gaps in [0, 5] {
                let mut points = Vec::with_capacity(self.length);
                for index in 0..self.length {
                    let at = series::time(self.step, index);
                    match gaps > 0 && chance.below(gaps) == 0 {
                        true => points.push(Observation::missing(at)),
                        false => points.push(series::observation(at, value)),
                    }
                }
                let assessments = self.play(&points, Rule::Constant)?;
                if let Some(index) = assessments.iter().position(Assessment::is_alarm) {
                    let detail = format!("{value:e} at point {index}: {:?}", assessments[index]);
                    return Err(Rule::Constant.broken(detail));
                }
            }
        }
        Ok(())
    }

    pub(super) fn ignores_what_is_missing(&self) -> Result<(), Broken> {
        let mut observations = self.ordinary();
        let mut chance = Chance::new(11);
        for observation in &mut observations {
            if chance.below(4) == 0 {
                *observation = Observation::missing(observation.at());
            }
        }
        let assessments = self.play(&observations, Rule::Missing)?;
        let judged = observations.iter().zip(&assessments).enumerate();
        for (index, (observation, assessment)) in judged {
            if observation.reading() == Reading::Missing && assessment.verdict().is_some() {
                let detail = format!("point {index} has no value: {assessment:?}");
                return Err(Rule::Missing.broken(detail));
            }
        }
        Ok(())
    }

    pub(super) fn waits_for_partial_values(&self) -> Result<(), Broken> {
        let observations = self.ordinary();
        for place in self.places() {
            for value in [95.0, 1.0, 0.0, -1e9, -1e150] {
                let mut detector = (self.make)();
                self.continue_with(&mut detector, &observations[..place], Rule::Partial)?;
                let at = observations[place].at();
                let partial =
                    Observation::partial(at, value).unwrap_or_else(|_| Observation::missing(at));
                let judged = self.continue_with(&mut detector, &[partial], Rule::Partial)?;
                let is_too_low = |assessment: &Assessment| {
                    let direction = assessment.verdict().map(|verdict| verdict.direction);
                    assessment.is_alarm() && direction == Some(Direction::Fall)
                };
                if let Some(assessment) = judged.into_iter().find(is_too_low) {
                    let detail = format!("{value:e} as point {place}: {assessment:?}");
                    return Err(Rule::Partial.broken(detail));
                }
            }
        }
        Ok(())
    }

    pub(super) fn refuses_the_past(&self) -> Result<(), Broken> {
        let observations = self.ordinary();
        let undisturbed = self.play(&observations, Rule::Order)?;
        let mut detector = (self.make)();
        let mut disturbed = Vec::with_capacity(observations.len());
        for &observation in &observations {
            disturbed.extend(self.continue_with(&mut detector, &[observation], Rule::Order)?);
            let second = SignedDuration::from_secs(1);
            for at in [observation.at(), observation.at() - second] {
                for old in [series::observation(at, 1e9), Observation::missing(at)] {
                    is_refused(&mut detector, old)?;
                }
            }
        }
        same(&undisturbed, &disturbed, Rule::Order)
    }

    pub(super) fn survives_anything(&self) -> Result<(), Broken> {
        (0..self.random_series as u64).try_for_each(|seed| self.survives(seed))
    }

    fn survives(&self, seed: u64) -> Result<(), Broken> {
        let mut detector = (self.make)();
        let mut newest: Option<Timestamp> = None;
        for (at, value, kind) in series::wild(seed) {
            let observation = match kind {
                Kind::Final => Observation::new(at, value),
                Kind::Partial => Observation::partial(at, value),
                Kind::Missing => Ok(Observation::missing(at)),
            };
            let Ok(observation) = observation else {
                continue;
            };
            let is_newer = newest.is_none_or(|newest| at > newest);
            match detector.observe(observation) {
                Ok(assessment) => {
                    newest = newest.max(Some(at));
                    is_sound(&assessment).map_err(|detail| {
                        Rule::Sound
                            .broken(format!("random series {seed}, {observation:?}: {detail}"))
                    })?;
                }
                Err(error) if is_newer => {
                    let detail = format!("random series {seed}: {observation:?}: {error}");
                    return Err(Rule::Order.broken(detail));
                }
                Err(_) => {}
            }
        }
        Ok(())
    }

    pub(super) fn resumes(&self, reload: impl Fn(&D) -> D) -> Result<(), Broken> {
        let mut observations = self.ordinary();
        if let Some(spike) = observations.get_mut(self.length / 2 - 2) {
            *spike = series::observation(spike.at(), 1e9);
        }
        let whole = self.play(&observations, Rule::Reload)?;
        let [half, later, last] = self.places();
        for place in [0, 1, 5, self.length / 4, half, half + 1, later, last] {
            let mut detector = (self.make)();
            self.continue_with(&mut detector, &observations[..place], Rule::Reload)?;
            let mut loaded = reload(&detector);
            let rest = self.continue_with(&mut loaded, &observations[place..], Rule::Reload)?;
            same(&whole[place..], &rest, Rule::Reload)?;
        }
        Ok(())
    }
}

/// From about ten times the noise of the ordinary series, through the sizes whose squares overflow,
/// to the largest.
const SIZES: [f64; 18] = [
    150.0, 200.0, 500.0, 1e3, 1e4, 1e5, 1e6, 1e8, 1e10, 1e12, 1e16, 1e20, 1e30, 1e50, 1e78, 1e100,
    1e149, 1e150,
];

const CONSTANTS: [f64; 11] = [
    0.0,
    1.0,
    -3.7,
    0.1,
    12.65,
    1e9,
    1.0 / 3.0,
    5e-324,
    1e-300,
    1e150,
    -1e150,
];

/// A point is judged as soon as the detector has what it needs: after the last `NotReady` it lacks
/// one point.
fn is_due(index: usize, (have, need): (usize, usize)) -> Result<(), Broken> {
    if index == 0 || have + 1 == need {
        return Ok(());
    }
    let detail = format!("it judges point {index} and said before that it has {have} of {need}");
    Err(Rule::Ready.broken(detail))
}

fn is_refused<D: Detector>(detector: &mut D, old: Observation) -> Result<(), Broken> {
    match detector.observe(old) {
        Err(ObservationError::OutOfOrder { .. }) => Ok(()),
        other => Err(Rule::Order.broken(format!("{old:?} gives {other:?}"))),
    }
}

fn same(left: &[Assessment], right: &[Assessment], rule: Rule) -> Result<(), Broken> {
    let differs = left
        .iter()
        .zip(right)
        .position(|(left, right)| left != right);
    differs.map_or(Ok(()), |index| {
        let detail = format!("{:?} and {:?}", left[index], right[index]);
        Err(rule.broken(detail))
    })
}
