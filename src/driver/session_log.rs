//! The lines of a modem in the log of the application. The targets are listed in docs/logging.md.

use std::fmt::{self, Write as _};

use log::{Level, log, log_enabled};

use crate::Error;
use crate::capture::Mask;
use crate::proto::{Engine, Event, Request, Response, SocketId, Ticket};

/// The target of log lines for operators of a modem.
pub(crate) const LOG_TARGET: &str = "air724ug";
const COMMANDS: &str = "air724ug::command";
const URCS: &str = "air724ug::urc";
const EVENTS: &str = "air724ug::event";
const BYTES: &str = "air724ug::bytes";

/// The reason of a port that the application has closed.
pub(super) const CLOSED: &str = "the modem was closed by the application";

/// Requests and events as lines of the log.
pub(super) struct SessionLog {
    name: String,
    /// The connections that are being made, with their remote ends.
    attempts: Vec<(Ticket, String)>,
    /// The open connections, with their remote ends.
    open: Vec<(SocketId, String)>,
    /// The socket that the application has dropped last, and its bytes. The engine forgets them before it reports the
    /// end.
    dropped: Option<(SocketId, (u64, u64))>,
    was_ready: bool,
    /// True from a restart of the module until it is reported what is missing, which is after the ends of its sockets.
    has_restarted: bool,
    /// The operator that was logged since the module became ready.
    operator: Option<String>,
    /// The reason why there is no port, while there is none.
    left: Option<String>,
    /// The reasons why it can't be opened again that were logged since its loss.
    logged: Vec<String>,
    mask: Mask,
    /// Whether it was logged that nothing answers, and nothing has come since.
    is_silent: bool,
}

/// The most reasons that are logged between two ports.
const MAX_LOGGED: usize = 8;

impl SessionLog {
    pub(super) fn new(name: String) -> Self {
        let log = Self {
            name,
            attempts: Vec::new(),
            open: Vec::new(),
            dropped: None,
            was_ready: false,
            has_restarted: false,
            operator: None,
            left: None,
            logged: Vec::new(),
            mask: Mask::default(),
            is_silent: false,
        };
        log.say(Level::Info, format_args!("the port is open"));
        log
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    fn say(&self, level: Level, words: fmt::Arguments<'_>) {
        log!(target: LOG_TARGET, level, "{}: {}", self.name, OneLine(words));
    }

    pub(super) fn wants_commands() -> bool {
        log_enabled!(target: COMMANDS, Level::Debug)
    }

    pub(super) fn command(&self, words: &str) {
        log::debug!(target: COMMANDS, "{}: {}", self.name, OneLine(words));
    }

    /// True for the first of several reports that nothing answers. They come every few seconds.
    fn falls_silent(&mut self) -> bool {
        !std::mem::replace(&mut self.is_silent, true)
    }

    pub(super) fn written(&mut self, bytes: &[u8]) {
        self.bytes('>', bytes, Mask::to_modem);
    }

    pub(super) fn read(&mut self, bytes: &[u8]) {
        self.is_silent = false;
        self.bytes('<', bytes, Mask::from_modem);
    }

    fn bytes(&mut self, direction: char, bytes: &[u8], hide: impl FnOnce(&mut Mask, &mut [u8])) {
        if log_enabled!(target: BYTES, Level::Trace) {
            let mut bytes = bytes.to_vec();
            hide(&mut self.mask, &mut bytes);
            log::trace!(target: BYTES, "{} {direction} {}", self.name, bytes.escape_ascii());
        }
    }

    /// The application requests a connection, or drops one.
    pub(super) fn asked(&mut self, ticket: Ticket, request: &Request, engine: &Engine) {
        let peer = match request {
            Request::Connect { protocol, host, port, .. } => format!("{} {host}:{port}", protocol.as_str()),
            Request::ConnectTls { host, port, .. } => format!("TLS {host}:{port}"),
            Request::Transparent { host, port, .. } => format!("transparent {host}:{port}"),
            Request::Forget { socket } => {
                self.dropped = bytes_of(*socket, engine).map(|bytes| (*socket, bytes));
                return;
            }
            _ => return,
        };
        self.attempts.push((ticket, self.mask.words(&peer)));
    }

    /// A request has been answered.
    pub(super) fn answered(&mut self, ticket: Ticket, result: &crate::Result<Response>) {
        if let Some(operator) = result.as_ref().ok().and_then(Response::operator)
            && self.operator.as_ref() != Some(&operator)
        {
            self.say(Level::Info, format_args!("the operator is {operator}"));
            self.operator = Some(operator);
        }
        let Some(peer) = remove(&mut self.attempts, ticket) else { return };
        match result {
            Ok(Response::Connected(socket)) => {
                self.say(Level::Info, format_args!("{socket:?} is connected to {peer}"));
                self.open.push((*socket, peer));
            }
            Ok(_) => {}
            Err(Error::ConnectFailed(refusal)) => {
                self.say(Level::Warn, format_args!("no connection to {peer}: {refusal}"));
            }
            Err(error) => self.say(Level::Warn, format_args!("no connection to {peer}: {error}")),
        }
    }

    /// The port is lost, or closed by the application.
    pub(super) fn port_left(&mut self, reason: &str) {
        (self.was_ready, self.operator) = (false, None);
        self.logged.clear();
        self.mask = Mask::default();
        let (level, what) = if reason == CLOSED { (Level::Info, "closed") } else { (Level::Warn, "lost") };
        self.say(level, format_args!("the port is {what}: {reason}"));
        self.left = Some(format!("the port is {what}"));
    }

    /// The port is not back. Each reason is logged once.
    pub(super) fn port_stays_away(&mut self, reason: String) {
        if self.logged.len() < MAX_LOGGED && !self.logged.contains(&reason) {
            self.say(Level::Warn, format_args!("the port is not back: {reason}"));
            self.logged.push(reason);
        }
    }

    pub(super) fn event(&mut self, event: &Event, engine: &Engine) {
        match event {
            Event::Ready(address) => {
                self.was_ready = true;
                let address = address.map_or_else(String::new, |address| format!(", address {address}"));
                let signal = engine.signal().map_or_else(String::new, |signal| format!(", signal {signal}"));
                let firmware = &engine.identity().firmware;
                self.say(Level::Info, format_args!("ready: {firmware}{signal}{address}"));
            }
            Event::NotReady(why) => {
                (self.operator, self.has_restarted) = (None, false);
                let level = if std::mem::take(&mut self.was_ready) { Level::Warn } else { Level::Info };
                self.say(level, format_args!("not ready: {why}"));
            }
            Event::Closed(socket, reason) => {
                let peer = remove(&mut self.open, *socket);
                let peer = peer.map_or_else(String::new, |peer| format!(" to {peer}"));
                let reason = match (reason, &self.left) {
                    (Some(reason), _) => reason.to_string(),
                    (None, Some(left)) => left.clone(),
                    (None, None) if self.has_restarted => "the module has restarted".to_owned(),
                    (None, None) => "data came faster than they were read".to_owned(),
                };
                let dropped = self.dropped.filter(|(id, _)| id == socket).map(|(_, bytes)| bytes);
                let (sent, received) = bytes_of(*socket, engine).or(dropped).unwrap_or_default();
                let words =
                    format!("{socket:?}{peer} has ended ({reason}): {sent} bytes sent, {received} received");
                self.say(Level::Info, format_args!("{words}"));
            }
            Event::Unsent(socket, len) => {
                self.say(Level::Warn, format_args!("{socket:?}: {len} bytes were not sent"));
            }
            Event::HeartbeatMissed(socket, count) => {
                self.say(Level::Warn, format_args!("{socket:?}: {count} heartbeats had no answer"));
            }
            Event::HeartbeatFailed(socket, why) => {
                self.say(Level::Warn, format_args!("{socket:?}: a heartbeat was not sent: {why}"));
            }
            Event::Stray(channel, len) => {
                let words =
                    format!("{len} bytes came for channel {channel}, which has no connection: dropped");
                self.say(Level::Warn, format_args!("{words}"));
            }
            Event::Restarted => {
                self.has_restarted = true;
                self.say(Level::Warn, format_args!("the module has restarted"));
            }
            Event::Unresponsive if self.falls_silent() => {
                self.say(Level::Warn, format_args!("nothing answers on the port"));
            }
            Event::Fault(fault) => {
                self.say(Level::Warn, format_args!("the serial line was damaged: {fault}"))
            }
            Event::PortBack => {
                self.left = None;
                self.say(Level::Info, format_args!("the port is back"));
            }
            Event::OtherModule { before } => {
                let now = &engine.identity().imei;
                self.say(Level::Warn, format_args!("another module answers: {now}, not {before}"));
            }
            Event::SendPromptKept => {
                self.say(Level::Warn, format_args!("the module keeps its prompt: sends wait for it"));
            }
            Event::Dropped(line) => {
                log::debug!(target: URCS, "{}: dropped, late or stray: {}", self.name, OneLine(line))
            }
            // Headers of payload are not logged, because there is one for each frame.
            Event::Urc(urc) if urc.luat_name() != Some("MSG_SOCK_RECV_IND") => {
                log::debug!(target: URCS, "{}: {urc:?}", self.name)
            }
            other => log::trace!(target: EVENTS, "{}: {other:?}", self.name),
        }
    }
}

/// The numbers of bytes that a socket has sent and received.
fn bytes_of(socket: SocketId, engine: &Engine) -> Option<(u64, u64)> {
    engine.socket_statistics(socket).map(|it| (it.sent, it.received))
}

/// Removes the remote end of a connection.
fn remove<T: PartialEq>(all: &mut Vec<(T, String)>, which: T) -> Option<String> {
    let index = all.iter().position(|(known, _)| *known == which)?;
    Some(all.swap_remove(index).1)
}

/// Text from the modem, a peer or the application. Control characters are escaped, so that none reaches a terminal or
/// begins a line.
pub(crate) struct OneLine<T>(pub(crate) T);

impl<T: fmt::Display> fmt::Display for OneLine<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaping(f), "{}", self.0)
    }
}

struct Escaping<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl fmt::Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|one| match one.is_control() {
            true => write!(self.0, "{}", one.escape_default()),
            false => self.0.write_char(one),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Regression: there was a line every 5 s while a module was off.
    #[test]
    fn silence_is_news_once_until_something_comes() {
        let mut log = SessionLog::new("test".into());
        let falls_silent = [(); 3].map(|()| log.falls_silent());
        log.read(b"\r\n");
        assert_eq!((falls_silent, log.falls_silent()), ([true, false, false], true));
    }

    #[test]
    fn control_characters_are_shown_and_text_is_as_it_was() {
        assert_eq!(OneLine("+NEWS: \u{1b}[2J\r\nok").to_string(), r"+NEWS: \u{1b}[2J\r\nok");
        assert_eq!(OneLine("\"中国移动\" at 5 °C").to_string(), "\"中国移动\" at 5 °C");
    }
}
