//! Which address does a request come from? As far as proxies of one's own can vouch for it.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::sync::Arc;

use http::header::{FORWARDED, HeaderName};
use http::request::Parts;
use http::{Extensions, HeaderMap};

use super::ExtractError;

type Peer = Arc<dyn Fn(&Extensions) -> Option<IpAddr> + Send + Sync>;

/// How to find the address of a client.
///
/// What the connection says can be trusted; what a header says only as far as one's own proxies wrote
/// it. Anyone can send `X-Forwarded-For`, and each proxy appends whom it was called by, so with `n`
/// trusted proxies in front the `n`th entry from the **right** is the client, and what stands left of
/// it is the client's own invention. A request with fewer entries did not come through the proxies
/// and is refused.
///
/// ```
/// use std::net::{IpAddr, SocketAddr};
/// use std::num::NonZeroUsize;
///
/// use bursar_ratelimit::Dimension;
/// use bursar_tower::{ClientAddress, Extractor, ForwardedBy};
///
/// // With axum: `|extensions| extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip())`.
/// let direct = ClientAddress::of_peer(|extensions| {
///     extensions.get::<SocketAddr>().map(SocketAddr::ip)
/// });
/// // Behind a load balancer and an ingress controller, both of one's own.
/// let behind_two = direct
///     .clone()
///     .forwarded(ForwardedBy::XForwardedFor, NonZeroUsize::new(2).ok_or("zero")?);
/// let address = Dimension::new("address")?;
/// let extractor = Extractor::new().client_address(address, behind_two);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct ClientAddress {
    peer: Peer,
    forwarded: Option<(ForwardedBy, NonZeroUsize)>,
    ipv6_prefix: u8,
}

/// The header in which proxies write whom they were called by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ForwardedBy {
    /// `Forwarded` (RFC 7239).
    Forwarded,
    /// `X-Forwarded-For`.
    XForwardedFor,
}

impl ClientAddress {
    /// The address of the connection, which the server has put into the request's extensions.
    #[must_use]
    pub fn of_peer(peer: impl Fn(&Extensions) -> Option<IpAddr> + Send + Sync + 'static) -> Self {
        Self {
            peer: Arc::new(peer),
            forwarded: None,
            ipv6_prefix: 64,
        }
    }

    /// The address that the outermost of so many trusted proxies was called by. Every connection has
    /// to come through all of them.
    #[must_use]
    pub fn forwarded(self, by: ForwardedBy, trusted_proxies: NonZeroUsize) -> Self {
        Self {
            forwarded: Some((by, trusted_proxies)),
            ..self
        }
    }

    /// How many leading bits of an IPv6 address make the key; 64 unless said otherwise, since
    /// a single customer has at least that many addresses to choose from.
    #[must_use]
    pub fn ipv6_prefix(self, bits: u8) -> Self {
        Self {
            ipv6_prefix: bits.min(128),
            ..self
        }
    }

    pub(crate) fn key(&self, parts: &Parts) -> Result<String, ExtractError> {
        let address = match self.forwarded {
            None => (self.peer)(&parts.extensions)
                .ok_or_else(|| ExtractError::Missing("address of the connection".to_owned()))?,
            Some((by, trusted_proxies)) => forwarded(&parts.headers, by, trusted_proxies)?,
        };
        Ok(match address.to_canonical() {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => {
                let prefix = self.ipv6_prefix;
                let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
                let network = Ipv6Addr::from_bits(address.to_bits() & mask);
                format!("{network}/{prefix}")
            }
        })
    }
}

impl fmt::Debug for ClientAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ClientAddress")
            .field("forwarded", &self.forwarded)
            .field("ipv6_prefix", &self.ipv6_prefix)
            .finish_non_exhaustive()
    }
}

impl ForwardedBy {
    const fn header(self) -> HeaderName {
        match self {
            Self::Forwarded => FORWARDED,
            Self::XForwardedFor => HeaderName::from_static("x-forwarded-for"),
        }
    }
}

/// The entry of the outermost trusted proxy.
fn forwarded(
    headers: &HeaderMap,
    by: ForwardedBy,
    trusted_proxies: NonZeroUsize,
) -> Result<IpAddr, ExtractError> {
    let name = by.header();
    let invalid = |reason: &str| ExtractError::invalid(&format!("header `{name}`"), reason);
    let mut entries = Vec::new();
    for value in headers.get_all(&name) {
        let text = value
            .to_str()
            .map_err(|_| invalid("it is not visible ASCII"))?;
        let parts = split_unquoted(text, ',').ok_or_else(|| invalid("a quote is not closed"))?;
        entries.extend(parts);
    }
    let entry = entries
        .len()
        .checked_sub(trusted_proxies.get())
        .and_then(|index| entries.get(index))
        .ok_or_else(|| invalid("it has fewer entries than there are proxies"))?;
    let address = match by {
        ForwardedBy::XForwardedFor => parse_node(entry),
        ForwardedBy::Forwarded => for_parameter(entry).and_then(|node| parse_node(&node)),
    };
    address.ok_or_else(|| invalid("an entry of a proxy names no address"))
}

/// The parts between separators that do not stand in quotes; `None` if a quote stays open, with
/// which a client could swallow what proxies appended.
fn split_unquoted(text: &str, separator: char) -> Option<Vec<&str>> {
    let mut parts = Vec::new();
    let (mut start, mut quoted, mut escaped) = (0, false, false);
    for (index, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if character == separator && !quoted => {
                parts.push(text[start..index].trim());
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    (!quoted).then_some(parts)
}

/// The value of `for` in an element of `Forwarded`.
fn for_parameter(element: &str) -> Option<String> {
    let pairs = split_unquoted(element, ';')?;
    pairs.into_iter().find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        let unquoted = value.trim().trim_matches('"').replace('\\', "");
        name.trim().eq_ignore_ascii_case("for").then_some(unquoted)
    })
}

/// An address with or without a port: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`.
fn parse_node(node: &str) -> Option<IpAddr> {
    let bare = node
        .strip_prefix('[')
        .and_then(|node| node.strip_suffix(']'));
    let address = bare.unwrap_or(node).parse();
    let with_port = || node.parse().map(|address: SocketAddr| address.ip());
    address.or_else(|_| with_port()).ok()
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use http::Request;

    use super::{ClientAddress, ForwardedBy};

    /// The key of a request whose header has the given lines, behind so many proxies.
    fn key(by: ForwardedBy, lines: &[&str], proxies: usize) -> Option<String> {
        let mut request = Request::builder();
        for line in lines {
            request = request.header(by.header(), *line);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let address =
            ClientAddress::of_peer(|_| None).forwarded(by, NonZeroUsize::new(proxies).unwrap());
        address.key(&parts).ok()
    }

    #[test]
    fn trusts_only_what_its_own_proxies_wrote() {
        let forged = ["6.6.6.6, 192.0.2.1", "198.51.100.7"];
        let from = |proxies| key(ForwardedBy::XForwardedFor, &forged, proxies);
        assert_eq!(from(1).as_deref(), Some("198.51.100.7"));
        assert_eq!(from(2).as_deref(), Some("192.0.2.1"));
        assert_eq!(from(4), None, "it did not come through four proxies");
        assert_eq!(key(ForwardedBy::XForwardedFor, &[], 1), None);
    }

    #[test]
    fn reads_all_forms_of_an_address() {
        for (entry, address) in [
            ("192.0.2.1:4711", Some("192.0.2.1")),
            ("2001:db8:1:2:3::4", Some("2001:db8:1:2::/64")),
            ("[2001:db8:1:2::9]:80", Some("2001:db8:1:2::/64")),
            ("[2001:db8:1:2::9]", Some("2001:db8:1:2::/64")),
            ("::ffff:192.0.2.1", Some("192.0.2.1")),
            ("unknown", None),
            ("", None),
        ] {
            let found = key(ForwardedBy::XForwardedFor, &[entry], 1);
            assert_eq!(found.as_deref(), address, "{entry}");
        }
    }

    #[test]
    fn reads_forwarded_elements() {
        for (line, address) in [
            (
                "for=192.0.2.43;proto=http;by=203.0.113.43",
                Some("192.0.2.43"),
            ),
            (
                "proto=https;For=\"[2001:db8:cafe::17]:4711\"",
                Some("2001:db8:cafe::/64"),
            ),
            ("for=6.6.6.6, for=192.0.2.1", Some("192.0.2.1")),
            ("for=\"6.6.6.6, 7\", for=192.0.2.1", Some("192.0.2.1")),
            // What a client left open would swallow the proxy's entry.
            ("for=\"6.6.6.6, for=192.0.2.1", None),
            ("for=\"\\\", for=192.0.2.1", None),
            ("for=_hidden", None),
            ("by=203.0.113.43", None),
        ] {
            let found = key(ForwardedBy::Forwarded, &[line], 1);
            assert_eq!(found.as_deref(), address, "{line}");
        }
    }

    #[test]
    fn groups_addresses_by_prefix() {
        let (mut parts, ()) = Request::new(()).into_parts();
        parts.extensions.insert("2001:db8:1:2:3::4");
        let address = ClientAddress::of_peer(|extensions| {
            extensions.get::<&str>().and_then(|text| text.parse().ok())
        });
        for (bits, key) in [
            (0, "::/0"),
            (48, "2001:db8:1::/48"),
            (128, "2001:db8:1:2:3::4/128"),
            (200, "2001:db8:1:2:3::4/128"),
        ] {
            let address = address.clone().ipv6_prefix(bits);
            assert_eq!(address.key(&parts).as_deref(), Ok(key));
        }
    }
}
