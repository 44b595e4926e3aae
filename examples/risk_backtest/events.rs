//! Which requests are judged? Generated ones, or the rows of a file.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use anyhow::{Context, bail};
use bursar_risk::synthetic;
use bursar_risk::{Code, Event};
use jiff::Timestamp;
use jiff::civil::DateTime;
use rust_decimal::Decimal;
use serde::Deserialize;

/// Requests in the order of time, and what is known of their accounts.
pub(crate) struct History {
    pub(crate) events: Vec<(u32, Event)>,
    pub(crate) accounts: Vec<Account>,
    pub(crate) source: String,
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

/// A row of the file, as text: what cannot be read is named with its line.
#[derive(Deserialize)]
struct Row {
    timestamp: String,
    account: String,
    #[serde(default)]
    account_created: String,
    #[serde(default)]
    ip: String,
    #[serde(default)]
    asn: String,
    #[serde(default)]
    country: String,
    #[serde(default)]
    client: String,
    #[serde(default)]
    input_tokens: String,
    #[serde(default)]
    output_tokens: String,
    #[serde(default)]
    spend_usd: String,
    #[serde(default)]
    label: String,
}

impl History {
    pub(crate) fn generate(seed: u64, accounts: u32) -> Self {
        let blank = Account::default();
        let mut known = vec![blank; accounts as usize];
        let mut events = Vec::new();
        for labeled in synthetic::generate(seed, accounts) {
            let account = &mut known[labeled.account as usize];
            account.label = labeled.kind.label().to_owned();
            account.name = format!("account-{:05}", labeled.account);
            account.is_abused = Some(account.is_abused == Some(true) || labeled.is_abuse);
            if labeled.is_abuse {
                account.abuse_from = account.abuse_from.or(Some(labeled.event.at));
            }
            events.push((labeled.account, labeled.event));
        }
        Self {
            events,
            accounts: known,
            source: format!("generated, seed {seed}"),
        }
    }

    pub(crate) fn read(file: &Path, abuse: &[String]) -> anyhow::Result<Self> {
        let name = file.display();
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .from_path(file)
            .with_context(|| format!("cannot read {name}"))?;
        let mut numbers: HashMap<String, u32> = HashMap::new();
        let mut accounts: Vec<Account> = Vec::new();
        let mut events = Vec::new();
        for (line, row) in (2..).zip(reader.deserialize::<Row>()) {
            let row = row.with_context(|| format!("{name}, row {line}"))?;
            let event = row.event().with_context(|| format!("{name}, row {line}"))?;
            let number = *numbers.entry(row.account.clone()).or_insert_with(|| {
                accounts.push(Account {
                    name: row.account.clone(),
                    ..Account::default()
                });
                accounts.len() as u32 - 1
            });
            accounts[number as usize].note(&row.label, abuse, event.at);
            events.push((number, event));
        }
        events.sort_by_key(|(_, event)| event.at);
        Ok(Self {
            events,
            accounts,
            source: name.to_string(),
        })
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

impl Row {
    fn event(&self) -> anyhow::Result<Event> {
        let mut event = Event::new(time(&self.timestamp)?);
        event.account_created = optional(&self.account_created, time)?;
        event.address = optional(&self.ip, |text| Ok(text.parse()?))?;
        event.network = optional(&self.asn, |text| {
            Ok(text.trim_start_matches(['A', 'S', 'a', 's']).parse()?)
        })?;
        event.country = optional(&self.country, |text| Ok(Code::new(text)?))?;
        event.client = optional(&self.client, |text| Ok(fingerprint(text)))?;
        let tokens = |text: &str| anyhow::Ok(text.parse::<f64>()?.max(0.0) as u64);
        let input = optional(&self.input_tokens, tokens)?.unwrap_or(0);
        let output = optional(&self.output_tokens, tokens)?.unwrap_or(0);
        event.tokens = input.saturating_add(output);
        event.spend = optional(&self.spend_usd, |text| {
            Ok(Decimal::from_str_exact(text).or_else(|_| Decimal::from_scientific(text))?)
        })?;
        Ok(event)
    }
}

/// An empty cell is a value that is not known.
fn optional<T>(text: &str, read: impl Fn(&str) -> anyhow::Result<T>) -> anyhow::Result<Option<T>> {
    match text.is_empty() {
        true => Ok(None),
        false => read(text)
            .map(Some)
            .with_context(|| format!("cannot read `{text}`")),
    }
}

/// RFC 3339, the same without a zone (UTC), a date, or seconds or milliseconds since 1970.
fn time(text: &str) -> anyhow::Result<Timestamp> {
    if let Ok(number) = text.parse::<f64>() {
        let seconds = if number.abs() > 1e11 {
            number / 1000.0
        } else {
            number
        };
        return Ok(Timestamp::from_millisecond((seconds * 1000.0) as i64)?);
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    match text.parse::<DateTime>() {
        Ok(civil) => Ok(civil.to_zoned(jiff::tz::TimeZone::UTC)?.timestamp()),
        Err(_) => bail!("`{text}` is no time: write 2026-11-27T09:30:00Z"),
    }
}

/// FNV-1a of 64 bits.
fn fingerprint(text: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    text.bytes().fold(0xcbf2_9ce4_8422_2325, step)
}
