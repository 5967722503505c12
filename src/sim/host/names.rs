//! The resolution of names and the connection of sockets, which run in threads because they take time.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use super::report::{Report, Reporter};
use super::sockets;
use crate::sim::link_options::LinkOptions;
use crate::sim::network::{ConnectFailure, Link, NetworkEvent, Protocol, Target};

/// RFC 862.
const ECHO_PORT: u16 = 7;
/// The longest wait of `AT+CIPPING` for one answer (manual: 600 tenths of a second).
const PING_TIMEOUT: Duration = Duration::from_secs(60);

/// The addresses of a host: from the table, from its text, or from the system.
pub(super) fn addresses(table: &BTreeMap<String, IpAddr>, host: &str) -> Vec<IpAddr> {
    if let Some(address) = table.get(host) {
        return vec![*address];
    }
    let found = (host, 0).to_socket_addrs();
    found.map_or_else(|_| Vec::new(), |found| found.map(|address| address.ip()).collect())
}

/// Connects, and reports the result.
pub(super) fn connect(
    reporter: &Reporter,
    link: Link,
    target: &Target,
    options: LinkOptions,
    table: &BTreeMap<String, IpAddr>,
) {
    let peers = addresses(table, &target.host);
    let peers: Vec<_> = peers.into_iter().map(|ip| SocketAddr::new(ip, target.port)).collect();
    let result = match target.protocol {
        Protocol::Tcp => first(&peers, |peer| {
            let stream = sockets::tcp_to(peer, options)?;
            Ok(Report::Stream { link, stream })
        }),
        Protocol::Udp => first(&peers, |peer| {
            let (socket, address) = (sockets::udp_to(peer, options)?, peer.ip());
            Ok(Report::Socket { link, socket, address })
        }),
    };
    let reason = |error: Option<io::Error>| match error {
        None => ConnectFailure::NoSuchHost,
        Some(error) if options.local_port.is_some() && sockets::is_about_the_port(&error) => {
            ConnectFailure::LocalPort
        }
        Some(error) => reason(&error),
    };
    let failed = |error| Report::Event(NetworkEvent::Failed { link, why: reason(error) });
    reporter.say(result.unwrap_or_else(failed));
}

/// The address of a host that answers. An echo request needs privileges that a program seldom has. A host that accepts
/// or refuses a connection to the echo port has answered as well.
pub(super) fn ping(table: &BTreeMap<String, IpAddr>, host: &str) -> Option<IpAddr> {
    let address = addresses(table, host).into_iter().next()?;
    match TcpStream::connect_timeout(&SocketAddr::new(address, ECHO_PORT), PING_TIMEOUT) {
        Ok(_) => Some(address),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Some(address),
        Err(_) => None,
    }
}

/// Tries each address in turn. The error is that of the last one; it is `None` if there is no address.
fn first(
    peers: &[SocketAddr],
    connect: impl Fn(SocketAddr) -> io::Result<Report>,
) -> Result<Report, Option<io::Error>> {
    let mut failure = None;
    for peer in peers {
        match connect(*peer) {
            Ok(report) => return Ok(report),
            Err(error) => failure = Some(error),
        }
    }
    Err(failure)
}

fn reason(error: &io::Error) -> ConnectFailure {
    match error.kind() {
        ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset => ConnectFailure::Refused,
        ErrorKind::TimedOut => ConnectFailure::TimedOut,
        _ => ConnectFailure::Unreachable,
    }
}
