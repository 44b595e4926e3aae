//! How much of what a model predicts comes true, the further a prompt is from its training?
//!
//! Measured, not assumed: whole topics are held out of the training, and in each band of novelty the
//! predicted differences between models are compared with those that came. The slope of that
//! comparison is the part of a prediction to keep. Where few prompts leave the slope open, it leans on
//! what is to be expected: all of it for prompts of known topics, as ridge regression is shrunk
//! already, and nothing for those of new ones.

/// One prompt that a model did not learn from.
#[derive(Debug, Clone)]
pub(super) struct Trial {
    pub(super) novelty: f64,
    /// The part that is expected to come true before anything is seen.
    pub(super) expected: f64,
    /// Σ predicted × came, over the models.
    pub(super) agreement: f64,
    /// Σ predicted².
    pub(super) size: f64,
}

impl Trial {
    pub(super) fn new(
        novelty: f64,
        expected: f64,
        pairs: impl Iterator<Item = (f64, f64)>,
    ) -> Self {
        let mut trial = Self {
            novelty,
            expected,
            agreement: 0.0,
            size: 0.0,
        };
        for (predicted, came) in pairs {
            trial.agreement += predicted * came;
            trial.size += predicted * predicted;
        }
        trial
    }
}

/// The part of a prediction to keep: falls with novelty, from at most 1 to 0.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Trust {
    /// Novelty and the part that is kept there, by rising novelty.
    pub(super) knots: Vec<(f64, f64)>,
}

impl Trust {
    pub(super) fn learn(mut trials: Vec<Trial>) -> Self {
        trials.sort_by(|a, b| a.novelty.total_cmp(&b.novelty));
        let bands = (trials.len() / 600).clamp(1, 10);
        let length = trials.len().div_ceil(bands).max(1);
        let bands = trials.chunks(length).map(Band::new);
        let mut knots = falling(bands.collect());
        // The last band reaches to where nearly all that was tried lies.
        let reach = trials
            .get(trials.len() * 19 / 20)
            .map_or(1.0, |it| it.novelty);
        if let Some(&(last, kept)) = knots.last() {
            knots.push((reach.max(last), kept));
        }
        Self { knots }
    }

    pub(super) fn at(&self, novelty: f64) -> f64 {
        let after = self.knots.iter().position(|it| it.0 >= novelty);
        let last = self.knots.last().copied().unwrap_or((1.0, 0.0));
        // What lies beyond everything that was tried is trusted less and less, and not at all from
        // half as far again.
        let end = (1.5 * last.0.max(1.0), 0.0);
        let (left, right) = match after {
            Some(0) => return self.knots[0].1,
            Some(at) => (self.knots[at - 1], self.knots[at]),
            None if novelty < end.0 => (last, end),
            None => return 0.0,
        };
        let part = (novelty - left.0) / (right.0 - left.0).max(1e-12);
        left.1 + part * (right.1 - left.1)
    }
}

/// The part of predictions like these to keep, 0 to 1.
pub(super) fn kept(trials: &[Trial]) -> f64 {
    let band = Band::new(trials);
    band.slope.clamp(0.0, 1.0)
}

#[derive(Clone, Copy)]
struct Band {
    novelty: f64,
    slope: f64,
    size: f64,
}

impl Band {
    fn new(trials: &[Trial]) -> Self {
        let agreement: f64 = trials.iter().map(|it| it.agreement).sum();
        let size: f64 = trials.iter().map(|it| it.size).sum();
        let count = trials.len().max(1) as f64;
        let expected = trials.iter().map(|it| it.expected).sum::<f64>() / count;
        let novelty = trials.iter().map(|it| it.novelty).sum::<f64>() / count;
        Self {
            novelty,
            slope: match size > 0.0 {
                true => posterior(trials, agreement / size, size, expected),
                false => expected,
            },
            size,
        }
    }
}

/// The slope that was seen and the one that was expected, each with the weight of its certainty.
fn posterior(trials: &[Trial], slope: f64, size: f64, expected: f64) -> f64 {
    let error = |it: &Trial| (it.agreement - slope * it.size).powi(2);
    let variance = trials.iter().map(error).sum::<f64>() / (size * size);
    let doubt = DOUBT * DOUBT;
    (slope * doubt + expected * variance) / (doubt + variance)
}

/// How far, as a standard deviation, slopes are thought to lie from what is expected.
const DOUBT: f64 = 0.35;

/// Pools neighbors until the slopes fall (isotonic regression, Ayer et al. 1955).
fn falling(bands: Vec<Band>) -> Vec<(f64, f64)> {
    let mut pools: Vec<Vec<Band>> = Vec::new();
    for band in bands {
        pools.push(vec![band]);
        while let [.., before, last] = &pools[..] {
            if mean(before) >= mean(last) {
                break;
            }
            let last = pools.pop().unwrap_or_default();
            if let Some(before) = pools.last_mut() {
                before.extend(last);
            }
        }
    }
    let knot = |pool: &Vec<Band>| {
        let slope = mean(pool).clamp(0.0, 1.0);
        pool.iter()
            .map(move |band| (band.novelty, slope))
            .collect::<Vec<_>>()
    };
    pools.iter().flat_map(knot).collect()
}

fn mean(pool: &[Band]) -> f64 {
    let size: f64 = pool.iter().map(|it| it.size).sum();
    let sum: f64 = pool.iter().map(|it| it.size * it.slope).sum();
    if size > 0.0 { sum / size } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trials(novelty: f64, slope: f64) -> Vec<Trial> {
        let trial = |it: i32| {
            let predicted = f64::from(it % 7 - 3) / 10.0;
            let noise = f64::from(it % 2) * 0.02 - 0.01;
            Trial::new(
                novelty,
                0.5,
                [(predicted, slope * predicted + noise)].into_iter(),
            )
        };
        (0..600).map(trial).collect()
    }

    #[test]
    fn what_comes_true_is_kept_and_what_does_not_is_not() {
        let trust = Trust::learn([trials(1.0, 1.0), trials(2.0, 0.5), trials(3.0, -1.0)].concat());
        assert!(trust.at(0.5) > 0.95, "{trust:?}");
        assert!((trust.at(2.0) - 0.5).abs() < 0.05, "{trust:?}");
        assert_eq!((trust.at(3.0), trust.at(100.0)), (0.0, 0.0));
    }

    #[test]
    fn trust_never_rises_with_novelty_and_ends_beyond_what_was_tried() {
        let trust = Trust::learn([trials(1.0, 0.4), trials(2.0, 0.8)].concat());
        let kept: Vec<_> = (0..40).map(|it| trust.at(f64::from(it) / 10.0)).collect();
        assert!(kept.is_sorted_by(|a, b| a >= b), "{kept:?}");
        assert!(kept[20] > 0.5 && kept[39] == 0.0, "{kept:?}");
    }
}
