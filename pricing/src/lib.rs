//! x
pub mod charge;
pub mod ledger;
pub mod reconciliation;
pub mod sla;
#[derive(Debug, Clone, PartialEq)]
pub enum Tier {
    Free,
    Growth,
    Enterprise,
    Other(String),
}
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Margin(rust_decimal::Decimal);
impl Margin {
    pub fn new(d: rust_decimal::Decimal) -> Result<Self, std::fmt::Error> {
        Ok(Self(d))
    }
    pub fn as_decimal(self) -> rust_decimal::Decimal {
        self.0
    }
}
