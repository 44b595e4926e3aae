//! Is everything that was announced as committed still there after `kill -9`, and nothing else?

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};

use async_trait::async_trait;
use bursar_cost_model::{CostRecord, CostSource, CostStore, SourceError};
use bursar_sqlite::SqliteStore;
use futures_executor::block_on;

use crate::generations::{assert_intact, check, key, orders, records, spawn};

/// How often the child is killed.
const ROUNDS: u64 = 24;

/// How many partitions it writes to, one after the other.
const PARTITIONS: u64 = 3;

/// Announces every batch that it hands on, so that the child can be killed between them.
struct Announced {
    records: Vec<CostRecord<'static>>,
}

#[async_trait]
impl CostSource for Announced {
    async fn next_batch(&mut self) -> Result<Option<Vec<CostRecord<'static>>>, SourceError> {
        if self.records.is_empty() {
            return Ok(None);
        }
        let rest = self.records.split_off(self.records.len().min(100));
        #[expect(clippy::print_stdout, reason = "the parent listens")]
        {
            println!("batch");
        }
        Ok(Some(std::mem::replace(&mut self.records, rest)))
    }
}

#[test]
#[ignore = "the child that `announced_partitions_survive_being_killed` kills"]
fn writes_until_it_is_killed() {
    let Some((database, first)) = orders() else {
        return;
    };
    let store = SqliteStore::open(database).unwrap();
    for generation in first.parse::<u64>().unwrap().. {
        let mut source = Announced {
            records: records("child", generation).collect(),
        };
        let partition = generation % PARTITIONS;
        println!("begin {generation}");
        block_on(store.replace_partition(&key(partition), &mut source)).unwrap();
        println!("committed {generation}");
    }
}

/// What the child said before it was killed.
#[derive(Default)]
struct Said {
    /// The last generation of each partition that was announced as committed.
    committed: BTreeMap<u64, u64>,
    /// The last that was begun.
    begun: u64,
    /// Whether the last thing said was that a batch of it is on its way.
    mid_write: bool,
}

impl Said {
    fn hear(&mut self, line: &str) -> bool {
        // The test harness prints lines of its own; the first shares its line with the test's name.
        let words: Vec<&str> = line.split_whitespace().rev().take(2).collect();
        match words[..] {
            ["batch", ..] => self.mid_write = true,
            [generation, "begin"] => {
                self.begun = generation.parse().unwrap();
                self.mid_write = false;
            }
            [generation, "committed"] => {
                let generation: u64 = generation.parse().unwrap();
                self.committed.insert(generation % PARTITIONS, generation);
                self.mid_write = false;
            }
            _ => return false,
        }
        true
    }
}

#[test]
fn announced_partitions_survive_being_killed() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("costs.db");
    let mut said = Said::default();
    let mut killed_mid_write = 0;
    // A linear congruential generator (Knuth's MMIX constants): the moments are the same each run.
    let mut random = 20_240_201u64;
    for round in 0..ROUNDS {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let moment = 1 + (random >> 33) % 40;
        let next = (said.begun + 1).to_string();
        let (mut child, output) = spawn("kill::writes_until_it_is_killed", &database, &next);
        let mut heard = 0;
        let mut output = BufReader::new(output);
        let mut line = String::new();
        while heard < moment {
            line.clear();
            let read = output.read_line(&mut line).unwrap();
            assert!(read > 0, "the child ended before it was killed");
            heard += u64::from(said.hear(&line));
        }
        child.kill().unwrap();
        assert!(!child.wait().unwrap().success());
        // What it said between the last line that was awaited and its end counts as well, but for
        // a line that is cut off.
        let mut rest = String::new();
        output.read_to_string(&mut rest).unwrap();
        for line in rest.split_inclusive('\n').filter(|l| l.ends_with('\n')) {
            said.hear(line);
        }
        killed_mid_write += u64::from(said.mid_write);

        let store = SqliteStore::open(&database).unwrap();
        for partition in 0..PARTITIONS {
            let stored = check(&store, partition).map(|(_, generation)| generation);
            let announced = said.committed.get(&partition).copied();
            // Killed between the commit and its announcement, the partition is the one begun last.
            let unannounced = stored == Some(said.begun) && said.begun % PARTITIONS == partition;
            assert!(
                stored == announced || unannounced,
                "round {round}: partition {partition} holds {stored:?}, announced was {announced:?}"
            );
            if let Some(stored) = stored {
                said.committed.insert(partition, stored);
            }
        }
        drop(store);
        assert_intact(&database);
    }
    assert!(
        killed_mid_write >= ROUNDS / 2,
        "only {killed_mid_write} of {ROUNDS} kills were in the middle of a write"
    );
}
