//! How is a series of amounts drawn so that it reads on a phone, on paper and in the dark?
//!
//! Written by hand, because a plotting library draws one picture of one size in colors of its
//! own: `plotters` has absolute coordinates, hexadecimal fills and no `<title>`. Here widths are
//! in percent and heights in pixels, so that a chart fills any column while its letters keep
//! their size; colors are classes that the page's style sheet defines once for light and once
//! for dark; every bar says what it is in a `<title>`, and the whole in a `<desc>`.

use maud::{Markup, html};

use super::number;

/// The height of the bars' area in pixels.
const HEIGHT: f64 = 220.0;

/// Room above the highest gridline, so that its label is not cut.
const TOP: f64 = 10.0;

/// Room below for the names under the axis.
const BOTTOM: f64 = 26.0;

/// About as many gridlines as an eye counts without counting.
const GRIDLINES: f64 = 4.0;

/// As many names under the axis as fit a phone.
const MAX_NAMES: usize = 6;

/// Room below the lowest credit, as a share of the height.
const MARGIN: f64 = 0.03;

/// How much of its place a bar fills, in percent.
const FILL: f64 = 80.0;

/// Bars of layers, side by side.
#[derive(Debug, Clone)]
pub(crate) struct Stacks {
    /// What is unique on the page.
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) bars: Vec<Stack>,
    /// A level to compare with, drawn as a broken line.
    pub(crate) level: Option<f64>,
}

/// One bar.
#[derive(Debug, Clone)]
pub(crate) struct Stack {
    /// Its name under the axis, where there is room.
    pub(crate) name: String,
    /// What it says when one points at it.
    pub(crate) tip: String,
    /// The layers from the axis outward, with their classes; `None` where nothing is known.
    pub(crate) layers: Option<Vec<(f64, &'static str)>>,
    /// Whether something stands out here.
    pub(crate) is_marked: bool,
}

impl Stack {
    /// From the lowest end of the layers below zero to the highest of those above.
    fn reach(&self) -> (f64, f64) {
        let layers = self.layers.iter().flatten();
        layers.fold((0.0, 0.0), |(low, high), (value, _)| {
            if *value < 0.0 {
                (low + value, high)
            } else {
                (low, high + value)
            }
        })
    }
}

/// Values to pixels.
struct Scale {
    ticks: Vec<f64>,
    low: f64,
    high: f64,
}

impl Scale {
    fn of(low: f64, high: f64) -> Scale {
        let mut ticks = ticks(low, high);
        let (mut bottom, top) = match ticks.as_slice() {
            [bottom, .., top] => (*bottom, *top),
            _ => (0.0, 1.0),
        };
        // A small credit gets the room that it needs, and not that of a whole gridline.
        let needed = low - (top - low) * MARGIN;
        if low < 0.0 && needed > bottom {
            bottom = needed;
            ticks.retain(|tick| *tick >= bottom);
        }
        Scale {
            low: bottom,
            high: top,
            ticks,
        }
    }

    fn y(&self, value: f64) -> f64 {
        TOP + HEIGHT * (self.high - value) / (self.high - self.low)
    }
}

/// Round numbers that span `low` and `high`, zero among them.
fn ticks(low: f64, high: f64) -> Vec<f64> {
    let (low, high) = (low.min(0.0), high.max(0.0));
    let span = high - low;
    if !span.is_finite() || span <= 0.0 {
        return vec![0.0, 1.0];
    }
    let rough = span / GRIDLINES;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| *step >= rough)
        .unwrap_or(10.0 * power);
    let (first, last) = ((low / step).floor() as i64, (high / step).ceil() as i64);
    (first..=last).map(|n| n as f64 * step).collect()
}

/// A tick's label, in the unit that the largest has: `1,200`, `45k`, `1.5M`.
fn tick_label(value: f64, step: f64, largest: f64) -> String {
    let (divisor, suffix) = match largest {
        m if m >= 1e15 => return format!("{value:.0e}"),
        m if m >= 1e12 => (1e12, "T"),
        m if m >= 1e9 => (1e9, "B"),
        m if m >= 1e6 => (1e6, "M"),
        m if m >= 1e4 => (1e3, "k"),
        _ => (1.0, ""),
    };
    if value == 0.0 {
        return "0".to_owned();
    }
    let places = (-(step / divisor).log10().floor()).clamp(0.0, 12.0) as usize;
    // 2.5 needs one place more than its power of ten.
    let scaled = value / divisor;
    let short = format!("{scaled:.places$}");
    let exact = (short.parse::<f64>().unwrap_or(scaled) - scaled).abs() <= step / divisor * 1e-6;
    let text = if exact {
        short
    } else {
        format!("{scaled:.*}", places + 1)
    };
    let text = super::escape::minus(&number::grouped(&text));
    format!("{text}{suffix}")
}

/// The chart with its axis.
pub(crate) fn stacks(chart: &Stacks) -> Markup {
    let (low, high) = chart.bars.iter().map(Stack::reach).fold(
        (0.0f64, chart.level.unwrap_or(0.0).max(0.0)),
        |(low, high), reach| (low.min(reach.0), high.max(reach.1)),
    );
    let scale = Scale::of(low, high);
    let labels = labels(&scale);
    let longest = labels
        .iter()
        .map(|(_, label)| label.chars().count())
        .max()
        .unwrap_or(0);
    let axis = longest * 7 + 10;
    let height = TOP + HEIGHT + BOTTOM;
    let (title, desc) = (format!("{}-title", chart.id), format!("{}-desc", chart.id));
    html! {
        div.plot {
            svg.axis width=(axis) height=(height) aria-hidden="true" {
                @for (y, label) in &labels {
                    text x=(axis - 8) y=(px(y + 4.0)) text-anchor="end" { (label) }
                }
            }
            svg.area role="img" height=(height) aria-labelledby={ (title) " " (desc) } {
                title id=(title) { (chart.title) }
                desc id=(desc) { (chart.description) }
                @for (y, _) in &labels {
                    line.grid x1="0" x2="100%" y1=(px(*y)) y2=(px(*y)) {}
                }
                @for (at, bar) in chart.bars.iter().enumerate() {
                    (stack(bar, at, chart.bars.len(), &scale))
                }
                line.zero x1="0" x2="100%" y1=(px(scale.y(0.0))) y2=(px(scale.y(0.0))) {}
                @if let Some(level) = chart.level {
                    line.level x1="0" x2="100%" y1=(px(scale.y(level))) y2=(px(scale.y(level))) {}
                }
                (names(&chart.bars))
            }
        }
    }
}

fn labels(scale: &Scale) -> Vec<(f64, String)> {
    let step = match scale.ticks.as_slice() {
        [first, second, ..] => second - first,
        _ => 1.0,
    };
    let largest = scale.high.max(-scale.low);
    let label = |tick: &f64| (scale.y(*tick), tick_label(*tick, step, largest));
    scale.ticks.iter().map(label).collect()
}

fn stack(bar: &Stack, at: usize, bars: usize, scale: &Scale) -> Markup {
    let place = 100.0 / bars as f64;
    let (x, width) = (place * at as f64, place * FILL / 100.0);
    let inner = x + (place - width) / 2.0;
    html! {
        g.bar {
            title { (bar.tip) }
            rect.hit x=(percent(x)) y=(px(TOP)) width=(percent(place)) height=(px(HEIGHT)) {}
            @match &bar.layers {
                None => {
                    rect.gap x=(percent(inner)) y=(px(TOP)) width=(percent(width)) height=(px(HEIGHT)) {}
                }
                Some(layers) => {
                    @for (top, bottom, class) in laid(layers) {
                        @let (y, end) = (scale.y(top), scale.y(bottom));
                        rect class=(class) x=(percent(inner)) y=(px(y)) width=(percent(width)) height=(px(end - y)) {}
                    }
                }
            }
            @if bar.is_marked {
                @let y = scale.y(bar.reach().1);
                circle.mark cx=(percent(x + place / 2.0)) cy=(px((y - 7.0).max(4.0))) r="3.5" {}
            }
        }
    }
}

/// The layers as (top, bottom, class): those above zero upward, those below it downward.
fn laid<'c>(layers: &[(f64, &'c str)]) -> Vec<(f64, f64, &'c str)> {
    let (mut above, mut below) = (0.0, 0.0);
    let mut laid = Vec::new();
    for (value, class) in layers.iter().filter(|(value, _)| *value != 0.0) {
        if *value < 0.0 {
            laid.push((below, below + value, *class));
            below += value;
        } else {
            laid.push((above + value, above, *class));
            above += value;
        }
    }
    laid
}

/// Some names under the axis, evenly spaced from the first.
fn names(bars: &[Stack]) -> Markup {
    let every = bars.len().div_ceil(MAX_NAMES).max(1);
    let place = 100.0 / bars.len().max(1) as f64;
    let y = TOP + HEIGHT + 18.0;
    html! {
        @for (at, bar) in bars.iter().enumerate().step_by(every) {
            @let middle = place * (at as f64 + 0.5);
            // A name at the edge would be cut if it were centered under a narrow bar.
            @let (x, anchor) = match middle {
                m if m < 6.0 => (place * at as f64, "start"),
                m if m > 94.0 => (place * (at as f64 + 1.0), "end"),
                m => (m, "middle"),
            };
            text x=(percent(x)) y=(px(y)) text-anchor=(anchor) { (bar.name) }
        }
    }
}

/// One bar of a list, on a scale from `low` to `high` that holds zero.
pub(crate) fn bar(value: f64, low: f64, high: f64, class: &str) -> Markup {
    let (low, high) = (low.min(0.0), high.max(0.0));
    let span = high - low;
    let share = |v: f64| {
        if span > 0.0 {
            (v - low) / span * 100.0
        } else {
            0.0
        }
    };
    let (start, end) = (share(value.min(0.0)), share(value.max(0.0)));
    html! {
        svg.bar aria-hidden="true" height="14" {
            rect class=(class) x=(percent(start)) y="1" width=(percent(end - start)) height="12" {}
            @if low < 0.0 {
                line.zero x1=(percent(share(0.0))) x2=(percent(share(0.0))) y1="0" y2="14" {}
            }
        }
    }
}

/// The course of the values in one line, with gaps where they are not known; nothing below two.
pub(crate) fn sparkline(values: &[Option<f64>]) -> Markup {
    let known = || values.iter().copied().flatten();
    let (low, high) = known().fold((0.0f64, 0.0f64), |(l, h), v| (l.min(v), h.max(v)));
    let span = if high > low { high - low } else { 1.0 };
    let step = 100.0 / values.len().saturating_sub(1).max(1) as f64;
    let y = |value: f64| 2.0 + 36.0 * (high - value) / span;
    let mut lines: Vec<Vec<(f64, f64)>> = vec![Vec::new()];
    for (at, value) in values.iter().enumerate() {
        match value {
            Some(value) => {
                if let Some(line) = lines.last_mut() {
                    line.push((at as f64 * step, y(*value)));
                }
            }
            None => lines.push(Vec::new()),
        }
    }
    lines.retain(|line| line.len() > 1);
    let points = |line: &[(f64, f64)]| {
        let points: Vec<String> = line.iter().map(|(x, y)| format!("{x:.2},{y:.2}")).collect();
        points.join(" ")
    };
    let base = y(0.0);
    html! {
        @if !lines.is_empty() {
            svg.spark aria-hidden="true" viewBox="0 0 100 40" preserveAspectRatio="none" {
                @for line in &lines {
                    @let (first, last) = (line[0].0, line[line.len() - 1].0);
                    polygon points={ (format!("{first:.2},{base:.2} ")) (points(line)) (format!(" {last:.2},{base:.2}")) } {}
                    polyline points=(points(line)) {}
                }
            }
        }
    }
}

fn percent(value: f64) -> String {
    format!("{value:.3}%")
}

fn px(value: f64) -> String {
    format!("{value:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_the_values_with_round_numbers() {
        for (low, high, expected) in [
            (0.0, 9.3, vec![0.0, 2.5, 5.0, 7.5, 10.0]),
            (0.0, 100.0, vec![0.0, 25.0, 50.0, 75.0, 100.0]),
            (-3.0, 5.0, vec![-4.0, -2.0, 0.0, 2.0, 4.0, 6.0]),
            (0.0, 0.0, vec![0.0, 1.0]),
            (0.0, f64::INFINITY, vec![0.0, 1.0]),
            (f64::NAN, 4.0, vec![0.0, 1.0, 2.0, 3.0, 4.0]),
        ] {
            assert_eq!(ticks(low, high), expected, "{low} to {high}");
        }
    }

    #[test]
    fn labels_ticks_shortly_and_truly() {
        for (value, step, largest, label) in [
            (0.0, 2.5, 10.0, "0"),
            (2.5, 2.5, 10.0, "2.5"),
            (5.0, 2.5, 10.0, "5"),
            (1200.0, 200.0, 1200.0, "1,200"),
            (45_000.0, 5_000.0, 50_000.0, "45k"),
            (5_000.0, 5_000.0, 15_000.0, "5k"),
            (12_500.0, 2_500.0, 15_000.0, "12.5k"),
            (1_500_000.0, 500_000.0, 2_000_000.0, "1.5M"),
            (0.00025, 0.00005, 0.0003, "0.00025"),
            (-4.0, 2.0, 6.0, "\u{2212}4"),
            (1e20, 1e20, 2e20, "1e20"),
        ] {
            assert_eq!(tick_label(value, step, largest), label, "{value}");
        }
    }

    #[test]
    fn gives_a_small_credit_no_more_room_than_it_needs() {
        let scale = Scale::of(-3.0, 100.0);
        assert_eq!(scale.ticks, [0.0, 50.0, 100.0]);
        assert!((-7.0..-3.0).contains(&scale.low));
        assert!(scale.y(-3.0) < TOP + HEIGHT);
    }

    #[test]
    fn lays_credits_below_the_axis() {
        let layers = [(3.0, "a"), (-1.0, "b"), (2.0, "c"), (0.0, "d"), (-2.0, "e")];
        assert_eq!(
            laid(&layers),
            [
                (3.0, 0.0, "a"),
                (0.0, -1.0, "b"),
                (5.0, 3.0, "c"),
                (-1.0, -3.0, "e")
            ],
        );
    }

    #[test]
    fn draws_nothing_of_one_day() {
        assert_eq!(sparkline(&[Some(1.0), None, Some(2.0)]).into_string(), "");
        assert!(
            sparkline(&[Some(1.0), Some(2.0)])
                .into_string()
                .contains("polyline")
        );
    }
}
