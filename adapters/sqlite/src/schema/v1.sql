-- Version 1: the columns of FOCUS 1.0 to 1.3. Once released, a version is never edited.

-- What was collected, in units that are replaced whole.
CREATE TABLE partitions (
    PartitionId     INTEGER PRIMARY KEY,
    Source          TEXT    NOT NULL,
    Partition       TEXT    NOT NULL,
    Records         INTEGER NOT NULL,  -- how many rows of `records` it has
    Revision        INTEGER NOT NULL,  -- how often it was collected
    FirstChargeDay  TEXT,              -- the UTC days on which its first and its last charge
    LastChargeDay   TEXT,              -- start, so that a window skips whole partitions
    UNIQUE (Source, Partition)
) STRICT;

-- One row of a bill. Amounts are decimals as text, exact to the last place; times are UTC as
-- 2024-02-01T00:00:00Z; NULL is unknown.
CREATE TABLE records (
    PartitionId                         INTEGER NOT NULL REFERENCES partitions,
    Ordinal                             INTEGER NOT NULL,  -- its place in the partition, from 0
    Line                                INTEGER,           -- its line in the file, from 1
    AvailabilityZone                    TEXT,
    BilledCost                          TEXT,
    BillingAccountId                    TEXT,
    BillingAccountName                  TEXT,
    BillingCurrency                     TEXT NOT NULL,
    BillingPeriodEnd                    TEXT,
    BillingPeriodStart                  TEXT,
    ChargeCategory                      TEXT,
    ChargeClass                         TEXT,
    ChargeDescription                   TEXT,
    ChargeFrequency                     TEXT,
    ChargePeriodEnd                     TEXT,
    ChargePeriodStart                   TEXT,
    CommitmentDiscountCategory          TEXT,
    CommitmentDiscountId                TEXT,
    CommitmentDiscountName              TEXT,
    CommitmentDiscountStatus            TEXT,
    CommitmentDiscountType              TEXT,
    ConsumedQuantity                    TEXT,
    ConsumedUnit                        TEXT,
    ContractedCost                      TEXT,
    ContractedUnitPrice                 TEXT,
    EffectiveCost                       TEXT,
    InvoiceIssuerName                   TEXT,
    ListCost                            TEXT,
    ListUnitPrice                       TEXT,
    PricingCategory                     TEXT,
    PricingQuantity                     TEXT,
    PricingUnit                         TEXT,
    ProviderName                        TEXT,
    PublisherName                       TEXT,
    RegionId                            TEXT,
    RegionName                          TEXT,
    ResourceId                          TEXT,
    ResourceName                        TEXT,
    ResourceType                        TEXT,
    ServiceCategory                     TEXT,
    ServiceName                         TEXT,
    SkuId                               TEXT,
    SkuPriceId                          TEXT,
    SubAccountId                        TEXT,
    SubAccountName                      TEXT,
    Tags                                TEXT,
    CapacityReservationId               TEXT,
    CapacityReservationStatus           TEXT,
    CommitmentDiscountQuantity          TEXT,
    CommitmentDiscountUnit              TEXT,
    ServiceSubcategory                  TEXT,
    SkuMeter                            TEXT,
    SkuPriceDetails                     TEXT,
    BillingAccountType                  TEXT,
    InvoiceId                           TEXT,
    PricingCurrency                     TEXT,
    PricingCurrencyContractedUnitPrice  TEXT,
    PricingCurrencyEffectiveCost        TEXT,
    PricingCurrencyListUnitPrice        TEXT,
    SubAccountType                      TEXT,
    AllocatedMethodDetails              TEXT,
    AllocatedMethodId                   TEXT,
    AllocatedResourceId                 TEXT,
    AllocatedResourceName               TEXT,
    AllocatedTags                       TEXT,
    ContractApplied                     TEXT,
    HostProviderName                    TEXT,
    ServiceProviderName                 TEXT,
    Extras                              TEXT,              -- other columns: a JSON object
    PRIMARY KEY (PartitionId, Ordinal)
) STRICT;
