//! The list and the prices as a picture that reads in the light and in the dark.

use std::fmt::{self, Write as _};

use bursar_examples::escaped;
use bursar_pricing::Bound;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use crate::cases::{Case, Offer};
use crate::costs::KINDS;
use crate::figures::{Bar, amount, bars, end_of_scale, held, percent, verdict};

const WIDTH: f64 = 1_080.0;
const MARGIN: f64 = 24.0;
/// A panel has a waterfall: names, bars and amounts side by side.
const PANEL_TOP: f64 = 122.0;
const PANEL_GAP: f64 = 36.0;
const NAMES: f64 = 88.0;
const AMOUNTS: f64 = 70.0;
const BAR_ROW: f64 = 25.0;
const ROW: f64 = 19.0;

const STYLE: &str = "\
svg{background:#fff;font:12px system-ui,sans-serif}\
text{fill:#333}.title{font-size:17px;font-weight:600}.head{font-size:13px;font-weight:600}\
.quiet{fill:#777}.number{text-anchor:end;font-variant-numeric:tabular-nums}\
.middle{text-anchor:middle}.small{font-size:11px}\
.axis{stroke:#888}.rule{stroke:#e4e4e4}.link{stroke:#aaa;stroke-dasharray:2 2}\
.bounds{fill:#2a9d8f;fill-opacity:.13}.bound{stroke:#2a9d8f;stroke-dasharray:5 3}.bound-name{fill:#1d7a6f}\
.cost{fill:#8a94a3}.up{fill:#4a8fd0}.down{fill:#e08a00}.price{fill:#24476b}.exposed{fill:#d62828}\
.held{fill:#b06a00}.warning{fill:#d62828}\
@media(prefers-color-scheme:dark){svg{background:#16181c}text{fill:#ddd}.quiet{fill:#999}\
.rule{stroke:#2d3138}.price{fill:#a9d1ff}.bound-name{fill:#5cc9bb}.held{fill:#ffb347}\
.warning,.exposed{fill:#ff6b6b}}";

/// A whole SVG file.
pub(crate) fn document(offer: &Offer) -> String {
    let mut svg = String::new();
    write(&mut svg, offer).expect("a string takes everything that is written");
    svg
}

fn write(svg: &mut String, offer: &Offer) -> fmt::Result {
    let n_bars = offer.cases.iter().map(|case| bars(&case.price).len()).max();
    let bottom = PANEL_TOP + BAR_ROW * n_bars.unwrap_or(0) as f64;
    let table = bottom + 112.0;
    let height = table + ROW * (offer.models.len() * KINDS.len()) as f64 + 40.0;
    let (day, supply) = (offer.from.strftime("%Y-%m-%d"), offer.supply);
    let source = escaped(&offer.source);
    writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n\
         <title>From cost to price, and the price list from {day} on</title>\n<style>{STYLE}</style>\n\
         <text class=\"title\" x=\"{MARGIN}\" y=\"30\">From cost to price: USD per million tokens</text>"
    )?;
    let n_panels = offer.cases.len() as f64;
    let width = (WIDTH - 2.0 * MARGIN - PANEL_GAP * (n_panels - 1.0)) / n_panels;
    let mut left = MARGIN;
    for case in &offer.cases {
        let bars = bars(&case.price);
        Panel {
            case,
            bars,
            left,
            width,
            bottom,
        }
        .write(svg)?;
        left += width + PANEL_GAP;
    }
    writeln!(
        svg,
        "<text class=\"title\" x=\"{MARGIN}\" y=\"{0}\">Price list from {day} on, {supply} supply</text>\
         <text class=\"quiet\" x=\"{1}\" y=\"{0}\" text-anchor=\"end\">costs: {source}</text>",
        table - 24.0,
        WIDTH - MARGIN
    )?;
    write_table(svg, offer, table)?;
    writeln!(svg, "</svg>")
}

/// The waterfall of one price, from the left to the right.
struct Panel<'a> {
    case: &'a Case,
    bars: Vec<Bar>,
    left: f64,
    width: f64,
    bottom: f64,
}

impl Panel<'_> {
    fn write(&self, svg: &mut String) -> fmt::Result {
        self.write_words(svg)?;
        self.write_bounds(svg)?;
        let mut top = PANEL_TOP;
        for bar in &self.bars {
            self.write_bar(svg, bar, top)?;
            top += BAR_ROW;
        }
        Ok(())
    }

    fn write_words(&self, svg: &mut String) -> fmt::Result {
        let Self {
            case, left, bottom, ..
        } = self;
        let Case {
            title,
            tier,
            model,
            kind,
            supply,
            price,
            ..
        } = case;
        let verdict = verdict(case);
        let class = if price.exposure().is_some() {
            "head warning"
        } else {
            "head"
        };
        let (first, second) = verdict.split_once(": ").unwrap_or((&verdict, ""));
        writeln!(
            svg,
            "<text class=\"head\" x=\"{left}\" y=\"56\">{title}</text>\
             <text class=\"quiet\" x=\"{left}\" y=\"72\">{model}, {kind}, {tier}, {supply} supply</text>\
             <text class=\"{class}\" x=\"{left}\" y=\"{}\">{first}</text>\
             <text x=\"{left}\" y=\"{}\">{second}</text>",
            bottom + 24.0,
            bottom + 40.0
        )
    }

    /// What the bounds allow, behind the bars.
    fn write_bounds(&self, svg: &mut String) -> fmt::Result {
        let bounds = &self.case.bounds;
        let (least, most) = (self.x(bounds.least.amount()), self.x(bounds.most.amount()));
        let (top, bottom) = (PANEL_TOP - 6.0, self.bottom);
        writeln!(
            svg,
            "<rect class=\"bounds\" x=\"{least:.1}\" y=\"{top}\" width=\"{:.1}\" height=\"{}\"/>",
            most - least,
            bottom - top
        )?;
        for (x, name, money) in [
            (least, "floor", bounds.least),
            (most, "ceiling", bounds.most),
        ] {
            writeln!(
                svg,
                "<line class=\"bound\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{top}\" y2=\"{bottom}\"/>\
                 <text class=\"small middle bound-name\" x=\"{x:.1}\" y=\"{}\">{name}</text>\
                 <text class=\"small middle bound-name\" x=\"{x:.1}\" y=\"{}\">{}</text>",
                top - 17.0,
                top - 4.0,
                short(money.amount())
            )?;
        }
        Ok(())
    }

    fn write_bar(&self, svg: &mut String, bar: &Bar, top: f64) -> fmt::Result {
        let is_exposed = self.case.price.exposure().is_some();
        let class = match bar.sign {
            ' ' => "cost",
            '+' => "up",
            '=' if is_exposed => "exposed",
            '=' => "price",
            _ => "down",
        };
        let (from, to) = (self.x(bar.from), self.x(bar.to));
        let (x, width) = (from.min(to), (from - to).abs().max(1.5));
        let (sign, label, money) = (bar.sign, bar.label, amount(bar.amount, 2));
        let (value, baseline) = (self.value(bar), top + 13.0);
        let weight = if matches!(sign, ' ' | '=') {
            "head"
        } else {
            ""
        };
        writeln!(
            svg,
            "<text class=\"{weight}\" x=\"{}\" y=\"{baseline}\">{label}</text>\
             <rect class=\"{class}\" x=\"{x:.1}\" y=\"{top}\" width=\"{width:.1}\" height=\"17\">\
             <title>{label}: {money}</title></rect>\
             <line class=\"link\" x1=\"{to:.1}\" x2=\"{to:.1}\" y1=\"{}\" y2=\"{}\"/>\
             <text class=\"number {weight}\" x=\"{:.1}\" y=\"{baseline}\">{value}</text>",
            self.left,
            top + 17.0,
            top + if sign == '=' { 17.0 } else { BAR_ROW },
            self.left + self.width
        )
    }

    /// The amount of a bar in digits that a reader takes in; all of them are in its title.
    fn value(&self, bar: &Bar) -> String {
        let amount = bar.amount.amount().abs();
        let price = self.case.price.price().amount();
        let is_negligible = amount
            .checked_mul(Decimal::ONE_THOUSAND.saturating_mul(Decimal::ONE_HUNDRED))
            .is_some_and(|amount| amount < price);
        match bar.sign {
            '+' | '−' if is_negligible => "≈ 0".to_owned(),
            '+' | '−' => format!("{} {}", bar.sign, short(amount)),
            _ => short(amount),
        }
    }

    /// The place of an amount on the scale of bars.
    fn x(&self, amount: Decimal) -> f64 {
        let part = amount.checked_div(end_of_scale(self.case));
        let part = part.and_then(|part| part.to_f64()).unwrap_or(0.0);
        // Half the name of the ceiling stands to the right of it.
        self.left + NAMES + part * (self.width - NAMES - AMOUNTS - 14.0)
    }
}

/// Four digits that count, and two places at least.
fn short(amount: Decimal) -> String {
    let mut rounded = amount.round_sf(4).unwrap_or(amount).normalize();
    rounded.rescale(rounded.scale().max(2));
    rounded.to_string()
}

/// Where the columns of the table end, and how far from there the prices beside their margins do.
const COLUMNS: [f64; 4] = [340.0, 570.0, 800.0, 1_030.0];
const BESIDE: f64 = 62.0;

fn write_table(svg: &mut String, offer: &Offer, top: f64) -> fmt::Result {
    let heads = offer.lists.iter().map(|list| list.tier().as_str());
    for (x, head) in COLUMNS.into_iter().zip(["cost"].into_iter().chain(heads)) {
        let x = x - if head == "cost" { 0.0 } else { BESIDE };
        writeln!(
            svg,
            "<text class=\"head number\" x=\"{x}\" y=\"{top}\">{head}</text>"
        )?;
    }
    let mut y = top + ROW;
    for model in &offer.models {
        writeln!(
            svg,
            "<line class=\"rule\" x1=\"{MARGIN}\" x2=\"{}\" y1=\"{:.1}\" y2=\"{1:.1}\"/>\
             <text class=\"head\" x=\"{MARGIN}\" y=\"{y}\">{model}</text>",
            WIDTH - MARGIN,
            y - 14.0
        )?;
        for kind in KINDS {
            let entries = offer
                .lists
                .iter()
                .filter_map(|list| list.entry(model, kind).ok());
            let prices: Vec<_> = entries.filter_map(|entry| entry.prices().first()).collect();
            let Some(first) = prices.first() else {
                continue;
            };
            let [cost, tiers @ ..] = COLUMNS;
            writeln!(
                svg,
                "<text x=\"170\" y=\"{y}\">{kind}</text>\
                 <text class=\"number\" x=\"{cost}\" y=\"{y}\">{}</text>",
                amount(first.cost(), 2)
            )?;
            for (x, price) in tiers.into_iter().zip(prices) {
                let (class, mark) = match held(price) {
                    Some(Bound::Floor) => ("number held", "↑"),
                    Some(Bound::Ceiling) => ("number held", "↓"),
                    None => ("number quiet", ""),
                };
                writeln!(
                    svg,
                    "<text class=\"number\" x=\"{}\" y=\"{y}\">{}</text>\
                     <text class=\"{class}\" x=\"{x}\" y=\"{y}\">{mark}{}</text>",
                    x - BESIDE,
                    amount(price.price(), 6),
                    percent(price.margin())
                )?;
            }
            y += ROW;
        }
    }
    writeln!(
        svg,
        "<text class=\"quiet\" x=\"{MARGIN}\" y=\"{}\">Beside each price its margin. ↑ raised to the \
         floor of the margin, ↓ lowered to its ceiling.</text>",
        y + 8.0
    )
}
