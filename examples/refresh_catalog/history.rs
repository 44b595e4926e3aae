//! What did a model cost before its price changed?
//!
//! Lists without dates say what holds today. Where such a price differs from the one of the tables before,
//! the old row ends on the day of reading and the new one begins then, so that last month can be priced
//! anew. A list that has dates of its own is taken as it is. A model that no list has any more keeps its
//! rows, which end on that day too.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

const FROM: usize = 4;
const UNTIL: usize = 5;
const ABOVE: usize = 7;
const FIRST_RATE: usize = 8;
const OTHERS: usize = 13;

/// A row with those of its tiers.
#[derive(Debug, Clone)]
struct Price<'a> {
    rows: Vec<Vec<&'a str>>,
}

/// Provider, model, processing, region and hours.
type Key<'a> = [&'a str; 5];

/// The new table of prices with the rows of the one before that it replaces.
pub(crate) fn with_history(before: &str, after: &str, read_on: Date) -> String {
    let day = read_on.to_string();
    let (old, new) = (by_key(before), by_key(after));
    let mut table = String::new();
    for line in after.lines().take(1) {
        table.push_str(line);
        table.push('\n');
    }
    let mut written = BTreeSet::new();
    for price in prices(after) {
        let key = price.key();
        if !written.insert(key) {
            continue;
        }
        let of_key = new.get(&key).map_or(&[][..], Vec::as_slice);
        let before = old.get(&key).map_or(&[][..], Vec::as_slice);
        for price in merged(before, of_key, &day) {
            price.write(&mut table);
        }
    }
    table
}

/// The rows of models that are no longer listed: those of the table of models, and their prices with an end.
///
/// `is_listed` says whether a model of a provider is found now, under whatever entry.
pub(crate) fn retired(
    models: &str,
    prices_before: &str,
    read_on: Date,
    is_listed: impl Fn(&str, &str) -> bool,
) -> (String, String) {
    let day = read_on.to_string();
    let (mut rows, mut table) = (String::new(), String::new());
    let mut retired = BTreeSet::new();
    for line in models.lines().skip(1) {
        let mut cells = line.split(',');
        let (Some(provider), Some(model)) = (cells.next(), cells.next()) else {
            continue;
        };
        if !is_listed(provider, model) {
            retired.insert((provider, model));
            rows.push_str(line);
            rows.push('\n');
        }
    }
    for mut price in prices(prices_before) {
        if retired.contains(&(price.cell(0), price.cell(1))) {
            if price.cell(UNTIL).is_empty() {
                price.set(UNTIL, &day);
            }
            price.write(&mut table);
        }
    }
    (rows, table)
}

fn merged<'a>(before: &[Price<'a>], after: &[Price<'a>], day: &'a str) -> Vec<Price<'a>> {
    let [price] = after else {
        return after.to_vec();
    };
    if !(price.cell(FROM).is_empty() && price.cell(UNTIL).is_empty()) {
        return after.to_vec();
    }
    let mut price = price.clone();
    let mut prices: Vec<_> = before
        .iter()
        .filter(|it| !it.cell(UNTIL).is_empty())
        .cloned()
        .collect();
    let open = before.iter().find(|it| it.cell(UNTIL).is_empty());
    match open {
        None => {}
        Some(open) if !price.differs_from(open) => price.set(FROM, open.cell(FROM)),
        Some(open) => {
            // What began today is replaced: the tables are made twice on one day.
            if open.cell(FROM) != day {
                let mut ended = open.clone();
                ended.set(UNTIL, day);
                prices.push(ended);
            }
            price.set(FROM, day);
        }
    }
    prices.push(price);
    prices
}

fn by_key(table: &str) -> BTreeMap<Key<'_>, Vec<Price<'_>>> {
    let mut by_key: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for price in prices(table) {
        by_key.entry(price.key()).or_default().push(price);
    }
    by_key
}

fn prices(table: &str) -> Vec<Price<'_>> {
    let mut prices: Vec<Price<'_>> = Vec::new();
    for line in table.lines().skip(1) {
        let row: Vec<_> = line.split(',').collect();
        let is_tier = row.get(ABOVE).is_some_and(|above| !above.is_empty());
        match prices.last_mut().filter(|_| is_tier) {
            Some(base) => base.rows.push(row),
            None => prices.push(Price { rows: vec![row] }),
        }
    }
    prices
}

impl<'a> Price<'a> {
    fn cell(&self, at: usize) -> &'a str {
        let row = self.rows.first();
        row.and_then(|row| row.get(at)).copied().unwrap_or_default()
    }

    fn key(&self) -> Key<'a> {
        [0, 1, 2, 3, 6].map(|at| self.cell(at))
    }

    fn set(&mut self, at: usize, text: &'a str) {
        for cell in self.rows.iter_mut().filter_map(|row| row.get_mut(at)) {
            *cell = text;
        }
    }

    /// Whether both have a rate for the same kind and length of input, and not the same one. A rate that one
    /// alone has says that a source knows more, and not that a price has changed.
    fn differs_from(&self, other: &Self) -> bool {
        let others = other.rates();
        let mut rates = self.rates().into_iter();
        rates.any(|(place, rate)| others.get(&place).is_some_and(|it| *it != rate))
    }

    /// By length of input and kind.
    fn rates(&self) -> BTreeMap<(&'a str, String), &'a str> {
        let mut rates = BTreeMap::new();
        for row in &self.rows {
            let cell = |at: usize| row.get(at).copied().unwrap_or_default();
            let columns = (FIRST_RATE..OTHERS).map(|at| (at.to_string(), cell(at)));
            let others = cell(OTHERS).split(' ').filter_map(|it| it.split_once('='));
            let others = others.map(|(kind, rate)| (kind.to_owned(), rate));
            let known = columns.chain(others).filter(|(_, rate)| !rate.is_empty());
            rates.extend(known.map(|(kind, rate)| ((cell(ABOVE), kind), rate)));
        }
        rates
    }

    fn write(&self, table: &mut String) {
        for row in &self.rows {
            table.push_str(&row.join(","));
            table.push('\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const HEAD: &str = "provider,model,processing,region,from,until,hours,above,input,output,cache_read,\
                        cache_write,cache_write_1h,others,source\n";

    fn check(before: &str, after: &str, expected: &str) {
        let table = |rows: &str| format!("{HEAD}{rows}");
        let found = with_history(&table(before), &table(after), date(2026, 11, 28));
        assert_eq!(found, table(expected));
    }

    #[test]
    fn a_changed_price_ends_the_old_row_and_begins_a_new_one() {
        check(
            "p,m,standard,,,,,,3,15,,,,,s\np,m,standard,,,,,200000,6,22,,,,,s\n",
            "p,m,standard,,,,,,2,10,,,,,s\n",
            "p,m,standard,,,2026-11-28,,,3,15,,,,,s\np,m,standard,,,2026-11-28,,200000,6,22,,,,,s\n\
             p,m,standard,,2026-11-28,,,,2,10,,,,,s\n",
        );
    }

    #[test]
    fn what_was_known_of_an_unchanged_price_stays() {
        check(
            "p,m,standard,,,2026-05-01,,,9,9,,,,,s\np,m,standard,,2026-05-01,,,,3,15,,,,,s\n",
            "p,m,standard,,,,,,3,15,,,,,t\np,m,batch,,,,,,1,5,,,,,t\n",
            "p,m,standard,,,2026-05-01,,,9,9,,,,,s\np,m,standard,,2026-05-01,,,,3,15,,,,,t\n\
             p,m,batch,,,,,,1,5,,,,,t\n",
        );
    }

    #[test]
    fn a_rate_that_was_not_known_before_is_no_change() {
        check(
            "p,m,standard,,2026-05-01,,,,3,15,,,,,s\n",
            "p,m,standard,,,,,,3,15,0.3,,,web_searches=10,s\np,m,standard,,,,,272000,6,22,,,,,s\n",
            "p,m,standard,,2026-05-01,,,,3,15,0.3,,,web_searches=10,s\n\
             p,m,standard,,2026-05-01,,,272000,6,22,,,,,s\n",
        );
    }

    #[test]
    fn a_list_with_dates_is_taken_as_it_is() {
        let dated =
            "p,m,standard,,,2026-08-01,,,5,9,,,,,s\np,m,standard,,2026-08-01,,,,4,8,,,,,s\n";
        check("p,m,standard,,,,,,3,15,,,,,s\n", dated, dated);
    }

    #[test]
    fn a_model_that_is_listed_no_more_keeps_its_prices() {
        let models = "provider,model,names\np,m,\np,gone,\n";
        let prices = format!("{HEAD}p,m,batch,,,,,,1,5,,,,,s\np,gone,batch,,,,,,1,5,,,,,s\n");
        let found = retired(models, &prices, date(2026, 11, 28), |_, model| model == "m");
        let ended = "p,gone,batch,,,2026-11-28,,,1,5,,,,,s\n";
        assert_eq!(found, ("p,gone,\n".to_owned(), ended.to_owned()));
    }

    #[test]
    fn a_second_refresh_on_a_day_leaves_no_row_of_no_length() {
        check(
            "p,m,standard,,,2026-11-28,,,3,15,,,,,s\np,m,standard,,2026-11-28,,,,2,10,,,,,s\n",
            "p,m,standard,,,,,,1,5,,,,,s\n",
            "p,m,standard,,,2026-11-28,,,3,15,,,,,s\np,m,standard,,2026-11-28,,,,1,5,,,,,s\n",
        );
    }
}
