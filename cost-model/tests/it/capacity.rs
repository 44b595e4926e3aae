//! Queues, simulations and the plans that follow from them.

mod plan;
mod queue;
mod traces;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

/// An exponential number of this mean.
pub(crate) fn exponential(random: &mut ChaCha8Rng, mean: f64) -> f64 {
    // 53 bits make a number above 0 and at most 1.
    let uniform = ((random.next_u64() >> 11) + 1) as f64 / (1_u64 << 53) as f64;
    -mean * uniform.ln()
}
