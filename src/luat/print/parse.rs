//! The parsing of tag and text as a [`Print`].
//!
//! The words after a tag are separated by a tabulator, which Luatools shows as a blank; both are accepted. A blank
//! that replaces a tabulator can't be distinguished from one inside a word. So fixed words are taken from the front,
//! and from the back if a word in the middle may contain blanks (`table: 0x80a0`).

use super::{CoreId, Endpoint, Failure, Operation, Print, Transport};
use crate::capture::number;

/// The bytes of a send that the library prints (`socket.lua`).
pub(in crate::luat) const SHOWN: u64 = 30;

impl Print {
    /// The print with this tag and this text after it; `None` if it is not from a library of the firmware.
    pub(in crate::luat) fn parse(tag: &[u8], text: &[u8]) -> Option<Self> {
        let Ok(tag) = str::from_utf8(tag) else {
            return is_buffered(tag).then_some(Self::Buffered);
        };
        if tag == "socket.send" {
            let (total, shown) = sending(text)?;
            return Some(Self::Sending { total, shown: shown.to_vec() });
        }
        let text = String::from_utf8_lossy(text);
        let text = text.trim();
        of_socket(tag, text)
            .or_else(|| of_stray(tag, text))
            .or_else(|| of_ril(tag, text))
            .or_else(|| of_link(tag, text))
            .or_else(|| is_buffered(tag.as_bytes()).then_some(Self::Buffered))
    }
}

/// The total and the shown bytes of `total 48 bytes first 30 bytes ...`.
pub(in crate::luat) fn sending(text: &[u8]) -> Option<(u64, &[u8])> {
    let rest = text.strip_prefix(b"total ")?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let total = number(&rest[..digits])?;
    let rest = after(rest[digits..].strip_prefix(b" bytes")?)?.strip_prefix(b"first 30 bytes")?;
    Some((total, after(rest).unwrap_or_default()))
}

fn of_socket(tag: &str, text: &str) -> Option<Print> {
    let mut words = text.split_ascii_whitespace();
    Some(match tag {
        "socket.connect: ip not ready" | "socket:connect: ip not ready" => Print::IpNotReady,
        "socket:connect: core sock conn error" => Print::Refused(endpoint(&mut words)?),
        "socket:connect-coreid,prot,addr,port,cert,timeout" => Print::Connecting {
            id: CoreId::parse(words.next()?)?,
            endpoint: endpoint(&mut words)?,
            timeout: words.next_back().and_then(|word| number(word.as_bytes())),
        },
        "socket:on_response:" => Print::Response {
            id: CoreId::parse(words.next()?)?,
            operation: Operation::parse(words.next()?)?,
            result: words.next().and_then(|word| word.parse().ok()),
        },
        "socket:connect: connect ok" => Print::ConnectOk,
        "socket:connect: connect fail" => Print::ConnectFail(Failure::parse(text)),
        "socket:connect: call exist, cannot connect" => Print::CallInProgress,
        "socket:send" => Print::SendFail(Failure::parse(text.strip_prefix("send fail")?)),
        "socket.recv" => Print::Received { len: number(words.next()?.as_bytes())? },
        "socket recv" if text.starts_with("out of stack") => Print::Overflow,
        "socket.rtos.MSG_SOCK_CLOSE_IND" => Print::ClosedByPeer,
        "socket:sock_close" => Print::Closing(words.next().and_then(CoreId::parse)),
        "socket.socket: socket must be called in coroutine" => Print::NotInCoroutine,
        "socket.socket: too many sockets" => Print::TooManySockets,
        "socket.httpDnsCb" => Print::HttpDns { address: http_dns(text) },
        _ => return None,
    })
}

/// A print about an operation of a socket that does not exist or does not wait.
fn of_stray(tag: &str, text: &str) -> Option<Print> {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let id = words.first().and_then(|word| CoreId::parse(word));
    let operation = words.iter().find_map(|word| Operation::parse(word));
    Some(match tag {
        "response on nil socket" => Print::StrayResponse { id, operation },
        // The older library prints the AT command and the line that answered it.
        "socket: response on nil socket" | "socket: urc on nil socket" | "socket: error urc" => {
            Print::StrayResponse { id: None, operation: None }
        }
        // The socket that waits is first, the one that is answered last.
        "response on invalid wait" => {
            let id = words.last().and_then(|word| CoreId::parse(word)).or(id);
            let operation = words.iter().rev().find_map(|word| Operation::parse(word));
            Print::UnexpectedResponse { id, operation }
        }
        "close ind on nil socket" | "socket: receive on nil socket" => Print::StrayIndication { id },
        _ => {
            let function = tag.strip_prefix("socket.client:")?;
            let reason = text.strip_prefix("error").unwrap_or(text);
            Print::UsedWhenDead { function: function.to_owned(), reason: Failure::parse(reason) }
        }
    })
}

fn of_ril(tag: &str, text: &str) -> Option<Print> {
    let text = text.to_owned();
    Some(match tag {
        "ril.sendat" => Print::Command(text),
        "ril.proatc" => Print::Answer(text),
        "ril.defurc" => Print::Unasked(text),
        "error promot cmd:" => Print::StrayPrompt(text),
        "sys.restart" => Print::Restart(text),
        "poweron reason:" => {
            let (reason, firmware) = text.split_once(char::is_whitespace).unwrap_or((&text, ""));
            let reason = number(reason.as_bytes()).and_then(|reason| u8::try_from(reason).ok());
            Print::PowerOn { reason, firmware: firmware.trim().to_owned() }
        }
        _ => return None,
    })
}

fn of_link(tag: &str, text: &str) -> Option<Print> {
    const STEPS: [&str; 5] =
        ["link.Pdp_Act", "link.pdpCmdCnf", "pdp active", "analysis_cgdcont ", "link.STATE"];
    if tag == "publish IP_READY_IND" {
        return Some(Print::IpReady);
    }
    if tag == "link.cgevurc" {
        let deactivated = text.split_once("DEACT,").map(|(_, rest)| rest.trim_start());
        let deactivated = deactivated.and_then(|rest| {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            u8::try_from(number(&rest.as_bytes()[..digits])?).ok()
        });
        return Some(Print::Bearer { line: text.to_owned(), deactivated });
    }
    STEPS.contains(&tag).then(|| Print::Link { step: tag.trim_end().to_owned(), text: text.to_owned() })
}

/// `-------------------使用缓冲区---------------` in UTF-8 or GBK.
fn is_buffered(tag: &[u8]) -> bool {
    const GBK: &[u8] = b"\xca\xb9\xd3\xc3\xbb\xba\xb3\xe5\xc7\xf8";
    let inner = tag.strip_prefix(b"-----").and_then(|rest| rest.strip_suffix(b"-----"));
    let name = inner.map(|inner| {
        let from = inner.iter().position(|&byte| byte != b'-').unwrap_or(inner.len());
        let to = inner.iter().rposition(|&byte| byte != b'-').map_or(from, |last| last.saturating_add(1));
        &inner[from..to]
    });
    name.is_some_and(|name| name == "使用缓冲区".as_bytes() || name == GBK)
}

fn endpoint<'a>(words: &mut impl Iterator<Item = &'a str>) -> Option<Endpoint> {
    let transport = match words.next()? {
        "TCP" => Transport::Tcp,
        "UDP" => Transport::Udp,
        "TCPSSL" => Transport::Tls,
        _ => return None,
    };
    Some(Endpoint { transport, host: words.next()?.to_owned(), port: words.next()?.to_owned() })
}

/// The address in `true 200 table: 0x80a0 1.2.3.4`.
fn http_dns(text: &str) -> Option<String> {
    let answer = text.strip_prefix("true")?.trim_start().strip_prefix("200")?;
    let address = answer.split_ascii_whitespace().next_back()?;
    let is_address =
        address.contains('.') && address.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    is_address.then(|| address.to_owned())
}

/// The text after one blank or tabulator.
fn after(text: &[u8]) -> Option<&[u8]> {
    text.strip_prefix(b" ").or_else(|| text.strip_prefix(b"\t"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(tag: &str, text: &str) -> Option<Print> {
        Print::parse(tag.as_bytes(), text.as_bytes())
    }

    #[test]
    fn the_endpoint_of_a_connect_is_read_whatever_stands_for_the_certificate() {
        for (text, timeout) in [
            ("2 TCP 121.43.224.154 30019 nil 120", Some(120)),
            ("2\tTCP\t121.43.224.154\t30019\tnil\t120", Some(120)),
            ("2 TCP 121.43.224.154 30019 table: 0x80a1f0 60", Some(60)),
            ("2 TCP 121.43.224.154 30019 nil", None),
        ] {
            let endpoint =
                Endpoint { transport: Transport::Tcp, host: "121.43.224.154".into(), port: "30019".into() };
            let print = Print::Connecting { id: CoreId::new(2), endpoint, timeout };
            assert_eq!(parse("socket:connect-coreid,prot,addr,port,cert,timeout", text), Some(print));
        }
        for text in ["", "2", "2 ICMP a 1 nil 1", "256 TCP a 1 nil 1", "x TCP a 1 nil 1", "2 TCP a"] {
            assert_eq!(parse("socket:connect-coreid,prot,addr,port,cert,timeout", text), None, "{text}");
        }
    }

    #[test]
    fn what_a_send_shows_is_kept_byte_by_byte() {
        let sending = |text: &[u8]| Print::parse(b"socket.send", text);
        let print = |total, shown: &[u8]| Some(Print::Sending { total, shown: shown.to_vec() });
        assert_eq!(sending(b"total 3 bytes first 30 bytes  a "), print(3, b" a "));
        assert_eq!(sending(b"total 2 bytes\tfirst 30 bytes\t\xff\0"), print(2, b"\xff\0"));
        assert_eq!(sending(b"total 0 bytes first 30 bytes"), print(0, b""));
        for text in
            [&b"total  bytes first 30 bytes x"[..], b"total 9999999999999999 bytes first 30 bytes", b""]
        {
            assert_eq!(sending(text), None, "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn failures_and_strays_say_what_they_can() {
        assert_eq!(parse("socket:send", "send fail TIMEOUT"), Some(Print::SendFail(Failure::Timeout)));
        assert_eq!(parse("socket:send", "send ok"), None);
        let dead = |reason| Some(Print::UsedWhenDead { function: "recv".into(), reason });
        assert_eq!(parse("socket.client:recv", "error CLOSED"), dead(Failure::Closed));
        assert_eq!(parse("socket.client:recv", "closed"), dead(Failure::Closed));
        assert_eq!(parse("socket.client:recv", "error"), dead(Failure::Other));
        let id = Some(CoreId::new(1));
        let operation = Some(Operation::Send);
        let unexpected = Some(Print::UnexpectedResponse { id, operation });
        assert_eq!(parse("response on invalid wait", "3 +RECEIVE SOCKET_SEND 1"), unexpected);
        assert_eq!(parse("response on invalid wait", "3  SOCKET_SEND 1"), unexpected);
        assert_eq!(parse("response on invalid wait", "3 SOCKET_CONNECT SOCKET_SEND 1"), unexpected);
    }

    #[test]
    fn bearers_and_answers_over_http_are_read() {
        let bearer = |line: &str| match parse("link.cgevurc", line) {
            Some(Print::Bearer { deactivated, .. }) => deactivated,
            other => panic!("{other:?}"),
        };
        assert_eq!(bearer("*CGEV: DEACT,5,\"IP\""), Some(5));
        assert_eq!(bearer("*CGEV: ACT,5"), None);
        assert_eq!(bearer("*CGEV: DEACT,x"), None);
        let address = |text| match parse("socket.httpDnsCb", text) {
            Some(Print::HttpDns { address }) => address,
            other => panic!("{other:?}"),
        };
        assert_eq!(address("true 200 table: 0x80 1.2.3.4"), Some("1.2.3.4".into()));
        for text in ["true 200 table: 0x80", "true 404 table: 0x80 1.2.3.4", "false 1.2.3.4", ""] {
            assert_eq!(address(text), None, "{text}");
        }
    }

    #[test]
    fn what_no_library_prints_is_none() {
        for tag in ["", "app", "socket", "socket:connect: connect ok!", "-----x-----", "----------"] {
            assert_eq!(parse(tag, "0 SOCKET_SEND 0"), None, "{tag}");
        }
    }
}
