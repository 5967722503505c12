//! Sockets with the options of the modem: a local port and keep-alive.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use crate::sim::link_options::{KeepAlive, LinkOptions};

/// The system's time-out of a connect; the modem's own is 75 s and comes first.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(120);

/// A TCP connection to a peer.
pub(super) fn tcp_to(peer: SocketAddr, options: LinkOptions) -> io::Result<TcpStream> {
    let stream = match options.local_port {
        None => TcpStream::connect_timeout(&peer, CONNECT_TIMEOUT)?,
        Some(port) => bound::tcp_to(peer, own_address(peer, port))?,
    };
    if let Some(keep_alive) = options.keep_alive {
        bound::keep_alive(&stream, keep_alive)?;
    }
    Ok(stream)
}

/// A UDP socket with one peer.
pub(super) fn udp_to(peer: SocketAddr, options: LinkOptions) -> io::Result<UdpSocket> {
    let socket = match options.local_port {
        None => UdpSocket::bind(own_address(peer, 0))?,
        Some(port) => bound::udp(own_address(peer, port))?,
    };
    // The connect sets the local address of the socket.
    socket.connect(peer)?;
    Ok(socket)
}

/// The unspecified address of the peer's family.
fn own_address(peer: SocketAddr, port: u16) -> SocketAddr {
    match peer {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, port).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, port).into(),
    }
}

/// True if the requested local port is the reason.
pub(super) fn is_about_the_port(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::AddrInUse
            | ErrorKind::AddrNotAvailable
            | ErrorKind::PermissionDenied
            | ErrorKind::Unsupported
    )
}

#[cfg(unix)]
mod bound {
    use rustix::io::{FdFlags, fcntl_setfd};
    use rustix::net::{AddressFamily, SocketType, sockopt};

    use super::{CONNECT_TIMEOUT, KeepAlive, SocketAddr, TcpStream, UdpSocket, io};

    /// A socket with a local address. A port whose last connection is in TIME-WAIT is free, as it is on a module.
    fn socket(own: SocketAddr, kind: SocketType) -> io::Result<rustix::fd::OwnedFd> {
        let family = if own.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let socket = rustix::net::socket(family, kind, None)?;
        fcntl_setfd(&socket, FdFlags::CLOEXEC)?;
        sockopt::set_socket_reuseaddr(&socket, true)?;
        rustix::net::bind(&socket, &own)?;
        Ok(socket)
    }

    pub(super) fn tcp_to(peer: SocketAddr, own: SocketAddr) -> io::Result<TcpStream> {
        let socket = socket(own, SocketType::STREAM)?;
        // It also limits a connect; the link sets its own later.
        sockopt::set_socket_timeout(&socket, sockopt::Timeout::Send, Some(CONNECT_TIMEOUT))?;
        rustix::net::connect(&socket, &peer)?;
        Ok(socket.into())
    }

    pub(super) fn udp(own: SocketAddr) -> io::Result<UdpSocket> {
        Ok(socket(own, SocketType::DGRAM)?.into())
    }

    pub(super) fn keep_alive(stream: &TcpStream, wanted: KeepAlive) -> io::Result<()> {
        sockopt::set_tcp_keepidle(stream, wanted.idle)?;
        sockopt::set_tcp_keepintvl(stream, wanted.interval)?;
        sockopt::set_tcp_keepcnt(stream, wanted.count)?;
        Ok(sockopt::set_socket_keepalive(stream, true)?)
    }
}

/// Without `rustix` a UDP port can be set, but no TCP port and no keep-alive.
#[cfg(not(unix))]
mod bound {
    use super::{ErrorKind, KeepAlive, SocketAddr, TcpStream, UdpSocket, io};

    pub(super) fn tcp_to(_: SocketAddr, _: SocketAddr) -> io::Result<TcpStream> {
        Err(ErrorKind::Unsupported.into())
    }

    pub(super) fn udp(own: SocketAddr) -> io::Result<UdpSocket> {
        UdpSocket::bind(own)
    }

    pub(super) fn keep_alive(_: &TcpStream, _: KeepAlive) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::net::TcpListener;

    use rustix::net::sockopt;

    use super::*;

    #[test]
    fn keep_alive_is_set_as_it_was_asked_for() -> io::Result<()> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let (idle, interval) = (Duration::from_secs(60), Duration::from_secs(30));
        let keep_alive = Some(KeepAlive { idle, interval, count: 3 });
        let stream = tcp_to(listener.local_addr()?, LinkOptions { local_port: None, keep_alive })?;
        assert!(sockopt::socket_keepalive(&stream)?);
        assert_eq!(sockopt::tcp_keepidle(&stream)?, idle);
        assert_eq!(sockopt::tcp_keepintvl(&stream)?, interval);
        assert_eq!(sockopt::tcp_keepcnt(&stream)?, 3);
        let stream = tcp_to(listener.local_addr()?, LinkOptions::default())?;
        assert!(!sockopt::socket_keepalive(&stream)?, "off unless it was asked for");
        Ok(())
    }
}
