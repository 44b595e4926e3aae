//! What an observer hears, and what the `metrics` facade is told.

use std::sync::{Arc, Mutex};

use bursar_ratelimit::breaker::Breaker;
use bursar_ratelimit::fallback::{Fallback, Settings};
use bursar_ratelimit::lease::Leased;
use bursar_ratelimit::observe::{Observed, Observer, Outcome};
use bursar_ratelimit::{
    Decision, Dimension, Limit, Limits, MemoryStore, OnFailure, Progress, Rate, Request,
    Settlement, Status, Store, StoreError, Timestamp, Unit, Usage,
};
use futures_executor::block_on;

use crate::support::Server;

const NOW: Timestamp = Timestamp::from_secs(100);

/// Writes down what it hears, a line each.
#[derive(Default)]
struct Listener(Mutex<Vec<String>>);

impl Listener {
    fn hear(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl Observer for Listener {
    fn decided(&self, decision: &Decision<'_>) {
        let allowed = decision.is_allowed();
        for status in decision.statuses() {
            let outcome = Outcome::of(status, allowed).as_str();
            self.hear(format!("{} {outcome}", status.name()));
        }
    }

    fn near(&self, status: &Status<'_>) {
        self.hear(format!("{} near", status.name()));
    }

    fn settled(&self, settlement: &Settlement) {
        for part in settlement.parts() {
            self.hear(format!("{} +{} -{}", part.unit, part.debt, part.refunded));
        }
    }

    fn failed(&self, limit: &Limit, policy: OnFailure) {
        self.hear(format!("{} {policy:?}", limit.name()));
    }

    fn undecided(&self, error: &StoreError) {
        self.hear(error.to_string());
    }
}

/// Ten requests a minute, a hundred tokens, and a shadow limit of two requests.
fn limits() -> Limits {
    let requests = |name: &str, limit| {
        Limit::new(
            name,
            Dimension::GLOBAL,
            Unit::REQUESTS,
            Rate::per_minute(limit).unwrap(),
        )
    };
    let tokens = Limit::new(
        "tokens",
        Dimension::GLOBAL,
        Unit::TOKENS,
        Rate::per_minute(100).unwrap(),
    );
    Limits::new([
        requests("requests", 10).on_failure(OnFailure::Open),
        tokens,
        requests("shadow", 2).shadow(),
    ])
    .unwrap()
}

fn request<'a>(tokens: u64) -> Request<'a> {
    Request::new().cost(Unit::TOKENS, tokens)
}

#[test]
fn stores_and_observers_can_be_shared_between_threads_and_shown() {
    fn shared<T: Send + Sync + std::fmt::Debug>() {}
    shared::<Fallback<MemoryStore>>();
    shared::<Leased<Fallback<MemoryStore>>>();
    shared::<Observed<MemoryStore, u8>>();
    shared::<Breaker>();
    #[cfg(feature = "metrics")]
    shared::<bursar_ratelimit::observe::MetricsObserver>();
}

#[test]
fn every_limit_of_a_decision_has_one_outcome() {
    let listener = Arc::new(Listener::default());
    let store = Observed::new(Server::default(), Arc::clone(&listener));
    let limits = limits();
    let ask = |tokens| {
        let charges = limits.resolve(&request(tokens)).unwrap();
        let _ = block_on(store.check(&charges, NOW)).unwrap();
        listener.take()
    };
    let passed = ["requests allowed", "tokens allowed", "shadow allowed"];
    assert_eq!(ask(50), passed);
    let refused = ["requests withheld", "tokens denied", "shadow withheld"];
    assert_eq!(ask(51), refused);
    let near = [&passed[..], &["tokens near", "shadow near"]].concat();
    assert_eq!(ask(30), near);
    assert_eq!(
        ask(0),
        [
            "requests allowed",
            "tokens allowed",
            "shadow shadow_denied",
            "tokens near",
            "shadow near",
        ]
    );
    let charges = limits.resolve(&request(1)).unwrap();
    let _ = block_on(store.peek(&charges, NOW)).unwrap();
    assert_eq!(listener.take(), [""; 0]);
}

#[test]
fn hears_refunds_debts_and_errors() {
    let listener = Arc::new(Listener::default());
    let store = Observed::new(Server::default(), Arc::clone(&listener));
    let limits = limits();
    let charges = limits.resolve(&request(20)).unwrap();
    for (used, heard) in [(5, "tokens +0 -15"), (27, "tokens +7 -0")] {
        let admission = block_on(store.reserve(&charges, NOW)).unwrap();
        let mut reservation = admission.reservation.unwrap();
        let usage = Usage::new().with(Unit::TOKENS, used);
        listener.take();
        let settled = block_on(store.settle(&mut reservation, &usage, Progress::Final, NOW));
        assert!(settled.unwrap().is_applied());
        assert_eq!(listener.take()[1], heard);
    }
    store.store().set_down(true);
    assert!(block_on(store.check(&charges, NOW)).is_err());
    assert_eq!(
        listener.take(),
        ["the test store is not available; the limits' failure policies apply"]
    );
}

#[test]
fn hears_which_policies_were_used_and_why() {
    let listener = Arc::new(Listener::default());
    let server = Server::default();
    server.set_down(true);
    let store = Fallback::new(server, Settings::default())
        .observed_by(Arc::clone(&listener) as Arc<dyn Observer>);
    let limits = limits();
    let charges = limits.resolve(&request(1)).unwrap();
    let _ = block_on(store.check(&charges, NOW)).unwrap();
    assert_eq!(
        listener.take(),
        [
            "the test store is not available; the limits' failure policies apply",
            "requests Open",
            "tokens Closed",
            "shadow Closed",
        ]
    );
}

#[cfg(feature = "metrics")]
mod facade {
    use std::collections::BTreeMap;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::{Arc, Mutex};

    use bursar_ratelimit::fallback::{Fallback, Settings};
    use bursar_ratelimit::observe::{MetricsObserver, Observed, Observer};
    use bursar_ratelimit::{Dimension, Limit, Limits, Progress, Rate, Request, Store, Unit, Usage};
    use futures_executor::block_on;
    use metrics::{
        Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit as Of,
    };

    use super::{NOW, limits, request};
    use crate::support::Server;

    /// Counters by their names and labels, as an exporter shows them.
    #[derive(Default)]
    struct Exporter(Mutex<BTreeMap<String, Arc<AtomicU64>>>);

    impl Exporter {
        fn shown(&self) -> Vec<String> {
            let counters = self.0.lock().unwrap();
            counters
                .iter()
                .map(|(name, count)| (name, count.load(Ordering::Relaxed)))
                .filter(|(_, count)| *count > 0)
                .map(|(name, count)| format!("{name} {count}"))
                .collect()
        }
    }

    impl Recorder for Exporter {
        fn describe_counter(&self, _: KeyName, _: Option<Of>, _: SharedString) {}
        fn describe_gauge(&self, _: KeyName, _: Option<Of>, _: SharedString) {}
        fn describe_histogram(&self, _: KeyName, _: Option<Of>, _: SharedString) {}

        fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
            let labels = key.labels();
            let labels: Vec<String> = labels
                .map(|label| format!("{}={}", label.key(), label.value()))
                .collect();
            let name = format!("{}{{{}}}", key.name(), labels.join(","));
            let mut counters = self.0.lock().unwrap();
            Counter::from_arc(Arc::clone(counters.entry(name).or_default()))
        }

        fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
            Gauge::noop()
        }

        fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
            Histogram::noop()
        }
    }

    #[test]
    fn counts_by_limit_and_outcome_and_never_by_key() {
        let exporter = Exporter::default();
        metrics::with_local_recorder(&exporter, || {
            let known = Limits::new([limits().as_slice()[0].clone()]).unwrap();
            let store = Observed::new(Server::default(), MetricsObserver::new(&known));
            // One limit more than the observer was told about.
            let tenant = Limit::new(
                "tenant",
                Dimension::TENANT,
                Unit::TOKENS,
                Rate::per_minute(100).unwrap(),
            );
            let limits = Limits::new([known.as_slice()[0].clone(), tenant]).unwrap();
            for tenant in ["acme", "globex"] {
                let request = request(60).tenant(tenant);
                let charges = limits.resolve(&request).unwrap();
                let admission = block_on(store.reserve(&charges, NOW)).unwrap();
                let _ = block_on(store.check(&charges, NOW)).unwrap();
                let usage = Usage::new().with(Unit::TOKENS, 10);
                let mut reservation = admission.reservation.unwrap();
                let settled = store.settle(&mut reservation, &usage, Progress::Final, NOW);
                assert!(block_on(settled).unwrap().is_applied());
            }
            store.store().set_down(true);
            let charges = limits.resolve(&Request::new().tenant("acme").cost(Unit::TOKENS, 1));
            assert!(block_on(store.check(&charges.unwrap(), NOW)).is_err());
        });
        assert_eq!(
            exporter.shown(),
            [
                "ratelimit_decisions_total{limit=requests,outcome=allowed} 2",
                "ratelimit_decisions_total{limit=requests,outcome=withheld} 2",
                "ratelimit_decisions_total{limit=tenant,outcome=allowed} 2",
                "ratelimit_decisions_total{limit=tenant,outcome=denied} 2",
                "ratelimit_errors_total{error=unavailable} 1",
                "ratelimit_requests_total{outcome=allowed} 2",
                "ratelimit_requests_total{outcome=denied} 2",
                "ratelimit_settled_units_total{unit=tokens,change=refunded} 100",
            ]
        );
    }

    #[test]
    fn counts_the_policies_that_were_used() {
        let exporter = Exporter::default();
        metrics::with_local_recorder(&exporter, || {
            let limits = limits();
            let observer: Arc<dyn Observer> = Arc::new(MetricsObserver::new(&limits));
            let server = Server::default();
            server.set_down(true);
            let store = Fallback::new(server, Settings::default()).observed_by(observer);
            let charges = limits.resolve(&request(1)).unwrap();
            let _ = block_on(store.check(&charges, NOW)).unwrap();
        });
        assert_eq!(
            exporter.shown(),
            [
                "ratelimit_errors_total{error=unavailable} 1",
                "ratelimit_fallbacks_total{limit=requests,policy=open} 1",
                "ratelimit_fallbacks_total{limit=shadow,policy=closed} 1",
                "ratelimit_fallbacks_total{limit=tokens,policy=closed} 1",
            ]
        );
    }
}
