//! The data that a command asks the host for.

use crate::at::{ChannelNews, Line, Urc};

use super::super::announced::announced;

/// The data of a command: their length, and the parts that are sent and echoed.
#[derive(Debug, Clone)]
pub(super) struct Data {
    /// `None`: until Ctrl-Z or ESC.
    announced: Option<usize>,
    sent: Vec<u8>,
    echoed: usize,
    pub(super) prompted: bool,
}

const CTRL_Z: u8 = 0x1a;
const ESC: u8 = 0x1b;

impl Data {
    /// The data of a command; `None` if it has none. `mux` is true if `AT+CIPSEND=1` names a channel.
    pub(super) fn of(command: &str, mux: bool) -> Option<Self> {
        let announced = announced(command, mux)?;
        Some(Self { announced, sent: Vec::new(), echoed: 0, prompted: false })
    }

    /// The number of `bytes` that are data: up to the announced length, or to the byte that ends them.
    pub(super) fn wanted(&self, bytes: &[u8]) -> usize {
        match self.announced {
            Some(length) => length.saturating_sub(self.sent.len()).min(bytes.len()),
            None if self.is_complete() => 0,
            None => {
                let end = bytes.iter().position(|byte| matches!(*byte, CTRL_Z | ESC));
                end.map_or(bytes.len(), |end| end.saturating_add(1))
            }
        }
    }

    pub(super) fn send(&mut self, bytes: &[u8]) {
        self.sent.extend_from_slice(bytes);
    }

    /// True if data are sent.
    pub(super) fn is_sent(&self) -> bool {
        !self.sent.is_empty()
    }

    /// The number of bytes that the module has taken by this result, and that the capture does not show. A capture may
    /// show nothing of the data.
    pub(super) fn missing(&self, result: ChannelNews) -> usize {
        let taken = match result {
            ChannelNews::DataAccept(count) => count,
            ChannelNews::SendOk => self.announced.unwrap_or_default(),
            _ => 0,
        };
        if self.is_sent() { taken.saturating_sub(self.sent.len()) } else { 0 }
    }

    /// The number of bytes after the prompt that are the echo of data which the capture does not show.
    pub(super) fn unseen_echo(&self, bytes: &[u8]) -> usize {
        let is_echo = self.prompted && self.echoed == 0 && !self.is_sent();
        let line = bytes.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
        let is_data = matches!(Line::parse(line), Line::Text([_, ..])) && !Urc::parse(line).is_known();
        if is_echo && is_data { self.announced.unwrap_or_default() } else { 0 }
    }

    /// True if a part of the data, but not all, is sent.
    pub(super) fn has_begun(&self) -> bool {
        !self.sent.is_empty() && !self.is_complete()
    }

    /// True if all data are sent.
    pub(super) fn is_complete(&self) -> bool {
        match self.announced {
            Some(length) => self.sent.len() >= length,
            None => matches!(self.sent.last(), Some(&CTRL_Z | &ESC)),
        }
    }

    /// The number of bytes at the start of `bytes` that echo the data sent so far.
    pub(super) fn echo_in(&self, bytes: &[u8]) -> usize {
        let pending = self.sent.get(self.echoed..).unwrap_or_default();
        let length = pending.len().min(bytes.len());
        if pending[..length] == bytes[..length] { length } else { 0 }
    }

    pub(super) fn echoed(&mut self, length: usize) {
        self.echoed = self.echoed.saturating_add(length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_number_is_the_length_unless_it_names_a_channel() {
        let announced = |command, mux| Data::of(command, mux).map(|data| data.announced);
        assert_eq!(announced("AT+CIPSEND=10", false), Some(Some(10)));
        assert_eq!(announced("AT+CIPSEND=1", true), Some(None));
        assert_eq!(announced("at+cipsend=1,32", true), Some(Some(32)));
        assert_eq!(announced("AT+CIPSEND", false), Some(None));
        assert_eq!(announced("AT+FSWRITE=\"ca.crt\",0,1212,15", false), Some(Some(1212)));
        for other in
            ["AT+CIPSEND?", "AT+CIPSEND=?", "AT+CIPSEND=0,x", "AT+CSQ", "AT+FSWRITE=1", "AT+CIPSEND="]
        {
            assert_eq!(announced(other, false), None, "{other}");
        }
    }

    #[test]
    fn data_end_at_their_length_or_at_ctrl_z() {
        let mut fixed = Data::of("AT+CIPSEND=3", false).unwrap();
        assert_eq!(fixed.wanted(b"abcd"), 3);
        fixed.send(b"abc");
        assert!(fixed.is_complete() && fixed.wanted(b"x") == 0);
        let mut open = Data::of("AT+CIPSEND", false).unwrap();
        assert_eq!(open.wanted(b"ab"), 2);
        assert_eq!(open.wanted(b"ab\x1acd"), 3);
        open.send(b"ab\x1a");
        assert!(open.is_complete() && open.wanted(b"cd") == 0);
    }
}
