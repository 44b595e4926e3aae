//! Where is a cell? Names of keys, and the hash tags that put them in one slot.
//!
//! A key is `{tag}:<kind>:<limit>:<key>`. In tags and limits, `%`, `:`, `/`, `{`, `}`, spaces and
//! control characters are written as `%` and two hexadecimal digits, so no two cells share a key; the
//! last part stands as it is.

use std::fmt::Write as _;

use bursar_ratelimit::{Charge, Quota, ReservationId, StoreError};

use crate::settings::{Keying, RedisSettings};
use crate::store::STORE;

/// The tag of all keys of one call, in braces.
pub(crate) fn tag(settings: &RedisSettings, charges: &[Charge<'_>]) -> Result<String, StoreError> {
    let mut tag = format!("{{{}", settings.prefix);
    if let Keying::ByDimension(dimension) = settings.keying {
        let is_shared = |charge: &&Charge<'_>| {
            let own = charge.limit().dimension();
            own != dimension && settings.shared.contains(&own)
        };
        match charges.iter().find(is_shared) {
            Some(shared) if charges.len() == 1 => {
                tag.push('/');
                escape(&mut tag, shared.limit().name());
                tag.push(':');
                escape(&mut tag, shared.key());
            }
            Some(shared) => {
                return Err(apart(
                    shared,
                    "its cell is in a slot of its own; lease its dimension, or ask for it alone",
                ));
            }
            None => {
                tag.push(':');
                escape(&mut tag, owner(dimension, charges)?);
            }
        }
    }
    tag.push('}');
    Ok(tag)
}

/// The one key of the dimension that tags are made of.
fn owner<'a>(
    dimension: bursar_ratelimit::Dimension,
    charges: &[Charge<'a>],
) -> Result<&'a str, StoreError> {
    let mut owners = charges
        .iter()
        .filter(|charge| charge.limit().dimension() == dimension);
    let Some(first) = owners.next() else {
        let reason = format!("its cell is found by the {dimension}; charge a limit of it as well");
        return charges
            .first()
            .map_or(Ok(""), |one| Err(apart(one, reason)));
    };
    match owners.find(|other| other.key() != first.key()) {
        Some(other) => Err(apart(other, "the call names another key of its dimension")),
        None => Ok(first.key()),
    }
}

fn apart(charge: &Charge<'_>, reason: impl Into<String>) -> StoreError {
    StoreError::Apart {
        limit: charge.limit().name().to_owned(),
        store: STORE,
        reason: reason.into(),
    }
}

/// The key of a charge's cell. Quotas of different kinds have different cells, since what was counted
/// in one way says nothing in another.
pub(crate) fn cell(tag: &str, charge: &Charge<'_>) -> String {
    let limit = charge.limit().name();
    let mut key = String::with_capacity(tag.len() + limit.len() + charge.key().len() + 4);
    key.push_str(tag);
    key.push_str(match charge.quota() {
        Quota::SlidingWindow(_) => ":w:",
        Quota::Concurrency(_) => ":c:",
        Quota::Budget(_) => ":b:",
        // Every other kind is refused before.
        _ => ":r:",
    });
    escape(&mut key, limit);
    key.push(':');
    key.push_str(charge.key());
    key
}

/// The key of a reservation's marker, in the slot of its cells.
pub(crate) fn marker(tag: &str, id: ReservationId) -> String {
    format!("{tag}:s:{:032x}", id.0)
}

/// The tag of a cell's key, if a store with this prefix has made it.
pub(crate) fn tag_of<'k>(prefix: &str, key: &'k str) -> Option<&'k str> {
    let rest = key.strip_prefix('{')?.strip_prefix(prefix)?;
    if !rest.starts_with(['}', ':', '/']) {
        return None;
    }
    let end = key.find('}')?;
    Some(&key[..=end])
}

fn escape(key: &mut String, part: &str) {
    let special = |character: char| {
        character.is_ascii_control() || matches!(character, '%' | ':' | '/' | '{' | '}' | ' ')
    };
    for character in part.chars() {
        if special(character) {
            // Writing to a string cannot fail.
            let _ = write!(key, "%{:02X}", u32::from(character));
        } else {
            key.push(character);
        }
    }
}
