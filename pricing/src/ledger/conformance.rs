//! Does a [`Ledger`] keep the contract of the port?
//!
//! [`run`] is the suite that every implementation passes, on any executor:
//!
//! ```
//! use bursar_pricing::ledger::{MemoryLedger, conformance};
//!
//! futures_executor::block_on(conformance::run(async || MemoryLedger::new()));
//! ```

#![expect(clippy::panic, reason = "the suite fails as tests do")]

use bursar_units::{Currency, Money};
use jiff::Timestamp;
use rust_decimal::Decimal;

use super::{
    Account, Audit, Ledger, LedgerError, Posted, Posting, Purpose, Receipt, Shortfall, Transaction,
};

/// Shows that the ledgers that `make` makes keep the contract of [`Ledger`].
///
/// `make` is called once for each part of the suite, and makes a ledger that holds nothing.
///
/// # Panics
/// When a ledger breaks the contract; the message names the part.
pub async fn run<L: Ledger>(make: impl AsyncFn() -> L) {
    a_new_ledger_holds_nothing(&make().await).await;
    a_transfer_moves_money_and_makes_none(&make().await).await;
    a_transaction_posted_twice_is_applied_once(&make().await).await;
    an_id_with_other_contents_is_a_conflict(&make().await).await;
    an_account_does_not_fall_below_its_floor(&make().await).await;
    currencies_are_kept_apart(&make().await).await;
    amounts_keep_every_digit(&make().await).await;
    a_balance_that_cannot_be_kept_is_an_error_and_writes_nothing(&make().await).await;
    entries_come_in_order_and_in_pieces(&make().await).await;
    several_accounts_move_at_once_or_not_at_all(&make().await).await;
}

/// 2026-11-20T12:00:00Z, and a nanosecond that must not be lost.
fn noon() -> Timestamp {
    Timestamp::new(1_795_176_000, 1).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn usd(hundredths: i64) -> Money {
    Money::new(Decimal::new(hundredths, 2), Currency::USD)
}

fn acme() -> Account {
    Account::wallet("acme")
}

fn top_up(id: &str, amount: Money) -> Transaction {
    Transaction::transfer(id, noon(), Purpose::TopUp, Account::Cash, acme(), amount)
        .expect("an amount over zero moves between two accounts")
}

fn charge(id: &str, amount: Money) -> Transaction {
    Transaction::transfer(
        id,
        noon(),
        Purpose::Charge,
        acme(),
        Account::Revenue,
        amount,
    )
    .expect("an amount over zero moves between two accounts")
    .leaving_at_least(Money::zero(amount.currency()))
}

async fn post(ledger: &impl Ledger, transaction: &Transaction) -> Posted {
    let posted = ledger.post(transaction).await;
    posted.unwrap_or_else(|error| panic!("posting {}: {error}", transaction.id()))
}

async fn balance(ledger: &impl Ledger, account: &Account, currency: Currency) -> Money {
    let balance = ledger.balance(account, currency).await;
    balance.unwrap_or_else(|error| panic!("the balance of {account}: {error}"))
}

async fn audited(ledger: &impl Ledger) -> Audit {
    let audit = ledger.audit().await;
    audit.unwrap_or_else(|error| panic!("the audit: {error}"))
}

async fn a_new_ledger_holds_nothing(ledger: &impl Ledger) {
    assert_eq!(balance(ledger, &acme(), Currency::USD).await, usd(0));
    let entries = ledger.entries(&acme(), Currency::USD, 0, 10).await;
    assert_eq!(entries.map(|entries| entries.len()).ok(), Some(0));
    let nothing = Audit {
        transactions: 0,
        entries: 0,
        balances: 0,
    };
    assert_eq!(audited(ledger).await, nothing);
}

async fn a_transfer_moves_money_and_makes_none(ledger: &impl Ledger) {
    let posted = post(ledger, &top_up("payment-1", usd(2_000))).await;
    let balances = vec![usd(-2_000), usd(2_000)];
    assert_eq!(
        posted,
        Posted::Applied(Receipt {
            sequence: 1,
            balances
        })
    );
    let posted = post(ledger, &charge("usage-1", usd(701))).await;
    let balances = vec![usd(1_299), usd(701)];
    assert_eq!(
        posted,
        Posted::Applied(Receipt {
            sequence: 2,
            balances
        })
    );
    assert_eq!(balance(ledger, &acme(), Currency::USD).await, usd(1_299));
    assert_eq!(
        balance(ledger, &Account::Cash, Currency::USD).await,
        usd(-2_000)
    );
    let audit = Audit {
        transactions: 2,
        entries: 4,
        balances: 3,
    };
    assert_eq!(audited(ledger).await, audit);
}

async fn a_transaction_posted_twice_is_applied_once(ledger: &impl Ledger) {
    let first = post(ledger, &top_up("payment-1", usd(2_000))).await;
    let _ = post(ledger, &top_up("payment-2", usd(100))).await;
    let again = post(ledger, &top_up("payment-1", usd(2_000))).await;
    // The balances are those of then, not of now.
    assert_eq!(
        Some(&again),
        first
            .receipt()
            .cloned()
            .map(Posted::AlreadyApplied)
            .as_ref()
    );
    assert_eq!(balance(ledger, &acme(), Currency::USD).await, usd(2_100));
    assert_eq!(audited(ledger).await.transactions, 2);
}

async fn an_id_with_other_contents_is_a_conflict(ledger: &impl Ledger) {
    let _ = post(ledger, &top_up("payment-1", usd(2_000))).await;
    let other_amount = top_up("payment-1", usd(2_001));
    let other_purpose = charge("payment-1", usd(2_000));
    for other in [other_amount, other_purpose] {
        match ledger.post(&other).await {
            Err(LedgerError::Conflict(id)) => assert_eq!(id.as_str(), "payment-1"),
            answer => panic!("another transaction with a known id: {answer:?}"),
        }
    }
    assert_eq!(balance(ledger, &acme(), Currency::USD).await, usd(2_000));
}

async fn an_account_does_not_fall_below_its_floor(ledger: &impl Ledger) {
    let _ = post(ledger, &top_up("payment-1", usd(2_000))).await;
    let refused = post(ledger, &charge("usage-1", usd(2_001))).await;
    let shortfall = Shortfall {
        account: acme(),
        balance: usd(2_000),
        lacking: usd(1),
    };
    assert_eq!(refused, Posted::Refused(shortfall));
    assert_eq!(audited(ledger).await.transactions, 1);
    // What was refused was not written: the same id is free, and may fit later.
    let _ = post(ledger, &top_up("payment-2", usd(1))).await;
    let posted = post(ledger, &charge("usage-1", usd(2_001))).await;
    assert!(posted.receipt().is_some());
    assert_eq!(balance(ledger, &acme(), Currency::USD).await, usd(0));
}

async fn currencies_are_kept_apart(ledger: &impl Ledger) {
    let euros = Money::new(Decimal::new(300, 2), Currency::EUR);
    let _ = post(ledger, &top_up("payment-1", usd(2_000))).await;
    let _ = post(ledger, &top_up("payment-2", euros)).await;
    assert_eq!(balance(ledger, &acme(), Currency::USD).await, usd(2_000));
    assert_eq!(balance(ledger, &acme(), Currency::EUR).await, euros);
    assert_eq!(audited(ledger).await.balances, 4);
}

async fn amounts_keep_every_digit(ledger: &impl Ledger) {
    // 0.1 has no end in binary; neither sum is one that a float keeps.
    let tiny = Money::new(Decimal::from_i128_with_scale(1, 27), Currency::USD);
    let _ = post(ledger, &top_up("payment-1", usd(10))).await;
    let _ = post(ledger, &top_up("payment-2", usd(20))).await;
    let _ = post(ledger, &top_up("payment-3", tiny)).await;
    let held = balance(ledger, &acme(), Currency::USD).await;
    assert_eq!(held.amount().to_string(), "0.300000000000000000000000001");
    let _ = audited(ledger).await;
}

async fn a_balance_that_cannot_be_kept_is_an_error_and_writes_nothing(ledger: &impl Ledger) {
    let huge = Money::new(Decimal::MAX, Currency::USD);
    let _ = post(ledger, &top_up("payment-1", huge)).await;
    match ledger.post(&top_up("payment-2", huge)).await {
        Err(LedgerError::Balance { .. }) => {}
        answer => panic!("a balance over the largest decimal: {answer:?}"),
    }
    assert_eq!(balance(ledger, &acme(), Currency::USD).await, huge);
    assert_eq!(audited(ledger).await.transactions, 1);
}

async fn entries_come_in_order_and_in_pieces(ledger: &impl Ledger) {
    let _ = post(ledger, &top_up("payment-1", usd(2_000))).await;
    for number in 1..=4 {
        let _ = post(ledger, &charge(&format!("usage-{number}"), usd(number))).await;
    }
    let mut seen = Vec::new();
    let mut after = 0;
    loop {
        let piece = ledger.entries(&acme(), Currency::USD, after, 2).await;
        let piece = piece.unwrap_or_else(|error| panic!("the entries: {error}"));
        assert!(piece.len() <= 2);
        let Some(last) = piece.last() else { break };
        after = last.sequence;
        seen.extend(piece);
    }
    let amounts: Vec<_> = seen.iter().map(|entry| entry.amount).collect();
    assert_eq!(amounts, [usd(2_000), usd(-1), usd(-2), usd(-3), usd(-4)]);
    let last = seen
        .last()
        .map(|entry| (entry.balance, entry.at, entry.purpose));
    assert_eq!(last, Some((usd(1_990), noon(), Purpose::Charge)));
    assert_eq!(
        seen.last().map(|entry| entry.transaction.as_str()),
        Some("usage-4")
    );
}

async fn several_accounts_move_at_once_or_not_at_all(ledger: &impl Ledger) {
    let posting = |account, amount, floor| Posting {
        account,
        amount,
        floor,
    };
    let split = |id, floor| {
        let postings = vec![
            posting(Account::Cash, usd(-1_000), None),
            posting(acme(), usd(900), None),
            posting(Account::Compensation, usd(100), Some(floor)),
        ];
        Transaction::new(id, noon(), Purpose::TopUp, postings)
            .unwrap_or_else(|error| panic!("three postings that sum to zero: {error}"))
    };
    let refused = post(ledger, &split("payment-1", usd(101))).await;
    assert!(refused.receipt().is_none());
    assert_eq!(audited(ledger).await.entries, 0);
    let _ = post(ledger, &split("payment-2", usd(100))).await;
    assert_eq!(balance(ledger, &acme(), Currency::USD).await, usd(900));
    assert_eq!(audited(ledger).await.entries, 3);
}
