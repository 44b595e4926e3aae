//! Is it first come, first served, and does everybody's turn come?

mod model;

use std::time::Duration;

use bursar_ratelimit::{
    Budget, Charge, Charges, Concurrency, Dimension, Limit, MemoryStore, Progress, Quota, Rate,
    RetryAfter, Settings, SlidingWindow, Ticket, Timestamp, Turn, Unit, Usage,
};

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
fn a_held_slot_is_not_waited_for_in_no_time() {
    let store = MemoryStore::default();
    let calls = limit("calls", Concurrency::new(1, LONG).unwrap());
    let one = charges(&[(&calls, 1)]);
    passes(store.wait_in_line(&one, LONG, seconds(0)).unwrap());
    is_denied(
        store
            .wait_in_line(&one, Duration::ZERO, seconds(0))
            .unwrap(),
    );
    let ticket = store.wait_in_line(&one, Duration::from_nanos(1), seconds(0));
    is_denied(
        waiting(ticket.unwrap())
            .poll(Timestamp::from_nanos(1))
            .unwrap(),
    );
}

#[test]
fn a_window_in_slices_is_waited_for_until_the_slice_has_grown_old() {
    let store = MemoryStore::default();
    let window = SlidingWindow::new(10, Duration::from_secs(60)).unwrap();
    let limit = limit("window", window.slices(6).unwrap());
    let all = charges(&[(&limit, 10)]);
    passes(store.wait_in_line(&all, LONG, seconds(1_201)).unwrap());
    let first = waiting(store.wait_in_line(&all, LONG, seconds(1_202)).unwrap());
    let second = waiting(store.wait_in_line(&all, LONG, seconds(1_203)).unwrap());
    assert_eq!(first.ready_at(), Some(seconds(1_270)));
    assert_eq!(second.ready_at(), Some(seconds(1_330)));
    let second = waits_on(second, seconds(1_270));
    passes(first.poll(seconds(1_270)).unwrap());
    let before = Timestamp::from_nanos(seconds(1_330).as_nanos() - 1);
    let second = waits_on(second, before);
    passes(second.poll(seconds(1_330)).unwrap());
}

#[test]
fn a_poll_too_early_changes_nothing() {
    let store = MemoryStore::default();
    let limits = [per_second("one", 10), per_second("two", 10)];
    let all = charges(&[(&limits[0], 10), (&limits[1], 4)]);
    passes(store.wait_in_line(&all, LONG, seconds(0)).unwrap());
    let mut ticket = waiting(store.wait_in_line(&all, LONG, seconds(0)).unwrap());
    for _ in 0..5 {
        ticket = waits_on(ticket, seconds(3));
        assert_eq!(ticket.ready_at(), Some(seconds(10)));
        assert_eq!(ticket.deadline(), seconds(3_600));
    }
    // 4 of 10 were charged under the second limit and 3 of them have drained.
    let rest = charges(&[(&limits[1], 9)]);
    assert!(store.check(&rest, seconds(3)).unwrap().is_allowed());
    drop(ticket);
    let one = charges(&[(&limits[0], 1)]);
    assert!(store.check(&one, seconds(3)).unwrap().is_allowed());
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

#[test]
fn a_window_that_was_forgotten_still_says_when_those_ahead_make_room() {
    let mut settings = Settings::default();
    settings.shards = 1;
    let store = MemoryStore::new(settings);
    let window = SlidingWindow::new(10, Duration::from_secs(10)).unwrap();
    let (window, rate) = (limit("window", window), per_second("rate", 60));
    let used = charges(&[(&window, 5), (&rate, 60)]);
    let _ = store.reserve(&used, seconds(0)).unwrap();
    let both = charges(&[(&window, 8), (&rate, 60)]);
    let first = waiting(store.wait_in_line(&both, LONG, seconds(0)).unwrap());
    assert_eq!(first.ready_at(), Some(seconds(60)));

    // The window's entries are gone, and with so many other keys its cell is, too.
    let now = seconds(30);
    for number in 0..100 {
        let key = format!("key-{number}-of-others");
        let other = Charges::new([Charge::new(&window, window.quota(), &key, 1)]).unwrap();
        let _ = store.check(&other, now).unwrap();
    }
    let second = store.wait_in_line(&charges(&[(&window, 5)]), LONG, now);
    let second = waiting(second.unwrap());
    assert_eq!(second.ready_at(), Some(seconds(40)));
    drop(first);
    passes(second.poll(now).unwrap());
}
