//! Which columns does a FOCUS cost and usage row have, by name, kind and version?
//!
//! Source: FinOps Open Cost and Usage Specification, `specification/columns` of 1.0 to 1.4
//! (CC BY 4.0). Columns that are not in this list are kept with the row by their own name.

use std::fmt;

/// Versions of the FinOps Open Cost and Usage Specification that introduced columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum FocusVersion {
    /// Ratified in June 2024.
    V1_0,
    /// Ratified in November 2024.
    V1_1,
    /// Ratified in May 2025.
    V1_2,
    /// Ratified in December 2025.
    V1_3,
    /// Ratified in June 2026.
    V1_4,
}

impl fmt::Display for FocusVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FocusVersion::V1_0 => "1.0",
            FocusVersion::V1_1 => "1.1",
            FocusVersion::V1_2 => "1.2",
            FocusVersion::V1_3 => "1.3",
            FocusVersion::V1_4 => "1.4",
        })
    }
}

/// What the cells of a column hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ColumnKind {
    /// A decimal number.
    Decimal,
    /// A date and time in UTC.
    Timestamp,
    /// Text, among it closed sets of values.
    Text,
    /// A JSON object or array.
    Json,
}

macro_rules! columns {
    ($($version:ident { $($column:ident: $kind:ident,)+ })+) => {
        /// A column of the FOCUS cost and usage dataset, 1.0 to 1.4.
        ///
        /// ```
        /// use bursar_cost_model::{Column, ColumnKind, FocusVersion};
        ///
        /// let column = Column::from_name("BilledCost");
        /// assert_eq!(column, Some(Column::BilledCost));
        /// assert_eq!(Column::BilledCost.kind(), ColumnKind::Decimal);
        /// assert_eq!(Column::InvoiceId.since(), FocusVersion::V1_2);
        /// // Query engines fold the case or split the words.
        /// assert_eq!(Column::from_name("billed_cost"), Some(Column::BilledCost));
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum Column {
            $($(
                #[doc = concat!("`", stringify!($column), "`")]
                $column,
            )+)+
        }

        impl Column {
            /// Every column, in the order of the versions that introduced them.
            pub const ALL: &'static [Column] = &[$($(Column::$column,)+)+];

            /// The column's identifier in the specification.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $($(Column::$column => stringify!($column),)+)+ }
            }

            /// What its cells hold.
            #[must_use]
            pub fn kind(self) -> ColumnKind {
                match self { $($(Column::$column => ColumnKind::$kind,)+)+ }
            }

            /// The version that introduced it.
            #[must_use]
            pub fn since(self) -> FocusVersion {
                match self { $($(Column::$column => FocusVersion::$version,)+)+ }
            }
        }
    };
}

columns! {
    V1_0 {
        AvailabilityZone: Text,
        BilledCost: Decimal,
        BillingAccountId: Text,
        BillingAccountName: Text,
        BillingCurrency: Text,
        BillingPeriodEnd: Timestamp,
        BillingPeriodStart: Timestamp,
        ChargeCategory: Text,
        ChargeClass: Text,
        ChargeDescription: Text,
        ChargeFrequency: Text,
        ChargePeriodEnd: Timestamp,
        ChargePeriodStart: Timestamp,
        CommitmentDiscountCategory: Text,
        CommitmentDiscountId: Text,
        CommitmentDiscountName: Text,
        CommitmentDiscountStatus: Text,
        CommitmentDiscountType: Text,
        ConsumedQuantity: Decimal,
        ConsumedUnit: Text,
        ContractedCost: Decimal,
        ContractedUnitPrice: Decimal,
        EffectiveCost: Decimal,
        InvoiceIssuerName: Text,
        ListCost: Decimal,
        ListUnitPrice: Decimal,
        PricingCategory: Text,
        PricingQuantity: Decimal,
        PricingUnit: Text,
        ProviderName: Text,
        PublisherName: Text,
        RegionId: Text,
        RegionName: Text,
        ResourceId: Text,
        ResourceName: Text,
        ResourceType: Text,
        ServiceCategory: Text,
        ServiceName: Text,
        SkuId: Text,
        SkuPriceId: Text,
        SubAccountId: Text,
        SubAccountName: Text,
        Tags: Json,
    }
    V1_1 {
        CapacityReservationId: Text,
        CapacityReservationStatus: Text,
        CommitmentDiscountQuantity: Decimal,
        CommitmentDiscountUnit: Text,
        ServiceSubcategory: Text,
        SkuMeter: Text,
        SkuPriceDetails: Json,
    }
    V1_2 {
        BillingAccountType: Text,
        InvoiceId: Text,
        PricingCurrency: Text,
        PricingCurrencyContractedUnitPrice: Decimal,
        PricingCurrencyEffectiveCost: Decimal,
        PricingCurrencyListUnitPrice: Decimal,
        SubAccountType: Text,
    }
    V1_3 {
        AllocatedMethodDetails: Json,
        AllocatedMethodId: Text,
        AllocatedResourceId: Text,
        AllocatedResourceName: Text,
        AllocatedTags: Json,
        ContractApplied: Json,
        HostProviderName: Text,
        ServiceProviderName: Text,
    }
    V1_4 {
        CommitmentProgramEligibilityDetails: Json,
        InvoiceDetailId: Text,
    }
}

impl Column {
    /// How many columns there are.
    pub const COUNT: usize = Column::ALL.len();

    /// The column of this name; case and underscores do not matter, because query engines that
    /// export FOCUS tables fold them.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Column> {
        let same = |column: &&Column| {
            let letters = name.bytes().filter(|&b| b != b'_');
            letters
                .map(|b| b.to_ascii_lowercase())
                .eq(column.name().bytes().map(|b| b.to_ascii_lowercase()))
        };
        Column::ALL.iter().find(same).copied()
    }

    /// Whether the specification wants the column in every dataset and a value in every row.
    ///
    /// `ProviderName` and `PublisherName` are left out: 1.3 deprecates and 1.4 removes them.
    #[must_use]
    pub fn is_mandatory(self) -> bool {
        matches!(
            self,
            Column::BilledCost
                | Column::EffectiveCost
                | Column::ListCost
                | Column::ContractedCost
                | Column::BillingAccountId
                | Column::BillingCurrency
                | Column::BillingPeriodStart
                | Column::BillingPeriodEnd
                | Column::ChargeCategory
                | Column::ChargePeriodStart
                | Column::ChargePeriodEnd
                | Column::InvoiceIssuerName
                | Column::ServiceCategory
                | Column::ServiceName
        )
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_the_columns_of_each_version() {
        // 43 in 1.0, 50 in 1.1, 57 in 1.2, 65 in 1.3: counted in the specification.
        for (version, count) in [
            (FocusVersion::V1_0, 43),
            (FocusVersion::V1_1, 50),
            (FocusVersion::V1_2, 57),
            (FocusVersion::V1_3, 65),
        ] {
            let known = Column::ALL.iter().filter(|c| c.since() <= version).count();
            assert_eq!(known, count, "{version}");
        }
    }

    #[test]
    fn finds_columns_by_any_spelling_of_their_name() {
        for &column in Column::ALL {
            assert_eq!(Column::from_name(column.name()), Some(column));
            assert_eq!(
                Column::from_name(&column.name().to_lowercase()),
                Some(column)
            );
        }
        assert_eq!(Column::from_name("x_Team"), None);
    }
}
