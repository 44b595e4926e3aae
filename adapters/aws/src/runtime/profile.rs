//! Where may a model run that is offered through inference profiles alone?

use bursar_model_router::{ModelId, NameError};

/// The regions among which Bedrock spreads the calls of a system-defined inference profile. Newer models
/// are offered through profiles and not by their bare names, and what a call costs depends on it.
///
/// Sources of the prefixes: the user guide, "Regional availability" (`us`, `eu`, `apac`, `jp`, `au`, global);
/// `CrossRegionInferenceProfileRegion` of the CDK (`us-gov`); the models that price lists have (`in`) and
/// users call (`ca`); read 2026-11-27.
///
/// ```
/// use bursar_aws::ProfileScope;
/// use bursar_model_router::ModelId;
///
/// let model = ModelId::new("anthropic.claude-haiku-4-5-20251001-v1:0")?;
/// let profile = ProfileScope::Europe.profile(&model)?;
/// assert_eq!(profile.as_str(), "eu.anthropic.claude-haiku-4-5-20251001-v1:0");
/// assert_eq!(ProfileScope::of(&profile), Some(ProfileScope::Europe));
/// assert_eq!(ProfileScope::of(&model), None);
/// assert_eq!(ProfileScope::base_model(&profile), model);
/// # Ok::<(), bursar_model_router::NameError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ProfileScope {
    /// All regions that Bedrock chooses, anywhere.
    Global,
    /// The United States.
    UnitedStates,
    /// The United States' regions for the government.
    UnitedStatesGovernment,
    /// The European Union and its neighbors.
    Europe,
    /// Asia and the Pacific.
    AsiaPacific,
    /// Japan.
    Japan,
    /// Australia.
    Australia,
    /// Canada.
    Canada,
    /// India.
    India,
}

impl ProfileScope {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Global,
        Self::UnitedStates,
        Self::UnitedStatesGovernment,
        Self::Europe,
        Self::AsiaPacific,
        Self::Japan,
        Self::Australia,
        Self::Canada,
        Self::India,
    ];

    /// What the names of its profiles begin with, `eu`.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::UnitedStates => "us",
            Self::UnitedStatesGovernment => "us-gov",
            Self::Europe => "eu",
            Self::AsiaPacific => "apac",
            Self::Japan => "jp",
            Self::Australia => "au",
            Self::Canada => "ca",
            Self::India => "in",
        }
    }

    /// The profile of a model. Whether there is one, Bedrock says when it is asked.
    ///
    /// # Errors
    /// [`NameError::TooLong`].
    pub fn profile(self, model: &ModelId) -> Result<ModelId, NameError> {
        ModelId::new(&format!("{}.{model}", self.prefix()))
    }

    /// The scope of a profile's name; `None` for the name of a model and for an ARN.
    #[must_use]
    pub fn of(profile: &ModelId) -> Option<Self> {
        let (prefix, _) = profile.as_str().split_once('.')?;
        Self::ALL.into_iter().find(|it| it.prefix() == prefix)
    }

    /// The model of a profile; any other name is its own.
    #[must_use]
    pub fn base_model(name: &ModelId) -> ModelId {
        let rest = name.as_str().split_once('.').map(|(_, rest)| rest);
        let model = rest.filter(|_| Self::of(name).is_some());
        let model = model.and_then(|model| ModelId::new(model).ok());
        model.unwrap_or_else(|| name.clone())
    }
}
