//! The series as a picture that reads in the light and in the dark.

use std::fmt::{self, Write as _};

use bursar_anomaly::{Interval, Severity};
use bursar_examples::escaped;
use jiff::{SignedDuration, Timestamp};

use crate::drawing::{Column, Drawing, Point, columns, label, reach, ticks};

const WIDTH: f64 = 1_000.0;
const HEIGHT: f64 = 380.0;
/// The area of the lines within the picture.
const LEFT: f64 = 64.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 56.0;
const BOTTOM: f64 = 40.0;

const STYLE: &str = "\
svg{background:#fff;font:12px system-ui,sans-serif}\
text{fill:#333}.title{font-size:15px;font-weight:600}\
.axis{stroke:#888}.grid{stroke:#e4e4e4}\
.band{fill:#1f77b4;fill-opacity:.16}.value{fill:none;stroke:#24476b;stroke-width:1.4}\
.info{fill:#2a9d8f}.warning{fill:#e08a00}.critical{fill:#d62828}\
@media(prefers-color-scheme:dark){svg{background:#16181c}text{fill:#ddd}.axis{stroke:#888}\
.grid{stroke:#2d3138}.band{fill:#6cb6ff;fill-opacity:.2}.value{stroke:#a9d1ff}\
.warning{fill:#ffb347}.critical{fill:#ff6b6b}}";

/// A whole SVG file.
pub(crate) fn document(drawing: &Drawing) -> String {
    let mut svg = String::new();
    write(&mut svg, drawing).expect("a string takes everything that is written");
    svg
}

fn write(svg: &mut String, drawing: &Drawing) -> fmt::Result {
    let name = escaped(&drawing.name);
    let alarms = drawing.points.iter().filter(|point| point.alarm.is_some());
    let (n_alarms, n_events) = (alarms.count(), drawing.n_events);
    writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">\n\
         <title>{name}: {n_alarms} alarms in {n_events} events</title>\n<style>{STYLE}</style>\n\
         <text class=\"title\" x=\"{LEFT}\" y=\"22\">{name}: {n_alarms} alarms in {n_events} events</text>"
    )?;
    write_legend(svg)?;
    let columns = columns(&drawing.points, (WIDTH - LEFT - RIGHT) as usize);
    if let Some(plane) = Plane::of(&drawing.points, &columns) {
        write_values_axis(svg, &plane, &escaped(&drawing.unit))?;
        write_time_axis(svg, &plane)?;
        write_band(svg, &plane, &columns)?;
        write_values(svg, &plane, &columns)?;
        write_alarms(svg, &plane, &drawing.points)?;
    }
    writeln!(svg, "</svg>")
}

/// Times and values to places.
struct Plane {
    first: Timestamp,
    last: Timestamp,
    reach: Interval,
}

impl Plane {
    fn of(points: &[Point], columns: &[Column]) -> Option<Self> {
        Some(Self {
            first: points.first()?.at,
            last: points.last()?.at,
            reach: reach(columns)?,
        })
    }

    fn x(&self, at: Timestamp) -> f64 {
        let whole = self.last.duration_since(self.first).as_secs_f64().max(1e-9);
        let part = at.duration_since(self.first).as_secs_f64() / whole;
        LEFT + part * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, value: f64) -> f64 {
        let Interval { low, high } = self.reach;
        let part = (high - value.clamp(low, high)) / (high - low);
        TOP + part * (HEIGHT - TOP - BOTTOM)
    }
}

fn write_legend(svg: &mut String) -> fmt::Result {
    writeln!(
        svg,
        "<g transform=\"translate({LEFT} 40)\">\
         <line class=\"value\" x1=\"0\" x2=\"22\" y1=\"-4\" y2=\"-4\"/><text x=\"28\">value</text>\
         <rect class=\"band\" x=\"80\" y=\"-11\" width=\"22\" height=\"13\"/><text x=\"108\">usual</text>"
    )?;
    for (x, severity) in [
        (164, Severity::Info),
        (220, Severity::Warning),
        (302, Severity::Critical),
    ] {
        let (class, name) = (class(severity), severity.name().to_lowercase());
        writeln!(
            svg,
            "<circle class=\"{class}\" cx=\"{x}\" cy=\"-4\" r=\"4\"/><text x=\"{}\">{name}</text>",
            x + 9
        )?;
    }
    writeln!(svg, "</g>")
}

fn write_values_axis(svg: &mut String, plane: &Plane, unit: &str) -> fmt::Result {
    let (ticks, places) = ticks(plane.reach, 6.0);
    for tick in ticks {
        let y = plane.y(tick);
        let (right, label) = (WIDTH - RIGHT, label(tick, places));
        writeln!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
            LEFT - 8.0,
            y + 4.0
        )?;
    }
    if !unit.is_empty() {
        let (x, y) = (LEFT - 8.0, TOP - 10.0);
        writeln!(
            svg,
            "<text x=\"{x}\" y=\"{y}\" text-anchor=\"end\">{unit}</text>"
        )?;
    }
    Ok(())
}

/// Steps in minutes between the names under the axis of time.
const STEPS: [i64; 14] = [
    1, 5, 15, 60, 180, 360, 720, 1_440, 2_880, 10_080, 20_160, 43_200, 129_600, 525_600,
];
const DAY: i64 = 1_440;

fn write_time_axis(svg: &mut String, plane: &Plane) -> fmt::Result {
    let (bottom, right) = (HEIGHT - BOTTOM, WIDTH - RIGHT);
    writeln!(
        svg,
        "<line class=\"axis\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{bottom}\" y2=\"{bottom}\"/>"
    )?;
    let minutes = plane.last.duration_since(plane.first).as_mins();
    let step = STEPS.into_iter().find(|step| minutes / step <= 8);
    let step = step.unwrap_or(minutes.max(1));
    let format = if step < DAY {
        "%m-%d %H:%M"
    } else {
        "%Y-%m-%d"
    };
    let mut at = plane.first.as_second().div_euclid(60 * step) * step;
    for _ in 0..10 {
        at += step;
        let Ok(moment) = Timestamp::UNIX_EPOCH.checked_add(SignedDuration::from_mins(at)) else {
            break;
        };
        if moment > plane.last {
            break;
        }
        let (x, name) = (plane.x(moment), moment.strftime(format));
        writeln!(
            svg,
            "<line class=\"axis\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{bottom}\" y2=\"{}\"/>\
             <text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{name}</text>",
            bottom + 5.0,
            bottom + 20.0
        )?;
    }
    let (x, y) = (LEFT - 8.0, bottom + 20.0);
    writeln!(
        svg,
        "<text x=\"{x}\" y=\"{y}\" text-anchor=\"end\">UTC</text>"
    )
}

/// One area for each stretch of time in which something was expected.
fn write_band(svg: &mut String, plane: &Plane, columns: &[Column]) -> fmt::Result {
    for stretch in columns.split(|column| column.usual.is_none()) {
        let upper = stretch.iter().map(|column| (column, true));
        let lower = stretch.iter().rev().map(|column| (column, false));
        let corners = upper.chain(lower).filter_map(|(column, is_upper)| {
            let usual = column.usual?;
            let value = if is_upper { usual.high } else { usual.low };
            Some((plane.x(column.at), plane.y(value)))
        });
        let corners = path(corners);
        if !corners.is_empty() {
            writeln!(svg, "<path class=\"band\" d=\"{corners}Z\"/>")?;
        }
    }
    Ok(())
}

/// One line for each stretch without a gap, through the least and the largest value of each column.
fn write_values(svg: &mut String, plane: &Plane, columns: &[Column]) -> fmt::Result {
    for stretch in columns.split(|column| column.values.is_none()) {
        let ends = stretch.iter().flat_map(|column| {
            let Interval { low, high } = column.values.unwrap_or(plane.reach);
            [low, high].map(|value| (plane.x(column.at), plane.y(value)))
        });
        let line = path(ends);
        if !line.is_empty() {
            writeln!(svg, "<path class=\"value\" d=\"{line}\"/>")?;
        }
    }
    Ok(())
}

fn path(points: impl Iterator<Item = (f64, f64)>) -> String {
    let mut path = String::new();
    for (x, y) in points {
        let command = if path.is_empty() { 'M' } else { 'L' };
        path += &format!("{command}{x:.1} {y:.1}");
    }
    path
}

/// A mark for each alarm, which says its sentence when one points at it.
fn write_alarms(svg: &mut String, plane: &Plane, points: &[Point]) -> fmt::Result {
    for point in points {
        let (Some(value), Some((severity, sentence))) = (point.value, &point.alarm) else {
            continue;
        };
        let (x, y) = (plane.x(point.at), plane.y(value));
        let (class, sentence) = (class(*severity), escaped(sentence));
        writeln!(
            svg,
            "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"><title>{sentence}</title></circle>"
        )?;
    }
    Ok(())
}

fn class(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Critical => "critical",
    }
}
