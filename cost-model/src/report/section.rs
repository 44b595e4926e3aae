//! Which part of a report is about which currency?
//!
//! Currencies are never added, so every rendering has a section for each; the one of most rows
//! comes first and has the figures of the daily series.

use bursar_units::Currency;

use super::{CategoryLine, CostTotals, DayLine, Report, ServiceLine, words};
use crate::{CostKind, ExactSum};

/// What a report says in one currency.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Section<'r> {
    pub(crate) report: &'r Report,
    pub(crate) currency: Currency,
    pub(crate) costs: &'r CostTotals,
    /// Which cost its total, shares and bars are of.
    pub(crate) kind: CostKind,
}

/// The services beyond the first few, as one.
#[derive(Debug, Clone)]
pub(crate) struct Rest {
    pub(crate) services: usize,
    /// `None` when some are not known, or the sum leaves its range.
    pub(crate) cost: Option<ExactSum>,
    pub(crate) share: Option<f64>,
}

impl<'r> Section<'r> {
    /// The sections, that of most rows first, then by code.
    pub(crate) fn all(report: &'r Report) -> Vec<Section<'r>> {
        let mut sections: Vec<Section<'r>> = report
            .totals
            .iter()
            .map(|(&currency, costs)| {
                let is_main = report.currency == Some(currency);
                let kind = if is_main {
                    report.cost
                } else {
                    words::leading_kind(costs)
                };
                Section {
                    report,
                    currency,
                    costs,
                    kind,
                }
            })
            .collect();
        sections.sort_by_key(|section| !section.is_main());
        sections
    }

    /// Whether the figures of the daily series are of this currency.
    pub(crate) fn is_main(&self) -> bool {
        self.report.currency == Some(self.currency)
    }

    pub(crate) fn total(&self) -> Option<&'r ExactSum> {
        self.costs.get(self.kind)
    }

    pub(crate) fn services(&self) -> impl Iterator<Item = &'r ServiceLine> + use<'r> {
        let currency = self.currency;
        let lines = self.report.by_service.iter();
        lines.filter(move |line| line.currency == currency)
    }

    pub(crate) fn categories(&self) -> impl Iterator<Item = &'r CategoryLine> + use<'r> {
        let currency = self.currency;
        let lines = self.report.by_category.iter();
        lines.filter(move |line| line.currency == currency)
    }

    pub(crate) fn days(&self) -> impl Iterator<Item = &'r DayLine> + use<'r> {
        let currency = self.currency;
        let lines = self.report.daily.iter();
        lines.filter(move |line| line.currency == currency)
    }

    /// What tells a service from others of its name, or of other providers where there are some.
    pub(crate) fn note_of(&self, line: &ServiceLine) -> Option<String> {
        let provider = self.services().any(|other| other.provider != line.provider);
        let mut same_name = self
            .services()
            .filter(|other| other.service == line.service);
        let group = same_name.any(|other| other.category != line.category);
        let provider = line.provider.clone().filter(|_| provider);
        let group = group.then(|| line.category.name().to_owned());
        match (provider, group) {
            (Some(provider), Some(group)) => Some(format!("{group}, {provider}")),
            (provider, group) => provider.or(group),
        }
    }

    /// The services after the first `shown`; `None` when there are none.
    pub(crate) fn rest(&self, shown: usize) -> Option<Rest> {
        let services = self.services().skip(shown).count();
        (services > 0).then(|| Rest {
            services,
            cost: self.sum_after(shown),
            share: self.services().skip(shown).map(|line| line.share).sum(),
        })
    }

    fn sum_after(&self, shown: usize) -> Option<ExactSum> {
        let mut sum = ExactSum::ZERO;
        for line in self.services().skip(shown) {
            sum.add_sum(line.costs.get(self.kind)?).ok()?;
        }
        Some(sum)
    }
}
