//! A command and its answer.

use std::time::Duration;

use crate::at::{CmeError, DnsError, Final, Line, Refusal, fields};
use crate::error::{Error, TlsFailure};
use crate::query::Reply;

use super::finding::Proof;

/// The end of a command.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum End {
    /// This line: `OK`, `+CME ERROR: 10`, `0, CONNECT FAIL`.
    Final(String),
    /// No answer came.
    Silence,
    /// It was not sent: all channels of the module are in use.
    NoFreeChannel,
    /// It was not sent: TLS connections are open, and the module has one switch for all connections.
    TlsOpen,
    /// The capture shows no end: the module restarted before it, or the capture ends.
    NotShown,
    /// It was not sent, or the result is unknown; the reason in words.
    Other(String),
}

/// A command and its answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exchange {
    /// The command, without line end.
    pub command: String,
    /// The lines of the answer without the last one.
    pub lines: Vec<String>,
    /// The end of the command.
    pub end: End,
    /// The duration, if known.
    pub took: Option<Duration>,
}

impl Exchange {
    /// The exchange for a result of [`Modem::command`](crate::Modem::command).
    pub fn of(command: &str, result: Result<Vec<String>, Error>, took: Duration) -> Self {
        let (lines, end) = match result {
            Ok(lines) => (lines, End::Final("OK".into())),
            Err(error) => (Vec::new(), end_of(error)),
        };
        Self { command: command.to_owned(), lines, end, took: Some(took) }
    }

    /// The answer, as the reply to a typed question.
    pub(super) fn reply(&self) -> Reply {
        Reply::new(&self.command, self.lines.clone(), Vec::new())
    }

    /// The exchange for a result of [`Modem::resolve`](crate::Modem::resolve).
    pub fn resolved(host: &str, result: Result<Vec<std::net::Ipv4Addr>, Error>, took: Duration) -> Self {
        let (lines, end) = match result {
            Ok(addresses) => {
                let addresses: String = addresses.iter().map(|address| format!(",\"{address}\"")).collect();
                (vec!["OK".into()], End::Final(format!("+CDNSGIP: 1,\"{host}\"{addresses}")))
            }
            Err(Error::ResolveFailed(code)) => (vec!["OK".into()], End::Final(dns_line(code))),
            Err(error) => (Vec::new(), end_of(error)),
        };
        Self { command: format!("AT+CDNSGIP=\"{host}\""), lines, end, took: Some(took) }
    }

    pub(super) fn refused(command: &str, refusal: Refusal) -> Self {
        Self {
            command: command.to_owned(),
            lines: Vec::new(),
            end: End::Final(final_of(refusal)),
            took: None,
        }
    }

    /// True if it is this command. Case does not matter.
    pub(super) fn is(&self, command: &str) -> bool {
        self.command.trim().eq_ignore_ascii_case(command)
    }

    /// True if it is a command of this name: `AT+CIPSTART`.
    pub(super) fn begins(&self, name: &str) -> bool {
        argument(&self.command, name).is_some()
    }

    /// True if the module took the command.
    pub(super) fn is_done(&self) -> bool {
        matches!(self.end, End::Final(_)) && !self.is_refused()
    }

    /// The function that the command sets: the first value of `AT+CFUN=`.
    pub(super) fn radio_switch(&self) -> Option<u32> {
        radio_switch(&self.command)
    }

    pub(super) fn is_answered(&self) -> bool {
        matches!(self.end, End::Final(_)) || !self.lines.is_empty()
    }

    /// The fields of the line with this key.
    pub(super) fn info(&self, key: &str) -> Option<Vec<crate::at::Field<'_>>> {
        self.lines.iter().find_map(|line| Line::parse(line.as_bytes()).info(key))
    }

    /// All lines, including the last.
    pub(super) fn all_lines(&self) -> impl Iterator<Item = &String> {
        let end = match &self.end {
            End::Final(line) => Some(line),
            End::Silence | End::NoFreeChannel | End::TlsOpen | End::NotShown | End::Other(_) => None,
        };
        self.lines.iter().chain(end)
    }

    /// The number after `+CME ERROR:`.
    pub(super) fn cme(&self) -> Option<CmeError> {
        match &self.end {
            End::Final(line) => match Line::parse(line.as_bytes()) {
                Line::Final(Final::Cme(code)) => Some(code),
                _ => None,
            },
            End::Silence | End::NoFreeChannel | End::TlsOpen | End::NotShown | End::Other(_) => None,
        }
    }

    /// True if the module refused the command.
    pub(super) fn is_refused(&self) -> bool {
        match &self.end {
            End::Final(line) => matches!(
                Line::parse(line.as_bytes()),
                Line::Final(Final::Error | Final::Cme(_) | Final::Cms(_) | Final::NoCarrier)
            ),
            End::Silence | End::NoFreeChannel | End::TlsOpen | End::NotShown | End::Other(_) => false,
        }
    }

    pub(super) fn proof(&self) -> Proof {
        self.proof_after(None)
    }

    /// The proof, with these words before the lines.
    pub(super) fn proof_after(&self, words: Option<String>) -> Proof {
        let end = match &self.end {
            End::Final(line) => line.clone(),
            End::Silence => "(no answer)".into(),
            End::NoFreeChannel => "(not sent: all channels are in use)".into(),
            End::TlsOpen => "(not sent: TLS connections are open)".into(),
            End::NotShown => "(no end is shown)".into(),
            End::Other(words) => format!("({words})"),
        };
        let slow = self.took.filter(|took| *took >= Duration::from_secs(1));
        let end = slow.map_or(end.clone(), |took| format!("{end} (after {:.1} s)", took.as_secs_f64()));
        Proof::answer(&self.command, words.into_iter().chain(self.lines.iter().cloned()).chain([end]))
    }
}

fn radio_switch(command: &str) -> Option<u32> {
    let list = argument(command, "AT+CFUN=")?;
    fields(list).first()?.number()
}

/// True if the command restarts the module.
pub(super) fn is_restart(command: &str) -> bool {
    ["AT+RESET", "AT+CFUN=1,1"].iter().any(|restart| command.trim().eq_ignore_ascii_case(restart))
}

/// True if the command ends the bearer itself. The module may print `+PDP: DEACT` then, which is no loss.
pub(super) fn ends_bearer(command: &str) -> bool {
    let first = |name| argument(command, name).and_then(|list| fields(list).first()?.number());
    let is_off = [first("AT+CGATT="), first("AT+CGACT="), first("AT+CFUN=")].contains(&Some(0));
    let ends =
        ["AT+CIPSHUT", "AT+RESET", "AT+CPOWD"].into_iter().any(|name| argument(command, name).is_some());
    ends || is_off || first("AT+CFUN=") == Some(4) || command.trim().eq_ignore_ascii_case("AT+CFUN=1,1")
}

/// What follows this name in a command.
fn argument<'a>(command: &'a str, name: &str) -> Option<&'a [u8]> {
    let text = command.trim().as_bytes();
    let (start, rest) = text.split_at_checked(name.len())?;
    start.eq_ignore_ascii_case(name.as_bytes()).then_some(rest)
}

pub(super) fn end_of(error: Error) -> End {
    match error {
        Error::Timeout { .. } => End::Silence,
        Error::NoFreeChannel => End::NoFreeChannel,
        Error::Tls { why: TlsFailure::TlsOpen, .. } => End::TlsOpen,
        Error::Refused { code, .. } | Error::ConnectFailed(code) => End::Final(final_of(code)),
        other => End::Other(other.to_string()),
    }
}

/// The line of a refusal.
fn final_of(refusal: Refusal) -> String {
    match refusal {
        Refusal::Cme(code) => format!("+CME ERROR: {}", code.code()),
        Refusal::Cms(code) => format!("+CMS ERROR: {}", code.code()),
        other => other.to_string(),
    }
}

pub(super) fn dns_line(code: DnsError) -> String {
    format!("+CDNSGIP: 0,{}", code.code())
}
