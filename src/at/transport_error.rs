//! `TCP ERROR:<n>` and `UDP ERROR:<n>`: the reasons of the module's IP stack for the end of a connection in transparent
//! mode.
//!
//! The two numberings are those of the page of TCP/UDP error codes of openLuat's AT manual. Only the numbers up to 3
//! are the same.

use super::code_table::{self, Table};
use std::fmt;

/// The number after `TCP ERROR:`.
///
/// ```
/// use air724ug::at::TcpError;
///
/// assert_eq!(TcpError::RESET.to_string(), "14 (remote host has reset the connection)");
/// assert_eq!(TcpError::new(99).to_string(), "99");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TcpError(u32);

impl TcpError {
    /// 5: the network failed.
    pub const NETWORK: Self = Self(5);
    /// 6: no route to the peer.
    pub const UNREACHABLE: Self = Self(6);
    /// 11: the peer refused the connection.
    pub const REJECTED: Self = Self(11);
    /// 12: the peer did not answer in time.
    pub const TIMEOUT: Self = Self(12);
    /// 13: an established connection was aborted.
    pub const ABORTED: Self = Self(13);
    /// 14: the peer reset the connection.
    pub const RESET: Self = Self(14);
    /// 16: the connection no longer exists.
    pub const NOT_CONNECTED: Self = Self(16);

    /// The error with this number, known or unknown.
    pub const fn new(code: u32) -> Self {
        Self(code)
    }

    /// The number as it is on the wire.
    pub const fn code(self) -> u32 {
        self.0
    }

    /// The meaning of the number; `None` if the manual lists no such number.
    pub fn text(self) -> Option<&'static str> {
        code_table::text_of(TCP_CODES, self.0)
    }
}

/// `12 (time out)`, or the number alone when it has no text.
impl fmt::Display for TcpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        code_table::write(f, self.0, self.text())
    }
}

/// The number after `UDP ERROR:`. Its numbering differs from that of [`TcpError`].
///
/// ```
/// use air724ug::at::UdpError;
///
/// assert_eq!(UdpError::UNREACHABLE.to_string(), "8 (remote host is unreachable)");
/// assert_eq!(UdpError::new(99).to_string(), "99");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UdpError(u32);

impl UdpError {
    /// 6: the network failed.
    pub const NETWORK: Self = Self(6);
    /// 7: the peer refused the datagrams.
    pub const REJECTED: Self = Self(7);
    /// 8: no route to the peer.
    pub const UNREACHABLE: Self = Self(8);

    /// The error with this number, known or unknown.
    pub const fn new(code: u32) -> Self {
        Self(code)
    }

    /// The number as it is on the wire.
    pub const fn code(self) -> u32 {
        self.0
    }

    /// The meaning of the number; `None` if the manual lists no such number.
    pub fn text(self) -> Option<&'static str> {
        code_table::text_of(UDP_CODES, self.0)
    }
}

/// `8 (remote host is unreachable)`, or the number alone when it has no text.
impl fmt::Display for UdpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        code_table::write(f, self.0, self.text())
    }
}

// No module prints these texts: they are the manual's English explanations, shortened.
const TCP_CODES: &Table = &[
    (0, "no error"),
    (1, "TCP/IP is idle"),
    (2, "no tsapi"),
    (3, "invalid tsapi"),
    (4, "no buffer"),
    (5, "network error"),
    (6, "remote host is unreachable"),
    (7, "address already in use"),
    (8, "address not available"),
    (9, "buffer too large or too small"),
    (10, "invalid parameter"),
    (11, "remote host has rejected the connection"),
    (12, "time out"),
    (13, "established connection aborted"),
    (14, "remote host has reset the connection"),
    (15, "already connected"),
    (16, "not connected"),
    (17, "shut down"),
    (18, "undefined error"),
];

const UDP_CODES: &Table = &[
    (0, "no error"),
    (1, "TCP/IP is idle"),
    (2, "no tsapi"),
    (3, "invalid tsapi"),
    (4, "callback not registered"),
    (5, "no buffer"),
    (6, "network error"),
    (7, "remote host has rejected the connection"),
    (8, "remote host is unreachable"),
    (9, "address already in use"),
    (10, "address not available"),
    (11, "buffer too large or too small"),
    (12, "invalid parameter"),
    (13, "TCP/IP is busy"),
    (14, "undefined error"),
    (15, "already connected"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_code_is_found_and_nothing_is_listed_twice() {
        code_table::tests::check(TCP_CODES);
        code_table::tests::check(UDP_CODES);
    }

    #[test]
    fn tcp_and_udp_number_the_same_trouble_differently() {
        assert_eq!(TcpError::UNREACHABLE.text(), UdpError::UNREACHABLE.text());
        assert_ne!(TcpError::UNREACHABLE.code(), UdpError::UNREACHABLE.code());
        assert_eq!(TcpError::NETWORK.text(), UdpError::NETWORK.text());
        assert_ne!(TcpError::new(14).text(), UdpError::new(14).text());
    }

    #[test]
    fn the_constants_are_what_their_names_say() {
        assert_eq!(TcpError::REJECTED.to_string(), "11 (remote host has rejected the connection)");
        assert_eq!(TcpError::TIMEOUT.to_string(), "12 (time out)");
        assert_eq!(TcpError::ABORTED.to_string(), "13 (established connection aborted)");
        assert_eq!(TcpError::NOT_CONNECTED.to_string(), "16 (not connected)");
        assert_eq!(UdpError::REJECTED.to_string(), "7 (remote host has rejected the connection)");
    }

    #[test]
    fn the_last_listed_number_has_a_text_and_the_next_has_none() {
        assert!(TcpError::new(18).text().is_some());
        assert_eq!(TcpError::new(19).text(), None);
        assert_eq!(TcpError::new(19).to_string(), "19");
        assert!(UdpError::new(15).text().is_some());
        assert_eq!(UdpError::new(16).text(), None);
        assert_eq!(UdpError::new(16).to_string(), "16");
    }

    #[test]
    fn a_code_is_kept_as_it_is_on_the_wire() {
        for code in [0, 8, 15, 16, u32::MAX] {
            assert_eq!((TcpError::new(code).code(), UdpError::new(code).code()), (code, code));
        }
    }
}
