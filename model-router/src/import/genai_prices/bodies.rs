//! Where does genai-prices find usage in a body?

use serde::Deserialize;

use super::Clause;
use crate::extract::{Extractor, Path, Step};
use crate::import::Notes;
use crate::usage::UsageKind;

#[derive(Deserialize)]
pub(super) struct RawExtractor {
    #[serde(default = "default_flavor")]
    api_flavor: String,
    root: RawPath,
    #[serde(default = "default_model_path")]
    model_path: RawPath,
    mappings: Vec<RawMapping>,
}

#[derive(Deserialize)]
struct RawMapping {
    path: RawPath,
    dest: String,
    #[serde(default = "is_required")]
    required: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawPath {
    Field(String),
    Steps(Vec<RawStep>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawStep {
    Field(String),
    Element { field: String, r#match: Clause },
}

fn default_flavor() -> String {
    "default".to_owned()
}

fn default_model_path() -> RawPath {
    RawPath::Field("model".to_owned())
}

const fn is_required() -> bool {
    true
}

impl RawExtractor {
    pub(super) fn api_flavor(&self) -> &str {
        &self.api_flavor
    }

    /// A kind of usage that is not known makes the extractor useless: its counts may be parts of others.
    pub(super) fn read(self, place: &str, notes: &mut Notes) -> Option<Extractor> {
        let root = self.root.path(place, notes)?;
        let model = self.model_path.path(place, notes)?;
        let mut extractor = Extractor::from_path(root).with_model_path(model);
        for mapping in self.mappings {
            let Some(kind) = UsageKind::named(&mapping.dest) else {
                notes.skip(place, format!("no kind of usage is named {}", mapping.dest));
                return None;
            };
            let path = mapping.path.path(place, notes)?;
            extractor = extractor.with_mapping(path, kind, mapping.required);
        }
        Some(extractor)
    }
}

impl RawPath {
    fn path(self, place: &str, notes: &mut Notes) -> Option<Path> {
        let steps = match self {
            Self::Field(name) => vec![RawStep::Field(name)],
            Self::Steps(steps) => steps,
        };
        let steps = steps.into_iter().map(|step| match step {
            RawStep::Field(name) => Some(Step::Field(name.into())),
            RawStep::Element { field, r#match } => {
                let is = notes.keep(place, r#match.pattern())?;
                let field = field.into();
                Some(Step::Element { field, is })
            }
        });
        steps.collect::<Option<Vec<_>>>().map(Path::from_steps)
    }
}
