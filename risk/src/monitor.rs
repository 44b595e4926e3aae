//! Which accounts are remembered when there is no room for all? Those whose score still counts.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;
use thiserror::Error;

use crate::account::{Account, SignalSettings};
use crate::event::Event;
use crate::signal::Context;
use crate::sketch::DistinctCount;
use crate::standing::{Holding, Standing};

/// The signals and standings of many accounts, in bounded memory.
///
/// When it is full, an account that was idle long and is *clean* (no verdict in force, a faded
/// score under one point) makes room. An account with an active score is never evicted, so that
/// nobody launders a score by flooding the monitor with new accounts.
///
/// With the feature `serde` the whole is saved and loaded as data, settings and all, and goes on after
/// a restart as if there had been none; what cannot have been saved is an error.
///
/// ```
/// use bursar_risk::{Event, Monitor, Signal};
/// use jiff::Timestamp;
///
/// let mut monitor = Monitor::new(1000);
/// let now = Timestamp::from_second(1_800_000_000)?;
/// let event = Event { tokens: 700, address: Some("192.0.2.7".parse()?), ..Event::new(now) };
/// monitor.observe("acme", &event)?;
/// monitor.observe("acme", &event)?;
/// let context = monitor.context("acme", now).ok_or("acme was seen")?;
/// assert_eq!(context.number(Signal::TOKENS_PER_MINUTE), Some(1_400.0));
/// assert_eq!(context.number(Signal::UNIQUE_IPS), Some(1.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "saved::Monitor<'static>"))]
pub struct Monitor {
    accounts: HashMap<Arc<str>, Watched>,
    /// Each account once, with when it was last seen as it was put there (the second-chance
    /// approximation of least recently used, Corbató, 1968).
    queue: VecDeque<(Arc<str>, Timestamp)>,
    settings: SignalSettings,
    holding: Holding,
    max_accounts: usize,
}

#[derive(Debug)]
struct Watched {
    account: Account,
    standing: Standing,
}

/// All room is taken by accounts whose score is active.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "all {max_accounts} accounts have an active score and none may be forgotten: give the monitor more room"
)]
pub struct MonitorFull {
    /// For how many there is room.
    pub max_accounts: usize,
}

impl Monitor {
    /// Room for so many accounts, about two kilobytes each.
    #[must_use]
    pub fn new(max_accounts: usize) -> Self {
        Self::with_settings(max_accounts, SignalSettings::default(), Holding::default())
    }

    /// Room for so many accounts, with settings of the caller's own.
    #[must_use]
    pub fn with_settings(max_accounts: usize, settings: SignalSettings, holding: Holding) -> Self {
        Self {
            accounts: HashMap::new(),
            queue: VecDeque::new(),
            settings,
            holding,
            max_accounts: max_accounts.max(1),
        }
    }

    /// Takes an event of an account in.
    ///
    /// # Errors
    /// [`MonitorFull`] when the account is new and no other may be forgotten.
    pub fn observe(&mut self, account: &str, event: &Event) -> Result<(), MonitorFull> {
        if let Some(watched) = self.accounts.get_mut(account) {
            watched.account.observe(&self.settings, event);
            return Ok(());
        }
        self.make_room(event.at)?;
        let mut fresh = Account::new(&self.settings, event);
        fresh.observe(&self.settings, event);
        let watched = Watched {
            account: fresh,
            standing: Standing::default(),
        };
        let name: Arc<str> = account.into();
        self.queue.push_back((Arc::clone(&name), event.at));
        self.accounts.insert(name, watched);
        Ok(())
    }

    /// The signals of an account; `None` for one that is not known.
    #[must_use]
    pub fn context(&self, account: &str, now: Timestamp) -> Option<Context> {
        let watched = self.accounts.get(account)?;
        Some(watched.account.context(&self.settings, now))
    }

    /// How many addresses an account has in the window, for people to read; see
    /// [`Account::addresses`].
    #[must_use]
    pub fn addresses(&self, account: &str, now: Timestamp) -> Option<DistinctCount> {
        let watched = self.accounts.get(account)?;
        Some(watched.account.addresses(&self.settings, now))
    }

    /// The standing of an account, for [`Decision::hold`](crate::Decision::hold).
    pub fn standing(&mut self, account: &str) -> Option<&mut Standing> {
        self.accounts
            .get_mut(account)
            .map(|watched| &mut watched.standing)
    }

    /// How the past counts.
    #[must_use]
    pub const fn holding(&self) -> &Holding {
        &self.holding
    }

    /// How many accounts are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.accounts.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty()
    }

    fn make_room(&mut self, now: Timestamp) -> Result<(), MonitorFull> {
        if self.accounts.len() < self.max_accounts {
            return Ok(());
        }
        // The first round notes who was seen since; the second must find the idle ones.
        for _ in 0..2 * self.queue.len() {
            let Some((name, queued)) = self.queue.pop_front() else {
                break;
            };
            let Some(watched) = self.accounts.get(&name) else {
                continue;
            };
            let last_seen = watched.account.last_seen();
            if last_seen <= queued && watched.standing.is_clean(&self.holding, now) {
                self.accounts.remove(&name);
                return Ok(());
            }
            self.queue.push_back((name, last_seen));
        }
        Err(MonitorFull {
            max_accounts: self.max_accounts,
        })
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Monitor {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        saved::Monitor::of(self).serialize(serializer)
    }
}

/// The accounts in the order of the queue, in which each stands once.
#[cfg(feature = "serde")]
mod saved {
    use std::borrow::Cow;
    use std::collections::{HashMap, VecDeque};
    use std::sync::Arc;

    use jiff::Timestamp;
    use serde::{Deserialize, Serialize};

    use super::Watched as WatchedAccount;
    use crate::account::{Account, SignalSettings};
    use crate::standing::{Holding, Standing};

    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub(super) struct Monitor<'m> {
        format: crate::format::Format<1>,
        max_accounts: usize,
        settings: Cow<'m, SignalSettings>,
        holding: Holding,
        accounts: Vec<Watched<'m>>,
    }

    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Watched<'m> {
        name: Cow<'m, str>,
        queued: Timestamp,
        account: Cow<'m, Account>,
        standing: Standing,
    }

    impl<'m> Monitor<'m> {
        pub(super) fn of(monitor: &'m super::Monitor) -> Self {
            let watched = |(name, queued): &'m (Arc<str>, Timestamp)| {
                let watched = monitor.accounts.get(name)?;
                Some(Watched {
                    name: Cow::Borrowed(&**name),
                    queued: *queued,
                    account: Cow::Borrowed(&watched.account),
                    standing: watched.standing,
                })
            };
            Self {
                format: crate::format::Format,
                max_accounts: monitor.max_accounts,
                settings: Cow::Borrowed(&monitor.settings),
                holding: monitor.holding,
                accounts: monitor.queue.iter().filter_map(watched).collect(),
            }
        }
    }

    impl TryFrom<Monitor<'_>> for super::Monitor {
        type Error = String;

        fn try_from(saved: Monitor<'_>) -> Result<Self, String> {
            let settings = saved.settings.into_owned();
            if saved.accounts.len() > saved.max_accounts || saved.max_accounts == 0 {
                return Err(format!(
                    "{} accounts were saved where there is room for {}: load an older state",
                    saved.accounts.len(),
                    saved.max_accounts
                ));
            }
            let (mut accounts, mut queue) = (HashMap::new(), VecDeque::new());
            for watched in saved.accounts {
                let name: Arc<str> = Arc::from(watched.name);
                if watched.account.unique_ips() != usize::from(settings.unique_ips) {
                    return Err(format!(
                        "the account `{name}` counts other numbers of addresses than the settings say: load an older state"
                    ));
                }
                let known = WatchedAccount {
                    account: watched.account.into_owned(),
                    standing: watched.standing,
                };
                queue.push_back((Arc::clone(&name), watched.queued));
                if accounts.insert(Arc::clone(&name), known).is_some() {
                    return Err(format!(
                        "the account `{name}` was saved twice: load an older state"
                    ));
                }
            }
            Ok(Self {
                accounts,
                queue,
                settings,
                holding: saved.holding,
                max_accounts: saved.max_accounts,
            })
        }
    }
}
