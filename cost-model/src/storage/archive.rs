//! In which order is a file compressed, uploaded, verified and removed, so that it is never lost?

use std::fmt;

/// Leads one file from the volume into the archive.
///
/// The machine does nothing itself. It names a [command](ArchiveCommand), whoever runs it tells
/// what came of it as an [event](ArchiveEvent), and the machine names the next one, until there is
/// none. The original is removed only after the archive was read back and has the checksum of what
/// was uploaded, and only if the original is still what was compressed.
///
/// After a crash, start again with a new machine: every command can be repeated. The key has the
/// checksum of the original in it, so that an upload that is repeated writes the same object, and
/// another file of the same name and day writes another.
///
/// ```
/// use bursar_cost_model::storage::{
///     ArchiveCommand, ArchiveEvent, ArchiveMachine, ArchiveState, Fingerprint,
/// };
///
/// let mut machine = ArchiveMachine::new("web/access.log", "archived-logs/2026/11/20/web/access.log");
/// let original = Fingerprint::new(1_000_000, "9f86d081884c7d65");
/// let packed = Fingerprint::new(90_000, "60303ae22b998861");
///
/// assert!(matches!(machine.command(), Some(ArchiveCommand::Compress { .. })));
/// machine.apply(ArchiveEvent::Compressed { original, packed: packed.clone() });
/// let Some(ArchiveCommand::Upload { key, metadata, .. }) = machine.command() else {
///     unreachable!("an upload follows");
/// };
/// assert_eq!(key, "archived-logs/2026/11/20/web/access.log.9f86d081884c.gz");
/// assert_eq!(metadata[2], ("compression-ratio".to_owned(), "11.11".to_owned()));
/// machine.apply(ArchiveEvent::Uploaded);
/// // What is read back is not what was uploaded: the original stays.
/// machine.apply(ArchiveEvent::ReadBack(Some(Fingerprint::new(89_999, "badc0ffee"))));
/// assert!(matches!(machine.state(), ArchiveState::Failed { .. }));
/// assert!(matches!(machine.command(), Some(ArchiveCommand::DiscardPacked { .. })));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveMachine {
    path: String,
    key_stem: String,
    state: ArchiveState,
    /// Whether a compressed copy may be beside the original.
    packed_left: bool,
}

/// A size and a checksum.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Fingerprint {
    /// The size.
    pub bytes: u64,
    /// The SHA-256 checksum, in hexadecimal digits.
    pub sha256: Box<str>,
}

impl Fingerprint {
    /// A size and a checksum.
    #[must_use]
    pub fn new(bytes: u64, sha256: &str) -> Fingerprint {
        Fingerprint {
            bytes,
            sha256: sha256.into(),
        }
    }
}

/// How far a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ArchiveState {
    /// Nothing was done.
    Planned,
    /// A compressed copy is beside it.
    Compressed {
        /// What was compressed.
        original: Fingerprint,
        /// The compressed copy.
        packed: Fingerprint,
    },
    /// The copy was sent.
    Uploaded {
        /// What was compressed.
        original: Fingerprint,
        /// The compressed copy.
        packed: Fingerprint,
    },
    /// The archive has the copy.
    Verified {
        /// What was compressed.
        original: Fingerprint,
        /// The compressed copy.
        packed: Fingerprint,
    },
    /// The original is gone and the archive has it.
    Archived {
        /// What was compressed.
        original: Fingerprint,
        /// The compressed copy.
        packed: Fingerprint,
    },
    /// There is no original: it was removed before a crash, after the archive had been verified.
    Absent,
    /// The original is where it was.
    Failed {
        /// What could not be done.
        step: ArchiveStep,
        /// Why.
        reason: String,
    },
}

/// What is done with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum ArchiveStep {
    /// A compressed copy is made.
    Compress,
    /// The copy is sent.
    Upload,
    /// The archive is read back.
    Verify,
    /// The original is removed.
    RemoveOriginal,
}

impl fmt::Display for ArchiveStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ArchiveStep::Compress => "compress",
            ArchiveStep::Upload => "upload",
            ArchiveStep::Verify => "verify",
            ArchiveStep::RemoveOriginal => "remove the original",
        })
    }
}

/// What is to be done next. Every command can be repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ArchiveCommand {
    /// Read the file, write a compressed copy beside it over any earlier one, and answer
    /// [`Compressed`](ArchiveEvent::Compressed); where there is no file,
    /// [`NoOriginal`](ArchiveEvent::NoOriginal).
    Compress {
        /// The file.
        path: String,
    },
    /// Send the copy, and answer [`Uploaded`](ArchiveEvent::Uploaded).
    Upload {
        /// The file whose copy it is.
        path: String,
        /// The key of the object.
        key: String,
        /// Names and values that go with the object: sizes, ratio, and the checksum of the
        /// original.
        metadata: Vec<(String, String)>,
    },
    /// Read the object, and answer [`ReadBack`](ArchiveEvent::ReadBack) with what it is; `None`
    /// where there is no object.
    ReadBack {
        /// The key of the object.
        key: String,
    },
    /// Remove the file if it is still this, and answer [`Removed`](ArchiveEvent::Removed); if it
    /// is something else, [`Changed`](ArchiveEvent::Changed).
    RemoveOriginal {
        /// The file.
        path: String,
        /// What it must still be.
        expected: Fingerprint,
    },
    /// Remove the compressed copy beside the file, if there is one, and answer
    /// [`Discarded`](ArchiveEvent::Discarded).
    DiscardPacked {
        /// The file whose copy it is.
        path: String,
    },
}

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ArchiveEvent {
    /// There is a compressed copy.
    Compressed {
        /// What was compressed.
        original: Fingerprint,
        /// The copy.
        packed: Fingerprint,
    },
    /// There is no file.
    NoOriginal,
    /// The copy was sent.
    Uploaded,
    /// What the archive has.
    ReadBack(Option<Fingerprint>),
    /// The file was removed.
    Removed,
    /// The file is not what was compressed.
    Changed,
    /// The copy beside the file is gone.
    Discarded,
    /// The command could not be done.
    Failed(String),
}

impl ArchiveMachine {
    /// The machine of a file, before anything was done.
    #[must_use]
    pub fn new(path: impl Into<String>, key_stem: impl Into<String>) -> ArchiveMachine {
        ArchiveMachine {
            path: path.into(),
            key_stem: key_stem.into(),
            state: ArchiveState::Planned,
            // One of an earlier run, which ended early.
            packed_left: true,
        }
    }

    /// How far the file is.
    #[must_use]
    pub fn state(&self) -> &ArchiveState {
        &self.state
    }

    /// What is to be done next; `None` when all is done.
    #[must_use]
    pub fn command(&self) -> Option<ArchiveCommand> {
        let path = self.path.clone();
        match &self.state {
            ArchiveState::Planned => Some(ArchiveCommand::Compress { path }),
            ArchiveState::Compressed { original, packed } => Some(ArchiveCommand::Upload {
                path,
                key: self.key(original),
                metadata: metadata(original, packed),
            }),
            ArchiveState::Uploaded { original, .. } => Some(ArchiveCommand::ReadBack {
                key: self.key(original),
            }),
            ArchiveState::Verified { original, .. } => Some(ArchiveCommand::RemoveOriginal {
                path,
                expected: original.clone(),
            }),
            ArchiveState::Archived { .. } | ArchiveState::Absent | ArchiveState::Failed { .. } => {
                self.packed_left
                    .then_some(ArchiveCommand::DiscardPacked { path })
            }
        }
    }

    /// Takes what came of the last command. An event that does not belong to it changes nothing
    /// but to a failure, so that no mistake of a caller removes an original.
    pub fn apply(&mut self, event: ArchiveEvent) {
        use {ArchiveEvent as Event, ArchiveState as State};
        let state = std::mem::replace(&mut self.state, State::Planned);
        self.state = match (state, event) {
            (State::Planned, Event::Compressed { original, packed }) => {
                State::Compressed { original, packed }
            }
            (State::Planned, Event::NoOriginal) => State::Absent,
            (State::Compressed { original, packed }, Event::Uploaded) => {
                State::Uploaded { original, packed }
            }
            (State::Uploaded { original, packed }, Event::ReadBack(Some(read)))
                if read == packed =>
            {
                State::Verified { original, packed }
            }
            (State::Uploaded { .. }, Event::ReadBack(_)) => failed(
                ArchiveStep::Verify,
                "the archive does not have what was uploaded",
            ),
            (State::Verified { original, packed }, Event::Removed) => {
                State::Archived { original, packed }
            }
            (State::Verified { .. }, Event::Changed) => failed(
                ArchiveStep::RemoveOriginal,
                "the file was written to after it had been compressed",
            ),
            (ended, Event::Discarded | Event::Failed(_)) if step_of(&ended).is_none() => {
                self.packed_left = false;
                ended
            }
            (state, event) => match step_of(&state) {
                Some(step) => failed(step, &reason_of(event)),
                None => state,
            },
        };
    }

    fn key(&self, original: &Fingerprint) -> String {
        let short: String = original.sha256.chars().take(12).collect();
        format!("{}.{short}.gz", self.key_stem)
    }
}

fn failed(step: ArchiveStep, reason: &str) -> ArchiveState {
    ArchiveState::Failed {
        step,
        reason: reason.to_owned(),
    }
}

fn reason_of(event: ArchiveEvent) -> String {
    match event {
        ArchiveEvent::Failed(reason) => reason,
        other => format!("it was answered by {other:?}"),
    }
}

/// The step that a state waits for; `None` at an end.
fn step_of(state: &ArchiveState) -> Option<ArchiveStep> {
    match state {
        ArchiveState::Planned => Some(ArchiveStep::Compress),
        ArchiveState::Compressed { .. } => Some(ArchiveStep::Upload),
        ArchiveState::Uploaded { .. } => Some(ArchiveStep::Verify),
        ArchiveState::Verified { .. } => Some(ArchiveStep::RemoveOriginal),
        ArchiveState::Archived { .. } | ArchiveState::Absent | ArchiveState::Failed { .. } => None,
    }
}

fn metadata(original: &Fingerprint, packed: &Fingerprint) -> Vec<(String, String)> {
    let ratio = original.bytes as f64 / packed.bytes.max(1) as f64;
    [
        ("original-size", original.bytes.to_string()),
        ("compressed-size", packed.bytes.to_string()),
        ("compression-ratio", format!("{ratio:.2}")),
        ("original-sha256", original.sha256.to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}
