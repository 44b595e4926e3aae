//! Editions, quotes and redemptions as rows.

use std::fmt::Display;

use bursar_pricing::{
    Issued, NotRedeemable, PriceList, PriceListName, Published, Quote, QuoteId, Redemption,
    RedemptionId,
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::SqliteError;

const EDITIONS: &str =
    "SELECT Edition, EffectiveFrom FROM editions WHERE Name = ?1 ORDER BY Edition";

const EDITION: &str = "SELECT List FROM editions WHERE Name = ?1 AND Edition = ?2";

const INSERT_EDITION: &str =
    "INSERT INTO editions (Name, Edition, EffectiveFrom, List) VALUES (?1, ?2, ?3, ?4)";

const QUOTE: &str = "SELECT Quote FROM quotes WHERE Id = ?1";

const INSERT_QUOTE: &str = "INSERT INTO quotes (Id, Quote) VALUES (?1, ?2)";

const REDEMPTION: &str = "SELECT Redemption FROM redemptions WHERE Id = ?1";

const INSERT_REDEMPTION: &str = "INSERT INTO redemptions (Id, Redemption, At) VALUES (?1, ?2, ?3)";

pub(super) fn publish(connection: &Connection, list: &PriceList) -> Result<Published, SqliteError> {
    let (name, begin) = (list.name(), list.effective_from());
    let begins = editions(connection, name)?;
    if let Some(number) = begins.iter().position(|other| *other == begin)
        && edition(connection, name, number, begin)? == *list
    {
        return Ok(Published::Again);
    }
    match begins.last() {
        Some(last) if *last >= begin => Ok(Published::NotLater { last: *last }),
        _ => {
            let document = document(list);
            connection.prepare_cached(INSERT_EDITION)?.execute((
                name.as_str(),
                ordinal(begins.len()),
                begin.to_string(),
                document,
            ))?;
            Ok(Published::New)
        }
    }
}

pub(super) fn in_force(
    connection: &Connection,
    name: &PriceListName,
    at: Timestamp,
) -> Result<Option<PriceList>, SqliteError> {
    let begins = editions(connection, name)?;
    let n_begun = begins.partition_point(|begin| *begin <= at);
    let last = begins.iter().enumerate().take(n_begun).next_back();
    let last = last.map(|(number, begin)| edition(connection, name, number, *begin));
    last.transpose()
}

/// From when on each edition holds; they are without a gap, and one after the other.
pub(super) fn editions(
    connection: &Connection,
    name: &PriceListName,
) -> Result<Vec<Timestamp>, SqliteError> {
    let mut statement = connection.prepare_cached(EDITIONS)?;
    let mut rows = statement.query([name.as_str()])?;
    let mut begins = Vec::new();
    while let Some(row) = rows.next()? {
        let place = place_of_edition(name, begins.len());
        let (found, begin) = (row.get::<_, i64>(0)?, row.get::<_, String>(1)?);
        if found != ordinal(begins.len()) {
            return Err(corrupt(
                &place,
                format!("it is missing, and edition {found} is there"),
            ));
        }
        let begin: Timestamp = begin
            .parse()
            .map_err(|error| corrupt(&place, format!("`{begin}`: {error}")))?;
        if let Some(before) = begins.last().filter(|before| **before >= begin) {
            let problem = format!("it holds from {begin} on, and the one before from {before} on");
            return Err(corrupt(&place, problem));
        }
        begins.push(begin);
    }
    Ok(begins)
}

/// An edition by its place among those of its name, from 0.
fn edition(
    connection: &Connection,
    name: &PriceListName,
    number: usize,
    begin: Timestamp,
) -> Result<PriceList, SqliteError> {
    let place = place_of_edition(name, number);
    let mut statement = connection.prepare_cached(EDITION)?;
    let text: String = statement.query_row((name.as_str(), ordinal(number)), |row| row.get(0))?;
    let list: PriceList = parse(&place, &text)?;
    if list.name() != name || list.effective_from() != begin {
        let (name, begin) = (list.name(), list.effective_from());
        return Err(corrupt(
            &place,
            format!("it holds list `{name}` from {begin} on"),
        ));
    }
    Ok(list)
}

pub(super) fn issue(connection: &Connection, quote: &Quote) -> Result<Issued, SqliteError> {
    match find(connection, quote.id())? {
        Some(known) if known == *quote => Ok(Issued::Again),
        Some(_) => Ok(Issued::IdTaken),
        None => {
            let document = document(quote);
            let mut insert = connection.prepare_cached(INSERT_QUOTE)?;
            insert.execute((quote.id().as_str(), document))?;
            Ok(Issued::New)
        }
    }
}

pub(super) fn find(connection: &Connection, id: &QuoteId) -> Result<Option<Quote>, SqliteError> {
    let Some(text) = text_of(connection, QUOTE, id)? else {
        return Ok(None);
    };
    let place = place_of_quote(id);
    let quote: Quote = parse(&place, &text)?;
    if quote.id() != id {
        return Err(corrupt(&place, format!("it holds quote `{}`", quote.id())));
    }
    Ok(Some(quote))
}

pub(super) fn redeem(
    connection: &Connection,
    id: &QuoteId,
    redemption: &RedemptionId,
    at: Timestamp,
) -> Result<Redemption, SqliteError> {
    let redeemed_for = redeemed_for(connection, id)?;
    let Some(quote) = find(connection, id)? else {
        return match redeemed_for {
            None => Ok(Redemption::Refused(NotRedeemable::Unknown)),
            Some(by) => Err(corrupt(
                &place_of_quote(id),
                format!("it is missing, and was redeemed for `{by}`"),
            )),
        };
    };
    let redeemed = Redemption::of(&quote, redeemed_for.as_ref(), redemption, at);
    if let Redemption::Granted { again: false, .. } = redeemed {
        connection.prepare_cached(INSERT_REDEMPTION)?.execute((
            id.as_str(),
            redemption.as_str(),
            at.to_string(),
        ))?;
    }
    Ok(redeemed)
}

fn redeemed_for(
    connection: &Connection,
    id: &QuoteId,
) -> Result<Option<RedemptionId>, SqliteError> {
    let found = text_of(connection, REDEMPTION, id)?;
    let by = found.map(|text| {
        RedemptionId::new(&text).map_err(|error| {
            corrupt(
                &place_of_quote(id),
                format!("redeemed for `{text}`: {error}"),
            )
        })
    });
    by.transpose()
}

fn text_of(
    connection: &Connection,
    sql: &str,
    id: &QuoteId,
) -> Result<Option<String>, SqliteError> {
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_row([id.as_str()], |row| row.get(0));
    Ok(found.optional()?)
}

fn document(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("names, numbers and texts can be told in JSON")
}

fn parse<T: DeserializeOwned>(place: &str, text: &str) -> Result<T, SqliteError> {
    serde_json::from_str(text).map_err(|error| corrupt(place, error))
}

/// The number of an edition in its row, from 1.
fn ordinal(number: usize) -> i64 {
    i64::try_from(number).map_or(i64::MAX, |number| number.saturating_add(1))
}

pub(super) fn place_of_list(name: &PriceListName) -> String {
    format!("price list `{name}`")
}

fn place_of_edition(name: &PriceListName, number: usize) -> String {
    format!("edition {} of price list `{name}`", ordinal(number))
}

pub(super) fn place_of_quote(id: &QuoteId) -> String {
    format!("quote `{id}`")
}

pub(super) fn corrupt(place: &str, problem: impl Display) -> SqliteError {
    SqliteError::Corrupt {
        place: place.to_owned(),
        problem: problem.to_string(),
    }
}
