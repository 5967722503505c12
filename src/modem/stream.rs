//! A socket as `std::io` sees it.

use std::io::{self, IoSlice, Read, Write};

use super::Socket;
use super::transport::Stream;

impl<T: Stream> Read for &Socket<T> {
    /// Waits for the first byte; zero once the peer has closed and everything was read.
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        Ok(self.read_waiting(buf)?)
    }
}

impl<T: Stream> Write for &Socket<T> {
    /// Takes as much of the data as there is room for, as a [`TcpStream`](std::net::TcpStream) does: they are on their way then,
    /// and an error comes with the next call, with [`flush`](Write::flush), [`Socket::close`] or [`Socket::take_error`].
    /// [`Socket::send`] returns when the module has the data.
    ///
    /// The first write goes out at once. What is written while a send is under way goes out together, up to 1460 bytes at a time, unless
    /// [`set_nodelay`](Socket::set_nodelay) says otherwise. At most 16 KiB wait; then a write waits for room, at most the
    /// [write time-out](Socket::set_write_timeout), with the error that the system has for that:
    /// [`WouldBlock`](io::ErrorKind::WouldBlock), on Windows [`TimedOut`](io::ErrorKind::TimedOut).
    ///
    /// Once the peer has closed, a write still takes data while something that has come is unread, as one to a `TcpStream`
    /// does until the peer's reset comes: a program that writes before it reads gets to read. They are lost, which the same
    /// calls tell.
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        Ok(self.write_waiting([buf])?)
    }

    /// As [`write`](Write::write), of all the buffers together.
    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        Ok(self.write_waiting(bufs.iter().map(|buf| &**buf))?)
    }

    /// Waits until the module has all that was written before, at most the [write time-out](Socket::set_write_timeout).
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
