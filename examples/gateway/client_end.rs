//! The end of a client: its connection, or only its sending half. Both begin with the same segment, but this machine
//! can distinguish them for its own programs.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, TcpStream};

/// The reason why the request of a client could not be read.
pub fn in_words(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::UnexpectedEof => "the client went away within its request".to_owned(),
        ErrorKind::WouldBlock | ErrorKind::TimedOut => {
            "the client's request was not complete in time".to_owned()
        }
        _ => format!("the client's request can't be read: {error}"),
    }
}

/// True if a client does not read any more. This is known if it has answered data with a reset, and on Linux for every
/// program on this machine.
pub fn has_closed(client: &TcpStream) -> bool {
    if !matches!(client.take_error(), Ok(None)) {
        return true;
    }
    let (Ok(peer), Ok(own)) = (client.peer_addr(), client.local_addr()) else { return true };
    let table = if peer.ip().to_canonical().is_ipv4() { "/proc/net/tcp" } else { "/proc/net/tcp6" };
    std::fs::read_to_string(table).is_ok_and(|table| is_orphan(&table, peer, own))
}

/// True if the table contains the connection between the two addresses, and no program owns it: its inode is 0.
fn is_orphan(table: &str, here: SocketAddr, there: SocketAddr) -> bool {
    let (here, there) = (column(here), column(there));
    let mut rows = table.lines().map(|row| row.split_whitespace());
    rows.any(|mut row| {
        row.nth(1) == Some(&here)
            && row.next() == Some(&there)
            && row.nth(6).is_some_and(|inode| inode == "0")
    })
}

/// An address in the form of the tables: words of 32 bits in the processor's byte order.
fn column(address: SocketAddr) -> String {
    let octets = match address.ip().to_canonical() {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let words = octets.chunks(4).map(|word| word.try_into().map_or(0, u32::from_ne_bytes));
    let ip: String = words.map(|word| format!("{word:08X}")).collect();
    format!("{ip}:{:04X}", address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:A8CE 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4100 1 0000000000000000 100 0 0 10 0
   1: 0100007F:D2A0 0100007F:0438 05 00000000:00000000 00:00000000 00000000     0        0 4711 1 0000000000000000 20 4 0 10 -1
   2: 0100007F:D2A2 0100007F:0438 05 00000000:00000000 03:00000A3F 00000000     0        0 0 3 0000000000000000
";

    #[test]
    #[cfg(target_endian = "little")]
    fn a_connection_that_no_program_holds_is_found_in_the_table() {
        let orphan =
            |here: &str, there: &str| is_orphan(TABLE, here.parse().unwrap(), there.parse().unwrap());
        assert!(orphan("127.0.0.1:53922", "127.0.0.1:1080"));
        assert!(orphan("[::ffff:127.0.0.1]:53922", "[::ffff:127.0.0.1]:1080"));
        assert!(!orphan("127.0.0.1:53920", "127.0.0.1:1080"), "a program holds it");
        assert!(!orphan("127.0.0.1:53922", "127.0.0.1:1081"), "to another port");
        assert!(!orphan("127.0.0.2:53922", "127.0.0.1:1080"), "of another machine");
        assert_eq!(column("[::1]:80".parse().unwrap()), "00000000000000000000000001000000:0050");
    }
}
