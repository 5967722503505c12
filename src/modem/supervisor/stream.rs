//! `std::io::Read` and `Write` for connections that are made again.

use std::io::{self, Read, Write};
use std::time::Duration;

use super::super::Received;
use super::super::deadline::Deadline;
use super::ReconnectingSocket;
use crate::error::{Error, READ};

impl Read for &ReconnectingSocket {
    /// Waits for the first byte, and makes a new connection if needed. The result is never zero, because the connection
    /// is made again.
    ///
    /// A gap is an error, once, between the data before and after it. Its kind is
    /// [`ConnectionAborted`](io::ErrorKind::ConnectionAborted), and it contains [`Error::Gap`].
    /// [`last_gap`](ReconnectingSocket::last_gap) returns the gap, and the next read returns the data after it. So no
    /// program joins the data of two connections by mistake.
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
            Received::Gap(gap) => Err(self.gap_error(gap).into()),
            Received::Timeout => Err(Error::timeout(READ, span).into()),
        }
    }
}

impl Write for &ReconnectingSocket {
    /// Accepts data like a [`Socket`](crate::Socket); on UDP, sends one datagram. If the connection has ended, the
    /// error contains [`Error::Gap`]: no data of this call were accepted, and the gap contains the earlier data that
    /// may be missing. The next write uses the next connection.
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        Ok(self.write_some(buf)?)
    }

    /// Waits until the module has accepted all data that were written on the present connection.
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
