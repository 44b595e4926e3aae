//! The router as its users see it.

mod genai_prices;
mod names;
