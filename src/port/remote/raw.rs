//! The bytes as they are, from a server that adds nothing to them.

use std::io::{self, Read};
use std::net::TcpStream;
use std::time::Duration;

use super::connection::{Halves, closed};
use crate::port::WrongProtocol;

/// A telnet server speaks first, a modem seldom does: for this long it is listened to.
const FIRST_WORDS: Duration = Duration::from_millis(200);

/// # Errors
/// [`io::ErrorKind::InvalidData`] for a server that speaks telnet.
pub(super) fn open(stream: TcpStream) -> io::Result<Halves> {
    let mut first = [0; 3];
    stream.set_read_timeout(Some(FIRST_WORDS))?;
    match stream.peek(&mut first) {
        Ok(0) => return Err(closed()),
        Ok(count) => refuse_telnet(&first[..count])?,
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
        Err(error) => return Err(error),
    }
    stream.set_read_timeout(None)?;
    let writer = stream.try_clone()?;
    Ok((Box::new(RawReader { stream, seen: Some(Vec::new()) }), Box::new(writer)))
}

/// Bytes of which the first ones show whether the server speaks telnet.
struct RawReader {
    stream: TcpStream,
    /// The first bytes, until there are enough.
    seen: Option<Vec<u8>>,
}

impl Read for RawReader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = self.stream.read(buf)?;
        if let Some(seen) = &mut self.seen {
            seen.extend(buf.iter().take(count).take(3_usize.saturating_sub(seen.len())));
            refuse_telnet(seen)?;
            if seen.len() >= 3 {
                self.seen = None;
            }
        }
        Ok(count)
    }
}

/// An option of telnet that is negotiated, which no modem sends first: IAC, WILL to DONT, an option.
fn refuse_telnet(first: &[u8]) -> io::Result<()> {
    match first {
        [0xff, 0xfb..=0xfe, ..] => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            WrongProtocol(
                "the server speaks telnet, which would change the data: use `rfc2217://`, or set its port to raw",
            ),
        )),
        _ => Ok(()),
    }
}
