use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use crossbeam_channel::Receiver;
use futures_core::{FusedStream, Stream};

use crate::driver::TaskKey;
use crate::modem::Modem;
use crate::proto::Event;

/// The events of a modem as a [`Stream`]: each one, in order, until the modem is closed
/// ([`AsyncModem::events`](super::AsyncModem::events)). Feature `async`.
///
/// The stream keeps the modem open, like any handle. Dropping it ends the subscription.
#[derive(Debug)]
#[must_use = "a stream does nothing unless it is polled"]
pub struct Events {
    modem: Modem,
    receiver: Receiver<Event>,
    key: TaskKey,
    is_over: bool,
}

impl Events {
    pub(super) fn of(modem: Modem) -> Self {
        let key = TaskKey::new();
        let receiver = modem.driver.subscribe_stream(key);
        Self { modem, receiver, key, is_over: false }
    }

    /// The next event; `None` when the modem is closed. A future that is dropped before it is ready takes no event.
    pub async fn next(&mut self) -> Option<Event> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl Stream for Events {
    type Item = Event;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        let polled = self.modem.driver.poll_event(&self.receiver, self.key, cx);
        self.is_over |= matches!(polled, Poll::Ready(None));
        polled
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.receiver.len(), None)
    }
}

impl FusedStream for Events {
    fn is_terminated(&self) -> bool {
        self.is_over
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.modem.driver.quit_events(self.key);
    }
}
