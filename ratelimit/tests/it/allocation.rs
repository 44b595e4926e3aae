//! Does a decision allocate? Not when its keys are known, whether it passes or not.

#![expect(
    unsafe_code,
    reason = "counting allocations takes a global allocator, whose trait is unsafe"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;

use bursar_ratelimit::{Limits, MemoryStore, Progress, Request, Timestamp, Unit, Usage};

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator, counting for each thread by itself, since tests run side by side.
struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

fn count() {
    // A thread that is ending has no counter any more.
    let _ = ALLOCATIONS.try_with(|allocations| allocations.set(allocations.get() + 1));
}

// SAFETY: every call is handed to the system's allocator as it came; counting does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the pointer came from `alloc`, and so from the system's allocator.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the pointer came from `alloc`, and so from the system's allocator.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// How often this thread allocates while it works.
fn allocations(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}

/// A service that knows the key `k` already.
struct Service {
    limits: Limits,
    store: MemoryStore,
}

impl Service {
    fn new() -> Self {
        let service = Self {
            limits: Limits::preset().unwrap(),
            store: MemoryStore::default(),
        };
        assert!(service.is_allowed(1));
        service
    }

    fn request<'a>(tokens: u64) -> Request<'a> {
        let request = Request::new().tenant("t").api_key("k").method("m");
        request.cost(Unit::TOKENS, tokens)
    }

    fn is_allowed(&self, tokens: u64) -> bool {
        let charges = self.limits.resolve(&Self::request(tokens)).unwrap();
        let decision = self.store.check(&charges, Timestamp::ZERO).unwrap();
        black_box(decision.retry_after());
        decision.is_allowed()
    }

    fn peeks(&self) -> bool {
        let charges = self.limits.resolve(&Self::request(1)).unwrap();
        let decision = self.store.peek(&charges, Timestamp::ZERO).unwrap();
        decision.is_allowed()
    }

    fn reserves_and_settles(&self) -> bool {
        let charges = self.limits.resolve(&Self::request(50)).unwrap();
        let admission = self.store.reserve(&charges, Timestamp::ZERO).unwrap();
        let mut reservation = admission.reservation.unwrap();
        let usage = Usage::new().with(Unit::TOKENS, 60);
        let settlement =
            self.store
                .settle(&mut reservation, &usage, Progress::Final, Timestamp::ZERO);
        settlement.unwrap().is_applied()
    }
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| drop(black_box(Box::new(1)))), 1);
}

#[test]
fn an_admission_allocates_nothing() {
    let service = Service::new();
    assert_eq!(allocations(|| assert!(service.is_allowed(7))), 0);
}

#[test]
fn a_refusal_allocates_nothing() {
    let service = Service::new();
    assert_eq!(allocations(|| assert!(!service.is_allowed(100_000))), 0);
}

#[test]
fn a_peek_allocates_nothing() {
    let service = Service::new();
    assert_eq!(allocations(|| assert!(service.peeks())), 0);
}

#[test]
fn a_reservation_and_its_settlement_allocate_nothing() {
    let service = Service::new();
    // Each part of the list of open reservations gets its room at its first use.
    for _ in 0..16 {
        assert!(service.reserves_and_settles());
    }
    assert_eq!(allocations(|| assert!(service.reserves_and_settles())), 0);
}
