//! How do many callers share the wait for one commit?
//!
//! One thread has the connection that writes. It takes all changes that wait and commits them together,
//! so that many callers at once share the wait for the disk; each is answered after the commit.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use futures_channel::oneshot;
use rusqlite::{Connection, TransactionBehavior};

use crate::SqliteError;
use crate::store::spawn;

/// How many changes share a commit at most: a bound on what one crash leaves undecided, and on how long
/// the first of them waits.
const LARGEST_COMMIT: usize = 256;

/// Whatever made a change fail, kept whole.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The thread that writes, and the way to it. Dropping it waits until what was asked for is committed and
/// the connection closed.
pub(crate) struct GroupCommit {
    /// `None` only while it is dropped.
    work: Option<Sender<Work>>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread is asked for.
enum Work {
    Change(Box<dyn Change>),
    Read(Box<dyn FnOnce(&Connection) + Send>),
}

/// A change, and who waits for what becomes of it.
trait Change: Send {
    /// Decides and writes inside the commit that is open; an error ends that commit.
    fn apply(&mut self, connection: &Connection) -> Result<(), SqliteError>;

    /// Answers, after the commit or with the reason why there is none.
    fn answer(self: Box<Self>, failure: Option<BoxError>);
}

struct Asked<T, F> {
    decide: F,
    outcome: Option<T>,
    answer: oneshot::Sender<Result<T, BoxError>>,
}

impl<T, F> Change for Asked<T, F>
where
    T: Send,
    F: Fn(&Connection) -> Result<T, SqliteError> + Send,
{
    fn apply(&mut self, connection: &Connection) -> Result<(), SqliteError> {
        self.outcome = Some((self.decide)(connection)?);
        Ok(())
    }

    fn answer(self: Box<Self>, failure: Option<BoxError>) {
        let answer = match (failure, self.outcome) {
            (None, Some(outcome)) => Ok(outcome),
            (None, None) => Err(SqliteError::Stopped.into()),
            (Some(failure), _) => Err(failure),
        };
        // Nobody waits when the caller was dropped.
        let _ = self.answer.send(answer);
    }
}

impl GroupCommit {
    /// Starts the thread, which a debugger or `top` shows by this name.
    pub(crate) fn start(name: &str, mut connection: Connection) -> Result<Self, SqliteError> {
        let (work, works) = channel();
        let thread = spawn(name, move || run(&mut connection, &works))?;
        Ok(Self {
            work: Some(work),
            thread: Some(thread),
        })
    }

    /// What `decide` answers, once what it wrote is committed.
    ///
    /// An error of `decide` ends a commit that others share. What concerns this change alone is part of
    /// its answer instead, and `decide` has written nothing then.
    pub(crate) async fn change<T: Send + 'static>(
        &self,
        decide: impl Fn(&Connection) -> Result<T, SqliteError> + Send + 'static,
    ) -> Result<T, BoxError> {
        let (answer, answered) = oneshot::channel();
        self.send(Work::Change(Box::new(Asked {
            decide,
            outcome: None,
            answer,
        })))?;
        answered.await.map_err(|_| SqliteError::Stopped)?
    }

    /// What the connection says, after what was asked for before.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Connection) -> T + Send + 'static,
    ) -> Result<T, SqliteError> {
        let (answer, answered) = oneshot::channel();
        self.send(Work::Read(Box::new(move |connection| {
            let _ = answer.send(question(connection));
        })))?;
        answered.await.map_err(|_| SqliteError::Stopped)
    }

    fn send(&self, work: Work) -> Result<(), SqliteError> {
        let sender = self.work.as_ref().ok_or(SqliteError::Stopped)?;
        sender.send(work).map_err(|_| SqliteError::Stopped)
    }
}

impl Drop for GroupCommit {
    fn drop(&mut self) {
        self.work = None;
        if let Some(thread) = self.thread.take() {
            // A panic of that thread has been reported to whoever waited for its answer.
            let _ = thread.join();
        }
    }
}

/// Does what is asked until nobody can ask any more.
fn run(connection: &mut Connection, works: &Receiver<Work>) {
    let mut next = works.recv().ok();
    while let Some(work) = next.take() {
        match work {
            Work::Read(question) => question(connection),
            Work::Change(first) => {
                let mut changes = vec![first];
                while changes.len() < LARGEST_COMMIT {
                    match works.try_recv() {
                        Ok(Work::Change(change)) => changes.push(change),
                        other => {
                            next = other.ok();
                            break;
                        }
                    }
                }
                commit(connection, changes);
            }
        }
        if next.is_none() {
            next = works.recv().ok();
        }
    }
}

/// Applies changes in their order and answers each of them after the commit.
fn commit(connection: &mut Connection, mut changes: Vec<Box<dyn Change>>) {
    match attempt(connection, &mut changes) {
        Ok(()) => {
            for change in changes {
                change.answer(None);
            }
        }
        Err(error) => {
            // None of them was written. The first is told the cause itself, the others its words.
            let words = error.to_string();
            let mut error = Some(error);
            for change in changes {
                let cause = error
                    .take()
                    .map_or_else(|| words.clone().into(), Into::into);
                change.answer(Some(cause));
            }
        }
    }
}

fn attempt(
    connection: &mut Connection,
    changes: &mut [Box<dyn Change>],
) -> Result<(), SqliteError> {
    // Immediate: what is read in it holds until the commit, also beside other processes.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for change in changes {
        change.apply(&transaction)?;
    }
    transaction.commit()?;
    Ok(())
}
