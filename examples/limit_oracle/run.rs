//! What happens in a run? Callers act one after another, and everything is written down.

use std::cell::Cell;
use std::time::{Duration, Instant};

use anyhow::Context;
use bursar_ratelimit::conformance::oracle::Span;
use bursar_ratelimit::{
    Charges, Decision, Progress, Reservation, RetryAfter, Status, Store, Timestamp, Usage, lease,
};

use crate::judge::{Admitted, Judge, Outcome};
use crate::plan::{Action, Plan};

/// Where a run's time comes from.
#[derive(Debug)]
pub(crate) enum Clock {
    /// Moves by what is said and never else.
    Virtual(Cell<u64>),
    /// Moves by itself.
    Real(Instant),
}

impl Clock {
    /// A clock that moves only when it is told to.
    pub(crate) fn virtual_time() -> Self {
        Self::Virtual(Cell::new(1_000_000_000_000))
    }

    /// The machine's clock.
    #[expect(clippy::disallowed_methods, reason = "the clock of an example")]
    pub(crate) fn real() -> Self {
        Self::Real(Instant::now())
    }

    fn is_exact(&self) -> bool {
        matches!(self, Self::Virtual(_))
    }

    fn now(&self) -> Timestamp {
        match self {
            Self::Virtual(now) => Timestamp::from_nanos(now.get()),
            Self::Real(started) => Timestamp::from(started.elapsed()),
        }
    }

    fn pass(&self, duration: Duration) {
        match self {
            Self::Virtual(now) => now.set((Timestamp::from_nanos(now.get()) + duration).as_nanos()),
            // Every run has a thread of its own. Shorter pauses than a thread can sleep are none.
            Self::Real(_) if duration > Duration::from_micros(50) => std::thread::sleep(duration),
            Self::Real(_) => {}
        }
    }
}

/// What a caller holds.
struct Held {
    reservation: Reservation,
    /// In the order of the reservation's holds.
    parts: Vec<Admitted>,
    usage: Usage,
}

/// What callers call: every caller always the same one.
pub(crate) struct Instances<'s> {
    /// One or more stores of the same state.
    pub(crate) stores: Vec<Box<dyn Store + 's>>,
    /// How they lease from it, if they do.
    pub(crate) lease: Option<lease::Settings>,
}

impl Instances<'_> {
    fn of_caller(&self, caller: usize) -> &dyn Store {
        &*self.stores[caller % self.stores.len()]
    }

    /// Whether a limit's holds come before those of other limits.
    fn leases(&self, status: &Status<'_>) -> bool {
        let lease = self.lease.as_ref();
        lease.is_some_and(|lease| lease.leases(status.limit(), status.quota()))
    }
}

struct Run<'s> {
    instances: &'s Instances<'s>,
    clock: &'s Clock,
    judge: Judge,
    outcome: Outcome,
    is_exact: bool,
    number: u64,
}

/// Makes a run and judges it.
pub(crate) async fn run(
    instances: &Instances<'_>,
    clock: &Clock,
    mut plan: Plan,
) -> anyhow::Result<Outcome> {
    let mut run = Run {
        instances,
        clock,
        judge: Judge::new(instances.lease.clone()),
        outcome: Outcome {
            runs: 1,
            ..Outcome::default()
        },
        is_exact: clock.is_exact() && !plan.is_skewed && instances.lease.is_none(),
        number: plan.number,
    };
    let mut held: Vec<Option<Held>> = (0..plan.callers).map(|_| None).collect();
    let mut retry_after = None;
    for _ in 0..plan.calls {
        clock.pass(plan.pause(retry_after));
        let caller = plan.caller();
        let store = instances.of_caller(caller);
        match (plan.action(held[caller].is_some()), &mut held[caller]) {
            (Action::Step, Some(held)) => {
                run.settle(store, &mut plan, held, Progress::Step).await?
            }
            (Action::Settle, Some(last)) => {
                run.settle(store, &mut plan, last, Progress::Final).await?;
                held[caller] = None;
            }
            (action, held) => {
                let (waits, admitted) = run.decide(store, &mut plan, action).await?;
                retry_after = waits;
                if let Some(admitted) = admitted {
                    // What the caller held before is never settled.
                    *held = Some(admitted);
                }
            }
        }
    }
    run.judge.judge(&mut run.outcome, plan.number);
    Ok(run.outcome)
}

impl Run<'_> {
    /// Checks or reserves, and says how long to wait or what is held.
    async fn decide(
        &mut self,
        store: &dyn Store,
        plan: &mut Plan,
        action: Action,
    ) -> anyhow::Result<(Option<Duration>, Option<Held>)> {
        let wanted = plan.request();
        let lag = plan.lag();
        let charges = plan.limits.resolve(&wanted.request())?;
        let begin = self.clock.now();
        let now = Timestamp::from_nanos(begin.as_nanos().saturating_sub(nanos(lag)));

        let before = store.peek(&charges, now).await?;
        let (decision, reservation) = match action {
            Action::Check => (store.check(&charges, now).await?, None),
            _ => {
                let admission = store.reserve(&charges, now).await?;
                (admission.decision, admission.reservation)
            }
        };
        let at = Span {
            earliest: now,
            latest: self.clock.now(),
        };
        self.outcome.decisions += 1;
        if self.is_exact {
            self.compare(&before, &decision, at.latest);
        }
        if !decision.is_allowed() {
            // Who leases may tell the store of a debt only now, which is not the refusal's doing.
            if self.instances.lease.is_none() || !plan.has_overruns {
                self.refused(store, &charges, &before, now).await?;
            }
            let wait = decision.retry_after().and_then(RetryAfter::duration);
            return Ok((wait, None));
        }
        self.outcome.allowed += 1;
        let parts = self.admit(&decision, at);
        let held = reservation.map(|reservation| Held {
            reservation,
            parts,
            usage: Usage::new(),
        });
        Ok((None, held))
    }

    /// Compares an answer with what it must be; times are exact.
    fn compare(&mut self, peeked: &Decision<'_>, decision: &Decision<'_>, now: Timestamp) {
        if peeked.is_allowed() != decision.is_allowed() {
            self.wrong("a look and a decision differ");
        }
        for status in decision.statuses() {
            if let Err(difference) = self.judge.compare(status, now) {
                self.wrong(&format!(
                    "{} of `{}`: {difference}",
                    status.name(),
                    status.key()
                ));
            }
        }
        let longest = decision.violated().filter_map(Status::retry_after).max();
        if decision.retry_after() != longest {
            self.wrong("another wait than the longest is told");
        }
    }

    /// A refused request must leave everything as it was.
    async fn refused(
        &mut self,
        store: &dyn Store,
        charges: &Charges<'_>,
        before: &Decision<'_>,
        now: Timestamp,
    ) -> anyhow::Result<()> {
        let after = store.peek(charges, now).await?;
        for (before, after) in before.statuses().iter().zip(after.statuses()) {
            // Who leases does not know what is left of a cell that it was never lent any of.
            if !before.is_known() || !after.is_known() {
                continue;
            }
            let taken = before.remaining().saturating_sub(after.remaining());
            // A lease that was drawn in vain may have drained before it is given back: the stated term.
            let lease = self.instances.lease.as_ref();
            let lent = lease.map_or(0, |lease| lease.bound(before.limit(), before.quota()));
            if taken > lent {
                let (name, key) = (before.name(), before.key());
                self.outcome.taken_by_refused += taken;
                let finding = format!("a refused request took {taken} from {name} of `{key}`");
                self.outcome.find(self.number, finding);
            }
            if self.is_exact && before.remaining() != after.remaining() {
                self.wrong("a refusal changed what is left");
            }
        }
        Ok(())
    }

    /// Writes down what was charged: everything but what a limit in shadow mode had no room for.
    fn admit(&mut self, decision: &Decision<'_>, at: Span) -> Vec<Admitted> {
        let mut parts = Vec::new();
        // In the order of the reservation's holds.
        let (leased, others): (Vec<_>, Vec<_>) = decision
            .statuses()
            .iter()
            .partition(|status| self.instances.leases(status));
        for status in leased.into_iter().chain(others) {
            if status.fits() {
                parts.push(self.judge.admit(status, at));
            }
            if self.is_exact
                && let Err(difference) = self.judge.compare_left(status, at.latest)
            {
                self.wrong(&format!(
                    "{} of `{}`: {difference}",
                    status.name(),
                    status.key()
                ));
            }
        }
        parts
    }

    async fn settle(
        &mut self,
        store: &dyn Store,
        plan: &mut Plan,
        held: &mut Held,
        progress: Progress,
    ) -> anyhow::Result<()> {
        held.usage = plan.usage(|unit| held.reservation.reserved(unit), &held.usage);
        let now = self.clock.now();
        let reservation = &mut held.reservation;
        let settlement = store
            .settle(reservation, &held.usage, progress, now)
            .await
            .context("a settlement failed")?;
        let at = Span {
            earliest: now,
            latest: self.clock.now(),
        };
        if settlement.parts().len() != held.parts.len() {
            self.wrong("a settlement leaves out what was reserved");
        }
        let is_final = progress == Progress::Final;
        for (part, admitted) in settlement.parts().iter().zip(&mut held.parts) {
            self.outcome.refunded += u128::from(part.refunded);
            self.outcome.debts += u128::from(part.debt);
            let used = held.usage.of(part.unit);
            if let Err(difference) = self.judge.settle(admitted, used, is_final, part, at) {
                self.wrong(&difference);
            }
        }
        Ok(())
    }

    fn wrong(&mut self, what: &str) {
        self.outcome.wrong_answers += 1;
        self.outcome.find(self.number, what.to_owned());
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
