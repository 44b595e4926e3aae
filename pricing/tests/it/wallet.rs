//! Wallets and the ledger under them.

use bursar_pricing::ledger::{
    Account, Ledger, MemoryLedger, Posting, Purpose, Transaction, TransactionError, Wallet,
    WalletEvent, WalletPolicy, WalletReceipt, conformance,
};
use bursar_units::{Currency, Money};
use futures_executor::block_on;
use jiff::Timestamp;

fn usd(amount: &str) -> Money {
    Money::parse(amount, Currency::USD).unwrap()
}

fn noon() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

#[test]
fn the_ledger_in_memory_keeps_the_contract() {
    block_on(conformance::run(async || MemoryLedger::new()));
}

fn events(receipt: WalletReceipt) -> Vec<WalletEvent> {
    match receipt {
        WalletReceipt::Done { events, .. } => events,
        WalletReceipt::Insufficient(shortfall) => panic!("{shortfall:?}"),
    }
}

#[test]
fn each_line_is_told_once_when_it_is_crossed() {
    let ledger = MemoryLedger::new();
    let wallet = Wallet::new("acme", WalletPolicy::prepaid(usd("5.00")));
    let top_up =
        |id, amount| events(block_on(wallet.top_up(&ledger, id, noon(), usd(amount))).unwrap());
    let charge =
        |id, amount| events(block_on(wallet.charge(&ledger, id, noon(), usd(amount))).unwrap());
    let low = |amount| WalletEvent::LowBalance {
        balance: usd(amount),
    };
    let depleted = |amount| WalletEvent::Depleted {
        balance: usd(amount),
    };
    let replenished = |amount| WalletEvent::Replenished {
        balance: usd(amount),
    };
    assert_eq!(top_up("p1", "20.00"), [replenished("20.00")]);
    assert_eq!(charge("u1", "15.00"), []);
    assert_eq!(charge("u2", "0.01"), [low("4.99")]);
    assert_eq!(charge("u3", "1.00"), []);
    assert_eq!(charge("u4", "3.99"), [depleted("0.00")]);
    assert_eq!(top_up("p2", "5.00"), [replenished("5.00")]);
    // One charge can cross both lines.
    assert_eq!(charge("u5", "5.00"), [low("0.00"), depleted("0.00")]);
    // What was applied before is told no second time.
    assert_eq!(charge("u5", "5.00"), []);
}

#[test]
fn a_credit_line_is_how_far_the_balance_may_fall_below_zero() {
    let ledger = MemoryLedger::new();
    let policy = WalletPolicy {
        credit_line: usd("10.00"),
        ..WalletPolicy::prepaid(usd("5.00"))
    };
    let wallet = Wallet::new("acme", policy);
    let charge = |id, amount| block_on(wallet.charge(&ledger, id, noon(), usd(amount))).unwrap();
    assert!(matches!(charge("u1", "10.00"), WalletReceipt::Done { .. }));
    match charge("u2", "0.01") {
        WalletReceipt::Insufficient(shortfall) => assert_eq!(shortfall.lacking, usd("0.01")),
        done => panic!("{done:?}"),
    }
    assert_eq!(block_on(wallet.balance(&ledger)).unwrap(), usd("-10.00"));
}

#[test]
fn postings_that_are_no_transaction_are_named() {
    let posting = |account, amount| Posting {
        account,
        amount: usd(amount),
        floor: None,
    };
    for (postings, expected) in [
        (
            vec![posting(Account::Cash, "-1.00")],
            "transaction `t` has fewer than two postings: money comes from somewhere and goes somewhere",
        ),
        (
            vec![
                posting(Account::Cash, "-1.00"),
                posting(Account::Revenue, "1.01"),
            ],
            "the postings of transaction `t` sum to 0.01 USD, and not to zero",
        ),
        (
            vec![
                posting(Account::Cash, "-1.00"),
                posting(Account::Cash, "1.00"),
            ],
            "transaction `t` names cash twice: post the sum",
        ),
    ] {
        let error = Transaction::new("t", noon(), Purpose::Correction, postings).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
    for amount in ["0.00", "-1.00"] {
        let (from, to) = (Account::Cash, Account::Revenue);
        let error =
            Transaction::transfer("t", noon(), Purpose::Charge, from, to, usd(amount)).unwrap_err();
        assert!(
            matches!(error, TransactionError::NotPositive { .. }),
            "{error}"
        );
    }
}

#[test]
fn eight_threads_on_one_wallet_never_take_more_than_is_there() {
    let ledger = MemoryLedger::new();
    let wallet = Wallet::new("acme", WalletPolicy::prepaid(usd("5.00")));
    let _ = block_on(wallet.top_up(&ledger, "p1", noon(), usd("100.00"))).unwrap();
    let charge_all = |thread: usize| {
        let charge = |number: &usize| {
            let id = format!("u{thread}-{number}");
            let charged = block_on(wallet.charge(&ledger, &id, noon(), usd("0.30"))).unwrap();
            matches!(charged, WalletReceipt::Done { .. })
        };
        (0..100).filter(charge).count()
    };
    let taken: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|thread| {
                let charge_all = &charge_all;
                scope.spawn(move || charge_all(thread))
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    });
    // 333 × 0.30 are 99.90, and another would be too much.
    assert_eq!(taken, 333);
    assert_eq!(block_on(wallet.balance(&ledger)).unwrap(), usd("0.10"));
    assert_eq!(block_on(ledger.audit()).unwrap().transactions, 334);
}
