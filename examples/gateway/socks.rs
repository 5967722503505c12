//! SOCKS5 (RFC 1928), with the user name of RFC 1929 as the name of a modem. Every read is limited by its length byte.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::client_end;
use crate::fleet::RefusalKind;

const VERSION: u8 = 5;
const NO_AUTHENTICATION: u8 = 0;
const USER_NAME: u8 = 2;
const NO_METHOD: u8 = 0xff;
const CONNECT: u8 = 1;

/// A connection that a client requests.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SocksRequest {
    /// A name or an address; the module resolves names.
    pub host: String,
    pub port: u16,
}

/// The reason why there is no request, in words. The reply is sent already.
#[derive(Debug)]
pub struct SocksFailure(pub String);

impl From<io::Error> for SocksFailure {
    fn from(error: io::Error) -> Self {
        Self(client_end::in_words(&error))
    }
}

/// Reads the greeting, and the user name if the client sends one. Returns this name, which selects the modem.
pub fn greet(
    stream: &mut (impl Read + Write),
    is_modem: impl Fn(&str) -> bool,
) -> Result<Option<String>, SocksFailure> {
    match byte(stream)? {
        VERSION => {}
        4 => {
            return Err(SocksFailure(
                "SOCKS4 is not spoken here; use SOCKS5 (curl: --socks5-hostname)".to_owned(),
            ));
        }
        b'A'..=b'Z' => return Err(SocksFailure("that is HTTP; its port is the one of --http".to_owned())),
        other => return Err(SocksFailure(format!("no SOCKS5: it begins with byte {other}"))),
    }
    let methods = counted(stream)?;
    if methods.contains(&USER_NAME) {
        stream.write_all(&[VERSION, USER_NAME])?;
        let name = user_name(stream)?;
        let is_known = name.is_empty() || is_modem(&name);
        stream.write_all(&[1, u8::from(!is_known)])?;
        return match is_known {
            true => Ok(Some(name).filter(|name| !name.is_empty())),
            false => Err(SocksFailure(format!("the user name {name:?} is no modem of this gateway"))),
        };
    }
    if methods.contains(&NO_AUTHENTICATION) {
        stream.write_all(&[VERSION, NO_AUTHENTICATION])?;
        return Ok(None);
    }
    stream.write_all(&[VERSION, NO_METHOD])?;
    Err(SocksFailure("the client offers neither no authentication nor a user name".to_owned()))
}

/// Reads the request. A request without support is refused with its reply.
pub fn request(stream: &mut (impl Read + Write)) -> Result<SocksRequest, SocksFailure> {
    let mut head = [0; 4];
    stream.read_exact(&mut head)?;
    let [version, command, _, kind] = head;
    if version != VERSION {
        return Err(SocksFailure(format!("the request is of version {version}")));
    }
    let host = match kind {
        1 => {
            let mut address = [0; 4];
            stream.read_exact(&mut address)?;
            Ipv4Addr::from(address).to_string()
        }
        3 => match String::from_utf8(counted(stream)?) {
            Ok(name) => name,
            Err(_) => return refuse(stream, 1, "the name is no UTF-8"),
        },
        4 => {
            let mut address = [0; 16];
            stream.read_exact(&mut address)?;
            // Sockets for both versions write an IPv4 address so.
            let Some(address) = Ipv6Addr::from(address).to_ipv4_mapped() else {
                let why =
                    "an IPv6 address: the module knows names and IPv4 only (curl: --socks5-hostname, or -4)";
                return refuse(stream, 8, why);
            };
            address.to_string()
        }
        other => return refuse(stream, 8, &format!("an address of kind {other}")),
    };
    let mut port = [0; 2];
    stream.read_exact(&mut port)?;
    match command {
        CONNECT => Ok(SocksRequest { host, port: u16::from_be_bytes(port) }),
        2 => refuse(stream, 7, "BIND: a module takes no connections, the operator's network lets none in"),
        3 => refuse(stream, 7, "UDP ASSOCIATE: this gateway carries TCP only"),
        other => refuse(stream, 7, &format!("command {other}, which SOCKS5 does not have")),
    }
}

/// The reply to a request; 0 is success.
pub fn reply(stream: &mut impl Write, code: u8) -> io::Result<()> {
    stream.write_all(&[VERSION, code, 0, 1, 0, 0, 0, 0, 0, 0])
}

/// The reply for a connection that was not established (RFC 1928 section 6).
pub fn code(kind: RefusalKind) -> u8 {
    match kind {
        RefusalKind::NoSuchModem | RefusalKind::Full | RefusalKind::Left => 1,
        RefusalKind::NotReady => 3,
        RefusalKind::Unresolved => 4,
        RefusalKind::Unreachable => 5,
        RefusalKind::Late => 6,
        RefusalKind::BadAddress => 8,
    }
}

fn refuse<T>(stream: &mut impl Write, code: u8, why: &str) -> Result<T, SocksFailure> {
    reply(stream, code)?;
    Err(SocksFailure(why.to_owned()))
}

/// User name and password; the password is ignored.
fn user_name(stream: &mut impl Read) -> Result<String, SocksFailure> {
    if byte(stream)? != 1 {
        return Err(SocksFailure("the user name is not sent as RFC 1929 says".to_owned()));
    }
    let name = counted(stream)?;
    counted(stream)?;
    Ok(String::from_utf8_lossy(&name).into_owned())
}

fn byte(stream: &mut impl Read) -> io::Result<u8> {
    let mut byte = [0];
    stream.read_exact(&mut byte)?;
    Ok(byte[0])
}

/// A length byte and this number of bytes.
fn counted(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::from(byte(stream)?)];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A client with all bytes that it sends, and the bytes that it receives.
    struct Client<'a>(&'a [u8], Vec<u8>);

    impl Read for Client<'_> {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            self.0.read(buf)
        }
    }

    impl Write for Client<'_> {
        fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
            self.1.write(buf)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The selected modem and the request, or the reason why there is none.
    type Asking = Result<(Option<String>, SocksRequest), String>;

    /// Runs the conversation. Returns its result and the bytes for the client.
    fn converse(said: &[u8]) -> (Asking, Vec<u8>) {
        let mut client = Client(said, Vec::new());
        let result = greet(&mut client, |name| name == "lab")
            .and_then(|modem| Ok((modem, request(&mut client)?)))
            .map_err(|failure| failure.0);
        (result, client.1)
    }

    #[test]
    fn a_name_goes_to_the_module_as_it_is() {
        let (asked, answers) = converse(b"\x05\x02\x00\x01\x05\x01\x00\x03\x0bexample.com\x01\xbb");
        let wanted = SocksRequest { host: "example.com".to_owned(), port: 443 };
        assert_eq!(asked, Ok((None, wanted)));
        assert_eq!(answers, [5, 0]);
    }

    #[test]
    fn an_ipv4_address_in_the_form_of_ipv6_is_one() {
        let (asked, answers) =
            converse(b"\x05\x01\x00\x05\x01\x00\x04\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\x00\x00\x01\x00\x07");
        assert_eq!(asked, Ok((None, SocksRequest { host: "127.0.0.1".to_owned(), port: 7 })));
        assert_eq!(answers, [5, 0]);
    }

    #[test]
    fn a_user_name_is_a_modem() {
        let (asked, answers) =
            converse(b"\x05\x02\x00\x02\x01\x03lab\x01x\x05\x01\x00\x01\x7f\x00\x00\x01\x00\x07");
        let wanted = SocksRequest { host: "127.0.0.1".to_owned(), port: 7 };
        assert_eq!(asked, Ok((Some("lab".to_owned()), wanted)));
        assert_eq!(answers, [5, 2, 1, 0]);
        let (asked, answers) = converse(b"\x05\x01\x02\x01\x05other\x00");
        assert!(asked.unwrap_err().contains("\"other\" is no modem"));
        assert_eq!(answers, [5, 2, 1, 1]);
    }

    #[test]
    fn what_a_module_can_not_do_is_refused_in_words() {
        for (request, code, why) in [
            (&b"\x05\x03\x00\x01\x00\x00\x00\x00\x00\x00"[..], 7, "UDP"),
            (b"\x05\x02\x00\x01\x00\x00\x00\x00\x00\x00", 7, "BIND"),
            (
                b"\x05\x01\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x50",
                8,
                "IPv6",
            ),
            (b"\x05\x01\x00\x09", 8, "kind 9"),
            (b"\x05\x01\x00\x03\x01\xff\x00\x50", 1, "UTF-8"),
        ] {
            let (asked, answers) = converse(&[b"\x05\x01\x00", request].concat());
            assert!(asked.unwrap_err().contains(why), "{why}");
            assert_eq!(answers[..2], [5, 0]);
            assert_eq!(answers[2..4], [5, code], "{why}");
        }
    }

    #[test]
    fn other_protocols_are_named() {
        for (said, why) in
            [(&b"\x04\x01"[..], "SOCKS4"), (b"GET / HTTP/1.0", "--http"), (b"\x16\x03\x01", "byte 22")]
        {
            let (asked, answers) = converse(said);
            assert!(asked.unwrap_err().contains(why), "{why}");
            assert_eq!(answers, [] as [u8; 0]);
        }
    }

    #[test]
    fn every_part_and_every_damaged_byte_of_a_request_is_read_without_harm() {
        let whole = b"\x05\x02\x00\x02\x01\x03lab\x01x\x05\x01\x00\x03\x0bexample.com\x01\xbb";
        for end in 0..whole.len() {
            assert!(converse(&whole[..end]).0.is_err(), "the first {end} bytes");
            for value in 0..=255 {
                let mut damaged = whole.to_vec();
                damaged[end] = value;
                let (_, answers) = converse(&damaged);
                assert!(answers.len() <= 20);
            }
        }
    }
}
