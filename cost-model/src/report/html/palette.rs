//! Which colors does the page have, on white and on black?
//!
//! The hues are those of M. Okabe and K. Ito's palette for readers who do not tell red from
//! green, darkened for light and lightened for dark ground until each has the contrast of 3 : 1
//! that WCAG 2.2 asks of graphics (1.4.11), and letters 4.5 : 1 (1.4.3). Neighbors also differ in
//! lightness, and every color has its name beside it.

use super::super::days::STACKED;

/// The name of a color, and its value in light and in dark.
type Color = (&'static str, &'static str, &'static str);

/// What charts and letters stand on.
const SURFACE: Color = ("surface", "#ffffff", "#1a1d23");

/// Fills of charts.
const FILLS: [Color; 9] = [
    ("c0", "#868e9c", "#7a8494"),
    ("c1", "#0b5fa5", "#5aa9f0"),
    ("c2", "#d55e00", "#ff8f45"),
    ("c3", "#00876a", "#2cc09b"),
    ("c4", "#b0559a", "#df95c8"),
    ("c5", "#2e3460", "#c3c7f7"),
    ("more", "#c2570c", "#ff8f45"),
    ("less", "#0b5fa5", "#5aa9f0"),
    ("mark", "#b3261e", "#ff8a80"),
];

/// Letters.
const LETTERS: [Color; 5] = [
    ("ink", "#191c22", "#eceef2"),
    ("muted", "#5b6370", "#a3abb8"),
    ("good", "#0a6b4b", "#4fd1a5"),
    ("warning", "#8a4b00", "#ffb86b"),
    ("bad", "#b3261e", "#ff8a80"),
];

/// Grounds and rules, which carry no meaning.
const GROUNDS: [Color; 5] = [
    ("page", "#f4f5f7", "#111318"),
    ("line", "#e2e5ea", "#2c313a"),
    ("grid", "#e8eaee", "#2a2f38"),
    ("axis", "#9aa2af", "#697384"),
    ("gap", "#eef0f3", "#262b33"),
];

/// The class of a layer: the first services have a color each, the others share one.
pub(crate) fn class(layer: usize, series: usize) -> &'static str {
    const CLASSES: [&str; STACKED] = ["c1", "c2", "c3", "c4", "c5"];
    match CLASSES.get(layer) {
        Some(class) if layer < series => class,
        _ => "c0",
    }
}

/// The colors as variables, light by default and dark where the reader's system is, on screens:
/// paper is white.
pub(crate) fn style_sheet() -> String {
    let light = variables(|(name, light, _)| (name, light));
    let dark = variables(|(name, _, dark)| (name, dark));
    format!(":root{{{light}}}\n@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n")
}

fn variables(of: impl Fn(Color) -> (&'static str, &'static str)) -> String {
    let all = [SURFACE]
        .into_iter()
        .chain(FILLS)
        .chain(LETTERS)
        .chain(GROUNDS);
    all.map(of)
        .map(|(name, value)| format!("--{name}:{value};"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The relative luminance of WCAG 2.2.
    fn luminance(color: &str) -> f64 {
        let channel = |at: usize| {
            let value = u8::from_str_radix(&color[at..at + 2], 16).unwrap();
            let value = f64::from(value) / 255.0;
            if value <= 0.04045 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    }

    fn contrast(a: &str, b: &str) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn fills_and_letters_stand_out_in_light_and_in_dark() {
        for (colors, least) in [(&FILLS[..], 3.0), (&LETTERS[..], 4.5)] {
            for (name, light, dark) in colors {
                for (color, ground) in [(light, SURFACE.1), (dark, SURFACE.2)] {
                    let contrast = contrast(color, ground);
                    assert!(
                        contrast >= least,
                        "{name}: {color} on {ground}: {contrast:.2}"
                    );
                }
            }
        }
        for (name, light, dark) in LETTERS {
            let (page_light, page_dark) = (GROUNDS[0].1, GROUNDS[0].2);
            assert!(contrast(light, page_light) >= 4.5, "{name}");
            assert!(contrast(dark, page_dark) >= 4.5, "{name}");
        }
    }
}
