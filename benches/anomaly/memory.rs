//! How many bytes does a series take, and how many allocations a point, beside the peers?
//!
//! Counted by the allocator: what is allocated while a detector is made and fed, and not freed again;
//! how often something is allocated while it is fed afterwards; and how long its saved state is.
//! augurs keeps nothing between fits but the window, 16 128 bytes for a week of five-minute points.
//!
//! `cargo bench -p bursar-benches --bench anomaly_memory`, a second.

#![expect(clippy::print_stdout, reason = "the figures are for a terminal")]
#![expect(unsafe_code, reason = "an allocator that counts")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use bursar_anomaly::synthetic::noise::{Noise, NoiseSeries};
use bursar_anomaly::{Detector, Observation, PointDetector, PointSettings, Reading, WeekProfile};
use krcf::{RandomCutForest, RandomCutForestOptions};

struct Counting;

static BYTES: AtomicUsize = AtomicUsize::new(0);
static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        BYTES.fetch_add(layout.size(), Ordering::Relaxed);
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        BYTES.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const N_POINTS: usize = 5000;

fn main() {
    let profiles = [
        ("point", WeekProfile::WorkweekAndWeekend),
        ("point, without profile", WeekProfile::Off),
        ("point, hour of week", WeekProfile::HourOfWeek),
    ];
    for (name, profile) in profiles {
        let make = || PointDetector::new(PointSettings::default().profile(profile));
        let observe = |detector: &mut PointDetector, point: Observation| {
            let _ = detector.observe(point);
        };
        let saved =
            |detector: &PointDetector| postcard::to_stdvec(detector).map_or(0, |bytes| bytes.len());
        measure(name, make, observe, saved);
    }
    measure("krcf", forest, feed_forest, |_| 0);
}

fn measure<D>(
    name: &str,
    make: impl Fn() -> D,
    observe: impl Fn(&mut D, Observation),
    saved: impl Fn(&D) -> usize,
) {
    let series = NoiseSeries::new(Noise::White, 1).daily(3.0);
    let points: Vec<_> = series.observations().take(2 * N_POINTS).collect();
    let before = BYTES.load(Ordering::Relaxed);
    // On the heap, so that its own size is counted too.
    let mut detector = Box::new(make());
    points[..N_POINTS]
        .iter()
        .for_each(|point| observe(&mut detector, *point));
    let bytes = BYTES.load(Ordering::Relaxed) - before;
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    points[N_POINTS..]
        .iter()
        .for_each(|point| observe(&mut detector, *point));
    let allocations = (ALLOCATIONS.load(Ordering::Relaxed) - before) as f64 / N_POINTS as f64;
    let saved = match saved(&detector) {
        0 => String::new(),
        bytes => format!(", {bytes} bytes saved"),
    };
    println!("{name}: {bytes} bytes a series, {allocations:.1} allocations a point{saved}");
}

fn forest() -> RandomCutForest {
    let options = RandomCutForestOptions {
        dimensions: 1,
        shingle_size: 8,
        num_trees: Some(50),
        sample_size: Some(256),
        random_seed: Some(1),
        internal_shingling: Some(true),
        parallel_execution_enabled: Some(false),
        ..Default::default()
    };
    RandomCutForest::new(options).expect("its options are in range")
}

fn feed_forest(forest: &mut RandomCutForest, point: Observation) {
    let Reading::Final(value) = point.reading() else {
        return;
    };
    let point = [value as f32];
    let _ = forest
        .shingled_point(&point)
        .and_then(|shingle| forest.score(&shingle));
    let _ = forest.update(&point);
}
