//! Daily costs of accounts, with labelled anomalies and benign events.
