//! Which functions of the signals does the model weigh? Relative ones, so that they carry over.

use crate::signal::{Context, Signal};

pub(super) const N_FEATURES: usize = 16;

/// The sign that a weight may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// More of it never makes an account safer.
    Raises,
    /// More of it never makes an account more suspicious.
    Lowers,
}

use Direction::{Lowers, Raises};

/// The features by name, with the direction in which each may count.
pub const FEATURES: &[(&str, Direction); N_FEATURES] = &[
    ("concurrent_networks", Raises),
    ("network_spread", Raises),
    ("countries", Raises),
    ("impossible_travels", Raises),
    ("concurrent_sessions", Raises),
    ("sharing", Raises),
    ("new_place", Raises),
    ("new_place_and_jump", Raises),
    ("new_network_and_jump", Raises),
    ("old_and_new_place", Raises),
    ("old_and_new_network", Raises),
    ("spend_jump", Raises),
    ("young_and_spending", Raises),
    ("new_account_spend", Raises),
    ("hosting", Lowers),
    ("round_the_clock", Raises),
];

/// The features of a context. One whose signals are missing is zero: it says nothing.
pub(super) fn features(context: &Context) -> [f64; N_FEATURES] {
    let get = |signal| context.number(signal);
    // How many more than one, as a logarithm: from 1 to 2 counts as much as from 10 to 20 nearly.
    let more = |signal| get(signal).map_or(0.0, |value| value.max(1.0).ln().min(4.0));
    let share = |signal| get(signal).map_or(0.0, |value| value.clamp(0.0, 1.0));
    let jump = more(Signal::SPEND_JUMP);
    let concurrent = more(Signal::CONCURRENT_NETWORKS);
    let spread = more(Signal::NETWORK_SPREAD);
    let spend = get(Signal::SPEND_PER_DAY).map_or(0.0, |value| (1.0 + value.max(0.0)).ln());
    // One for an account made today, a half after a week.
    let youth = get(Signal::ACCOUNT_AGE_DAYS).map_or(0.0, |days| 7.0 / (7.0 + days.max(0.0)));
    let travels =
        get(Signal::IMPOSSIBLE_TRAVELS).map_or(0.0, |value| value.max(0.0).ln_1p().min(4.0));
    // Who moves leaves the old place; a thief and the owner use both at once. One when half is new.
    let both = |signal| 4.0 * share(signal) * (1.0 - share(signal));
    let hours = get(Signal::ACTIVE_HOURS).map_or(0.0, |value| (value / 24.0).clamp(0.0, 1.0));
    [
        concurrent,
        spread,
        more(Signal::UNIQUE_COUNTRIES),
        travels,
        more(Signal::CONCURRENT_SESSIONS),
        concurrent * spread,
        share(Signal::NEW_PLACE_SHARE),
        share(Signal::NEW_PLACE_SHARE) * jump,
        share(Signal::NEW_NETWORK_SHARE) * jump,
        both(Signal::NEW_PLACE_SHARE) * jump,
        both(Signal::NEW_NETWORK_SHARE) * jump,
        jump,
        youth * spend,
        if youth > 0.5 {
            (spend - 4.0).max(0.0)
        } else {
            0.0
        },
        share(Signal::HOSTING_SHARE),
        hours * spread,
    ]
}
