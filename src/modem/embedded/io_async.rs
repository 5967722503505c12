//! A socket as the crate `embedded-io-async` sees it.

use std::future::poll_fn;

use embedded_io_async::{ErrorType, Read, Write};

use crate::error::Error;
use crate::modem::AsyncSocket;
use crate::modem::transport::Stream;

impl<T: Stream> ErrorType for AsyncSocket<T> {
    type Error = Error;
}

impl<T: Stream> Read for AsyncSocket<T> {
    /// Dropped before it is ready, it has taken nothing.
    async fn read(&mut self, buf: &mut [u8]) -> Result<usize, Error> {
        poll_fn(|cx| self.poll_read(cx, buf)).await
    }
}

impl<T: Stream> Write for AsyncSocket<T> {
    /// Dropped before it is ready, it has taken nothing.
    async fn write(&mut self, buf: &[u8]) -> Result<usize, Error> {
        poll_fn(|cx| self.poll_write(cx, [buf])).await
    }

    /// Waits until the module has accepted all written data.
    async fn flush(&mut self) -> Result<(), Error> {
        poll_fn(|cx| self.poll_flush(cx)).await
    }
}
