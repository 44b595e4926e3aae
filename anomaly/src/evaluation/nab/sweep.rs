//! Which threshold is best, and what does it score?

use super::{Geometry, NabError, Profile, geometry::Worth};

/// The threshold that no score reaches.
pub const NOTHING_FIRES: f64 = 1.1;

/// The scored rows of many files, of which one threshold decides.
#[derive(Debug, Clone, Default)]
pub struct Corpus {
    rows: Vec<Row>,
    /// The category of each window.
    windows: Vec<u32>,
    categories: Vec<String>,
}

#[derive(Debug, Clone, Copy)]
struct Row {
    score: f64,
    share: f64,
    /// The window of the corpus that the row lies in.
    window: Option<u32>,
    category: u32,
}

/// The points of a profile at one threshold.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Report {
    /// What was charged and rewarded.
    pub profile: Profile,
    /// The points: 0 when nothing fires, 100 when every window's first row fires and no row outside.
    pub score: f64,
    /// A row fires when its score is at least this; [`NOTHING_FIRES`] when silence is best.
    pub threshold: f64,
    /// How many windows have a row that fires.
    pub windows_found: usize,
    /// How many windows there are.
    pub n_windows: usize,
    /// How many rows outside of windows fire.
    pub false_rows: usize,
    /// The same by category, in the order of their first file.
    pub categories: Vec<CategoryReport>,
}

/// The part of a category in a [`Report`].
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct CategoryReport {
    /// The category.
    pub category: String,
    /// Its points, were it the whole corpus, at the common threshold; 0 where it has no window.
    pub score: f64,
    /// How many of its windows have a row that fires.
    pub windows_found: usize,
    /// How many windows it has.
    pub n_windows: usize,
    /// How many of its rows outside of windows fire.
    pub false_rows: usize,
}

impl Corpus {
    /// Adds the scores of a file, one for each row, to the files of a category.
    ///
    /// # Errors
    /// [`NabError::Length`] when rows and scores differ in number, [`NabError::Score`] for a score
    /// outside of 0 to 1. The corpus is then as it was.
    pub fn add(
        &mut self,
        category: &str,
        geometry: &Geometry,
        scores: &[f64],
    ) -> Result<(), NabError> {
        check_scores(geometry, scores)?;
        let category = self.category(category);
        let windows_before = self.windows.len();
        let rows = geometry.worths().map(|(row, worth)| {
            let score = scores[row];
            let (share, window) = match worth {
                Worth::Inside { window, share } => (share, Some((windows_before + window) as u32)),
                Worth::Outside { share } => (share, None),
            };
            Row {
                score,
                share,
                window,
                category,
            }
        });
        self.rows.extend(rows);
        let n_windows = windows_before + geometry.n_windows();
        self.windows.resize(n_windows, category);
        Ok(())
    }

    fn category(&mut self, name: &str) -> u32 {
        let known = self.categories.iter().position(|other| other == name);
        let index = known.unwrap_or_else(|| {
            self.categories.push(name.to_owned());
            self.categories.len() - 1
        });
        index as u32
    }

    /// The points at the threshold that gets most; of equal ones the highest.
    #[must_use]
    pub fn report(&self, profile: Profile) -> Report {
        self.report_at(profile, self.best_threshold(profile))
    }

    /// The points at a threshold that was chosen elsewhere, on other files for instance.
    #[must_use]
    pub fn report_at(&self, profile: Profile, threshold: f64) -> Report {
        let mut tally = Tally::new(self.windows.len());
        let mut parts: Vec<Part> = self.categories.iter().map(|name| Part::new(name)).collect();
        for row in self.rows.iter().filter(|row| row.score >= threshold) {
            tally.fire(row, &profile);
            if row.window.is_none() {
                parts[row.category as usize].charge(row.share * profile.false_row);
            }
        }
        for (category, reward) in self.windows.iter().zip(tally.best) {
            parts[*category as usize].count_window(reward, profile.missed);
        }
        let raw = parts.iter().map(|part| part.raw).sum();
        let categories = parts.into_iter().map(|part| part.finish(&profile));
        let categories: Vec<CategoryReport> = categories.collect();
        Report {
            profile,
            score: profile.normalize(raw, self.windows.len()),
            threshold,
            windows_found: categories.iter().map(|part| part.windows_found).sum(),
            n_windows: self.windows.len(),
            false_rows: categories.iter().map(|part| part.false_rows).sum(),
            categories,
        }
    }

    /// Lowers the threshold past one distinct score after the other and keeps the best.
    fn best_threshold(&self, profile: Profile) -> f64 {
        let mut rows: Vec<&Row> = self.rows.iter().collect();
        rows.sort_unstable_by(|a, b| b.score.total_cmp(&a.score));
        let mut tally = Tally::new(self.windows.len());
        let (mut best, mut threshold) = (0.0, NOTHING_FIRES);
        for group in rows.chunk_by(|a, b| a.score == b.score) {
            for row in group {
                tally.fire(row, &profile);
            }
            if tally.gain > best {
                (best, threshold) = (tally.gain, group[0].score);
            }
        }
        threshold
    }
}

fn check_scores(geometry: &Geometry, scores: &[f64]) -> Result<(), NabError> {
    if scores.len() != geometry.n_rows() {
        let (scores, rows) = (scores.len(), geometry.n_rows());
        return Err(NabError::Length { scores, rows });
    }
    match scores.iter().position(|score| !(0.0..=1.0).contains(score)) {
        Some(row) => {
            let score = scores[row];
            Err(NabError::Score { row, score })
        }
        None => Ok(()),
    }
}

/// A category while its rows and windows are counted.
struct Part {
    report: CategoryReport,
    raw: f64,
}

impl Part {
    fn new(category: &str) -> Self {
        let report = CategoryReport {
            category: category.to_owned(),
            score: 0.0,
            windows_found: 0,
            n_windows: 0,
            false_rows: 0,
        };
        Self { report, raw: 0.0 }
    }

    fn charge(&mut self, charge: f64) {
        self.raw += charge;
        self.report.false_rows += 1;
    }

    fn count_window(&mut self, reward: Option<f64>, missed: f64) {
        self.raw += reward.unwrap_or(-missed);
        self.report.n_windows += 1;
        self.report.windows_found += usize::from(reward.is_some());
    }

    fn finish(self, profile: &Profile) -> CategoryReport {
        let score = profile.normalize(self.raw, self.report.n_windows);
        CategoryReport {
            score,
            ..self.report
        }
    }
}

/// What has fired so far.
struct Tally {
    /// The reward of each window.
    best: Vec<Option<f64>>,
    /// Raw points above those of silence.
    gain: f64,
}

impl Tally {
    fn new(n_windows: usize) -> Self {
        Self {
            best: vec![None; n_windows],
            gain: 0.0,
        }
    }

    fn fire(&mut self, row: &Row, profile: &Profile) {
        let Some(window) = row.window else {
            self.gain += row.share * profile.false_row;
            return;
        };
        let reward = row.share * profile.found;
        let best = &mut self.best[window as usize];
        let before = best.unwrap_or(-profile.missed);
        if reward > before {
            self.gain += reward - before;
            *best = Some(reward);
        }
    }
}
