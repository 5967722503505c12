//! `std::io::Read` and `Write` for sockets.

use std::io::{self, IoSlice, Read, Write};

use super::Socket;
use super::transport::Stream;

impl<T: Stream> Read for &Socket<T> {
    /// Waits for the first byte. Zero after the peer has closed and all data were read.
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        Ok(self.read_waiting(buf)?)
    }
}

impl<T: Stream> Write for &Socket<T> {
    /// Accepts as many bytes as there is room for, like a [`TcpStream`](std::net::TcpStream). They are sent later. An
    /// error is returned by the next call, by [`flush`](Write::flush), [`Socket::close`] or [`Socket::take_error`].
    /// [`Socket::send`] returns after the module has accepted the data.
    ///
    /// The first write is sent at once. Data that are written while a send is in flight are sent together, up to 1460
    /// bytes at a time, unless [`set_nodelay`](Socket::set_nodelay) is set. At most 16 KiB wait. Then a write waits for
    /// room, at most for the [write time-out](Socket::set_write_timeout). Its error is that of the system:
    /// [`WouldBlock`](io::ErrorKind::WouldBlock), on Windows [`TimedOut`](io::ErrorKind::TimedOut).
    ///
    /// After the peer has closed, a write accepts data while received data are unread, as a `TcpStream` does until the
    /// peer's reset. So a program that writes before it reads can still read. The data are lost, which the calls above
    /// report.
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        Ok(self.write_waiting([buf])?)
    }

    /// Like [`write`](Write::write), for all buffers together.
    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        Ok(self.write_waiting(bufs.iter().map(|buf| &**buf))?)
    }

    /// Waits until the module has accepted all written data, at most for the [write
    /// time-out](Socket::set_write_timeout).
    fn flush(&mut self) -> io::Result<()> {
        Ok(self.flush_waiting()?)
    }
}

impl<T: Stream> Read for Socket<T> {
    /// As for `&Socket`.
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        (&*self).read(buf)
    }
}

impl<T: Stream> Write for Socket<T> {
    /// As for `&Socket`.
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        (&*self).write(buf)
    }

    /// As for `&Socket`.
    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        (&*self).write_vectored(bufs)
    }

    /// As for `&Socket`.
    fn flush(&mut self) -> io::Result<()> {
        Write::flush(&mut &*self)
    }
}
