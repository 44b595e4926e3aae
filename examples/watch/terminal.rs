//! The series in letters.

use std::io::Write;

use bursar_anomaly::{Interval, Severity};

use crate::drawing::{Column, Drawing, columns, label, reach, ticks};

const WIDTH: usize = 96;
const HEIGHT: usize = 18;
/// Columns for the numbers of the axis.
const MARGIN: usize = 9;
/// Points of a live picture: a day of five minutes.
const LIVE_POINTS: usize = 3 * WIDTH;
/// What was told last, below a live picture.
const LIVE_LINES: usize = 6;

/// Draws with colors where somebody sees them.
pub(crate) struct Screen {
    is_terminal: bool,
}

impl Screen {
    pub(crate) fn new(is_terminal: bool) -> Self {
        Self { is_terminal }
    }

    /// The last points in the place of the picture before.
    pub(crate) fn draw_live(&self, out: &mut impl Write, drawing: &Drawing) -> std::io::Result<()> {
        if !self.is_terminal {
            return Ok(());
        }
        let n_old = drawing.points.len().saturating_sub(LIVE_POINTS);
        let columns = columns(&drawing.points[n_old..], WIDTH);
        // Home, and clear what is below: no flicker.
        write!(out, "\x1b[H\x1b[J")?;
        self.draw(out, drawing, &columns)?;
        let n_old = drawing.told.len().saturating_sub(LIVE_LINES);
        for line in &drawing.told[n_old..] {
            writeln!(out, "{line}")?;
        }
        out.flush()
    }

    /// The whole series, and all that was told.
    pub(crate) fn draw_all(&self, out: &mut impl Write, drawing: &Drawing) -> std::io::Result<()> {
        self.draw(out, drawing, &columns(&drawing.points, WIDTH))?;
        for line in &drawing.told {
            writeln!(out, "{line}")?;
        }
        let alarms = drawing.points.iter().filter(|point| point.alarm.is_some());
        let (n_points, n_alarms) = (drawing.points.len(), alarms.count());
        let n_events = drawing.n_events;
        writeln!(
            out,
            "{n_points} points, {n_alarms} alarms, {n_events} events"
        )?;
        if drawing.n_out_of_order > 0 {
            let n = drawing.n_out_of_order;
            writeln!(
                out,
                "{n} points did not come after the one before them and were left out"
            )?;
        }
        Ok(())
    }

    fn draw(
        &self,
        out: &mut impl Write,
        drawing: &Drawing,
        columns: &[Column],
    ) -> std::io::Result<()> {
        let name = match drawing.unit.as_str() {
            "" => drawing.name.clone(),
            unit => format!("{} in {unit}", drawing.name),
        };
        writeln!(out, "{name}    \u{2588} value   \u{2591} usual   ! alarm\n")?;
        let Some(reach) = reach(columns) else {
            return writeln!(out, "no values yet");
        };
        for row in 0..HEIGHT {
            let cell = cell(reach, row);
            let (tick, row) = (tick_in(reach, cell), self.row(columns, cell));
            writeln!(out, "{tick:>MARGIN$} \u{2502}{row}")?;
        }
        draw_times(out, columns)
    }

    fn row(&self, columns: &[Column], cell: Interval) -> String {
        let is_in = |part: Option<Interval>| part.is_some_and(|part| overlap(part, cell));
        let letters = columns.iter().map(|column| match column.alarm {
            Some((severity, values)) if overlap(values, cell) => self.alarm(severity),
            _ if is_in(column.values) => "\u{2588}",
            _ if is_in(column.usual) => "\u{2591}",
            _ => " ",
        });
        letters.collect::<String>().trim_end().to_owned()
    }

    fn alarm(&self, severity: Severity) -> &'static str {
        match (self.is_terminal, severity) {
            (false, _) => "!",
            (true, Severity::Info) => "\x1b[1;36m!\x1b[0m",
            (true, Severity::Warning) => "\x1b[1;33m!\x1b[0m",
            (true, Severity::Critical) => "\x1b[1;31m!\x1b[0m",
        }
    }
}

/// What one row stands for, the first being the highest.
fn cell(reach: Interval, row: usize) -> Interval {
    let height = (reach.high - reach.low) / HEIGHT as f64;
    let high = reach.high - height * row as f64;
    let low = high - height;
    Interval { low, high }
}

/// Whether a part is in a cell; what is on the edge of two is in the upper one.
fn overlap(part: Interval, cell: Interval) -> bool {
    part.low < cell.high && part.high >= cell.low
}

fn tick_in(reach: Interval, cell: Interval) -> String {
    let (ticks, places) = ticks(reach, 6.0);
    let in_cell = |tick: &f64| (cell.low..cell.high).contains(tick);
    let tick = ticks.into_iter().find(in_cell);
    tick.map_or_else(String::new, |tick| label(tick, places))
}

/// The axis of time, with a moment under every 24th column.
fn draw_times(out: &mut impl Write, columns: &[Column]) -> std::io::Result<()> {
    let (mut axis, mut times) = (String::new(), String::new());
    for marked in columns.chunks(24) {
        axis += "\u{252c}";
        axis.extend(std::iter::repeat_n('\u{2500}', marked.len() - 1));
        let time = marked[0].at.strftime("%Y-%m-%d %H:%M").to_string();
        times += &format!("{time:<24}");
    }
    let times = times.trim_end();
    writeln!(
        out,
        "{:>MARGIN$} \u{2514}{axis}\n{:>MARGIN$}  {times}\n",
        "", ""
    )
}
