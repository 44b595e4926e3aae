//! Among how many networks or clients is the use spread, and which of them are new?

/// The weight of use by value, faded by half-lives, for the values that weigh most: what an account
/// normally uses, in bounded memory. A value is new until it has been known for a grace time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Shares<const SLOTS: usize> {
    slots: [Slot; SLOTS],
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Slot {
    value: u64,
    /// Faded by days: what the account uses now.
    recent: f64,
    first_ms: i64,
    last_ms: i64,
}

/// A day: what is recent, and how long something stays new.
pub(crate) const DAY_MS: i64 = 86_400_000;

impl<const SLOTS: usize> Default for Shares<SLOTS> {
    fn default() -> Self {
        Self {
            slots: [Slot::default(); SLOTS],
        }
    }
}

impl<const SLOTS: usize> Shares<SLOTS> {
    /// Takes a use in and says whether its value is new: first seen less than a day ago.
    pub(crate) fn add(&mut self, value: u64, weight: f64, at_ms: i64) -> bool {
        let weight = weight.max(1.0);
        if let Some(slot) = self
            .slots
            .iter_mut()
            .find(|slot| slot.value == value && slot.recent > 0.0)
        {
            slot.recent = slot.faded(at_ms) + weight;
            slot.last_ms = slot.last_ms.max(at_ms);
            return at_ms - slot.first_ms < DAY_MS;
        }
        let key = |slot: &Slot| slot.faded(at_ms);
        let least = self
            .slots
            .iter_mut()
            .min_by(|a, b| key(a).total_cmp(&key(b)));
        if let Some(slot) = least {
            *slot = Slot {
                value,
                recent: weight,
                first_ms: at_ms,
                last_ms: at_ms,
            };
        }
        true
    }

    /// How many values were used within a span before now.
    pub(crate) fn active(&self, span_ms: i64, at_ms: i64) -> usize {
        let is_active = |slot: &&Slot| slot.recent > 0.0 && at_ms - slot.last_ms < span_ms;
        self.slots.iter().filter(is_active).count()
    }

    /// The effective number of values: 2 to the power of the entropy of their shares (Hill, 1973).
    /// One for a single network, close to n for n used alike; none seen is zero.
    pub(crate) fn spread(&self, at_ms: i64) -> f64 {
        let weights = self.slots.map(|slot| slot.faded(at_ms));
        let total: f64 = weights.iter().sum();
        if total <= 0.0 {
            return 0.0;
        }
        let shares = weights.iter().map(|weight| weight / total);
        let entropy: f64 = shares
            .filter(|&share| share > 0.0)
            .map(|share| -share * share.log2())
            .sum();
        entropy.exp2()
    }
}

impl Slot {
    fn faded(&self, at_ms: i64) -> f64 {
        let days = (at_ms - self.last_ms).max(0) as f64 / DAY_MS as f64;
        self.recent * (-days).exp2()
    }
}

/// A share of use that had a property, recently: two sums that fade together.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct FadingShare {
    with: f64,
    all: f64,
    at_ms: i64,
}

impl FadingShare {
    /// The half-life, six hours: a leaked key is used hard within hours.
    const HALF_LIFE_MS: f64 = 6.0 * 3_600_000.0;

    pub(crate) fn add(&mut self, has: bool, weight: f64, at_ms: i64) {
        let fade = (-((at_ms - self.at_ms).max(0) as f64) / Self::HALF_LIFE_MS).exp2();
        self.all = self.all * fade + weight;
        self.with = self.with * fade + if has { weight } else { 0.0 };
        self.at_ms = self.at_ms.max(at_ms);
    }

    pub(crate) fn share(&self) -> Option<f64> {
        (self.all > 0.0).then(|| self.with / self.all)
    }
}
