//! How is load made? Callers who each ask the next question when they have the answer to the last.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::yield_now;

use crate::Failure;
use crate::questions::Question;

/// The number of questions that are for anybody's key; earlier ones are for one after another.
const LATER: u64 = 1 << 32;
/// Who is answered without waiting lets others ask after so many answers.
const FAIR: u64 = 32;

/// How many callers ask at once, and for how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) callers: usize,
    pub(crate) time: Duration,
}

/// What callers saw.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) elapsed: Duration,
    /// Nanoseconds from each question to its answer, in order of size.
    latencies: Vec<u32>,
}

impl Seen {
    pub(crate) fn decisions(&self) -> usize {
        self.latencies.len()
    }

    pub(crate) fn per_second(&self) -> f64 {
        self.decisions() as f64 / self.elapsed.as_secs_f64()
    }

    /// The latency in microseconds that so many percent of the answers did not exceed.
    pub(crate) fn micros_at(&self, percent: usize) -> f64 {
        let index = self.latencies.len().saturating_sub(1) * percent / 100;
        self.latencies
            .get(index)
            .map_or(f64::NAN, |&nanos| f64::from(nanos) / 1e3)
    }
}

#[expect(clippy::disallowed_methods, reason = "a bench measures time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Lets callers ask until the time is over.
pub(crate) async fn drive<Q: Question>(question: &Arc<Q>, load: Load) -> Result<Seen, Failure> {
    let start = now();
    let end = start + load.time;
    let callers: Vec<_> = (0..load.callers)
        .map(|caller| tokio::spawn(ask_until(Arc::clone(question), caller, end)))
        .collect();
    let mut latencies = Vec::new();
    for caller in callers {
        latencies.append(&mut caller.await??);
    }
    let elapsed = start.elapsed();
    latencies.sort_unstable();
    Ok(Seen { elapsed, latencies })
}

async fn ask_until<Q: Question>(
    question: Arc<Q>,
    caller: usize,
    end: Instant,
) -> Result<Vec<u32>, Failure> {
    let mut latencies = Vec::with_capacity(1 << 12);
    let mut asked = now();
    for number in LATER.. {
        question.ask(caller, number).await?;
        let answered = now();
        let latency = answered.duration_since(asked).as_nanos();
        latencies.push(u32::try_from(latency).unwrap_or(u32::MAX));
        if answered >= end {
            break;
        }
        asked = match number % FAIR {
            0 => {
                yield_now().await;
                now()
            }
            _ => answered,
        };
    }
    Ok(latencies)
}

/// Asks for each key there is, from each instance.
pub(crate) async fn touch_all<Q: Question>(question: &Arc<Q>) -> Result<(), Failure> {
    const AT_ONCE: u64 = 64;
    let touch = |first| {
        let question = Arc::clone(question);
        tokio::spawn(async move {
            for number in (first..question.keys()).step_by(AT_ONCE as usize) {
                for instance in 0..question.instances() {
                    question.ask(instance, number).await?;
                }
            }
            Ok::<_, Failure>(())
        })
    };
    let tasks: Vec<_> = (0..AT_ONCE).map(touch).collect();
    for task in tasks {
        task.await??;
    }
    Ok(())
}
