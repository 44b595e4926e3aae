//! Where does the shipped catalog price the same bodies otherwise, and why?
//!
//! Each difference falls into the first class whose condition holds, and the conditions are computed, not
//! listed: that a price has changed since is said only if the later price of the same list is the catalog's.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use bursar_model_router::{Cost, CostError, Direction, NoPrice, PriceContext, PriceList, Usage};
use rust_decimal::Decimal;
use serde::Serialize;

use crate::cases::{Case, Reading};
use crate::compare::{Tally, usage};

/// How many prices agree, why others do not, and those for which no reason was found.
#[derive(Serialize)]
pub(crate) struct CatalogReport {
    prices: Tally,
    classes: Vec<Explained>,
    unexplained: Vec<Difference>,
}

/// The differences of one class.
#[derive(Serialize)]
struct Explained {
    class: Class,
    n: usize,
    explanation: &'static str,
    /// `provider model`, each once.
    models: BTreeSet<String>,
}

/// Why the catalog's price is another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum Class {
    FreeForLackOfRates,
    ProviderNotInCatalog,
    ModelNotInCatalog,
    NotInForce,
    PriceChangedSince,
    RegionalEndpoint,
    RateNotInCatalog,
    RateOnlyInCatalog,
    TierDiffers,
    MakersPriceChanged,
    ListCorrected,
    SourcesDisagree,
}

/// A difference without a reason.
#[derive(Serialize)]
struct Difference {
    case: usize,
    provider: String,
    model: String,
    expected: String,
    found: String,
}

impl CatalogReport {
    /// Prices the cases with the catalog, and compares with what the list they were made for says.
    pub(crate) fn compare(
        catalog: &PriceList,
        list: &PriceList,
        cases: &[Case],
        context: &PriceContext,
        later: &PriceContext,
    ) -> Self {
        let mut report = Self {
            prices: Tally::default(),
            classes: Vec::new(),
            unexplained: Vec::new(),
        };
        let mut classes: BTreeMap<Class, Explained> = BTreeMap::new();
        for (number, case) in cases.iter().enumerate() {
            for expected in &case.extracted {
                for reading in &expected.extractors {
                    let expected = || expected.usage.iter().map(|(k, n)| (*k, *n)).collect();
                    let usage = usage(list, case, reading).unwrap_or_else(|_| expected());
                    let question = Question {
                        catalog,
                        list,
                        context,
                        later,
                        model: case.model.as_deref().unwrap_or_default(),
                        usage: &usage,
                        reading,
                    };
                    question.add_to(&mut report, &mut classes, number);
                }
            }
        }
        report.classes = classes.into_values().collect();
        report.classes.sort_by_key(|it| std::cmp::Reverse(it.n));
        report
    }

    /// Whether every difference has a reason.
    pub(crate) fn is_explained(&self) -> bool {
        self.unexplained.is_empty()
    }
}

/// What does a usage cost?
struct Question<'a> {
    catalog: &'a PriceList,
    list: &'a PriceList,
    context: &'a PriceContext,
    /// When the catalog was made.
    later: &'a PriceContext,
    model: &'a str,
    usage: &'a Usage,
    reading: &'a Reading,
}

/// Input and output.
type Amounts = [Decimal; 2];

impl Question<'_> {
    fn add_to(
        &self,
        report: &mut CatalogReport,
        classes: &mut BTreeMap<Class, Explained>,
        number: usize,
    ) {
        let Some(expected) = self.reading.input_price.zip(self.reading.output_price) else {
            return;
        };
        let expected: Amounts = expected.into();
        report.prices.expected += 1;
        let found = self.cost(self.catalog, self.context);
        if found.as_ref().is_ok_and(|cost| amounts(cost) == expected) {
            report.prices.agree += 1;
            return;
        }
        let provider = self.reading.provider_id.clone();
        let Some(class) = self.class(&found, expected) else {
            report.unexplained.push(Difference {
                case: number,
                provider,
                model: self.model.to_owned(),
                expected: format!("{expected:?}"),
                found: match &found {
                    Ok(cost) => format!("{:?}", amounts(cost)),
                    Err(error) => error.to_string(),
                },
            });
            return;
        };
        let explained = classes.entry(class).or_insert_with(|| Explained {
            class,
            n: 0,
            explanation: class.explanation(),
            models: BTreeSet::new(),
        });
        explained.n += 1;
        let name = format!("{provider} {}", self.model);
        explained.models.insert(name);
    }

    fn cost(&self, list: &PriceList, context: &PriceContext) -> Result<Cost, CostError> {
        list.cost(&self.reading.provider_id, self.model, self.usage, context)
    }

    fn class(&self, found: &Result<Cost, CostError>, expected: Amounts) -> Option<Class> {
        match found {
            Err(CostError::NoPrice(_)) if self.has_no_rate(expected) => {
                Some(Class::FreeForLackOfRates)
            }
            Err(CostError::NoPrice(NoPrice::UnknownProvider { .. })) => {
                Some(Class::ProviderNotInCatalog)
            }
            Err(CostError::NoPrice(NoPrice::UnknownModel { .. })) => Some(Class::ModelNotInCatalog),
            Err(CostError::NoPrice(NoPrice::NotInForce { .. })) => Some(Class::NotInForce),
            Err(_) => None,
            Ok(cost) => self.class_of_price(cost, expected),
        }
    }

    /// Whether the list has the model without any price, so that the sum of no rates was expected.
    fn has_no_rate(&self, expected: Amounts) -> bool {
        let listing = self.list.find(&self.reading.provider_id, self.model);
        expected.iter().all(Decimal::is_zero)
            && listing.is_ok_and(|it| it.model().prices().is_empty())
    }

    fn class_of_price(&self, cost: &Cost, expected: Amounts) -> Option<Class> {
        let found = amounts(cost);
        let later = self.cost(self.list, self.later);
        if later.is_ok_and(|later| amounts(&later) == found) {
            return Some(Class::PriceChangedSince);
        }
        let tenth_more = Decimal::new(11, 1);
        let regional = found.map(|it| it.checked_mul(tenth_more));
        if cost.provenance.provider.as_str() == "aws" && regional == expected.map(Some) {
            return Some(Class::RegionalEndpoint);
        }
        if self.is_own_makers_price(found) {
            return Some(Class::MakersPriceChanged);
        }
        let then = self.cost(self.list, self.context).ok()?;
        let kinds = |cost: &Cost| cost.lines.iter().map(|it| it.kind).collect::<BTreeSet<_>>();
        let (ours, theirs) = (kinds(cost), kinds(&then));
        if theirs.difference(&ours).next().is_some() {
            return Some(Class::RateNotInCatalog);
        }
        if ours.difference(&theirs).next().is_some() {
            return Some(Class::RateOnlyInCatalog);
        }
        let tiers = |cost: &Cost| {
            cost.lines
                .iter()
                .map(|it| it.tier_above)
                .collect::<Vec<_>>()
        };
        if tiers(cost) != tiers(&then) {
            return Some(Class::TierDiffers);
        }
        Some(match &*cost.provenance.source.name {
            "genai-prices" => Class::ListCorrected,
            _ => Class::SourcesDisagree,
        })
    }

    /// Whether the catalog's price is the one that it has of the model's maker, whose price in the list is
    /// another.
    fn is_own_makers_price(&self, found: Amounts) -> bool {
        let of_maker = |list: &PriceList| {
            let listing = list.find_model(self.model).ok()?;
            let cost = listing.cost(self.usage, self.later).ok()?;
            (listing.provider().as_str() != self.reading.provider_id).then(|| amounts(&cost))
        };
        let (ours, theirs) = (of_maker(self.catalog), of_maker(self.list));
        ours == Some(found) && theirs.is_some_and(|it| it != found)
    }
}

fn amounts(cost: &Cost) -> Amounts {
    [Direction::Input, Direction::Output].map(|it| cost.known_total_of(it).amount())
}

impl Class {
    const fn explanation(self) -> &'static str {
        match self {
            Self::FreeForLackOfRates => {
                "the list has this model without any rate, and the sum of no rates is expected to be 0; \
                 the catalog says that there is no price"
            }
            Self::ProviderNotInCatalog => {
                "a reseller or a small provider; the catalog has those who sell models of their own or \
                 many of others'"
            }
            Self::ModelNotInCatalog => {
                "neither source of the catalog prices this model at this provider any more"
            }
            Self::NotInForce => "the catalog's first price of this model begins later",
            Self::PriceChangedSince => {
                "the price has changed since: the catalog's is the later one of the same list, from which \
                 it took no older row"
            }
            Self::RegionalEndpoint => {
                "AWS sells a model 10 % dearer where it is bound to a region; the list has that price for \
                 this name, and the catalog the price of the global endpoint and the regional one under the \
                 names of regional profiles"
            }
            Self::RateNotInCatalog => {
                "the list has a rate of its own for a part of this usage, and the source of the catalog's \
                 row has none, so that the part is billed like its whole"
            }
            Self::RateOnlyInCatalog => {
                "the source of the catalog's row has a rate of its own for a part of this usage, and the \
                 list bills the part like its whole"
            }
            Self::TierDiffers => "one of the two has no price of its own for inputs of this length",
            Self::MakersPriceChanged => {
                "the maker of the model has changed its price since the list was made, and the catalog has \
                 the new one for this provider too"
            }
            Self::ListCorrected => {
                "the catalog's row is that of a later edition of the same list, which quotes another price \
                 and no date from which it holds"
            }
            Self::SourcesDisagree => {
                "the catalog's row comes from LiteLLM, which quotes another price for this model at this \
                 provider"
            }
        }
    }
}

impl fmt::Display for CatalogReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { expected, agree } = self.prices;
        writeln!(f, "with the shipped catalog {agree} of {expected} agree")?;
        for it in &self.classes {
            writeln!(f, "{:6} {:?}: {}", it.n, it.class, it.explanation)?;
            for model in &it.models {
                writeln!(f, "           {model}")?;
            }
        }
        for it in &self.unexplained {
            writeln!(
                f,
                "case {}, {} {}: expected {}, found {}, and no reason was found",
                it.case, it.provider, it.model, it.expected, it.found
            )?;
        }
        Ok(())
    }
}
