//! What if a refund simply went back into the bucket? The mistake that the oracle has to find.

use std::collections::HashMap;
use std::sync::Mutex;

use async_trait::async_trait;
use bursar_ratelimit::gcra::{Gcra, Position};
use bursar_ratelimit::{
    Admission, CellName, Change, Charge, Charges, Decision, Hold, HoldKind, Level, Progress, Quota,
    Reservation, ReservationId, Settled, Settlement, Status, Store, StoreError, Timestamp, Usage,
};

/// Token buckets that are correct but for one thing: `TAT = max(now, TAT - unused × T)`. What had
/// drained before the settlement is given away for a second time. Knows rates alone.
#[derive(Debug, Default)]
pub(crate) struct Naive {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    buckets: HashMap<String, Used>,
    reservations: u128,
}

/// Units times ticks that had not drained at a time.
#[derive(Clone, Copy, Debug, Default)]
struct Used {
    outstanding: u128,
    at: u64,
}

impl Used {
    fn drained(self, gcra: &Gcra, now: u64) -> Self {
        let elapsed = u128::from(now.saturating_sub(self.at));
        let drained = elapsed * u128::from(gcra.units());
        Self {
            outstanding: self.outstanding.saturating_sub(drained),
            at: now.max(self.at),
        }
    }
}

impl State {
    fn used(&self, cell: &str, gcra: &Gcra, now: Timestamp) -> Used {
        let used = self.buckets.get(cell).copied().unwrap_or_default();
        used.drained(gcra, now.as_nanos())
    }

    fn status<'a>(&self, charge: &Charge<'a>, gcra: &Gcra, now: Timestamp) -> Status<'a> {
        let used = self.used(&name(charge), gcra, now);
        let fits = gcra.admits(used.outstanding, charge.cost());
        Status::new(*charge, fits, level(gcra, used))
    }

    fn charge(&mut self, charge: &Charge<'_>, gcra: &Gcra, now: Timestamp) -> (Hold, Level) {
        let cell = name(charge);
        let mut used = self.used(&cell, gcra, now);
        used.outstanding += u128::from(charge.cost()) * u128::from(gcra.ticks());
        self.buckets.insert(cell.clone(), used);
        let position = Position {
            start: 0,
            used: 0,
            refunded: 0,
        };
        let kind = HoldKind::Rate {
            gcra: *gcra,
            position,
        };
        let unit = charge.limit().unit();
        let hold = Hold::new(CellName::Key(cell.into()), unit, charge.cost(), kind);
        (hold, level(gcra, used))
    }

    /// The mistake: all that was not used comes back, whether it has drained or not.
    fn settle(&mut self, cell: &str, gcra: &Gcra, change: Change, now: Timestamp) -> u64 {
        let mut used = self.used(cell, gcra, now);
        let units = |units: u64| u128::from(units) * u128::from(gcra.ticks());
        let refunded = match change {
            Change::Debt(debt) => {
                used.outstanding = used.outstanding.saturating_add(units(debt));
                0
            }
            Change::Unused(unused) => {
                used.outstanding = used.outstanding.saturating_sub(units(unused));
                unused
            }
        };
        self.buckets.insert(cell.to_owned(), used);
        refunded
    }
}

impl Naive {
    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        match self.state.lock() {
            Ok(mut state) => work(&mut state),
            Err(poisoned) => work(&mut poisoned.into_inner()),
        }
    }

    fn decide<'a>(
        &self,
        charges: &Charges<'a>,
        now: Timestamp,
        charges_it: bool,
    ) -> Result<(Decision<'a>, Vec<Hold>), StoreError> {
        let charges = charges.as_slice();
        let rates: Vec<Gcra> = charges.iter().map(rate).collect::<Result<_, _>>()?;
        Ok(self.with(|state| {
            let asked = charges.iter().zip(&rates);
            let mut statuses: Vec<_> = asked
                .map(|(charge, gcra)| state.status(charge, gcra, now))
                .collect();
            let mut holds = Vec::new();
            let refused = statuses.iter().any(Status::is_violated);
            if !refused && charges_it {
                for ((charge, gcra), status) in charges.iter().zip(&rates).zip(&mut statuses) {
                    if status.fits() {
                        let (hold, level) = state.charge(charge, gcra, now);
                        *status = Status::new(*charge, true, level);
                        holds.push(hold);
                    }
                }
            }
            (Decision::new(statuses), holds)
        }))
    }
}

#[async_trait]
impl Store for Naive {
    async fn check<'a>(
        &self,
        charges: &Charges<'a>,
        now: Timestamp,
    ) -> Result<Decision<'a>, StoreError> {
        Ok(self.decide(charges, now, true)?.0)
    }

    async fn peek<'a>(
        &self,
        charges: &Charges<'a>,
        now: Timestamp,
    ) -> Result<Decision<'a>, StoreError> {
        Ok(self.decide(charges, now, false)?.0)
    }

    async fn reserve<'a>(
        &self,
        charges: &Charges<'a>,
        now: Timestamp,
    ) -> Result<Admission<'a>, StoreError> {
        let (decision, holds) = self.decide(charges, now, true)?;
        let number = self.with(|state| {
            state.reservations += 1;
            state.reservations
        });
        let reservation = decision
            .is_allowed()
            .then(|| Reservation::new(ReservationId(number), holds));
        Ok(Admission::new(decision, reservation))
    }

    async fn settle(
        &self,
        reservation: &mut Reservation,
        usage: &Usage,
        progress: Progress,
        now: Timestamp,
    ) -> Result<Settlement, StoreError> {
        if reservation.is_settled() {
            return Ok(Settlement::ALREADY_SETTLED);
        }
        let mut parts = Vec::new();
        for hold in reservation.holds() {
            let (CellName::Key(cell), HoldKind::Rate { gcra, .. }) = (&hold.cell, &hold.kind)
            else {
                return Err(StoreError::ForeignReservation);
            };
            let change = reservation.change(hold, usage, progress);
            let refunded = self.with(|state| state.settle(cell, gcra, change, now));
            parts.push(Settled::new(hold, change, refunded));
        }
        reservation.settled(usage, progress);
        Ok(Settlement::applied(parts))
    }
}

fn name(charge: &Charge<'_>) -> String {
    format!("{}/{}", charge.limit().name(), charge.key())
}

fn rate(charge: &Charge<'_>) -> Result<Gcra, StoreError> {
    match charge.quota() {
        Quota::Rate(rate) => Ok(*rate.gcra()),
        _ => Err(StoreError::Quota {
            limit: charge.limit().name().to_owned(),
            store: "naive",
            reason: "it knows rates alone".to_owned(),
        }),
    }
}

fn level(gcra: &Gcra, used: Used) -> Level {
    Level::Rate {
        gcra: *gcra,
        tick_nanos: 1,
        outstanding: used.outstanding,
    }
}
