//! The recorder of captures.

use std::fmt;
use std::io::{self, Write};

use crate::time::Timestamp;

use super::format::{write_bytes, write_header, write_words};
use super::{Header, Mask};

/// Appends records to a writer, one line each, with secrets masked by [`Mask`]. It flushes after each record, so that
/// the last line before a crash is written.
///
/// A capture must not affect its session: no method fails. The first write error is logged once, returned once by
/// [`take_error`](Recorder::take_error), and ends the recording; if the writer still accepts it, a last note contains
/// the reason. A writer that blocks also blocks the caller: [`Modem::open`](crate::Modem::open) uses a separate thread
/// for captures.
///
/// ```
/// use air724ug::capture::{Header, Recorder};
/// use air724ug::time::Timestamp;
///
/// let header = Header { what: "a probe".into(), source: "doc test".into(), expect: vec!["an answer".into()] };
/// let mut recorder = Recorder::new(Vec::new(), &header);
/// recorder.request(Timestamp::ZERO, "probe");
/// recorder.to_modem(Timestamp::from_micros(100), b"AT\r\n");
/// let text = String::from_utf8(recorder.into_inner()).unwrap();
/// assert!(text.ends_with("0.000000 ? probe\n0.000100 > AT\\r\\n\n"));
/// ```
pub struct Recorder<W> {
    writer: W,
    mask: Mask,
    last_at: Timestamp,
    /// The record that is being built; kept to save allocations.
    line: Vec<u8>,
    /// A copy of the bytes for masking; kept to save allocations.
    bytes: Vec<u8>,
    state: State,
}

#[derive(Debug)]
enum State {
    Recording,
    Failed(io::Error),
    /// Failed, and the error was returned.
    Reported,
}

impl<W: Write> Recorder<W> {
    /// Writes the header. An error ends the recording.
    pub fn new(writer: W, header: &Header) -> Self {
        let mut recorder = Self {
            writer,
            mask: Mask::default(),
            last_at: Timestamp::ZERO,
            line: Vec::new(),
            bytes: Vec::new(),
            state: State::Recording,
        };
        write_header(header, &mut recorder.line);
        recorder.write();
        recorder
    }

    /// Records bytes that were written to the modem.
    pub fn to_modem(&mut self, at: Timestamp, bytes: &[u8]) {
        self.bytes.clear();
        self.bytes.extend_from_slice(bytes);
        self.mask.to_modem(&mut self.bytes);
        let at = self.moment(at);
        write_bytes(at, b'>', &self.bytes, &mut self.line);
        self.write();
    }

    /// Records bytes that were read from the modem.
    pub fn from_modem(&mut self, at: Timestamp, bytes: &[u8]) {
        self.bytes.clear();
        self.bytes.extend_from_slice(bytes);
        self.mask.from_modem(&mut self.bytes);
        let at = self.moment(at);
        write_bytes(at, b'<', &self.bytes, &mut self.line);
        self.write();
    }

    /// Records a request of the application. Secrets are masked if the words contain a command.
    pub fn request(&mut self, at: Timestamp, words: &str) {
        self.words(at, b'?', words);
    }

    /// Records a remark.
    pub fn note(&mut self, at: Timestamp, words: &str) {
        self.words(at, b';', words);
    }

    /// True while records are written.
    pub fn is_recording(&self) -> bool {
        matches!(self.state, State::Recording)
    }

    /// The error that ended the recording; `None` if there is none, or if it was taken.
    pub fn take_error(&mut self) -> Option<io::Error> {
        match std::mem::replace(&mut self.state, State::Reported) {
            State::Failed(error) => Some(error),
            State::Reported => None,
            State::Recording => {
                self.state = State::Recording;
                None
            }
        }
    }

    /// Ends the recording and returns the writer.
    pub fn into_inner(self) -> W {
        self.writer
    }

    fn words(&mut self, at: Timestamp, direction: u8, words: &str) {
        let words = self.mask.words(words);
        let at = self.moment(at);
        write_words(at, direction, &words, &mut self.line);
        self.write();
    }

    /// The time of a record. It must not decrease, but calls of several threads may come slightly out of order.
    fn moment(&mut self, at: Timestamp) -> Timestamp {
        self.last_at = self.last_at.max(at);
        self.last_at
    }

    fn write(&mut self) {
        if self.is_recording() {
            let written = self.writer.write_all(&self.line).and_then(|()| self.writer.flush());
            if let Err(error) = written {
                log::warn!("the capture ends here: {error}");
                self.write_last_note(&error);
                self.state = State::Failed(error);
            }
        }
        self.line.clear();
    }

    /// Writes the reason why the file is incomplete, if the writer accepts it.
    fn write_last_note(&mut self, error: &io::Error) {
        self.line.clear();
        // The last record may be incomplete.
        self.line.push(b'\n');
        write_words(self.last_at, b';', &format!("the capture ends here: {error}"), &mut self.line);
        let _ = self.writer.write_all(&self.line).and_then(|()| self.writer.flush());
    }
}

impl<W> fmt::Debug for Recorder<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = &self.state;
        f.debug_struct("Recorder")
            .field("state", state)
            .field("last_at", &self.last_at)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Entry, read_own};
    use super::*;

    /// A writer that accepts `room` writes, then fails; it counts its flushes.
    #[derive(Default)]
    struct Disk {
        room: usize,
        written: Vec<u8>,
        flushes: usize,
        attempts: usize,
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.attempts += 1;
            if self.room == 0 {
                return Err(io::Error::other("no room"));
            }
            self.room -= 1;
            self.written.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            self.flushes += 1;
            Ok(())
        }
    }

    fn recorder(room: usize) -> Recorder<Disk> {
        let header = Header { what: "x".into(), source: "y".into(), expect: vec!["z".into()] };
        Recorder::new(Disk { room, ..Disk::default() }, &header)
    }

    #[test]
    fn what_was_recorded_reads_back_in_order_and_masked() {
        let mut recorder = recorder(9);
        recorder.request(Timestamp::from_millis(1), "command AT+CPIN=\"1234\"");
        recorder.to_modem(Timestamp::from_millis(3), b"AT+CPIN=\"12");
        recorder.to_modem(Timestamp::from_millis(2), b"34\"\r\n");
        recorder.from_modem(Timestamp::from_millis(4), b"AT+CPIN=\"1234\"\r\n\r\nOK\r\n");
        recorder.note(Timestamp::from_millis(5), "grün");
        let disk = recorder.into_inner();
        let at = Timestamp::from_millis;
        let expected = [
            (at(1), Entry::Request("command AT+CPIN=\"****\"".into())),
            (at(3), Entry::ToModem(b"AT+CPIN=\"**".to_vec())),
            (at(3), Entry::ToModem(b"**\"\r\n".to_vec())),
            (at(4), Entry::FromModem(b"AT+CPIN=\"****\"\r\n\r\nOK\r\n".to_vec())),
            (at(5), Entry::Note("grün".into())),
        ];
        let capture = read_own(&disk.written).unwrap();
        let read: Vec<_> = capture.records.into_iter().map(|it| (it.record.at, it.record.what)).collect();
        assert_eq!(read, expected);
        assert_eq!(disk.flushes, 6, "the header and each record");
    }

    #[test]
    fn a_full_disk_ends_the_recording_once_and_nothing_else() {
        let mut recorder = recorder(2);
        recorder.note(Timestamp::ZERO, "fits");
        assert!(recorder.is_recording() && recorder.take_error().is_none());
        for _ in 0..3 {
            recorder.to_modem(Timestamp::ZERO, b"AT\r\n");
        }
        assert!(!recorder.is_recording());
        assert_eq!(recorder.take_error().unwrap().to_string(), "no room");
        assert!(recorder.take_error().is_none() && !recorder.is_recording());
        assert_eq!(recorder.into_inner().attempts, 4, "header, note, the one that failed, and why");
    }
}
