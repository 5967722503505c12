//! A modem as the crate `embedded-nal` sees it: calls that never wait, to be called again.

use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use embedded_nal::{AddrType, Dns, TcpClientStack, TcpError, TcpErrorKind, nb};

use super::{first, no_names};
use crate::error::{CloseReason, Error, Result};
use crate::modem::asynchronous::Pending;
use crate::modem::transport::Tcp;
use crate::modem::{AsyncSocket, Connector, Modem, Remote, ToRemote};

/// A TCP socket of [`embedded_nal::TcpClientStack`], which [`Modem`] is. Feature `embedded-nal`.
#[derive(Debug, Default)]
pub struct NalSocket(NalState);

/// The way of a socket to its connection.
#[derive(Debug, Default)]
enum NalState {
    #[default]
    Idle,
    Connecting(Pending, Connector<Tcp>, Remote),
    Open(AsyncSocket<Tcp>),
}

impl TcpError for Error {
    fn kind(&self) -> TcpErrorKind {
        match self {
            Self::Closed(_) | Self::ModemRestarted | Self::PortLost(_) => TcpErrorKind::PipeClosed,
            _ => TcpErrorKind::Other,
        }
    }
}

impl TcpClientStack for Modem {
    type TcpSocket = NalSocket;
    type Error = Error;

    fn socket(&mut self) -> Result<NalSocket> {
        Ok(NalSocket::default())
    }

    /// Begins to connect with the first call, and looks after it with each one that follows.
    fn connect(&mut self, socket: &mut NalSocket, remote: SocketAddr) -> nb::Result<(), Error> {
        if let NalState::Idle = socket.0 {
            let (remote, connector) = (remote.to_remote()?, self.tcp());
            let request = connector.request(&remote)?;
            socket.0 = NalState::Connecting(Pending::ask(self, request), connector, remote);
        }
        let NalState::Connecting(answer, ..) = &mut socket.0 else { return Ok(()) };
        let answer = now(|cx| Pin::new(answer).poll(cx));
        let answer = answer.inspect_err(|error| {
            if matches!(error, nb::Error::Other(_)) {
                socket.0 = NalState::Idle;
            }
        })?;
        if let NalState::Connecting(_, connector, remote) = std::mem::take(&mut socket.0) {
            socket.0 = NalState::Open(connector.connected(answer, remote)?.into());
        }
        Ok(())
    }

    fn send(&mut self, socket: &mut NalSocket, buffer: &[u8]) -> nb::Result<usize, Error> {
        let socket = socket.open()?;
        now(|cx| socket.poll_write(cx, [buffer]))
    }

    /// At the end of the stream the error is [`Error::Closed`].
    fn receive(&mut self, socket: &mut NalSocket, buffer: &mut [u8]) -> nb::Result<usize, Error> {
        let socket = socket.open()?;
        match now(|cx| socket.poll_read(cx, buffer))? {
            0 if !buffer.is_empty() => Err(nb::Error::Other(Error::Closed(CloseReason::Peer))),
            count => Ok(count),
        }
    }

    /// What was sent still goes out. Does not wait.
    fn close(&mut self, socket: NalSocket) -> Result<()> {
        drop(socket);
        Ok(())
    }
}

/// Waits for the module's answer, some seconds at most.
impl Dns for Modem {
    type Error = Error;

    fn get_host_by_name(&mut self, hostname: &str, addr_type: AddrType) -> nb::Result<IpAddr, Error> {
        Ok(first(&self.resolve(hostname)?, &addr_type)?)
    }

    fn get_host_by_address(&mut self, _: IpAddr, _: &mut [u8]) -> nb::Result<usize, Error> {
        Err(nb::Error::Other(no_names()))
    }
}

impl NalSocket {
    fn open(&mut self) -> Result<&mut AsyncSocket<Tcp>> {
        match &mut self.0 {
            NalState::Open(socket) => Ok(socket),
            NalState::Idle | NalState::Connecting(..) => Err(Error::Closed(CloseReason::Local)),
        }
    }
}

/// Polls once. No task is woken: the caller calls again.
fn now<R>(poll: impl FnOnce(&mut Context<'_>) -> Poll<Result<R>>) -> nb::Result<R, Error> {
    match poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => Ok(result?),
        Poll::Pending => Err(nb::Error::WouldBlock),
    }
}
