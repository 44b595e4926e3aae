//! Whom do we know already? Entries that deny, watch or allow, each with an owner, a reason and an end.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::Timestamp;

use crate::distinct::{address_key, key_address};

/// What an entry is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum Listed {
    /// An account.
    Account(String),
    /// An address; one of IPv6 stands for its /64.
    Address(IpAddr),
    /// An autonomous system.
    Network(u32),
}

/// What an entry does. Later ones win over earlier ones.
///
/// No entry ever softens what the score says. The order is deny, watch, allow, and the verdict is the
/// worst of list and score. An allow entry keeps doubt from counting: of its subject only the points of
/// rules that were found true count. Rules that trigger because a signal is
/// [missing](crate::Missing::Trigger) give no points, actions do not count under
/// [`Policy::Strictest`](crate::Policy::Strictest), and a verdict is not [held](crate::Standing)
/// beyond the score that gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum Effect {
    /// Only what is known and counted speaks against the subject.
    Allow,
    /// At least REVIEW.
    Watch,
    /// BLOCK.
    Deny,
}

/// An entry: who put it there, why and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct Entry {
    /// What it does.
    pub effect: Effect,
    /// Who answers for it.
    pub owner: String,
    /// Why it is there.
    pub reason: String,
    /// From when on it is void; `None` for never.
    pub expires: Option<Timestamp>,
}

impl Entry {
    fn is_in_force(&self, now: Timestamp) -> bool {
        self.expires.is_none_or(|expires| now < expires)
    }
}

/// The entries in force, by what they are about: at most one of each effect.
///
/// ```
/// use bursar_risk::{Effect, Entry, Listed, Lists, Subject};
/// use jiff::Timestamp;
///
/// let now = Timestamp::from_second(1_800_000_000)?;
/// let mut lists = Lists::default();
/// let entry = |effect, reason: &str| Entry {
///     effect,
///     owner: "trust".into(),
///     reason: reason.into(),
///     expires: None,
/// };
/// lists.insert(Listed::Account("acme".into()), entry(Effect::Allow, "contract 17"));
/// lists.insert(Listed::Network(64_500), entry(Effect::Deny, "a stolen range"));
/// let subject = Subject { account: Some("acme"), network: Some(64_500), ..Subject::default() };
/// assert_eq!(lists.find(&subject, now).map(|entry| entry.effect), Some(Effect::Deny));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Saved", into = "Saved"))]
pub struct Lists {
    accounts: BTreeMap<String, Vec<Entry>>,
    addresses: BTreeMap<u64, Vec<Entry>>,
    networks: BTreeMap<u32, Vec<Entry>>,
}

/// Who is looked up.
#[derive(Debug, Clone, Copy, Default)]
pub struct Subject<'s> {
    /// The account.
    pub account: Option<&'s str>,
    /// Where the request comes from.
    pub address: Option<IpAddr>,
    /// The autonomous system it comes from.
    pub network: Option<u32>,
}

impl Lists {
    /// Puts an entry there, in place of one of the same effect.
    pub fn insert(&mut self, listed: Listed, entry: Entry) {
        let entries = match listed {
            Listed::Account(account) => self.accounts.entry(account).or_default(),
            Listed::Address(address) => self.addresses.entry(address_key(address)).or_default(),
            Listed::Network(network) => self.networks.entry(network).or_default(),
        };
        entries.retain(|other| other.effect != entry.effect);
        entries.push(entry);
    }

    /// Takes the entry of an effect away, and hands it back.
    pub fn remove(&mut self, listed: &Listed, effect: Effect) -> Option<Entry> {
        let entries = match listed {
            Listed::Account(account) => self.accounts.get_mut(account),
            Listed::Address(address) => self.addresses.get_mut(&address_key(*address)),
            Listed::Network(network) => self.networks.get_mut(network),
        }?;
        let place = entries.iter().position(|entry| entry.effect == effect)?;
        Some(entries.swap_remove(place))
    }

    /// The strongest entry in force about any part of the subject.
    #[must_use]
    pub fn find(&self, subject: &Subject<'_>, now: Timestamp) -> Option<&Entry> {
        let accounts = subject
            .account
            .and_then(|account| self.accounts.get(account));
        let addresses = subject
            .address
            .and_then(|address| self.addresses.get(&address_key(address)));
        let networks = subject
            .network
            .and_then(|network| self.networks.get(&network));
        let all = [accounts, addresses, networks]
            .into_iter()
            .flatten()
            .flatten();
        all.filter(|entry| entry.is_in_force(now))
            .max_by_key(|entry| entry.effect)
    }

    /// All entries with what they are about, those that are void too. An address of IPv6 is named by the
    /// first of its /64.
    pub fn entries(&self) -> impl Iterator<Item = (Listed, &Entry)> {
        let accounts = self.accounts.iter();
        let accounts = accounts.map(|(name, entries)| (Listed::Account(name.clone()), entries));
        let addresses = self.addresses.iter();
        let addresses =
            addresses.map(|(key, entries)| (Listed::Address(key_address(*key)), entries));
        let networks = self.networks.iter();
        let networks = networks.map(|(number, entries)| (Listed::Network(*number), entries));
        let all = accounts.chain(addresses).chain(networks);
        all.flat_map(|(listed, entries)| entries.iter().map(move |entry| (listed.clone(), entry)))
    }

    /// Drops what is void, so that lists do not grow for ever.
    pub fn forget_expired(&mut self, now: Timestamp) {
        let tidy = |entries: &mut Vec<Entry>| {
            entries.retain(|entry| entry.is_in_force(now));
            !entries.is_empty()
        };
        self.accounts.retain(|_, entries| tidy(entries));
        self.addresses.retain(|_, entries| tidy(entries));
        self.networks.retain(|_, entries| tidy(entries));
    }
}

/// The entries one by one, each with what it is about.
#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    format: crate::format::Format<1>,
    entries: Vec<(Listed, Entry)>,
}

#[cfg(feature = "serde")]
impl From<Lists> for Saved {
    fn from(lists: Lists) -> Self {
        let entries = lists.entries();
        Self {
            format: crate::format::Format,
            entries: entries
                .map(|(listed, entry)| (listed, entry.clone()))
                .collect(),
        }
    }
}

#[cfg(feature = "serde")]
impl TryFrom<Saved> for Lists {
    type Error = String;

    fn try_from(saved: Saved) -> Result<Self, String> {
        let mut lists = Self::default();
        let count = saved.entries.len();
        for (listed, entry) in saved.entries {
            lists.insert(listed, entry);
        }
        // One that took the place of another would be lost without a word.
        match lists.entries().count() == count {
            true => Ok(lists),
            false => {
                Err("two entries of one effect are about the same: keep one of them".to_owned())
            }
        }
    }
}
