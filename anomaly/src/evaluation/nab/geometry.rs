//! What is each row of a file worth?

use super::NabError;

/// No file has a longer probation than this, which is 15 % of 5000 rows (`nab/util.py` of NAB v1.1).
pub const PROBATION_ROWS: usize = 750;

/// How many rows at the start of a file are not scored: 15 % of it, at most [`PROBATION_ROWS`].
///
/// ```
/// use bursar_anomaly::evaluation::nab::probation;
/// assert_eq!((probation(4_032), probation(15_902)), (604, 750));
/// ```
#[must_use]
pub const fn probation(n_rows: usize) -> usize {
    // 0.15 × n, rounded down, without the rounding of a float.
    let share = n_rows / 20 * 3 + n_rows % 20 * 3 / 20;
    if share < PROBATION_ROWS {
        share
    } else {
        PROBATION_ROWS
    }
}

/// Scores of a detector that reads nothing and fires at every so many rows: what a figure has to be
/// compared with before it says anything.
#[must_use]
pub fn alarm_clock(n_rows: usize, every: usize) -> Vec<f64> {
    let fires = |row: usize| row.checked_rem(every.max(1)) == Some(0);
    (0..n_rows)
        .map(|row| f64::from(u8::from(fires(row))))
        .collect()
}

/// What the rows of one file are worth: its probation, its windows, and the distances to them.
#[derive(Debug, Clone, PartialEq)]
pub struct Geometry {
    n_rows: usize,
    windows: Vec<Window>,
}

/// A labeled window, by the rows of its edges, both of them included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Window {
    first: usize,
    last: usize,
}

/// What a row is worth when it fires.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Worth {
    /// This share of the reward, if no row of the window is worth more.
    Inside { window: usize, share: f64 },
    /// This share of the charge, a number from −1 to 0.
    Outside { share: f64 },
}

impl Geometry {
    /// The geometry of a file with these moments, one for each row, and the windows that are labeled
    /// in it, as the moments of their first and last row.
    ///
    /// Files of the benchmark repeat moments and one goes back in time; as in its scorer, the first
    /// row of a moment counts.
    ///
    /// # Errors
    /// [`NabError::UnknownMoment`] when no row has the moment of an edge, [`NabError::WindowOrder`]
    /// when the windows overlap or are not in order.
    pub fn new<T: PartialEq>(moments: &[T], windows: &[(T, T)]) -> Result<Self, NabError> {
        let row_of = |moment: &T| moments.iter().position(|other| other == moment);
        let mut located: Vec<Window> = Vec::with_capacity(windows.len());
        for (window, (start, end)) in windows.iter().enumerate() {
            let (Some(first), Some(last)) = (row_of(start), row_of(end)) else {
                return Err(NabError::UnknownMoment { window });
            };
            let follows = located.last().is_none_or(|before| before.last < first);
            if last < first || !follows {
                return Err(NabError::WindowOrder { window });
            }
            located.push(Window { first, last });
        }
        Ok(Self {
            n_rows: moments.len(),
            windows: located,
        })
    }

    /// How many rows the file has.
    #[must_use]
    pub const fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// How many of its first rows are not scored.
    #[must_use]
    pub const fn probation(&self) -> usize {
        probation(self.n_rows)
    }

    /// How many windows can be found: those that are not over when the probation is.
    #[must_use]
    pub fn n_windows(&self) -> usize {
        let reachable = |window: &&Window| window.last >= self.probation();
        self.windows.iter().filter(reachable).count()
    }

    /// The share of the reward (in a window) or of the charge (outside, negative) that a row gets when
    /// it fires; nothing for rows of the probation and beyond the last.
    ///
    /// ```
    /// use bursar_anomaly::evaluation::nab::Geometry;
    ///
    /// let rows: Vec<u32> = (0..100).collect();
    /// let geometry = Geometry::new(&rows, &[(50, 59)])?;
    /// assert_eq!(geometry.share(14), None);
    /// assert_eq!(geometry.share(15), Some(-1.0));
    /// assert_eq!(geometry.share(50), Some(1.0));
    /// assert!(geometry.share(59) > Some(0.0));
    /// // Just after a window a false row costs little, three widths later all of it.
    /// assert!(geometry.share(60) > Some(-0.3));
    /// assert_eq!(geometry.share(90), Some(-1.0));
    /// # Ok::<(), bursar_anomaly::evaluation::nab::NabError>(())
    /// ```
    #[must_use]
    pub fn share(&self, row: usize) -> Option<f64> {
        (self.probation()..self.n_rows)
            .contains(&row)
            .then(|| match self.worth(row) {
                Worth::Inside { share, .. } | Worth::Outside { share } => share,
            })
    }

    /// The rows that are scored, with what they are worth. Windows are counted without those that end
    /// in the probation.
    pub(super) fn worths(&self) -> impl Iterator<Item = (usize, Worth)> {
        (self.probation()..self.n_rows).map(|row| (row, self.worth(row)))
    }

    fn worth(&self, row: usize) -> Worth {
        let begun = self.windows.partition_point(|window| window.first <= row);
        let Some(window) = begun.checked_sub(1).map(|index| self.windows[index]) else {
            return Worth::Outside { share: -1.0 };
        };
        if row > window.last {
            let share = window.share_after(row);
            return Worth::Outside { share };
        }
        let hidden = self.windows.len() - self.n_windows();
        Worth::Inside {
            window: begun - 1 - hidden,
            share: window.share_inside(row),
        }
    }
}

impl Window {
    const fn width(self) -> f64 {
        (self.last - self.first + 1) as f64
    }

    /// 1 at the first row, nearly 0 at the last.
    fn share_inside(self, row: usize) -> f64 {
        let position = -((self.last - row + 1) as f64) / self.width();
        sigmoid(position) / sigmoid(-1.0)
    }

    /// Nearly 0 after the last row, −1 beyond three widths. The window after it has no influence.
    fn share_after(self, row: usize) -> f64 {
        sigmoid((row - self.last) as f64 / (self.width() - 1.0))
    }
}

/// The benchmark's scaled sigmoid, 2 ÷ (1 + e⁵ˣ) − 1, cut to −1 beyond 3 (`nab/sweeper.py`).
fn sigmoid(x: f64) -> f64 {
    if x > 3.0 {
        return -1.0;
    }
    2.0 / (1.0 + (5.0 * x).exp()) - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(actual: f64, expected: f64, tolerance: f64) {
        assert!((actual - expected).abs() < tolerance, "{actual} {expected}");
    }

    /// The figures of the benchmark's documentation and of its scorer, run by hand.
    #[test]
    fn the_sigmoid_has_its_published_values() {
        check(sigmoid(-1.0), 0.986_614_298, 1e-9);
        check(sigmoid(0.0), 0.0, 1e-15);
        check(sigmoid(1.0), -0.986_614_298, 1e-9);
        check(sigmoid(3.0), -0.999_999_388, 1e-9);
        check(sigmoid(3.000_001), -1.0, 0.0 + 1e-15);
    }

    #[test]
    fn a_window_pays_from_its_left_edge_to_its_right_edge() {
        let window = Window {
            first: 100,
            last: 199,
        };
        check(window.share_inside(100), 1.0, 1e-15);
        // −0.5: sig = 2 ÷ (1 + e^−2.5) − 1 = 0.848284, and ÷ 0.986614.
        check(window.share_inside(150), 0.859_792_5, 1e-6);
        // −0.01: sig = tanh(0.025) = 0.024995, and ÷ 0.986614.
        check(window.share_inside(199), 0.025_333_9, 1e-6);
    }

    #[test]
    fn the_first_row_of_a_repeated_moment_is_the_edge() {
        let moments = [0, 1, 2, 3, 3, 3, 4, 5, 2, 6];
        let geometry = Geometry::new(&moments, &[(3, 4)]).expect("both moments exist");
        let expected = Window { first: 3, last: 6 };
        assert_eq!(geometry.windows, [expected]);
    }

    #[test]
    fn windows_that_do_not_match_the_file_are_refused() {
        let moments = [0, 1, 2, 3, 4];
        let check = |windows: &[(i32, i32)], expected| {
            assert_eq!(Geometry::new(&moments, windows), Err(expected));
        };
        check(&[(1, 9)], NabError::UnknownMoment { window: 0 });
        check(&[(2, 1)], NabError::WindowOrder { window: 0 });
        check(&[(0, 2), (2, 4)], NabError::WindowOrder { window: 1 });
    }

    #[test]
    fn a_window_of_one_row_charges_at_once_after_it() {
        let geometry = Geometry::new(&(0..20).collect::<Vec<_>>(), &[(10, 10)]);
        assert_eq!(geometry.expect("it exists").share(11), Some(-1.0));
    }

    #[test]
    fn the_probation_is_the_floor_of_fifteen_percent() {
        for n_rows in 0..20_000 {
            // The benchmark computes it in doubles: floor(0.15 × n), then the smaller of it and 750.
            let expected = ((0.15 * n_rows as f64).floor() as usize).min(750);
            assert_eq!(probation(n_rows), expected, "{n_rows}");
        }
    }
}
