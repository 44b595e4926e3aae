//! The p99 against the instances, as a picture that reads in the light and in the dark.

use std::fmt::{self, Write as _};

use bursar_examples::escaped;

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 420.0;
/// The area of the lines within the picture.
const LEFT: f64 = 76.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 76.0;
const BOTTOM: f64 = 48.0;

const STYLE: &str = "\
svg{background:#fff;font:12px system-ui,sans-serif}\
text{fill:#333}.title{font-size:16px;font-weight:600}.end{text-anchor:end}.middle{text-anchor:middle}\
.grid{stroke:#e4e4e4}.axis{stroke:#888}.target{stroke:#d62828;stroke-dasharray:6 4}\
polyline{fill:none;stroke-width:1.8}polyline.l0{stroke-width:2.6}\
polyline.l0{stroke:#24476b}polyline.l1{stroke:#e08a00}polyline.l2{stroke:#2a9d8f}\
polyline.l3{stroke:#9467bd}polyline.l4{stroke:#8c564b}\
circle.l0{fill:#24476b}circle.l1{fill:#e08a00}circle.l2{fill:#2a9d8f}\
circle.l3{fill:#9467bd}circle.l4{fill:#8c564b}\
@media(prefers-color-scheme:dark){svg{background:#16181c}text{fill:#ddd}.grid{stroke:#2d3138}\
polyline.l0{stroke:#a9d1ff}circle.l0{fill:#a9d1ff}polyline.l1{stroke:#ffb347}circle.l1{fill:#ffb347}\
polyline.l4{stroke:#c49c94}circle.l4{fill:#c49c94}\
.target{stroke:#ff6b6b}}";

/// A picture; both axes are logarithmic.
pub(crate) struct Chart {
    pub(crate) title: String,
    pub(crate) lines: Vec<Line>,
    pub(crate) target_seconds: Option<f64>,
    /// Points with words beside them.
    pub(crate) marks: Vec<((u32, f64), String)>,
}

/// The p99 in seconds by instances.
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) points: Vec<(u32, f64)>,
}

impl Chart {
    /// A whole SVG file.
    pub(crate) fn to_svg(&self) -> String {
        let mut svg = String::new();
        self.write(&mut svg)
            .expect("a string takes everything that is written");
        svg
    }

    fn write(&self, svg: &mut String) -> fmt::Result {
        let title = escaped(&self.title);
        writeln!(
            svg,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">\n\
             <title>{title}</title>\n<style>{STYLE}</style>\n\
             <text class=\"title\" x=\"{LEFT}\" y=\"26\">{title}</text>"
        )?;
        self.write_legend(svg)?;
        if let Some(plane) = self.plane() {
            plane.write_axes(svg)?;
            self.write_target(svg, &plane)?;
            self.write_lines(svg, &plane)?;
        }
        writeln!(svg, "</svg>")
    }

    fn plane(&self) -> Option<Plane> {
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let seconds = || points().map(|point| point.1).chain(self.target_seconds);
        let low = seconds().fold(f64::INFINITY, f64::min);
        let high = seconds().fold(0.0, f64::max);
        let least = points().map(|point| point.0).min()?;
        let most = points().map(|point| point.0).max()?;
        Some(Plane {
            x: Scale::new(f64::from(least), f64::from(most), LEFT, WIDTH - RIGHT),
            y: Scale::new(low, high, HEIGHT - BOTTOM, TOP),
        })
    }

    fn write_legend(&self, svg: &mut String) -> fmt::Result {
        let mut x = LEFT;
        for (at, line) in self.lines.iter().enumerate() {
            let name = escaped(&line.name);
            writeln!(
                svg,
                "<circle class=\"l{}\" cx=\"{:.0}\" cy=\"46\" r=\"4\"/><text x=\"{:.0}\" y=\"50\">{name}</text>",
                at % 5,
                x + 4.0,
                x + 14.0
            )?;
            x += 34.0 + 7.0 * line.name.chars().count() as f64;
        }
        Ok(())
    }

    fn write_target(&self, svg: &mut String, plane: &Plane) -> fmt::Result {
        let Some(target) = self.target_seconds else {
            return Ok(());
        };
        let y = plane.y.at(target);
        writeln!(
            svg,
            "<line class=\"target\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text class=\"end\" x=\"{}\" y=\"{:.1}\">target {}</text>",
            WIDTH - RIGHT,
            WIDTH - RIGHT,
            y - 5.0,
            shown(target)
        )
    }

    fn write_lines(&self, svg: &mut String, plane: &Plane) -> fmt::Result {
        for (at, line) in self.lines.iter().enumerate().rev() {
            let class = at % 5;
            let place =
                |(n, seconds): &(u32, f64)| (plane.x.at(f64::from(*n)), plane.y.at(*seconds));
            let places: Vec<(f64, f64)> = line.points.iter().map(place).collect();
            let joined: Vec<String> = places
                .iter()
                .map(|(x, y)| format!("{x:.1},{y:.1}"))
                .collect();
            writeln!(
                svg,
                "<polyline class=\"l{class}\" points=\"{}\"/>",
                joined.join(" ")
            )?;
            for ((x, y), (n, seconds)) in places.iter().zip(&line.points) {
                writeln!(
                    svg,
                    "<circle class=\"l{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.5\"><title>{}: {n}, {}</title></circle>",
                    escaped(&line.name),
                    shown(*seconds)
                )?;
            }
        }
        for ((n, seconds), words) in &self.marks {
            let (x, y) = (plane.x.at(f64::from(*n)), plane.y.at(*seconds));
            let class = if x > WIDTH / 2.0 {
                " class=\"end\""
            } else {
                ""
            };
            writeln!(
                svg,
                "<text{class} x=\"{x:.1}\" y=\"{:.1}\">{}</text>",
                y - 9.0,
                escaped(words)
            )?;
        }
        Ok(())
    }
}

struct Plane {
    x: Scale,
    y: Scale,
}

impl Plane {
    fn write_axes(&self, svg: &mut String) -> fmt::Result {
        for value in self.y.ticks() {
            let y = self.y.at(value);
            writeln!(
                svg,
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
                 <text class=\"end\" x=\"{}\" y=\"{:.1}\">{}</text>",
                WIDTH - RIGHT,
                LEFT - 8.0,
                y + 4.0,
                shown(value)
            )?;
        }
        for value in self.x.ticks() {
            let x = self.x.at(value);
            writeln!(
                svg,
                "<text class=\"middle\" x=\"{x:.1}\" y=\"{}\">{value}</text>",
                HEIGHT - BOTTOM + 18.0
            )?;
        }
        writeln!(
            svg,
            "<line class=\"axis\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{1}\" y2=\"{1}\"/>\
             <text class=\"middle\" x=\"{2}\" y=\"{3}\">instances</text>",
            WIDTH - RIGHT,
            HEIGHT - BOTTOM,
            f64::midpoint(LEFT, WIDTH - RIGHT),
            HEIGHT - 10.0
        )
    }
}

/// Values to places, by their logarithm.
struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Scale {
    fn new(low: f64, high: f64, from: f64, to: f64) -> Self {
        // A single value is drawn in the middle.
        let (low, high) = if high > low {
            (low, high)
        } else {
            (low / 2.0, low * 2.0)
        };
        Self {
            low,
            high,
            from,
            to,
        }
    }

    fn at(&self, value: f64) -> f64 {
        let share = (value / self.low).ln() / (self.high / self.low).ln();
        self.from + share * (self.to - self.from)
    }

    /// 1, 2 and 5 times powers of ten.
    fn ticks(&self) -> Vec<f64> {
        let first = self.low.log10().floor() as i32;
        let last = self.high.log10().ceil() as i32;
        let powers = (first..=last).map(|power| 10_f64.powi(power));
        let ticks = powers.flat_map(|power| [power, 2.0 * power, 5.0 * power]);
        ticks
            .filter(|tick| (self.low..=self.high).contains(tick))
            .collect()
    }
}

/// `46.1 ms` or `2.30 s`.
fn shown(seconds: f64) -> String {
    if seconds < 1.0 {
        format!("{:.1} ms", 1_000.0 * seconds)
    } else {
        format!("{seconds:.2} s")
    }
}
