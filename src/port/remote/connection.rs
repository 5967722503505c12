//! The connection to a serial server.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::time::Duration;

/// How long a server may take to accept the connection, and to agree on the settings of its port.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The two ways of a connection: the bytes of the module, and those for it.
pub(super) type Halves = (Box<dyn Read + Send>, Box<dyn Write + Send>);

/// Ends the calls of both halves when it is dropped: a read of a module that says nothing, a write to a server that takes nothing.
pub(super) struct End(pub(super) TcpStream);

impl Drop for End {
    fn drop(&mut self) {
        // A connection that is gone can't be shut down.
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

/// A server that loses its power says nothing: without an answer for 25 s the port is lost. While bytes are on their way to it, the system
/// repeats them instead, for up to a quarter of an hour; then it is the driver that finds the module silent and opens the port again.
/// `TCP_USER_TIMEOUT` would end a stream, too, whose peer does not read: the server takes no bytes then, and answers.
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
