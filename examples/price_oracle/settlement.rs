//! What is due after prepayments and credits, and what is left in a wallet?

use std::collections::BTreeMap;

use bursar_pricing::charge::{Settlement, SettlementError};
use bursar_pricing::ledger::{
    Account, Ledger, LedgerError, MemoryLedger, TransactionError, Wallet, WalletError, WalletEvent,
    WalletPolicy, WalletReceipt,
};
use bursar_units::{Currency, Money};
use futures_executor::block_on;
use jiff::Timestamp;
use num_bigint::BigInt;
use rand::RngExt;
use rust_decimal::Decimal;

use crate::draw::{Random, of_magnitude, pick};
use crate::exact::units;
use crate::outcome::{Findings, Outcome};

/// The amounts of a period, and the movements of a wallet.
#[derive(Debug)]
struct Case {
    charged: Money,
    prepaid: Money,
    credit: Money,
    refund: Money,
    policy: WalletPolicy,
    movements: Vec<Movement>,
}

#[derive(Debug, Clone)]
struct Movement {
    id: String,
    kind: Kind,
    amount: Money,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    TopUp,
    Charge,
    Credit,
}

/// Settles a random period and moves a random wallet, and judges both.
pub(crate) fn check(random: &mut Random, number: u64, outcome: &mut Outcome) -> anyhow::Result<()> {
    let case = Case::random(random);
    let mut findings = outcome.case(number, &case);
    case.settle(&mut findings);
    case.move_wallet(&mut findings)
}

impl Case {
    fn random(random: &mut Random) -> Self {
        let charged = amount(random);
        let prepaid = match random.random_range(0..4) {
            0 => charged,
            1 => usd(Decimal::ZERO),
            _ => amount(random),
        };
        let policy = WalletPolicy {
            low_balance: amount(random),
            credit_line: *pick(random, &[usd(Decimal::ZERO), usd(Decimal::TEN)]),
        };
        let mut movements: Vec<Movement> = Vec::new();
        for number in 0..random.random_range(1..=8) {
            let repeated = movements.get(random.random_range(0..16)).cloned();
            let kind = *pick(
                random,
                &[Kind::TopUp, Kind::Charge, Kind::Charge, Kind::Credit],
            );
            let mut movement = repeated.unwrap_or_else(|| Movement {
                id: format!("m-{number}"),
                kind,
                amount: amount(random),
            });
            if random.random_bool(0.05) {
                movement.amount = amount(random);
            }
            movements.push(movement);
        }
        Self {
            charged,
            prepaid,
            credit: amount(random),
            refund: amount(random),
            policy,
            movements,
        }
    }

    /// Charged − prepaid − credit is due − carried, and one of the two is zero.
    fn settle(&self, findings: &mut Findings<'_>) {
        let amounts = [self.charged, self.prepaid, self.credit, self.refund];
        let [charged, prepaid, credit, refund] = amounts.map(|it| units(it.amount()));
        let zero = BigInt::ZERO;
        let is_negative = prepaid < zero || credit < zero || refund < zero;
        let answer = Settlement::new(self.charged, self.prepaid, self.credit, self.refund);
        match answer {
            Ok(settlement) => {
                let due = units(settlement.due.amount());
                let carried = units(settlement.carried.amount());
                findings.count(match carried > zero {
                    true => "settlement: credit carried on",
                    false => "settlement: due",
                });
                findings.require(!is_negative && prepaid <= charged, "what is settled");
                let is_exact = charged - prepaid - credit == &due - &carried;
                findings.require(is_exact, "a settlement adds up");
                let is_one = due >= zero && carried >= zero && (due == zero || carried == zero);
                findings.require(is_one, "due or carried, never both");
                findings.require(settlement.refund == self.refund, "the refund is kept");
            }
            Err(SettlementError::Negative(_)) => {
                findings.count("settlement: refused, under zero");
                findings.require(is_negative, "an amount that is refused");
            }
            Err(SettlementError::PrepaidOverCharges { .. }) => {
                findings.count("settlement: refused, more prepaid than charged");
                findings.require(prepaid > charged, "a prepayment that is refused");
            }
            Err(other) => findings.require(false, &format!("refused: {other}")),
        }
    }

    /// Every movement is applied once or refused, and the balance is the sum of what was applied.
    fn move_wallet(&self, findings: &mut Findings<'_>) -> anyhow::Result<()> {
        let ledger = MemoryLedger::new();
        let wallet = Wallet::new("acme", self.policy);
        let mut books = Books {
            policy: self.policy,
            balance: BigInt::ZERO,
            applied: BTreeMap::new(),
        };
        block_on(async {
            let at = Timestamp::UNIX_EPOCH;
            for Movement { id, kind, amount } in &self.movements {
                let answer = match kind {
                    Kind::TopUp => wallet.top_up(&ledger, id, at, *amount).await,
                    Kind::Charge => wallet.charge(&ledger, id, at, *amount).await,
                    Kind::Credit => wallet.credit(&ledger, id, at, *amount).await,
                };
                books.judge(findings, id, *kind, *amount, &answer);
            }
            let audit = ledger.audit().await?;
            let is_whole = audit.transactions == books.applied.len() as u64;
            findings.require(is_whole, "every movement is in the ledger once");
            let balance = wallet.balance(&ledger).await?;
            let is_sum = units(balance.amount()) == books.balance;
            findings.require(is_sum, "a balance is the sum of its movements");
            let mut sum = BigInt::ZERO;
            let accounts = [Account::Cash, Account::Revenue, Account::Compensation];
            for account in accounts.into_iter().chain([wallet.account()]) {
                sum += units(ledger.balance(&account, Currency::USD).await?.amount());
            }
            findings.require(sum == BigInt::ZERO, "no money is made or lost");
            Ok(())
        })
    }
}

/// The wallet by the judge's own count.
struct Books {
    policy: WalletPolicy,
    balance: BigInt,
    /// What each movement was, and the balance after it.
    applied: BTreeMap<String, (Kind, Money, BigInt)>,
}

impl Books {
    fn judge(
        &mut self,
        findings: &mut Findings<'_>,
        id: &str,
        kind: Kind,
        amount: Money,
        answer: &Result<WalletReceipt, WalletError>,
    ) {
        if amount.is_negative() || amount.is_zero() {
            findings.count("wallet: refused, not over zero");
            let is_refused = matches!(
                answer,
                Err(WalletError::Transaction(
                    TransactionError::NotPositive { .. }
                ))
            );
            return findings.require(is_refused, "a movement of nothing");
        }
        if let Some((kind_before, amount_before, balance)) = self.applied.get(id) {
            let is_same = (*kind_before, *amount_before) == (kind, amount);
            findings.count("wallet: known");
            let is_right = match answer {
                Ok(WalletReceipt::Done {
                    balance: found,
                    events,
                    ..
                }) => is_same && events.is_empty() && units(found.amount()) == *balance,
                Err(WalletError::Ledger(LedgerError::Conflict(_))) => !is_same,
                _ => false,
            };
            return findings.require(is_right, "a movement that is known");
        }
        let units_moved = units(amount.amount());
        let after = match kind {
            Kind::Charge => &self.balance - units_moved,
            _ => &self.balance + units_moved,
        };
        let lacking = -units(self.policy.credit_line.amount()) - &after;
        if kind == Kind::Charge && lacking > BigInt::ZERO {
            findings.count("wallet: too little");
            let is_right = matches!(
                answer,
                Ok(WalletReceipt::Insufficient(it)) if units(it.lacking.amount()) == lacking
            );
            return findings.require(is_right, "a charge that is refused");
        }
        findings.count("wallet: moved");
        let expected = self.events(&after);
        let is_right = match answer {
            Ok(WalletReceipt::Done {
                balance, events, ..
            }) => units(balance.amount()) == after && *events == expected(*balance),
            _ => false,
        };
        findings.require(is_right, "a movement and its events");
        self.balance = after.clone();
        self.applied.insert(id.to_owned(), (kind, amount, after));
    }

    /// The lines that a movement to this balance crosses.
    fn events(&self, after: &BigInt) -> impl Fn(Money) -> Vec<WalletEvent> + use<> {
        let (zero, low) = (BigInt::ZERO, units(self.policy.low_balance.amount()));
        let is_low = self.balance >= low && *after < low;
        let is_depleted = self.balance > zero && *after <= zero;
        let is_replenished = self.balance <= zero && *after > zero;
        move |balance| {
            let events = [
                (is_low, WalletEvent::LowBalance { balance }),
                (is_depleted, WalletEvent::Depleted { balance }),
                (is_replenished, WalletEvent::Replenished { balance }),
            ];
            let crossed = events.into_iter().filter(|(is_crossed, _)| *is_crossed);
            crossed.map(|(_, event)| event).collect()
        }
    }
}

/// A few digits, seldom nothing or under zero.
fn amount(random: &mut Random) -> Money {
    let (exponent, digits) = (random.random_range(-6..=6), random.random_range(1..=9));
    let amount = of_magnitude(random, exponent, digits);
    usd(match random.random_range(0..30) {
        0 => Decimal::ZERO,
        1 => -amount,
        _ => amount,
    })
}

fn usd(amount: Decimal) -> Money {
    Money::new(amount, Currency::USD)
}
