//! How are price lists and quotes kept, so that a promise outlives the process that gave it?

mod rows;

use std::fmt;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bursar_pricing::{
    Issued, PriceList, PriceListName, PriceListStore, Published, Quote, QuoteId, QuoteStore,
    Redemption, RedemptionId, StoreError,
};
use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode};

use crate::group_commit::GroupCommit;
use crate::{SqliteError, SqliteOptions, schema};

/// A [`PriceListStore`] and [`QuoteStore`] in a SQLite file of its own: append-only, durable, and the same
/// for all processes that open it.
///
/// ```
/// use bursar_pricing::{
///     Model, NotRedeemable, PriceRequest, PricingPolicy, Quote, QuoteId, QuoteStore, Redemption,
///     RedemptionId, Tier,
/// };
/// use bursar_sqlite::SqlitePriceStore;
/// use jiff::{SignedDuration, Timestamp, civil::date};
///
/// # futures_executor::block_on(async {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("prices.db");
/// let noon: Timestamp = "2026-11-27T12:00:00Z".parse()?;
/// let cost = "10.00 USD".parse()?;
/// let request = PriceRequest::new(cost, &Tier::Growth, &Model::CLAUDE, date(2026, 11, 27));
/// let (policy, a_day) = (PricingPolicy::standard(), SignedDuration::from_hours(24));
/// let quote = Quote::issue(QuoteId::new("q-1")?, &policy, &request, noon, a_day)?;
///
/// let store = SqlitePriceStore::open(&path)?;
/// let _ = store.issue(&quote).await?;
/// drop(store);
///
/// // Another day, another process: the promise is still there, and it is redeemed once.
/// let store = SqlitePriceStore::open(&path)?;
/// let (first, second) = (RedemptionId::new("order-1")?, RedemptionId::new("order-2")?);
/// let granted = store.redeem(quote.id(), &first, noon).await?;
/// assert_eq!(granted, Redemption::Granted { price: "13.67 USD".parse()?, again: false });
/// let refused = store.redeem(quote.id(), &second, noon).await?;
/// assert_eq!(refused, Redemption::Refused(NotRedeemable::Taken { by: first }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
///
/// # Tables
/// | table | a row is | key |
/// |---|---|---|
/// | `editions` | one edition: `Name`, `Edition` from 1, `EffectiveFrom`, the whole `List` | `Name`, `Edition`; `Name`, `EffectiveFrom` is unique |
/// | `quotes` | one quote: `Id`, the whole `Quote` | `Id` |
/// | `redemptions` | what a quote was redeemed for: `Id` of the quote, `Redemption`, `At` | `Id` |
///
/// `List` and `Quote` are the JSON of `bursar-pricing`, in which every amount is exact decimal text and which
/// also holds how each price came about. Two views show what is in them as columns, which SQLite 3.38 or
/// newer can read: `listed_prices` has a row for each price per million tokens (`Name`, `Edition`,
/// `EffectiveFrom`, `Tier`, `Model`, `Kind`, `Band`, `UpTo`, `Cost`, `Price`, `Currency`), `quoted_prices`
/// one for each quote, with what it was redeemed for.
///
/// ```sql
/// SELECT Model, Kind, Price, Currency FROM listed_prices
/// WHERE Name = 'growth' AND Edition = (SELECT max(Edition) FROM editions WHERE Name = 'growth');
/// ```
///
/// Triggers refuse to change or delete a row. The file's application id is `0x42757250` ("BurP").
///
/// # Durability
/// An answer comes after the commit that it tells of, and that commit survives the end of the process and,
/// if the disk keeps its promises, of the power. Callers who wait at the same time share a commit. An edition
/// is there whole or not at all. Of several processes that redeem one quote, one gets it.
///
/// # Damage
/// Whatever is read is checked: a document must be a list or a quote whose waterfalls add up, and the one that
/// its row says; editions must be there without a gap and hold one after the other. What is not, is
/// [`SqliteError::Corrupt`] with the row it stands in, and no price is answered.
pub struct SqlitePriceStore {
    /// `None` for a store in memory.
    path: Option<PathBuf>,
    writer: GroupCommit,
}

impl SqlitePriceStore {
    /// Opens the store in this file, or makes it; its folder must exist.
    ///
    /// # Errors
    /// As [`SqliteStore::open`](crate::SqliteStore::open).
    pub fn open(path: impl AsRef<Path>) -> Result<Self, SqliteError> {
        Self::open_with(path, &SqliteOptions::default())
    }

    /// Like [`open`](Self::open), with other options.
    ///
    /// # Errors
    /// As [`SqliteStore::open`](crate::SqliteStore::open).
    pub fn open_with(path: impl AsRef<Path>, options: &SqliteOptions) -> Result<Self, SqliteError> {
        let path = schema::absolute(path.as_ref())?;
        let connection = schema::open_writer(&schema::PRICES, &path, options)?;
        Self::start(connection, Some(path))
    }

    /// Makes a store in memory, gone when it is dropped.
    ///
    /// # Errors
    /// [`SqliteError::Database`] when there is not enough memory, [`SqliteError::Thread`].
    pub fn open_in_memory() -> Result<Self, SqliteError> {
        Self::start(schema::open_in_memory(&schema::PRICES)?, None)
    }

    fn start(connection: Connection, path: Option<PathBuf>) -> Result<Self, SqliteError> {
        let writer = GroupCommit::start("bursar-sqlite-prices", connection)?;
        Ok(Self { path, writer })
    }

    /// What a change comes to, once it is committed.
    async fn change<T: Send + 'static>(
        &self,
        place: String,
        decide: impl Fn(&Connection) -> Result<T, SqliteError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let decide = move |connection: &Connection| apart(&place, decide(connection));
        let answer = self.writer.change(decide).await;
        answer.map_err(StoreError::new)?.map_err(StoreError::new)
    }

    /// What the writing thread's connection says, after the changes before.
    async fn ask<T: Send + 'static>(
        &self,
        place: String,
        question: impl FnOnce(&Connection) -> Result<T, SqliteError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let answer = self.writer.ask(question).await;
        let answer = answer.and_then(|answer| answer.map_err(|error| placed(&place, error)));
        answer.map_err(StoreError::new)
    }
}

/// Keeps apart what is wrong with one row, which nothing was written for, from what ends the commit.
fn apart<T>(
    place: &str,
    result: Result<T, SqliteError>,
) -> Result<Result<T, SqliteError>, SqliteError> {
    match result {
        Err(corrupt @ SqliteError::Corrupt { .. }) => Ok(Err(corrupt)),
        Err(error) => Err(placed(place, error)),
        Ok(answer) => Ok(Ok(answer)),
    }
}

/// Says where the file is damaged when it is SQLite that finds it so.
fn placed(place: &str, error: SqliteError) -> SqliteError {
    match error {
        SqliteError::Database(error) if is_damage(&error) => rows::corrupt(place, error),
        error => error,
    }
}

fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error,
        rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::Utf8Error(..)
    ) || error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt)
}

#[async_trait]
impl PriceListStore for SqlitePriceStore {
    async fn publish(&self, list: &PriceList) -> Result<Published, StoreError> {
        let list = list.clone();
        let place = rows::place_of_list(list.name());
        self.change(place, move |connection| rows::publish(connection, &list))
            .await
    }

    async fn in_force(
        &self,
        name: &PriceListName,
        at: Timestamp,
    ) -> Result<Option<PriceList>, StoreError> {
        let (name, place) = (name.clone(), rows::place_of_list(name));
        self.ask(place, move |connection| {
            rows::in_force(connection, &name, at)
        })
        .await
    }

    async fn editions(&self, name: &PriceListName) -> Result<Vec<Timestamp>, StoreError> {
        let (name, place) = (name.clone(), rows::place_of_list(name));
        self.ask(place, move |connection| rows::editions(connection, &name))
            .await
    }
}

#[async_trait]
impl QuoteStore for SqlitePriceStore {
    async fn issue(&self, quote: &Quote) -> Result<Issued, StoreError> {
        let quote = quote.clone();
        let place = rows::place_of_quote(quote.id());
        self.change(place, move |connection| rows::issue(connection, &quote))
            .await
    }

    async fn find(&self, id: &QuoteId) -> Result<Option<Quote>, StoreError> {
        let (id, place) = (id.clone(), rows::place_of_quote(id));
        self.ask(place, move |connection| rows::find(connection, &id))
            .await
    }

    async fn redeem(
        &self,
        id: &QuoteId,
        redemption: &RedemptionId,
        at: Timestamp,
    ) -> Result<Redemption, StoreError> {
        let (id, place) = (id.clone(), rows::place_of_quote(id));
        let redemption = redemption.clone();
        self.change(place, move |connection| {
            rows::redeem(connection, &id, &redemption, at)
        })
        .await
    }
}

impl fmt::Debug for SqlitePriceStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlitePriceStore")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
