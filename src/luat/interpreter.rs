//! The interpretation of records as events.

use crate::time::Timestamp;

use super::exchange::Exchange;
use super::sends::{Confirmed, Sends};
use super::sockets::Sockets;
use super::{CoreId, Event, EventKind, Failure, Operation, Origin, Pattern, Print, Record, SocketRef};

/// The bearer that the `link` library activates for sockets (`link.lua`).
const BEARER: u8 = 5;

/// The most outcomes whose second line may still come: 16, more than the number of the module's sockets. Further ones
/// are reported twice if their second line comes.
const MAX_UNSAID: usize = 16;

/// Interprets a trace, record by record.
///
/// The meaning of a record may depend on the next one (`connect ok` follows the confirmation that it belongs to), so an
/// event may be returned one record later. Memory is limited: sockets by their numbers, sends and answers by constants.
#[derive(Debug, Default)]
pub struct Interpreter {
    sockets: Sockets,
    sends: Sends,
    exchange: Exchange,
    /// An outcome whose second line may be next.
    held: Option<Event>,
    /// Outcomes that were reported without their second line, which may still come.
    unsaid: Vec<Outcome>,
    /// The last line of `ril.proatc`: the `link` library prints it again.
    last_urc: Option<String>,
    /// True if the bearer was lost and is not active again.
    is_bearer_lost: bool,
    out: Vec<Event>,
}

impl Interpreter {
    /// Interprets the next record. Returns the events that are certain with it, in order.
    pub fn interpret(&mut self, record: &Record) -> Vec<Event> {
        let now = Moment { lines: record.lines.clone().into_inner(), at: record.at };
        match record.print() {
            Some(print) if self.is_second_line(&print, now) => {}
            Some(print) => {
                self.release();
                self.print(print, now);
            }
            None => self.other(record, now),
        }
        if record.look_alike {
            let (first, last) = now.lines;
            self.report_since(
                Some(first),
                Moment { lines: (last, last), ..now },
                EventKind::Sign(Pattern::LookAlike),
            );
        }
        std::mem::take(&mut self.out)
    }

    /// The remaining events at the end of the trace.
    pub fn finish(mut self) -> Vec<Event> {
        self.release();
        if let Some((lines, what)) = self.exchange.end(None) {
            self.out.push(Event { lines, at: None, what });
        }
        self.give_up_sends(None);
        self.out
    }

    /// True if the line repeats, in the library's words, the result of a confirmation.
    fn is_second_line(&mut self, print: &Print, now: Moment) -> bool {
        let Some(wanted) = Outcome::of_print(print) else {
            return false;
        };
        if let Some(mut held) = self.held.take_if(|held| Outcome::of(&held.what) == Some(wanted)) {
            held.lines.push(now.line());
            self.out.push(held);
            return true;
        }
        let unsaid = self.unsaid.iter().position(|&outcome| outcome == wanted);
        unsaid.map(|at| self.unsaid.remove(at)).is_some()
    }

    fn release(&mut self) {
        let Some(held) = self.held.take() else {
            return;
        };
        if let Some(outcome) = Outcome::of(&held.what)
            && self.unsaid.len() < MAX_UNSAID
        {
            self.unsaid.push(outcome);
        }
        self.out.push(held);
    }

    /// Takes a record that no library printed. Lines of the tool become events; those of a script and of the core prove
    /// nothing.
    fn other(&mut self, record: &Record, now: Moment) {
        match &record.origin {
            Origin::Tool => {
                self.release();
                self.report(now, EventKind::Tool(tool_words(&record.text)));
            }
            Origin::Core if record.text.starts_with(b"lualibc_fopen fail") => {
                self.release();
                self.report(now, EventKind::Sign(Pattern::FileMissing));
            }
            Origin::Core | Origin::Script { .. } => {}
        }
    }

    fn print(&mut self, print: Print, now: Moment) {
        if parts_a_close_from_its_socket(&print) {
            self.sockets.forget_unpaired();
        }
        match print {
            Print::Connecting { id, endpoint, timeout } => {
                let (line, at) = (now.line(), now.at);
                let is_too_many = self.sockets.connecting(id, endpoint.clone(), line, at, timeout);
                self.report(now, EventKind::Connecting { id, endpoint, timeout });
                if is_too_many {
                    self.report(now, EventKind::Sign(Pattern::TooManySockets));
                }
            }
            Print::Response { id, operation, result } => self.response(id, operation, result, now),
            Print::ConnectOk => {
                let id = self.sockets.only_connecting();
                let began = id.and_then(|id| self.sockets.opened(id));
                self.report_since(began, now, EventKind::Connected(SocketRef::paired(id)));
            }
            Print::ConnectFail(reason) => self.connect_failed(reason, now),
            Print::Sending { total: 0, .. } => self.report(now, EventKind::SentNothing),
            Print::Sending { total, .. } => {
                if let Some(old) = self.sends.begin(now.line(), total) {
                    self.report(now.back_at(old.line), EventKind::Unconfirmed { len: old.total });
                }
            }
            Print::SendFail(reason) => self.send_failed(reason, now),
            Print::Received { len } => {
                let socket = SocketRef::paired(self.sockets.only_open());
                self.report(now, EventKind::Received { socket, len });
            }
            Print::ClosedByPeer => {
                let socket = SocketRef::paired(self.sockets.closed_by_peer(now.line()));
                self.report(now, EventKind::ClosedByPeer(socket));
            }
            Print::Closing(id) => {
                if let Some(id) = id {
                    self.sockets.closing(id, now.line());
                }
                self.report(now, EventKind::Closing(id));
            }
            Print::Refused(endpoint) => self.report(now, EventKind::Refused(endpoint)),
            Print::HttpDns { address } => self.report(now, EventKind::HttpDns { address }),
            Print::UsedWhenDead { function, reason } => {
                self.note_bearer(reason, now);
                self.report(now, EventKind::UsedWhenDead { function, reason });
            }
            other => self.print_of_module(other, now),
        }
    }

    /// Takes a print of the library that is not about one socket.
    fn print_of_module(&mut self, print: Print, now: Moment) {
        match print {
            Print::Bearer { line, deactivated } => self.bearer(line, deactivated, now),
            Print::Link { step, text } => self.report(now, EventKind::Link { step, text }),
            Print::IpReady => {
                self.is_bearer_lost = false;
                self.report(now, EventKind::IpReady);
            }
            Print::Command(command) => {
                let old = self.exchange.command(now.line(), command);
                self.report_lines(old, now.at);
            }
            Print::Answer(line) => {
                let what = self.exchange.line(now.line(), line);
                match what {
                    Some((_, EventKind::Urc(line))) => self.urc(line, now),
                    what => self.report_lines(what, now.at),
                }
            }
            Print::Restart(reason) => {
                let what = match reason.strip_prefix("ril.atimeout_") {
                    Some(command) => EventKind::AtTimeout(command.to_owned()),
                    None => EventKind::Restart(reason),
                };
                self.report(now, what);
            }
            Print::PowerOn { reason, firmware } => {
                let old = self.exchange.end(None);
                self.report_lines(old, None);
                self.give_up_sends(None);
                self.sockets.clear();
                self.unsaid.clear();
                self.is_bearer_lost = false;
                self.report(now, EventKind::PowerOn { reason, firmware });
            }
            other => {
                if let Some(pattern) = sign(&other) {
                    self.report(now, EventKind::Sign(pattern));
                }
            }
        }
    }

    fn response(&mut self, id: CoreId, operation: Operation, result: Option<i64>, now: Moment) {
        match (operation, result) {
            (Operation::Connect, Some(0)) => {
                let began = self.sockets.opened(id);
                self.hold_since(began, now, EventKind::Connected(SocketRef::Shown(id)));
            }
            (Operation::Connect, Some(_)) => {
                let began = self.sockets.refused(id);
                let what =
                    EventKind::ConnectFailed { socket: SocketRef::Shown(id), reason: Failure::Response };
                self.hold_since(began, now, what);
            }
            (Operation::Send, Some(0)) => {
                self.sockets.proven_open(id);
                let transport = self.sockets.transport(id);
                let socket = SocketRef::Shown(id);
                match self.sends.confirm(id, transport) {
                    Confirmed::Whole(send) => {
                        let len = Some(send.total);
                        self.report_since(Some(send.line), now, EventKind::Sent { socket, len });
                    }
                    Confirmed::Piece => {}
                    Confirmed::Unknown => self.report(now, EventKind::Sent { socket, len: None }),
                }
            }
            (Operation::Send, Some(_)) => {
                let (began, len) = begun(self.sends.fail(Some(id)));
                let what =
                    EventKind::SendFailed { socket: SocketRef::Shown(id), len, reason: Failure::Response };
                self.hold_since(began, now, what);
            }
            (Operation::Close, number) => {
                self.give_up_sends(Some(id));
                let (by, mut lines) = self.sockets.closed(id);
                lines.push(now.line());
                self.out.push(Event { lines, at: now.at, what: EventKind::Closed { id, by, number } });
            }
            // A line that was cut before its result shows no result.
            (Operation::Connect | Operation::Send, None) => {}
        }
    }

    /// Takes `connect fail` without a confirmation before it.
    fn connect_failed(&mut self, reason: Failure, now: Moment) {
        let id = match reason {
            Failure::Timeout => self.sockets.only_overdue(now.at),
            Failure::Response | Failure::Closed | Failure::IpError | Failure::Other => {
                self.sockets.only_connecting()
            }
        };
        let began = match (id, reason) {
            (Some(id), Failure::Response) => self.sockets.refused(id),
            (Some(id), _) => self.sockets.failed(id),
            (None, _) => None,
        };
        self.note_bearer(reason, now);
        self.report_since(began, now, EventKind::ConnectFailed { socket: SocketRef::paired(id), reason });
    }

    /// Takes `send fail` without a confirmation before it.
    fn send_failed(&mut self, reason: Failure, now: Moment) {
        let id = self.sockets.only_open();
        let (began, len) = begun(self.sends.fail(id));
        self.note_bearer(reason, now);
        self.report_since(began, now, EventKind::SendFailed { socket: SocketRef::paired(id), len, reason });
    }

    /// Takes an unsolicited line of the core.
    fn urc(&mut self, line: String, now: Moment) {
        self.last_urc = Some(line.clone());
        if Pattern::of_modem_line(&line) == Some(Pattern::BearerLost) {
            self.lose_bearer(line, now);
        } else {
            self.report(now, EventKind::Urc(line));
        }
    }

    /// Takes a socket's report of the loss of the bearer, which may be the only one.
    fn note_bearer(&mut self, reason: Failure, now: Moment) {
        if reason == Failure::IpError {
            self.lose_bearer(reason.to_string(), now);
        }
    }

    /// Every socket has ended. This is reported once, until the bearer is active again.
    fn lose_bearer(&mut self, line: String, now: Moment) {
        self.sockets.bearer_lost(now.line());
        if !std::mem::replace(&mut self.is_bearer_lost, true) {
            self.report(now, EventKind::BearerLost { line });
        }
    }

    /// Takes the `link` library's copy of a URC about a bearer.
    fn bearer(&mut self, line: String, deactivated: Option<u8>, now: Moment) {
        if deactivated == Some(BEARER) {
            self.lose_bearer(line, now);
        } else if self.last_urc.as_deref() != Some(line.as_str()) {
            self.report(now, EventKind::Urc(line));
        }
    }

    fn give_up_sends(&mut self, gone: Option<CoreId>) {
        for send in self.sends.give_up(gone) {
            self.out.push(Event {
                lines: vec![send.line],
                at: None,
                what: EventKind::Unconfirmed { len: send.total },
            });
        }
    }

    fn report(&mut self, now: Moment, what: EventKind) {
        self.report_since(None, now, what);
    }

    fn report_since(&mut self, began: Option<u64>, now: Moment, what: EventKind) {
        self.out.push(now.event(began, what));
    }

    fn hold_since(&mut self, began: Option<u64>, now: Moment, what: EventKind) {
        self.held = Some(now.event(began, what));
    }

    fn report_lines(&mut self, what: Option<(Vec<u64>, EventKind)>, at: Option<Timestamp>) {
        if let Some((lines, what)) = what {
            self.out.push(Event { lines, at, what });
        }
    }
}

/// The place and the time of a record.
#[derive(Debug, Clone, Copy)]
struct Moment {
    lines: (u64, u64),
    at: Option<Timestamp>,
}

impl Moment {
    fn line(self) -> u64 {
        self.lines.0
    }

    /// An earlier line, whose time is no longer known.
    fn back_at(self, line: u64) -> Self {
        Self { lines: (line, line), at: None }
    }

    fn event(self, began: Option<u64>, what: EventKind) -> Event {
        let lines = began.into_iter().chain([self.line()]).collect();
        Event { lines, at: self.at, what }
    }
}

/// An outcome that the library prints in words directly after the core's confirmation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Connected,
    ConnectFailed,
    SendFailed,
}

impl Outcome {
    fn of(what: &EventKind) -> Option<Self> {
        match what {
            EventKind::Connected(_) => Some(Self::Connected),
            EventKind::ConnectFailed { .. } => Some(Self::ConnectFailed),
            EventKind::SendFailed { .. } => Some(Self::SendFailed),
            _ => None,
        }
    }

    fn of_print(print: &Print) -> Option<Self> {
        match print {
            Print::ConnectOk => Some(Self::Connected),
            Print::ConnectFail(Failure::Response) => Some(Self::ConnectFailed),
            Print::SendFail(Failure::Response) => Some(Self::SendFailed),
            _ => None,
        }
    }
}

/// The line where a failed send began, and the number of its bytes.
fn begun(confirmed: Confirmed) -> (Option<u64>, Option<u64>) {
    match confirmed {
        Confirmed::Whole(send) => (Some(send.line), Some(send.total)),
        Confirmed::Piece | Confirmed::Unknown => (None, None),
    }
}

/// True if the event shows that the task of its socket runs, and not that of a socket that the peer has just closed.
fn parts_a_close_from_its_socket(print: &Print) -> bool {
    matches!(
        print,
        Print::Connecting { .. }
            | Print::Response { .. }
            | Print::ConnectOk
            | Print::Refused(_)
            | Print::Sending { .. }
            | Print::Received { .. }
    )
}

/// The pattern of a print with a meaning of its own.
fn sign(print: &Print) -> Option<Pattern> {
    match print {
        Print::IpNotReady => Some(Pattern::IpNotReady),
        Print::Buffered => Some(Pattern::Buffered),
        Print::Overflow => Some(Pattern::Overflow),
        Print::StrayResponse { .. } => Some(Pattern::StrayResponse),
        Print::UnexpectedResponse { .. } => Some(Pattern::UnexpectedResponse),
        Print::StrayIndication { .. } => Some(Pattern::StrayIndication),
        Print::NotInCoroutine => Some(Pattern::NotInCoroutine),
        Print::TooManySockets => Some(Pattern::TooManySockets),
        Print::CallInProgress => Some(Pattern::CallInProgress),
        Print::StrayPrompt(_) => Some(Pattern::StrayPrompt),
        _ => None,
    }
}

/// The text of the tool's line, from UTF-8 or GBK. In GBK only the words for a lost port are known.
fn tool_words(text: &[u8]) -> String {
    const LOST: &[u8] = b"\xb6\xcf\xbf\xaa";
    let words = String::from_utf8_lossy(text).into_owned();
    let is_gbk = str::from_utf8(text).is_err();
    if is_gbk && text.windows(LOST.len()).any(|window| window == LOST) { words + " (断开)" } else { words }
}
