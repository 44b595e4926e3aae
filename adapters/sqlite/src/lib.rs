//! Billing records in embedded SQLite.
