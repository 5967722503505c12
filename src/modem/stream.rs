//! A socket as `std::io` sees it.

use std::io::{self, Read, Write};

use super::Socket;
use super::transport::Stream;

impl<T: Stream> Read for &Socket<T> {
    /// Waits for the first byte; zero once the peer has closed and everything was read.
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        Ok(self.read_waiting(buf)?)
    }
}

impl<T: Stream> Write for &Socket<T> {
    /// Returns when the module has accepted as much of the data as is said: all of it, or less if the write time-out came
    /// before. With nothing accepted by then the error is [`TimedOut`](io::ErrorKind::TimedOut); see
    /// [`Socket::send`] for what was on its way.
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        Ok(self.write_some(buf)?)
    }

    /// Does nothing: every write is handed over at once, as with [`std::net::TcpStream`].
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
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
    fn flush(&mut self) -> io::Result<()> {
        Write::flush(&mut &*self)
    }
}
