//! A small bill that keeps every rule, made from the rules: two accounts, two commitments with
//! their whole terms, credits, taxes, adjustments and corrections.

use std::collections::BTreeMap;

use bursar_cost_model::{Exact, ExactSum, InvariantOptions};
use bursar_units::Currency;

use super::exact;
use super::faults::Fault;

pub(crate) type Cells = BTreeMap<&'static str, String>;

pub(crate) struct Bill {
    pub(crate) rows: Vec<Cells>,
}

/// The order of the header; every column that a row may have.
const HEADER: [&str; 33] = [
    "BillingAccountId",
    "BilledCost",
    "EffectiveCost",
    "ListCost",
    "ContractedCost",
    "BillingCurrency",
    "BillingPeriodStart",
    "BillingPeriodEnd",
    "ChargePeriodStart",
    "ChargePeriodEnd",
    "ChargeCategory",
    "ChargeClass",
    "ChargeFrequency",
    "ChargeDescription",
    "CommitmentDiscountId",
    "CommitmentDiscountStatus",
    "ConsumedQuantity",
    "ConsumedUnit",
    "InvoiceId",
    "InvoiceIssuerName",
    "ListUnitPrice",
    "ContractedUnitPrice",
    "PricingCategory",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "RegionId",
    "ResourceId",
    "ResourceName",
    "ServiceCategory",
    "ServiceName",
    "SkuId",
    "Tags",
];

/// Repeatable chance: SplitMix64 (Steele, Lea, Flood 2014).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    /// A number below `sides`.
    pub(crate) fn throw(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % sides
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            items.swap(end, self.throw(end as u64 + 1) as usize);
        }
    }

    fn decimal(&mut self, below: u64, places: u32) -> Exact {
        Exact::new(i128::from(self.throw(below) + 1), places).expect("small numbers fit")
    }
}

pub(crate) fn set(row: &mut Cells, column: &'static str, value: impl ToString) {
    row.insert(column, value.to_string());
}

fn base(account: &str) -> Cells {
    let mut row = Cells::new();
    set(&mut row, "BillingAccountId", account);
    set(&mut row, "InvoiceId", format!("INV-{account}"));
    set(&mut row, "BillingCurrency", "USD");
    set(&mut row, "BillingPeriodStart", "2024-09-01T00:00:00Z");
    set(&mut row, "BillingPeriodEnd", "2024-10-01T00:00:00Z");
    set(&mut row, "ProviderName", "Contoso");
    set(&mut row, "InvoiceIssuerName", "Contoso Cloud, Inc.");
    set(&mut row, "ServiceCategory", "Compute");
    set(&mut row, "ServiceName", "Machines");
    set(&mut row, "ChargeDescription", "-");
    row
}

fn period(row: &mut Cells, start: String, end: String) {
    set(row, "ChargePeriodStart", start);
    set(row, "ChargePeriodEnd", end);
}

fn day(row: &mut Cells, day: u32) {
    let end = match day {
        30 => "2024-10-01T00:00:00Z".to_owned(),
        _ => format!("2024-09-{:02}T00:00:00Z", day + 1),
    };
    period(row, format!("2024-09-{day:02}T00:00:00Z"), end);
}

fn hour(row: &mut Cells, dice: &mut Dice) {
    let (day, hour) = (dice.throw(30) + 1, dice.throw(23));
    period(
        row,
        format!("2024-09-{day:02}T{hour:02}:00:00Z"),
        format!("2024-09-{day:02}T{:02}:00:00Z", hour + 1),
    );
}

/// Sets a quantity, both unit prices and the list and contracted cost that follow.
fn price(row: &mut Cells, quantity: Exact, list: Exact, contracted: Exact, unit: &str) -> Exact {
    let cost = quantity.checked_mul(contracted).expect("small numbers fit");
    set(row, "PricingQuantity", quantity);
    set(row, "PricingUnit", unit);
    set(row, "ListUnitPrice", list);
    set(row, "ContractedUnitPrice", contracted);
    set(
        row,
        "ListCost",
        quantity.checked_mul(list).expect("small numbers fit"),
    );
    set(row, "ContractedCost", cost);
    cost
}

fn consume(row: &mut Cells, quantity: Exact, unit: &str) {
    set(row, "ConsumedQuantity", quantity);
    set(row, "ConsumedUnit", unit);
}

fn costs(row: &mut Cells, billed: Exact, effective: Exact) {
    set(row, "BilledCost", billed);
    set(row, "EffectiveCost", effective);
}

fn usage(account: &str, dice: &mut Dice) -> Cells {
    let mut row = base(account);
    hour(&mut row, dice);
    set(&mut row, "ChargeCategory", "Usage");
    set(&mut row, "ChargeFrequency", "Usage-Based");
    set(&mut row, "PricingCategory", "Standard");
    set(&mut row, "RegionId", "north-1");
    set(&mut row, "SkuId", format!("SKU{}", dice.throw(9)));
    let machine = dice.throw(40);
    set(&mut row, "ResourceId", format!("machine/{machine}"));
    set(&mut row, "ResourceName", format!("web-{machine}"));
    set(
        &mut row,
        "Tags",
        format!(r#"{{"team": "search", "machine": "m{machine}", "spot": true}}"#),
    );
    let quantity = dice.decimal(9_999_999, 6);
    let contracted = dice.decimal(99_999, 5);
    let list = contracted
        .checked_add(exact("0.05"))
        .expect("small numbers fit");
    let cost = price(&mut row, quantity, list, contracted, "Hours");
    consume(&mut row, quantity, "Hours");
    costs(&mut row, cost, cost);
    row
}

fn purchase(commitment: &str, frequency: &str, billed: Exact) -> Cells {
    let mut row = base("A1");
    set(&mut row, "ChargeCategory", "Purchase");
    set(&mut row, "ChargeFrequency", frequency);
    set(&mut row, "PricingCategory", "Standard");
    set(&mut row, "CommitmentDiscountId", commitment);
    set(&mut row, "ResourceId", commitment);
    price(&mut row, exact("1"), billed, billed, "Commitments");
    costs(&mut row, billed, Exact::ZERO);
    row
}

/// Hours of a commitment on one day, at 0.7 an hour against 1 at list price.
fn covered(commitment: &str, on: u32, hours: Exact, hourly: Exact, is_used: bool) -> Cells {
    let mut row = base("A1");
    day(&mut row, on);
    set(&mut row, "ChargeCategory", "Usage");
    set(&mut row, "ChargeFrequency", "Usage-Based");
    set(&mut row, "PricingCategory", "Committed");
    set(&mut row, "CommitmentDiscountId", commitment);
    let list = exact("1");
    price(&mut row, hours, list, list, "Hours");
    if is_used {
        set(&mut row, "CommitmentDiscountStatus", "Used");
        set(&mut row, "ResourceId", "machine/1");
        consume(&mut row, hours, "Hours");
    } else {
        set(&mut row, "CommitmentDiscountStatus", "Unused");
        set(&mut row, "ResourceId", commitment);
    }
    costs(
        &mut row,
        Exact::ZERO,
        hours.checked_mul(hourly).expect("small numbers fit"),
    );
    row
}

impl Bill {
    /// A bill of over 300 rows that keeps every rule.
    pub(crate) fn lawful(seed: u64) -> Bill {
        let mut dice = Dice::new(seed);
        let mut rows: Vec<Cells> = (0..230)
            .map(|n| usage(if n % 3 == 0 { "A1" } else { "A2" }, &mut dice))
            .collect();
        // The bill begins before the second commitment does.
        period(
            &mut rows[0],
            "2024-09-01T00:00:00Z".to_owned(),
            "2024-09-01T01:00:00Z".to_owned(),
        );

        // A commitment for September, paid at once: 30 days of 24 hours at 0.7.
        let mut once = purchase("commitment/once", "One-Time", exact("504"));
        period(
            &mut once,
            "2024-09-01T00:00:00Z".to_owned(),
            "2024-10-01T00:00:00Z".to_owned(),
        );
        rows.push(once);
        for on in 1..=30 {
            let used = dice.decimal(22, 0);
            let unused = exact("24").checked_sub(used).expect("small numbers fit");
            let hourly = exact("0.7");
            rows.push(covered("commitment/once", on, used, hourly, true));
            rows.push(covered("commitment/once", on, unused, hourly, false));
        }
        // One that begins on the 11th and is paid by the day: 24 hours at 0.2.
        for on in 11..=20 {
            let mut daily = purchase("commitment/daily", "Recurring", exact("4.8"));
            day(&mut daily, on);
            rows.push(daily);
            let hours = exact("24");
            rows.push(covered("commitment/daily", on, hours, exact("0.2"), true));
        }

        for n in 0..4 {
            let mut credit = base("A2");
            hour(&mut credit, &mut dice);
            set(&mut credit, "ChargeCategory", "Credit");
            let amount = exact(&format!("-{}.25", n + 1));
            set(&mut credit, "ListCost", amount);
            set(&mut credit, "ContractedCost", amount);
            costs(&mut credit, amount, amount);
            rows.push(credit);
        }
        // Taxes of the account without commitments follow their charges; of the other it cannot
        // be told.
        for (account, billed, effective) in [
            ("A2", "7.31", "7.31"),
            ("A2", "0.4", "0.40"),
            ("A1", "90", "60"),
        ] {
            let mut tax = base(account);
            day(&mut tax, 30);
            set(&mut tax, "ChargeCategory", "Tax");
            set(&mut tax, "ListCost", billed);
            set(&mut tax, "ContractedCost", billed);
            costs(&mut tax, exact(billed), exact(effective));
            rows.push(tax);
        }
        for _ in 0..3 {
            let mut adjustment = base("A2");
            day(&mut adjustment, 15);
            set(&mut adjustment, "ChargeCategory", "Adjustment");
            set(&mut adjustment, "ListCost", "0.5");
            set(&mut adjustment, "ContractedCost", "0.5");
            costs(&mut adjustment, exact("0.5"), exact("0.5"));
            rows.push(adjustment);
        }
        // Corrections of August may disagree in everything that is a product or a period.
        for _ in 0..5 {
            let mut correction = usage("A2", &mut dice);
            set(&mut correction, "ChargeClass", "Correction");
            period(
                &mut correction,
                "2024-08-03T00:00:00Z".to_owned(),
                "2024-08-04T00:00:00Z".to_owned(),
            );
            set(&mut correction, "ListCost", "-31");
            set(&mut correction, "ContractedCost", "-29");
            set(&mut correction, "PricingCategory", "");
            costs(&mut correction, exact("-29"), exact("-29.5"));
            rows.push(correction);
        }
        dice.shuffle(&mut rows);
        Bill { rows }
    }

    /// Breaks one of the rows that the fault can break; says which line.
    pub(crate) fn inject(&mut self, fault: &Fault, dice: &mut Dice) -> usize {
        let able: Vec<usize> = (0..self.rows.len())
            .filter(|&at| (fault.fits)(&self.rows[at]))
            .collect();
        assert!(!able.is_empty(), "no row for {}", fault.name);
        let at = able[dice.throw(able.len() as u64) as usize];
        (fault.apply)(&mut self.rows, at);
        at + 2
    }

    /// The options under which the bill is lawful: payable is what the rows add up to, rounded
    /// to cents.
    pub(crate) fn options(&self) -> InvariantOptions {
        let mut sums: BTreeMap<String, ExactSum> = BTreeMap::new();
        for row in &self.rows {
            let sum = sums.entry(row["InvoiceId"].clone()).or_default();
            sum.add(exact(&row["BilledCost"]))
                .expect("small numbers fit");
        }
        let mut options = InvariantOptions::default();
        options.invoices = sums
            .into_iter()
            .map(|(id, sum)| (id, (Currency::USD, exact(&sum.rounded(2).to_string()))))
            .collect();
        options
    }

    pub(crate) fn to_csv(&self) -> String {
        let mut csv = HEADER.join(",");
        for row in &self.rows {
            csv.push('\n');
            let cell = |column: &&str| {
                let text = row.get(column).map_or("", String::as_str);
                format!("\"{}\"", text.replace('"', "\"\""))
            };
            csv += &HEADER.iter().map(cell).collect::<Vec<_>>().join(",");
        }
        csv.push('\n');
        csv
    }
}
