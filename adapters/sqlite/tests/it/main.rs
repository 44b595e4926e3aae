//! Does the SQLite store keep what it is given, whatever happens around it?

mod conformance;
