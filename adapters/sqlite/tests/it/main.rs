//! Does the SQLite store keep what it is given, whatever happens around it?

mod bills;
mod conformance;
mod corrupt;
mod files;
mod generations;
mod kill;
mod processes;
