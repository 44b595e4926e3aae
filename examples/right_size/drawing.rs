//! Cost against risk, as a picture that reads in the light and in the dark.

use std::fmt::{self, Write as _};

use bursar_cost_model::fit::Candidate;
use rust_decimal::prelude::ToPrimitive;

use crate::report::Report;

const WIDTH: f64 = 1_000.0;
const HEIGHT: f64 = 460.0;
const LEFT: f64 = 76.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 60.0;
const BOTTOM: f64 = 50.0;

/// The axis of risk is logarithmic from here; what is below, zero included, stands at its foot.
const LEAST: f64 = 0.0001;

/// Machines that cost more than this many times the best one are not drawn.
const DEAREST: f64 = 6.0;

const STYLE: &str = "\
svg{background:#fff;font:12px system-ui,sans-serif}\
text{fill:#333}.title{font-size:15px;font-weight:600}.best{font-weight:600}\
.grid{stroke:#e4e4e4}.axis{stroke:#888}\
.other{fill:#888;fill-opacity:.45}.front{fill:none;stroke:#1f77b4;stroke-width:1.6}\
.on{fill:#1f77b4}.chosen{fill:#2a9d8f}.present{fill:#d62828}\
.budget{stroke:#e08a00;stroke-width:1.6;stroke-dasharray:6 4}\
@media(prefers-color-scheme:dark){svg{background:#16181c}text{fill:#ddd}.grid{stroke:#2d3138}\
.front{stroke:#6cb6ff}.on{fill:#6cb6ff}.chosen{fill:#5fd3c4}.present{fill:#ff6b6b}\
.budget{stroke:#ffb347}}";

/// Cost and risk of a machine.
struct Point<'a> {
    name: &'a str,
    cost: f64,
    risk: f64,
}

impl<'a> Point<'a> {
    fn of(candidate: &'a Candidate) -> Option<Point<'a>> {
        Some(Point {
            name: &candidate.instance,
            cost: candidate.monthly.total.amount().to_f64()?,
            risk: candidate.risk.as_ref()?.at_most,
        })
    }
}

/// Places of points.
struct Plane {
    lowest: f64,
    highest: f64,
}

impl Plane {
    fn x(&self, cost: f64) -> f64 {
        let part = (cost - self.lowest) / (self.highest - self.lowest).max(1e-9);
        LEFT + part.clamp(0.0, 1.0) * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, risk: f64) -> f64 {
        let part = (risk.clamp(LEAST, 1.0) / LEAST).log10() / (1.0 / LEAST).log10();
        HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM)
    }
}

/// A whole SVG file; `None` of an answer that knows no risk.
pub(crate) fn document(report: &Report<'_>) -> Option<String> {
    let answer = report.answer;
    let front: Vec<Point<'_>> = answer.pareto.iter().filter_map(Point::of).collect();
    let ranked: Vec<Point<'_>> = answer.ranked.iter().filter_map(Point::of).collect();
    let present = answer.present.as_ref().and_then(Point::of);
    let best = ranked.first()?;
    let all = || front.iter().chain(&ranked).chain(&present);
    let most = DEAREST * best.cost;
    let within = |cost: f64| cost <= most;
    let plane = Plane {
        lowest: 0.0,
        highest: all()
            .map(|it| it.cost)
            .filter(|it| within(*it))
            .fold(best.cost, f64::max),
    };
    let mut svg = String::new();
    let drawn = write_head(&mut svg, report, &plane)
        .and_then(|()| write_others(&mut svg, &plane, &ranked, most))
        .and_then(|()| write_front(&mut svg, &plane, &front, most))
        .and_then(|()| write_marks(&mut svg, &plane, best, present.as_ref()))
        .and_then(|()| writeln!(svg, "</svg>"));
    drawn.ok().map(|()| svg)
}

fn write_head(svg: &mut String, report: &Report<'_>, plane: &Plane) -> fmt::Result {
    let title = "What a machine costs, and how often it would be too small";
    writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n\
         <text class=\"title\" x=\"{LEFT}\" y=\"24\">{title}</text>"
    )?;
    let marks = [
        (0, "chosen", "the choice"),
        (110, "present", "the present machine"),
        (260, "on", "nothing is cheaper and safer"),
        (490, "other", "holds the workload too"),
    ];
    for (x, class, text) in marks {
        let x = LEFT + f64::from(x);
        writeln!(
            svg,
            "<circle class=\"{class}\" cx=\"{:.0}\" cy=\"42\" r=\"4\"/><text x=\"{:.0}\" y=\"46\">{text}</text>",
            x + 4.0,
            x + 14.0
        )?;
    }
    let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
    for (risk, label) in [
        (LEAST, "0"),
        (0.001, "0.1 %"),
        (0.01, "1 %"),
        (0.1, "10 %"),
        (1.0, "100 %"),
    ] {
        let y = plane.y(risk);
        writeln!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
            LEFT - 8.0,
            y + 4.0
        )?;
    }
    for tick in 0..=4 {
        let cost = plane.highest * f64::from(tick) / 4.0;
        let x = plane.x(cost);
        let anchor = if tick == 4 { "end" } else { "middle" };
        writeln!(
            svg,
            "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{cost:.0} USD a month</text>",
            bottom + 22.0
        )?;
    }
    let budget = plane.y(report.workload.tolerance().budget());
    writeln!(
        svg,
        "<line class=\"budget\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{budget:.1}\" y2=\"{budget:.1}\"/>\
         <text x=\"{right}\" y=\"{:.1}\" text-anchor=\"end\">tolerated</text>",
        budget - 6.0
    )
}

fn write_others(svg: &mut String, plane: &Plane, ranked: &[Point<'_>], most: f64) -> fmt::Result {
    for point in ranked.iter().filter(|it| it.cost <= most) {
        let (x, y, name) = (plane.x(point.cost), plane.y(point.risk), point.name);
        writeln!(
            svg,
            "<circle class=\"other\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"><title>{name}</title></circle>"
        )?;
    }
    Ok(())
}

/// Steps: with more money, the risk stays until the next machine can be had.
fn write_front(svg: &mut String, plane: &Plane, front: &[Point<'_>], most: f64) -> fmt::Result {
    let mut steps = String::new();
    for point in front.iter().filter(|it| it.cost <= most) {
        let (x, y) = (plane.x(point.cost), plane.y(point.risk));
        match steps.is_empty() {
            true => write!(steps, "M{x:.1} {y:.1}")?,
            false => write!(steps, "H{x:.1}V{y:.1}")?,
        }
        let name = point.name;
        writeln!(
            svg,
            "<circle class=\"on\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"><title>{name}</title></circle>"
        )?;
    }
    if steps.is_empty() {
        return Ok(());
    }
    writeln!(svg, "<path class=\"front\" d=\"{steps}\"/>")
}

fn write_marks(
    svg: &mut String,
    plane: &Plane,
    best: &Point<'_>,
    present: Option<&Point<'_>>,
) -> fmt::Result {
    let present = present.map(|it| ("present", it));
    for (class, point) in present.into_iter().chain([("chosen", best)]) {
        let (x, y, name) = (plane.x(point.cost), plane.y(point.risk), point.name);
        let near_end = x > WIDTH - RIGHT - 120.0;
        let (anchor, shift) = if near_end {
            ("end", -9.0)
        } else {
            ("start", 9.0)
        };
        writeln!(
            svg,
            "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"6\"/>\
             <text class=\"best\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{name}</text>",
            x + shift,
            y - 8.0
        )?;
    }
    Ok(())
}
