//! When is a response over? A body that settles what was held when it has been sent or dropped.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::reservation::Held;

pin_project! {
    /// The body of a response behind a [`RateLimitLayer`](crate::RateLimitLayer): the service's own,
    /// or the text of a refusal.
    ///
    /// What is held for the request is settled with the last frame, with an error, or when the body
    /// is dropped because the client has gone.
    #[derive(Debug)]
    pub struct LimitedBody<B> {
        #[pin]
        content: Content<B>,
        held: Option<Held>,
    }
}

pin_project! {
    #[project = ContentProjection]
    #[derive(Debug)]
    enum Content<B> {
        Service { #[pin] body: B },
        Refusal { text: Option<Bytes> },
    }
}

impl<B> LimitedBody<B> {
    pub(crate) const fn of_service(body: B, held: Option<Held>) -> Self {
        Self {
            content: Content::Service { body },
            held,
        }
    }

    pub(crate) fn refusal(text: Bytes) -> Self {
        Self {
            content: Content::Refusal {
                text: Some(text).filter(|text| !text.is_empty()),
            },
            held: None,
        }
    }
}

impl<B> Body for LimitedBody<B>
where
    B: Body,
    B::Data: From<Bytes>,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let mut body = match this.content.project() {
            ContentProjection::Service { body } => body,
            ContentProjection::Refusal { text } => {
                return Poll::Ready(text.take().map(|text| Ok(Frame::data(text.into()))));
            }
        };
        let polled = body.as_mut().poll_frame(context);
        let is_over = match &polled {
            Poll::Pending => false,
            Poll::Ready(Some(Ok(_))) => body.is_end_stream(),
            Poll::Ready(Some(Err(_)) | None) => true,
        };
        if is_over {
            this.held.take();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Service { body } => body.is_end_stream(),
            Content::Refusal { text } => text.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Service { body } => body.size_hint(),
            Content::Refusal { text } => {
                SizeHint::with_exact(text.as_ref().map_or(0, |text| text.len() as u64))
            }
        }
    }
}
