//! Was every answer right, and was no window overfull? What is known of each key, and the verdict.

use std::collections::BTreeMap;

use bursar_ratelimit::conformance::oracle::{Bucket, History, Span};
use bursar_ratelimit::{Quota, RetryAfter, Settled, SlidingWindow, Status, Timestamp, lease};

/// What came out of one run or of many.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    /// Runs made.
    pub(crate) runs: u64,
    /// Runs in which more passed than was promised.
    pub(crate) violations: u64,
    /// The most units beyond a promise.
    pub(crate) worst_excess: u128,
    /// Units that refused requests took.
    pub(crate) taken_by_refused: u64,
    /// Decisions, waits and remainders that an independent bucket contradicts.
    pub(crate) wrong_answers: u64,
    /// Checks and reservations.
    pub(crate) decisions: u64,
    /// Those that passed.
    pub(crate) allowed: u64,
    /// Units given back.
    pub(crate) refunded: u128,
    /// Units used beyond estimates.
    pub(crate) debts: u128,
    /// The first things found: in which run, and in words.
    pub(crate) findings: Vec<(u64, String)>,
}

/// Findings beyond these are counted and not told.
const MOST_FINDINGS: usize = 5;

impl Outcome {
    /// Whether every promise was kept.
    pub(crate) fn is_clean(&self) -> bool {
        self.violations == 0 && self.taken_by_refused == 0 && self.wrong_answers == 0
    }

    /// Adds what came out of other runs.
    pub(crate) fn add(&mut self, other: Self) {
        self.runs += other.runs;
        self.violations += other.violations;
        self.worst_excess = self.worst_excess.max(other.worst_excess);
        self.taken_by_refused = self.taken_by_refused.saturating_add(other.taken_by_refused);
        self.wrong_answers += other.wrong_answers;
        self.decisions += other.decisions;
        self.allowed += other.allowed;
        self.refunded += other.refunded;
        self.debts += other.debts;
        self.findings.extend(other.findings);
        // Threads end in any order, and what is told should not depend on it.
        self.findings.sort();
        self.findings.truncate(MOST_FINDINGS);
    }

    /// Tells of something that should not be.
    pub(crate) fn find(&mut self, run: u64, finding: String) {
        if self.findings.len() < MOST_FINDINGS {
            self.findings.push((run, finding));
        }
    }
}

/// All keys of a run.
#[derive(Debug, Default)]
pub(crate) struct Judge {
    cells: BTreeMap<(String, String), Cell>,
    /// How the store leases, if it does.
    lease: Option<lease::Settings>,
}

/// One key under one limit.
#[derive(Debug)]
struct Cell {
    history: History,
    /// What must pass, for a rate whose times are known exactly.
    bucket: Option<Bucket>,
    /// By how much more may pass than the quota promises.
    term: u128,
}

/// An admission under one limit.
#[derive(Clone, Debug)]
pub(crate) struct Admitted {
    cell: (String, String),
    admission: usize,
    reserved: u64,
    charged: u64,
}

impl Judge {
    /// Of a store that may lease.
    pub(crate) fn new(lease: Option<lease::Settings>) -> Self {
        Self {
            cells: BTreeMap::new(),
            lease,
        }
    }

    /// Compares a limit's answer with what it must be, at an exactly known time.
    pub(crate) fn compare(&mut self, status: &Status<'_>, now: Timestamp) -> Result<(), String> {
        let cell = self.cell(status);
        let (fits, wait) = cell.expected(status, now);
        if fits.is_some_and(|fits| fits != status.fits()) {
            return Err(format!("a cost of {} is judged wrongly", status.cost()));
        }
        let told = status.retry_after();
        if wait.is_some_and(|wait| told != Some(wait)) {
            return Err(format!("the wait is {wait:?}, not {told:?}"));
        }
        Ok(())
    }

    /// Compares what is left after a decision, at an exactly known time.
    pub(crate) fn compare_left(
        &mut self,
        status: &Status<'_>,
        now: Timestamp,
    ) -> Result<(), String> {
        let left = match &self.cell(status).bucket {
            Some(bucket) => bucket.remaining(now),
            None => return Ok(()),
        };
        match left == status.remaining() {
            true => Ok(()),
            false => Err(format!("{left} are left, not {}", status.remaining())),
        }
    }

    /// Writes down that a request passed a limit.
    pub(crate) fn admit(&mut self, status: &Status<'_>, at: Span) -> Admitted {
        let cell = self.cell(status);
        if let Some(bucket) = &mut cell.bucket {
            bucket.take(status.cost(), at.latest);
        }
        let admission = cell.history.admit(status.cost(), at);
        Admitted {
            cell: (status.name().to_owned(), status.key().to_owned()),
            admission,
            reserved: status.cost(),
            charged: status.cost(),
        }
    }

    /// Writes down what was used by now, and compares what the store made of it.
    pub(crate) fn settle(
        &mut self,
        admitted: &mut Admitted,
        used: Option<u64>,
        is_final: bool,
        part: &Settled,
        at: Span,
    ) -> Result<(), String> {
        let Some(cell) = self.cells.get_mut(&admitted.cell) else {
            return Err("a settlement of an unknown key".to_owned());
        };
        let used = used.unwrap_or(admitted.charged);
        let debt = used.saturating_sub(admitted.charged);
        let within_estimate = admitted.charged == admitted.reserved;
        let unused = match is_final && within_estimate {
            true => admitted.charged.saturating_sub(used),
            false => 0,
        };
        admitted.charged = admitted.charged.saturating_add(debt);
        if debt > 0 {
            cell.history.debt(debt, at);
            if cell.term > 0 {
                // Leases that others hold already do not wait until a debt is paid.
                cell.term += u128::from(debt);
            }
        }
        if is_final {
            cell.history
                .settle(admitted.admission, admitted.reserved - unused, at);
            if matches!(cell.history.quota(), Quota::Concurrency(_)) {
                cell.history.end(admitted.admission);
                return Ok(());
            }
        }
        if let Some(bucket) = &mut cell.bucket {
            bucket.take(debt, at.latest);
            bucket.give_back(part.refunded, at.latest);
        }
        let told = (part.debt, part.refunded.saturating_add(part.kept));
        match told == (debt, unused) {
            true => Ok(()),
            false => Err(format!("{debt} owed and {unused} unused, not {told:?}")),
        }
    }

    /// Looks at every window of every key.
    pub(crate) fn judge(&self, outcome: &mut Outcome, run: u64) {
        let mut is_broken = false;
        for ((limit, key), cell) in &self.cells {
            if let Some(violation) = cell.history.violation(cell.term) {
                is_broken = true;
                outcome.worst_excess = outcome.worst_excess.max(violation.excess());
                outcome.find(run, format!("{limit} of `{key}`: {violation}"));
            }
        }
        outcome.violations += u64::from(is_broken);
    }

    fn cell(&mut self, status: &Status<'_>) -> &mut Cell {
        let cell = (status.name().to_owned(), status.key().to_owned());
        let lease = self.lease.as_ref();
        let term = lease.map_or(0, |lease| lease.bound(status.limit(), status.quota()));
        self.cells.entry(cell).or_insert_with(|| Cell {
            term: u128::from(term),
            history: History::new(*status.quota()),
            bucket: match status.quota() {
                Quota::Rate(rate) => Some(Bucket::new(rate)),
                _ => None,
            },
        })
    }
}

impl Cell {
    /// Whether the cost fits, and the wait if it does not; `None` where that is not certain.
    fn expected(&self, status: &Status<'_>, now: Timestamp) -> (Option<bool>, Option<RetryAfter>) {
        if let Some(bucket) = &self.bucket {
            let fits = bucket.holds(status.cost(), now);
            let wait = bucket.wait(status.cost(), now);
            let wait = wait.map_or(RetryAfter::Never, RetryAfter::After);
            return (Some(fits), (!fits).then_some(wait));
        }
        match self.history.quota() {
            // Entries count until the end of their slice grows old.
            Quota::SlidingWindow(window) if is_sliced(window) => (None, None),
            quota => {
                let wanted = self.history.in_use(now) + u128::from(status.cost());
                (Some(wanted <= u128::from(quota.largest_cost())), None)
            }
        }
    }
}

fn is_sliced(window: &SlidingWindow) -> bool {
    window.slice().as_nanos() > 1
}
