//! A server that passes on the bytes unchanged.

use std::borrow::Cow;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::connection::{Halves, closed_after, is_closed};
use crate::port::unanswered::Unanswered;
use crate::port::{WrongProtocol, after};

/// The time that the driver listens before it writes. A telnet server speaks first, a modem seldom does.
const FIRST_WORDS: Duration = Duration::from_millis(200);
/// The number of bytes that show which protocol a server speaks.
const SIGNATURE_LEN: usize = 7;
/// The time after which a device that has not answered is named by its bytes. A module that was left in a send, or in
/// data mode to a peer that sends without end or echoes, answers earlier: the driver ends both.
const ANSWER: Duration = Duration::from_secs(15);
/// The most bytes that are kept of the first words.
const MAX_FIRST: usize = 4 * 1024;

/// Opens the two halves of a connection.
///
/// # Errors
/// [`io::ErrorKind::InvalidData`] for a server that speaks another protocol.
pub(super) fn open(stream: TcpStream) -> io::Result<Halves> {
    open_with(stream, ANSWER)
}

/// The same with another time for the first answer.
fn open_with(stream: TcpStream, answer: Duration) -> io::Result<Halves> {
    let (until, mut early) = (after(FIRST_WORDS), Vec::new());
    while early.len() < MAX_FIRST {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        stream.set_read_timeout(Some(left))?;
        let mut buf = [0; 1024];
        match (&stream).read(&mut buf) {
            Ok(0) => {
                refuse_web(&early)?;
                return Err(closed_after(&early));
            }
            Ok(count) => early.extend_from_slice(&buf[..count]),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
            Err(error) if is_closed(&error) => return Err(closed_after(&early)),
            Err(error) => return Err(error),
        }
        refuse_others(&early)?;
    }
    stream.set_read_timeout(None)?;
    let mut unanswered = Unanswered::default();
    unanswered.read(&early);
    let watch = Watch { until: after(answer), unanswered: Arc::new(Mutex::new(unanswered)) };
    let writer = RawWriter { stream: stream.try_clone()?, watch: Some(watch.clone()) };
    let seen = early.iter().copied().take(SIGNATURE_LEN).collect();
    Ok((Box::new(RawReader { stream, early, seen, watch: Some(watch) }), Box::new(writer)))
}

/// The watch over a device that has not answered yet.
#[derive(Clone)]
struct Watch {
    until: Instant,
    unanswered: Arc<Mutex<Unanswered>>,
}

impl Watch {
    /// Takes bytes by `take`. Returns whether the watch goes on: it ends with the first answer.
    ///
    /// # Errors
    /// The time is over, and the bytes show a device that is no module.
    fn goes_on(&self, take: impl FnOnce(&mut Unanswered)) -> io::Result<bool> {
        let mut unanswered = self.unanswered.lock().unwrap_or_else(PoisonError::into_inner);
        take(&mut unanswered);
        if Instant::now() >= self.until && unanswered.device().is_some() {
            wrong(unanswered.words().unwrap_or_default())?;
        }
        Ok(!unanswered.is_answered())
    }
}

/// A writer that refuses a device that is no module. The driver goes on writing to one that does not answer, so the
/// time is noticed here if nothing comes.
struct RawWriter {
    stream: TcpStream,
    watch: Option<Watch>,
}

impl Write for RawWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.stream.write(bytes)?;
        if let Some(watch) = &self.watch
            && !watch.goes_on(|unanswered| unanswered.wrote(bytes.get(..count).unwrap_or_default()))?
        {
            self.watch = None;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// A reader that refuses a server of another protocol by its first bytes.
struct RawReader {
    stream: TcpStream,
    /// Bytes that came while the driver listened.
    early: Vec<u8>,
    /// The first bytes of the stream, at most [`SIGNATURE_LEN`].
    seen: Vec<u8>,
    watch: Option<Watch>,
}

impl Read for RawReader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if !self.early.is_empty() {
            let count = self.early.len().min(buf.len());
            buf[..count].copy_from_slice(&self.early[..count]);
            self.early.drain(..count);
            return Ok(count);
        }
        let read = self.stream.read(buf);
        let Ok(count @ 1..) = read else {
            refuse_web(&self.seen)?;
            return read;
        };
        if self.seen.len() < SIGNATURE_LEN {
            self.seen.extend(buf.iter().take(count).take(SIGNATURE_LEN.saturating_sub(self.seen.len())));
            refuse_others(&self.seen)?;
        }
        if let Some(watch) = &self.watch
            && !watch.goes_on(|unanswered| unanswered.read(buf.get(..count).unwrap_or_default()))?
        {
            self.watch = None;
        }
        Ok(count)
    }
}

/// Refuses first bytes that no modem sends: the negotiation of a telnet option (IAC, WILL to DONT, an option), the
/// greeting of SSH.
fn refuse_others(first: &[u8]) -> io::Result<()> {
    match first {
        [0xff, 0xfb..=0xfe, ..] => wrong(
            "the server speaks telnet, which would change the data: use `rfc2217://`, or set its port to raw",
        ),
        [b'S', b'S', b'H', b'-', ..] => {
            wrong("an SSH server runs there: name the TCP port of the serial server")
        }
        _ => Ok(()),
    }
}

/// Refuses a web server, which answers `AT` and closes. A module with a transparent stream to a web server begins with
/// the same words, and goes on.
fn refuse_web(first: &[u8]) -> io::Result<()> {
    match first.starts_with(b"HTTP/1.") {
        true => wrong("a web server runs there: name the TCP port of the serial server"),
        false => Ok(()),
    }
}

fn wrong(why: impl Into<Cow<'static, str>>) -> io::Result<()> {
    Err(io::Error::new(io::ErrorKind::InvalidData, WrongProtocol(why.into())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::thread;

    /// The halves of a connection to this server, of which an answer is expected at once.
    fn opened(serve: impl FnOnce(TcpStream) + Send + 'static) -> Halves {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        thread::spawn(move || serve(listener.accept().unwrap().0));
        open_with(stream, Duration::ZERO).unwrap()
    }

    fn is_named(error: &io::Error, words: &str) -> bool {
        WrongProtocol::has_ended(error) && error.to_string().contains(words)
    }

    /// Regression: the modem waited for an answer, and its error was that nothing answers.
    #[test]
    fn a_device_that_is_no_module_is_named_with_its_first_bytes() {
        let (_reader, mut writer) = opened(|mut stream| {
            stream.write_all(b"Debian 12\r\nrack login: ").unwrap();
            let _ = stream.read(&mut [0; 9]);
        });
        let error = writer.write(b"AT\r\n").unwrap_err();
        assert!(is_named(&error, r#"it asks for a login: "Debian 12\r\nrack login: ""#), "{error}");

        let (mut reader, mut writer) =
            opened(|mut stream| drop(io::copy(&mut stream.try_clone().unwrap(), &mut stream)));
        writer.write_all(b"AT\r\n").unwrap();
        let error = io::copy(&mut reader, &mut io::sink()).unwrap_err();
        assert!(is_named(&error, r#"it sends back what is written: "AT"#), "{error}");

        let (mut reader, _writer) = opened(|mut stream| while stream.write_all(&[0xff; 999]).is_ok() {});
        let error = io::copy(&mut reader, &mut io::sink()).unwrap_err();
        assert!(is_named(&error, r"it sends without end, and no answer to AT: "), "{error}");
        assert!(error.to_string().len() < 400, "{error}");
    }

    /// The payload of a module may be anything.
    #[test]
    fn after_an_answer_any_bytes_come_through() {
        let (mut reader, mut writer) = opened(|mut stream| {
            let _ = stream.read(&mut [0; 4]);
            stream.write_all(b"AT\r\r\nOK\r\n").unwrap();
            stream.write_all(b"rack login: ").unwrap();
            stream.write_all(&[0xff; 100_000]).unwrap();
        });
        writer.write_all(b"AT\r\n").unwrap();
        assert_eq!(io::copy(&mut reader, &mut io::sink()).unwrap(), 9 + 12 + 100_000);
        writer.write_all(b"AT\r\n").unwrap();
    }
}
