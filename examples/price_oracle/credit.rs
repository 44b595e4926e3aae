//! What is given back for a broken promise?

use std::collections::BTreeMap;
use std::time::Duration;

use bursar_pricing::Tier;
use bursar_pricing::ledger::{Account, Ledger, LedgerError, MemoryLedger, Posted};
use bursar_pricing::sla::{
    AvailabilityVerdict, Compensation, CompensationKey, CompensationTerms, Event, LatencyClock,
    LatencyVerdict, Outcome as Ending, Share, SlaError, SlaMeter, SlaReport, SlaTerms, Window,
};
use bursar_units::{Currency, Money, Quantum, Rounding};
use futures_executor::block_on;
use jiff::Timestamp;
use num_bigint::BigInt;
use num_integer::Integer;
use rand::RngExt;
use rust_decimal::Decimal;

use crate::draw::{Random, any_decimal, count, currency, of_magnitude, pick, quantum};
use crate::exact::{PLACES, is_decimal, power, product, rounded, units};
use crate::outcome::{Findings, Outcome};

/// The events of a period, what was promised for it, and what was paid.
#[derive(Debug)]
struct Case {
    tier: Option<Tier>,
    terms: SlaTerms,
    period: Window,
    maintenance: Vec<Window>,
    events: Vec<Event>,
    /// So many times the requests that the events show were affected.
    repeated: u64,
    currency: Currency,
    value_of_request: Money,
    quantum: Quantum,
    step: Option<Decimal>,
    fees: Money,
}

/// Measures a random period, and judges the verdicts, the compensation and its payment.
pub(crate) fn check(random: &mut Random, number: u64, outcome: &mut Outcome) -> anyhow::Result<()> {
    let case = Case::random(random)?;
    let mut findings = outcome.case(number, &case);
    boundary(random, &mut findings, case.terms.availability)?;
    let mut report = case.report(&mut findings);
    report.failed = report.failed.saturating_mul(case.repeated);
    let terms = CompensationTerms {
        value_of_request: case.value_of_request,
        quantum: case.quantum,
    };
    let answer = terms.of(&report, case.fees);
    case.compensation(&mut findings, &report, &answer);
    match answer {
        Ok(owed) => case.payment(&mut findings, &owed),
        Err(_) => Ok(()),
    }
}

impl Case {
    fn random(random: &mut Random) -> anyhow::Result<Self> {
        let start = Timestamp::UNIX_EPOCH;
        let length = random.random_range(60..=3_600);
        let period = Window::new(start, start + Duration::from_secs(length))?;
        let (tier, terms) = terms(random)?;
        let mut maintenance = Vec::new();
        for _ in 0..*pick(random, &[0, 0, 1, 2]) {
            let from = random.random_range(0..length);
            let to = from + random.random_range(1..=length);
            let at = |second| start + Duration::from_secs(second);
            maintenance.push(Window::new(at(from), at(to))?);
        }
        let (currency, places) = currency(random)?;
        let step = match random.random_range(0..20) {
            0 => any_decimal(random),
            _ => Decimal::new(*pick(random, &[1, 1, 5, 25]), random.random_range(0..=6)),
        };
        let (quantum, step) = quantum(random, places, step)?;
        let mut money = |exponents: [i32; 2]| {
            let exponent = random.random_range(exponents[0]..=exponents[1]);
            let digits = random.random_range(1..=6);
            let amount = match random.random_range(0..40) {
                0 => Decimal::ZERO,
                1 => any_decimal(random),
                2 => -of_magnitude(random, exponent, digits),
                _ => of_magnitude(random, exponent, digits),
            };
            Money::new(amount, currency)
        };
        Ok(Self {
            value_of_request: money([-6, 1]),
            fees: money([-4, 5]),
            events: events(random, length),
            repeated: count(random, 40).max(1),
            tier,
            terms,
            period,
            maintenance,
            currency,
            quantum,
            step,
        })
    }

    /// The meter's report, with verdicts as brute force finds them.
    fn report(&self, findings: &mut Findings<'_>) -> SlaReport {
        let mut meter = SlaMeter::new(self.terms, self.period).excluding(self.maintenance.clone());
        for event in &self.events {
            let is_inside = self.period.start() <= event.at && event.at < self.period.end();
            let is_right = match meter.record(event) {
                Ok(()) => is_inside,
                Err(SlaError::OutsidePeriod { .. }) => !is_inside,
                Err(_) => false,
            };
            findings.require(is_right, "which events a period has");
        }
        let report = meter.report();
        let counted: Vec<&Event> = self.counted().collect();
        let failed = of_ending(&counted, Ending::Failed);
        let answered = of_ending(&counted, Ending::Answered);
        let found = (report.failed, report.valid, report.downtime_minutes);
        let expected = (failed, failed + answered, downtime(&counted));
        findings.require(found == expected, "the requests that count");
        let expected = self.availability(answered, failed);
        findings.require(
            report.availability == expected,
            "the verdict on availability",
        );
        let expected = self.latency(&counted);
        findings.require(report.latency == expected, "the verdict on latency");
        report
    }

    /// The events that say something about the promise.
    fn counted(&self) -> impl Iterator<Item = &Event> {
        let is_in =
            |window: &Window, event: &Event| window.start() <= event.at && event.at < window.end();
        self.events.iter().filter(move |event| {
            let is_excluded = self.maintenance.iter().any(|window| is_in(window, event));
            is_in(&self.period, event) && !is_excluded && event.outcome != Ending::CallerError
        })
    }

    fn availability(&self, answered: u64, failed: u64) -> AvailabilityVerdict {
        let (have, need) = (answered + failed, self.terms.minimum_requests);
        match is_reached(self.terms.availability, answered, have) {
            _ if have < need => AvailabilityVerdict::TooFewRequests { have, need },
            true => AvailabilityVerdict::Kept,
            false => AvailabilityVerdict::Broken,
        }
    }

    fn latency(&self, counted: &[&Event]) -> LatencyVerdict {
        let Some(promise) = self.terms.latency else {
            return LatencyVerdict::NotPromised;
        };
        let answers = counted.iter().filter(|it| it.outcome == Ending::Answered);
        let times = answers.filter_map(|event| match promise.clock {
            LatencyClock::TimeToFirstToken => event.time_to_first_token,
            LatencyClock::WholeAnswer => event.whole_answer,
        });
        let times: Vec<Duration> = times.collect();
        let in_time = times.iter().filter(|it| **it <= promise.within).count() as u64;
        let (have, need) = (times.len() as u64, self.terms.minimum_requests);
        match is_reached(promise.percentile, in_time, have) {
            _ if have < need => LatencyVerdict::TooFewAnswers { have, need },
            true => LatencyVerdict::Kept,
            false => LatencyVerdict::Broken,
        }
    }

    /// Rounded in the customer's favor, never over the fees, and nothing while the promise holds.
    fn compensation(
        &self,
        findings: &mut Findings<'_>,
        report: &SlaReport,
        answer: &Result<Compensation, SlaError>,
    ) {
        let affected = match report.availability {
            AvailabilityVerdict::Broken => report.failed,
            _ => 0,
        };
        let fees = units(self.fees.amount());
        let worth = units(self.value_of_request.amount()) * affected;
        let owed = |share: Share| {
            let value = product(self.value_of_request.amount(), share.as_decimal());
            value * affected
        };
        let exact = [owed(self.terms.credit), owed(self.terms.refund)];
        let Some(step) = self.step.map(units) else {
            findings.count("credit: refused, no minor unit");
            return findings.require(answer.is_err(), "a credit without a minor unit");
        };
        let [full_credit, full_refund] =
            exact.each_ref().map(|it| rounded(it, &step, Rounding::Up));
        let credit = (&full_credit).min(&fees).clone();
        let refund = (&full_refund).min(&(&fees - &credit)).clone();
        match answer {
            Ok(found) => {
                findings.count(self.name(report.availability, found));
                let paid = [found.credit, found.refund].map(|it| units(it.amount()));
                let exactly = [found.exact_credit, found.exact_refund].map(|it| units(it.amount()));
                findings.require(exactly == exact, "what is owed exactly");
                let is_within = &paid[0] + &paid[1] <= fees;
                findings.require(is_within, "not over the fees");
                let is_capped = credit < full_credit || refund < full_refund;
                findings.require(paid == [credit, refund], "what is given back");
                findings.require(found.is_capped == is_capped, "whether it is capped");
                findings.require(found.affected_requests == affected, "who was affected");
            }
            Err(error) => {
                let (what, is_right) = match error {
                    SlaError::NegativeFees(_) => {
                        ("credit: refused, fees under zero", self.fees.is_negative())
                    }
                    SlaError::NegativeValue(_) => (
                        "credit: refused, value under zero",
                        self.value_of_request.is_negative(),
                    ),
                    _ => {
                        let [credit, refund] = exact;
                        let numbers = [worth, credit, refund, full_credit, full_refund];
                        let rest = &fees - numbers[3].clone().min(fees.clone());
                        let is_held = numbers.iter().all(is_decimal) && is_decimal(&rest);
                        ("credit: refused, too many digits", !is_held)
                    }
                };
                findings.count(what);
                findings.require(is_right, what);
            }
        }
    }

    fn name(&self, verdict: AvailabilityVerdict, owed: &Compensation) -> &'static str {
        let is_broken = verdict == AvailabilityVerdict::Broken;
        match (&self.tier, is_broken, owed.is_capped) {
            _ if matches!(verdict, AvailabilityVerdict::TooFewRequests { .. }) => {
                "credit: no verdict"
            }
            (Some(Tier::Free), false, _) => "credit: free, kept",
            (Some(Tier::Free), true, _) => "credit: free, broken",
            (Some(Tier::Growth), false, _) => "credit: growth, kept",
            (Some(Tier::Growth), true, false) => "credit: growth, broken",
            (Some(Tier::Growth), true, true) => "credit: growth, capped",
            (Some(_), false, _) => "credit: enterprise, kept",
            (Some(_), true, false) => "credit: enterprise, broken",
            (Some(_), true, true) => "credit: enterprise, capped",
            (None, false, _) => "credit: own terms, kept",
            (None, true, false) => "credit: own terms, broken",
            (None, true, true) => "credit: own terms, capped",
        }
    }

    /// Given once, however often it is issued, and never with another amount.
    fn payment(&self, findings: &mut Findings<'_>, owed: &Compensation) -> anyhow::Result<()> {
        let key = CompensationKey {
            tenant: "acme".to_owned(),
            period: self.period,
            sla: "api".to_owned(),
        };
        let total = units(owed.credit.amount()) + units(owed.refund.amount());
        let Ok(transaction) = owed.transaction(&key, self.period.end()) else {
            findings.require(!is_decimal(&total), "a payment that is refused");
            return Ok(());
        };
        let Some(transaction) = transaction else {
            findings.require(
                total == BigInt::ZERO,
                "nothing is paid where nothing is owed",
            );
            return Ok(());
        };
        findings.count("credit: paid once");
        let ledger = MemoryLedger::new();
        block_on(async {
            let first = ledger.post(&transaction).await?;
            let second = ledger.post(&transaction).await?;
            let is_once = matches!(
                (first, second),
                (Posted::Applied(_), Posted::AlreadyApplied(_))
            );
            findings.require(is_once, "a compensation is applied once");
            let one = Money::new(Decimal::ONE, self.currency);
            if let Ok(credit) = owed.credit.checked_add(one) {
                let more = Compensation { credit, ..*owed };
                if let Ok(Some(more)) = more.transaction(&key, self.period.end()) {
                    let answer = ledger.post(&more).await;
                    let is_refused = matches!(answer, Err(LedgerError::Conflict(_)));
                    findings.require(is_refused, "a second compensation is refused");
                }
            }
            let wallet = ledger
                .balance(&Account::wallet("acme"), self.currency)
                .await?;
            findings.require(wallet == owed.credit, "the credit is in the wallet");
            let cash = ledger.balance(&Account::Cash, self.currency).await?;
            findings.require(cash == owed.refund, "the refund is paid out");
            Ok(())
        })
    }
}

/// The terms of a tier, with fewer requests for a verdict than a month has, or terms of one's own.
fn terms(random: &mut Random) -> anyhow::Result<(Option<Tier>, SlaTerms)> {
    let tier = pick(random, &Tier::STANDARD).clone();
    let minimum_requests = random.random_range(0..=30);
    let Some(mut terms) = SlaTerms::of_tier(&tier) else {
        anyhow::bail!("a standard tier has terms");
    };
    terms.minimum_requests = minimum_requests;
    if random.random_bool(0.5) {
        return Ok((Some(tier), terms));
    }
    terms.availability = Share::new(share(random))?;
    terms.credit = Share::new(share(random))?;
    terms.refund = Share::new(share(random))?;
    if let Some(latency) = &mut terms.latency {
        latency.percentile = Share::new(share(random))?;
        latency.clock = *pick(
            random,
            &[LatencyClock::TimeToFirstToken, LatencyClock::WholeAnswer],
        );
    }
    if random.random_bool(0.2) {
        terms.latency = None;
    }
    Ok((None, terms))
}

/// From 0 to 1, with a few digits or with all.
fn share(random: &mut Random) -> Decimal {
    let places = *pick(random, &[0, 1, 2, 2, 4, 28]);
    let most = 10_i128.pow(places);
    Decimal::from_i128_with_scale(random.random_range(0..=most), places)
}

fn events(random: &mut Random, length: u64) -> Vec<Event> {
    let failing = *pick(random, &[0.0, 0.01, 0.2, 0.9]);
    let mut milliseconds = |most| {
        let is_measured = random.random_bool(0.8);
        is_measured.then(|| Duration::from_millis(random.random_range(0..=most)))
    };
    let mut events = Vec::new();
    for _ in 0..60 {
        events.push(Event {
            at: Timestamp::UNIX_EPOCH,
            outcome: Ending::Answered,
            time_to_first_token: milliseconds(2_500),
            whole_answer: milliseconds(6_000),
        });
    }
    events.truncate(random.random_range(0..=60));
    for event in &mut events {
        event.at += Duration::from_secs(random.random_range(0..=length));
        event.outcome = match random.random_bool(failing) {
            true => Ending::Failed,
            false if random.random_bool(0.1) => Ending::CallerError,
            false => Ending::Answered,
        };
    }
    events
}

fn of_ending(events: &[&Event], ending: Ending) -> u64 {
    events.iter().filter(|it| it.outcome == ending).count() as u64
}

/// The minutes in which something failed and nothing was answered.
fn downtime(events: &[&Event]) -> u64 {
    let mut minutes = BTreeMap::<i64, bool>::new();
    for event in events {
        let is_up = minutes.entry(event.at.as_second() / 60).or_default();
        *is_up |= event.outcome == Ending::Answered;
    }
    minutes.values().filter(|is_up| !**is_up).count() as u64
}

/// Whether part ÷ whole is at least the share; of nothing, every share is reached.
fn is_reached(share: Share, part: u64, whole: u64) -> bool {
    BigInt::from(part) * power(PLACES) >= units(share.as_decimal()) * whole
}

/// Judges a share at its boundary, of a whole of any size.
fn boundary(random: &mut Random, findings: &mut Findings<'_>, share: Share) -> anyhow::Result<()> {
    let whole = count(random, 64);
    let share = match random.random_bool(0.5) {
        true => share,
        false => Share::new(just_over(random, whole))?,
    };
    let least = units(share.as_decimal()) * whole / power(PLACES);
    let least = u64::try_from(least).unwrap_or(u64::MAX);
    for part in [least.saturating_sub(1), least, least.saturating_add(1)] {
        let found = share.is_reached_by(part, whole);
        let is_right = found == is_reached(share, part, whole);
        findings.require(is_right, "whether a share is reached");
    }
    Ok(())
}

/// The least share of 28 places that some part of the whole does not reach, or just reaches.
fn just_over(random: &mut Random, whole: u64) -> Decimal {
    let part = BigInt::from(random.random_range(0..=whole)) * power(28);
    let digits = part.div_ceil(&BigInt::from(whole.max(1)));
    let digits = i128::try_from(digits).unwrap_or_default();
    Decimal::from_i128_with_scale(digits, 28)
}
