//! Are price lists and quotes kept as they were given, and is damage named instead of guessed at?

use std::path::Path;

use bursar_pricing::{
    CostTable, Issued, ListTerms, Model, NotRedeemable, PriceList, PriceListName, PriceListStore,
    PriceRequest, PricingPolicy, Published, Quote, QuoteId, QuoteStore, Redemption, RedemptionId,
    StoreError, Tier, TokenKind, conformance,
};
use bursar_sqlite::{SqliteError, SqliteLedger, SqlitePriceStore, SqliteStore};
use bursar_units::{Currency, Money, UnitRate};
use futures_executor::block_on;
use jiff::{SignedDuration, Timestamp, civil::date};
use rust_decimal::Decimal;

/// The edition of a list that holds from this second on; no two have the same prices.
pub(crate) fn list(name: &str, second: i64) -> PriceList {
    let cost = |cents| UnitRate::per_million(Money::new(Decimal::new(cents, 2), Currency::USD));
    let costs = CostTable::new(Currency::USD)
        .with(Model::CLAUDE, TokenKind::Input, cost(100 + second))
        .and_then(|costs| costs.with(Model::CLAUDE, TokenKind::Output, cost(1_500)))
        .and_then(|costs| costs.with(Model::GPT_4, TokenKind::Input, cost(250)))
        .unwrap();
    let terms = ListTerms::new(self::name(name), &Tier::Growth, moment(second));
    costs.price(&PricingPolicy::standard(), &terms).unwrap()
}

/// A quote that holds from 0 until before 1000 seconds.
pub(crate) fn quote(id: &str) -> Quote {
    let cost = "2.718281828459045235360287 USD".parse().unwrap();
    let request = PriceRequest::new(cost, &Tier::Enterprise, &Model::GPT_4, date(1970, 1, 1));
    let (policy, validity) = (PricingPolicy::standard(), SignedDuration::from_secs(1_000));
    Quote::issue(quote_id(id), &policy, &request, moment(0), validity).unwrap()
}

pub(crate) fn name(name: &str) -> PriceListName {
    PriceListName::new(name).unwrap()
}

pub(crate) fn quote_id(id: &str) -> QuoteId {
    QuoteId::new(id).unwrap()
}

pub(crate) fn order(order: &str) -> RedemptionId {
    RedemptionId::new(order).unwrap()
}

pub(crate) fn moment(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

pub(crate) async fn redeem(
    store: &SqlitePriceStore,
    id: &str,
    order: &str,
    second: i64,
) -> Result<Redemption, StoreError> {
    let (id, order) = (quote_id(id), self::order(order));
    store.redeem(&id, &order, moment(second)).await
}

/// Two editions, and two quotes of which the first is redeemed.
fn fill(path: &Path) {
    let store = SqlitePriceStore::open(path).unwrap();
    block_on(async {
        for second in [100, 200] {
            let published = store.publish(&list("growth", second)).await.unwrap();
            assert_eq!(published, Published::New);
        }
        for id in ["q-1", "q-2"] {
            assert_eq!(store.issue(&quote(id)).await.unwrap(), Issued::New);
        }
        let redeemed = redeem(&store, "q-1", "order-1", 10);
        assert_eq!(redeemed.await.unwrap(), granted("q-1", false));
    });
}

fn granted(id: &str, again: bool) -> Redemption {
    let price = quote(id).price().price();
    Redemption::Granted { price, again }
}

fn sqlite_error(error: &StoreError) -> &SqliteError {
    error.error.downcast_ref().unwrap()
}

#[test]
fn a_store_in_memory_keeps_both_contracts() {
    block_on(async {
        conformance::price_lists(async || SqlitePriceStore::open_in_memory().unwrap()).await;
        conformance::quotes(async || SqlitePriceStore::open_in_memory().unwrap()).await;
    });
}

#[test]
fn a_store_in_a_file_keeps_both_contracts() {
    let folder = tempfile::tempdir().unwrap();
    let files = std::cell::Cell::new(0);
    let make = async || {
        files.set(files.get() + 1);
        SqlitePriceStore::open(folder.path().join(format!("{}.db", files.get()))).unwrap()
    };
    block_on(async {
        conformance::price_lists(make).await;
        conformance::quotes(make).await;
    });
}

#[test]
fn what_was_kept_is_there_after_opening_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prices.db");
    fill(&path);
    let store = SqlitePriceStore::open(&path).unwrap();
    block_on(async {
        let growth = name("growth");
        let found = store.in_force(&growth, moment(199)).await.unwrap();
        assert_eq!(found, Some(list("growth", 100)));
        let found = store.in_force(&growth, moment(200)).await.unwrap();
        assert_eq!(found, Some(list("growth", 200)));
        let again = store.publish(&list("growth", 100)).await.unwrap();
        assert_eq!(again, Published::Again);
        assert_eq!(store.issue(&quote("q-2")).await.unwrap(), Issued::Again);

        let (first, second) = (order("order-1"), order("order-2"));
        let id = quote_id("q-1");
        let again = store.redeem(&id, &first, moment(5_000)).await.unwrap();
        assert_eq!(again, granted("q-1", true));
        let taken = store.redeem(&id, &second, moment(10)).await.unwrap();
        let by = first;
        assert_eq!(taken, Redemption::Refused(NotRedeemable::Taken { by }));
    });
}

#[test]
fn each_kind_of_file_is_told_from_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    drop(SqliteStore::open(file("bills.db")).unwrap());
    drop(SqliteLedger::open(file("books.db")).unwrap());
    drop(SqlitePriceStore::open(file("prices.db")).unwrap());
    for other in ["bills.db", "books.db"] {
        let error = SqlitePriceStore::open(file(other)).unwrap_err();
        assert!(matches!(error, SqliteError::Foreign { .. }), "{error}");
        let words = error.to_string();
        assert!(
            words.contains(other) && words.contains("not a store of prices"),
            "{words}"
        );
    }
    let error = SqliteLedger::open(file("prices.db")).unwrap_err();
    assert!(matches!(error, SqliteError::Foreign { .. }), "{error}");
}

#[test]
fn rows_can_be_neither_changed_nor_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prices.db");
    fill(&path);
    let other = rusqlite::Connection::open(&path).unwrap();
    for sql in [
        "UPDATE editions SET EffectiveFrom = '1970-01-01T00:00:00Z'",
        "DELETE FROM editions",
        "UPDATE quotes SET Id = 'q-3' WHERE Id = 'q-2'",
        "DELETE FROM quotes WHERE Id = 'q-2'",
        "UPDATE redemptions SET Redemption = 'order-2'",
        "DELETE FROM redemptions",
    ] {
        let error = other.execute(sql, []).unwrap_err();
        assert!(error.to_string().contains("append-only"), "{sql}: {error}");
    }
}

#[test]
fn plain_sql_reads_every_digit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prices.db");
    fill(&path);
    let other = rusqlite::Connection::open(&path).unwrap();
    let text = |sql: &str| -> String { other.query_row(sql, [], |row| row.get(0)).unwrap() };
    let entry = list("growth", 200);
    let entry = entry.entry(&Model::CLAUDE, TokenKind::Input).unwrap();
    let price = text(
        "SELECT Price FROM listed_prices
         WHERE Name = 'growth' AND Edition = 2 AND Model = 'claude' AND Kind = 'input'",
    );
    // 3.00 × (1 + 1/3 × 1.1).
    assert_eq!(price, "4.100000");
    assert_eq!(
        price,
        entry.schedule().band(1).rate.price.amount().to_string()
    );
    let cost = text("SELECT Cost FROM quoted_prices WHERE Id = 'q-2' AND Redemption IS NULL");
    assert_eq!(cost, "2.718281828459045235360287");
    let order = text("SELECT Redemption FROM quoted_prices WHERE RedeemedAt IS NOT NULL");
    assert_eq!(order, "order-1");
    let rows = text("SELECT CAST(count(*) AS TEXT) FROM listed_prices");
    assert_eq!(rows, "6");
}

/// Everything that can be asked of the filled store, and the first error of it.
fn ask_all(path: &Path) -> Result<Vec<String>, SqliteError> {
    let store = SqlitePriceStore::open(path)?;
    let mut answers = Vec::new();
    let asked: Result<(), StoreError> = block_on(async {
        let growth = name("growth");
        answers.push(format!("{:?}", store.editions(&growth).await?));
        for second in [100, 200] {
            answers.push(format!(
                "{:?}",
                store.in_force(&growth, moment(second)).await?
            ));
        }
        for id in ["q-1", "q-2"] {
            answers.push(format!("{:?}", store.find(&quote_id(id)).await?));
            let redeemed = redeem(&store, id, "order-1", 10);
            answers.push(format!("{:?}", redeemed.await?));
        }
        Ok(())
    });
    match asked {
        Ok(()) => Ok(answers),
        Err(error) => Err(*error.error.downcast().unwrap()),
    }
}

#[test]
fn a_row_that_somebody_forged_is_named() {
    let json = |column: &str, path: &str, value: &str| {
        let table = if column == "List" {
            "editions"
        } else {
            "quotes"
        };
        format!("UPDATE {table} SET {column} = json_set({column}, '{path}', {value})")
    };
    let price = "$.entries[0].bands[0][1].price.amount";
    for (forgery, place) in [
        (
            json("List", price, "'0.01'"),
            "edition 1 of price list `growth`",
        ),
        (
            json("List", price, "0.01"),
            "edition 1 of price list `growth`",
        ),
        (
            json("List", "$.format", "2"),
            "edition 1 of price list `growth`",
        ),
        (
            json("List", "$.name", "'free'"),
            "edition 1 of price list `growth`",
        ),
        (
            "UPDATE editions SET List = substr(List, 1, 1000) WHERE Edition = 2".to_owned(),
            "edition 2 of price list `growth`",
        ),
        (
            "UPDATE editions SET EffectiveFrom = 'soon' WHERE Edition = 2".to_owned(),
            "edition 2 of price list `growth`",
        ),
        (
            "UPDATE editions SET EffectiveFrom = '1970-01-01T00:00:50Z' WHERE Edition = 2"
                .to_owned(),
            "edition 2 of price list `growth`",
        ),
        (
            "DELETE FROM editions WHERE Edition = 1".to_owned(),
            "edition 1 of price list `growth`",
        ),
        (
            "UPDATE editions SET List = CAST(x'ff7b' AS TEXT) WHERE Edition = 2".to_owned(),
            "price list `growth`",
        ),
        (
            json("Quote", "$.price.price.amount", "'0.01'"),
            "quote `q-1`",
        ),
        (json("Quote", "$.id", "'q-7'"), "quote `q-1`"),
        (
            json("Quote", "$.expires_at", "'1969-01-01T00:00:00Z'"),
            "quote `q-1`",
        ),
        (
            "UPDATE redemptions SET Redemption = 'not a name'".to_owned(),
            "quote `q-1`",
        ),
        (
            "UPDATE quotes SET Quote = '' WHERE Id = 'q-2'".to_owned(),
            "quote `q-2`",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("prices.db");
        fill(&path);
        let other = rusqlite::Connection::open(&path).unwrap();
        for table in ["editions", "quotes", "redemptions"] {
            let triggers = format!(
                "DROP TRIGGER {table}_are_not_changed; DROP TRIGGER {table}_are_not_deleted"
            );
            other.execute_batch(&triggers).unwrap();
        }
        assert!(other.execute(&forgery, []).unwrap() > 0, "{forgery}");
        match ask_all(&path) {
            Err(SqliteError::Corrupt { place: found, .. }) => {
                assert_eq!(found, place, "{forgery}");
            }
            answer => panic!("{forgery}: {answer:?}"),
        }
    }
}

#[test]
fn a_damaged_row_is_refused_and_the_others_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prices.db");
    fill(&path);
    let other = rusqlite::Connection::open(&path).unwrap();
    other
        .execute_batch(
            "DROP TRIGGER quotes_are_not_changed; UPDATE quotes SET Quote = '{}' WHERE Id = 'q-1'",
        )
        .unwrap();
    let store = SqlitePriceStore::open(&path).unwrap();
    std::thread::scope(|scope| {
        let damaged = scope.spawn(|| {
            let redeemed = redeem(&store, "q-1", "order-1", 10);
            block_on(redeemed).unwrap_err()
        });
        let sound = scope.spawn(|| {
            let redeemed = redeem(&store, "q-2", "order-2", 10);
            block_on(redeemed).unwrap()
        });
        assert_eq!(sound.join().unwrap(), granted("q-2", false));
        let error = damaged.join().unwrap();
        let words = sqlite_error(&error).to_string();
        assert!(
            words.starts_with("quote `q-1` is damaged: missing field"),
            "{words}"
        );
    });
}

#[test]
fn a_page_of_the_file_that_is_lost_is_an_error_and_no_other_answer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prices.db");
    fill(&path);
    // The answers are those after `q-2` is redeemed too.
    let _ = ask_all(&path).unwrap();
    let sound = ask_all(&path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let page_size = 4_096;
    assert_eq!(bytes.len() % page_size, 0);
    let mut n_noticed = 0;
    for start in (0..bytes.len()).step_by(page_size) {
        for filler in [0_u8, 0xff] {
            let mut damaged = bytes.clone();
            damaged
                .get_mut(start..start + page_size)
                .unwrap()
                .fill(filler);
            let copy = folder.path().join(format!("{start}-{filler}.db"));
            std::fs::write(&copy, damaged).unwrap();
            match ask_all(&copy) {
                // What was lost is no part of any answer: a trigger or a view.
                Ok(answers) => assert_eq!(answers, sound, "page at {start}"),
                Err(SqliteError::Corrupt { place, .. }) => {
                    assert!(!place.is_empty());
                    n_noticed += 1;
                }
                Err(SqliteError::Foreign { path, .. }) => {
                    assert_eq!(path, copy);
                    n_noticed += 1;
                }
                Err(other) => panic!("page at {start}: {other:?}"),
            }
        }
    }
    assert!(n_noticed > 0);
}

#[test]
fn a_writer_that_waits_too_long_says_so_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prices.db");
    let impatient =
        bursar_sqlite::SqliteOptions::default().with_busy_timeout(std::time::Duration::ZERO);
    let store = SqlitePriceStore::open_with(&path, &impatient).unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = block_on(store.issue(&quote("q-1"))).unwrap_err();
    assert!(
        matches!(sqlite_error(&error), SqliteError::Busy(_)),
        "{error}"
    );
    assert_eq!(block_on(store.find(&quote_id("q-1"))).unwrap(), None);
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(block_on(store.issue(&quote("q-1"))).unwrap(), Issued::New);
}
