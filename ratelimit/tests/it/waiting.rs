//! Is it first come, first served, and does everybody's turn come?

use std::time::Duration;

use bursar_ratelimit::{
    Budget, Charge, Charges, Concurrency, Dimension, Limit, MemoryStore, Progress, Quota, Rate,
    RetryAfter, Settings, SlidingWindow, Ticket, Timestamp, Turn, Unit, Usage,
};
use proptest::prelude::*;

const LONG: Duration = Duration::from_secs(3600);

/// One unit a second; the burst is in the name.
fn per_second(name: &str, burst: u64) -> Limit {
    let rate = Rate::per_second(1).unwrap().burst(burst).unwrap();
    Limit::new(name, Dimension::API_KEY, Unit::TOKENS, rate)
}

fn limit(name: &str, quota: impl Into<Quota>) -> Limit {
    Limit::new(name, Dimension::API_KEY, Unit::TOKENS, quota)
}

fn charges<'a>(costs: &[(&'a Limit, u64)]) -> Charges<'a> {
    let charges = costs
        .iter()
        .map(|&(limit, cost)| Charge::new(limit, limit.quota(), "key-17", cost));
    Charges::new(charges).unwrap()
}

fn seconds(seconds: u64) -> Timestamp {
    Timestamp::from_secs(seconds)
}

#[track_caller]
fn waiting<'s, 'a>(turn: Turn<'s, 'a>) -> Ticket<'s, 'a> {
    match turn {
        Turn::Waiting(ticket) => ticket,
        other => panic!("should wait, but {other:?}"),
    }
}

#[track_caller]
fn passes(turn: Turn<'_, '_>) {
    assert!(matches!(turn, Turn::Admitted(_)), "should pass: {turn:?}");
}

#[track_caller]
fn is_denied(turn: Turn<'_, '_>) {
    assert!(
        matches!(turn, Turn::Denied(_)),
        "should be denied: {turn:?}"
    );
}

/// Polls a ticket that should neither pass nor be denied.
#[track_caller]
fn waits_on<'s, 'a>(ticket: Ticket<'s, 'a>, now: Timestamp) -> Ticket<'s, 'a> {
    waiting(ticket.poll(now).unwrap())
}

#[test]
fn passes_at_once_when_there_is_room() {
    let store = MemoryStore::default();
    let limit = per_second("tokens", 10);
    let all = charges(&[(&limit, 10)]);
    passes(
        store
            .wait_in_line(&all, Duration::ZERO, seconds(1))
            .unwrap(),
    );
    is_denied(
        store
            .wait_in_line(&all, Duration::ZERO, seconds(1))
            .unwrap(),
    );
}

#[test]
fn a_large_request_passes_when_predicted_beside_steady_small_ones() {
    let store = MemoryStore::default();
    let limit = per_second("tokens", 100);
    let (large, small) = (charges(&[(&limit, 50)]), charges(&[(&limit, 1)]));
    let full = charges(&[(&limit, 100)]);
    assert!(store.check(&full, seconds(1_000)).unwrap().is_allowed());

    let mut ticket = waiting(store.wait_in_line(&large, LONG, seconds(1_000)).unwrap());
    assert_eq!(ticket.ready_at(), Some(seconds(1_050)));
    for tenths in 0..500 {
        let now = seconds(1_000) + Duration::from_millis(100 * tenths);
        let refused = store.check(&small, now).unwrap();
        assert!(!refused.is_allowed(), "overtaken at {now:?}");
        ticket = waits_on(ticket, now);
        assert_eq!(ticket.ready_at(), Some(seconds(1_050)));
    }
    let just_before = Timestamp::from_nanos(seconds(1_050).as_nanos() - 1);
    ticket = waits_on(ticket, just_before);
    passes(ticket.poll(seconds(1_050)).unwrap());

    // The small ones go on where the large one left off.
    assert!(!store.check(&small, seconds(1_050)).unwrap().is_allowed());
    assert!(store.check(&small, seconds(1_051)).unwrap().is_allowed());
}

#[test]
fn small_requests_pass_in_front_of_a_waiter_that_they_do_not_hold_up() {
    let store = MemoryStore::default();
    let limit = per_second("tokens", 100);
    let (large, small) = (charges(&[(&limit, 60)]), charges(&[(&limit, 10)]));
    passes(store.wait_in_line(&large, LONG, seconds(0)).unwrap());
    let ticket = waiting(store.wait_in_line(&large, LONG, seconds(0)).unwrap());
    assert_eq!(ticket.ready_at(), Some(seconds(20)));

    // The waiter is late. At 29 s there are 31 units used and 60 waited for.
    assert!(!store.check(&small, seconds(29)).unwrap().is_allowed());
    assert!(store.check(&small, seconds(30)).unwrap().is_allowed());
    passes(ticket.poll(seconds(30)).unwrap());
}

#[test]
fn equal_requests_pass_in_the_order_in_which_they_came() {
    let store = MemoryStore::default();
    let limit = per_second("tokens", 10);
    let all = charges(&[(&limit, 10)]);
    passes(store.wait_in_line(&all, LONG, seconds(0)).unwrap());
    let mut tickets: Vec<_> = (0..5)
        .map(|_| waiting(store.wait_in_line(&all, LONG, seconds(0)).unwrap()))
        .collect();
    for (index, ticket) in tickets.iter().enumerate() {
        assert_eq!(ticket.ready_at(), Some(seconds(10 * (index as u64 + 1))));
    }
    for round in 1..=5 {
        // The last ones ask first, and in vain.
        let now = seconds(10 * round);
        for ticket in tickets.split_off(1).into_iter().rev() {
            tickets.insert(1, waits_on(ticket, now));
        }
        passes(tickets.remove(0).poll(now).unwrap());
    }
}

#[test]
fn a_small_request_waits_behind_a_large_one() {
    let store = MemoryStore::default();
    let limit = per_second("tokens", 10);
    let (large, small) = (charges(&[(&limit, 8)]), charges(&[(&limit, 1)]));
    passes(store.wait_in_line(&large, LONG, seconds(0)).unwrap());
    let first = waiting(store.wait_in_line(&large, LONG, seconds(0)).unwrap());
    let second = waiting(store.wait_in_line(&small, LONG, seconds(0)).unwrap());
    assert_eq!(first.ready_at(), Some(seconds(6)));
    assert_eq!(second.ready_at(), Some(seconds(7)));
    let second = waits_on(second, seconds(6));
    passes(first.poll(seconds(6)).unwrap());
    let second = waits_on(second, seconds(6));
    passes(second.poll(seconds(7)).unwrap());
}

#[test]
fn a_dropped_ticket_frees_the_line() {
    let store = MemoryStore::default();
    let limit = per_second("tokens", 10);
    let (large, small) = (charges(&[(&limit, 10)]), charges(&[(&limit, 1)]));
    passes(store.wait_in_line(&large, LONG, seconds(0)).unwrap());
    let first = waiting(store.wait_in_line(&large, LONG, seconds(0)).unwrap());
    let second = waiting(store.wait_in_line(&small, LONG, seconds(0)).unwrap());
    assert_eq!(second.ready_at(), Some(seconds(11)));
    drop(first);
    let second = waits_on(second, seconds(0));
    assert_eq!(second.ready_at(), Some(seconds(1)));
    passes(second.poll(seconds(1)).unwrap());
}

#[test]
fn a_waiter_that_vanished_holds_nobody_up_for_longer_than_it_would_have_waited() {
    let store = MemoryStore::default();
    let limit = per_second("tokens", 10);
    let (large, small) = (charges(&[(&limit, 10)]), charges(&[(&limit, 1)]));
    passes(store.wait_in_line(&large, LONG, seconds(0)).unwrap());
    let wait = Duration::from_secs(15);
    let ticket = waiting(store.wait_in_line(&large, wait, seconds(0)).unwrap());
    std::mem::forget(ticket);
    assert!(!store.check(&small, seconds(15)).unwrap().is_allowed());
    let after = Timestamp::from_nanos(seconds(15).as_nanos() + 1);
    assert!(store.check(&small, after).unwrap().is_allowed());
}

#[test]
fn waits_for_exactly_as_long_as_it_is_willing_to() {
    let store = MemoryStore::default();
    let limit = per_second("tokens", 10);
    let all = charges(&[(&limit, 10)]);
    passes(store.wait_in_line(&all, LONG, seconds(0)).unwrap());
    let wait = Duration::from_secs(10);
    let less = wait.saturating_sub(Duration::from_nanos(1));
    is_denied(store.wait_in_line(&all, less, seconds(0)).unwrap());

    // The one that was denied left no trace.
    let ticket = waiting(store.wait_in_line(&all, wait, seconds(0)).unwrap());
    assert_eq!(
        (ticket.deadline(), ticket.next_poll()),
        (seconds(10), seconds(10))
    );
    passes(ticket.poll(seconds(10)).unwrap());
}

#[test]
fn is_denied_at_its_deadline_when_others_were_charged_without_asking() {
    let store = MemoryStore::default();
    let limit = per_second("tokens", 10);
    let all = charges(&[(&limit, 10)]);
    let held = store.reserve(&all, seconds(0)).unwrap();
    let wait = Duration::from_secs(10);
    let ticket = waiting(store.wait_in_line(&all, wait, seconds(0)).unwrap());
    let overrun = Usage::new().with(Unit::TOKENS, 13);
    let mut held = held.reservation.unwrap();
    assert!(
        store
            .settle(&mut held, &overrun, Progress::Final, seconds(5))
            .unwrap()
            .is_applied()
    );
    let ticket = waits_on(ticket, seconds(9));
    assert_eq!(ticket.ready_at(), Some(seconds(13)));
    assert_eq!(ticket.next_poll(), seconds(10));
    is_denied(ticket.poll(seconds(10)).unwrap());
    assert!(store.check(&all, seconds(13)).unwrap().is_allowed());
}

#[test]
fn a_poll_after_the_deadline_is_that_of_a_newcomer() {
    let store = MemoryStore::default();
    let limit = per_second("tokens", 10);
    let all = charges(&[(&limit, 10)]);
    passes(store.wait_in_line(&all, LONG, seconds(0)).unwrap());
    let wait = Duration::from_secs(10);
    let first = waiting(store.wait_in_line(&all, wait, seconds(0)).unwrap());
    let second = waiting(store.wait_in_line(&all, LONG, seconds(0)).unwrap());
    is_denied(first.poll(seconds(11)).unwrap());
    passes(second.poll(seconds(11)).unwrap());

    let third = waiting(store.wait_in_line(&all, wait, seconds(11)).unwrap());
    passes(third.poll(seconds(40)).unwrap());
}

#[test]
fn what_waiting_does_not_help_is_denied_at_once() {
    let store = MemoryStore::default();
    let limit = per_second("tokens", 10);
    let budget = limit_of_budget(5, LONG);
    is_denied(
        store
            .wait_in_line(&charges(&[(&limit, 11)]), LONG, seconds(0))
            .unwrap(),
    );
    let spend = charges(&[(&budget, 3)]);
    assert!(store.check(&spend, seconds(0)).unwrap().is_allowed());
    is_denied(store.wait_in_line(&spend, LONG, seconds(0)).unwrap());
}

fn limit_of_budget(amount: u64, expiry: Duration) -> Limit {
    limit("budget", Budget::new(amount, expiry).unwrap())
}

#[test]
fn limits_that_did_not_refuse_are_open_to_others() {
    let store = MemoryStore::default();
    let (tight, wide) = (per_second("tight", 10), per_second("wide", 1_000));
    let both = charges(&[(&tight, 10), (&wide, 100)]);
    passes(store.wait_in_line(&both, LONG, seconds(0)).unwrap());
    let ticket = waiting(store.wait_in_line(&both, LONG, seconds(0)).unwrap());
    assert_eq!(ticket.ready_at(), Some(seconds(10)));

    // Nothing of the wide limit is charged or kept back for the waiter.
    let rest = charges(&[(&wide, 900)]);
    assert!(store.check(&rest, seconds(0)).unwrap().is_allowed());
    assert!(
        !store
            .check(&charges(&[(&tight, 1)]), seconds(9))
            .unwrap()
            .is_allowed()
    );

    // So it has to wait there too when its turn has come in the tight one, and now it is in line.
    let ticket = waits_on(ticket, seconds(10));
    assert_eq!(ticket.ready_at(), Some(seconds(100)));
    assert_eq!(
        ticket.decision().deciding().map(|status| status.name()),
        Some("wide")
    );
    let one = charges(&[(&wide, 1)]);
    assert!(!store.check(&one, seconds(99)).unwrap().is_allowed());
    assert!(
        !store
            .check(&charges(&[(&tight, 1)]), seconds(99))
            .unwrap()
            .is_allowed()
    );
    passes(ticket.poll(seconds(100)).unwrap());
}

#[test]
fn a_ticket_keeps_its_number_in_lines_that_it_joins_later() {
    let store = MemoryStore::default();
    let (tight, wide) = (per_second("tight", 10), per_second("wide", 100));
    let both = charges(&[(&tight, 10), (&wide, 50)]);
    let only_wide = charges(&[(&wide, 60)]);
    passes(store.wait_in_line(&both, LONG, seconds(0)).unwrap());
    let older = waiting(store.wait_in_line(&both, LONG, seconds(0)).unwrap());
    let younger = waiting(store.wait_in_line(&only_wide, LONG, seconds(0)).unwrap());
    assert_eq!(younger.ready_at(), Some(seconds(10)));
    assert!(
        store
            .check(&charges(&[(&wide, 1)]), seconds(0))
            .is_ok_and(|decision| !decision.is_allowed())
    );

    // The younger one asks first, and 50 units that were free are still free.
    let older = waits_on(older, seconds(9));
    passes(younger.poll(seconds(10)).unwrap());
    let older = waits_on(older, seconds(10));
    assert_eq!(older.ready_at(), Some(seconds(60)));
    let third = waiting(store.wait_in_line(&only_wide, LONG, seconds(10)).unwrap());
    assert_eq!(third.ready_at(), Some(seconds(120)));
    drop(third);
    passes(older.poll(seconds(60)).unwrap());
}

#[test]
fn a_call_slot_goes_to_the_one_who_waits_for_it() {
    let store = MemoryStore::default();
    let calls = limit("calls", Concurrency::new(1, LONG).unwrap());
    let one = charges(&[(&calls, 1)]);
    let held = store.reserve(&one, seconds(0)).unwrap();
    let permit = store.guard(held.reservation.unwrap());
    let wait = Duration::from_secs(5);
    let ticket = waiting(store.wait_in_line(&one, wait, seconds(0)).unwrap());
    assert!(ticket.awaits_settlement());
    // Left alone, the slot would be free when the hold expires.
    assert_eq!(ticket.ready_at(), Some(seconds(3600)));
    assert_eq!(ticket.next_poll(), seconds(5));

    drop(permit);
    let overtaking = store.reserve(&one, seconds(1)).unwrap();
    assert!(overtaking.reservation.is_none());
    assert_eq!(
        overtaking.decision.retry_after(),
        Some(RetryAfter::Unknown),
        "it depends on how long the waiter will hold the slot"
    );
    passes(ticket.poll(seconds(1)).unwrap());
}

#[test]
fn unsettled_budget_is_waited_for() {
    let store = MemoryStore::default();
    let budget = limit_of_budget(100, LONG);
    let call = charges(&[(&budget, 60)]);
    let held = store.reserve(&call, seconds(0)).unwrap();
    let first = waiting(store.wait_in_line(&call, LONG, seconds(0)).unwrap());
    let second = waiting(store.wait_in_line(&call, LONG, seconds(0)).unwrap());
    assert_eq!((first.ready_at(), first.awaits_settlement()), (None, true));
    assert_eq!(first.next_poll(), first.deadline());
    let cheaper = Usage::new().with(Unit::TOKENS, 10);
    let settled = store.settle(
        &mut held.reservation.unwrap(),
        &cheaper,
        Progress::Final,
        seconds(1),
    );
    assert!(settled.unwrap().is_applied());
    let second = waits_on(second, seconds(1));
    let Turn::Admitted(admission) = first.poll(seconds(1)).unwrap() else {
        panic!("the first one's turn has come");
    };
    let second = waits_on(second, seconds(1));

    // Once the budget is spent, no waiting helps the second one.
    let spent = Usage::new().with(Unit::TOKENS, 60);
    let mut reservation = admission.reservation.unwrap();
    let settled = store.settle(&mut reservation, &spent, Progress::Final, seconds(2));
    assert!(settled.unwrap().is_applied());
    is_denied(second.poll(seconds(2)).unwrap());
}

#[test]
fn windows_are_waited_for_behind_others_who_will_fill_them_again() {
    let store = MemoryStore::default();
    let window = SlidingWindow::new(10, Duration::from_secs(60)).unwrap();
    let limit = limit("window", window);
    let (large, small) = (charges(&[(&limit, 8)]), charges(&[(&limit, 4)]));
    let at = |second: u64| seconds(1_000 + second);
    passes(store.wait_in_line(&large, LONG, at(0)).unwrap());
    let first = waiting(store.wait_in_line(&large, LONG, at(10)).unwrap());
    let second = waiting(store.wait_in_line(&large, LONG, at(20)).unwrap());
    let third = waiting(store.wait_in_line(&small, LONG, at(30)).unwrap());
    let ready = [&first, &second, &third].map(Ticket::ready_at);
    assert_eq!(ready, [Some(at(60)), Some(at(120)), Some(at(180))]);
    let limit = Duration::from_secs(148);
    is_denied(store.wait_in_line(&small, limit, at(31)).unwrap());
    drop(waiting(store.wait_in_line(&small, limit, at(32)).unwrap()));

    let third = waits_on(third, at(60));
    passes(first.poll(at(60)).unwrap());
    let third = waits_on(third, at(119));
    passes(second.poll(at(120)).unwrap());
    let third = waits_on(third, at(179));
    passes(third.poll(at(180)).unwrap());
}

#[test]
fn a_cost_of_nothing_passes_a_line() {
    let store = MemoryStore::default();
    let limit = per_second("tokens", 10);
    let all = charges(&[(&limit, 10)]);
    passes(store.wait_in_line(&all, LONG, seconds(0)).unwrap());
    let _ticket = waiting(store.wait_in_line(&all, LONG, seconds(0)).unwrap());
    let free = store.check(&charges(&[(&limit, 0)]), seconds(0)).unwrap();
    assert!(free.is_allowed());
}

#[test]
fn a_limit_in_shadow_mode_lets_nobody_wait() {
    let store = MemoryStore::default();
    let shadow = per_second("shadow", 10).shadow();
    let all = charges(&[(&shadow, 10)]);
    passes(store.wait_in_line(&all, LONG, seconds(0)).unwrap());
    passes(store.wait_in_line(&all, LONG, seconds(0)).unwrap());
}

#[test]
fn a_waiter_whose_limit_was_lowered_below_its_cost_is_denied() {
    let store = MemoryStore::default();
    let limit = per_second("tokens", 10);
    let (all, one) = (charges(&[(&limit, 10)]), charges(&[(&limit, 1)]));
    passes(store.wait_in_line(&all, LONG, seconds(0)).unwrap());
    let ticket = waiting(store.wait_in_line(&all, LONG, seconds(0)).unwrap());
    // Others are decided under the new limit while the waiter holds on to the old one.
    let lowered = per_second("tokens", 5);
    let lowered_one = charges(&[(&lowered, 1)]);
    assert!(!store.check(&lowered_one, seconds(5)).unwrap().is_allowed());
    drop(ticket);
    assert!(store.check(&lowered_one, seconds(6)).unwrap().is_allowed());
    assert!(store.check(&one, seconds(6)).unwrap().is_allowed());
}

#[test]
fn a_clock_that_steps_back_neither_frees_nor_keeps_a_place() {
    let store = MemoryStore::default();
    let limit = per_second("tokens", 10);
    let (all, one) = (charges(&[(&limit, 10)]), charges(&[(&limit, 1)]));
    passes(store.wait_in_line(&all, LONG, seconds(9_000)).unwrap());
    let wait = Duration::from_secs(20);
    let ticket = waiting(store.wait_in_line(&all, wait, seconds(9_000)).unwrap());
    assert!(!store.check(&one, seconds(1_000)).unwrap().is_allowed());
    let ticket = waits_on(ticket, seconds(1_009));
    passes(ticket.poll(seconds(1_010)).unwrap());

    let ticket = waiting(store.wait_in_line(&all, wait, seconds(1_010)).unwrap());
    let debt = charges(&[(&limit, 1)]);
    assert!(!store.check(&debt, seconds(10)).unwrap().is_allowed());
    assert!(matches!(
        ticket.poll(seconds(30)).unwrap(),
        Turn::Admitted(_)
    ));
}

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
        let mut tickets: Vec<(usize, Vec<(usize, u64)>, Ticket<'_, '_>)> = Vec::new();
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
