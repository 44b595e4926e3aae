//! What do requests look like that come in bursts, as those of language models do?

use bursar_cost_model::capacity::Arrival;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

/// How long requests are made for.
const SECONDS: f64 = 1_800.0;
/// The mean length of calm and of busy times, in seconds, and the requests a second in each.
const CALM: (f64, f64) = (40.0, 1.5);
const BUSY: (f64, f64) = (20.0, 9.0);
/// Mean seconds of service, of which the shortest is a tenth.
const SERVICE: f64 = 4.0;

/// Requests of half an hour in which calm and busy times follow each other, each of exponential
/// length, with Poisson arrivals within.
pub(crate) fn arrivals(seed: u64) -> Vec<Arrival> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut arrivals = Vec::new();
    let (mut now, mut busy) = (0.0, false);
    while now < SECONDS {
        let (length, rate) = if busy { BUSY } else { CALM };
        let end = now + exponential(&mut random, length);
        let mut next = now + exponential(&mut random, 1.0 / rate);
        while next < end.min(SECONDS) {
            arrivals.push(Arrival {
                at_seconds: next,
                service_seconds: 0.1 * SERVICE + exponential(&mut random, 0.9 * SERVICE),
            });
            next += exponential(&mut random, 1.0 / rate);
        }
        now = end;
        busy = !busy;
    }
    arrivals
}

fn exponential(random: &mut ChaCha8Rng, mean: f64) -> f64 {
    // 53 bits make a number above 0 and at most 1.
    let uniform = ((random.next_u64() >> 11) + 1) as f64 / (1_u64 << 53) as f64;
    -mean * uniform.ln()
}
