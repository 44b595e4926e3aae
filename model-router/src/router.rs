//! From a request to a decision: what it needs, who can serve it, who should.

use std::collections::BTreeSet;

use bursar_units::{Money, TokenCount};

use crate::candidate::{Candidate, CandidateCost, Latency, Situation, TokenRange};
use crate::constraint::{self, Asked, Rejection, RouteError};
use crate::decision::{Decision, RankedCandidate, Saving, Savings, ShadowChoice};
use crate::entry::ModelEntry;
use crate::name::{ModelId, ProviderId};
use crate::output_length::OutputLengths;
use crate::policy::{Scored, Selection, SelectionPolicy, WeightedScore};
use crate::predictor::{CatalogQuality, QualityPredictor};
use crate::rates::CallShape;
use crate::request::RouteRequest;
use crate::statistics::Statistics;
use crate::tokens::{CountTokens, TokenEstimator, TokenFamily};

/// What is known at the moment of a decision, beside the request.
#[derive(Debug, Clone, Copy, Default)]
pub struct Conditions<'a> {
    /// How the models have done so far; without them the catalog's latencies count.
    pub statistics: Option<&'a Statistics>,
    /// How long answers have been so far; without them the assumptions of [`OutputLengths`] count.
    pub output_lengths: Option<&'a OutputLengths>,
    /// Providers whose circuit breaker is open.
    pub unavailable: Option<&'a BTreeSet<ProviderId>>,
    /// The randomness of policies that explore.
    pub seed: u64,
}

/// Chooses a model for each request.
///
/// ```
/// use bursar_model_router::{Conditions, ModelEntry, ModelId, ProviderId, Quality, Rates, RouteRequest, Router};
/// use bursar_units::Currency;
///
/// let entry = |id, input: &str, output: &str, quality| -> Result<_, Box<dyn std::error::Error>> {
///     let mut entry = ModelEntry::new(ProviderId::new("aws")?, ModelId::new(id)?);
///     entry.rates = Some(Rates::flat(input.parse()?, output.parse()?, Currency::USD)?);
///     entry.quality = Some(Quality::new(quality)?);
///     Ok(entry)
/// };
/// let router = Router::new(vec![
///     entry("anthropic.claude-3-5-sonnet-20241022-v2:0", "3", "15", 95.0)?,
///     entry("amazon.nova-lite-v1:0", "0.06", "0.24", 80.0)?,
/// ]);
/// let request = RouteRequest::new("Classify this ticket as billing or bug: I was charged twice.");
/// let decision = router.route(&request, &Conditions::default())?;
/// assert_eq!(decision.model.as_str(), "anthropic.claude-3-5-sonnet-20241022-v2:0");
///
/// let budget = "0.0001 USD".parse()?;
/// let decision = router.route(&request.with_budget(budget), &Conditions::default())?;
/// assert_eq!(decision.model.as_str(), "amazon.nova-lite-v1:0");
/// assert!(decision.rejected[0].to_string().contains("the budget is 0.0001 USD"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Router {
    entries: Vec<ModelEntry>,
    /// For each entry the place of its estimator.
    estimator_of: Vec<usize>,
    estimators: Vec<(TokenFamily, TokenEstimator)>,
    output_lengths: OutputLengths,
    policy: Box<dyn SelectionPolicy>,
    predictor: Box<dyn QualityPredictor>,
    shadow: Option<Box<dyn SelectionPolicy>>,
    single: Option<ModelId>,
}

/// The single model of [`Savings::against_single`] is the cheapest whose quality is at most so many points
/// under the best, unless one is named.
const NEARLY_AS_GOOD: f64 = 10.0;

impl Router {
    /// Among these models, by [`WeightedScore`] and the qualities of the catalog.
    #[must_use]
    pub fn new(entries: Vec<ModelEntry>) -> Self {
        let mut estimators = Vec::new();
        let mut place = |entry: &ModelEntry| {
            let family = TokenFamily::of_model(&entry.id);
            let known = estimators.iter().position(|(known, _)| *known == family);
            known.unwrap_or_else(|| {
                estimators.push((family, TokenEstimator::for_model(&entry.id)));
                estimators.len().saturating_sub(1)
            })
        };
        Self {
            estimator_of: entries.iter().map(&mut place).collect(),
            estimators,
            output_lengths: OutputLengths::new(),
            entries,
            policy: Box::new(WeightedScore),
            predictor: Box::new(CatalogQuality),
            shadow: None,
            single: None,
        }
    }

    /// By this policy.
    #[must_use]
    pub fn with_policy(mut self, policy: impl SelectionPolicy + 'static) -> Self {
        self.policy = Box::new(policy);
        self
    }

    /// With the qualities that this predictor says.
    #[must_use]
    pub fn with_predictor(mut self, predictor: impl QualityPredictor + 'static) -> Self {
        self.predictor = Box::new(predictor);
        self
    }

    /// Reports what this policy would choose, and does not follow it.
    #[must_use]
    pub fn with_shadow(mut self, policy: impl SelectionPolicy + 'static) -> Self {
        self.shadow = Some(Box::new(policy));
        self
    }

    /// Reports savings against always taking this model.
    #[must_use]
    pub fn with_single(mut self, model: ModelId) -> Self {
        self.single = Some(model);
        self
    }

    /// The models that it chooses among.
    #[must_use]
    pub fn entries(&self) -> &[ModelEntry] {
        &self.entries
    }

    /// Chooses a model.
    ///
    /// # Errors
    /// [`RouteError`] if no model can serve the request, with every model's reasons.
    pub fn route(
        &self,
        request: &RouteRequest<'_>,
        conditions: &Conditions<'_>,
    ) -> Result<Decision, RouteError> {
        if self.entries.is_empty() {
            return Err(RouteError::NoModels);
        }
        let tokens = self.input_tokens(request);
        let situation = Situation {
            request,
            task: request.task(),
            complexity: request.complexity(),
            input_tokens: widest(&tokens),
            seed: conditions.seed,
        };
        let (mut candidates, rejected) = self.candidates(&situation, &tokens, conditions);
        if candidates.is_empty() {
            return Err(RouteError::NoneFits {
                rejections: rejected,
            });
        }
        let entries: Vec<&ModelEntry> = candidates.iter().map(|it| it.entry).collect();
        let qualities = self.predictor.predict(&situation, &entries);
        for (candidate, quality) in candidates.iter_mut().zip(qualities) {
            candidate.quality = quality;
        }
        let selection = checked(self.policy.select(&situation, &candidates), &candidates);
        let Some(chosen) = first(&selection, &candidates) else {
            return Err(RouteError::NoneFits {
                rejections: rejected,
            });
        };
        let shadow = self
            .shadow
            .as_ref()
            .and_then(|policy| shadow(policy.as_ref(), &situation, &candidates, chosen));
        Ok(Decision {
            model: chosen.entry.id.clone(),
            provider: chosen.entry.provider.clone(),
            policy: self.policy.name().to_owned(),
            predictor: self.predictor.name().to_owned(),
            task: situation.task,
            complexity: situation.complexity,
            input_tokens: chosen.input_tokens,
            savings: self.savings(&situation, &candidates, chosen.cost),
            candidates: ranked(selection.ranking, &candidates),
            rejected,
            plan: selection.plan,
            remark: selection.remark,
            shadow,
        })
    }

    fn candidates<'a>(
        &'a self,
        situation: &Situation<'_>,
        tokens: &[TokenRange],
        conditions: &Conditions<'_>,
    ) -> (Vec<Candidate<'a>>, Vec<Rejection>) {
        let request = situation.request;
        let expected = request.expected_output_tokens().ok_or_else(|| {
            let lengths = conditions.output_lengths.unwrap_or(&self.output_lengths);
            lengths.expected(situation.task, TokenCount::new(request.max_output_tokens()))
        });
        let none = BTreeSet::new();
        let unavailable = conditions.unavailable.unwrap_or(&none);
        let mut candidates = Vec::with_capacity(self.entries.len());
        let mut rejected = Vec::new();
        for (entry, place) in self.entries.iter().zip(&self.estimator_of) {
            let input_tokens = tokens
                .get(*place)
                .copied()
                .unwrap_or(situation.input_tokens);
            let output = match &expected {
                Ok(given) => *given,
                Err(lengths) => lengths.of(&entry.id).as_u64(),
            };
            let cost = situation.cost(entry, input_tokens, output);
            let latency = Latency::of(entry, conditions.statistics);
            let asked = Asked {
                entry,
                input_tokens,
                cost: &cost,
                latency,
            };
            let reasons = constraint::reasons(&asked, situation, unavailable);
            match cost {
                Ok(cost) if reasons.is_empty() => candidates.push(Candidate {
                    entry,
                    input_tokens,
                    cost,
                    latency,
                    quality: None,
                }),
                _ => rejected.push(Rejection {
                    model: entry.id.clone(),
                    provider: entry.provider.clone(),
                    reasons,
                }),
            }
        }
        (candidates, rejected)
    }

    /// The tokens of the input for each family of tokenizers among the models.
    fn input_tokens(&self, request: &RouteRequest<'_>) -> Vec<TokenRange> {
        if let Some(counted) = request.input_tokens() {
            return vec![TokenRange::exactly(counted); self.estimators.len()];
        }
        let estimate = |(_, estimator): &(TokenFamily, TokenEstimator)| {
            let estimate = estimator.count(request.text());
            TokenRange {
                expected: estimate.expected.as_u64(),
                upper: estimate.p99.as_u64(),
            }
        };
        self.estimators.iter().map(estimate).collect()
    }

    fn savings(
        &self,
        situation: &Situation<'_>,
        candidates: &[Candidate<'_>],
        chosen: CandidateCost,
    ) -> Savings {
        let against = |candidate: &Candidate<'_>, cost: Money| {
            let saved = cost.checked_sub(chosen.expected).ok()?;
            let model = candidate.entry.id.clone();
            Some(Saving { model, cost, saved })
        };
        let quality = |it: &Candidate<'_>| it.quality.map(|it| it.expected.points());
        let known = candidates
            .iter()
            .filter_map(|it| quality(it).map(|points| (it, points)));
        let strongest = known.clone().max_by(|left, right| {
            let cheaper = || right.0.cost.cold.amount().cmp(&left.0.cost.cold.amount());
            left.1.total_cmp(&right.1).then_with(cheaper)
        });
        let single = match &self.single {
            Some(model) => candidates.iter().find(|it| it.entry.id == *model),
            None => strongest.and_then(|(_, best)| {
                let good = known.filter(|(_, points)| best - points <= NEARLY_AS_GOOD);
                let cheapest = good.min_by_key(|(it, _)| it.cost.cold.amount());
                cheapest.map(|(it, _)| it)
            }),
        };
        Savings {
            against_strongest: strongest.and_then(|(it, _)| against(it, it.cost.cold)),
            against_single: single.and_then(|it| against(it, it.cost.cold)),
            against_single_with_cache: single
                .and_then(|it| against(it, with_cache(situation, it)?)),
        }
    }
}

/// The most that any tokenizer may make of the text.
fn widest(tokens: &[TokenRange]) -> TokenRange {
    let most = |of: fn(&TokenRange) -> u64| tokens.iter().map(of).max().unwrap_or_default();
    TokenRange {
        expected: most(|it| it.expected),
        upper: most(|it| it.upper),
    }
}

/// What a call of this model would cost if it had the warm prefix in its own cache.
fn with_cache(situation: &Situation<'_>, candidate: &Candidate<'_>) -> Option<Money> {
    let Some(warm) = situation.request.warm_cache() else {
        return Some(candidate.cost.cold);
    };
    let rates = candidate.entry.rates.as_ref()?;
    let cold = CallShape {
        input_tokens: candidate.input_tokens.expected,
        ..CallShape::default()
    };
    let cached = CallShape {
        cache_read_tokens: warm.cached_tokens,
        ..cold
    };
    let saved = rates
        .cost(cold)
        .ok()?
        .checked_sub(rates.cost(cached).ok()?)
        .ok()?;
    candidate.cost.cold.checked_sub(saved).ok()
}

/// Without places that there are not and places that come twice, and with those that were left out at the
/// end: a policy of somebody else cannot lose a fallback.
fn checked(mut selection: Selection, candidates: &[Candidate<'_>]) -> Selection {
    let mut seen = vec![false; candidates.len()];
    selection
        .ranking
        .retain(|it| match seen.get_mut(it.candidate) {
            Some(seen) => !std::mem::replace(seen, true),
            None => false,
        });
    let left_out = seen.iter().enumerate().filter(|(_, seen)| !**seen);
    let left_out = left_out.map(|(at, _)| Scored::of(at, Vec::new()));
    selection.ranking.extend(left_out);
    selection
}

fn first<'c, 'a>(
    selection: &Selection,
    candidates: &'c [Candidate<'a>],
) -> Option<&'c Candidate<'a>> {
    candidates.get(selection.ranking.first()?.candidate)
}

fn shadow(
    policy: &dyn SelectionPolicy,
    situation: &Situation<'_>,
    candidates: &[Candidate<'_>],
    chosen: &Candidate<'_>,
) -> Option<ShadowChoice> {
    let selection = policy.select(situation, candidates);
    let choice = first(&selection, candidates)?;
    Some(ShadowChoice {
        policy: policy.name().to_owned(),
        model: choice.entry.id.clone(),
        provider: choice.entry.provider.clone(),
        cost: choice.cost.expected,
        agrees: std::ptr::eq(choice.entry, chosen.entry),
    })
}

fn ranked(ranking: Vec<Scored>, candidates: &[Candidate<'_>]) -> Vec<RankedCandidate> {
    let ranked = |it: Scored| {
        let candidate = candidates.get(it.candidate)?;
        Some(RankedCandidate {
            model: candidate.entry.id.clone(),
            provider: candidate.entry.provider.clone(),
            score: it.score,
            parts: it.parts,
            cost: candidate.cost,
            latency: candidate.latency,
            quality: candidate.quality,
        })
    };
    ranking.into_iter().filter_map(ranked).collect()
}
