//! How is the table of prices read?

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use bursar_units::{Currency, Money, UnitRate};
use foldhash::fast::FixedState;
use jiff::civil::Time;
use rust_decimal::Decimal;

use super::table::{self, CatalogError, CatalogProblem, Row};
use crate::price::{Rate, RateCard};
use crate::price_terms::{DailyWindow, Price, Processing, Source, Validity};
use crate::usage::UsageKind;

/// The prices of models, in the order of the table.
#[derive(Default)]
pub(super) struct ByModel<'a> {
    models: Vec<OfModel<'a>>,
    places: HashMap<(&'a str, &'a str), usize, FixedState>,
}

struct OfModel<'a> {
    provider: &'a str,
    model: &'a str,
    /// `None` once a model has taken them.
    prices: Option<Vec<Price>>,
    /// The first row.
    line: usize,
}

impl<'a> ByModel<'a> {
    /// The prices of a model, once.
    pub(super) fn take(&mut self, provider: &str, model: &str) -> Vec<Price> {
        let place = self.places.get(&(provider, model));
        let of_model = place.and_then(|&place| self.models.get_mut(place));
        of_model.and_then(|it| it.prices.take()).unwrap_or_default()
    }

    /// The first price that no model has taken.
    pub(super) fn first_unknown(&self) -> Option<CatalogError> {
        let first = self.models.iter().find(|it| it.prices.is_some())?;
        Some(CatalogError {
            table: TABLE,
            line: first.line,
            problem: CatalogProblem::UnknownModel {
                model: format!("{} of {}", first.model, first.provider),
            },
        })
    }

    fn add(&mut self, row: &Row<'a>, price: Price) {
        let (provider, model) = (row.cell(0), row.cell(1));
        let new = self.models.len();
        // The prices of a model follow each other as a rule.
        let place = match self.models.last() {
            Some(last) if last.model == model && last.provider == provider => new - 1,
            _ => *self.places.entry((provider, model)).or_insert(new),
        };
        match self.models.get_mut(place) {
            Some(of_model) => of_model.prices.get_or_insert_default().push(price),
            None => self.models.push(OfModel {
                provider,
                model,
                prices: Some(vec![price]),
                line: row.line,
            }),
        }
    }
}

const TABLE: &str = "prices";

const PROCESSING: usize = 2;
const REGION: usize = 3;
const FROM: usize = 4;
const UNTIL: usize = 5;
const HOURS: usize = 6;
const ABOVE: usize = 7;
const FIRST_RATE: usize = 8;
const OTHERS: usize = 13;
const SOURCE: usize = 14;
const N_CELLS: usize = 15;

/// The kinds with columns of their own.
const KINDS: [UsageKind; 5] = [
    UsageKind::InputTokens,
    UsageKind::OutputTokens,
    UsageKind::CacheReadTokens,
    UsageKind::CacheWriteTokens,
    UsageKind::CacheWrite1hTokens,
];

pub(super) fn parse<'a>(
    text: &'a str,
    sources: &BTreeMap<&str, Arc<Source>>,
) -> Result<ByModel<'a>, CatalogError> {
    let mut reader = Reader {
        sources,
        prices: ByModel::default(),
        open: None,
        rates: Vec::new(),
    };
    for row in table::rows(TABLE, text, N_CELLS)? {
        let row = row?;
        match row.parsed::<u64>(ABOVE)? {
            Some(above) => reader.add_tier(&row, above)?,
            None => reader.open(row)?,
        }
    }
    reader.close()?;
    Ok(reader.prices)
}

struct Reader<'a, 's> {
    sources: &'s BTreeMap<&'s str, Arc<Source>>,
    prices: ByModel<'a>,
    /// The last row, which may be followed by those of its tiers.
    open: Option<Row<'a>>,
    /// Its rates.
    rates: Vec<(UsageKind, Rate)>,
}

impl<'a> Reader<'a, '_> {
    fn open(&mut self, row: Row<'a>) -> Result<(), CatalogError> {
        self.close()?;
        for_each_rate(&row, |kind, rate| {
            self.rates.push((kind, Rate::flat(rate)));
            Ok(())
        })?;
        self.open = Some(row);
        Ok(())
    }

    fn add_tier(&mut self, row: &Row<'a>, above: u64) -> Result<(), CatalogError> {
        let Some(base) = &self.open else {
            return Err(row.refuse(ABOVE, "no row before it has the base price"));
        };
        let is_same = (0..ABOVE).all(|at| row.cell(at) == base.cell(at));
        if !is_same {
            return Err(row.refuse(ABOVE, "the row before it is another price"));
        }
        for_each_rate(row, |kind, rate| {
            let base = self.rates.iter_mut().find(|(it, _)| *it == kind);
            let Some((_, base)) = base else {
                return Err(row.refuse(ABOVE, format!("{kind} has no base price")));
            };
            base.set_tier(above, rate);
            Ok(())
        })
    }

    fn close(&mut self) -> Result<(), CatalogError> {
        let Some(row) = self.open.take() else {
            return Ok(());
        };
        let card = RateCard::new(self.rates.drain(..));
        let card = card.map_err(|error| row.refuse(FIRST_RATE, error))?;
        let source = self.sources.get(row.cell(SOURCE));
        let source = source.ok_or_else(|| row.refuse(SOURCE, "no such source"))?;
        let processing = Processing::named(row.cell(PROCESSING))
            .ok_or_else(|| row.refuse(PROCESSING, "no such processing"))?;
        let validity = Validity {
            from: row.parsed(FROM)?,
            until: row.parsed(UNTIL)?,
            daily: hours(&row)?,
        };
        let mut price = Price::new(card, Arc::clone(source))
            .valid(validity)
            .for_processing(processing);
        price.region = row.parsed(REGION)?;
        self.prices.add(&row, price);
        Ok(())
    }
}

/// `00:30-16:30`.
fn hours(row: &Row<'_>) -> Result<Option<DailyWindow>, CatalogError> {
    let Some(text) = row.some(HOURS) else {
        return Ok(None);
    };
    let parsed = text.split_once('-').and_then(|(start, end)| {
        let (start, end) = (start.parse::<Time>().ok()?, end.parse::<Time>().ok()?);
        Some(DailyWindow { start, end })
    });
    let reason = "no hours such as 00:30-16:30";
    parsed.map(Some).ok_or_else(|| row.refuse(HOURS, reason))
}

/// Gives each rate of a row to `add`, in the order of the columns.
fn for_each_rate(
    row: &Row<'_>,
    mut add: impl FnMut(UsageKind, UnitRate) -> Result<(), CatalogError>,
) -> Result<(), CatalogError> {
    for (at, kind) in KINDS.into_iter().enumerate() {
        let at = FIRST_RATE + at;
        if let Some(price) = row.some(at) {
            add(kind, unit_rate(row, at, kind, price)?)?;
        }
    }
    for other in row.cell(OTHERS).split_ascii_whitespace() {
        let parsed = other.split_once('=').and_then(|(name, price)| {
            let kind = UsageKind::named(name)?;
            Some((kind, price))
        });
        let (kind, price) =
            parsed.ok_or_else(|| row.refuse(OTHERS, format!("{other:?} is no price of a kind")))?;
        add(kind, unit_rate(row, OTHERS, kind, price)?)?;
    }
    Ok(())
}

fn unit_rate(
    row: &Row<'_>,
    at: usize,
    kind: UsageKind,
    price: &str,
) -> Result<UnitRate, CatalogError> {
    let amount = Decimal::from_str_exact(price).map_err(|error| row.refuse(at, error))?;
    let price = Money::new(amount, Currency::USD);
    match kind.price_key().1 {
        1_000 => Ok(UnitRate::per_thousand(price)),
        _ => Ok(UnitRate::per_million(price)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "provider,model,processing,region,from,until,hours,above,input,output,\
                          cache_read,cache_write,cache_write_1h,others,source\n";

    fn parsed(rows: &str) -> Result<Vec<Price>, String> {
        let sources = BTreeMap::from([("s", Arc::new(Source::new("s")))]);
        let text = format!("{HEADER}{rows}");
        let mut prices = parse(&text, &sources).map_err(|error| error.to_string())?;
        Ok(prices.take("p", "m"))
    }

    #[test]
    fn a_row_has_its_conditions_and_its_tiers() {
        let prices = parsed(
            "p,m,standard,,,,,,3,15,0.3,,,web_searches=10,s\n\
             p,m,standard,,,,,200000,6,22.5,0.6,,,,s\n\
             p,m,batch,eu,2026-01-01,2026-06-01,00:30-16:30,,1.5,7.5,,,,,s\n",
        )
        .unwrap();
        assert_eq!(prices.len(), 2);
        let input = prices[0].rates.rate(UsageKind::InputTokens).unwrap();
        assert_eq!(input.at(200_001).price.to_string(), "6 USD");
        let searches = prices[0].rates.rate(UsageKind::WebSearches).unwrap();
        assert_eq!(searches.base().to_string(), "10 USD per thousand");
        assert_eq!(prices[1].processing, Processing::Batch);
        assert_eq!(prices[1].region.as_ref().map(|it| it.as_str()), Some("eu"));
        assert!(prices[1].validity.daily.is_some());
    }

    #[test]
    fn a_wrong_row_says_where_and_why() {
        for (rows, expected) in [
            ("p,m\n", "prices, line 2: 2 cells where 15 belong"),
            (
                "p,m,standard,,,,,,x,,,,,,s\n",
                "prices, line 2: \"x\" in column 9: Invalid decimal: unknown character",
            ),
            (
                "p,m,standard,,,,,,1,,,,,,t\n",
                "prices, line 2: \"t\" in column 15: no such source",
            ),
            (
                "p,m,slow,,,,,,1,,,,,,s\n",
                "prices, line 2: \"slow\" in column 3: no such processing",
            ),
            (
                "p,m,standard,,,,,5,1,,,,,,s\n",
                "prices, line 2: \"5\" in column 8: no row before it has the base price",
            ),
            (
                "p,m,standard,,,,,,1,,,,,,s\np,n,standard,,,,,5,1,,,,,,s\n",
                "prices, line 3: \"5\" in column 8: the row before it is another price",
            ),
            (
                "p,m,standard,,,,noon,,1,,,,,,s\n",
                "prices, line 2: \"noon\" in column 7: no hours such as 00:30-16:30",
            ),
            (
                "p,m,standard,,,,,,-1,,,,,,s\n",
                "prices, line 2: \"-1\" in column 9: the rate of input_tokens, -1 USD per million, is under zero",
            ),
        ] {
            assert_eq!(parsed(rows).unwrap_err(), expected);
        }
    }
}
