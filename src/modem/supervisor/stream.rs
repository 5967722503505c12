//! A connection that comes back, as `std::io` sees it.

use std::io::{self, Read, Write};
use std::time::Duration;

use super::super::Received;
use super::super::deadline::Deadline;
use super::ReconnectingSocket;
use crate::error::{Error, READ};

impl Read for &ReconnectingSocket {
    /// Waits for the first byte, on a new connection if need be; never zero, because the connection comes back.
    ///
    /// A gap is an error, once, in its place between the data before and behind it: of kind
    /// [`ConnectionAborted`](io::ErrorKind::ConnectionAborted), with [`Error::Gap`] in it.
    /// [`last_gap`](ReconnectingSocket::last_gap) has the rest of it, and the next read goes on behind it. So no program that reads
    /// a stream joins what belongs to two connections.
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        let timeout = self.read_timeout();
        let (deadline, span) = (Deadline::after(timeout), timeout.unwrap_or(Duration::MAX));
        match self.receive(deadline, span)? {
            Received::Data(data) => {
                let count = data.len().min(buf.len());
                buf[..count].copy_from_slice(&data[..count]);
                if count < data.len() && !self.carries_datagrams() {
                    self.put_back(data[count..].to_vec());
                }
                Ok(count)
            }
            Received::Gap(gap) => Err(self.told(gap).into()),
            Received::Timeout => Err(Error::timeout(READ, span).into()),
        }
    }
}

impl Write for &ReconnectingSocket {
    /// Takes data as a [`Socket`](crate::Socket) does; on UDP, sends one datagram. A connection that has ended is an error
    /// with [`Error::Gap`] in it: nothing of this call was taken, and the gap says what may be missing of those before.
    /// The next write goes on on the next connection.
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        Ok(self.write_some(buf)?)
    }

    /// Waits until the module has all that was written before on the connection that stands.
    fn flush(&mut self) -> io::Result<()> {
        Ok(self.flush_some()?)
    }
}

impl Read for ReconnectingSocket {
    /// As for `&ReconnectingSocket`.
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        (&*self).read(buf)
    }
}

impl Write for ReconnectingSocket {
    /// As for `&ReconnectingSocket`.
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        (&*self).write(buf)
    }

    /// As for `&ReconnectingSocket`.
    fn flush(&mut self) -> io::Result<()> {
        Write::flush(&mut &*self)
    }
}
