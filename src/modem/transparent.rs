//! The transparent stream: one connection that uses the whole line.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

use crossbeam_channel::Receiver;

use super::{Heartbeat, Socket, unexpected};
use crate::error::Result;
use crate::proto::{HeartbeatStatistics, Request, Response};

/// A TCP connection in transparent mode ([`Modem::connect_transparent`](super::Modem::connect_transparent)): bytes pass
/// in both directions at the speed of the line, without frames and other lines.
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
/// Every method takes `&self`, so one thread can read while another writes. Dropping the stream closes it without
/// waiting.
///
/// # What this mode can't do
///
/// * The module's own lines stand among the data. After a line like `CLOSED` or `RDY` the stream tests with an escape
///   whether the module has written it. So a peer's close is noticed after about 3 s. A peer that sends such a line
///   delays writes, and the data after the line, by about 3 s; no data are lost.
/// * If the last data of the peer are lines that a module may write as well (`+CREG: 1`), their origin is unknown. Then
///   the stream ends with [`CloseReason::EndUncertain`](crate::CloseReason::EndUncertain), which has the number of
///   these bytes, and not with an end of file.
/// * The module does not confirm data. Data that are written while the connection ends are lost. Data that are written
///   after the module has reported the end, and before the host has read the report, are read by the module as
///   commands.
/// * A module that restarts without a report reads written data as commands, and may echo them. A
///   [heartbeat](Self::set_heartbeat) detects this.
/// * Command mode is proved by a question after the escape. If the answer to the escape was the peer's, the peer gets
///   the question, and the stream ends with [`CloseReason::EscapeUnanswered`](crate::CloseReason::EscapeUnanswered).
/// * An answer to the escape that comes twice can't be distinguished from an `OK` of the peer: the first one is read
///   as data.
/// * A line that ends a connection and comes during the escape is held, with the data after it, until the
///   [return](Self::resume).
/// * Data that come in command mode end the stream with
///   [`CloseReason::DataInCommandMode`](crate::CloseReason::DataInCommandMode), unless they are blank lines or look
///   like the awaited answer.
/// * Three pluses with silence before and after them would be an escape. They are delayed by up to 0.75 s.
/// * A CR LF at the end of the received data is held for 20 ms, because it may begin a line of the module.
/// * Without flow control ([`Config::flow_control`](crate::Config::flow_control)) nothing slows the peer down: a stream
///   whose window is full ends with [`Error::Overrun`](crate::Error::Overrun).
#[derive(Debug)]
pub struct TransparentStream {
    socket: Socket,
}

/// The time-out of an escape and of a return to data mode: three attempts at the escape, 2.6 s each, and a slow line.
const MODE_TIMEOUT: Duration = Duration::from_secs(20);

impl TransparentStream {
    pub(super) fn new(socket: Socket) -> Self {
        Self { socket }
    }

    /// Leaves data mode and keeps the connection (`+++`), which takes about 2 s. Then commands can be run, such as
    /// [`Modem::signal_quality`](super::Modem::signal_quality) and [`Modem::command`](super::Modem::command). Writes
    /// wait for [`resume`](Self::resume), at most for the write time-out. The peer's data wait in the module.
    ///
    /// # Errors
    /// [`Error::Timeout`](crate::Error::Timeout) after 20 s; the reason why the stream ended, if it has.
    pub fn escape(&self) -> Result<()> {
        let request = Request::Escape { socket: self.socket.socket_id(), timeout: MODE_TIMEOUT };
        self.change_mode(request)
    }

    /// Goes back to data mode (`ATO`).
    ///
    /// # Errors
    /// [`Error::Timeout`](crate::Error::Timeout) after 20 s; the reason why the stream ended, if it has:
    /// [`CloseReason::Reset`](crate::CloseReason::Reset) if the module reports that the connection is gone.
    pub fn resume(&self) -> Result<()> {
        let request = Request::Resume { socket: self.socket.socket_id(), timeout: MODE_TIMEOUT };
        self.change_mode(request)
    }

    /// Closes the connection and waits until the module has closed it. Sockets can be opened when it is
    /// [ready](super::Modem::wait_ready) again.
    ///
    /// # Errors
    /// [`Error::Timeout`](crate::Error::Timeout) after 40 s; [`Error::PortLost`](crate::Error::PortLost).
    pub fn close(self) -> Result<()> {
        self.socket.close()
    }

    /// Returns all data that came, without waiting; empty if there are none.
    ///
    /// # Errors
    /// The reason why the stream ended, after all of its data were read.
    pub fn try_recv(&self) -> Result<Vec<u8>> {
        self.socket.try_recv()
    }

    /// A channel that gets a signal when there is something to read, like [`Socket::readable`].
    pub fn readable(&self) -> &Receiver<()> {
        self.socket.readable()
    }

    /// Sets the time-out of reads. `None`, the default, waits without a limit.
    ///
    /// # Errors
    /// [`Error::InvalidInput`](crate::Error::InvalidInput) for zero.
    pub fn set_read_timeout(&self, timeout: Option<Duration>) -> Result<()> {
        self.socket.set_read_timeout(timeout)
    }

    /// Sets the time-out of writes. `None` waits without a limit. Default 120 s.
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

    /// Begins, changes or (with `None`) ends the heartbeat of this stream, like [`Socket::set_heartbeat`]. It keeps the
    /// connection alive, and with [`Heartbeat::max_missed`] it detects a module that has restarted without a report.
    /// Such a module may echo the heartbeat. So after a heartbeat that comes back unchanged the stream tests the module
    /// with an escape, which takes about 3 s. A peer that answers with other bytes avoids this.
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

    /// The name or address, and the port, that were given to the connect.
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
    /// Waits for the first byte. Zero after the peer has closed and all data were read.
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        (&self.socket).read(buf)
    }
}

impl Write for &TransparentStream {
    /// Returns when the port has accepted the returned number of bytes.
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        Ok(self.socket.write_some(buf)?)
    }

    /// Does nothing, because every write goes to the port at once.
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
