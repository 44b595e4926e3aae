//! The router as its users see it.

mod names;
