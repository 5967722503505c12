//! The requests of HTTP clients: `CONNECT`, a request for a URL of another host, and pages of this gateway.

use std::fmt::Write as _;
use std::io::{self, ErrorKind, Read, Write};

use crate::body::RequestBody;
use crate::fleet::RefusalKind;

/// The longest head of a request. Browsers send less than 8 KiB.
pub const MAX_HEAD: usize = 16 * 1024;
/// The most header fields of a request.
const MAX_FIELDS: usize = 100;

/// The request of a client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HttpRequest {
    /// `CONNECT host:port`: a tunnel for bytes in both directions.
    Connect { target: HttpTarget },
    /// `GET http://host/path`: this head goes to the host, with one connection for each request.
    Absolute { target: HttpTarget, head: Vec<u8>, body: RequestBody },
    /// `GET /path` or `HEAD /path`: a page of this gateway, or of another host by the name in `Host`.
    Page { path: String, host: String, is_head: bool },
}

/// The host that a client requests, and the modem.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HttpTarget {
    pub host: String,
    pub port: u16,
    /// The user name of `Proxy-Authorization: Basic`.
    pub modem: Option<String>,
}

/// A request that is refused: the status, and the reason in words.
#[derive(PartialEq, Eq, Debug)]
pub struct HttpRefusal(pub u16, pub String);

/// Reads until the empty line. Returns the head with this line, and the bytes after it. `None`: the client sent
/// nothing.
pub fn read_head(stream: &mut impl Read) -> io::Result<Option<(Vec<u8>, Vec<u8>)>> {
    let (mut bytes, mut buf) = (Vec::new(), [0; 2048]);
    loop {
        let searched = bytes.len().saturating_sub(3);
        match stream.read(&mut buf)? {
            0 if bytes.is_empty() => return Ok(None),
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            count => bytes.extend_from_slice(&buf[..count]),
        }
        if let Some(end) = bytes[searched..].windows(4).position(|four| four == b"\r\n\r\n") {
            let after = bytes.split_off(searched + end + 4);
            return Ok(Some((bytes, after)));
        }
        if bytes.len() > MAX_HEAD {
            return Err(io::Error::new(ErrorKind::InvalidData, "the head is too long"));
        }
    }
}

/// Parses a head.
pub fn parse(head: &[u8]) -> Result<HttpRequest, HttpRefusal> {
    let bad = |why: &str| HttpRefusal(400, why.to_owned());
    let text = std::str::from_utf8(head).map_err(|_| bad("the head is no UTF-8"))?;
    let mut lines = text.trim_end_matches("\r\n").split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(bad("the first line is no request of HTTP/1.1"));
    };
    if !version.starts_with("HTTP/1.")
        || method.is_empty()
        || !method.bytes().all(|byte| byte.is_ascii_uppercase())
        || target.contains(char::is_control)
    {
        return Err(bad("the first line is no request of HTTP/1.1"));
    }
    let fields = fields(lines)?;
    let modem = modem(&fields)?;
    if method == "CONNECT" {
        let (host, port) = authority(target, None)?;
        return Ok(HttpRequest::Connect { target: HttpTarget { host, port, modem } });
    }
    if let Some(url) = target.strip_prefix("http://") {
        let path_at = url.find(['/', '?']).unwrap_or(url.len());
        let (host, port) = authority(&url[..path_at], Some(80))?;
        let head = origin_head(method, &url[path_at..], &url[..path_at], &fields);
        let body = body(&fields)?;
        return Ok(HttpRequest::Absolute { target: HttpTarget { host, port, modem }, head, body });
    }
    match method {
        "GET" | "HEAD" if target.starts_with('/') => {
            let [host] = values(&fields, "Host")[..] else { return Err(bad("a request has one field Host")) };
            let path = target.split('?').next().unwrap_or(target);
            Ok(HttpRequest::Page { path: path.to_owned(), host: host.to_owned(), is_head: method == "HEAD" })
        }
        _ if target.starts_with("https://") => Err(bad("for https:// a client uses CONNECT")),
        "GET" => Err(bad("the target is neither a path nor an http:// URL")),
        _ => Err(HttpRefusal(405, format!("{method} is not for pages of this gateway"))),
    }
}

fn fields<'a>(lines: impl Iterator<Item = &'a str>) -> Result<Vec<(&'a str, &'a str)>, HttpRefusal> {
    let mut fields = Vec::new();
    for line in lines {
        let Some((name, value)) = line.split_once(':') else {
            return Err(HttpRefusal(400, "a header field has no colon".to_owned()));
        };
        if name.is_empty() || name.contains(char::is_whitespace) || value.contains(['\r', '\n', '\0']) {
            return Err(HttpRefusal(400, "a header field can't be read".to_owned()));
        }
        fields.push((name, value.trim()));
    }
    match fields.len() {
        0..=MAX_FIELDS => Ok(fields),
        count => Err(HttpRefusal(431, format!("{count} header fields are too many"))),
    }
}

fn values<'a>(fields: &[(&str, &'a str)], wanted: &str) -> Vec<&'a str> {
    let known = fields.iter().filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
    known.map(|(_, value)| *value).collect()
}

/// The body that the fields announce. Contradicting fields are refused, because the server might see another end than
/// this gateway.
fn body(fields: &[(&str, &str)]) -> Result<RequestBody, HttpRefusal> {
    let number = |text: &str| text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
    let body = match (&values(fields, "Transfer-Encoding")[..], &values(fields, "Content-Length")[..]) {
        ([], []) => Some(RequestBody::Length(0)),
        ([], [length]) => number(length).map(RequestBody::Length),
        ([coding], []) if coding.eq_ignore_ascii_case("chunked") => Some(RequestBody::CHUNKS),
        _ => None,
    };
    body.ok_or_else(|| {
        HttpRefusal(400, "the length of the body is not one Content-Length, or chunked, alone".to_owned())
    })
}

fn authority(text: &str, default: Option<u16>) -> Result<(String, u16), HttpRefusal> {
    let bad = |why: &str| Err(HttpRefusal(400, why.to_owned()));
    if text.contains('@') {
        return bad("a user name in the host, which this gateway does not pass on");
    }
    if text.starts_with('[') {
        return bad("an IPv6 address: the module knows names and IPv4 only");
    }
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().ok()),
        None => (text, default),
    };
    match port {
        _ if host.is_empty() => bad("there is no host"),
        Some(port @ 1..) => Ok((host.to_owned(), port)),
        _ => bad("the port can't be read; it is a number from 1 to 65535"),
    }
}

/// The user name of `Proxy-Authorization: Basic`.
fn modem(fields: &[(&str, &str)]) -> Result<Option<String>, HttpRefusal> {
    let Some((_, value)) = fields.iter().find(|(name, _)| name.eq_ignore_ascii_case("Proxy-Authorization"))
    else {
        return Ok(None);
    };
    let unread =
        || HttpRefusal(407, "Proxy-Authorization is Basic, with the name of a modem as the user".to_owned());
    let (scheme, encoded) = value.split_once(' ').ok_or_else(unread)?;
    let decoded =
        base64(encoded.trim()).filter(|_| scheme.eq_ignore_ascii_case("Basic")).ok_or_else(unread)?;
    let text = String::from_utf8(decoded).map_err(|_| unread())?;
    let name = text.split(':').next().unwrap_or_default();
    Ok(Some(name.to_owned()).filter(|name| !name.is_empty()))
}

/// The same request in the form for the host. Its connection is for this request only, because the next one may be for
/// another host.
fn origin_head(method: &str, path: &str, host: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    const FOR_THE_PROXY: [&str; 7] =
        ["Host", "Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authorization", "TE", "Upgrade"];
    // The server determines the framing of the body, and fields in `Connection` do not change it.
    const FOR_THE_SERVER: [&str; 2] = ["Content-Length", "Transfer-Encoding"];
    let is_named = |name: &str| {
        let options = fields.iter().filter(|(known, _)| known.eq_ignore_ascii_case("Connection"));
        let mut options = options.flat_map(|(_, value)| value.split(','));
        options.any(|option| option.trim().eq_ignore_ascii_case(name))
            && !FOR_THE_SERVER.iter().any(|own| name.eq_ignore_ascii_case(own))
    };
    let slash = if path.starts_with('/') { "" } else { "/" };
    let mut head = format!("{method} {slash}{path} HTTP/1.1\r\nHost: {host}\r\n");
    for (name, value) in fields {
        if !FOR_THE_PROXY.iter().any(|own| name.eq_ignore_ascii_case(own)) && !is_named(name) {
            let _ = write!(head, "{name}: {value}\r\n");
        }
    }
    head.push_str("Connection: close\r\n\r\n");
    head.into_bytes()
}

/// The bytes of Base64 with or without padding; `None` for other text.
fn base64(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for byte in text.trim_end_matches('=').bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(value)) & 0xffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 0xff) as u8);
        }
    }
    Some(bytes)
}

/// The status for a connection that was not established.
pub fn status(kind: RefusalKind) -> u16 {
    match kind {
        RefusalKind::BadAddress => 400,
        RefusalKind::NoSuchModem => 407,
        RefusalKind::Unreachable | RefusalKind::Unresolved => 502,
        RefusalKind::NotReady | RefusalKind::Full => 503,
        RefusalKind::Late | RefusalKind::Left => 504,
    }
}

/// Writes a complete answer, after which the connection ends.
pub fn answer(stream: &mut impl Write, status: u16, kind: &str, body: &str) -> io::Result<()> {
    answer_head(stream, status, kind, body)?;
    stream.write_all(body.as_bytes())
}

/// Writes the head of the answer with this body.
pub fn answer_head(stream: &mut impl Write, status: u16, kind: &str, body: &str) -> io::Result<()> {
    let reason = match status {
        200 => "OK",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        407 => "Proxy Authentication Required",
        421 => "Misdirected Request",
        431 => "Request Header Fields Too Large",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        _ => "Gateway Timeout",
    };
    let challenge = match status {
        405 => "Allow: GET, HEAD\r\n",
        407 => "Proxy-Authenticate: Basic realm=\"the name of a modem\"\r\n",
        _ => "",
    };
    // A page shows text of other programs, so the page must not run or load anything.
    let head = format!(
        "HTTP/1.1 {status} {reason}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n{challenge}\
         Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\nX-Content-Type-Options: nosniff\r\n\
         Cache-Control: no-store\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(host: &str, port: u16, modem: Option<&str>) -> HttpTarget {
        HttpTarget { host: host.to_owned(), port, modem: modem.map(str::to_owned) }
    }

    #[test]
    fn connect_names_a_host_and_perhaps_a_modem() {
        let plain = parse(b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n");
        assert_eq!(plain, Ok(HttpRequest::Connect { target: target("example.com", 443, None) }));
        let named = parse(b"CONNECT example.com:443 HTTP/1.1\r\nproxy-authorization: basic bGFiOng=\r\n\r\n");
        assert_eq!(named, Ok(HttpRequest::Connect { target: target("example.com", 443, Some("lab")) }));
    }

    #[test]
    fn a_url_of_another_host_becomes_a_request_to_it() {
        let head = b"GET http://example.com:8080/a?b HTTP/1.1\r\nHost: other\r\nProxy-Connection: keep-alive\r\nA: b\r\n\r\n";
        let wanted =
            b"GET /a?b HTTP/1.1\r\nHost: example.com:8080\r\nA: b\r\nConnection: close\r\n\r\n".to_vec();
        assert_eq!(
            parse(head),
            Ok(HttpRequest::Absolute {
                target: target("example.com", 8080, None),
                head: wanted,
                body: RequestBody::Length(0)
            })
        );
        let bare = b"GET / HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n".to_vec();
        let parsed = parse(b"GET http://example.com HTTP/1.1\r\n\r\n");
        assert_eq!(
            parsed,
            Ok(HttpRequest::Absolute {
                target: target("example.com", 80, None),
                head: bare,
                body: RequestBody::Length(0)
            })
        );
    }

    #[test]
    fn a_body_has_one_length() {
        let body = |fields: &str| match parse(format!("POST http://a/ HTTP/1.1\r\n{fields}\r\n").as_bytes()) {
            Ok(HttpRequest::Absolute { body, .. }) => Ok(body),
            other => Err(other.map_err(|refusal| refusal.0)),
        };
        assert_eq!(body("content-length: 5\r\n"), Ok(RequestBody::Length(5)));
        assert_eq!(body("Transfer-Encoding: Chunked\r\n"), Ok(RequestBody::CHUNKS));
        for two in [
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            "Content-Length: 5\r\nContent-Length: 6\r\n",
            "Content-Length: +5\r\n",
            "Content-Length: 5, 5\r\n",
            "Content-Length: \r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        ] {
            assert_eq!(body(two), Err(Err(400)), "{two}");
        }
    }

    #[test]
    fn fields_of_one_hop_stay_on_it() {
        let head = b"POST http://a/ HTTP/1.1\r\nConnection: close, X-Hop, content-length\r\nX-Hop: 1\r\nTE: trailers\r\n\
            Content-Length: 2\r\n\r\n";
        let Ok(HttpRequest::Absolute { head, .. }) = parse(head) else { panic!("a request") };
        let wanted = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: close\r\n\r\n";
        assert_eq!(String::from_utf8(head).unwrap(), wanted);
    }

    #[test]
    fn pages_are_paths() {
        let page =
            |is_head| Ok(HttpRequest::Page { path: "/metrics".to_owned(), host: "a:1".to_owned(), is_head });
        assert_eq!(parse(b"GET /metrics?x=1 HTTP/1.1\r\nhost: a:1\r\n\r\n"), page(false));
        assert_eq!(parse(b"HEAD /metrics HTTP/1.1\r\nhost: a:1\r\n\r\n"), page(true));
        for hosts in ["", "Host: localhost\r\nHost: a\r\n"] {
            assert_eq!(parse(format!("GET / HTTP/1.1\r\n{hosts}\r\n").as_bytes()).unwrap_err().0, 400);
        }
        assert_eq!(parse(b"POST / HTTP/1.1\r\n\r\n").unwrap_err().0, 405);
    }

    #[test]
    fn what_can_not_be_read_is_refused() {
        for (head, status) in [
            (&b"\r\n\r\n"[..], 400),
            (b"CONNECT example.com HTTP/1.1\r\n\r\n", 400),
            (b"CONNECT [::1]:80 HTTP/1.1\r\n\r\n", 400),
            (b"CONNECT :80 HTTP/1.1\r\n\r\n", 400),
            (b"CONNECT a:0 HTTP/1.1\r\n\r\n", 400),
            (b"CONNECT a:80 HTTP/2\r\n\r\n", 400),
            (b"connect a:80 HTTP/1.1\r\n\r\n", 400),
            (b"GET http://a@b/ HTTP/1.1\r\n\r\n", 400),
            (b"GET http://a/\nX:y HTTP/1.1\r\n\r\n", 400),
            (b"GET http://a\x1b/ HTTP/1.1\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nA\n: b\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nA: b\nC: d\r\n\r\n", 400),
            (b"CONNECT a:80 HTTP/1.1\r\nProxy-Authorization: Bearer x\r\n\r\n", 407),
            (b"CONNECT a:80 HTTP/1.1\r\nProxy-Authorization: Basic ?\r\n\r\n", 407),
            (b"GET \xff HTTP/1.1\r\n\r\n", 400),
        ] {
            assert_eq!(parse(head).map_err(|refusal| refusal.0), Err(status), "{}", head.escape_ascii());
        }
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(MAX_FIELDS + 1));
        assert_eq!(parse(many.as_bytes()).unwrap_err().0, 431);
    }

    #[test]
    fn a_head_ends_at_the_empty_line_and_is_bounded() {
        let (head, after) = read_head(&mut &b"GET / HTTP/1.1\r\n\r\nmore"[..]).unwrap().unwrap();
        assert_eq!((head.as_slice(), after.as_slice()), (&b"GET / HTTP/1.1\r\n\r\n"[..], &b"more"[..]));
        assert!(read_head(&mut io::empty()).unwrap().is_none());
        assert_eq!(read_head(&mut io::repeat(b'a')).unwrap_err().kind(), ErrorKind::InvalidData);
        assert_eq!(read_head(&mut &b"GET"[..]).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    }

    #[test]
    fn every_damaged_byte_is_read_without_harm() {
        let whole = b"GET http://example.com:80/ HTTP/1.1\r\nProxy-Authorization: Basic bGFiOng=\r\n\r\n";
        for at in 0..whole.len() {
            let _ = parse(&whole[..at]);
            for value in 0..=255 {
                let mut damaged = whole.to_vec();
                damaged[at] = value;
                let _ = parse(&damaged);
            }
        }
    }
}
