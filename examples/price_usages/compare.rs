//! Where do usage and cost agree with what is expected?

use std::collections::BTreeMap;
use std::fmt;

use bursar_model_router::{Cost, CostError, Direction, PriceContext, PriceList, Usage, UsageKind};
use serde::Serialize;

use crate::cases::{Case, Reading};
use crate::catalog::CatalogReport;

/// How many agree, and each that does not.
#[derive(Default, Serialize)]
pub(crate) struct Report {
    extractions: Tally,
    prices: Tally,
    unpriced: Tally,
    disagreements: Vec<Disagreement>,
    /// The same with the shipped catalog, if that is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) catalog: Option<CatalogReport>,
}

/// How many were compared, and how many of these agree.
#[derive(Default, Serialize)]
pub(crate) struct Tally {
    pub(crate) expected: usize,
    pub(crate) agree: usize,
}

#[derive(Serialize)]
struct Disagreement {
    about: &'static str,
    /// The number of the case in the file.
    case: usize,
    provider: String,
    api_flavor: String,
    model: Option<String>,
    expected: String,
    found: String,
    explanation: Option<String>,
}

impl Report {
    pub(crate) fn compare(list: &PriceList, cases: &[Case], context: &PriceContext) -> Self {
        let mut report = Self::default();
        for (number, case) in cases.iter().enumerate() {
            for expected in &case.extracted {
                for reading in &expected.extractors {
                    let comparison = Comparison {
                        list,
                        context,
                        case,
                        number,
                        reading,
                    };
                    comparison.add_to(&mut report, &expected.usage);
                }
            }
        }
        report
    }

    /// Whether every disagreement has an explanation.
    pub(crate) fn is_explained(&self) -> bool {
        let catalog = self.catalog.as_ref();
        self.disagreements.iter().all(|it| it.explanation.is_some())
            && catalog.is_none_or(CatalogReport::is_explained)
    }
}

struct Comparison<'a> {
    list: &'a PriceList,
    context: &'a PriceContext,
    case: &'a Case,
    number: usize,
    reading: &'a Reading,
}

impl Comparison<'_> {
    fn add_to(&self, report: &mut Report, expected: &BTreeMap<UsageKind, u64>) {
        report.extractions.expected += 1;
        let usage = usage(self.list, self.case, self.reading);
        match &usage {
            Ok(usage) if without_zeros(usage) == *expected => report.extractions.agree += 1,
            other => report.disagreements.push(self.disagreement(
                "extraction",
                format!("{expected:?}"),
                format!("{other:?}"),
                None,
            )),
        }
        // A price is compared even where the extraction differs: of the expected usage then.
        let usage = usage.unwrap_or_else(|_| expected.iter().map(|(k, n)| (*k, *n)).collect());
        let model = self.case.model.as_deref().unwrap_or_default();
        let provider = &self.reading.provider_id;
        let cost = self.list.cost(provider, model, &usage, self.context);
        match self.reading.input_price {
            Some(_) => self.add_price(report, &cost),
            None => self.add_unpriced(report, &cost),
        }
    }

    fn add_price(&self, report: &mut Report, cost: &Result<Cost, CostError>) {
        report.prices.expected += 1;
        let expected = [
            self.reading.input_price,
            self.reading.output_price,
            self.reading.total_price,
        ];
        let found = cost.as_ref().map(|cost| {
            [
                Some(cost.known_total_of(Direction::Input).amount()),
                Some(cost.known_total_of(Direction::Output).amount()),
                self.reading
                    .total_price
                    .map(|_| cost.known_total().amount()),
            ]
        });
        if found == Ok(expected) {
            report.prices.agree += 1;
            return;
        }
        let found = match found {
            Ok(amounts) => format!("{amounts:?}"),
            Err(error) => error.to_string(),
        };
        let expected = format!("{expected:?}");
        let explanation = self.explanation(cost);
        let disagreement = self.disagreement("price", expected, found, explanation);
        report.disagreements.push(disagreement);
    }

    fn add_unpriced(&self, report: &mut Report, cost: &Result<Cost, CostError>) {
        report.unpriced.expected += 1;
        match cost {
            Err(CostError::NoPrice(_)) => report.unpriced.agree += 1,
            other => report.disagreements.push(self.disagreement(
                "unpriced",
                "no price".to_owned(),
                format!("{other:?}"),
                None,
            )),
        }
    }

    /// What is known to be different on purpose.
    fn explanation(&self, cost: &Result<Cost, CostError>) -> Option<String> {
        let model = self.case.model.as_deref()?;
        let listing = self.list.find(&self.reading.provider_id, model).ok()?;
        let is_zero = self
            .reading
            .input_price
            .is_some_and(|price| price.is_zero())
            && self
                .reading
                .output_price
                .is_some_and(|price| price.is_zero());
        let has_no_rate = listing.model().prices().is_empty() && cost.is_err();
        (is_zero && has_no_rate).then(|| {
            "the list has this model without any rate; the sum of no rates is expected to be 0, \
             and here it is no price"
                .to_owned()
        })
    }

    fn disagreement(
        &self,
        about: &'static str,
        expected: String,
        found: String,
        explanation: Option<String>,
    ) -> Disagreement {
        Disagreement {
            about,
            case: self.number,
            provider: self.reading.provider_id.clone(),
            api_flavor: self.reading.api_flavor.clone(),
            model: self.case.model.clone(),
            expected,
            found,
            explanation,
        }
    }
}

/// What the reader of a provider finds in a body.
pub(crate) fn usage(list: &PriceList, case: &Case, reading: &Reading) -> Result<Usage, String> {
    let Reading {
        provider_id,
        api_flavor,
        ..
    } = reading;
    let provider = list.provider(provider_id).ok_or("no such provider")?;
    let extractor = provider.extractor(api_flavor).ok_or("no such flavor")?;
    let extracted = extractor.extract_value(&case.body);
    extracted
        .map(|it| it.usage)
        .map_err(|error| error.to_string())
}

/// Counts of nothing say no more than counts that are not there.
fn without_zeros(usage: &Usage) -> BTreeMap<UsageKind, u64> {
    usage.iter().filter(|&(_, count)| count > 0).collect()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, Tally { expected, agree }) in [
            ("usages", &self.extractions),
            ("prices", &self.prices),
            ("without a price", &self.unpriced),
        ] {
            writeln!(f, "{name:16} {agree:6} of {expected:6} agree")?;
        }
        for it in &self.disagreements {
            let model = it.model.as_deref().unwrap_or("no model");
            writeln!(
                f,
                "case {}, {} {} {model}, {}: expected {}, found {}",
                it.case, it.provider, it.api_flavor, it.about, it.expected, it.found
            )?;
            if let Some(explanation) = &it.explanation {
                writeln!(f, "    {explanation}")?;
            }
        }
        self.catalog.as_ref().map_or(Ok(()), |it| write!(f, "{it}"))
    }
}
