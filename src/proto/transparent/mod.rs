//! Transparent mode: one connection that uses the whole line, without headers and at full speed (protocol section 12).

mod data;
mod end;
mod end_detector;
mod end_lines;
mod escape_guard;
mod interface;
mod mirror;
mod next_action;
#[cfg(test)]
mod transitions;
mod wire;

use std::collections::VecDeque;
use std::time::Duration;

use crate::at::Quotable;
use crate::error::{Error, InUse};
use crate::time::Timestamp;

use super::bring_up::ConnectionMode;
use super::{Deadline, Request, Response, Ticket};
pub(super) use interface::{Facts, StepOutcome, StreamAction, StreamInput};
use wire::Wire;

/// The transparent stream, from the request for one until sockets can be opened again.
///
/// | state | on | next |
/// |---|---|---|
/// | `Off` | it is asked for and no socket is open | `Preparing`: bring-up shuts down and sets the module up again |
/// | `Preparing` | that is done | `Dialling`: `AT+CIPSTART` is written |
/// | `Preparing` | the module can't, or time is up | `Off` |
/// | `Dialling` | `CONNECT` | `Online` |
/// | `Dialling` | a refusal, `CONNECT FAIL` | `Off` |
/// | `Dialling` | no answer | `Recovering` |
/// | `Online` | it is to be left: asked for, ended, or a word that ends a connection has come, whatever follows | `Guarding` |
/// | `Guarding` | that is not wanted any more, and no such word has come | `Online` |
/// | `Guarding` | 1 s without a byte written: `+++` is | `Escaping` |
/// | `Guarding` | the port has taken no byte for 60 s | `Recovering`: the stream ends |
/// | `Escaping` | `OK` | `Proving`: a question is written |
/// | `Escaping` | none, and such a word has come | `Recovering`: it was an end with an error |
/// | `Escaping` | none, and a word has come that is the whole of a clean end | `Proving`, because the escape may be missed |
/// | `Escaping` | none | `Guarding` again; at last the port's DTR goes off, and if that helps no more than `+++`, `Recovering`: the stream ends |
/// | `Proving` | its answer | `Command`: the stream has ended if the escape was not answered |
/// | `Proving` | none, or another: the `OK` may have been the peer's | `Recovering`: the stream ends |
/// | `Command` | data mode is wanted: `ATO` is written | `Resuming` |
/// | `Command` | the stream has ended: `AT+CIPCLOSE` is written | `Closing` |
/// | `Resuming` | `CONNECT` | `Online` |
/// | `Resuming` | a refusal, `NO CARRIER`, which may be the peer's | `Recovering`: the stream ends, by the word that has come if one has |
/// | `Resuming` | no answer | `Recovering`: the stream ends |
/// | `Proving`, `Resuming` | bytes that no module writes in command mode | `Recovering`: the stream ends |
/// | `Closing` | whatever is answered | `Off`: bring-up shuts down and sets the module up for sockets |
/// | `Recovering` | bring-up has found the module and shut it down | `Off` |
/// | any | bearer lost, restart, port lost | `Off` |
///
/// Every transition is a row of the table in `transitions.rs`, which a test walks.
///
/// The stream uses the socket of a free channel that the module does not use. So window, sends and end are those of
/// every socket.
///
/// The machine knows no other part of the core. Its inputs are [`handle`](Transparent::handle),
/// [`received`](Transparent::received) and [`finished`](Transparent::finished); [`drive`](Transparent::drive) and
/// [`poll_command`](Transparent::poll_command) run what is due. After each of these the engine takes the outputs with
/// [`poll`](Transparent::poll).
#[derive(Debug)]
pub(super) struct Transparent {
    state: StreamState,
    /// The outputs.
    actions: VecDeque<StreamAction>,
    /// A request for a stream while an earlier stream is ending.
    next: Option<StreamRequest>,
    /// The mode that the application has requested.
    wanted: Mode,
    waiting: Vec<Waiter>,
    wire: Wire,
    /// Whether DTR was switched off, and not on again.
    dtr_is_off: bool,
    /// The number of escapes that were not answered in time. Each may be answered late.
    unanswered: u32,
    /// The time-out of the escape that was written last.
    escape_timeout: Duration,
}

#[derive(Debug)]
enum StreamState {
    Off,
    Preparing(StreamRequest),
    Dialling(StreamRequest),
    Online,
    /// How often `+++` was written without an answer.
    Guarding {
        failed: u32,
        since: Timestamp,
        why: GuardReason,
    },
    Escaping {
        failed: u32,
        since: Timestamp,
        by: EscapeMethod,
    },
    /// A question will prove that the module is in command mode.
    Proving(EscapeAnswer),
    Command,
    Resuming,
    Closing,
    Recovering,
}

/// The reason for leaving data mode.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum GuardReason {
    /// A request, or the end of the stream.
    Wanted,
    /// A line that ends a connection came, or an echo. The module may be in command mode.
    Suspected,
}

/// The answer to an escape that a question is to prove.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum EscapeAnswer {
    /// It seems to have come.
    Came,
    /// None came in time, and a line that ends a connection did.
    None,
}

/// The method to leave data mode.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum EscapeMethod {
    /// `+++`
    Pluses,
    /// Switching DTR off (section 12, `AT&D1`), for firmware that ignores `+++`.
    Dtr,
}

/// A request for a stream.
#[derive(Clone, Debug)]
struct StreamRequest {
    /// The ticket of the request; `None` if it was answered.
    ticket: Option<Ticket>,
    host: Quotable,
    port: u16,
    asked_at: Timestamp,
    deadline: Timestamp,
    timeout: Duration,
}

/// Data mode, or command mode while the connection is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mode {
    Data,
    Command,
}

/// A request that waits for a mode.
#[derive(Debug)]
struct Waiter {
    ticket: Ticket,
    wants: Mode,
    deadline: Timestamp,
    timeout: Duration,
}

/// The silence before `+++` (section 12: 1 s, and a margin for clocks).
const GUARD: Duration = Duration::from_millis(1_100);
/// The time-out of the answer to `+++` (section 12: 0.6 s in every capture), for a module that answers at once.
const ESCAPE_TIMEOUT: Duration = Duration::from_millis(1_500);
/// An answer can't come sooner: the module waits for 0.5 s of silence.
const NO_ANSWER_YET: Duration = Duration::from_millis(400);
/// How often `+++` is written. Firmware before V401857 sometimes misses it.
const ESCAPES: u32 = 3;
/// The time-out of a port that accepts no bytes while data mode is being left.
const STALLED: Duration = Duration::from_secs(60);

impl Transparent {
    pub(super) fn new(baud_rate: u32) -> Self {
        Self {
            state: StreamState::Off,
            actions: VecDeque::new(),
            next: None,
            wanted: Mode::Data,
            waiting: Vec::new(),
            wire: Wire::new(baud_rate),
            dtr_is_off: false,
            unanswered: 0,
            escape_timeout: ESCAPE_TIMEOUT,
        }
    }

    /// True if there is nothing to do and no request to answer.
    pub(super) fn is_idle(&self) -> bool {
        matches!(self.state, StreamState::Off) && self.next.is_none() && !self.dtr_is_off
    }

    /// The reason why a request can't be served while the stream uses the line.
    pub(super) fn refuses(&self, request: &Request) -> Option<Error> {
        let commands = matches!(
            self.state,
            StreamState::Off | StreamState::Command | StreamState::Closing | StreamState::Recovering
        );
        let lasts = !matches!(self.state, StreamState::Off | StreamState::Closing | StreamState::Recovering);
        let refused = match request {
            Request::Transparent { .. } => self.next.is_some() || lasts,
            Request::Connect { .. } | Request::ConnectTls { .. } => self.next.is_some() || lasts,
            Request::Run(_)
            | Request::RunWithPayload { .. }
            | Request::RemoveFile(_)
            | Request::Radio { .. }
            | Request::ResetBearer
            | Request::Restart => !commands,
            Request::WaitReady { .. }
            | Request::Escape { .. }
            | Request::Resume { .. }
            | Request::Send { .. }
            | Request::Queue { .. }
            | Request::Beat { .. }
            | Request::Flush { .. }
            | Request::Drain { .. }
            | Request::Unacknowledged { .. }
            | Request::WaitLeft { .. }
            | Request::Cancel { .. }
            | Request::Close { .. }
            | Request::Forget { .. } => false,
        };
        refused.then_some(Error::InUse(InUse::Transparent))
    }

    /// The connection mode that the module should have.
    pub(super) fn connection_mode(&self) -> ConnectionMode {
        match self.state {
            StreamState::Off | StreamState::Recovering => ConnectionMode::Sockets,
            StreamState::Preparing(_)
            | StreamState::Dialling(_)
            | StreamState::Online
            | StreamState::Guarding { .. }
            | StreamState::Escaping { .. }
            | StreamState::Proving(_)
            | StreamState::Command
            | StreamState::Resuming
            | StreamState::Closing => ConnectionMode::Stream,
        }
    }

    /// True if there is a connection, in either mode.
    pub(super) fn is_connected(&self) -> bool {
        match self.state {
            StreamState::Online
            | StreamState::Guarding { .. }
            | StreamState::Escaping { .. }
            | StreamState::Proving(_)
            | StreamState::Command
            | StreamState::Resuming => true,
            StreamState::Off
            | StreamState::Preparing(_)
            | StreamState::Dialling(_)
            | StreamState::Closing
            | StreamState::Recovering => false,
        }
    }

    /// True if the module accepts commands while the connection is kept.
    pub(super) fn is_escaped(&self) -> bool {
        matches!(self.state, StreamState::Command)
    }

    /// True if the line carries no transparent data although there is a connection.
    pub(super) fn is_beside(&self) -> bool {
        matches!(self.state, StreamState::Proving(_) | StreamState::Command | StreamState::Resuming)
    }

    /// True if a result code may be the late answer to an escape. Each escape has one answer.
    fn late_answer(&mut self) -> bool {
        let may_be = self.unanswered > 0;
        self.unanswered = self.unanswered.saturating_sub(1);
        may_be
    }

    /// True if a question is in flight to prove that the module accepts commands.
    pub(super) fn is_proving(&self) -> bool {
        matches!(self.state, StreamState::Proving(_))
    }

    /// The earliest deadline, and its reason.
    pub(super) fn deadline(&self) -> Option<(Timestamp, Deadline)> {
        let request = self.next.as_ref().into_iter().chain(self.request()).map(|request| request.deadline);
        let requests = request.chain(self.waiting.iter().map(|waiter| waiter.deadline)).min();
        let own = match self.state {
            StreamState::Online => [self.wire.tail_deadline(), self.wire.resume_at()],
            StreamState::Guarding { since, .. } => {
                let guard = self.wire.silent_since().map_or(since + STALLED, |silent| silent + GUARD);
                [Some((guard, Deadline::Guard)), self.wire.tail_deadline()]
            }
            StreamState::Escaping { since, .. } => {
                let due = (since + self.escape_timeout, Deadline::Escape);
                [(!self.wire.end_detector.has_answer()).then_some(due), self.wire.tail_deadline()]
            }
            StreamState::Off
            | StreamState::Preparing(_)
            | StreamState::Dialling(_)
            | StreamState::Proving(_)
            | StreamState::Command
            | StreamState::Resuming
            | StreamState::Closing
            | StreamState::Recovering => [None, None],
        };
        own.into_iter().flatten().chain(requests.map(|at| (at, Deadline::Request))).min()
    }

    fn request(&self) -> Option<&StreamRequest> {
        match &self.state {
            StreamState::Preparing(request) | StreamState::Dialling(request) => Some(request),
            StreamState::Off
            | StreamState::Online
            | StreamState::Guarding { .. }
            | StreamState::Escaping { .. }
            | StreamState::Proving(_)
            | StreamState::Command
            | StreamState::Resuming
            | StreamState::Closing
            | StreamState::Recovering => None,
        }
    }

    /// True if DTR is off so that the module leaves data mode.
    fn waits_for_dtr(&self) -> bool {
        matches!(self.state, StreamState::Escaping { by: EscapeMethod::Dtr, .. })
    }

    fn wants_command(&self) -> bool {
        self.wanted == Mode::Command || self.waits_for(Mode::Command)
    }

    fn waits_for(&self, wanted: Mode) -> bool {
        self.waiting.iter().any(|waiter| waiter.wants == wanted)
    }

    /// The mode was reached: answers the requests that wait for it.
    fn reached(&mut self, mode: Mode) {
        for waiter in self.waiting.extract_if(.., |waiter| waiter.wants == mode) {
            self.actions.push_back(StreamAction::Answer(waiter.ticket, Ok(Response::Done)));
        }
    }

    /// No mode can be reached any more.
    fn fail_waiting(&mut self, error: &dyn Fn() -> Error) {
        for waiter in std::mem::take(&mut self.waiting) {
            self.actions.push_back(StreamAction::Answer(waiter.ticket, Err(error())));
        }
        self.wanted = Mode::Data;
    }

    /// Answers a request, if one waits.
    fn answer(&mut self, ticket: Option<Ticket>, result: Result<Response, Error>) {
        if let Some(ticket) = ticket {
            self.act(StreamAction::Answer(ticket, result));
        }
    }

    fn act(&mut self, action: StreamAction) {
        self.actions.push_back(action);
    }

    /// The next output; `None` if there are no more.
    pub(super) fn poll(&mut self) -> Option<StreamAction> {
        self.actions.pop_front()
    }
}
