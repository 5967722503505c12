//! The session of a capture: the assignment of lines to the commands that they answer.

use std::collections::VecDeque;

use crate::at::{ChannelNews, Expect, Final, Header, HeaderKind, Line, Urc};

use super::answers::{begins, unseen_answer};
use super::command_in_flight::{CommandInFlight, Share};
use super::data::Data;
use super::timeline::{PayloadKind, TimelineEntryKind, UnexplainedReason, shown};

/// The most commands that are remembered as unanswered; older ones are dropped. The captures have up to 20 in a row
/// (s02, a modem that starts while commands are sent).
const MAX_IN_FLIGHT: usize = 32;

/// Commands with further lines after their `OK` (protocol sections 6, 8 and 13; captures a12, a25).
const ANSWERED_AFTER_OK: [&str; 4] = ["AT+CIPSTATUS", "AT+CIPSTART", "AT+CDNSGIP", "AT+MCONNECT"];

/// The state of the session at a point of a capture.
///
/// As a rule, one command is in flight: the next one ends a command that was never answered. But hosts give up waiting,
/// and answers come late. So until the next command is answered, a line that names the earlier one still answers it,
/// and so does a line before the echo of the next one. An echo belongs to the command with its text.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) flights: VecDeque<CommandInFlight>,
    /// The last command that was answered. More lines may come: the state after the `OK` of `AT+CIPSTATUS`.
    last: Option<CommandInFlight>,
    /// An unfinished command line.
    pub(super) line_out: Vec<u8>,
    /// True if the last byte sent was the CR of a command: an LF next belongs to it.
    after_cr: bool,
    /// True if the capture shows commands, not only their echoes.
    shows_commands: bool,
    /// True if the command in flight is unknown: at the start, or after a gap.
    unseen: bool,
    /// True if the modem has echoed the last answered command.
    echo: bool,
    mux: bool,
    /// Whether the module prints a prompt for the data of a send.
    prompts: bool,
    /// The connects that were answered with `OK`, and have no result yet: their commands.
    attempts: Vec<CommandInFlight>,
    /// Whether a send has ended before its data, which the module may then have taken for commands.
    has_strays: bool,
    /// The bytes of the last send that the capture does not show.
    missing: usize,
    single: Single,
}

/// The single connection, which pushes data without a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Single {
    Closed,
    Open,
    /// Every byte is data, in both directions.
    Transparent,
}

impl Session {
    pub(super) fn new(shows_commands: bool) -> Self {
        Self {
            flights: VecDeque::new(),
            last: None,
            line_out: Vec::new(),
            after_cr: false,
            shows_commands,
            unseen: true,
            echo: false,
            mux: false,
            prompts: true,
            attempts: Vec::new(),
            has_strays: false,
            missing: 0,
            single: Single::Closed,
        }
    }

    /// Forgets the commands in flight.
    pub(super) fn gap(&mut self) {
        self.flights.clear();
        self.attempts.clear();
        self.last = None;
        self.line_out.clear();
        self.unseen = true;
        self.single = Single::Closed;
    }

    /// [`Expect::Prompt`] if a `>` may be the prompt.
    pub(super) fn expect(&self) -> Expect {
        let waits = |flight: &CommandInFlight| {
            !flight.superseded && flight.data.as_ref().is_some_and(|data| !data.prompted)
        };
        if self.unseen || self.flights.iter().any(waits) { Expect::Prompt } else { Expect::Line }
    }

    /// True if the host has begun a line that is incomplete.
    pub(super) fn has_begun_line(&self) -> bool {
        !self.line_out.is_empty()
    }

    pub(super) fn is_transparent(&self) -> bool {
        self.single == Single::Transparent
    }

    /// True if a part of the data of a send is sent.
    pub(super) fn has_begun_data(&self) -> bool {
        !self.is_transparent()
            && self.flights.back().and_then(|flight| flight.data.as_ref()).is_some_and(Data::has_begun)
    }

    /// Takes bytes that the host sent.
    pub(super) fn sent(&mut self, bytes: &[u8]) -> Vec<TimelineEntryKind> {
        if bytes == b"+++" {
            // An escape out of a stream that has ended opens nothing.
            if self.unseen || self.is_transparent() {
                self.single = Single::Open;
            }
            return vec![self.command("+++")];
        }
        if self.is_transparent() {
            return vec![TimelineEntryKind::Sent(bytes.to_vec())];
        }
        let mut happened = Vec::new();
        let is_prompted = self.expect() == Expect::Line;
        let bytes = bytes.strip_prefix(b"\n").filter(|_| self.after_cr && !is_prompted).unwrap_or(bytes);
        self.after_cr = bytes.ends_with(b"\r");
        let mut rest = self.sent_data(bytes, &mut happened);
        while !rest.is_empty() {
            let end =
                rest.iter().position(|byte| *byte == b'\r').map_or(rest.len(), |at| at.saturating_add(1));
            let (line, after) = rest.split_at(end);
            self.sent_lines(line, &mut happened);
            // Some hosts write the data with the command. Line ends before a prompt are no data.
            let after = after.strip_prefix(b"\n").unwrap_or(after);
            let is_blank = self.prompts && after.iter().all(u8::is_ascii_whitespace);
            rest = if is_blank { after } else { self.sent_data(after, &mut happened) };
        }
        happened
    }

    /// The modem asks for data.
    pub(super) fn prompt(&mut self) -> TimelineEntryKind {
        for flight in self.flights.iter_mut().rev() {
            if let Some(data) = flight.data.as_mut().filter(|data| !data.prompted) {
                data.prompted = true;
                break;
            }
        }
        TimelineEntryKind::Prompt
    }

    /// The number of the modem's next bytes that echo data.
    pub(super) fn data_echo(&mut self, bytes: &[u8]) -> usize {
        let echoed = |flight: &&mut CommandInFlight| flight.echoed;
        let Some(data) = self.flights.iter_mut().rev().find(echoed).and_then(|flight| flight.data.as_mut())
        else {
            return 0;
        };
        let unseen = if self.shows_commands { 0 } else { data.unseen_echo(bytes) };
        let length = data.echo_in(bytes).max(unseen);
        data.echoed(length);
        length
    }

    /// The echo of a command that ends with CR alone, and the echo of all data that were written with it.
    pub(super) fn echo_with_data(&mut self, line: &[u8]) -> Option<[TimelineEntryKind; 2]> {
        let (command, data) = line.split_at(line.iter().position(|byte| *byte == b'\r')?);
        let data = data.trim_ascii_start();
        if !self.flights.iter_mut().rev().any(|flight| flight.echoes_with(command, data)) {
            return None;
        }
        Some([self.echo_of(command)?, TimelineEntryKind::DataEcho(data.to_vec())])
    }

    /// The number of bytes that the last result of a send counts and the capture does not show.
    pub(super) fn take_missing(&mut self) -> Option<usize> {
        Some(std::mem::take(&mut self.missing)).filter(|missing| *missing > 0)
    }

    /// The modem announces payload.
    pub(super) fn header(&mut self, header: Header) -> PayloadKind {
        match header.kind {
            HeaderKind::Pushed { channel, .. } => PayloadKind::Pushed(channel),
            HeaderKind::Fetched { channel, .. } => {
                let asked = |flight: &&mut CommandInFlight| begins(&flight.command, "AT+CIPRXGET=2");
                if let Some(flight) = self.flights.iter_mut().rev().find(asked) {
                    flight.fetched();
                }
                PayloadKind::Fetched(channel)
            }
            HeaderKind::Single => {
                self.single = Single::Open;
                PayloadKind::Single
            }
        }
    }

    /// The meaning of a line of the modem.
    pub(super) fn line(&mut self, bytes: &[u8]) -> TimelineEntryKind {
        let line = Line::parse(bytes);
        let urc = Urc::parse(bytes);
        self.echo_of(bytes)
            .or_else(|| self.answer(&line, bytes))
            .or_else(|| self.news(&line, &urc, bytes))
            .or_else(|| self.late(&line, bytes))
            .or_else(|| urc.is_known().then(|| TimelineEntryKind::Urc { urc, line: shown(bytes) }))
            .or_else(|| self.stray(&line, bytes))
            .or_else(|| unseen_answer(&line, bytes).filter(|_| self.unseen))
            .or_else(|| self.bare_payload(&line, bytes))
            .unwrap_or_else(|| TimelineEntryKind::Unexplained {
                bytes: bytes.to_vec(),
                why: UnexplainedReason::UnknownLine,
            })
    }

    pub(super) fn command(&mut self, text: &str) -> TimelineEntryKind {
        self.unseen = false;
        match text.to_ascii_uppercase().as_str() {
            "AT+CIPMUX=1" => self.mux = true,
            "AT+CIPMUX=0" => self.mux = false,
            "AT+CIPSPRT=0" | "AT+CIPSPRT=2" => self.prompts = false,
            "AT+CIPSPRT=1" => self.prompts = true,
            upper => {
                let arguments = upper.strip_prefix("AT+CIPSTART=").unwrap_or_default().as_bytes();
                self.mux |= matches!(arguments, [b'0'..=b'9', b',', ..]);
            }
        }
        // The result of a send or a close is an unsolicited line, and may come later.
        let awaits_news = |flight: &CommandInFlight| {
            begins(&flight.command, "AT+CIPSEND") || begins(&flight.command, "AT+CIPCLOSE")
        };
        self.flights.retain(|flight| !flight.passed || awaits_news(flight));
        self.flights.iter_mut().for_each(|flight| flight.superseded = true);
        if self.flights.len() == MAX_IN_FLIGHT {
            self.flights.pop_front();
        }
        self.flights.push_back(CommandInFlight::new(text, self.mux));
        TimelineEntryKind::Command(text.to_owned())
    }

    /// Removes the data from the front of the host's bytes, if a command waits for them.
    fn sent_data<'a>(&mut self, bytes: &'a [u8], happened: &mut Vec<TimelineEntryKind>) -> &'a [u8] {
        // Some hosts do not wait for the prompt. A command instead of data is a command if there is a prompt.
        let is_command = self.prompts && bytes.to_ascii_uppercase().starts_with(b"AT");
        let Some(data) = self.flights.back_mut().and_then(|flight| flight.data.as_mut()) else {
            return bytes;
        };
        if is_command && !data.prompted {
            return bytes;
        }
        let (wanted, mut rest) = bytes.split_at(data.wanted(bytes));
        data.send(wanted);
        if data.is_complete() {
            // The module ignores line ends after the last byte (protocol section 2), and hosts add a Ctrl-Z.
            let surplus = rest.iter().take_while(|byte| matches!(**byte, b'\r' | b'\n' | 0x1a)).count();
            rest = &rest[surplus..];
        }
        if !wanted.is_empty() {
            happened.push(TimelineEntryKind::Sent(wanted.to_vec()));
        }
        rest
    }

    /// The modem echoes a command. If the capture shows echoes only, the echo counts as the command.
    fn echo_of(&mut self, bytes: &[u8]) -> Option<TimelineEntryKind> {
        let same = |flight: &&mut CommandInFlight| !flight.echoed && flight.command.is_echo(bytes);
        if let Some(flight) = self.flights.iter_mut().rev().find(same) {
            flight.echoed = true;
            self.echo = true;
            return Some(TimelineEntryKind::Echo(shown(bytes)));
        }
        if (self.shows_commands && !self.unseen) || !bytes.starts_with(b"AT") {
            return None;
        }
        let text = str::from_utf8(bytes).ok()?;
        self.command(text);
        self.flights.back_mut()?.echoed = true;
        Some(TimelineEntryKind::Echo(text.to_owned()))
    }

    /// The line answers a command in flight.
    fn answer(&mut self, line: &Line<'_>, bytes: &[u8]) -> Option<TimelineEntryKind> {
        // A connect may end a minute after its `OK`, while later commands wait.
        if *line == Line::Final(Final::NoResponse) && !self.attempts.is_empty() {
            let command = Some(self.attempts.remove(0).text());
            return Some(TimelineEntryKind::Final { command, line: shown(bytes) });
        }
        if let Some(index) = self.flights.iter().position(|flight| flight.is_refused_escape(line)) {
            self.end(index, line);
            return Some(TimelineEntryKind::Final { command: Some("+++".to_owned()), line: shown(bytes) });
        }
        let unread = self.is_unread();
        for index in self.order() {
            let flight = self.flights.get_mut(index)?;
            let is_late = flight.superseded && !unread && !flight.is_named_by(line);
            // A final result code before the echo belongs to an earlier command.
            let is_early = unread && !flight.superseded && matches!(line, Line::Final(_));
            if is_late || is_early {
                continue;
            }
            let (share, command) = (flight.share(line), Some(flight.text()));
            match share {
                Share::Nothing => {}
                Share::Part => {
                    // Its final result code comes next.
                    flight.superseded = false;
                    return Some(TimelineEntryKind::Reply { command, line: shown(bytes) });
                }
                Share::End => {
                    self.end(index, line);
                    return Some(TimelineEntryKind::Final { command, line: shown(bytes) });
                }
            }
        }
        None
    }

    /// True if the modem echoes commands and has not echoed the newest yet.
    fn is_unread(&self) -> bool {
        self.echo
            && self.flights.back().is_some_and(|newest| !newest.echoed && newest.command.text() != "+++")
    }

    /// The commands in flight, in the order in which they are probably answered: the newest first, unless the modem
    /// echoes commands and has not echoed that one yet.
    fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.flights.len()).rev().collect();
        if self.is_unread() && order.len() > 1 {
            order.rotate_left(1);
        }
        order
    }

    fn end(&mut self, index: usize, line: &Line<'_>) {
        let Some(flight) = self.flights.remove(index) else {
            return;
        };
        self.flights.iter_mut().take(index).for_each(|earlier| earlier.passed = true);
        self.echo = flight.echoed && !begins(&flight.command, "ATE0");
        if *line == Line::ShutOk {
            self.single = Single::Closed;
        }
        if *line == Line::Final(Final::Connect) {
            self.single = Single::Transparent;
        }
        if *line == Line::Final(Final::Ok) && begins(&flight.command, "AT+CIPSTART=") {
            self.attempts.push(flight.clone());
        }
        let is_sent =
            matches!(line, Line::Channel { news: ChannelNews::SendOk | ChannelNews::DataAccept(_), .. });
        if let (Line::Channel { news, .. }, Some(data)) = (line, &flight.data) {
            self.missing = data.missing(*news);
        }
        self.has_strays |= !is_sent && flight.data.as_ref().is_some_and(Data::is_sent);
        self.last = Some(flight);
    }

    /// Takes news of channels. They may end a send or a close, and they open and close the single connection.
    fn news(&mut self, line: &Line<'_>, urc: &Urc, bytes: &[u8]) -> Option<TimelineEntryKind> {
        if *urc == Urc::PdpDeactivated || urc.is_restart() {
            self.single = Single::Closed;
        }
        let Line::Channel { channel, news } = line else {
            return None;
        };
        self.attempts.retain(|attempt| !attempt.connects(*channel));
        let ends = match news {
            ChannelNews::ConnectOk => {
                if channel.is_none() {
                    self.single = Single::Open;
                }
                return None;
            }
            ChannelNews::SendOk | ChannelNews::SendFail | ChannelNews::DataAccept(_) => "AT+CIPSEND",
            ChannelNews::CloseOk => {
                self.single = Single::Closed;
                "AT+CIPCLOSE"
            }
            ChannelNews::ConnectFail | ChannelNews::Closed => {
                self.single = Single::Closed;
                return None;
            }
            ChannelNews::TcpError(_) if self.is_transparent() => {
                self.single = Single::Closed;
                return None;
            }
            ChannelNews::AlreadyConnect | ChannelNews::TcpError(_) | ChannelNews::UdpError(_) => return None,
        };
        let index = self.flights.iter().rposition(|flight| begins(&flight.command, ends))?;
        let command = self.flights.get(index).map(CommandInFlight::text);
        self.end(index, line);
        Some(TimelineEntryKind::Final { command, line: shown(bytes) })
    }

    /// The line is the rest of the answer to a command that another result seemed to end, or the result of data that a
    /// module took for a command.
    fn stray(&mut self, line: &Line<'_>, bytes: &[u8]) -> Option<TimelineEntryKind> {
        if !self.has_strays {
            return None;
        }
        if let Some(mut flight) = self.last.take_if(|last| last.is_named_by(line)) {
            let is_part = flight.share(line) == Share::Part;
            let command = Some(flight.text());
            self.flights.push_front(flight);
            return is_part.then(|| TimelineEntryKind::Reply { command, line: shown(bytes) });
        }
        let is_refusal = matches!(line, Line::Final(Final::Error));
        is_refusal.then(|| TimelineEntryKind::Final { command: None, line: shown(bytes) })
    }

    /// The line belongs to an answer whose final result code has come.
    fn late(&mut self, line: &Line<'_>, bytes: &[u8]) -> Option<TimelineEntryKind> {
        let flight = self.last.as_mut()?;
        let command = Some(flight.text());
        let opens = begins(&flight.command, "AT+CIPSTART") || begins(&flight.command, "ATO");
        if *line == Line::Final(Final::Connect) && opens {
            self.single = Single::Transparent;
            return Some(TimelineEntryKind::Final { command, line: shown(bytes) });
        }
        let more = ANSWERED_AFTER_OK.iter().any(|name| begins(&flight.command, name));
        let is_part = more && !matches!(line, Line::Final(_)) && flight.share(line) == Share::Part;
        is_part.then(|| TimelineEntryKind::Reply { command, line: shown(bytes) })
    }

    /// The single connection pushes data that are no known line of the modem.
    fn bare_payload(&self, line: &Line<'_>, bytes: &[u8]) -> Option<TimelineEntryKind> {
        let is_text = matches!(line, Line::Text(_) | Line::Info { .. });
        let payload = TimelineEntryKind::Payload { kind: PayloadKind::Bare, bytes: bytes.to_vec() };
        (is_text && self.single == Single::Open).then_some(payload)
    }
}
