//! A socket as the crate `futures-io` sees it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_io::{AsyncRead, AsyncWrite};

use super::AsyncSocket;
use crate::modem::transport::Stream;

impl<T: Stream> AsyncRead for AsyncSocket<T> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        Self::poll_read(&self, cx, buf).map_err(io::Error::from)
    }
}

impl<T: Stream> AsyncWrite for AsyncSocket<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Self::poll_write(&mut self, cx, [buf]).map_err(io::Error::from)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Self::poll_write(&mut self, cx, bufs.iter().map(|buf| &**buf)).map_err(io::Error::from)
    }

    /// Waits until the module has accepted all written data.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Self::poll_flush(&mut self, cx).map_err(io::Error::from)
    }

    /// Flushes and ends writes; the socket is closed when its last handle is dropped.
    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Self::poll_shutdown(&mut self, cx).map_err(io::Error::from)
    }
}
