//! Which networks are hosting or VPN, where many addresses and quick changes of place mean nothing?

use std::collections::BTreeSet;

/// Autonomous systems of clouds, hosting and VPN services. The signals of travel and of access
/// networks leave them out: a build farm changes addresses by the minute, and who switches a VPN on
/// "travels" in a second, the documented false alarm of impossible travel (Sigma rule
/// `azure_identity_protection_impossible_travel`).
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub struct HostingNetworks {
    numbers: BTreeSet<u32>,
}

impl Default for HostingNetworks {
    fn default() -> Self {
        Self::well_known()
    }
}

impl HostingNetworks {
    /// The largest ones, by their numbers in the registries of RIPE, ARIN and APNIC. A service that
    /// has a database of networks gives its own.
    #[must_use]
    pub fn well_known() -> Self {
        Self::new(WELL_KNOWN.iter().copied())
    }

    /// A list of the caller's own.
    #[must_use]
    pub fn new(numbers: impl IntoIterator<Item = u32>) -> Self {
        Self {
            numbers: numbers.into_iter().collect(),
        }
    }

    /// Whether a network is one of them.
    #[must_use]
    pub fn contains(&self, network: u32) -> bool {
        self.numbers.contains(&network)
    }
}

/// Amazon, Google, Microsoft, Oracle, Alibaba, Tencent, IBM, DigitalOcean, Linode/Akamai, OVH,
/// Hetzner, Vultr, Contabo, Scaleway, Leaseweb, Cloudflare, Fastly; M247, Datacamp (two), Clouvider,
/// HostRoyale, Private Layer, Tzulo, QuadraNet and 31173 (Mullvad), which VPN services rent from.
const WELL_KNOWN: &[u32] = &[
    16509, 14618, 15169, 396_982, 8075, 31898, 45102, 132_203, 36351, 14061, 63949, 16276, 24940,
    20473, 51167, 12876, 60781, 28753, 13335, 54113, 9009, 60068, 212_238, 62240, 203_020, 51852,
    11878, 8100, 39351,
];
