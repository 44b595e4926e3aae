//! Which texts are counted, of which kinds, and what are their true counts?

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

macro_rules! own {
    ($($kind:literal,)*) => {
        /// Texts in many languages and formats, written for this project.
        pub(crate) const OWN: &[(&str, &str)] = &[$((
            $kind,
            include_str!(concat!("../../model-router/tests/texts/", $kind, ".txt")),
        ),)*];
    };
}

own! {
    "arabic",
    "base64",
    "c",
    "chat",
    "chinese",
    "chinese_traditional",
    "csv",
    "czech",
    "dutch",
    "english_prompt",
    "english_prose",
    "finnish",
    "french",
    "german",
    "greek",
    "hashes",
    "hebrew",
    "hindi",
    "html",
    "hungarian",
    "indonesian",
    "italian",
    "japanese",
    "javascript",
    "json",
    "korean",
    "latex",
    "log",
    "markdown",
    "persian",
    "polish",
    "portuguese",
    "python",
    "russian",
    "rust",
    "spanish",
    "sql",
    "swedish",
    "thai",
    "turkish",
    "ukrainian",
    "vietnamese",
    "xml",
    "yaml",
}

/// A text with its counts by family; none where the exact tokenizer is to count.
#[derive(Debug, Deserialize)]
pub(crate) struct Sample {
    pub(crate) kind: String,
    pub(crate) text: String,
    #[serde(default)]
    pub(crate) tokens: Option<Tokens>,
    #[serde(default)]
    pub(crate) split: Option<Split>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Tokens {
    One(u64),
    ByFamily(BTreeMap<String, u64>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Split {
    Train,
    Errors,
    Test,
}

impl Sample {
    /// Whether a sample belongs to a split; one that names none belongs to all.
    pub(crate) fn is_of(&self, split: Split) -> bool {
        self.split.is_none_or(|it| it == split)
    }
}

/// Samples of a `.jsonl` file, or texts of a folder.
pub(crate) fn read(path: &Path) -> Result<Vec<Sample>> {
    let samples = if path.is_dir() {
        let mut samples = Vec::new();
        add_folder(path, None, &mut samples)?;
        samples
    } else {
        read_lines(path)?
    };
    if samples.is_empty() {
        bail!("there are no texts in {}", path.display());
    }
    Ok(samples)
}

fn read_lines(path: &Path) -> Result<Vec<Sample>> {
    let content =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let lines = content
        .split('\n')
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty());
    let parsed = lines.map(|(index, line)| {
        serde_json::from_str(line)
            .with_context(|| format!("line {} of {} is no sample", index + 1, path.display()))
    });
    parsed.collect()
}

/// Files of the folder itself are each a kind; those of its folders are of the kind of the folder.
fn add_folder(folder: &Path, kind: Option<&str>, samples: &mut Vec<Sample>) -> Result<()> {
    let context = || format!("cannot read {}", folder.display());
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(context)? {
        paths.push(entry.with_context(context)?.path());
    }
    paths.sort();
    for path in paths {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let kind = kind.unwrap_or(&stem);
        if path.is_dir() {
            add_folder(&path, Some(kind), samples)?;
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            samples.push(Sample {
                kind: kind.to_owned(),
                text,
                tokens: None,
                split: None,
            });
        } else {
            eprintln!("SKIPPED: {} is no text in UTF-8", path.display());
        }
    }
    Ok(())
}
