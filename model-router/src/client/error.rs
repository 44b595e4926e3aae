//! What can go wrong with a call, and what helps?

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

/// Why a model has not answered.
///
/// ```
/// use bursar_model_router::{ClientError, ErrorClass, Remedy};
///
/// let error = ClientError::new(ErrorClass::Throttled, "too many tokens per minute");
/// assert_eq!(error.class.remedy(), Remedy::Retry);
/// assert_eq!(error.to_string(), "the model did not answer (throttled): too many tokens per minute");
/// ```
#[derive(Debug, Clone, thiserror::Error)]
#[error("the model did not answer ({class}): {message}")]
#[non_exhaustive]
pub struct ClientError {
    /// What kind of failure it is.
    pub class: ErrorClass,
    /// The provider's own words.
    pub message: String,
    /// When the provider wants to be asked again.
    pub retry_after: Option<Duration>,
    /// The adapter's error.
    #[source]
    pub source: Option<Arc<dyn Error + Send + Sync>>,
}

impl ClientError {
    /// A failure of this class.
    #[must_use]
    pub fn new(class: ErrorClass, message: impl Into<String>) -> Self {
        Self {
            class,
            message: message.into(),
            retry_after: None,
            source: None,
        }
    }

    /// With the time after which the provider wants to be asked again.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// With the error that it comes from.
    #[must_use]
    pub fn caused_by(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }
}

/// What helps after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Remedy {
    /// The same model a little later.
    Retry,
    /// Another model or provider.
    FallBack,
    /// Neither: the request itself is at fault.
    Neither,
}

macro_rules! classes {
    ($($(#[$documentation:meta])* $class:ident = $name:literal, $remedy:ident, $unhealthy:literal;)*) => {
        /// What kind of failure a call had.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum ErrorClass {
            $($(#[$documentation])* $class,)*
        }

        impl ErrorClass {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$class,)*];

            /// The name in data, `context_too_long`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$class => $name,)* }
            }

            /// What helps after it.
            #[must_use]
            pub const fn remedy(self) -> Remedy {
                match self { $(Self::$class => Remedy::$remedy,)* }
            }

            /// Whether it says that the provider is not well, which opens its circuit. Throttling does
            /// not: it says that we ask too much.
            #[must_use]
            pub const fn is_unhealthy(self) -> bool {
                match self { $(Self::$class => $unhealthy,)* }
            }
        }
    };
}

classes! {
    /// More was asked than a quota allows: `ThrottlingException`, HTTP 429.
    Throttled = "throttled", Retry, false;
    /// No answer in time: `ModelTimeoutException`, HTTP 408 and 504, or the caller's own limit.
    Timeout = "timeout", FallBack, true;
    /// The provider cannot be reached or has an error of its own: `InternalServerException`, HTTP 500
    /// and 502.
    Unavailable = "unavailable", FallBack, true;
    /// The provider has no capacity for the model now: `ServiceUnavailableException`,
    /// `ModelNotReadyException`, HTTP 503 and 529.
    Overloaded = "overloaded", FallBack, true;
    /// The conversation is longer than the model takes; one with a larger window may take it.
    ContextTooLong = "context_too_long", FallBack, false;
    /// The request is malformed: `ValidationException`, HTTP 400 and 422.
    Invalid = "invalid", Neither, false;
    /// The caller may not use the model: `AccessDeniedException`, HTTP 401 and 403. Others may be open.
    Denied = "denied", FallBack, false;
    /// The provider refuses the content. Another model is not asked to say what this one must not.
    ContentFiltered = "content_filtered", Neither, false;
    /// There is no such model here: `ResourceNotFoundException`, HTTP 404.
    ModelMissing = "model_missing", FallBack, false;
    /// The model failed in a way that the adapter does not know: `ModelErrorException`, HTTP 424, and
    /// everything else.
    Unknown = "unknown", FallBack, true;
}

impl std::fmt::Display for ErrorClass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_serialized_form() {
        for class in ErrorClass::ALL {
            assert_eq!(serde_json::to_value(class).unwrap(), class.name());
        }
    }

    #[test]
    fn only_throttling_is_retried() {
        let retried: Vec<_> = ErrorClass::ALL
            .iter()
            .filter(|class| class.remedy() == Remedy::Retry)
            .collect();
        assert_eq!(retried, [&ErrorClass::Throttled]);
    }
}
