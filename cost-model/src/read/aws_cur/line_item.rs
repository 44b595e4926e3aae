//! What does the type of a CUR line item say about its cost?
//!
//! Sources: AWS, *Cost and Usage Report User Guide*, "Line item details", "Understanding Savings
//! Plans" and "Understanding your reservations"; the amortized cost is that of the *CUR Query
//! Library* (AWS Well-Architected Labs, "Reserved Instance and Savings Plan Example").

use crate::ChargeCategory;

/// `lineItem/LineItemType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineItem {
    /// Usage at the on-demand or spot price.
    Usage,
    /// Usage that a reservation covers; its own cost is 0.
    DiscountedUsage,
    /// Usage that a savings plan covers, at the on-demand price.
    SavingsPlanCoveredUsage,
    /// What takes the on-demand price of covered usage off the bill again.
    SavingsPlanNegation,
    /// A subscription or an upfront fee, also of a reservation.
    Fee,
    /// The monthly fee of a reservation, with what of it nothing used.
    RiFee,
    /// The fee for a savings plan that is paid when it is bought.
    SavingsPlanUpfrontFee,
    /// The hourly fee of a savings plan, with what of it nothing used.
    SavingsPlanRecurringFee,
    /// Tax.
    Tax,
    /// A credit that AWS grants.
    Credit,
    /// Money that AWS gives back.
    Refund,
    /// A negotiated or bundled discount on a row of its own.
    Discount,
    /// A type that is not known.
    Other,
}

impl LineItem {
    /// The type of this name.
    pub(super) fn from_name(name: &str) -> LineItem {
        match name {
            "Usage" => LineItem::Usage,
            "DiscountedUsage" => LineItem::DiscountedUsage,
            "SavingsPlanCoveredUsage" => LineItem::SavingsPlanCoveredUsage,
            "SavingsPlanNegation" => LineItem::SavingsPlanNegation,
            "Fee" => LineItem::Fee,
            "RIFee" => LineItem::RiFee,
            "SavingsPlanUpfrontFee" => LineItem::SavingsPlanUpfrontFee,
            "SavingsPlanRecurringFee" => LineItem::SavingsPlanRecurringFee,
            "Tax" => LineItem::Tax,
            "Credit" => LineItem::Credit,
            "Refund" => LineItem::Refund,
            // `Discount`, and by program: `EdpDiscount`, `PrivateRateDiscount`, `SppDiscount`,
            // `BundledDiscount`, `RiVolumeDiscount`.
            name if name.ends_with("Discount") => LineItem::Discount,
            _ => LineItem::Other,
        }
    }

    /// The FOCUS category; unknown for a type that is not known.
    ///
    /// A negation is usage, so that the billed cost of usage under a savings plan adds up to 0 by
    /// category as by every other column, as in FOCUS, which has no such rows. The fees of
    /// commitments are purchases. A refund stays in the category of what it gives back, which is
    /// told by what it names: a commitment, metered usage, or else neither.
    pub(super) fn category(self, commitment: bool, metered: bool) -> Option<ChargeCategory> {
        let category = match self {
            LineItem::Usage
            | LineItem::DiscountedUsage
            | LineItem::SavingsPlanCoveredUsage
            | LineItem::SavingsPlanNegation => ChargeCategory::Usage,
            LineItem::Fee
            | LineItem::RiFee
            | LineItem::SavingsPlanUpfrontFee
            | LineItem::SavingsPlanRecurringFee => ChargeCategory::Purchase,
            LineItem::Tax => ChargeCategory::Tax,
            LineItem::Credit => ChargeCategory::Credit,
            LineItem::Refund if commitment => ChargeCategory::Purchase,
            LineItem::Refund if metered => ChargeCategory::Usage,
            LineItem::Refund | LineItem::Discount => ChargeCategory::Adjustment,
            LineItem::Other => return None,
        };
        Some(category)
    }

    /// Whether the row is consumption, and its quantity one that was consumed.
    ///
    /// A negation repeats the quantity of the usage that it negates.
    pub(super) fn is_consumption(self) -> bool {
        matches!(
            self,
            LineItem::Usage | LineItem::DiscountedUsage | LineItem::SavingsPlanCoveredUsage
        )
    }

    /// Whether the row's price is the one before commitments.
    pub(super) fn has_contracted_price(self) -> bool {
        matches!(self, LineItem::Usage | LineItem::SavingsPlanCoveredUsage)
    }

    /// Whether the row consumes a commitment. A negation goes with the usage that it negates.
    pub(super) fn consumes_commitment(self) -> bool {
        matches!(
            self,
            LineItem::DiscountedUsage
                | LineItem::SavingsPlanCoveredUsage
                | LineItem::SavingsPlanNegation
        )
    }

    /// Whether the row states what of a commitment nothing consumed.
    pub(super) fn states_unused(self) -> bool {
        matches!(self, LineItem::RiFee | LineItem::SavingsPlanRecurringFee)
    }

    /// The FOCUS `ChargeFrequency`, where the type tells it.
    pub(super) fn frequency(self, commitment: bool) -> Option<&'static str> {
        match self {
            LineItem::Fee if commitment => Some("One-Time"),
            LineItem::SavingsPlanUpfrontFee => Some("One-Time"),
            LineItem::RiFee | LineItem::SavingsPlanRecurringFee => Some("Recurring"),
            LineItem::Usage
            | LineItem::DiscountedUsage
            | LineItem::SavingsPlanCoveredUsage
            | LineItem::SavingsPlanNegation => Some("Usage-Based"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_discounts_by_their_name_and_nothing_else() {
        assert_eq!(LineItem::from_name("EdpDiscount"), LineItem::Discount);
        assert_eq!(
            LineItem::from_name("DiscountedUsage"),
            LineItem::DiscountedUsage
        );
        assert_eq!(LineItem::from_name("usage"), LineItem::Other);
        assert_eq!(LineItem::Other.category(true, true), None);
    }

    #[test]
    fn keeps_a_refund_in_the_category_of_what_it_gives_back() {
        for (commitment, metered, category) in [
            (true, true, ChargeCategory::Purchase),
            (false, true, ChargeCategory::Usage),
            (false, false, ChargeCategory::Adjustment),
        ] {
            assert_eq!(
                LineItem::Refund.category(commitment, metered),
                Some(category)
            );
        }
    }
}
