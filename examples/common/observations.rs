//! Observations of a module, one for each assumption of docs/protocol.md that commands can test: nothing is written to
//! its flash memory, and a connection transfers some hundred bytes.
#![allow(dead_code, reason = "each user needs its own part")]

use std::fmt;
use std::time::Duration;

/// The connection to a module: a port, a simulated modem, a capture.
pub trait Line {
    /// Writes, and returns the bytes that come within the span; `None` if the answer is unknown.
    fn ask(&mut self, bytes: &[u8], within: Duration) -> Option<Vec<u8>>;
}

/// The verdict of an observation on an assumption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The assumption holds.
    Confirmed,
    /// The assumption does not hold.
    Refuted,
    /// The observation does not decide.
    Open,
    /// A property of the module without an assumption.
    Noted,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Confirmed => "confirmed",
            Self::Refuted => "REFUTED",
            Self::Open => "open",
            Self::Noted => "noted",
        })
    }
}

/// One observation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// The assumption, as `A2`, or the name of a property.
    pub id: &'static str,
    pub question: &'static str,
    pub verdict: Verdict,
    /// The observed answer.
    pub seen: String,
}

impl fmt::Display for Observation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<9} {:<9} {}: {}", self.id, self.verdict, self.question, self.seen)
    }
}

const SOON: Duration = Duration::from_millis(700);
/// The time-out of `AT+CIPSHUT` and a connect.
const LATE: Duration = Duration::from_secs(5);

/// Makes all observations. `server` is a host and a port of an echo server; without one no connection is made.
pub fn observe(
    line: &mut dyn Line,
    server: Option<(&str, u16)>,
    progress: &mut dyn FnMut(&Observation),
) -> Vec<Observation> {
    let mut observer = Observer { line, progress, found: Vec::new() };
    observer.identity();
    observer.settings();
    observer.contexts();
    observer.application();
    if let Some((host, port)) = server {
        observer.connection(host, port);
    }
    observer.found
}

struct Observer<'a> {
    line: &'a mut dyn Line,
    progress: &'a mut dyn FnMut(&Observation),
    found: Vec<Observation>,
}

impl Observer<'_> {
    /// The lines of an answer without the echo; empty if nothing came.
    fn ask(&mut self, command: &str) -> Vec<String> {
        self.ask_within(command, SOON)
    }

    fn ask_within(&mut self, command: &str, within: Duration) -> Vec<String> {
        let received = self.line.ask(format!("{command}\r\n").as_bytes(), within).unwrap_or_default();
        let text = String::from_utf8_lossy(&received).into_owned();
        let lines = text.split(['\r', '\n']).filter(|line| !line.trim().is_empty() && *line != command);
        lines.map(str::to_owned).collect()
    }

    fn record(
        &mut self,
        id: &'static str,
        question: &'static str,
        verdict: Verdict,
        seen: impl Into<String>,
    ) {
        let observation = Observation { id, question, verdict, seen: seen.into() };
        (self.progress)(&observation);
        self.found.push(observation);
    }

    /// Judges an answer by these lines; open if there is none.
    fn judge(
        &mut self,
        id: &'static str,
        question: &'static str,
        lines: &[String],
        holds: impl Fn(&[String]) -> bool,
    ) {
        let verdict = match lines {
            [] => Verdict::Open,
            lines if holds(lines) => Verdict::Confirmed,
            _ => Verdict::Refuted,
        };
        let seen = if lines.is_empty() { "no answer".to_owned() } else { lines.join(" / ") };
        self.record(id, question, verdict, seen);
    }

    fn note(&mut self, id: &'static str, question: &'static str, lines: &[String]) {
        let verdict = if lines.is_empty() { Verdict::Open } else { Verdict::Noted };
        let seen = if lines.is_empty() { "no answer".to_owned() } else { lines.join(" / ") };
        self.record(id, question, verdict, seen);
    }

    fn identity(&mut self) {
        let received = self.line.ask(b"AT+CGMM\r\n", SOON).unwrap_or_default();
        let echo = match () {
            () if received.starts_with(b"AT+CGMM\r\n") => "verbatim",
            () if received.starts_with(b"AT+CGMM\r\r\n") => "carriage return alone",
            () if received.is_empty() => "no answer",
            () => "off",
        };
        let verdict = if received.is_empty() { Verdict::Open } else { Verdict::Noted };
        self.record("echo", "what is sent back of a command", verdict, echo);
        let model = self.ask("AT+CGMM");
        self.judge("A41", "AT+CGMM has a key and quotes", &model, |lines| lines[0].starts_with("+CGMM: \""));
        let firmware = self.ask("ATI");
        self.judge("A12", "ATI names AirM2M_720U_V<n>_LTE_AT", &firmware, |lines| {
            lines[0].starts_with("AirM2M_720U_V") && lines[0].ends_with("_LTE_AT")
        });
        let plain = self.ask("AT+CGMR");
        self.judge("A9", "results are words", &plain, |lines| lines.last().is_some_and(|line| line == "OK"));
        let unknown = self.ask("AT*BAND?");
        self.note("unknown", "a command that there is not", &unknown);
        let supply = self.ask("AT+CBC");
        self.note("supply", "AT+CBC", &supply);
    }

    fn settings(&mut self) {
        let format = self.ask("AT+CMEE?");
        self.judge("A3", "AT+CMEE is 1 until it is set", &format, |lines| {
            lines[0].replace(' ', "") == "+CMEE:1"
        });
        let rate = self.ask("AT+IPR?");
        self.judge("A88", "AT+IPR? has one value", &rate, |lines| {
            lines[0].starts_with("+IPR:") && !lines[0].contains(',')
        });
        let signal = self.ask("AT+CSQ");
        self.note("signal", "AT+CSQ", &signal);
        let operator = self.ask("AT+COPS?");
        self.note("operator", "AT+COPS?", &operator);
    }

    fn contexts(&mut self) {
        let states = self.ask("AT+CGACT?");
        self.note("contexts", "AT+CGACT?", &states);
        let bearer = states.iter().find_map(|line| line.strip_prefix("+CGACT:"));
        if let Some(bearer) = bearer.and_then(|row| row.trim().split(',').next()) {
            let addresses = self.ask(&format!("AT+CGPADDR={bearer}"));
            self.note("addresses", "AT+CGPADDR", &addresses);
        }
    }

    /// The TCP/IP commands without a connection. Each changed setting is reset by a restart.
    fn application(&mut self) {
        let shut = self.ask_within("AT+CIPSHUT", LATE);
        self.judge("A15", "AT+CIPSHUT is answered SHUT OK", &shut, |lines| {
            lines.iter().any(|line| line == "SHUT OK")
        });
        let several = self.ask("AT+CIPMUX=1");
        let shown = self.ask("AT+CIPMUX?");
        self.note("blank", "AT+CIPMUX?", &shown);
        if several.is_empty() {
            self.record("A2", "eight channels", Verdict::Open, "no answer");
        } else {
            let rows = self.ask("AT+CIPSTATUS");
            let count = rows.iter().filter(|line| line.starts_with("C:")).count();
            let verdict = if count == 8 { Verdict::Confirmed } else { Verdict::Refuted };
            self.record("A2", "eight channels", verdict, format!("{count} rows of AT+CIPSTATUS"));
        }
        let modes = self.ask("AT+CIPRXGET=?");
        self.judge("A7", "AT+CIPRXGET=5 is not there", &modes, |lines| !lines[0].contains('5'));
        let transparent = self.ask("AT+CIPMODE?");
        self.judge("A77", "AT+CIPMODE? has one value", &transparent, |lines| {
            lines[0].starts_with("+CIPMODE:")
        });
        let secure = self.ask("AT+CIPSSL?");
        self.judge("A68", "AT+CIPSSL? shows the switch", &secure, |lines| lines[0].starts_with("+CIPSSL:"));
        let row = self.ask("AT+CIPSTATUS=0");
        self.judge("A64", "AT+CIPSTATUS=0 has a key", &row, |lines| lines[0].starts_with("+CIPSTATUS:"));
        let wrong = self.ask("AT+CIPMUX=9");
        self.judge("A37", "a wrong argument is number 53", &wrong, |lines| {
            lines[0] == "+CME ERROR: 53" || lines[0].contains("parameters are invalid")
        });
        let beyond = self.ask("AT+CIPCLOSE=9");
        self.judge("A38", "a channel that there is not is number 3", &beyond, |lines| {
            lines[0] == "+CME ERROR: 3" || lines[0].contains("not allowed")
        });
        let quick = self.ask("AT+CIPQSEND=?");
        self.note("sending", "AT+CIPQSEND=?", &quick);
    }

    /// One connection with some ten bytes in each direction.
    fn connection(&mut self, host: &str, port: u16) {
        for command in ["AT+CIPSHUT", "AT+CIPMUX=1", "AT+CIPQSEND=1", "AT+CSTT", "AT+CIICR", "AT+CIFSR"] {
            self.ask_within(command, if command == "AT+CIPMUX=1" { SOON } else { LATE });
        }
        // The second command is sent before the first is answered.
        let both = self.ask_within(&format!("AT+CIPSTART=0,\"TCP\",\"{host}\",{port}\r\nAT+CGMM"), LATE);
        let place = |wanted: &str| both.iter().position(|line| line.contains(wanted));
        let (connected, answered) = (place("CONNECT OK"), place("+CGMM:"));
        let spelling = connected.map_or_else(|| "no CONNECT OK".to_owned(), |at| both[at].clone());
        let verdict = match connected {
            Some(_) if spelling == "0, CONNECT OK" => Verdict::Confirmed,
            Some(_) => Verdict::Refuted,
            None => Verdict::Open,
        };
        self.record("A1", "a blank after the channel", verdict, spelling);
        let verdict = match (connected, answered) {
            (Some(connected), Some(answered)) if answered < connected => Verdict::Confirmed,
            _ => Verdict::Open,
        };
        self.record("A5", "a command is answered while a connect is pending", verdict, both.join(" / "));
        if connected.is_none() {
            return;
        }
        let prompt = self.line.ask(b"AT+CIPSEND=0,10\r\n", SOON).unwrap_or_default();
        let shown = prompt.strip_prefix(b"AT+CIPSEND=0,10\r\n").unwrap_or(&prompt);
        self.record("prompt", "the prompt's bytes", Verdict::Noted, shown.escape_ascii().to_string());
        let received = self.line.ask(b"0123456789", LATE).unwrap_or_default();
        let accepted = String::from_utf8_lossy(&received).into_owned();
        let accepted =
            accepted.split(['\r', '\n']).find(|line| line.contains("ACCEPT") || line.contains("SEND"));
        self.record("accepted", "the result of a send", Verdict::Noted, accepted.unwrap_or("none"));
        let header = received.windows(9).position(|bytes| bytes == b"+RECEIVE,").map(|at| &received[at..]);
        let after = header.and_then(|data| {
            let at = data.windows(10).position(|bytes| bytes == b"0123456789")?;
            Some(data[at + 10..].escape_ascii().to_string())
        });
        let verdict = match after.as_deref() {
            Some("") => Verdict::Confirmed,
            Some(_) => Verdict::Refuted,
            None => Verdict::Open,
        };
        self.record(
            "A4",
            "nothing stands after pushed data",
            verdict,
            after.unwrap_or("no data came".to_owned()),
        );
        let counted = self.ask("AT+CIPACK=0");
        self.judge("A82", "AT+CIPACK counts the bytes sent", &counted, |lines| {
            lines[0].replace(' ', "").starts_with("+CIPACK:10,")
        });
        self.send_without_prompt();
        let closed = self.ask_within("AT+CIPCLOSE=0", LATE);
        self.note("closing", "the answer to AT+CIPCLOSE", &closed);
        self.ask_within("AT+CIPSHUT", LATE);
    }

    /// Switches the prompt off, and sends ten bytes together with their command. They come back from the server.
    fn send_without_prompt(&mut self) {
        const DATA: &[u8] = b"9876543210";
        let off = self.ask("AT+CIPSPRT=0");
        let is_off = off.iter().any(|line| line == "OK");
        let sent = [b"AT+CIPSEND=0,10\r\n", DATA].concat();
        let received = if is_off { self.line.ask(&sent, LATE).unwrap_or_default() } else { Vec::new() };
        // A module whose echo is on sends both back first.
        let received = received.strip_prefix(&sent[..]).unwrap_or(&received);
        let has = |wanted: &[u8]| received.windows(wanted.len()).any(|bytes| bytes == wanted);
        let is_accepted =
            has(b"DATA ACCEPT") && has(b"+RECEIVE") && received.windows(10).any(|bytes| bytes == DATA);
        let verdict = match () {
            () if off.is_empty() || (is_off && received.is_empty()) => Verdict::Open,
            () if is_accepted && !has(b"\r\n>") => Verdict::Confirmed,
            () => Verdict::Refuted,
        };
        let seen = if is_off { received.escape_ascii().to_string() } else { off.join(" / ") };
        let question = "without a prompt the payload is taken with its command";
        self.record("A98", question, verdict, if seen.is_empty() { "no answer".to_owned() } else { seen });
        if is_off && !is_accepted {
            // A module that still waits for the ten bytes would take the next command for them.
            self.line.ask(b"\r\r\r\r\r\r\r\r\r\r\r\n", SOON);
        }
        self.ask("AT+CIPSPRT=1");
    }
}

/// Masks numbers of cards, modules and phones: all but the first two of eleven and more digits, and all digits of an
/// address. Lengths are kept.
pub fn masked(bytes: &[u8]) -> Vec<u8> {
    let mut masked = bytes.to_vec();
    let mut start = 0;
    while start < bytes.len() {
        let run = |holds: fn(u8) -> bool| bytes[start..].iter().take_while(|&&byte| holds(byte)).count();
        let digits = run(|byte| byte.is_ascii_digit());
        let dotted = run(|byte| byte.is_ascii_digit() || byte == b'.');
        let dots = bytes[start..start + dotted].iter().filter(|&&byte| byte == b'.').count();
        let (end, kept) = match () {
            () if dots == 3 => (start + dotted, 0),
            () if digits >= 11 => (start + digits, 2),
            () => (start, 0),
        };
        for byte in masked[start..end].iter_mut().skip(kept).filter(|byte| **byte != b'.') {
            *byte = b'0';
        }
        start += dotted.max(digits).max(1);
    }
    masked
}
