//! The router as its users see it.

mod learned;
mod names;
mod online;
