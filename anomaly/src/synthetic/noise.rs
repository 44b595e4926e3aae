//! Noise without anomalies, to measure false alarms with.
