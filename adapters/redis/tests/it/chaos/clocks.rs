//! What if the server's clock steps while requests come?

use bursar_redis::RedisStore;
use tokio::time::Instant;

use super::clock::Clock;
use super::load::{BURST, Scene};
use super::patient;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos_clock_steps_a_minute_ahead_and_back() {
    steps("clock +60 s", &[60.0], BURST).await;
    steps("clock -60 s", &[-60.0], 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos_clock_steps_half_a_second_back() {
    steps("clock -500 ms", &[-0.5], 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos_clock_steps_an_hour_ahead_and_back() {
    steps("clock +1 h", &[3600.0], BURST).await;
    steps("clock -1 h", &[-3600.0], 0).await;
    steps("clock +1 h, then back", &[3600.0, 0.0], BURST).await;
}

/// Sets the clock to each offset in turn. That calls pass after every step is part of it: nobody is
/// locked out, and every refusal names a wait of the usual length.
async fn steps(name: &'static str, offsets: &[f64], term: u64) {
    let Some((server, clock)) = Clock::start() else {
        return;
    };
    let url = server.url();
    let mut scene = Scene::start(name, || RedisStore::single(&url, patient()).unwrap()).await;
    let mut from = 0.0;
    for &to in offsets {
        let step = Instant::now();
        clock.set(&server, from, to);
        scene.recovered_since(step).await;
        from = to;
    }
    let verdict = scene.judge(term).await;
    assert!(verdict.is_undisturbed(), "{verdict:?}");
    assert!(term == 0 || verdict.excess > 0.0, "{verdict:?}");
}
