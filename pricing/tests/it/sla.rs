//! Promises of service: verdicts, compensation and the worst case of a plan.

use std::time::Duration;

use bursar_pricing::ledger::{Account, Ledger, LedgerError, MemoryLedger, Posted};
use bursar_pricing::sla::{
    AvailabilityVerdict, Compensation, CompensationKey, CompensationTerms, Event, LatencyVerdict,
    Outcome, PlanCheck, PlanVerdict, Share, SlaError, SlaMeter, SlaReport, SlaTerms, Window,
};
use bursar_pricing::{Margin, Tier};
use bursar_units::{Currency, Money, Quantum};
use futures_executor::block_on;
use jiff::Timestamp;
use proptest::prelude::*;
use rust_decimal::Decimal;

fn usd(amount: &str) -> Money {
    Money::parse(amount, Currency::USD).unwrap()
}

fn start() -> Timestamp {
    "2026-11-01T00:00:00Z".parse().unwrap()
}

fn november() -> Window {
    Window::new(start(), "2026-12-01T00:00:00Z".parse().unwrap()).unwrap()
}

fn terms(tier: &Tier) -> SlaTerms {
    SlaTerms::of_tier(tier).unwrap()
}

fn event(second: u64, outcome: Outcome) -> Event {
    Event {
        at: start() + Duration::from_secs(second),
        outcome,
        time_to_first_token: None,
        whole_answer: None,
    }
}

/// So many answers, a second apart, and then so many failures.
fn report(terms: SlaTerms, answered: u64, failed: u64) -> SlaReport {
    let mut meter = SlaMeter::new(terms, november());
    for second in 0..answered {
        meter.record(&event(second, Outcome::Answered)).unwrap();
    }
    for second in answered..answered + failed {
        meter.record(&event(second, Outcome::Failed)).unwrap();
    }
    meter.report()
}

fn cents() -> CompensationTerms {
    CompensationTerms {
        value_of_request: usd("0.01"),
        quantum: Quantum::MINOR_UNIT,
    }
}

#[test]
fn a_share_is_judged_to_its_last_digit() {
    // The least share of 28 places over k ÷ n, so that k of n do not reach it, however close they are.
    for (k, n, share) in [
        (90_000, 90_001, "0.9999888890123443072854746059"),
        (2, 3, "0.6666666666666666666666666667"),
        (
            12_297_829_382_473_034_410,
            18_446_744_073_709_551_615,
            "0.6666666666666666666666666667",
        ),
        // The product is so close over k that a decimal of 28 digits is k itself.
        (
            8_581_891_992_003_175_436,
            10_387_487_470_760_934_340,
            "0.8261759175315289029628308784",
        ),
    ] {
        let above = Share::new(share.parse().unwrap()).unwrap();
        assert!(!above.is_reached_by(k, n), "{k} of {n} reach {share}");
        assert!(
            above.is_reached_by(k + 1, n),
            "{k} + 1 of {n} do not reach {share}"
        );
        let last_digit = Decimal::from_i128_with_scale(1, 28);
        let below = Share::new(above.as_decimal() - last_digit).unwrap();
        assert!(below.is_reached_by(k, n), "{k} of {n} do not reach {below}");
    }
}

#[test]
fn availability_is_judged_by_whole_numbers_at_its_boundary() {
    for (answered, failed, expected) in [
        (9_999, 1, AvailabilityVerdict::Kept),
        (9_998, 2, AvailabilityVerdict::Broken),
        (99_990, 10, AvailabilityVerdict::Kept),
        (99_989, 10, AvailabilityVerdict::Broken),
        (
            999,
            0,
            AvailabilityVerdict::TooFewRequests {
                have: 999,
                need: 1_000,
            },
        ),
        (
            0,
            999,
            AvailabilityVerdict::TooFewRequests {
                have: 999,
                need: 1_000,
            },
        ),
        (0, 1_000, AvailabilityVerdict::Broken),
    ] {
        let report = report(terms(&Tier::Enterprise), answered, failed);
        assert_eq!(report.availability, expected, "{answered} and {failed}");
    }
}

#[test]
fn the_callers_errors_and_maintenance_are_left_out() {
    let maintenance = Window::new(start(), start() + Duration::from_secs(3_600)).unwrap();
    let mut meter = SlaMeter::new(terms(&Tier::Growth), november()).excluding([maintenance]);
    for second in 0..3_600 {
        meter.record(&event(second, Outcome::Failed)).unwrap();
    }
    for second in 3_600..5_600 {
        let outcome = if second % 2 == 0 {
            Outcome::Answered
        } else {
            Outcome::CallerError
        };
        meter.record(&event(second, outcome)).unwrap();
    }
    let report = meter.report();
    assert_eq!(report.availability, AvailabilityVerdict::Kept);
    assert_eq!(
        (
            report.valid,
            report.failed,
            report.caller_errors,
            report.in_maintenance
        ),
        (1_000, 0, 1_000, 3_600),
    );
}

#[test]
fn downtime_is_the_minutes_in_which_nothing_was_answered() {
    let mut meter = SlaMeter::new(terms(&Tier::Free), november());
    // Minute 0 fails whole, in minute 1 one of two is answered, in minute 3 nobody asks.
    for (second, outcome) in [
        (5, Outcome::Failed),
        (50, Outcome::Failed),
        (61, Outcome::Failed),
        (62, Outcome::Answered),
        (120, Outcome::Failed),
        (121, Outcome::CallerError),
    ] {
        meter.record(&event(second, outcome)).unwrap();
    }
    assert_eq!(meter.report().downtime_minutes, 2);
}

#[test]
fn latency_is_judged_by_its_own_clock() {
    let mut meter = SlaMeter::new(terms(&Tier::Growth), november());
    for second in 0..1_000 {
        let slow = second < 10;
        let first_token = Duration::from_millis(if slow { 2_001 } else { 2_000 });
        // Whole answers take long, and are not what was promised.
        let whole = Some(Duration::from_secs(30));
        let event = Event {
            time_to_first_token: Some(first_token),
            whole_answer: whole,
            ..event(second, Outcome::Answered)
        };
        meter.record(&event).unwrap();
    }
    assert_eq!(meter.report().latency, LatencyVerdict::Kept);
    let late = Event {
        time_to_first_token: Some(Duration::from_millis(2_001)),
        ..event(1_000, Outcome::Answered)
    };
    meter.record(&late).unwrap();
    assert_eq!(meter.report().latency, LatencyVerdict::Broken);
}

#[test]
fn answers_that_were_not_timed_give_no_verdict_on_latency() {
    let report = report(terms(&Tier::Growth), 5_000, 0);
    assert_eq!(
        report.latency,
        LatencyVerdict::TooFewAnswers {
            have: 0,
            need: 1_000
        }
    );
}

#[test]
fn an_event_outside_the_period_is_refused_and_not_counted() {
    let mut meter = SlaMeter::new(terms(&Tier::Growth), november());
    let late = Event {
        at: november().end(),
        ..event(0, Outcome::Failed)
    };
    let error = meter.record(&late).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the event at 2026-12-01T00:00:00Z lies outside the period from 2026-11-01T00:00:00Z to \
         2026-12-01T00:00:00Z: measure it in its own",
    );
    assert_eq!(meter.valid(), 0);
}

#[test]
fn credit_and_refund_are_both_computed_and_capped_by_the_fees() {
    // 1000 affected requests at 0.01: 10.00, of which 25 % and 5 %.
    let report = report(terms(&Tier::Enterprise), 9_000, 1_000);
    for (fees, credit, refund, is_capped) in [
        ("500.00", "2.50", "0.50", false),
        ("3.00", "2.50", "0.50", false),
        ("2.70", "2.50", "0.20", true),
        ("1.00", "1.00", "0.00", true),
        ("0.00", "0.00", "0.00", true),
    ] {
        let owed = cents().of(&report, usd(fees)).unwrap();
        assert_eq!(
            (owed.credit, owed.refund, owed.is_capped),
            (usd(credit), usd(refund), is_capped),
            "{fees}"
        );
    }
}

#[test]
fn fractions_of_a_cent_are_rounded_in_the_customers_favor() {
    let report = report(terms(&Tier::Enterprise), 9_000, 1_001);
    let owed = cents().of(&report, usd("500.00")).unwrap();
    assert_eq!(
        (owed.exact_credit, owed.exact_refund),
        (usd("2.5025"), usd("0.5005"))
    );
    assert_eq!((owed.credit, owed.refund), (usd("2.51"), usd("0.51")));
}

#[test]
fn nothing_is_owed_while_the_promise_holds_or_without_a_verdict() {
    for (answered, failed) in [(99_999, 1), (10, 20)] {
        let report = report(terms(&Tier::Enterprise), answered, failed);
        let owed = cents().of(&report, usd("500.00")).unwrap();
        assert_eq!(
            (owed.affected_requests, owed.total().unwrap()),
            (0, usd("0.00"))
        );
    }
}

#[test]
fn unusable_amounts_are_refused() {
    let report = report(terms(&Tier::Enterprise), 9_000, 1_000);
    let negative = cents().of(&report, usd("-0.01"));
    assert_eq!(negative, Err(SlaError::NegativeFees(usd("-0.01"))));
    let euros = cents().of(&report, Money::parse("500", Currency::EUR).unwrap());
    assert!(matches!(euros, Err(SlaError::Money(_))), "{euros:?}");
}

#[test]
fn a_compensation_is_given_once_for_tenant_period_and_agreement() {
    let ledger = MemoryLedger::new();
    let owed = cents()
        .of(
            &report(terms(&Tier::Enterprise), 9_000, 1_000),
            usd("500.00"),
        )
        .unwrap();
    let key = |tenant: &str, sla: &str| CompensationKey {
        tenant: tenant.to_owned(),
        period: november(),
        sla: sla.to_owned(),
    };
    let issue = |key: &CompensationKey, owed: &Compensation| {
        let transaction = owed.transaction(key, november().end()).unwrap().unwrap();
        block_on(ledger.post(&transaction))
    };
    assert!(matches!(
        issue(&key("acme", "api"), &owed),
        Ok(Posted::Applied(_))
    ));
    assert!(matches!(
        issue(&key("acme", "api"), &owed),
        Ok(Posted::AlreadyApplied(_))
    ));
    // Computed anew with other numbers it is still given once.
    let more = cents()
        .of(
            &report(terms(&Tier::Enterprise), 9_000, 1_001),
            usd("500.00"),
        )
        .unwrap();
    assert!(matches!(
        issue(&key("acme", "api"), &more),
        Err(LedgerError::Conflict(_))
    ));
    // Other tenants and agreements are other keys, also where the texts run together.
    assert!(matches!(
        issue(&key("acme:3", "api"), &owed),
        Ok(Posted::Applied(_))
    ));
    assert!(matches!(
        issue(&key("acme", "3:api"), &owed),
        Ok(Posted::Applied(_))
    ));
    let held = block_on(ledger.balance(&Account::wallet("acme"), Currency::USD)).unwrap();
    assert_eq!(held, usd("5.00"));
}

#[test]
fn the_worst_case_of_the_three_plans_is_that_of_the_research() {
    // (m − k) ÷ (1 − k): 15 % with nothing given back, 16.7 % with 10 %, 14.3 % with 30 %.
    let margin = |percent| Margin::new(Decimal::new(percent, 2)).unwrap();
    for (tier, percent, net, needed, verdict) in [
        (Tier::Free, 15, "0.150", "0.150", PlanVerdict::Sound),
        (Tier::Growth, 25, "0.167", "0.235", PlanVerdict::Sound),
        (
            Tier::Enterprise,
            40,
            "0.143",
            "0.405",
            PlanVerdict::UnderFloor,
        ),
        (Tier::Enterprise, 15, "-0.214", "0.405", PlanVerdict::Loss),
        (Tier::Enterprise, 41, "0.157", "0.405", PlanVerdict::Sound),
    ] {
        let check = PlanCheck::of(margin(percent), &terms(&tier), margin(15)).unwrap();
        let found = (
            check.net_margin.unwrap().round_dp(3),
            check.needed_margin,
            check.verdict,
        );
        let expected = (net.parse().unwrap(), needed.parse().unwrap(), verdict);
        assert_eq!(found, expected, "{tier:?} at {percent} %");
    }
}

#[test]
fn a_plan_that_gives_back_all_or_more_is_not_computed_as_if_it_did_not() {
    let margin = Margin::new(Decimal::new(40, 2)).unwrap();
    let all = SlaTerms {
        credit: Share::ALL,
        refund: Share::NONE,
        ..terms(&Tier::Free)
    };
    let check = PlanCheck::of(margin, &all, margin).unwrap();
    assert_eq!((check.net_margin, check.verdict), (None, PlanVerdict::Loss));
    let more = SlaTerms {
        credit: Share::ALL,
        refund: Share::ALL,
        ..terms(&Tier::Free)
    };
    assert!(matches!(
        PlanCheck::of(margin, &more, margin),
        Err(SlaError::MoreThanAll { .. })
    ));
}

/// A month with any counts, as the report of a meter would have it.
fn month(terms: SlaTerms, answered: u64, failed: u64) -> SlaReport {
    let empty = SlaMeter::new(terms, november()).report();
    let valid = answered + failed;
    let availability = match (valid < terms.minimum_requests, terms.availability) {
        (true, _) => AvailabilityVerdict::TooFewRequests {
            have: valid,
            need: terms.minimum_requests,
        },
        (false, promised) if promised.is_reached_by(answered, valid) => AvailabilityVerdict::Kept,
        (false, _) => AvailabilityVerdict::Broken,
    };
    SlaReport {
        valid,
        failed,
        availability,
        ..empty
    }
}

/// What must hold of every month.
fn check_month(answered: u64, failed: u64, fees: i64, value: i64, credit: u32, refund: u32) {
    let share = |points| Share::new(Decimal::new(i64::from(points), 4)).unwrap();
    let terms = SlaTerms {
        credit: share(credit),
        refund: share(refund),
        ..terms(&Tier::Enterprise)
    };
    let report = month(terms, answered, failed);
    let fees = Money::new(Decimal::new(fees, 2), Currency::USD);
    let compensation = CompensationTerms {
        value_of_request: Money::new(Decimal::new(value, 4), Currency::USD),
        quantum: Quantum::MINOR_UNIT,
    };
    let owed = compensation.of(&report, fees).unwrap();
    assert!(owed.total().unwrap() <= fees, "{owed:?} of {fees}");
    assert!(!owed.credit.is_negative() && !owed.refund.is_negative());
    if !owed.is_capped {
        let cent = usd("0.01");
        for (exact, given) in [
            (owed.exact_credit, owed.credit),
            (owed.exact_refund, owed.refund),
        ] {
            let favor = given.checked_sub(exact).unwrap();
            assert!(!favor.is_negative() && favor < cent, "{owed:?}");
        }
    }
    if report.availability != AvailabilityVerdict::Broken {
        assert!(owed.total().unwrap().is_zero());
    }
    check_given_once(&owed);
}

/// Whether a compensation that is posted twice is in the books once, and not at all where nothing is owed.
fn check_given_once(owed: &Compensation) {
    let key = CompensationKey {
        tenant: "acme".to_owned(),
        period: november(),
        sla: "api".to_owned(),
    };
    let ledger = MemoryLedger::new();
    let transaction = owed.transaction(&key, november().end()).unwrap();
    assert_eq!(transaction.is_none(), owed.total().unwrap().is_zero());
    for n_before in 0..2 {
        let Some(transaction) = &transaction else {
            break;
        };
        let posted = block_on(ledger.post(transaction)).unwrap();
        assert_eq!(matches!(posted, Posted::Applied(_)), n_before == 0);
    }
    let wallet = Account::wallet(&key.tenant);
    let credited = block_on(ledger.balance(&wallet, Currency::USD)).unwrap();
    assert_eq!(credited, owed.credit);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_credit_is_never_over_the_fees(
        answered in 0..2_000_000_000_u64,
        failed in 0..5_000_000_u64,
        fees in 0..100_000_000_i64,
        value in 0..10_000_i64,
        credit in 0..=10_000_u32,
        refund in 0..=10_000_u32,
    ) {
        check_month(answered, failed, fees, value, credit, refund);
    }
}

#[test]
#[ignore = "a million months: run it in release with --ignored"]
fn a_credit_is_never_over_the_fees_in_a_million_months() {
    let mut random = 20_261_120_u64;
    let mut draw = |limit: u64| {
        // Knuth's MMIX constants.
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (random >> 20) % limit
    };
    for _ in 0..1_000_000 {
        let (answered, failed) = (draw(2_000_000_000), draw(5_000_000));
        let (fees, value) = (draw(100_000_000).cast_signed(), draw(10_000).cast_signed());
        let (credit, refund) = (draw(10_001) as u32, draw(10_001) as u32);
        check_month(answered, failed, fees, value, credit, refund);
    }
}
