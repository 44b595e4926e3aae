//! The scoring of the Numenta Anomaly Benchmark.
