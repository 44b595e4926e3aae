//! Equal requests at the same time make one call, and nobody hangs on one that is gone.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex};
use std::task::{Context, Poll, Waker};

use bursar_model_router::{
    AnswerCache, CacheUse, ChatAnswer, ChatRequest, ClientError, ErrorClass, MemoryCache,
};
use bursar_units::{Currency, Money};
use futures_executor::block_on;

use super::{World, answer, asked, model, world};

/// Runs the same request on threads at once; what each call is said is up to `call`.
fn at_once(
    cache: &AnswerCache<ClientError>,
    count: usize,
    call: impl Fn() -> Result<ChatAnswer, ClientError> + Sync,
) -> Vec<Result<ChatAnswer, ClientError>> {
    let (request, model) = (ChatRequest::user("What is a VPC?"), model("m"));
    let (barrier, results) = (Barrier::new(count), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..count {
            let task = || {
                barrier.wait();
                let asked = asked(&request, &model);
                let result = block_on(cache.answer(&asked, async || call()));
                results.lock().unwrap().push(result);
            };
            let builder = std::thread::Builder::new().stack_size(256 * 1_024);
            builder.spawn_scoped(scope, task).unwrap();
        }
    });
    results.into_inner().unwrap()
}

#[test]
fn a_thousand_equal_requests_at_once_make_one_call() {
    let World { cache, .. } = world(MemoryCache::new(1 << 20));
    let calls = AtomicUsize::new(0);
    let results = at_once(&cache, 1_000, || {
        calls.fetch_add(1, Ordering::SeqCst);
        Ok(answer("A network."))
    });
    assert_eq!(calls.into_inner(), 1);
    assert_eq!(results.len(), 1_000);
    assert!(
        results
            .iter()
            .all(|result| result.as_ref().unwrap().text() == "A network.")
    );
    let statistics = cache.statistics();
    assert_eq!(statistics.hits + statistics.shared, 999);
    assert_eq!(statistics.misses, 1);
    let saved: Vec<_> = statistics.saved_amounts().collect();
    // 999 × 0.0021.
    assert_eq!(saved, [Money::parse("2.0979", Currency::USD).unwrap()]);
}

#[test]
fn leaders_that_fail_neither_hang_nor_poison_those_who_wait() {
    let World { cache, .. } = world(MemoryCache::new(1 << 20));
    let calls = AtomicUsize::new(0);
    let results = at_once(&cache, 200, || match calls.fetch_add(1, Ordering::SeqCst) {
        0 | 1 => Err(ClientError::new(ErrorClass::Unavailable, "down")),
        _ => Ok(answer("A network.")),
    });
    assert_eq!(calls.into_inner(), 3);
    let failed = results.iter().filter(|result| result.is_err()).count();
    assert_eq!((results.len(), failed), (200, 2));
}

type Answering<'c> = std::pin::Pin<Box<dyn Future<Output = Result<ChatAnswer, ClientError>> + 'c>>;

/// A call that waits for a turn before it does what it is told.
async fn slowly(result: Result<ChatAnswer, ClientError>) -> Result<ChatAnswer, ClientError> {
    let mut has_waited = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut has_waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
    result
}

fn poll(answering: &mut Answering<'_>) -> Poll<Result<ChatAnswer, ClientError>> {
    answering
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_cancelled_leader_makes_way_for_one_follower() {
    let World { cache, .. } = world(MemoryCache::new(1 << 20));
    let (request, model) = (ChatRequest::user("What is a VPC?"), model("m"));
    let (asked, calls) = (asked(&request, &model), AtomicUsize::new(0));
    let start = || -> Answering<'_> {
        Box::pin(cache.answer(&asked, || {
            calls.fetch_add(1, Ordering::SeqCst);
            slowly(Ok(answer("A network.")))
        }))
    };
    let mut leader = start();
    assert!(poll(&mut leader).is_pending());
    let mut followers: Vec<_> = (0..10).map(|_| start()).collect();
    for follower in &mut followers {
        assert!(poll(follower).is_pending());
    }
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    drop(leader);
    let mut answered = 0;
    for _ in 0..3 {
        for follower in &mut followers {
            if let Poll::Ready(result) = poll(follower) {
                answered += usize::from(result.is_ok());
                *follower = Box::pin(std::future::pending());
            }
        }
    }
    assert_eq!((answered, calls.load(Ordering::SeqCst)), (10, 2));
}

#[test]
fn a_model_that_is_down_is_asked_three_times_for_all_who_wait() {
    let World { cache, .. } = world(MemoryCache::new(1 << 20));
    let (request, model) = (ChatRequest::user("What is a VPC?"), model("m"));
    let (asked, calls) = (asked(&request, &model), AtomicUsize::new(0));
    let down = || ClientError::new(ErrorClass::Unavailable, "down");
    let mut waiting: Vec<Answering<'_>> = Vec::new();
    for _ in 0..50 {
        waiting.push(Box::pin(cache.answer(&asked, || {
            calls.fetch_add(1, Ordering::SeqCst);
            slowly(Err(down()))
        })));
    }
    let mut failed = 0;
    for _ in 0..10 {
        for answering in &mut waiting {
            if let Poll::Ready(result) = poll(answering) {
                failed += usize::from(result.is_err());
                *answering = Box::pin(std::future::pending());
            }
        }
    }
    assert_eq!((failed, calls.load(Ordering::SeqCst)), (50, 3));
    // Nothing of it is remembered.
    let call = async || Ok(answer("Up again."));
    let after = block_on(cache.answer(&asked, call)).unwrap();
    assert_eq!(after.cached, CacheUse::Asked);
}
