//! Does the store decide as buckets and lines on paper would?

use std::time::Duration;

use bursar_ratelimit::{Limit, MemoryStore, Rate, Settings, Ticket, Timestamp, Turn};
use proptest::prelude::*;

use super::{LONG, charges, limit, passes};

/// A bucket and its line as one would write them down: what is outstanding in nanoseconds times
/// units, and who waits.
#[derive(Clone, Debug)]
struct ModelCell {
    limit: u128,
    period: u128,
    burst: u128,
    outstanding: u128,
    line: Vec<(usize, u128, u64)>,
}

#[derive(Debug)]
struct Model {
    now: u64,
    cells: Vec<ModelCell>,
    passed: Vec<(u64, Vec<(usize, u64)>)>,
    next: usize,
}

#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Passed,
    Waits(usize),
    Denied,
}

impl Model {
    fn new(rates: &[(u64, u64, u64)]) -> Self {
        let cell = |&(limit, period, burst): &(u64, u64, u64)| ModelCell {
            limit: limit.into(),
            period: period.into(),
            burst: burst.into(),
            outstanding: 0,
            line: Vec::new(),
        };
        Self {
            now: 0,
            cells: rates.iter().map(cell).collect(),
            passed: Vec::new(),
            next: 0,
        }
    }

    fn advance(&mut self, nanos: u64) {
        self.now += nanos;
        for cell in &mut self.cells {
            let drained = u128::from(nanos) * cell.limit;
            cell.outstanding = cell.outstanding.saturating_sub(drained);
            cell.line.retain(|&(_, _, until)| until >= self.now);
        }
    }

    /// How long until a request fits into a cell behind those with smaller numbers.
    fn wait(&self, cell: usize, cost: u64, before: usize) -> Option<u64> {
        let cell = &self.cells[cell];
        let ahead = cell.line.iter().filter(|(number, _, _)| *number < before);
        let ahead: u128 = ahead.map(|(_, units, _)| units).sum();
        let room = cell.burst.checked_sub(cost.into())?;
        let ahead = if cost == 0 { 0 } else { ahead };
        let excess = cell.outstanding + ahead * cell.period;
        let excess = excess.saturating_sub(room * cell.period);
        Some(excess.div_ceil(cell.limit) as u64)
    }

    fn ask(
        &mut self,
        costs: &[(usize, u64)],
        number: Option<usize>,
        until: u64,
        newcomer: bool,
    ) -> Answer {
        let before = number.unwrap_or(usize::MAX);
        let waits: Vec<Option<u64>> = costs
            .iter()
            .map(|&(cell, cost)| self.wait(cell, cost, before))
            .collect();
        if waits.iter().all(|wait| *wait == Some(0)) {
            for &(cell, cost) in costs {
                let cell = &mut self.cells[cell];
                cell.outstanding += u128::from(cost) * cell.period;
            }
            self.passed.push((self.now, costs.to_vec()));
            self.leave(number);
            return Answer::Passed;
        }
        let in_time = |wait: &Option<u64>| wait.is_some_and(|wait| self.now + wait <= until);
        if newcomer && !waits.iter().all(in_time) || !newcomer && self.now >= until {
            self.leave(number);
            return Answer::Denied;
        }
        let number = number.unwrap_or_else(|| {
            self.next += 1;
            self.next
        });
        for (&(cell, cost), wait) in costs.iter().zip(waits) {
            let line = &mut self.cells[cell].line;
            if wait != Some(0) && !line.iter().any(|place| place.0 == number) {
                line.push((number, cost.into(), until));
                line.sort_unstable();
            }
        }
        Answer::Waits(number)
    }

    fn leave(&mut self, number: Option<usize>) {
        for cell in &mut self.cells {
            cell.line.retain(|place| Some(place.0) != number);
        }
    }

    /// Whether any window of any cell was passed by more than its burst and rate.
    fn assert_bound(&self) {
        for (index, cell) in self.cells.iter().enumerate() {
            for (first, (start, _)) in self.passed.iter().enumerate() {
                let mut units = 0_u128;
                for (end, costs) in &self.passed[first..] {
                    let costs = costs.iter().filter(|(charged, _)| *charged == index);
                    units += costs.map(|(_, cost)| u128::from(*cost)).sum::<u128>();
                    let most = cell.burst * cell.period + u128::from(end - start) * cell.limit;
                    assert!(units * cell.period <= most, "{units} from {start} to {end}");
                }
            }
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Advance(u64),
    Check(Vec<(usize, u64)>),
    Wait(Vec<(usize, u64)>, u64),
    /// Polls one of those who wait, at once or at the time it was told.
    Poll(prop::sample::Index, bool),
    Leave(prop::sample::Index),
}

fn costs() -> impl Strategy<Value = Vec<(usize, u64)>> {
    (1..8_usize, prop::array::uniform3(0..12_u64)).prop_map(|(which, costs)| {
        (0..3)
            .filter(|cell| which >> cell & 1 == 1)
            .map(|cell| (cell, costs[cell]))
            .collect()
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (0..400_u64).prop_map(Step::Advance),
        3 => costs().prop_map(Step::Check),
        3 => (costs(), 0..2_000_u64).prop_map(|(costs, wait)| Step::Wait(costs, wait)),
        6 => any::<(prop::sample::Index, bool)>().prop_map(|(who, sleep)| Step::Poll(who, sleep)),
        1 => any::<prop::sample::Index>().prop_map(Step::Leave),
    ]
}

/// One who waits: the model's number, the costs and the store's ticket.
type Waiting<'s, 'a> = (usize, Vec<(usize, u64)>, Ticket<'s, 'a>);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn agrees_with_buckets_and_lines_written_down(
        rates in prop::array::uniform3((1..20_u64, 1..200_u64, 1..12_u64)),
        steps in prop::collection::vec(step(), 1..80),
    ) {
        let store = MemoryStore::new({
            let mut settings = Settings::default();
            settings.shards = 2;
            settings
        });
        let limits: Vec<Limit> = rates.iter().enumerate().map(|(index, (units, period, burst))| {
            let rate = Rate::new(*units, Duration::from_nanos(*period)).unwrap();
            limit(&format!("limit-{index}"), rate.burst(*burst).unwrap())
        }).collect();
        let charged = |costs: &[(usize, u64)]| {
            let costs: Vec<_> = costs.iter().map(|&(cell, cost)| (&limits[cell], cost)).collect();
            charges(&costs)
        };
        let mut model = Model::new(&rates);
        let mut tickets: Vec<Waiting<'_, '_>> = Vec::new();
        for step in steps {
            let now = Timestamp::from_nanos(model.now);
            match step {
                Step::Advance(nanos) => model.advance(nanos),
                Step::Check(costs) => {
                    let expected = model.ask(&costs, None, 0, true) == Answer::Passed;
                    let decision = store.check(&charged(&costs), now).unwrap();
                    prop_assert_eq!(decision.is_allowed(), expected);
                }
                Step::Wait(costs, wait) => {
                    let expected = model.ask(&costs, None, model.now + wait, true);
                    let turn = store.wait_in_line(&charged(&costs), Duration::from_nanos(wait), now);
                    match (turn.unwrap(), expected) {
                        (Turn::Admitted(_), Answer::Passed) | (Turn::Denied(_), Answer::Denied) => {}
                        (Turn::Waiting(ticket), Answer::Waits(number)) => {
                            tickets.push((number, costs, ticket));
                        }
                        (turn, expected) => prop_assert!(false, "{turn:?} but {expected:?}"),
                    }
                }
                Step::Poll(_, _) | Step::Leave(_) if tickets.is_empty() => {}
                Step::Leave(who) => {
                    let (number, _, ticket) = tickets.swap_remove(who.index(tickets.len()));
                    model.leave(Some(number));
                    drop(ticket);
                }
                Step::Poll(who, sleep) => {
                    let (number, costs, ticket) = tickets.swap_remove(who.index(tickets.len()));
                    if sleep {
                        let until = ticket.next_poll().as_nanos();
                        model.advance(until.saturating_sub(model.now));
                    }
                    let (now, until) = (model.now, ticket.deadline().as_nanos());
                    let expected = if now > until {
                        model.leave(Some(number));
                        match model.ask(&costs, None, 0, true) {
                            Answer::Passed => Answer::Passed,
                            _ => Answer::Denied,
                        }
                    } else {
                        model.ask(&costs, Some(number), until, false)
                    };
                    match (ticket.poll(Timestamp::from_nanos(now)).unwrap(), expected) {
                        (Turn::Admitted(_), Answer::Passed) | (Turn::Denied(_), Answer::Denied) => {}
                        (Turn::Waiting(ticket), Answer::Waits(same)) => {
                            prop_assert_eq!(same, number);
                            tickets.push((number, costs, ticket));
                        }
                        (turn, expected) => prop_assert!(false, "{turn:?} but {expected:?}"),
                    }
                }
            }
        }
        model.assert_bound();
    }

    /// Those who wait for one limit pass in the order in which they came, whoever asks first, and
    /// each when it was told.
    #[test]
    fn nobody_in_one_line_is_overtaken(
        (units, period, burst) in (1..20_u64, 1..200_u64, 2..50_u64),
        costs in prop::collection::vec((any::<prop::sample::Index>(), 0..100_u64), 2..30),
        order in any::<u64>(),
    ) {
        let rate = Rate::new(units, Duration::from_nanos(period)).unwrap();
        let limit = limit("tokens", rate.burst(burst).unwrap());
        let store = MemoryStore::default();
        let full = charges(&[(&limit, burst)]);
        passes(store.wait_in_line(&full, LONG, Timestamp::ZERO).unwrap());
        let mut now = 0;
        let mut tickets = Vec::new();
        for (number, (cost, later)) in costs.iter().enumerate() {
            // Less than a whole burst, behind which predictions are exact.
            let cost = 1 + cost.index(burst as usize - 1) as u64;
            let charges = charges(&[(&limit, cost)]);
            match store.wait_in_line(&charges, LONG, Timestamp::from_nanos(now)).unwrap() {
                Turn::Waiting(ticket) => tickets.push((number, ticket)),
                Turn::Admitted(_) => prop_assert!(tickets.is_empty(), "{number} overtook"),
                Turn::Denied(decision) => prop_assert!(false, "{decision:?}"),
            }
            if tickets.is_empty() {
                now += later;
            }
        }
        let mut last = None;
        while let Some(next) = tickets.iter().map(|(_, ticket)| ticket.next_poll()).min() {
            now = now.max(next.as_nanos());
            let first = tickets.iter().map(|(number, _)| *number).min();
            let turn = (order as usize).wrapping_add(now as usize) % tickets.len();
            tickets.rotate_left(turn);
            let mut rest = Vec::new();
            for (number, ticket) in tickets {
                let told = ticket.next_poll().as_nanos();
                match ticket.poll(Timestamp::from_nanos(now)).unwrap() {
                    Turn::Waiting(ticket) => {
                        prop_assert!(told > now || Some(number) != first);
                        rest.push((number, ticket));
                    }
                    Turn::Admitted(_) => {
                        prop_assert!(told <= now, "{number} passed before {told}");
                        last = last.max(Some(number));
                    }
                    Turn::Denied(decision) => prop_assert!(false, "{decision:?}"),
                }
            }
            tickets = rest;
            let waiting = tickets.iter().map(|(number, _)| Some(*number)).min();
            prop_assert!(waiting.is_none_or(|first| last < first), "{last:?} passed before {waiting:?}");
        }
    }
}
