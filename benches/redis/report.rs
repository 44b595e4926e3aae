//! What came out? Rows, the medians of their rounds, and the table.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::Failure;
use crate::excess::Excess;
use crate::load::{Load, Seen, drive, touch_all};
use crate::questions::Question;
use crate::server::Probe;

type Pending<T> = Pin<Box<dyn Future<Output = Result<T, Failure>>>>;

/// A question, how many callers ask it, and what each round has shown.
pub(crate) struct Row {
    pub(crate) name: String,
    callers: usize,
    drive: Box<dyn Fn(Load) -> Pending<Seen>>,
    touch_all: Box<dyn Fn() -> Pending<()>>,
    rounds: Vec<Figures>,
}

/// What a round has shown, or the medians of all.
#[derive(Clone, Copy, Debug)]
struct Figures {
    per_second: f64,
    p50_micros: f64,
    p99_micros: f64,
    /// Microseconds in commands for each decision.
    server_micros: f64,
    /// Microseconds of CPU time for each decision, system calls included.
    server_cpu: f64,
    client_cpu: f64,
}

impl Row {
    pub(crate) fn new<Q: Question>(name: &str, question: &Arc<Q>, callers: usize) -> Self {
        let [driven, touched] = [question, question].map(Arc::clone);
        Self {
            name: name.to_owned(),
            callers,
            drive: Box::new(move |load| {
                let question = Arc::clone(&driven);
                Box::pin(async move { drive(&question, load).await })
            }),
            touch_all: Box::new(move || {
                let question = Arc::clone(&touched);
                Box::pin(async move { touch_all(&question).await })
            }),
            rounds: Vec::new(),
        }
    }

    /// Makes every key there is, so that the rounds find them.
    pub(crate) async fn warm_up(&self) -> Result<(), Failure> {
        (self.touch_all)().await
    }

    pub(crate) async fn round(&mut self, probe: &mut Probe, time: Duration) -> Result<(), Failure> {
        let callers = self.callers;
        probe.reset()?;
        let before = probe.spent()?;
        let seen = (self.drive)(Load { callers, time }).await?;
        let after = probe.spent()?;
        let per_decision = |later: Duration, earlier: Duration| {
            later.saturating_sub(earlier).as_secs_f64() * 1e6 / seen.decisions() as f64
        };
        let client = before.client_cpu.zip(after.client_cpu);
        self.rounds.push(Figures {
            per_second: seen.per_second(),
            p50_micros: seen.micros_at(50),
            p99_micros: seen.micros_at(99),
            server_micros: per_decision(after.in_commands, before.in_commands),
            server_cpu: per_decision(after.server_cpu, before.server_cpu),
            client_cpu: client.map_or(f64::NAN, |(before, after)| per_decision(after, before)),
        });
        Ok(())
    }

    fn medians(&self) -> Figures {
        let of = |figure: fn(&Figures) -> f64| median(self.rounds.iter().map(figure).collect());
        Figures {
            per_second: of(|round| round.per_second),
            p50_micros: of(|round| round.p50_micros),
            p99_micros: of(|round| round.p99_micros),
            server_micros: of(|round| round.server_micros),
            server_cpu: of(|round| round.server_cpu),
            client_cpu: of(|round| round.client_cpu),
        }
    }

    /// The time in commands of the round that others disturbed least.
    fn least_server_micros(&self) -> f64 {
        let micros = self.rounds.iter().map(|round| round.server_micros);
        micros.fold(f64::INFINITY, f64::min)
    }

    fn line(&self) -> String {
        let Self { name, callers, .. } = self;
        let figures = self.medians();
        format!(
            "{name:<24}{callers:>8}{:>13.0}{:>9.1}{:>9.1}{:>11.2}{:>8.2}{:>12.2}{:>12.2}",
            figures.per_second,
            figures.p50_micros,
            figures.p99_micros,
            figures.server_micros,
            self.least_server_micros(),
            figures.server_cpu,
            figures.client_cpu,
        )
    }

    fn json(&self) -> Value {
        let figures = self.medians();
        let best = self.rounds.iter().map(|round| round.per_second);
        json!({
            "name": self.name,
            "callers": self.callers,
            "rounds": self.rounds.len(),
            "decisions_per_second": figures.per_second,
            "most_decisions_per_second": best.fold(0.0, f64::max),
            "p50_micros": figures.p50_micros,
            "p99_micros": figures.p99_micros,
            "server_micros_per_decision": figures.server_micros,
            "least_server_micros_per_decision": self.least_server_micros(),
            "server_cpu_micros_per_decision": figures.server_cpu,
            "client_cpu_micros_per_decision": figures.client_cpu,
        })
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// How often a row decides for each decision of another one.
fn ratio(rows: &[Row], name: &str, to: (&str, usize)) -> Option<f64> {
    let row = rows.iter().find(|row| row.name == name)?;
    let other = rows
        .iter()
        .find(|row| (row.name.as_str(), row.callers) == to)?;
    Some(row.medians().per_second / other.medians().per_second)
}

#[expect(clippy::print_stdout, reason = "what the bench is for")]
pub(crate) fn print(server_version: &str, rows: &[Row], excesses: &[Excess], as_json: bool) {
    if as_json {
        let rows: Vec<_> = rows.iter().map(Row::json).collect();
        let excesses: Vec<_> = excesses.iter().map(Excess::json).collect();
        let server = format!("redis {server_version}");
        println!(
            "{:#}",
            json!({ "server": server, "rows": rows, "excesses": excesses })
        );
        return;
    }
    println!(
        "redis {server_version}\n{:<24}{:>8}{:>13}{:>9}{:>9}{:>11}{:>8}{:>12}{:>12}",
        "",
        "callers",
        "decisions/s",
        "p50 µs",
        "p99 µs",
        "server µs",
        "least",
        "server CPU",
        "client CPU"
    );
    for row in rows {
        println!("{}", row.line());
    }
    println!();
    for to in [
        ("exact", 1),
        ("exact", crate::INSTANCES),
        ("exact", crate::CALLERS),
    ] {
        if let Some(ratio) = ratio(rows, "leased", to) {
            println!(
                "leased decides {ratio:.0} times as often as {} with {} callers",
                to.0, to.1
            );
        }
    }
    for excess in excesses {
        println!("{}", excess.line());
    }
}
