//! Is this live series normal?
//!
//! A series is judged point by point, each by a baseline that does not contain it, and drawn in the
//! terminal: the values, the band in which they would raise no alarm, and the alarms. Alarms that
//! belong together are one event. Without arguments the series is generated: two weeks of a busy
//! service with a spike, a new level and an outage.

#[path = "watch/drawing.rs"]
mod drawing;
#[path = "watch/series.rs"]
mod series;
#[path = "watch/svg.rs"]
mod svg;
#[path = "watch/terminal.rs"]
mod terminal;

use std::io::{IsTerminal as _, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use bursar_anomaly::{
    Alarm, AlertBook, Detector, Observation, PointDetector, PointSettings, Policy, Reading, Update,
    When,
};
use bursar_examples::exit_code;
use clap::Parser;
use serde::Serialize;

use crate::drawing::{Drawing, Point};
use crate::series::Line;
use crate::terminal::Screen;

/// Watches one series and draws what is normal, what was measured, and what is alarming.
#[derive(Debug, Parser)]
struct Arguments {
    /// What the generated series is made from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many points are generated, one in five minutes.
    #[arg(long, default_value_t = 4_032, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    points: u32,
    /// Read `timestamp,value` from a file.
    #[arg(long, value_name = "FILE", conflicts_with = "stdin")]
    csv: Option<PathBuf>,
    /// Read `timestamp,value` from the standard input, and draw as it comes.
    #[arg(long)]
    stdin: bool,
    /// What the values are measured in.
    #[arg(long)]
    unit: Option<String>,
    /// Draw while the series comes.
    #[arg(long)]
    live: bool,
    /// Wait so long after each point; draws as `--live` does.
    #[arg(long, value_name = "MILLISECONDS")]
    delay_ms: Option<u64>,
    /// Draw the whole series into a file.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Print one JSON object a line for each event that opens, becomes worse or ends.
    #[arg(long, conflicts_with = "live")]
    json: bool,
}

impl Arguments {
    fn is_live(&self) -> bool {
        !self.json && (self.live || self.stdin || self.delay_ms.is_some())
    }

    fn unit(&self) -> String {
        let is_generated = self.csv.is_none() && !self.stdin;
        let default = if is_generated { "requests/s" } else { "" };
        self.unit.clone().unwrap_or_else(|| default.to_owned())
    }

    fn series_name(&self) -> String {
        let stem = self.csv.as_ref().and_then(|path| path.file_stem());
        match (stem, self.stdin) {
            (Some(stem), _) => stem.to_string_lossy().into_owned(),
            (None, true) => "stdin".to_owned(),
            (None, false) => "generated".to_owned(),
        }
    }
}

fn main() -> ExitCode {
    exit_code(run(&Arguments::parse()))
}

/// Which detector judges the series.
fn detector() -> Box<dyn Detector> {
    Box::new(PointDetector::new(PointSettings::default()))
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let lines: Box<dyn Iterator<Item = Line>> = match (&arguments.csv, arguments.stdin) {
        (Some(path), _) => series::file(path)?,
        (None, true) => series::read(std::io::stdin(), "the standard input".to_owned()),
        (None, false) => series::generated(arguments.seed, arguments.points)?,
    };
    let mut watch = Watch::new(arguments);
    let screen = Screen::new(std::io::stdout().is_terminal());
    let mut out = std::io::stdout().lock();
    for line in lines {
        let updates = watch.observe(line?)?;
        if arguments.json {
            print_json(&mut out, &watch.drawing, &updates)?;
        }
        if arguments.is_live() {
            screen.draw_live(&mut out, &watch.drawing)?;
            std::thread::sleep(Duration::from_millis(arguments.delay_ms.unwrap_or(0)));
        }
    }
    let updates = watch.finish();
    if arguments.json {
        print_json(&mut out, &watch.drawing, &updates)?;
    } else {
        screen.draw_all(&mut out, &watch.drawing)?;
    }
    if let Some(path) = &arguments.svg {
        let text = svg::document(&watch.drawing);
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// A detector, the events it has given, and what of both is drawn.
struct Watch {
    detector: Box<dyn Detector>,
    book: AlertBook,
    drawing: Drawing,
}

impl Watch {
    fn new(arguments: &Arguments) -> Self {
        Self {
            detector: detector(),
            book: AlertBook::new(Policy::metrics()),
            drawing: Drawing::new(arguments.series_name(), arguments.unit()),
        }
    }

    /// Judges a point; one that does not come after the last is left out and counted.
    fn observe(&mut self, observation: Observation) -> anyhow::Result<Vec<Update>> {
        let Ok(assessment) = self.detector.observe(observation) else {
            self.drawing.n_out_of_order += 1;
            return Ok(Vec::new());
        };
        let at = observation.at();
        let verdict = assessment.verdict().copied();
        let mut updates = self.book.advance(at);
        let mut sentence = None;
        if let Some(verdict) = verdict.filter(|verdict| verdict.is_alarm()) {
            let (name, unit) = (&self.drawing.name, &self.drawing.unit);
            let when = When::Moment(at);
            let alarm = Alarm::of_metric(name, when, unit, self.detector.kind(), &verdict)?;
            updates.extend(self.book.report(alarm)?);
            let event = updates.last().and_then(Update::event);
            sentence = event.map(|event| (event.severity, event.alert.to_string()));
        }
        self.drawing.push(Point {
            at,
            value: match observation.reading() {
                Reading::Final(value) | Reading::Partial(value) => Some(value),
                Reading::Missing => None,
            },
            usual: verdict.map(|verdict| (verdict.expected, verdict.interval)),
            alarm: sentence,
        });
        self.drawing.note(&updates);
        Ok(updates)
    }

    /// Ends what is open: nothing more will come.
    fn finish(&mut self) -> Vec<Update> {
        let updates = self.book.advance(jiff::Timestamp::MAX);
        self.drawing.note(&updates);
        updates
    }
}

/// One line of `--json`.
#[derive(Serialize)]
struct Told<'a> {
    update: &'static str,
    event: &'a str,
    series: &'a str,
    at: jiff::Timestamp,
    started_at: jiff::Timestamp,
    closes_at: jiff::Timestamp,
    severity: &'static str,
    n_alarms: u64,
    score: f64,
    deviation_percent: Option<f64>,
    message: String,
}

fn print_json(out: &mut impl Write, drawing: &Drawing, updates: &[Update]) -> anyhow::Result<()> {
    for update in updates {
        let (name, event) = match update {
            Update::Opened(event) => ("opened", event),
            Update::Escalated { event, .. } => ("escalated", event),
            Update::Closed(event) => ("closed", event),
            _ => continue,
        };
        let told = Told {
            update: name,
            event: event.id.as_str(),
            series: &drawing.name,
            at: event.last_alarm_at,
            started_at: event.started_at,
            closes_at: event.closes_at,
            severity: event.severity.name(),
            n_alarms: event.n_alarms,
            score: event.alert.alarm.score,
            deviation_percent: event.alert.alarm.deviation_percent(),
            message: event.alert.to_string(),
        };
        writeln!(out, "{}", serde_json::to_string(&told)?)?;
    }
    Ok(())
}
