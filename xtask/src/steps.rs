//! What ran, how long did it take, and did it pass? Steps are announced before they start, so that
//! their output streams under their name, and are summed up at the end.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// A run of named steps. A failed step does not stop the ones after it: one run shows every failure.
#[derive(Default)]
pub(crate) struct Steps {
    finished: Vec<Finished>,
}

struct Finished {
    name: String,
    elapsed: Duration,
    failure: Option<String>,
}

impl Steps {
    /// Runs one step and returns what it made, or `None` when it failed.
    pub(crate) fn run<T>(&mut self, name: &str, step: impl FnOnce() -> Result<T>) -> Option<T> {
        println!("\n==> {name}");
        let started = now();
        let outcome = step();
        let elapsed = started.elapsed();
        let (made, failure) = match outcome {
            Ok(made) => (Some(made), None),
            Err(error) => (None, Some(format!("{error:#}"))),
        };
        match &failure {
            None => println!("<== {name}: passed in {}", seconds(elapsed)),
            Some(failure) => println!("<== {name}: FAILED in {}: {failure}", seconds(elapsed)),
        }
        self.finished.push(Finished {
            name: name.to_owned(),
            elapsed,
            failure,
        });
        made
    }

    /// Prints the summary; an error when any step failed.
    pub(crate) fn finish(&self, title: &str) -> Result<()> {
        println!("\n{}", self.summary());
        let failed = self.failed();
        if !failed.is_empty() {
            bail!(
                "{title} FAILED: {} of {} steps: {}",
                failed.len(),
                self.finished.len(),
                failed.join(", ")
            );
        }
        println!(
            "xtask: {title} passed: {} steps in {}",
            self.finished.len(),
            seconds(self.elapsed())
        );
        Ok(())
    }

    fn summary(&self) -> String {
        let width = self
            .finished
            .iter()
            .map(|step| step.name.len())
            .max()
            .unwrap_or(0);
        let mut table = String::new();
        for step in &self.finished {
            let outcome = if step.failure.is_none() {
                "passed"
            } else {
                "FAILED"
            };
            let _ = writeln!(
                table,
                "{:width$}  {outcome}  {:>8}",
                step.name,
                seconds(step.elapsed)
            );
        }
        table
    }

    fn failed(&self) -> Vec<&str> {
        self.finished
            .iter()
            .filter(|step| step.failure.is_some())
            .map(|step| step.name.as_str())
            .collect()
    }

    fn elapsed(&self) -> Duration {
        self.finished.iter().map(|step| step.elapsed).sum()
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the wall time of a step is what a person waits for"
)]
fn now() -> Instant {
    Instant::now()
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use anyhow::anyhow;

    use super::{Steps, seconds};

    #[test]
    fn passes_when_every_step_passes() {
        let mut steps = Steps::default();
        assert_eq!(steps.run("one", || Ok(1)), Some(1));
        assert!(steps.finish("test").is_ok());
    }

    #[test]
    fn goes_on_after_a_failure_and_names_it_at_the_end() {
        let mut steps = Steps::default();
        assert_eq!(steps.run::<()>("broken", || Err(anyhow!("no disk"))), None);
        assert_eq!(steps.run("whole", || Ok(2)), Some(2));
        let error = steps.finish("test").unwrap_err().to_string();
        assert_eq!(error, "test FAILED: 1 of 2 steps: broken");
    }

    #[test]
    fn the_summary_lists_each_step_once_in_order() {
        let mut steps = Steps::default();
        steps.run("first", || Ok(()));
        steps.run::<()>("second", || Err(anyhow!("broken")));
        let summary = steps.summary();
        let lines: Vec<&str> = summary.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(lines[0].starts_with("first   passed"), "{summary}");
        assert!(lines[1].starts_with("second  FAILED"), "{summary}");
    }

    #[test]
    fn writes_time_in_tenths_of_a_second() {
        assert_eq!(seconds(Duration::from_millis(83_250)), "83.2 s");
    }
}
