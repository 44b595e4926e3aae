//! By how much more passes than a limit promises?
//!
//! Leases: the worst case is made on purpose. Each instance takes a lease and keeps it while the quota
//! refills to its burst; then all spend as fast as they can for a second. An answer counts for a window
//! if it was asked for and given within it, so what is found is never more than what was there.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bursar_ratelimit::lease::{LeaseSize, Leased, Settings};
use bursar_ratelimit::{Dimension, Limit, Limits, Rate, Request, Store, Timestamp, Unit};
use bursar_redis::RedisStore;
use serde_json::{Value, json};
use tokio::task::{JoinHandle, yield_now};

use crate::load::now;
use crate::questions::{Limitador, Question, store};
use crate::server::Server;
use crate::{CALLERS, CONNECTIONS, Failure, INSTANCES};

/// What passed beyond a promise, and what was said to be the most that would.
#[derive(Debug)]
pub(crate) struct Excess {
    name: &'static str,
    passed: usize,
    excess: f64,
    bound: Option<u64>,
}

impl Excess {
    pub(crate) fn line(&self) -> String {
        let Self {
            name,
            passed,
            excess,
            ..
        } = self;
        let bound = match self.bound {
            Some(bound) => format!("states at most {bound}"),
            None => "states no bound".to_owned(),
        };
        format!("{name}: {excess:.0} more than the limit in some window, {passed} in all; {bound}")
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "name": self.name,
            "passed": self.passed,
            "excess": self.excess,
            "bound": self.bound,
        })
    }
}

pub(crate) async fn measure(server: &Server, measured: bool) -> Result<Vec<Excess>, Failure> {
    let time = Duration::from_millis(if measured { 1000 } else { 20 });
    Ok(vec![
        exact(server).await?,
        leased(server, time).await?,
        limitador(server).await?,
    ])
}

/// What a limit lets pass that does not refill while anybody looks.
const LIMIT: u64 = 1000;

async fn exact(server: &Server) -> Result<Excess, Failure> {
    let limit = Rate::new(LIMIT, Duration::from_secs(86_400))?;
    let limit = Limit::new("once", Dimension::GLOBAL, Unit::REQUESTS, limit);
    let limits = Arc::new(Limits::new([limit])?);
    let store = store(server, "once", CONNECTIONS)?;
    let callers = (0..CALLERS).map(|_| {
        let (limits, store) = (Arc::clone(&limits), store.clone());
        tokio::spawn(async move {
            let charges = limits.resolve(&Request::new())?;
            let mut passed = 0;
            while store.check(&charges, Timestamp::ZERO).await?.is_allowed() {
                passed += 1;
            }
            Ok(passed)
        })
    });
    beyond_limit("exact", callers.collect(), Some(0)).await
}

async fn limitador(server: &Server) -> Result<Excess, Failure> {
    let connections = server.connections(CONNECTIONS).await?;
    let limitador = Arc::new(Limitador::new(&connections, 1, LIMIT));
    let callers = (0..CALLERS).map(|caller| {
        let limitador = Arc::clone(&limitador);
        tokio::spawn(async move {
            let mut passed = 0;
            while limitador.ask(caller, passed).await? {
                passed += 1;
            }
            Ok(passed)
        })
    });
    beyond_limit("as limitador asks", callers.collect(), None).await
}

async fn beyond_limit(
    name: &'static str,
    callers: Vec<JoinHandle<Result<u64, Failure>>>,
    bound: Option<u64>,
) -> Result<Excess, Failure> {
    let mut passed = 0;
    for caller in callers {
        passed += caller.await??;
    }
    Ok(Excess {
        name,
        passed: passed as usize,
        excess: passed.saturating_sub(LIMIT) as f64,
        bound,
    })
}

const PER_SECOND: u64 = 10_000;
const BURST: u64 = 2_000;
const LEASE: u64 = 200;

/// A request that passed: when it was asked for, and when the answer was there.
#[derive(Clone, Copy, Debug)]
struct Passed {
    asked: Instant,
    answered: Instant,
}

async fn leased(server: &Server, time: Duration) -> Result<Excess, Failure> {
    let rate = Rate::per_second(PER_SECOND)?.burst(BURST)?;
    let limit = Limit::new("leased", Dimension::GLOBAL, Unit::REQUESTS, rate);
    let lease_time = Duration::from_secs(30);
    let mut settings = Settings::new(LeaseSize::Units(LEASE), lease_time, INSTANCES as u32);
    settings.refusal = Duration::from_millis(1);
    let bound = settings.bound(&limit, &rate.into());
    let limits = Arc::new(Limits::new([limit])?);
    let started = now();
    let mut instances = Vec::new();
    for _ in 0..INSTANCES {
        let instance = Leased::new(store(server, "excess", 1)?, settings.clone());
        let charges = limits.resolve(&Request::new())?;
        let time = Timestamp::from(started.elapsed());
        if !instance.check(&charges, time).await?.is_allowed() {
            return Err("the first request of an instance was refused".into());
        }
        instances.push(instance);
    }
    // All leases are out; the quota refills.
    let refill = Duration::from_secs(1) * (2 * INSTANCES as u32 * LEASE as u32) / PER_SECOND as u32;
    tokio::time::sleep(refill).await;
    let end = now() + time;
    let spending: Vec<_> = instances
        .into_iter()
        .map(|instance| tokio::spawn(spend(instance, Arc::clone(&limits), started, end)))
        .collect();
    let mut passed = Vec::new();
    for instance in spending {
        passed.append(&mut instance.await??);
    }
    Ok(Excess {
        name: "leased",
        passed: passed.len(),
        excess: largest_excess(passed),
        bound: Some(bound),
    })
}

/// Asks without a pause, and notes what passed.
async fn spend(
    instance: Leased<RedisStore>,
    limits: Arc<Limits>,
    started: Instant,
    end: Instant,
) -> Result<Vec<Passed>, Failure> {
    let charges = limits.resolve(&Request::new())?;
    let mut passed = Vec::new();
    loop {
        let asked = now();
        if asked >= end {
            return Ok(passed);
        }
        let time = Timestamp::from(asked.duration_since(started));
        let decision = instance.check(&charges, time).await?;
        let answered = now();
        match decision.is_allowed() {
            true => passed.push(Passed { asked, answered }),
            false => yield_now().await,
        }
    }
}

/// The most that passed in any window beyond burst and rate, by looking at every window.
fn largest_excess(mut passed: Vec<Passed>) -> f64 {
    passed.sort_unstable_by_key(|one| one.answered);
    let mut largest: f64 = 0.0;
    for first in &passed {
        let mut count = 0_u64;
        for last in passed.iter().filter(|last| last.asked >= first.asked) {
            count += 1;
            let window = last.answered.duration_since(first.asked).as_secs_f64();
            let promised = BURST as f64 + PER_SECOND as f64 * window;
            largest = largest.max(count as f64 - promised);
        }
    }
    largest
}
