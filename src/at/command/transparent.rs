//! Transparent mode: one connection without headers and lengths (protocol section 12).

use std::time::Duration;

use super::super::{ChannelId, Quotable};
use super::Command;
use super::link::Protocol;
use super::setup::DEFAULT_TIMEOUT;
use super::shape::Shape;

/// An answer comes within 10 ms (protocol section 15). Without one, the question was read as payload.
const PROOF_TIMEOUT: Duration = Duration::from_secs(2);

impl Command {
    /// The escape sequence that ends data mode, between two silences. It is no command, so no line end follows it.
    pub const ESCAPE: &'static [u8] = b"+++";

    /// `AT+CIPMUX=0`: single connection mode. In `IP INITIAL` only.
    pub fn single_connection() -> Self {
        Self::new("AT+CIPMUX=0", Shape::Plain, DEFAULT_TIMEOUT)
    }

    /// `AT+CIPMODE=1`: transparent mode. In `IP INITIAL` and single connection mode only.
    pub fn transparent_mode() -> Self {
        Self::new("AT+CIPMODE=1", Shape::Plain, DEFAULT_TIMEOUT)
    }

    /// `AT+CIPCCFG=5,2,1024,1,0,1460,50,1`: how the module divides transparent data into packets. The manual's
    /// defaults: 5 retries; less than 1024 bytes are sent after 200 ms. The escape is enabled; Air firmware ignores
    /// this value, the SIM800 does not. One value is not the default: unsent data are dropped when the connection
    /// breaks. Otherwise the peer of the next transparent connection would get them.
    pub fn transparent_packets() -> Self {
        Self::new("AT+CIPCCFG=5,2,1024,1,0,1460,50,1", Shape::Plain, DEFAULT_TIMEOUT)
    }

    /// `AT+CIPHEAD=0`: no header before received data.
    pub fn no_receive_header() -> Self {
        Self::new("AT+CIPHEAD=0", Shape::Plain, DEFAULT_TIMEOUT)
    }

    /// `AT+CIPSTART="TCP","host",port` in transparent mode: `OK`, then `CONNECT` when data mode begins, or `CONNECT
    /// FAIL`, up to 75 s later (section 15). No bytes may be written before that, because they might become payload.
    pub fn dial(host: &Quotable, port: u16) -> Self {
        let text = format!("AT+CIPSTART=\"{}\",\"{host}\",{port}", Protocol::Tcp.as_str());
        Self::new(text, Shape::Dial, Duration::from_secs(80))
    }

    /// `ATO`: returns to data mode with `CONNECT`, or fails with `NO CARRIER`.
    pub fn data_mode() -> Self {
        Self::new("ATO", Shape::Dial, DEFAULT_TIMEOUT)
    }

    /// `AT+CIPMODE?`, asked after an escape: `+CIPMODE: 1` proves that the module reads commands. An `OK` alone may
    /// come from the peer. `slowness` is the time that the module needs for an answer beyond the usual one.
    pub fn proof(slowness: Duration) -> Self {
        Self::new("AT+CIPMODE?", Shape::Proof, PROOF_TIMEOUT.saturating_add(slowness))
    }

    /// `AT+CIPCLOSE`: closes the single connection; up to 30 s (section 15).
    pub fn hang_up() -> Self {
        // Lines about a single connection have no channel number, so any channel matches.
        Self::new("AT+CIPCLOSE", Shape::Close(ChannelId::FIRST), Duration::from_secs(30))
    }

    /// True if success begins data mode.
    pub fn begins_data_mode(&self) -> bool {
        matches!(self.shape, Shape::Dial)
    }

    /// True if the module may not read commands any more when no answer comes.
    pub fn enters_data_mode(&self) -> bool {
        matches!(self.shape, Shape::Dial | Shape::Proof)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Line;
    use super::super::{Refusal, Verdict};
    use super::*;

    #[test]
    fn data_mode_begins_with_connect_in_every_spelling_and_not_with_ok() {
        let host = Quotable::host("echo.test").unwrap();
        for command in [Command::dial(&host, 7), Command::data_mode()] {
            assert_eq!(command.judge(&Line::parse(b"OK"), false), Verdict::Part);
            for line in ["CONNECT", "CONNECT OK", "ALREADY CONNECT"] {
                assert_eq!(
                    command.judge(&Line::parse(line.as_bytes()), true),
                    Verdict::Done(Ok(())),
                    "{line}"
                );
            }
            for (line, refusal) in [
                ("NO CARRIER", Refusal::NoCarrier),
                ("CONNECT FAIL", Refusal::ConnectFail),
                ("ERROR", Refusal::Error),
            ] {
                assert_eq!(
                    command.judge(&Line::parse(line.as_bytes()), true),
                    Verdict::Done(Err(refusal)),
                    "{line}"
                );
            }
            assert_eq!(command.judge(&Line::parse(b"0, CONNECT OK"), true), Verdict::NotMine);
            assert_eq!(command.judge(&Line::parse(b"STATE: IP STATUS"), true), Verdict::Part);
        }
        assert_eq!(Command::dial(&host, 7).text(), "AT+CIPSTART=\"TCP\",\"echo.test\",7");
    }
}
