//! Which rules make up the eight invariants, and where does each come from?

use std::fmt;

use crate::Column;

/// One of the eight things that hold in every lawful FOCUS bill.
///
/// Source: FinOps Open Cost and Usage Specification 1.0 to 1.2, the column and attribute files
/// named by [`source`](Invariant::source) (CC BY 4.0).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Invariant {
    /// 1: periods, their ends and zones, and how null is written.
    Periods,
    /// 2: cost = unit price × quantity.
    Products,
    /// 3: the rows of an invoice add up to what is payable.
    Invoices,
    /// 4: the effective cost of purchases, credits and taxes.
    EffectiveCost,
    /// 5: what a commitment cost is what its usage is charged.
    Commitments,
    /// 6: quantities stand where they belong, with their units.
    Quantities,
    /// 7: a discount covers a whole row, and the row says which.
    Splits,
    /// 8: tags are a flat JSON object.
    Tags,
}

impl Invariant {
    /// The eight, in order of their numbers.
    pub const ALL: [Invariant; 8] = [
        Invariant::Periods,
        Invariant::Products,
        Invariant::Invoices,
        Invariant::EffectiveCost,
        Invariant::Commitments,
        Invariant::Quantities,
        Invariant::Splits,
        Invariant::Tags,
    ];

    /// Its number, 1 to 8.
    #[must_use]
    pub fn number(self) -> u8 {
        self as u8 + 1
    }

    /// A heading.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Invariant::Periods => "Periods and nulls",
            Invariant::Products => "Cost is price times quantity",
            Invariant::Invoices => "Rows add up to the invoice",
            Invariant::EffectiveCost => "Effective cost of purchases, credits and taxes",
            Invariant::Commitments => "Commitments are used up to what they cost",
            Invariant::Quantities => "Quantities and units",
            Invariant::Splits => "Discounts cover whole rows",
            Invariant::Tags => "Tags are a flat object",
        }
    }

    /// The invariant in one sentence.
    #[must_use]
    pub fn statement(self) -> &'static str {
        match self {
            Invariant::Periods => {
                "Every period ends, exclusively, after it starts, times are UTC, and a value that is not there is null."
            }
            Invariant::Products => {
                "List and contracted cost are the unit price times the pricing quantity, except in corrections."
            }
            Invariant::Invoices => {
                "The billed costs of the rows of an invoice add up to what the invoice says is payable."
            }
            Invariant::EffectiveCost => {
                "A prepaid purchase has no effective cost, a credit has its billed cost, and a tax follows the charges it is levied on."
            }
            Invariant::Commitments => {
                "Over the term of a commitment the effective costs of its used and unused rows add up to what its purchase was billed."
            }
            Invariant::Quantities => {
                "Only usage consumes, taxes have no quantity, usage and purchases have one, and a quantity has a unit."
            }
            Invariant::Splits => {
                "A row is covered by one commitment as a whole or not at all, and names it."
            }
            Invariant::Tags => {
                "Tags are one JSON object of distinct keys whose values are text, numbers, booleans or null."
            }
        }
    }

    /// The files of the specification that it is taken from.
    #[must_use]
    pub fn source(self) -> &'static str {
        match self {
            Invariant::Periods => {
                "FOCUS attributes/datetime_format, attributes/null_handling, columns/chargeperiodstart, columns/chargeperiodend"
            }
            Invariant::Products => {
                "FOCUS columns/listcost, columns/contractedcost, columns/pricingquantity"
            }
            Invariant::Invoices => {
                "FOCUS columns/billedcost, columns/invoiceid, attributes/invoice_handling"
            }
            Invariant::EffectiveCost => "FOCUS columns/effectivecost",
            Invariant::Commitments => {
                "FOCUS attributes/discount_handling, columns/commitmentdiscountid, columns/resourceid"
            }
            Invariant::Quantities => {
                "FOCUS columns/consumedquantity, columns/consumedunit, columns/pricingquantity, columns/pricingunit"
            }
            Invariant::Splits => {
                "FOCUS attributes/discount_handling, columns/commitmentdiscountstatus, columns/pricingcategory"
            }
            Invariant::Tags => "FOCUS columns/tags, attributes/key_value_format",
        }
    }

    /// The rules that check it.
    pub fn rules(self) -> impl Iterator<Item = Rule> {
        Rule::ALL
            .iter()
            .copied()
            .filter(move |rule| rule.invariant() == self)
    }
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}. {}", self.number(), self.title())
    }
}

/// What a rule rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Basis {
    /// A sentence of the specification.
    Specified,
    /// What a bill should show if the specification was followed, though no sentence says it.
    Implied,
}

/// What a rule is tested on, one at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Subject {
    /// Rows.
    Row,
    /// Invoices.
    Invoice,
    /// Commitments.
    Commitment,
}

macro_rules! rules {
    ($($invariant:ident $basis:ident $subject:ident [$($column:ident),*]
       $rule:ident = $name:literal: $statement:literal; $kind:literal,)+) => {
        /// One checkable rule of an [`Invariant`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize))]
        #[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
        #[non_exhaustive]
        pub enum Rule {
            $(
                #[doc = $statement]
                $rule,
            )+
        }

        impl Rule {
            /// Every rule, by invariant.
            pub const ALL: &'static [Rule] = &[$(Rule::$rule,)+];

            /// The invariant that it is part of.
            #[must_use]
            pub fn invariant(self) -> Invariant {
                match self { $(Rule::$rule => Invariant::$invariant,)+ }
            }

            /// A short name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Rule::$rule => $name,)+ }
            }

            /// The rule in one sentence.
            #[must_use]
            pub fn statement(self) -> &'static str {
                match self { $(Rule::$rule => $statement,)+ }
            }

            /// What it rests on.
            #[must_use]
            pub fn basis(self) -> Basis {
                match self { $(Rule::$rule => Basis::$basis,)+ }
            }

            /// What is counted as tested and failed.
            #[must_use]
            pub fn subject(self) -> Subject {
                match self { $(Rule::$rule => Subject::$subject,)+ }
            }

            /// The columns without which nothing can be tested.
            #[must_use]
            pub fn columns(self) -> &'static [Column] {
                match self { $(Rule::$rule => &[$(Column::$column),*],)+ }
            }

            /// The rows that it speaks of, for saying that there is none.
            pub(crate) fn kind(self) -> &'static str {
                match self { $(Rule::$rule => $kind,)+ }
            }
        }
    };
}

rules! {
    Periods Specified Row [ChargePeriodStart, ChargePeriodEnd]
    ChargePeriodOrder = "charge period order": "A charge period ends after it starts.";
        "has both ends of its charge period",
    Periods Specified Row [BillingPeriodStart, BillingPeriodEnd]
    BillingPeriodOrder = "billing period order": "A billing period ends after it starts.";
        "has both ends of its billing period",
    Periods Specified Row [ChargePeriodStart, ChargePeriodEnd]
    ExclusiveEnds = "exclusive ends": "Ends are the first instant after a period, not its last second, minute or day.";
        "has both ends of a period",
    Periods Implied Row [ChargePeriodStart, BillingPeriodStart, BillingPeriodEnd]
    ChargeInBillingPeriod = "charge in billing period": "A charge that corrects nothing starts within its billing period.";
        "that is no correction has a charge period and a billing period",
    Periods Specified Row []
    UtcTimes = "UTC": "Times are in UTC.";
        "holds the zone that its times were spelled with; they were read as UTC",
    Periods Specified Row []
    NullsAreNull = "nulls": "A value that is not there is null, and not a text such as `N/A`, `-` or `none`.";
        "has a text",
    Products Specified Row [ListCost, ListUnitPrice, PricingQuantity]
    ListProduct = "list product": "ListCost is ListUnitPrice × PricingQuantity, except in corrections.";
        "that is no correction has cost, unit price and quantity",
    Products Specified Row [ContractedCost, ContractedUnitPrice, PricingQuantity]
    ContractedProduct = "contracted product": "ContractedCost is ContractedUnitPrice × PricingQuantity, except in corrections.";
        "that is no correction has cost, unit price and quantity",
    Invoices Specified Invoice [InvoiceId, BilledCost]
    InvoiceTotal = "invoice total": "The billed costs of the rows of an invoice add up to its payable amount.";
        "belongs to an invoice whose payable amount is given",
    Invoices Specified Invoice [InvoiceId, BillingAccountId]
    InvoiceAccount = "invoice account": "An invoice belongs to one billing account.";
        "has an invoice and a billing account",
    EffectiveCost Specified Row [CommitmentDiscountId, EffectiveCost]
    PrepaidPurchase = "prepaid purchase": "The purchase of a commitment has an effective cost of 0.";
        "is the purchase of a commitment",
    EffectiveCost Specified Row [EffectiveCost, BilledCost]
    CreditCost = "credit": "The effective cost of a credit is its billed cost.";
        "is a credit",
    EffectiveCost Implied Row [EffectiveCost, BilledCost]
    TaxFollowsCharges = "tax": "Where the effective cost of every other charge of an account's billing period is its billed cost, so is that of every tax.";
        "is a tax in a billing period without prepaid charges",
    Commitments Specified Commitment [CommitmentDiscountId, EffectiveCost, BilledCost]
    CommitmentBalance = "commitment balance": "Over its term, the effective costs of a commitment's usage add up to the billed costs of its purchases.";
        "belongs to a commitment whose whole term is in the bill",
    Commitments Specified Row [CommitmentDiscountId, BilledCost]
    CoveredIsNotBilled = "covered usage": "Usage that a commitment covers has a billed cost of 0.";
        "is usage that a commitment covers",
    Commitments Specified Row [CommitmentDiscountId, CommitmentDiscountStatus, ResourceId]
    UnusedNamesCommitment = "unused resource": "The resource of an unused part is the commitment itself.";
        "is the unused part of a commitment",
    Commitments Specified Row [CommitmentDiscountStatus]
    UnusedIsNotConsumed = "unused consumption": "The unused part of a commitment has no consumed quantity.";
        "is the unused part of a commitment",
    Quantities Specified Row [ChargeCategory]
    ConsumedOnlyByUsage = "consumed quantity": "ConsumedQuantity is null unless the charge is usage, and no unused commitment.";
        "is something else than used usage",
    Quantities Specified Row [ChargeCategory]
    TaxHasNoQuantity = "tax quantity": "PricingQuantity is null in a tax.";
        "is a tax",
    Quantities Specified Row [ChargeCategory, PricingQuantity]
    QuantityIsStated = "pricing quantity": "PricingQuantity is not null in usage and purchases that correct nothing.";
        "is usage or a purchase and no correction",
    Quantities Specified Row [PricingQuantity, PricingUnit]
    PricingUnitIsStated = "pricing unit": "Usage or a purchase with a PricingQuantity that corrects nothing has a PricingUnit.";
        "is usage or a purchase with a pricing quantity",
    Quantities Specified Row [ConsumedQuantity, ConsumedUnit]
    ConsumedUnitIsStated = "consumed unit": "Usage with a ConsumedQuantity that corrects nothing has a ConsumedUnit.";
        "is usage with a consumed quantity",
    Splits Specified Row [CommitmentDiscountId, CommitmentDiscountStatus]
    CoveredHasStatus = "covered status": "Usage that names a commitment is either `Used` or `Unused`.";
        "is usage that names a commitment",
    Splits Specified Row [CommitmentDiscountId, PricingCategory]
    CoveredIsCommitted = "covered pricing": "Usage that names a commitment and corrects nothing is priced as `Committed`.";
        "is usage that names a commitment and no correction",
    Splits Specified Row [PricingCategory, CommitmentDiscountId]
    CommittedNamesCommitment = "committed pricing": "A charge that is priced as `Committed` and corrects nothing names its commitment.";
        "is priced as `Committed`",
    Splits Specified Row [CommitmentDiscountStatus, CommitmentDiscountId]
    StatusNamesCommitment = "status": "A charge with a CommitmentDiscountStatus names its commitment.";
        "has a commitment status",
    Tags Specified Row [Tags]
    TagsAreObject = "tags object": "Tags are a JSON object.";
        "has tags",
    Tags Specified Row [Tags]
    TagsAreFlat = "tags values": "The values of tags are text, numbers, booleans or null.";
        "has tags that are a JSON object",
    Tags Specified Row [Tags]
    TagKeysAreUnique = "tags keys": "No key of the tags stands twice.";
        "has tags that are a JSON object",
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
