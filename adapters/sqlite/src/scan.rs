//! How does a scan that blocks on the disk become a source that nobody waits for in vain?
//!
//! Each scan has a thread and a connection of its own. The thread reads one batch ahead and then
//! waits until that is asked for, so that at most two batches are in memory.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};

use async_trait::async_trait;
use bursar_cost_model::{CostRecord, CostSource, Scan, SourceError, StoreError};
use futures_channel::oneshot;

use crate::store::spawn;
use crate::{SqliteError, SqliteOptions, read, schema};

/// A batch is asked for by saying where to send it.
type Request = oneshot::Sender<Result<Option<Batch>, StoreError>>;
type Batch = Vec<CostRecord<'static>>;

/// The records of a scan, as its thread reads them.
pub(crate) struct ScanSource {
    state: State,
    /// The batch that has been asked for; it is kept when a caller stops waiting for it.
    pending: Option<oneshot::Receiver<Result<Option<Batch>, StoreError>>>,
    records: u64,
}

enum State {
    Open(Sender<Request>),
    Ended,
    Failed,
}

impl ScanSource {
    /// Starts a scan, and returns once its moment is fixed.
    pub(crate) async fn open(
        path: &Path,
        options: &SqliteOptions,
        scan: &Scan,
    ) -> Result<ScanSource, StoreError> {
        let (opened, is_open) = oneshot::channel();
        let (requests, asked) = channel();
        let (path, options, scan) = (path.to_owned(), options.clone(), scan.clone());
        spawn("bursar-sqlite-scan", move || {
            serve(&path, &options, &scan, opened, &asked);
        })?;
        is_open.await.map_err(|_| SqliteError::Stopped)??;
        Ok(ScanSource {
            state: State::Open(requests),
            pending: None,
            records: 0,
        })
    }

    async fn receive(&mut self) -> Result<Option<Batch>, StoreError> {
        let pending = match (&mut self.pending, &self.state) {
            (Some(pending), _) => pending,
            (None, State::Ended) => return Ok(None),
            (None, State::Failed) => return Err(SqliteError::Stopped.into()),
            (None, State::Open(requests)) => {
                let (request, answer) = oneshot::channel();
                requests.send(request).map_err(|_| SqliteError::Stopped)?;
                self.pending.insert(answer)
            }
        };
        let answer = pending.await;
        self.pending = None;
        answer.map_err(|_| SqliteError::Stopped)?
    }
}

#[async_trait]
impl CostSource for ScanSource {
    async fn next_batch(&mut self) -> Result<Option<Batch>, SourceError> {
        match self.receive().await {
            Ok(Some(batch)) => {
                self.records += batch.len() as u64;
                Ok(Some(batch))
            }
            Ok(None) => {
                self.state = State::Ended;
                Ok(None)
            }
            Err(error) => {
                self.state = State::Failed;
                Err(SourceError::new(self.records, error))
            }
        }
    }
}

/// The thread of one scan: opens, reads, and answers until the end or until nobody asks.
fn serve(
    path: &Path,
    options: &SqliteOptions,
    scan: &Scan,
    opened: oneshot::Sender<Result<(), StoreError>>,
    asked: &Receiver<Request>,
) {
    let mut opened = Some(opened);
    let outcome = schema::open_reader(path, options)
        .map_err(StoreError::from)
        .and_then(|connection| {
            let batch_records = options.batch_records.get();
            let open = || answer_opened(&mut opened, Ok(()));
            read::scan(&connection, scan, batch_records, open, |batch| {
                answer(asked, Ok(Some(batch)))
            })
        });
    match outcome {
        Ok(()) => {
            let _ = answer(asked, Ok(None));
        }
        Err(error) if opened.is_some() => answer_opened(&mut opened, Err(error)),
        Err(error) => {
            let _ = answer(asked, Err(error));
        }
    }
}

fn answer_opened(
    opened: &mut Option<oneshot::Sender<Result<(), StoreError>>>,
    outcome: Result<(), StoreError>,
) {
    if let Some(opened) = opened.take() {
        // Nobody waits when the caller was dropped; the next request then never comes.
        let _ = opened.send(outcome);
    }
}

/// Waits for the next request and answers it; breaks when none will come.
fn answer(asked: &Receiver<Request>, batch: Result<Option<Batch>, StoreError>) -> ControlFlow<()> {
    match asked.recv().map(|request| request.send(batch)) {
        Ok(Ok(())) => ControlFlow::Continue(()),
        Ok(Err(_)) | Err(_) => ControlFlow::Break(()),
    }
}
