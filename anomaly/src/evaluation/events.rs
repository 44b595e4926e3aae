//! Found, missed, late, false: alerts judged by event.
