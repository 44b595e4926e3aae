//! What does a plan earn when everything that it promises has to be paid?

use rust_decimal::Decimal;

use super::terms::{Share, SlaError, SlaTerms};
use crate::Margin;

/// Whether a plan can afford its own promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum PlanVerdict {
    /// Even in the worst case the margin stays at or over the floor.
    Sound,
    /// In the worst case the margin is under the floor, and still a gain.
    UnderFloor,
    /// In the worst case the plan loses money: do not offer it.
    Loss,
}

/// A plan's worst case: all requests of the period are affected and worth what they cost the
/// customer, so credit and refund are their full shares of the fees.
///
/// With a margin m and a share k given back, (1 − k) of the price is left to pay for the same cost,
/// so what is netted is (m − k) ÷ (1 − k). To hold a floor f, a plan needs m ≥ k + f × (1 − k).
///
/// ```
/// use bursar_pricing::{Margin, Tier, sla::{PlanCheck, PlanVerdict, SlaTerms}};
/// use rust_decimal::Decimal;
///
/// let terms = SlaTerms::of_tier(&Tier::Enterprise).ok_or("a standard tier")?;
/// let margin = Margin::new(Decimal::new(40, 2))?;
/// let floor = Margin::new(Decimal::new(15, 2))?;
/// let check = PlanCheck::of(margin, &terms, floor)?;
/// assert_eq!(check.net_margin.map(|net| net.round_dp(3)), Some(Decimal::new(143, 3))); // 14.3 %
/// assert_eq!(check.verdict, PlanVerdict::UnderFloor);
/// assert_eq!(check.needed_margin, Decimal::new(405, 3)); // 40.5 % would do
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[must_use]
pub struct PlanCheck {
    /// The plan's margin while every promise is kept.
    pub margin: Margin,
    /// The share of the fees that is given back in the worst case.
    pub given_back: Share,
    /// What is netted then, to 28 digits: a share of what is left of the price. Below zero it is a
    /// loss; `None` when all of the price is given back.
    pub net_margin: Option<Decimal>,
    /// The margin with which the plan would hold the floor, exactly.
    pub needed_margin: Decimal,
    /// Whether the plan can afford its promise.
    pub verdict: PlanVerdict,
}

impl PlanCheck {
    /// The worst case of a plan with this margin under these terms.
    ///
    /// # Errors
    /// [`SlaError::MoreThanAll`] when credit and refund together are more than the fees.
    pub fn of(margin: Margin, terms: &SlaTerms, floor: Margin) -> Result<Self, SlaError> {
        let (credit, refund) = (terms.credit, terms.refund);
        let given_back = credit
            .as_decimal()
            .checked_add(refund.as_decimal())
            .and_then(|sum| Share::new(sum).ok())
            .ok_or(SlaError::MoreThanAll { credit, refund })?;
        let (m, k) = (margin.as_decimal(), given_back.as_decimal());
        let left = Share::ALL.as_decimal().saturating_sub(k);
        let gain = m.saturating_sub(k);
        // Both are products of shares below one, with at most 28 places together in any sane plan;
        // beyond them the last digit is rounded, and the verdict below uses the same number.
        let needed_margin = k.saturating_add(floor.as_decimal().saturating_mul(left));
        let verdict = if gain.is_sign_negative() && !gain.is_zero() || left.is_zero() {
            PlanVerdict::Loss
        } else if m < needed_margin {
            PlanVerdict::UnderFloor
        } else {
            PlanVerdict::Sound
        };
        Ok(Self {
            margin,
            given_back,
            net_margin: gain.checked_div(left),
            needed_margin,
            verdict,
        })
    }
}
