//! The connection to a serial server.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::time::Duration;

use crate::port::unanswered::masked;

/// The time for a server to accept the connection, and to confirm the settings of its port.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The two directions of a connection: a reader of the module's bytes, and a writer of bytes for it.
pub(super) type Halves = (Box<dyn Read + Send>, Box<dyn Write + Send>);

/// Ends the calls of both halves when it is dropped: a read from a silent module, and a write to a server that reads
/// nothing.
pub(super) struct End(pub(super) TcpStream);

impl Drop for End {
    fn drop(&mut self) {
        // The shutdown of a connection that has ended fails. This is no error.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

pub(super) fn connect(address: &str) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    let unknown =
        |error: io::Error| io::Error::new(error.kind(), format!("{error}; is the host's name right?"));
    for address in address.to_socket_addrs().map_err(unknown)? {
        match TcpStream::connect_timeout(&address, CONNECT_TIMEOUT) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                keep_alive(&stream)?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    let hint = match last.kind() {
        io::ErrorKind::ConnectionRefused => "; does a serial server run there, and is its port free?",
        io::ErrorKind::TimedOut => "; is the host on, and no firewall in between?",
        _ => "",
    };
    Err(io::Error::new(last.kind(), format!("{last}{hint}")))
}

/// Keep-alive: a server that loses its power sends nothing, so without an answer for 25 s the port is lost. While bytes
/// to the server are unacknowledged, the system repeats them instead, for up to a quarter of an hour. In that case the
/// driver finds the module silent and opens the port again.
///
/// `TCP_USER_TIMEOUT` is not set: it would also end a stream whose peer does not read, because the server then takes no
/// bytes but answers.
#[cfg(unix)]
fn keep_alive(stream: &TcpStream) -> io::Result<()> {
    use rustix::net::sockopt;
    sockopt::set_socket_keepalive(stream, true)?;
    #[cfg(not(target_os = "openbsd"))]
    {
        #[cfg(not(any(target_os = "macos", target_os = "ios")))]
        sockopt::set_tcp_keepidle(stream, Duration::from_secs(10))?;
        sockopt::set_tcp_keepintvl(stream, Duration::from_secs(5))?;
        sockopt::set_tcp_keepcnt(stream, 3)?;
    }
    Ok(())
}

#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps, reason = "as on systems where it can be set")]
fn keep_alive(_: &TcpStream) -> io::Result<()> {
    Ok(())
}

pub(super) fn closed() -> io::Error {
    io::Error::new(
        io::ErrorKind::ConnectionReset,
        "the server closed the connection; is its port in use by another client?",
    )
}

/// The error of a connection that was in use.
pub(super) fn ended() -> io::Error {
    io::Error::new(
        io::ErrorKind::ConnectionAborted,
        "the server closed the connection; does it run, and is its port not in use by another client?",
    )
}

/// Whether the server has closed the connection. A server that closes before it has read everything resets it.
pub(super) fn is_closed(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe)
}

/// The error for a server that closes at once. A server whose port is in use or missing sends a short message, or
/// nothing.
pub(super) fn closed_after(words: &[u8]) -> io::Error {
    match words.trim_ascii().is_empty() {
        true => closed(),
        false => with_words(io::Error::new(io::ErrorKind::ConnectionAborted, closed().to_string()), words),
    }
}

/// The error with the first words of the server, without long numbers. A server that expects no serial port says in
/// them what it is.
pub(super) fn with_words(error: io::Error, words: &[u8]) -> io::Error {
    let words = masked(words);
    let words: String = String::from_utf8_lossy(&words).trim().chars().take(200).collect();
    match words.is_empty() {
        true => error,
        false => io::Error::new(error.kind(), format!("{error} It said {words:?}")),
    }
}
