//! Cubes of costs with a known root cause.
