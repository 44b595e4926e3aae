//! Which weights estimate the counts of these samples best?

use anyhow::{Context, Result};
use bursar_model_router::{TokenFamily, TokenSample, TokenWeights};
use bursar_units::TokenCount;

use crate::samples::{Sample, Split, Tokens};

/// Prints the weights as JSON.
pub(crate) fn print(samples: &[Sample], family: TokenFamily) -> Result<()> {
    let of = |split: Split| samples.iter().filter(move |sample| sample.is_of(split));
    let is_unknown = family == TokenFamily::Unknown;
    let mut train = Vec::new();
    for (index, sample) in of(Split::Train).enumerate() {
        let counts = counts(sample, family);
        if is_unknown && !counts.is_empty() {
            // Every text by one of the tokenizers, in turn: all of them would take ten times as long.
            train.push(counts[index % counts.len()]);
        } else {
            train.extend(counts);
        }
    }
    let errors: Vec<_> = of(Split::Errors)
        .flat_map(|sample| counts(sample, family))
        .collect();
    let weights = TokenWeights::fit(&train)
        .and_then(|weights| weights.with_errors_on(&errors))
        .with_context(|| format!("no weights for {family}"))?;
    println!("{}", serde_json::to_string_pretty(&weights)?);
    Ok(())
}

/// The sample with the count of a family, or with those of all tokenizers for an unknown one.
fn counts(sample: &Sample, family: TokenFamily) -> Vec<TokenSample<'_>> {
    let with = |tokens: u64| TokenSample {
        text: &sample.text,
        tokens: TokenCount::new(tokens),
    };
    match &sample.tokens {
        None => Vec::new(),
        Some(Tokens::One(tokens)) => vec![with(*tokens)],
        Some(Tokens::ByFamily(all)) if family == TokenFamily::Unknown => {
            all.values().map(|tokens| with(*tokens)).collect()
        }
        Some(Tokens::ByFamily(all)) => all
            .get(family.name())
            .map(|tokens| with(*tokens))
            .into_iter()
            .collect(),
    }
}
