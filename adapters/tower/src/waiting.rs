//! How long is it worth waiting? In line, until the store says yes or the time is up.

use std::time::Duration;

use bursar_ratelimit::{
    Admission, Charges, Decision, Quota, RetryAfter, Status, StoreError, Timestamp,
};

use crate::layer::{Mode, Rules};
use crate::queue::{Bucket, Place};

/// How often the first in line asks again where no time is known.
const ASK_AGAIN: Duration = Duration::from_millis(25);

/// What came of asking.
pub(crate) struct Answer<'a> {
    pub(crate) admission: Admission<'a>,
    /// Others were waiting before it all the time: it may not pass, whatever the limits say.
    pub(crate) crowded_out: bool,
}

impl Answer<'_> {
    pub(crate) fn may_pass(&self) -> bool {
        !self.crowded_out && self.admission.decision.is_allowed()
    }
}

impl Rules {
    /// Asks, and where that is set waits in line first.
    pub(crate) async fn ask_or_wait<'a>(
        &self,
        charges: &Charges<'a>,
    ) -> Result<Answer<'a>, StoreError> {
        let now = self.runtime.now();
        if self.max_wait.is_zero() {
            return self.ask(charges, now).await.map(decided);
        }
        let deadline = now + self.max_wait;
        let mut line = self.queues.first_busy(charges.as_slice());
        let mut place: Option<Place> = None;
        loop {
            if let Some(bucket) = line.take() {
                // Never two places at once, or two requests could wait for each other.
                drop(place.take());
                place = self.line_up(bucket, deadline).await;
                if place.is_none() {
                    return self.crowded_out(charges).await;
                }
            }
            let now = self.runtime.now();
            let admission = self.ask(charges, now).await?;
            match self.longest_wait(&admission.decision) {
                Some((wait, bucket)) if now + wait <= deadline => match &place {
                    Some(place) if place.bucket == bucket => self.runtime.sleep(wait).await,
                    _ => line = Some(bucket),
                },
                _ => return Ok(decided(admission)),
            }
        }
    }

    async fn ask<'a>(
        &self,
        charges: &Charges<'a>,
        now: Timestamp,
    ) -> Result<Admission<'a>, StoreError> {
        match self.mode {
            Mode::Reserve => self.store.reserve(charges, now).await,
            Mode::Check => {
                let decision = self.store.check(charges, now).await?;
                Ok(Admission::new(decision, None))
            }
        }
    }

    /// Waits at the end of a line until it is one's turn, `None` if that comes too late.
    async fn line_up(&self, bucket: Bucket, deadline: Timestamp) -> Option<Place> {
        let place = self.queues.join(bucket, self.max_waiting)?;
        let left = deadline.saturating_since(self.runtime.now());
        let is_first = place.turn(self.runtime.sleep(left)).await;
        is_first.then_some(place)
    }

    /// Only looks: to take something now would be to push in before those who wait.
    async fn crowded_out<'a>(&self, charges: &Charges<'a>) -> Result<Answer<'a>, StoreError> {
        let decision = self.store.peek(charges, self.runtime.now()).await?;
        Ok(Answer {
            admission: Admission::new(decision, None),
            crowded_out: true,
        })
    }

    /// The longest of all waits and whose it is, `None` if nothing refuses or waiting cannot help.
    fn longest_wait(&self, decision: &Decision<'_>) -> Option<(Duration, Bucket)> {
        let mut longest: Option<(Duration, &Status<'_>)> = None;
        for status in decision.violated() {
            let wait = match (status.retry_after(), status.quota()) {
                (Some(RetryAfter::After(_)), Quota::Concurrency(_)) => ASK_AGAIN,
                (Some(RetryAfter::After(wait)), _) => wait,
                (Some(RetryAfter::Unknown), _) => ASK_AGAIN,
                (Some(RetryAfter::Never) | None, _) => return None,
            };
            if longest.is_none_or(|(before, _)| wait > before) {
                longest = Some((wait, status));
            }
        }
        let bucket = |status: &Status<'_>| self.queues.bucket(status.name(), status.key());
        longest.map(|(wait, status)| (wait, bucket(status)))
    }
}

const fn decided(admission: Admission<'_>) -> Answer<'_> {
    Answer {
        admission,
        crowded_out: false,
    }
}
