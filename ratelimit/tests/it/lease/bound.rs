//! The stated bound of leases, judged by going over all pairs of admissions.

use std::time::Duration;

use bursar_ratelimit::lease::{LeaseSize, Leased, Settings};
use bursar_ratelimit::{
    Dimension, Limit, Limits, MemoryStore, Progress, Quota, Rate, Request, Reservation,
    SlidingWindow, Store, Unit, Usage,
};
use futures_executor::block_on;
use proptest::prelude::*;

use super::{NOW, passes};

/// What passed: when, and how much of it was really used.
type Passed = Vec<(u64, u64)>;

/// The largest excess of any window over what the quota promises, in units and rounded up.
fn excess(passed: &Passed, quota: &Quota) -> u64 {
    let mut worst = 0;
    for (first, (begin, _)) in passed.iter().enumerate() {
        let mut sum = 0;
        for (end, units) in &passed[first..] {
            sum += u128::from(*units);
            let promised = match quota {
                Quota::Rate(rate) => {
                    let nanos = u128::from(end - begin) * u128::from(rate.limit());
                    u128::from(rate.burst_size()) + nanos / rate.period().as_nanos()
                }
                Quota::SlidingWindow(window) => {
                    if u128::from(end - begin) >= window.window().as_nanos() {
                        break;
                    }
                    u128::from(window.limit())
                }
                _ => panic!("only rates and windows are leased"),
            };
            worst = worst.max(sum.saturating_sub(promised));
        }
    }
    u64::try_from(worst).unwrap()
}

#[derive(Clone, Debug)]
enum Step {
    Check { instance: usize, cost: u64 },
    Reserve { instance: usize, cost: u64 },
    Settle { which: usize, part: u64 },
    Return { instance: usize },
    Wait { micros: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..4_usize, 0..6_u64).prop_map(|(instance, cost)| Step::Check { instance, cost }),
        3 => (0..4_usize, 0..30_u64).prop_map(|(instance, cost)| Step::Reserve { instance, cost }),
        3 => (any::<usize>(), 0..=4_u64).prop_map(|(which, part)| Step::Settle { which, part }),
        1 => (0..4_usize).prop_map(|instance| Step::Return { instance }),
        3 => prop_oneof![0..2_000_u64, 0..300_000_u64].prop_map(|micros| Step::Wait { micros }),
    ]
}

fn quota() -> impl Strategy<Value = Quota> {
    prop_oneof![
        (1..200_u64, 1..50_u64).prop_map(|(limit, burst)| {
            let rate = Rate::per_second(limit).unwrap();
            rate.burst(burst).unwrap().into()
        }),
        (1..50_u64, 1..1_000_u64).prop_map(|(limit, millis)| {
            let window = SlidingWindow::new(limit, Duration::from_millis(millis));
            window.unwrap().into()
        }),
    ]
}

fn size() -> impl Strategy<Value = LeaseSize> {
    prop_oneof![
        (1..20_u64).prop_map(LeaseSize::Units),
        (1..8_u32).prop_map(LeaseSize::BurstPart),
        Just(LeaseSize::RateShare),
    ]
}

/// A reservation under way: of which instance, which admission it is, its estimate.
struct Open {
    instance: usize,
    admission: usize,
    cost: u64,
    reservation: Reservation,
}

fn run(steps: &[Step], limits: &Limits, stores: &[Leased<&MemoryStore>]) -> Passed {
    let mut passed = Passed::new();
    let mut open: Vec<Open> = Vec::new();
    let mut now = NOW;
    for step in steps {
        match *step {
            Step::Wait { micros } => now = now + Duration::from_micros(micros),
            Step::Return { instance } => {
                block_on(stores[instance % stores.len()].return_expired(now)).unwrap();
            }
            Step::Check { instance, cost } => {
                if passes(&stores[instance % stores.len()], limits, cost, now) {
                    passed.push((now.as_nanos(), cost));
                }
            }
            Step::Reserve { instance, cost } => {
                let instance = instance % stores.len();
                let request = Request::new().cost(Unit::REQUESTS, cost);
                let charges = limits.resolve(&request).unwrap();
                let admission = block_on(stores[instance].reserve(&charges, now)).unwrap();
                if let Some(reservation) = admission.reservation {
                    open.push(Open {
                        instance,
                        admission: passed.len(),
                        cost,
                        reservation,
                    });
                    passed.push((now.as_nanos(), cost));
                }
            }
            Step::Settle { which, part } => {
                if open.is_empty() {
                    continue;
                }
                let mut one = open.swap_remove(which % open.len());
                let used = one.cost * part / 4;
                let usage = Usage::new().with(Unit::REQUESTS, used);
                let store = &stores[one.instance];
                let settled = store.settle(&mut one.reservation, &usage, Progress::Final, now);
                assert!(block_on(settled).unwrap().is_applied());
                passed[one.admission].1 = used;
            }
        }
    }
    passed
}

fn limits(quota: Quota) -> Limits {
    let limit = Limit::new("global", Dimension::GLOBAL, Unit::REQUESTS, quota);
    Limits::new([limit]).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn no_window_passes_more_than_quota_and_leases(
        steps in prop::collection::vec(step(), 1..250),
        quota in quota(),
        size in size(),
        instances in 1..=4_u32,
        millis in 1..500_u64,
        refuses_longer in any::<bool>(),
    ) {
        let mut settings = Settings::new(size, Duration::from_millis(millis), instances);
        if !refuses_longer {
            settings.refusal = Duration::ZERO;
        }
        let limits = limits(quota);
        let bound = settings.bound(&limits.as_slice()[0], &quota);
        let center = MemoryStore::default();
        let stores: Vec<_> = (0..instances)
            .map(|_| Leased::new(&center, settings.clone()))
            .collect();
        let passed = run(&steps, &limits, &stores);
        let excess = excess(&passed, &quota);
        prop_assert!(excess <= bound, "{} more than promised, {} stated", excess, bound);
    }
}

/// Four instances hold nine units each; the store refills; then all pass at once what they hold and
/// what the store has: burst + n × L but for the four that were spent at first.
#[test]
fn the_bound_is_reached_and_the_check_sees_it() {
    let rate = Rate::per_second(100).unwrap();
    let quota = Quota::from(rate);
    let settings = Settings::new(LeaseSize::Units(10), Duration::from_secs(10), 4);
    let limits = limits(quota);
    assert_eq!(settings.bound(&limits.as_slice()[0], &quota), 40);
    let center = MemoryStore::default();
    let stores = [(); 4].map(|()| Leased::new(&center, settings.clone()));
    let mut passed = Passed::new();
    for store in &stores {
        assert!(passes(store, &limits, 1, NOW));
        passed.push((NOW.as_nanos(), 1));
    }
    let later = NOW + Duration::from_secs(1);
    for number in 0..1_000 {
        if passes(&stores[number % 4], &limits, 1, later) {
            passed.push((later.as_nanos(), 1));
        }
    }
    assert_eq!(passed.len(), 4 + 136);
    assert_eq!(excess(&passed, &quota), 36);
}

/// What was reserved long ago has drained in the store, which has filled up again since.
#[test]
fn a_late_refund_is_not_spent_beside_what_has_come_in_since() {
    let rate = Rate::per_second(155).unwrap().burst(12).unwrap();
    let quota = Quota::from(rate);
    let settings = Settings::new(LeaseSize::Units(2), Duration::from_millis(46), 1);
    let limits = limits(quota);
    let center = MemoryStore::default();
    let stores = [Leased::new(&center, settings)];
    let check = |cost| Step::Check { instance: 0, cost };
    let steps = [
        Step::Reserve {
            instance: 0,
            cost: 5,
        },
        Step::Reserve {
            instance: 0,
            cost: 2,
        },
        Step::Settle { which: 0, part: 3 },
        Step::Wait { micros: 45_162 },
        check(4),
        check(5),
        check(2),
        check(3),
        check(1),
        Step::Settle { which: 0, part: 0 },
        check(1),
    ];
    let passed = run(&steps, &limits, &stores);
    assert!(excess(&passed, &quota) <= 2, "{passed:?}");
}
