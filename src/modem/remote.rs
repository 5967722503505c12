//! The remote end of a connection: host and port.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};

use crate::error::{Error, Result};
use crate::proto::Quotable;

/// A host name or IPv4 address, and a port from 1 to 65535. [`ToRemote`] makes it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Remote {
    host: String,
    port: u16,
}

impl Remote {
    /// # Errors
    /// [`Error::InvalidInput`] for port 0, an IPv6 address (the manual's `AT+CIPSTART` takes a name or an IPv4
    /// address), and a name that is empty, too long or has characters that can't stand in quotes.
    pub fn new(host: &str, port: u16) -> Result<Self> {
        if port == 0 {
            return Err(Error::invalid("port", "is zero"));
        }
        if host.contains(':') {
            return Err(Error::invalid(
                "host",
                "has a colon: the module takes a name or an IPv4 address, and no IPv6",
            ));
        }
        Quotable::host(host).map_err(|why| Error::invalid("host", why))?;
        Ok(Self { host: host.to_owned(), port })
    }

    /// Name or address.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// 1 to 65535.
    pub fn port(&self) -> u16 {
        self.port
    }
}

/// A value that can be converted to a [`Remote`]: `("example.com", 80)`, `"example.com:80"`, a [`SocketAddr`] of IPv4.
///
/// The trait is like [`std::net::ToSocketAddrs`], but it resolves nothing, because the module resolves names.
pub trait ToRemote {
    /// # Errors
    /// As for [`Remote::new`]; and for a text without a port.
    fn to_remote(&self) -> Result<Remote>;
}

impl ToRemote for Remote {
    fn to_remote(&self) -> Result<Remote> {
        Ok(self.clone())
    }
}

impl ToRemote for (&str, u16) {
    fn to_remote(&self) -> Result<Remote> {
        Remote::new(self.0, self.1)
    }
}

impl ToRemote for (String, u16) {
    fn to_remote(&self) -> Result<Remote> {
        Remote::new(&self.0, self.1)
    }
}

impl ToRemote for (&String, u16) {
    fn to_remote(&self) -> Result<Remote> {
        Remote::new(self.0, self.1)
    }
}

impl ToRemote for (IpAddr, u16) {
    fn to_remote(&self) -> Result<Remote> {
        Remote::new(&self.0.to_string(), self.1)
    }
}

impl ToRemote for (Ipv4Addr, u16) {
    fn to_remote(&self) -> Result<Remote> {
        Remote::new(&self.0.to_string(), self.1)
    }
}

impl ToRemote for str {
    fn to_remote(&self) -> Result<Remote> {
        let no_port = || Error::invalid("remote", "has no port: `host:port` is wanted");
        let (host, port) = self.rsplit_once(':').ok_or_else(no_port)?;
        let port = port.parse().map_err(|_| Error::invalid("port", "is not a number from 1 to 65535"))?;
        Remote::new(host, port)
    }
}

impl ToRemote for String {
    fn to_remote(&self) -> Result<Remote> {
        self.as_str().to_remote()
    }
}

impl ToRemote for SocketAddr {
    fn to_remote(&self) -> Result<Remote> {
        (self.ip(), self.port()).to_remote()
    }
}

impl ToRemote for SocketAddrV4 {
    fn to_remote(&self) -> Result<Remote> {
        (*self.ip(), self.port()).to_remote()
    }
}

impl<T: ToRemote + ?Sized> ToRemote for &T {
    fn to_remote(&self) -> Result<Remote> {
        (**self).to_remote()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(remote: impl ToRemote) -> Option<(String, u16)> {
        remote.to_remote().ok().map(|remote| (remote.host, remote.port))
    }

    #[test]
    fn a_pair_a_text_and_an_address_name_the_same() {
        let wanted = Some(("10.0.0.1".to_owned(), 80));
        let address: SocketAddr = "10.0.0.1:80".parse().unwrap();
        let SocketAddr::V4(v4) = address else { panic!() };
        assert_eq!(of(("10.0.0.1", 80)), wanted);
        assert_eq!(of(("10.0.0.1".to_owned(), 80)), wanted);
        assert_eq!(of("10.0.0.1:80"), wanted);
        assert_eq!(of(String::from("10.0.0.1:80")), wanted);
        assert_eq!(of(address), wanted);
        assert_eq!(of(v4), wanted);
        assert_eq!(of((Ipv4Addr::new(10, 0, 0, 1), 80)), wanted);
        assert_eq!(of((address.ip(), 80)), wanted);
        assert_eq!(of("example.com:65535"), Some(("example.com".to_owned(), 65535)));
    }

    #[test]
    fn what_is_no_host_or_no_port_is_refused() {
        for text in
            ["", "example.com", "example.com:", "example.com:0", "example.com:65536", "example.com:-1", ":80"]
        {
            assert_eq!(of(text), None, "{text}");
        }
        for text in ["a\"b:80", "a b:80", "a\r\nb:80"] {
            assert_eq!(of(text), None, "{text:?}");
        }
        assert_eq!(of(("example.com", 0)), None);
    }

    #[test]
    fn an_ipv6_address_is_invalid_input_in_every_form() {
        let address: SocketAddr = "[::1]:80".parse().unwrap();
        assert!(matches!(address.to_remote(), Err(Error::InvalidInput { .. })));
        for host in ["::1", "[::1]", "2001:db8::1"] {
            assert!(matches!((host, 80).to_remote(), Err(Error::InvalidInput { .. })), "{host}");
        }
        assert!(matches!("[::1]:80".to_remote(), Err(Error::InvalidInput { .. })));
        assert!(
            matches!("::1".to_remote(), Err(Error::InvalidInput { .. })),
            "an address, not host and port"
        );
    }
}
