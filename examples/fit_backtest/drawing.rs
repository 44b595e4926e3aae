//! Promised against realised, as a picture that reads in the light and in the dark.

use std::fmt::{self, Write as _};

use crate::judge::Outcome;
use crate::report::{RuleSummary, percent, summaries};

const WIDTH: f64 = 1_000.0;
const ROW: f64 = 74.0;
const LEFT: f64 = 170.0;
const RIGHT: f64 = 190.0;
const TOP: f64 = 74.0;
const BOTTOM: f64 = 46.0;

/// The axis is logarithmic from here; what is below, zero included, stands at its left end.
const LEAST: f64 = 0.0001;

const STYLE: &str = "\
svg{background:#fff;font:12px system-ui,sans-serif}\
text{fill:#333}.title{font-size:15px;font-weight:600}.rule{font-weight:600}\
.axis{stroke:#888}.grid{stroke:#e4e4e4}\
.kept{fill:#1f77b4;fill-opacity:.45}.broken{fill:#d62828;fill-opacity:.6}\
.promise{stroke:#e08a00;stroke-width:3}\
@media(prefers-color-scheme:dark){svg{background:#16181c}text{fill:#ddd}.grid{stroke:#2d3138}\
.kept{fill:#6cb6ff}.broken{fill:#ff6b6b}.promise{stroke:#ffb347}}";

/// A whole SVG file.
pub(crate) fn document(outcome: &Outcome) -> String {
    let mut svg = String::new();
    write(&mut svg, outcome).expect("a string takes everything that is written");
    svg
}

fn write(svg: &mut String, outcome: &Outcome) -> fmt::Result {
    let machines: Vec<_> = outcome.machines.iter().collect();
    let rules = summaries(outcome, &machines);
    let height = TOP + ROW * rules.len() as f64 + BOTTOM;
    let title = format!(
        "Share of time in which the chosen machine was too small: {} machines",
        machines.len()
    );
    writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n\
         <text class=\"title\" x=\"16\" y=\"24\">{title}</text>\n\
         <text x=\"16\" y=\"46\">One dot is one machine: blue within the promise of the rule (bar), red beyond it.</text>"
    )?;
    write_axis(svg, height)?;
    for (row, rule) in rules.iter().enumerate() {
        write_rule(svg, rule, TOP + ROW * row as f64)?;
    }
    writeln!(svg, "</svg>")
}

fn x(share: f64) -> f64 {
    let part = (share.clamp(LEAST, 1.0) / LEAST).log10() / (1.0 / LEAST).log10();
    LEFT + part * (WIDTH - LEFT - RIGHT)
}

fn write_axis(svg: &mut String, height: f64) -> fmt::Result {
    let bottom = height - BOTTOM;
    let ticks = [
        (LEAST, "0"),
        (0.001, "0.1 %"),
        (0.01, "1 %"),
        (0.1, "10 %"),
        (1.0, "100 %"),
    ];
    for (share, label) in ticks {
        let (x, below) = (x(share), bottom + 20.0);
        writeln!(
            svg,
            "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{bottom}\"/>\
             <text x=\"{x:.1}\" y=\"{below}\" text-anchor=\"middle\">{label}</text>"
        )?;
    }
    Ok(())
}

fn write_rule(svg: &mut String, rule: &RuleSummary, top: f64) -> fmt::Result {
    let (middle, right) = (top + ROW / 2.0, WIDTH - RIGHT + 16.0);
    let (name, kept) = (rule.rule.name(), percent(rule.kept));
    let cost = rule.monthly.amount().round();
    writeln!(
        svg,
        "<text class=\"rule\" x=\"16\" y=\"{:.1}\">{name}</text>\
         <text x=\"16\" y=\"{:.1}\">promises {}</text>\
         <text x=\"{right}\" y=\"{:.1}\">kept by {kept}</text>\
         <text x=\"{right}\" y=\"{:.1}\">{cost} USD a month</text>",
        middle - 4.0,
        middle + 14.0,
        percent(rule.promised),
        middle - 4.0,
        middle + 14.0,
    )?;
    for (place, breach) in rule.breaches.iter().enumerate() {
        let class = if *breach <= rule.promised {
            "kept"
        } else {
            "broken"
        };
        // Spread over the row by the golden ratio, so that dots at one place can be counted.
        let spread = (place as f64 * 0.618_034).fract() - 0.5;
        let y = middle + spread * (ROW - 18.0);
        writeln!(
            svg,
            "<circle class=\"{class}\" cx=\"{:.1}\" cy=\"{y:.1}\" r=\"2.5\"/>",
            x(*breach)
        )?;
    }
    let promise = x(rule.promised);
    writeln!(
        svg,
        "<line class=\"promise\" x1=\"{promise:.1}\" x2=\"{promise:.1}\" y1=\"{:.1}\" y2=\"{:.1}\"/>",
        top + 4.0,
        top + ROW - 4.0
    )
}
