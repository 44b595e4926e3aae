//! Log files on their way into the archive, with a crash at every point.

use std::collections::BTreeMap;

use bursar_cost_model::storage::{
    ArchiveCommand, ArchiveEvent, ArchiveMachine, ArchiveSettings, ArchiveState, ArchiveStep,
    Fingerprint, LogFile, LogFolder, SkipReason, StorageError,
};
use jiff::civil::date;
use proptest::prelude::*;
use rust_decimal::Decimal;

/// A volume and an archive in memory. Compressing puts a mark before the content, so that it can be
/// undone.
#[derive(Debug, Clone, Default)]
struct World {
    files: BTreeMap<String, String>,
    packed: BTreeMap<String, String>,
    archive: BTreeMap<String, String>,
}

/// Stands for SHA-256: the content itself in hexadecimal digits, which no two contents share.
fn fingerprint(content: &str) -> Fingerprint {
    let digits: String = content.bytes().map(|byte| format!("{byte:02x}")).collect();
    Fingerprint::new(content.len() as u64, &digits)
}

impl World {
    fn run(&mut self, command: &ArchiveCommand) -> ArchiveEvent {
        match command {
            ArchiveCommand::Compress { path } => match self.files.get(path) {
                None => ArchiveEvent::NoOriginal,
                Some(content) => {
                    let packed = format!("gz:{content}");
                    let event = ArchiveEvent::Compressed {
                        original: fingerprint(content),
                        packed: fingerprint(&packed),
                    };
                    self.packed.insert(path.clone(), packed);
                    event
                }
            },
            ArchiveCommand::Upload { path, key, .. } => {
                self.archive.insert(key.clone(), self.packed[path].clone());
                ArchiveEvent::Uploaded
            }
            ArchiveCommand::ReadBack { key } => {
                ArchiveEvent::ReadBack(self.archive.get(key).map(|content| fingerprint(content)))
            }
            ArchiveCommand::RemoveOriginal { path, expected } => {
                if fingerprint(&self.files[path]) == *expected {
                    self.files.remove(path);
                    ArchiveEvent::Removed
                } else {
                    ArchiveEvent::Changed
                }
            }
            ArchiveCommand::DiscardPacked { path } => {
                self.packed.remove(path);
                ArchiveEvent::Discarded
            }
            other => panic!("a command that this test does not know: {other:?}"),
        }
    }

    /// Whether a content is on the volume or, compressed, in the archive.
    fn has(&self, content: &str) -> bool {
        let packed = format!("gz:{content}");
        self.files.values().any(|file| file == content)
            || self.archive.values().any(|object| *object == packed)
    }
}

fn machine() -> ArchiveMachine {
    ArchiveMachine::new("web.log", "archived-logs/2026/11/20/web.log")
}

fn world(content: &str) -> World {
    let mut world = World::default();
    world.files.insert("web.log".to_owned(), content.to_owned());
    world
}

fn run_to_end(world: &mut World) -> ArchiveMachine {
    let mut machine = machine();
    while let Some(command) = machine.command() {
        let event = world.run(&command);
        machine.apply(event);
    }
    machine
}

#[test]
fn a_file_is_compressed_uploaded_verified_and_then_removed() {
    let mut world = world("all that happened");
    let machine = run_to_end(&mut world);
    assert!(matches!(machine.state(), ArchiveState::Archived { .. }));
    assert!(world.files.is_empty() && world.packed.is_empty());
    assert!(world.has("all that happened"));
}

#[test]
fn a_crash_at_any_point_loses_nothing_and_a_second_run_ends_it() {
    // Five commands; the crash comes before or after the effect of one of them.
    for crash in 0..5 {
        for effect in [false, true] {
            let mut world = world("all that happened");
            let mut machine = machine();
            for n in 0..=crash {
                let command = machine.command().unwrap();
                if n < crash {
                    let event = world.run(&command);
                    machine.apply(event);
                } else if effect {
                    world.run(&command);
                }
                assert!(world.has("all that happened"), "crash {crash}, {effect}");
            }
            run_to_end(&mut world);
            assert!(world.has("all that happened"), "crash {crash}, {effect}");
            assert!(world.files.is_empty(), "crash {crash}, {effect}");
            assert!(world.packed.is_empty(), "crash {crash}, {effect}");
            assert_eq!(world.archive.len(), 1, "crash {crash}, {effect}");
        }
    }
}

#[test]
fn a_command_that_fails_leaves_the_original() {
    for failing in 0..4 {
        let mut world = world("all that happened");
        let mut machine = machine();
        let mut n = 0;
        while let Some(command) = machine.command() {
            let event = if n == failing {
                ArchiveEvent::Failed("disk full".to_owned())
            } else {
                world.run(&command)
            };
            machine.apply(event);
            n += 1;
        }
        let steps = [
            ArchiveStep::Compress,
            ArchiveStep::Upload,
            ArchiveStep::Verify,
            ArchiveStep::RemoveOriginal,
        ];
        assert_eq!(
            machine.state(),
            &ArchiveState::Failed {
                step: steps[failing],
                reason: "disk full".to_owned()
            }
        );
        assert_eq!(world.files["web.log"], "all that happened");
        assert!(world.packed.is_empty());
    }
}

#[test]
fn a_file_that_grew_meanwhile_stays() {
    let mut world = world("half");
    let mut machine = machine();
    while let Some(command) = machine.command() {
        if matches!(command, ArchiveCommand::RemoveOriginal { .. }) {
            world
                .files
                .insert("web.log".to_owned(), "half and more".to_owned());
        }
        let event = world.run(&command);
        machine.apply(event);
    }
    assert!(matches!(
        machine.state(),
        ArchiveState::Failed {
            step: ArchiveStep::RemoveOriginal,
            ..
        }
    ));
    assert_eq!(world.files["web.log"], "half and more");
    // The next run archives it under a key of its own.
    run_to_end(&mut world);
    assert_eq!(world.archive.len(), 2);
    assert!(world.has("half and more") && world.files.is_empty());
}

#[test]
fn another_file_of_the_same_name_and_day_does_not_overwrite_the_first() {
    let mut world = world("first");
    run_to_end(&mut world);
    world
        .files
        .insert("web.log".to_owned(), "second".to_owned());
    run_to_end(&mut world);
    assert!(world.has("first") && world.has("second"));
    assert!(world.files.is_empty());
}

#[test]
fn an_archive_that_has_nothing_or_something_else_keeps_the_original() {
    for stored in [None, Some("gz:all that happene".to_owned())] {
        let mut world = world("all that happened");
        let mut machine = machine();
        while let Some(command) = machine.command() {
            if let ArchiveCommand::ReadBack { key } = &command {
                world.archive.remove(key);
                world
                    .archive
                    .extend(stored.clone().map(|content| (key.clone(), content)));
            }
            let event = world.run(&command);
            machine.apply(event);
        }
        assert!(matches!(
            machine.state(),
            ArchiveState::Failed {
                step: ArchiveStep::Verify,
                ..
            }
        ));
        assert_eq!(world.files["web.log"], "all that happened");
    }
}

fn any_event() -> impl Strategy<Value = ArchiveEvent> {
    let print = || Fingerprint::new(1, "a");
    prop_oneof![
        Just(ArchiveEvent::Compressed {
            original: print(),
            packed: print()
        }),
        Just(ArchiveEvent::NoOriginal),
        Just(ArchiveEvent::Uploaded),
        Just(ArchiveEvent::ReadBack(None)),
        Just(ArchiveEvent::ReadBack(Some(print()))),
        Just(ArchiveEvent::Removed),
        Just(ArchiveEvent::Changed),
        Just(ArchiveEvent::Discarded),
        Just(ArchiveEvent::Failed("no".to_owned())),
    ]
}

proptest! {
    #[test]
    fn no_order_of_events_asks_for_a_removal_without_a_verified_upload(
        events in proptest::collection::vec(any_event(), 0..12),
    ) {
        let mut machine = machine();
        let mut verified = false;
        for event in events {
            let asked = machine.command();
            verified |= matches!(asked, Some(ArchiveCommand::ReadBack { .. }))
                && matches!(event, ArchiveEvent::ReadBack(Some(_)));
            machine.apply(event);
            let removes = matches!(machine.command(), Some(ArchiveCommand::RemoveOriginal { .. }));
            prop_assert!(!removes || verified);
        }
    }
}

fn file(path: &str, bytes: u64, day: i8, open: Option<bool>) -> LogFile {
    LogFile {
        path: path.to_owned(),
        bytes,
        modified: date(2026, 11, day),
        open,
    }
}

#[test]
fn a_plan_takes_old_closed_files_of_the_pattern_and_says_why_not_the_others() {
    let folder = LogFolder {
        path: "/var/log/app".to_owned(),
        files: vec![
            file("web/access.log", 100, 20, Some(false)),
            file("web/young.log", 100, 21, Some(false)),
            file("web/tomorrow.log", 100, 28, Some(false)),
            file("web/empty.log", 0, 1, Some(false)),
            file("web/open.log", 100, 1, Some(true)),
            file("web/who-knows.log", 100, 1, None),
            file("web/access.log.gz", 100, 1, Some(false)),
            file("app/access.log", 50, 20, Some(false)),
        ],
    };
    let plan = folder
        .plan(&ArchiveSettings::default(), date(2026, 11, 27))
        .unwrap();
    let keys: Vec<&str> = plan
        .items
        .iter()
        .map(|item| item.key_stem.as_str())
        .collect();
    assert_eq!(
        keys,
        [
            "archived-logs/2026/11/20/web/access.log",
            "archived-logs/2026/11/20/app/access.log"
        ]
    );
    assert_eq!(plan.bytes, 150);
    let skipped: Vec<SkipReason> = plan.skipped.iter().map(|file| file.reason).collect();
    assert_eq!(
        skipped,
        [
            SkipReason::TooYoung,
            SkipReason::TooYoung,
            SkipReason::Empty,
            SkipReason::Open,
            SkipReason::OpenUnknown,
            SkipReason::OtherName,
        ]
    );
    assert_eq!(plan.items.len() + plan.skipped.len(), folder.files.len());
    assert_eq!(plan.monthly_saving, None);
}

#[test]
fn a_ratio_under_one_is_an_error() {
    let settings = ArchiveSettings {
        expected_ratio: Some(Decimal::new(5, 1)),
        ..ArchiveSettings::default()
    };
    let folder = LogFolder {
        path: "/var/log".to_owned(),
        files: Vec::new(),
    };
    let found = folder.plan(&settings, date(2026, 11, 27));
    assert_eq!(found.unwrap_err(), StorageError::Ratio(Decimal::new(5, 1)));
}
