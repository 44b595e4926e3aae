//! Which accounts are remembered when there is no room for all? Those whose score still counts.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;
use thiserror::Error;

use crate::account::{Account, SignalSettings};
use crate::event::Event;
use crate::signal::Context;
use crate::standing::{Holding, Standing};

/// The signals and standings of many accounts, in bounded memory.
///
/// When it is full, an account that was idle long and is *clean* (no verdict in force, a faded
/// score under one point) makes room. An account with an active score is never evicted, so that
/// nobody launders a score by flooding the monitor with new accounts.
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
