//! The output of the modem: answers at once, URCs when the line is free. All output passes the faults.

use super::{Machine, Mode, OUTPUT_LIMIT};
use crate::sim::control::ModemEvent;
use crate::sim::fault::Passage;
use crate::sim::output_kind::OutputKind;
use crate::sim::profile::{EchoStyle, UrcStyle};

impl Machine {
    /// Prints an information line.
    pub(in crate::sim) fn info(&mut self, text: &str) {
        self.frame(OutputKind::Info, text);
    }

    /// Prints `+KEY: value` in the profile's spelling.
    pub(in crate::sim) fn keyed(&mut self, key: &str, value: &str) {
        let line = self.settings.profile.keyed(key, value);
        self.info(&line);
    }

    /// Prints a line that ends an answer.
    pub(in crate::sim) fn final_line(&mut self, text: &str) {
        let text = if self.terminal.verbose { text } else { numeric(text) };
        if !(self.terminal.quiet && matches!(text, "OK" | "ERROR" | "0" | "4")) {
            self.frame(OutputKind::Final, text);
        }
    }

    /// Prints an unsolicited line, or holds it until the command line is free.
    pub(super) fn urc(&mut self, text: &str) {
        if !self.radio.listens() {
            return;
        }
        if self.holds_urcs() {
            let dropped = self.out.hold(text);
            if dropped > 0 {
                self.happened(ModemEvent::Fault(format!("{dropped} held URC dropped: the buffer was full")));
            }
        } else if self.out.line.len() < 2 * OUTPUT_LIMIT {
            self.frame(OutputKind::Urc, text);
        }
    }

    /// Prints a URC of a channel: `3, CLOSED` with several channels, `CLOSED` with one.
    pub(super) fn channel_urc(&mut self, channel: usize, text: &str) {
        let line = self.on_channel(channel, text);
        self.urc(&line);
    }

    /// `3, TEXT` or, in single-connection mode, `TEXT`.
    pub(in crate::sim) fn on_channel(&self, channel: usize, text: &str) -> String {
        if self.ip.multi() { self.settings.profile.on_channel(channel, text) } else { text.to_owned() }
    }

    /// True if URCs are held now.
    pub(super) fn holds_urcs(&self) -> bool {
        match &self.mode {
            Mode::Command => false,
            // The lines that were held in data mode come after the `OK` of the escape (A100).
            Mode::Running(running) if running.is_escape() => true,
            Mode::Running(_) => self.settings.profile.urcs == UrcStyle::Held,
            Mode::Payload(_) | Mode::File(_) | Mode::Online(_) => true,
        }
    }

    /// Prints a frame: line end, text, line end.
    pub(in crate::sim) fn frame(&mut self, kind: OutputKind, text: &str) {
        // V.250 section 6.2.6: with numeric results, information ends with a line end and a result with a carriage
        // return.
        let frame = match (self.terminal.verbose, kind) {
            (false, OutputKind::Final) => format!("{text}\r"),
            (false, OutputKind::Info) => format!("{text}\r\n"),
            (true, _)
            | (false, OutputKind::Echo | OutputKind::Prompt | OutputKind::Urc | OutputKind::Data) => {
                format!("\r\n{text}\r\n")
            }
        };
        self.print(kind, frame.into_bytes());
    }

    /// Puts bytes on the line.
    pub(in crate::sim) fn print(&mut self, kind: OutputKind, bytes: Vec<u8>) {
        self.stay_awake();
        let now = self.now;
        match self.faults.passage(kind, now, bytes) {
            Passage::Now(pieces) if pieces.is_empty() => {
                self.happened(ModemEvent::Fault(format!("lost: {}", format!("{kind:?}").to_lowercase())));
            }
            Passage::Now(pieces) => {
                for piece in pieces {
                    self.put(kind, &piece);
                }
            }
            Passage::At(at, bytes) => self.faults.detach(at, bytes),
        }
    }

    /// Puts a piece on the line. Another line may come before it.
    fn put(&mut self, kind: OutputKind, bytes: &[u8]) {
        match kind {
            OutputKind::Info | OutputKind::Final | OutputKind::Urc => {
                if let Some(urc) = self.faults.line_before() {
                    self.happened(ModemEvent::Fault(format!("urc={urc}")));
                    self.out.line.push(self.now, format!("\r\n{urc}\r\n").as_bytes());
                }
            }
            OutputKind::Echo | OutputKind::Prompt | OutputKind::Data => {}
        }
        self.out.line.push(self.now, bytes);
    }

    /// Puts received data on the line, unless a fault shortens it.
    pub(in crate::sim) fn print_body(&mut self, kind: OutputKind, header: &[u8], body: &[u8], tail: &[u8]) {
        let cut = self.faults.cuts_body();
        let missing = cut.map_or(0, |cut| cut.missing);
        if missing > 0 {
            self.happened(ModemEvent::Fault(format!("body {missing} bytes short")));
        }
        let body = &body[..body.len().saturating_sub(missing)];
        self.print(kind, [header, body, tail].concat());
        if cut.is_some_and(|cut| cut.ends_answer) {
            self.faults.lose_rest_of_answer();
        }
    }

    /// Echoes the host's bytes.
    pub(in crate::sim) fn echo(&mut self, mut bytes: Vec<u8>) {
        if !self.terminal.echo {
            return;
        }
        if self.settings.profile.echo == EchoStyle::CarriageReturn {
            bytes.retain(|byte| *byte != b'\n');
        }
        if !bytes.is_empty() {
            self.print(OutputKind::Echo, bytes);
        }
    }
}

/// The digit of `ATV0` for a final result code; other lines are not changed.
fn numeric(text: &str) -> &str {
    match text {
        "OK" => "0",
        "CONNECT" => "1",
        "NO CARRIER" => "3",
        "ERROR" => "4",
        other => other,
    }
}
