//! A port without a driver, for programs that ask a module byte by byte.

use std::io::{self, ErrorKind, Read, Write};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};

use super::unanswered::Unanswered;
use super::{Line, Port, Sleeper, Waker, after, wake_up};

/// The largest read.
const READ: usize = 4 * 1024;
/// The reads that wait for the caller. Then the reader waits.
const WAITING: usize = 64;
/// The most bytes of an answer. Only a port that sends without end has more.
const MOST: usize = 1024 * 1024;

/// What a server shows that accepts a connection and sends nothing.
const SILENT_SERVER: &str = "the server accepts the connection, and nothing comes through it; is the module behind it on, and \
                             is this the TCP port of the module's line?";

/// An open port without a driver.
#[doc(hidden)]
pub struct BarePort(Kind);

enum Kind {
    Line {
        line: Box<dyn Line>,
        sleeper: Sleeper,
        /// Without it the sleeper returns at once.
        _waker: Waker,
    },
    Halves {
        writer: Box<dyn Write + Send>,
        received: Receiver<io::Result<Vec<u8>>>,
        /// Ends the present calls of both halves when it is dropped.
        _end: Option<Box<dyn Send>>,
    },
}

impl BarePort {
    pub(crate) fn new(port: Port) -> io::Result<Self> {
        Ok(Self(match port {
            Port::Line { line, .. } => {
                let (waker, sleeper) = wake_up()?;
                Kind::Line { line, sleeper, _waker: waker }
            }
            Port::Halves { reader, writer, end } => {
                Kind::Halves { writer, received: read_on_a_thread(reader)?, _end: end }
            }
        }))
    }

    /// Asks `AT`, and returns in words what comes in place of an answer within this time. `None` if an answer comes, or
    /// nothing from a port of this machine.
    ///
    /// # Errors
    /// The port has ended.
    pub fn words_in_place_of_answer(&mut self, within: Duration) -> io::Result<Option<String>> {
        const QUESTION: &[u8] = b"AT\r\n";
        let mut unanswered = Unanswered::default();
        unanswered.wrote(QUESTION);
        let received = self.ask(QUESTION, within)?;
        unanswered.read(&received);
        let is_on_network = matches!(self.0, Kind::Halves { _end: Some(_), .. });
        let of_server = (received.is_empty() && is_on_network).then(|| SILENT_SERVER.to_owned());
        Ok(unanswered.words().or(of_server))
    }

    /// Writes these bytes and returns all bytes that come within this time, or the first of more than 1 MiB.
    ///
    /// # Errors
    /// The port has ended.
    pub fn ask(&mut self, bytes: &[u8], within: Duration) -> io::Result<Vec<u8>> {
        let until = after(within);
        match &mut self.0 {
            Kind::Line { line, sleeper, .. } => ask_line(&mut **line, sleeper, bytes, until),
            Kind::Halves { writer, received, .. } => {
                writer.write_all(bytes)?;
                writer.flush()?;
                let mut answer = Vec::new();
                // Bytes that wait already are received even after the time.
                while Instant::now() < until && answer.len() < MOST {
                    match received.recv_deadline(until) {
                        Ok(read) => answer.extend(read?),
                        Err(RecvTimeoutError::Timeout) => break,
                        Err(RecvTimeoutError::Disconnected) => return Err(ErrorKind::UnexpectedEof.into()),
                    }
                }
                Ok(answer)
            }
        }
    }
}

impl std::fmt::Debug for BarePort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BarePort").finish_non_exhaustive()
    }
}

fn ask_line(line: &mut dyn Line, sleeper: &Sleeper, bytes: &[u8], until: Instant) -> io::Result<Vec<u8>> {
    let (mut unwritten, mut answer, mut buf) = (bytes, Vec::new(), vec![0; READ]);
    loop {
        if !unwritten.is_empty() {
            match line.write(unwritten) {
                Ok(count) => unwritten = unwritten.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() || answer.len() >= MOST {
            return Ok(answer);
        }
        line.wait(sleeper, !unwritten.is_empty(), Some(left))?;
        match line.read(&mut buf) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => answer.extend_from_slice(buf.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}

/// Reads a half that may block. The thread ends with the half, or when the receiver is dropped.
fn read_on_a_thread(mut reader: Box<dyn Read + Send>) -> io::Result<Receiver<io::Result<Vec<u8>>>> {
    let (sender, received) = bounded(WAITING);
    let read = move || loop {
        let mut buf = vec![0; READ];
        let read = match reader.read(&mut buf) {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                buf.truncate(count);
                Ok(buf)
            }
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::TimedOut | ErrorKind::WouldBlock | ErrorKind::Interrupted
                ) =>
            {
                continue;
            }
            Err(error) => Err(error),
        };
        let is_last = read.is_err();
        if sender.send(read).is_err() || is_last {
            return;
        }
    };
    thread::Builder::new().name("air724ug-bare".into()).spawn(read)?;
    Ok(received)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A half that gives bytes without end, or takes all.
    struct Endless;

    impl Read for Endless {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            buf.fill(0xff);
            Ok(buf.len())
        }
    }

    impl Write for Endless {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The words about a port that sends these bytes.
    fn words(sent: &'static [u8]) -> Option<String> {
        // It stays open.
        let (more, silence) = bounded::<()>(0);
        let reader = sent.chain(Silent(silence));
        let port = Port::Halves { reader: Box::new(reader), writer: Box::new(Endless), end: None };
        let words =
            BarePort::new(port).unwrap().words_in_place_of_answer(Duration::from_millis(200)).unwrap();
        drop(more);
        words
    }

    #[test]
    fn the_words_of_a_silent_port_name_a_server_if_there_is_one() {
        let (_more, silence) = bounded::<()>(0);
        for (end, expected) in [(None, None), (Some(Box::new(()) as Box<dyn Send>), Some(SILENT_SERVER))] {
            let reader = Box::new(Silent(silence.clone()));
            let port = Port::Halves { reader, writer: Box::new(Endless), end };
            let words = BarePort::new(port).unwrap().words_in_place_of_answer(Duration::ZERO).unwrap();
            assert_eq!(words.as_deref(), expected);
        }
    }

    /// A half that gives nothing until its sender is dropped.
    struct Silent(Receiver<()>);

    impl Read for Silent {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            Ok(0)
        }
    }

    #[test]
    fn bytes_that_come_in_place_of_an_answer_are_named() {
        let text = words(b"$GPTXT,01,01,02,u-blox ag 860000000000009\r\n").unwrap();
        let start = r#"it sends "$GPTXT,01,01,02,u-blox ag **************".., which is no answer to AT"#;
        assert!(text.starts_with(start), "{text}");
        assert!(words(b"rack login: ").unwrap().starts_with("it asks for a login"));
        assert!(words(b"AT\r\n").unwrap().starts_with("it sends back what is written"));
        assert_eq!([words(b""), words(b"AT\r\r\nOK\r\n")], [None, None]);
    }

    #[test]
    fn a_question_to_a_port_that_sends_without_end_ends() {
        let port = Port::Halves { reader: Box::new(Endless), writer: Box::new(Endless), end: None };
        let mut port = BarePort::new(port).unwrap();
        let answer = port.ask(b"AT\r", Duration::from_secs(3600)).unwrap();
        assert!((MOST..MOST + READ).contains(&answer.len()), "{} bytes", answer.len());
        assert_eq!(port.ask(b"AT\r", Duration::ZERO).unwrap(), b"");
    }
}
