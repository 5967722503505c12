//! A request that a future waits for.

use std::pin::Pin;
use std::task::{Context, Poll};

use crate::error::Result;
use crate::modem::Modem;
use crate::proto::{Request, Response, Ticket};

/// The answer to a request. If it is dropped before the answer came, a connect is cancelled; other requests continue.
#[derive(Debug)]
pub(in crate::modem) struct Pending {
    modem: Modem,
    /// `None` after the answer.
    ticket: Option<Ticket>,
}

impl Pending {
    /// Makes the request at once.
    pub(in crate::modem) fn ask(modem: &Modem, request: Request) -> Self {
        let ticket = modem.driver.ask(request);
        Self { modem: modem.clone(), ticket: Some(ticket) }
    }
}

impl Future for Pending {
    type Output = Result<Response>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(ticket) = self.ticket else { return Poll::Pending };
        let polled = self.modem.driver.poll_answer(ticket, cx);
        if polled.is_ready() {
            self.ticket = None;
        }
        polled
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.modem.driver.abandon(ticket);
        }
    }
}
