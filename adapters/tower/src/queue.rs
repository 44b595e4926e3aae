//! Whose turn is it? One line of waiting requests for each bucket, first come, first served.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::future::poll_fn;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bursar_ratelimit::{Charge, Enforcement};
use parking_lot::Mutex;

use crate::runtime::Task;

/// The lines of a layer.
#[derive(Default)]
pub(crate) struct Queues {
    hasher: RandomState,
    lines: Mutex<Lines>,
}

#[derive(Default)]
struct Lines {
    next_ticket: u64,
    by_bucket: HashMap<Bucket, VecDeque<Ticket>>,
}

/// A limit and a key, as a hash: two that share one merely wait for each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Bucket(u64);

struct Ticket {
    number: u64,
    waker: Option<Waker>,
}

/// A place in a line, given up when it is dropped.
pub(crate) struct Place {
    queues: Arc<Queues>,
    pub(crate) bucket: Bucket,
    number: u64,
}

impl Queues {
    pub(crate) fn bucket(&self, limit: &str, key: &str) -> Bucket {
        Bucket(self.hasher.hash_one((limit, key)))
    }

    /// The first of the buckets that somebody is waiting for.
    pub(crate) fn first_busy(&self, charges: &[Charge<'_>]) -> Option<Bucket> {
        let lines = self.lines.lock();
        if lines.by_bucket.is_empty() {
            return None;
        }
        let enforced = charges
            .iter()
            .filter(|charge| charge.limit().enforcement() == Enforcement::Enforced);
        let mut buckets = enforced.map(|charge| self.bucket(charge.limit().name(), charge.key()));
        buckets.find(|bucket| lines.by_bucket.contains_key(bucket))
    }

    /// A place at the end of a line, `None` if `longest` are waiting there.
    pub(crate) fn join(self: &Arc<Self>, bucket: Bucket, longest: usize) -> Option<Place> {
        let mut lines = self.lines.lock();
        let waiting = lines.by_bucket.get(&bucket).map_or(0, VecDeque::len);
        if waiting >= longest {
            return None;
        }
        let number = lines.next_ticket;
        lines.next_ticket += 1;
        lines
            .by_bucket
            .entry(bucket)
            .or_default()
            .push_back(Ticket {
                number,
                waker: None,
            });
        Some(Place {
            queues: Arc::clone(self),
            bucket,
            number,
        })
    }
}

impl Place {
    /// Ends when all before have gone (true), or when the time is up (false).
    pub(crate) async fn turn(&self, mut time_out: Task) -> bool {
        poll_fn(|context| {
            if self.is_first(context) {
                return Poll::Ready(true);
            }
            time_out.as_mut().poll(context).map(|()| false)
        })
        .await
    }

    fn is_first(&self, context: &Context<'_>) -> bool {
        let mut lines = self.queues.lines.lock();
        let line = lines.by_bucket.get_mut(&self.bucket);
        let Some((index, ticket)) = line.and_then(|line| {
            let mut tickets = line.iter_mut().enumerate();
            tickets.find(|(_, ticket)| ticket.number == self.number)
        }) else {
            return true;
        };
        if index > 0 {
            ticket.waker = Some(context.waker().clone());
        }
        index == 0
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut lines = self.queues.lines.lock();
        let Some(line) = lines.by_bucket.get_mut(&self.bucket) else {
            return;
        };
        line.retain(|ticket| ticket.number != self.number);
        let next = line.front_mut().and_then(|ticket| ticket.waker.take());
        if line.is_empty() {
            lines.by_bucket.remove(&self.bucket);
        }
        drop(lines);
        if let Some(waker) = next {
            waker.wake();
        }
    }
}

impl fmt::Debug for Queues {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let buckets = self.lines.lock().by_bucket.len();
        formatter
            .debug_struct("Queues")
            .field("buckets", &buckets)
            .finish_non_exhaustive()
    }
}
