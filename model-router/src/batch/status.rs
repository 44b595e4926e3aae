//! How far is a job?

use std::fmt;

/// How far a job is: the ten states of Bedrock's jobs, and `Finalizing`, which only OpenAI has. Sources:
/// the enumeration `ModelInvocationJobStatus` (botocore 1.44.5) and the object "batch" of OpenAI's API
/// reference; read 2026-11-27.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum BatchStatus {
    /// The job exists.
    Submitted,
    /// The input is being checked.
    Validating,
    /// The job waits for its turn.
    Scheduled,
    /// Records are being answered.
    InProgress,
    /// Results are being written.
    Finalizing,
    /// Somebody has asked for it to stop, and it does.
    Stopping,
    /// It is done; single records may have failed.
    Completed,
    /// It is done for a part of the records.
    PartiallyCompleted,
    /// It failed.
    Failed,
    /// It was stopped. What was done before is there, and billed.
    Stopped,
    /// Its time was over. What was done before is there, and billed.
    Expired,
}

/// A status that this version does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no known status `{text}` of a batch job; ask again later or update")]
pub struct UnknownStatus {
    /// What the service said.
    pub text: String,
}

/// What a report of a status means to what was known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It is news.
    Advanced,
    /// It was known.
    Same,
    /// It is from before what is known: reports may overtake each other.
    Stale,
    /// A job that had ended reports another end. What was known stays.
    Contradiction,
}

impl BatchStatus {
    /// All of them, in the order in which a job may go through them.
    pub const ALL: [Self; 11] = [
        Self::Submitted,
        Self::Validating,
        Self::Scheduled,
        Self::InProgress,
        Self::Finalizing,
        Self::Stopping,
        Self::Completed,
        Self::PartiallyCompleted,
        Self::Failed,
        Self::Stopped,
        Self::Expired,
    ];

    /// From the `status` of Bedrock's `GetModelInvocationJob`.
    ///
    /// # Errors
    /// [`UnknownStatus`].
    pub fn from_bedrock(text: &str) -> Result<Self, UnknownStatus> {
        Ok(match text {
            "Submitted" => Self::Submitted,
            "Validating" => Self::Validating,
            "Scheduled" => Self::Scheduled,
            "InProgress" => Self::InProgress,
            "Completed" => Self::Completed,
            "PartiallyCompleted" => Self::PartiallyCompleted,
            "Failed" => Self::Failed,
            "Stopping" => Self::Stopping,
            "Stopped" => Self::Stopped,
            "Expired" => Self::Expired,
            _ => {
                let text = text.to_owned();
                return Err(UnknownStatus { text });
            }
        })
    }

    /// From the `status` of OpenAI's batch.
    ///
    /// # Errors
    /// [`UnknownStatus`].
    pub fn from_openai(text: &str) -> Result<Self, UnknownStatus> {
        Ok(match text {
            "validating" => Self::Validating,
            "in_progress" => Self::InProgress,
            "finalizing" => Self::Finalizing,
            "completed" => Self::Completed,
            "failed" => Self::Failed,
            "expired" => Self::Expired,
            "cancelling" => Self::Stopping,
            "cancelled" => Self::Stopped,
            _ => {
                let text = text.to_owned();
                return Err(UnknownStatus { text });
            }
        })
    }

    /// Whether nothing changes any more.
    #[must_use]
    pub const fn is_final(self) -> bool {
        self.rank() == FINAL
    }

    /// What a report of `next` means when this is known.
    #[must_use]
    pub fn progress_to(self, next: Self) -> Progress {
        match (self.is_final(), next.rank().cmp(&self.rank())) {
            _ if self == next => Progress::Same,
            (true, std::cmp::Ordering::Equal) => Progress::Contradiction,
            (_, std::cmp::Ordering::Greater) => Progress::Advanced,
            _ => Progress::Stale,
        }
    }

    const fn rank(self) -> u8 {
        match self {
            Self::Submitted => 0,
            Self::Validating => 1,
            Self::Scheduled => 2,
            Self::InProgress => 3,
            Self::Finalizing => 4,
            Self::Stopping => 5,
            Self::Completed
            | Self::PartiallyCompleted
            | Self::Failed
            | Self::Stopped
            | Self::Expired => FINAL,
        }
    }
}

const FINAL: u8 = 6;

impl fmt::Display for BatchStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Submitted => "submitted",
            Self::Validating => "validating",
            Self::Scheduled => "scheduled",
            Self::InProgress => "in progress",
            Self::Finalizing => "finalizing",
            Self::Stopping => "stopping",
            Self::Completed => "completed",
            Self::PartiallyCompleted => "partially completed",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
            Self::Expired => "expired",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_ten_states_of_bedrock_are_known_by_their_exact_names() {
        let names = [
            "Submitted",
            "Validating",
            "Scheduled",
            "InProgress",
            "Completed",
            "PartiallyCompleted",
            "Failed",
            "Stopping",
            "Stopped",
            "Expired",
        ];
        let mut known: Vec<_> = names
            .map(|name| BatchStatus::from_bedrock(name).unwrap())
            .into();
        known.sort();
        known.dedup();
        assert_eq!(known.len(), 10);
        assert!(BatchStatus::from_bedrock("COMPLETED").is_err());
    }

    #[test]
    fn all_states_of_openai_are_known() {
        for name in [
            "validating",
            "failed",
            "in_progress",
            "finalizing",
            "completed",
            "expired",
            "cancelling",
            "cancelled",
        ] {
            assert!(BatchStatus::from_openai(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn a_job_that_has_ended_stays_as_it_is() {
        for end in BatchStatus::ALL
            .into_iter()
            .filter(|status| status.is_final())
        {
            for next in BatchStatus::ALL {
                let progress = end.progress_to(next);
                assert_ne!(progress, Progress::Advanced, "{end} to {next}");
            }
        }
    }

    #[test]
    fn reports_that_were_overtaken_are_stale() {
        use BatchStatus::{Completed, InProgress, Stopped, Stopping, Submitted, Validating};
        assert_eq!(Submitted.progress_to(InProgress), Progress::Advanced);
        assert_eq!(InProgress.progress_to(Validating), Progress::Stale);
        assert_eq!(Stopping.progress_to(InProgress), Progress::Stale);
        assert_eq!(Stopping.progress_to(Completed), Progress::Advanced);
        assert_eq!(Completed.progress_to(Stopped), Progress::Contradiction);
        assert_eq!(Completed.progress_to(InProgress), Progress::Stale);
    }
}
