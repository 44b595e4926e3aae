//! Which requests are judged? Generated ones, or the rows of a file.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use bursar_risk::{Event, synthetic};
use jiff::Timestamp;

use crate::table::{Column, FileError, Table};

/// Requests in the order of time, and what is known of their accounts.
pub(crate) struct History {
    pub(crate) events: Vec<(u32, Event)>,
    pub(crate) accounts: Vec<Account>,
    pub(crate) source: String,
    numbers: HashMap<String, u32>,
}

#[derive(Clone, Default)]
pub(crate) struct Account {
    pub(crate) name: String,
    /// The label that says most about it: one of abuse where there is one.
    pub(crate) label: String,
    /// `None` without any label.
    pub(crate) is_abused: Option<bool>,
    /// By event of this account, whether it is abuse; for training.
    pub(crate) abuse_from: Option<Timestamp>,
}

/// Labels of abuse: those of the generator, and what others write.
const ABUSE: &[&str] = &[
    "1",
    "true",
    "yes",
    "bad",
    "abuse",
    "abusive",
    "abused",
    "fraud",
    "fraudulent",
    "malicious",
    "attack",
    "attacker",
    "block",
    "sharing",
    "shared",
    "account_sharing",
    "reseller",
    "reseller_ring",
    "ring",
    "leak",
    "leaked",
    "leaked_key",
    "stolen",
    "stolen_key",
    "compromised",
    "new_fraudster",
    "fraudster",
    "new_account_fraud",
];

impl History {
    pub(crate) fn generate(seed: u64, accounts: u32) -> Self {
        let mut history = Self::of(format!("generated, seed {seed}"));
        for labeled in synthetic::generate(seed, accounts) {
            let number = history.number(&format!("account-{:05}", labeled.account));
            let account = &mut history.accounts[number as usize];
            labeled.kind.label().clone_into(&mut account.label);
            account.is_abused = Some(account.is_abused == Some(true) || labeled.is_abuse);
            if labeled.is_abuse {
                account.abuse_from = account.abuse_from.or(Some(labeled.event.at));
            }
            history.events.push((number, labeled.event));
        }
        history
    }

    /// Reads a file of requests; its columns may stand in any order, and all but `timestamp` and
    /// `account` may be missing or empty.
    pub(crate) fn read(file: &Path, abuse: &[String]) -> Result<Self, FileError> {
        let mut history = Self::of(file.display().to_string());
        let mut table = Table::open(file)?;
        while let Some(row) = table.next_row()? {
            let name: String = row.required(Column::Account, |text| Ok(text.to_owned()))?;
            let event = row.event()?;
            let number = history.number(&name);
            let label = row.text(Column::Label);
            history.accounts[number as usize].note(label, abuse, event.at);
            history.events.push((number, event));
        }
        history.events.sort_by_key(|(_, event)| event.at);
        Ok(history)
    }

    fn of(source: String) -> Self {
        Self {
            events: Vec::new(),
            accounts: Vec::new(),
            source,
            numbers: HashMap::new(),
        }
    }

    /// The number of an account, which is new when its name is.
    fn number(&mut self, name: &str) -> u32 {
        if let Some(&number) = self.numbers.get(name) {
            return number;
        }
        let number = self.accounts.len() as u32;
        self.numbers.insert(name.to_owned(), number);
        self.accounts.push(Account {
            name: name.to_owned(),
            ..Account::default()
        });
        number
    }

    /// How many accounts carry which label, and whether it means abuse.
    pub(crate) fn labels(&self) -> BTreeMap<(bool, String), usize> {
        let mut labels = BTreeMap::new();
        for account in &self.accounts {
            let key = (account.is_abused == Some(true), account.label.clone());
            *labels.entry(key).or_default() += 1;
        }
        labels
    }
}

impl Account {
    fn note(&mut self, label: &str, abuse: &[String], at: Timestamp) {
        if label.is_empty() {
            return;
        }
        let plain = label.to_ascii_lowercase().replace(['-', ' '], "_");
        let is_abuse = match abuse.is_empty() {
            true => ABUSE.contains(&plain.as_str()),
            false => abuse.iter().any(|other| other == label),
        };
        if self.is_abused.is_none() || is_abuse && self.is_abused == Some(false) {
            label.clone_into(&mut self.label);
            self.is_abused = Some(is_abuse);
        }
        if is_abuse {
            self.abuse_from = self.abuse_from.or(Some(at));
        }
    }
}
