//! How many tokens does a text have, for which model, and how sure is that?
//!
//! Without files it counts texts in many languages and formats that it brings along. `--evaluate` shows
//! how far the estimator and the usual rules of thumb are off, by kind of text; `--fit` makes weights for
//! a tokenizer of your own from texts and their counts.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "what it finds, and what it leaves out, is printed"
)]

#[path = "count_tokens/evaluate.rs"]
mod evaluate;
#[path = "count_tokens/fit.rs"]
mod fit;
#[path = "count_tokens/samples.rs"]
mod samples;

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use bursar_model_router::{
    CountTokens, ExactTokenizer, ModelId, TokenEstimate, TokenEstimator, TokenFamily,
};
use clap::Parser;
use serde_json::json;

/// Counts the tokens of files, of the standard input (`-`), or of texts of its own.
#[derive(Parser)]
struct Arguments {
    /// Texts in UTF-8; `-` is the standard input.
    files: Vec<PathBuf>,

    /// The model whose tokens are counted, as its provider calls it.
    #[arg(long, conflicts_with = "family")]
    model: Option<ModelId>,

    /// The family of tokenizers: o200k, cl100k, claude, llama3, deep_seek, qwen, mistral, unknown.
    #[arg(long)]
    family: Option<TokenFamily>,

    /// Count with the tokenizer itself; o200k and cl100k only.
    #[arg(long)]
    exact: bool,

    /// Show errors by kind of text. A folder of texts (the kind is the name of the file or its folder),
    /// counted by the exact tokenizer, or a `.jsonl` file of `{"kind", "text", "tokens", "split"?}`, of
    /// which the split `test` is shown. `tokens` is a number, or an object with one for each family.
    #[arg(long, value_name = "PATH")]
    evaluate: Option<PathBuf>,

    /// Fit weights to a `.jsonl` file as above and print them: to its split `train`, with errors as they
    /// are on its split `errors`.
    #[arg(long, value_name = "FILE", conflicts_with = "evaluate")]
    fit: Option<PathBuf>,

    /// Use these weights, as `--fit` printed them.
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,

    /// Print JSON.
    #[arg(long)]
    json: bool,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let of_model = arguments.model.as_ref().map(TokenFamily::of_model);
    let family = arguments.family.or(of_model).unwrap_or(TokenFamily::O200k);
    if let Some(file) = &arguments.fit {
        return fit::print(&samples::read(file)?, family);
    }
    let estimator = estimator(&arguments, family)?;
    if let Some(path) = &arguments.evaluate {
        let samples = samples::read(path)?;
        return evaluate::print(&samples, family, &estimator, arguments.json);
    }
    let counter: Box<dyn CountTokens> = if arguments.exact {
        match ExactTokenizer::of_family(family) {
            Some(tokenizer) => Box::new(tokenizer),
            None => bail!("there is no exact tokenizer for {family}; o200k and cl100k have one"),
        }
    } else {
        Box::new(estimator)
    };
    let texts = texts(&arguments.files)?;
    let counts = texts
        .iter()
        .map(|(name, text)| (name.as_str(), text, counter.count(text)));
    let counts: Vec<_> = counts.collect();
    if arguments.json {
        print_json(family, &counts)
    } else {
        print_table(family, &counts);
        Ok(())
    }
}

fn estimator(arguments: &Arguments, family: TokenFamily) -> Result<TokenEstimator> {
    if let Some(file) = &arguments.weights {
        let json = std::fs::read_to_string(file)
            .with_context(|| format!("cannot read {}", file.display()))?;
        let weights = serde_json::from_str(&json)
            .with_context(|| format!("{} holds no weights", file.display()))?;
        return Ok(TokenEstimator::with_weights(weights));
    }
    Ok(match &arguments.model {
        Some(model) => TokenEstimator::for_model(model),
        None => TokenEstimator::new(family),
    })
}

fn texts(files: &[PathBuf]) -> Result<Vec<(String, String)>> {
    if files.is_empty() {
        let own = samples::OWN.iter();
        return Ok(own
            .map(|(kind, text)| ((*kind).to_owned(), (*text).to_owned()))
            .collect());
    }
    files
        .iter()
        .map(|file| Ok((file.display().to_string(), text(file)?)))
        .collect()
}

fn text(file: &Path) -> Result<String> {
    if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .context("cannot read the standard input as UTF-8")?;
        return Ok(text);
    }
    std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

fn print_json(family: TokenFamily, counts: &[(&str, &String, TokenEstimate)]) -> Result<()> {
    let texts = counts.iter().map(|(name, text, estimate)| {
        json!({
            "name": name,
            "bytes": text.len(),
            "characters": text.chars().count(),
            "tokens": estimate,
        })
    });
    let texts: Vec<_> = texts.collect();
    println!(
        "{}",
        serde_json::to_string_pretty(&json!({"family": family, "texts": texts}))?
    );
    Ok(())
}

fn print_table(family: TokenFamily, counts: &[(&str, &String, TokenEstimate)]) {
    println!("Tokens by {family}; `reserve` is exceeded by one text in a hundred.\n");
    println!(
        "{:>9} {:>9} {:>9} {:>9}  text",
        "bytes", "expected", "p95", "reserve"
    );
    for (name, text, tokens) in counts {
        let (expected, p95, p99) = (tokens.expected, tokens.p95, tokens.p99);
        println!("{:>9} {expected:>9} {p95:>9} {p99:>9}  {name}", text.len());
    }
}
