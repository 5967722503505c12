//! A socket as the crate `embedded-io` sees it.

use std::io;

use embedded_io::{ErrorKind, ErrorType, Read, ReadReady, Write};

use crate::error::Error;
use crate::modem::Socket;
use crate::modem::transport::Stream;

/// As its [`io::ErrorKind`], but a time-out is [`ErrorKind::TimedOut`] on every system.
impl embedded_io::Error for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Timeout { .. } => ErrorKind::TimedOut,
            other => match Error::kind(other) {
                io::ErrorKind::WouldBlock => ErrorKind::Other,
                kind => kind.into(),
            },
        }
    }
}

impl<T: Stream> ErrorType for Socket<T> {
    type Error = Error;
}

impl<T: Stream> Read for Socket<T> {
    /// As [`std::io::Read::read`] of a socket.
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, Error> {
        self.read_waiting(buf)
    }
}

impl<T: Stream> Write for Socket<T> {
    /// As [`std::io::Write::write`] of a socket.
    fn write(&mut self, buf: &[u8]) -> Result<usize, Error> {
        self.write_waiting([buf])
    }

    /// As [`std::io::Write::flush`] of a socket.
    fn flush(&mut self) -> Result<(), Error> {
        self.flush_waiting()
    }
}

impl<T: Stream> ReadReady for Socket<T> {
    fn read_ready(&mut self) -> Result<bool, Error> {
        let id = self.socket_id();
        Ok(self.modem().driver.with_engine(|engine, _| engine.readable(id)) != (0, false))
    }
}
