//! One connection that has the line to itself.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

use crossbeam_channel::Receiver;

use super::{Heartbeat, Socket, unexpected};
use crate::error::Result;
use crate::proto::{HeartbeatStatistics, Request, Response};

/// A TCP connection in transparent mode ([`Modem::connect_transparent`](super::Modem::connect_transparent)): bytes go both ways at the
/// speed of the line, and there is nothing else on it.
///
/// ```no_run
/// use std::io::{Read, Write};
///
/// # let modem = air724ug::Modem::open("/dev/ttyUSB0", Default::default())?;
/// let mut stream = modem.connect_transparent(("example.com", 7))?;
/// stream.write_all(b"at the speed of the line")?;
/// stream.escape()?; // The connection stays; commands can be run.
/// println!("{}", modem.signal_quality()?);
/// stream.resume()?;
/// let mut answer = [0; 24];
/// stream.read_exact(&mut answer)?;
/// stream.close()?; // Sockets can be opened again in some seconds.
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Every method takes `&self`, so one thread can read while another writes. A stream that is dropped is closed without
/// waiting.
///
/// # What this mode can't do
///
/// * The module's own lines stand among the data. When `CLOSED`, `RDY` or the like comes as a line of its own, the stream
///   finds out with an escape whether the module has said it. So a peer's close is seen after about 3 s. A peer that sends
///   such a line delays writes, and the data after the line, for about as long; no data are lost.
/// * A peer whose last data are lines that a module may say as well (`+CREG: 1`) can't be told from the module. Then the end is
///   [`CloseReason::EndUncertain`](crate::CloseReason::EndUncertain), which says how many bytes are in doubt, and no end of
///   file.
/// * The module does not confirm data. Data that are written while the connection ends are lost. Data that are written after
///   the module has reported the end, and before the host has read the report, are taken for commands.
/// * A module that restarts without saying so takes what is written as commands, and may send it back as an echo. A
///   [heartbeat](Self::set_heartbeat) finds it.
/// * Command mode is proved by a question after the escape. If the answer to the escape was the peer's, the peer gets the
///   question, and the stream ends with [`CloseReason::EscapeUnanswered`](crate::CloseReason::EscapeUnanswered).
/// * An answer to the escape that comes twice can't be told from an `OK` of the peer: the first one is read as data.
/// * A line that ends a connection and comes during the escape is held, with the data behind it, until the
///   [return](Self::resume).
/// * Data that come in command mode end the stream with
///   [`CloseReason::DataInCommandMode`](crate::CloseReason::DataInCommandMode), unless they are blank lines or look like the
///   answer that is waited for.
/// * Three pluses alone, with silence around them, would be an escape. They are held back for up to 0.75 s.
/// * A received CR LF at the end of what has come is held back for 20 ms.
/// * Without flow control ([`Config::flow_control`](crate::Config::flow_control)) nothing slows the peer down: a stream of
///   which the window is full ends with [`Error::Overrun`](crate::Error::Overrun).
#[derive(Debug)]
pub struct TransparentStream {
    socket: Socket,
}

/// How long an escape or a return may take: three attempts at the escape, 2.6 s each, and a slow line.
const MODE_TIMEOUT: Duration = Duration::from_secs(20);

impl TransparentStream {
    pub(super) fn new(socket: Socket) -> Self {
        Self { socket }
    }

    /// Leaves data mode and keeps the connection (`+++`), which takes about 2 s: then commands can be run, such as
    /// [`Modem::signal_quality`](super::Modem::signal_quality) and [`Modem::command`](super::Modem::command). What is written
    /// meanwhile waits for [`resume`](Self::resume), within the write time-out. The peer's data wait in the module.
    ///
    /// # Errors
    /// [`Error::Timeout`](crate::Error::Timeout) after 20 s; how the stream ended, if it did.
    pub fn escape(&self) -> Result<()> {
        let request = Request::Escape { socket: self.socket.socket_id(), timeout: MODE_TIMEOUT };
        self.change_mode(request)
    }

    /// Goes back to data mode (`ATO`).
    ///
    /// # Errors
    /// [`Error::Timeout`](crate::Error::Timeout) after 20 s; how the stream ended, if it did:
    /// [`CloseReason::Reset`](crate::CloseReason::Reset) if the module says that there is no connection any more.
    pub fn resume(&self) -> Result<()> {
        let request = Request::Resume { socket: self.socket.socket_id(), timeout: MODE_TIMEOUT };
        self.change_mode(request)
    }

    /// Closes the connection and waits until the module has done so. Sockets can be opened when it is
    /// [ready](super::Modem::wait_ready) again.
    ///
    /// # Errors
    /// [`Error::Timeout`](crate::Error::Timeout) after 40 s; [`Error::PortLost`](crate::Error::PortLost).
    pub fn close(self) -> Result<()> {
        self.socket.close()
    }

    /// The bytes that have come, without waiting; empty if none have.
    ///
    /// # Errors
    /// How the stream ended, once everything was read.
    pub fn try_recv(&self) -> Result<Vec<u8>> {
        self.socket.try_recv()
    }

    /// Signals when there is something to read, as [`Socket::readable`].
    pub fn readable(&self) -> &Receiver<()> {
        self.socket.readable()
    }

    /// Sets how long reads wait; `None`, the default: for ever.
    ///
    /// # Errors
    /// [`Error::InvalidInput`](crate::Error::InvalidInput) for zero.
    pub fn set_read_timeout(&self, timeout: Option<Duration>) -> Result<()> {
        self.socket.set_read_timeout(timeout)
    }

    /// Sets how long writes wait; `None`: for ever. Default 120 s.
    ///
    /// # Errors
    /// [`Error::InvalidInput`](crate::Error::InvalidInput) for zero.
    pub fn set_write_timeout(&self, timeout: Option<Duration>) -> Result<()> {
        self.socket.set_write_timeout(timeout)
    }

    /// The time-out of reads.
    ///
    /// # Errors
    /// None today.
    pub fn read_timeout(&self) -> Result<Option<Duration>> {
        self.socket.read_timeout()
    }

    /// The time-out of writes.
    ///
    /// # Errors
    /// None today.
    pub fn write_timeout(&self) -> Result<Option<Duration>> {
        self.socket.write_timeout()
    }

    /// Begins, changes or (with `None`) ends the heartbeat of this stream: as [`Socket::set_heartbeat`]. It keeps the
    /// connection alive, and with [`Heartbeat::max_missed`] it finds a module that has restarted without saying so. Such a module
    /// may echo the heartbeat. So when a heartbeat comes back unchanged, the stream asks the module by an escape, which takes about
    /// 3 s. A peer that answers with other bytes spares that.
    ///
    /// # Errors
    /// As for [`Socket::set_heartbeat`].
    pub fn set_heartbeat(&self, heartbeat: impl Into<Option<Heartbeat>>) -> Result<()> {
        self.socket.set_heartbeat(heartbeat)
    }

    /// The counters of the heartbeats; `None` without a heartbeat.
    pub fn heartbeat_statistics(&self) -> Option<HeartbeatStatistics> {
        self.socket.heartbeat_statistics()
    }

    /// The peer's address.
    ///
    /// # Errors
    /// As for [`Socket::peer_addr`].
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket.peer_addr()
    }

    /// Name or address, and port, as the connection was asked for.
    pub fn peer_name(&self) -> (&str, u16) {
        self.socket.peer_name()
    }

    fn change_mode(&self, request: Request) -> Result<()> {
        match self.socket.modem().driver.call(request)? {
            Response::Done => Ok(()),
            other => Err(unexpected(&other)),
        }
    }
}

impl Read for &TransparentStream {
    /// Waits for the first byte; zero once the peer has closed and everything was read.
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        (&self.socket).read(buf)
    }
}

impl Write for &TransparentStream {
    /// Returns when the port has been given as much of the data as is said: the rest waits until the line has room.
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        Ok(self.socket.write_some(buf)?)
    }

    /// Does nothing: every write is handed over at once.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for TransparentStream {
    /// As for `&TransparentStream`.
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        (&*self).read(buf)
    }
}

impl Write for TransparentStream {
    /// As for `&TransparentStream`.
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        (&*self).write(buf)
    }

    /// As for `&TransparentStream`.
    fn flush(&mut self) -> io::Result<()> {
        Write::flush(&mut &*self)
    }
}
