//! What do callers see while a server is killed, paused, replaced, cut off or set to another time?
//!
//! Each scenario runs callers on the store alone and behind each failure policy, lets the fault
//! happen, waits until the server decides again, and holds what passed against the bound: in every
//! window at most burst + rate × window, and what the fault may add. `FAILURES.md` tells what was
//! seen; `cargo test -p bursar-redis chaos -- --nocapture` prints it.

mod clock;
mod clocks;
mod clusters;
mod load;
mod networks;
mod proxy;
mod replicas;
mod servers;
mod settlements;

use std::time::Duration;

use bursar_redis::RedisSettings;

/// With an answer that a fault shall delay beyond the time-out.
fn impatient() -> RedisSettings {
    let settings = RedisSettings::default().connections(2);
    settings.timeout(Duration::from_millis(100))
}

/// With a time-out that nothing on a busy machine exceeds, where no call may fail.
fn patient() -> RedisSettings {
    impatient().timeout(Duration::from_secs(5))
}
