//! The spend of each day by model and the savings, as a picture that reads in the light and in the dark.

use std::fmt::{self, Write as _};

use bursar_examples::escaped;
use bursar_units::Money;
use rust_decimal::prelude::ToPrimitive as _;

use crate::Report;
use crate::page::dollars;

const WIDTH: f64 = 1_000.0;
const MARGIN: f64 = 24.0;
const CHART_TOP: f64 = 84.0;
const CHART_HEIGHT: f64 = 220.0;
const STEPS_TOP: f64 = 372.0;
const STEP: f64 = 30.0;
/// Where the bars of the savings begin, with names before and amounts behind.
const NAMES: f64 = 150.0;
const AMOUNTS: f64 = 190.0;

/// Okabe and Ito's colors, which the color-blind can tell apart too; what is over eight models is gray.
const COLORS: [&str; 8] = [
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#888888",
];

const STYLE: &str = "\
svg{background:#fff;font:12px system-ui,sans-serif}text{fill:#333}\
.title{font-size:17px;font-weight:600}.quiet{fill:#777}.number{text-anchor:end}.middle{text-anchor:middle}\
.cost{fill:#24476b}.saved{fill:#2a9d8f}.axis{stroke:#888}\
@media(prefers-color-scheme:dark){svg{background:#16181c}text{fill:#ddd}.quiet{fill:#999}.cost{fill:#a9d1ff}}";

/// A whole SVG file.
pub(crate) fn document(report: &Report) -> String {
    let mut svg = String::new();
    write(&mut svg, report).expect("a string takes everything that is written");
    svg
}

fn write(svg: &mut String, report: &Report) -> fmt::Result {
    let height = STEPS_TOP + STEP * (report.savings.steps.len() + 2) as f64 + 50.0;
    writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n\
         <title>Cost of language models by day and model, and what would have been saved</title>\n\
         <style>{STYLE}</style>\n\
         <text class=\"title\" x=\"{MARGIN}\" y=\"30\">{} by day and model</text>",
        dollars(report.spend.total)
    )?;
    write_days(svg, report)?;
    write_steps(svg, report)?;
    writeln!(svg, "</svg>")
}

fn write_days(svg: &mut String, report: &Report) -> fmt::Result {
    let days = &report.spend.by_day;
    let models: Vec<&str> = report.spend.by_model.iter().map(|it| &*it.name).collect();
    let mut x = MARGIN;
    for (model, color) in models.iter().zip(colors()) {
        let name = escaped(model);
        writeln!(
            svg,
            "<rect x=\"{x:.0}\" y=\"46\" width=\"10\" height=\"10\" fill=\"{color}\"/>\
             <text x=\"{:.0}\" y=\"55\">{name}</text>",
            x + 14.0
        )?;
        x += 34.0 + 7.0 * model.chars().count() as f64;
    }
    let of_day = |at: usize| days[at].by_model.values().map(number).sum::<f64>();
    let most = (0..days.len())
        .map(of_day)
        .fold(f64::MIN_POSITIVE, f64::max);
    let width = (WIDTH - 2.0 * MARGIN) / days.len().max(1) as f64;
    let bottom = CHART_TOP + CHART_HEIGHT;
    for (at, day) in days.iter().enumerate() {
        let left = MARGIN + width * at as f64;
        let mut top = bottom;
        for (model, color) in models.iter().zip(colors()) {
            let Some(cost) = day.by_model.get(*model) else {
                continue;
            };
            let height = CHART_HEIGHT * number(cost) / most;
            top -= height;
            writeln!(
                svg,
                "<rect x=\"{left:.1}\" y=\"{top:.2}\" width=\"{:.1}\" height=\"{height:.2}\" fill=\"{color}\">\
                 <title>{}, {}: {}</title></rect>",
                width * 0.82,
                day.day,
                escaped(model),
                dollars(*cost)
            )?;
        }
        writeln!(
            svg,
            "<text class=\"quiet middle\" x=\"{:.1}\" y=\"{}\">{}</text>",
            left + width * 0.41,
            bottom + 16.0,
            day.day.day()
        )?;
    }
    writeln!(
        svg,
        "<line class=\"axis\" x1=\"{MARGIN}\" x2=\"{}\" y1=\"{bottom}\" y2=\"{bottom}\"/>\
         <text class=\"quiet\" x=\"{MARGIN}\" y=\"{}\">the dearest day: {most:.2} $</text>",
        WIDTH - MARGIN,
        CHART_TOP - 8.0
    )
}

/// From the cost as it was, step by step, to the cost with everything in place.
fn write_steps(svg: &mut String, report: &Report) -> fmt::Result {
    let savings = &report.savings;
    writeln!(
        svg,
        "<text class=\"title\" x=\"{MARGIN}\" y=\"{}\">What would have been saved at the same quality</text>",
        STEPS_TOP - 16.0
    )?;
    let before = number(&savings.before);
    write_bar(
        svg,
        0,
        "as it was",
        "cost",
        (0.0, before),
        before,
        &dollars(savings.before),
    )?;
    let mut left = before;
    for (at, step) in savings.steps.iter().enumerate() {
        let right = left;
        left -= number(&step.in_turn);
        let value = format!(
            "−{} (alone −{})",
            dollars(step.in_turn),
            dollars(step.alone)
        );
        write_bar(
            svg,
            at + 1,
            step.lever.name(),
            "saved",
            (left, right),
            before,
            &value,
        )?;
    }
    let after = (0.0, number(&savings.after));
    let row = savings.steps.len() + 1;
    write_bar(
        svg,
        row,
        "with all of them",
        "cost",
        after,
        before,
        &dollars(savings.after),
    )
}

fn write_bar(
    svg: &mut String,
    row: usize,
    name: &str,
    class: &str,
    (from, to): (f64, f64),
    whole: f64,
    value: &str,
) -> fmt::Result {
    let scale = (WIDTH - 2.0 * MARGIN - NAMES - AMOUNTS) / whole.max(f64::MIN_POSITIVE);
    let top = STEPS_TOP + STEP * row as f64;
    writeln!(
        svg,
        "<text x=\"{MARGIN}\" y=\"{0:.0}\">{name}</text>\
         <rect class=\"{class}\" x=\"{1:.1}\" y=\"{top:.0}\" width=\"{2:.1}\" height=\"20\"/>\
         <text class=\"number\" x=\"{3}\" y=\"{0:.0}\">{value}</text>",
        top + 14.0,
        MARGIN + NAMES + scale * from,
        (scale * (to - from)).max(1.0),
        WIDTH - MARGIN
    )
}

fn colors() -> impl Iterator<Item = &'static str> {
    let [.., gray] = COLORS;
    COLORS.into_iter().chain(std::iter::repeat(gray))
}

/// For the length of a bar alone.
fn number(money: &Money) -> f64 {
    money.amount().to_f64().unwrap_or(0.0)
}
