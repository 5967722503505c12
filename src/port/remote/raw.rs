//! A server that passes on the bytes unchanged.

use std::io::{self, Read};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::connection::{Halves, closed_after, is_closed};
use crate::port::{WrongProtocol, after};

/// The time that the driver listens before it writes. A telnet server speaks first, a modem seldom does.
const FIRST_WORDS: Duration = Duration::from_millis(200);
/// The number of bytes that show which protocol a server speaks.
const SIGNATURE_LEN: usize = 7;
/// The most bytes that are kept of the first words.
const MAX_FIRST: usize = 4 * 1024;

/// Opens the two halves of a connection.
///
/// # Errors
/// [`io::ErrorKind::InvalidData`] for a server that speaks another protocol.
pub(super) fn open(stream: TcpStream) -> io::Result<Halves> {
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
    let writer = stream.try_clone()?;
    let seen = early.iter().copied().take(SIGNATURE_LEN).collect();
    Ok((Box::new(RawReader { stream, early, seen }), Box::new(writer)))
}

/// A reader that refuses a server of another protocol by its first bytes.
struct RawReader {
    stream: TcpStream,
    /// Bytes that came while the driver listened.
    early: Vec<u8>,
    /// The first bytes of the stream, at most [`SIGNATURE_LEN`].
    seen: Vec<u8>,
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

fn wrong(why: &'static str) -> io::Result<()> {
    Err(io::Error::new(io::ErrorKind::InvalidData, WrongProtocol(why)))
}
