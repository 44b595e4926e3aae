//! Which entry of a list is meant by a name?
//!
//! Entries are tried in the order of the list, as genai-prices does, so that an entry for one model comes
//! before one for its family. Names that an entry lists one by one are looked up at once; only entries
//! with patterns are tried one after the other.

use std::collections::HashMap;

use foldhash::fast::FixedState;
use jiff::civil::Date;

use super::{Listing, NoPrice, PriceList, PricedProvider};

#[derive(Debug, Clone, Default)]
pub(super) struct Index {
    by_id: HashMap<Box<str>, usize, FixedState>,
    /// One for each provider.
    models: Vec<ModelIndex>,
}

#[derive(Debug, Clone, Default)]
struct ModelIndex {
    /// The first entry that lists a name, the name in lower case.
    by_name: HashMap<Box<str>, usize, FixedState>,
    /// Entries with patterns, in their order.
    with_patterns: Vec<usize>,
}

impl Index {
    pub(super) fn new(providers: &[PricedProvider]) -> Self {
        let mut by_id = HashMap::with_capacity_and_hasher(providers.len(), FixedState::default());
        for (at, provider) in providers.iter().enumerate() {
            by_id.entry(lowercase(provider.id.as_str())).or_insert(at);
        }
        let models = providers.iter().map(ModelIndex::new).collect();
        Self { by_id, models }
    }
}

impl ModelIndex {
    fn new(provider: &PricedProvider) -> Self {
        let n_models = provider.models.len();
        let mut index = Self {
            by_name: HashMap::with_capacity_and_hasher(n_models, FixedState::default()),
            with_patterns: Vec::new(),
        };
        for (at, model) in provider.models.iter().enumerate() {
            let (names, has_others) = model.names.listed_names();
            for name in names {
                index.by_name.entry(name.into()).or_insert(at);
            }
            if has_others {
                index.with_patterns.push(at);
            }
        }
        index
    }

    fn first_match(&self, provider: &PricedProvider, name: &str) -> Option<usize> {
        let listed = self.by_name.get(name).copied();
        let before = listed.unwrap_or(usize::MAX);
        let mut candidates = self.with_patterns.iter().copied();
        candidates
            .by_ref()
            .take_while(|&at| at < before)
            .find(|&at| provider.models[at].names.matches_lowercase(name))
            .or(listed)
    }
}

impl PriceList {
    /// The entry of a model at a provider.
    ///
    /// The provider may go by its id or another of its names; the model by any name that the list knows.
    /// A date in a name may be written `20251211` where the list has `2025-12-11`. Case does not matter.
    ///
    /// # Errors
    /// [`NoPrice::UnknownProvider`]; [`NoPrice::UnknownModel`].
    pub fn find(&self, provider: &str, model: &str) -> Result<Listing<'_>, NoPrice> {
        let at = self.find_provider(&lowercase(provider.trim()));
        let at = at.ok_or_else(|| NoPrice::UnknownProvider {
            provider: provider.to_owned(),
        })?;
        self.find_at(at, model)
    }

    /// The entry of a model at the provider whose own it is, as far as the list can tell from the name.
    ///
    /// # Errors
    /// [`NoPrice`].
    pub fn find_model(&self, model: &str) -> Result<Listing<'_>, NoPrice> {
        let name = lowercase(model);
        let is_owner = |it: &PricedProvider| {
            it.owns
                .as_ref()
                .is_some_and(|owns| owns.matches_lowercase(&name))
        };
        match self.providers.iter().position(is_owner) {
            Some(at) => self.find_at(at, model),
            None => Err(NoPrice::UnknownOwner {
                model: model.to_owned(),
            }),
        }
    }

    /// The provider whose API has this address.
    #[must_use]
    pub fn provider_at(&self, address: &str) -> Option<&PricedProvider> {
        self.providers.iter().find(|provider| {
            let addresses = provider.addresses.as_ref();
            addresses.is_some_and(|addresses| addresses.matches_lowercase(address))
        })
    }

    /// The provider of this id or name.
    #[must_use]
    pub fn provider(&self, name: &str) -> Option<&PricedProvider> {
        let at = self.find_provider(&lowercase(name.trim()))?;
        self.providers.get(at)
    }

    fn find_provider(&self, name: &str) -> Option<usize> {
        let has_name = |it: &PricedProvider| {
            let names = it.also_called.as_ref();
            names.is_some_and(|names| names.matches_lowercase(name))
        };
        let by_id = self.index.by_id.get(name).copied();
        by_id.or_else(|| self.providers.iter().position(has_name))
    }

    fn find_at(&self, at: usize, model: &str) -> Result<Listing<'_>, NoPrice> {
        let name = lowercase(model);
        let found = self.find_name(at, &name).or_else(|| {
            let dashed = with_dashed_date(&name)?;
            self.find_name(at, &dashed)
        });
        found.ok_or_else(|| NoPrice::UnknownModel {
            provider: self.providers[at].id.clone(),
            model: model.to_owned(),
        })
    }

    fn find_name(&self, at: usize, name: &str) -> Option<Listing<'_>> {
        let asked = &self.providers[at];
        if let Some(listing) = self.listing(at, name) {
            return Some(listing);
        }
        asked.stand_ins.iter().find_map(|stand_in| {
            let at = self.index.by_id.get(&lowercase(stand_in.as_str()))?;
            let listing = self.listing(*at, name)?;
            Some(Listing {
                asked: Some(&asked.id),
                ..listing
            })
        })
    }

    fn listing(&self, at: usize, name: &str) -> Option<Listing<'_>> {
        let provider = &self.providers[at];
        let model = self.index.models[at].first_match(provider, name)?;
        Some(Listing {
            provider,
            model: &provider.models[model],
            asked: None,
        })
    }
}

fn lowercase(text: &str) -> Box<str> {
    text.to_ascii_lowercase().into()
}

/// `gpt-5.2-20251211` as `gpt-5.2-2025-12-11`: LiteLLM and OpenRouter write dates without dashes.
fn with_dashed_date(name: &str) -> Option<String> {
    const COMPACT: usize = "-20251211".len();
    let (start, ending) = match name.find(':') {
        Some(colon) => name.split_at(colon),
        None => (name, ""),
    };
    let at = start.len().checked_sub(COMPACT)?;
    let digits = start.get(at..)?.strip_prefix("-20")?;
    let number = |range: std::ops::Range<usize>| -> Option<i8> {
        let digits = digits.get(range)?;
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
        if is_number { digits.parse().ok() } else { None }
    };
    let (year, month, day) = (number(0..2)?, number(2..4)?, number(4..6)?);
    let date = Date::new(2000 + i16::from(year), month, day).ok()?;
    Some(format!("{}-{date}{ending}", &start[..at]))
}

#[cfg(test)]
mod tests {
    use super::with_dashed_date;

    #[test]
    fn a_compact_date_at_the_end_gets_its_dashes() {
        for (name, expected) in [
            ("gpt-5.2-20251211", Some("gpt-5.2-2025-12-11")),
            ("gpt-5.2-20251211:free", Some("gpt-5.2-2025-12-11:free")),
            ("gpt-5.2-20251311", None),
            ("gpt-5.2-20250230", None),
            ("gpt-5.2-2025121", None),
            ("20251211", None),
            ("-2025+1+1", None),
            ("modèle-2025ü11", None),
        ] {
            assert_eq!(with_dashed_date(name).as_deref(), expected, "{name}");
        }
    }
}
