//! Who is behind an account?

/// Who is behind an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// One person with a line at home and a phone, who may travel.
    Home,
    /// People behind one address, some of them at home.
    Office,
    /// Build machines: bursts from many addresses of a cloud.
    CiFleet,
    /// Functions: an even stream from many addresses of a cloud.
    ServerlessFleet,
    /// One person behind changing exits of a VPN.
    VpnUser,
    /// Strangers in many countries who share a key.
    ResellerRing,
    /// An honest account whose key a thief uses from some day on.
    LeakedKey,
    /// A new account that spends what it will not pay.
    NewFraudster,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::Home,
        Self::Office,
        Self::CiFleet,
        Self::ServerlessFleet,
        Self::VpnUser,
        Self::ResellerRing,
        Self::LeakedKey,
        Self::NewFraudster,
    ];

    /// The label in files, such as `reseller_ring`.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Home => "home",
            Self::Office => "office",
            Self::CiFleet => "ci_fleet",
            Self::ServerlessFleet => "serverless_fleet",
            Self::VpnUser => "vpn_user",
            Self::ResellerRing => "reseller_ring",
            Self::LeakedKey => "leaked_key",
            Self::NewFraudster => "new_fraudster",
        }
    }

    /// Whether such an account is abused, or abuses.
    #[must_use]
    pub const fn is_abused(self) -> bool {
        matches!(
            self,
            Self::ResellerRing | Self::LeakedKey | Self::NewFraudster
        )
    }
}
