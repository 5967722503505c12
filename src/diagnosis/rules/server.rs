//! The rules for the server.

use std::net::Ipv4Addr;

use crate::at::{ChannelId, ChannelNews, ChannelRow, Line, Urc, bare_address, fields};
use crate::diagnosis::finding::Observation;

use super::super::evidence::{Evidence, Item};
use super::super::finding::Proof;
use super::super::{Code, End, Exchange, Finding, Server};
use super::attempt::{Outcome, is_accepted, is_attempt, outcome};
use super::internet::resolved;

pub(super) fn server(evidence: &Evidence) -> Observation {
    let mut observation = attempted(evidence);
    if let Some(finding) = ended(evidence) {
        observation.shown = Some("closed".into());
        observation.findings.push(finding);
    }
    observation.and(unsent(evidence))
}

/// The finding that the newest status has a closed connection, which the program neither closed nor opened again.
fn ended(evidence: &Evidence) -> Option<Finding> {
    let is_tried = |exchange: &Exchange| is_attempt(exchange) && exchange.end != End::NotShown;
    let newest =
        evidence.exchanges().find(|exchange| is_tried(exchange) || exchange.begins("AT+CIPSTATUS"))?;
    let is_end = |exchange: &&Exchange| exchange.begins("AT+CIPCLOSE") || exchange.begins("AT+CIPSHUT");
    let of_state = |state: &[u8]| {
        let wanted = { evidence.exchanges() }
            .take_while(|exchange| !is_attempt(exchange) || exchange.end == End::NotShown)
            .any(|exchange| is_end(&exchange));
        matches!(state, b"TCP CLOSED" | b"UDP CLOSED") && !wanted
    };
    let is_closed = |line: &&String| match Line::parse(line.as_bytes()) {
        Line::Row(row) => ChannelRow::parse(row).is_some_and(|row| row.state == "CLOSED"),
        Line::Info { key: b"+CIPSTATUS", list } => {
            ChannelRow::parse(list).is_some_and(|row| row.state == "CLOSED")
        }
        Line::State(state) => of_state(state),
        _ => false,
    };
    let rows: Vec<String> = newest.all_lines().filter(is_closed).cloned().collect();
    let proof = Proof::answer(&newest.command, rows.clone());
    let finding =
        Finding::warning(Code::ConnectionClosed, "a connection is closed by the module's own account");
    (!is_attempt(newest) && !rows.is_empty()).then(|| finding.proved_by([proof]))
}

/// The finding that the newest answered send was not accepted.
fn unsent(evidence: &Evidence) -> Option<Finding> {
    let is_send = |exchange: &&Exchange| exchange.is("AT+CIPSEND") || exchange.begins("AT+CIPSEND=");
    let (index, exchange) = evidence.newest(|item| match item {
        Item::Exchange(exchange) => Some(exchange).filter(is_send).filter(|exchange| exchange.is_answered()),
        Item::News { .. } | Item::Trial(_) | Item::Noise(_) => None,
    })?;
    let said = |wanted: ChannelNews| {
        exchange
            .all_lines()
            .any(|line| matches!(Line::parse(line.as_bytes()), Line::Channel { news, .. } if news == wanted))
    };
    let (code, summary) = match () {
        () if said(ChannelNews::Closed) => {
            (Code::ConnectionClosed, "the connection was closed before the data were taken")
        }
        () if exchange.is_refused() && is_closed_before(evidence, index, channel_of_send(exchange)) => {
            (Code::ConnectionClosed, "the connection was closed before the send")
        }
        () if said(ChannelNews::SendFail) => (Code::SendFailed, "the module could not send the data"),
        () if exchange.is_refused() => (Code::SendFailed, "the module refuses to send"),
        () => return None,
    };
    Some(Finding::error(code, summary).proved_by([exchange.proof()]))
}

/// The channel of a send: the first value of two. One value is the length.
fn channel_of_send(exchange: &Exchange) -> Option<ChannelId> {
    let (_, list) = exchange.command.split_once('=')?;
    match &fields(list.as_bytes())[..] {
        [channel, _, ..] => ChannelId::new(channel.number()?),
        _ => None,
    }
}

/// True if the newest line about this connection before this position is that it was closed.
fn is_closed_before(evidence: &Evidence, index: usize, channel: Option<ChannelId>) -> bool {
    let earlier = evidence.items.iter().take(index).rev();
    { earlier }
        .find_map(|item| match item {
            Item::News { urc: Urc::Closed(of), .. } => (*of == channel).then_some(true),
            Item::News { urc: Urc::ConnectOk(of), .. } => (*of == channel).then_some(false),
            Item::Exchange(exchange) if is_accepted(exchange, |of| of == channel) => Some(false),
            Item::Exchange(_) | Item::News { .. } | Item::Trial(_) | Item::Noise(_) => None,
        })
        .unwrap_or(false)
}

/// True if a later line shows that the connection of this attempt exists. `ALREADY CONNECT` does not: the channel may
/// still be in use by an attempt that has failed (protocol section 8).
fn is_connected_after(evidence: &Evidence, index: usize, attempt: &Exchange) -> bool {
    let list = attempt.command.split_once('=').map_or("", |(_, list)| list);
    let channel = fields(list.as_bytes()).first().and_then(|field| ChannelId::new(field.number()?));
    evidence.after(index).any(|item| match item {
        Item::News { urc: Urc::ConnectOk(of), .. } => *of == channel,
        Item::Exchange(exchange) => is_accepted(exchange, |of| of == channel),
        Item::News { .. } | Item::Trial(_) | Item::Noise(_) => false,
    })
}

fn attempted(evidence: &Evidence) -> Observation {
    let attempt = |wanted: fn(&Exchange) -> bool| {
        evidence.newest(move |item| match item {
            Item::Exchange(exchange) if exchange.end == End::NotShown => None,
            Item::Exchange(exchange) => Some(exchange).filter(|one| is_attempt(one) && wanted(one)),
            Item::News { .. } | Item::Trial(_) | Item::Noise(_) => None,
        })
    };
    // A refusal by the module shows less than an answer of the network to another attempt.
    let newest = attempt(|exchange| !exchange.is_refused()).or_else(|| attempt(|_| true));
    let tried = newest.map(|(_, exchange)| exchange);
    let outcome = match newest {
        Some((index, exchange)) if is_connected_after(evidence, index, exchange) => Outcome::Connected,
        Some((_, exchange)) => outcome(exchange),
        None => Outcome::Unknown,
    };
    let server =
        tried.and_then(|exchange| Server::of_command(&exchange.command)).or_else(|| evidence.server.clone());
    let shown =
        server.as_ref().map_or("a server".to_owned(), |server| format!("{}:{}", server.host, server.port));
    let connected = matches!(outcome, Outcome::Connected);
    let private = server.and_then(|server| private(evidence, &server, connected));
    match (outcome, tried) {
        (Outcome::Connected, _) => Observation::fine(format!("{shown} is connected")).and(private),
        (Outcome::Failed { code: Code::TlsOpen, summary }, Some(exchange)) => {
            let finding = Finding::note(Code::TlsOpen, summary).proved_by([exchange.proof()]);
            Observation { shown: None, findings: private.into_iter().chain([finding]).collect() }
        }
        (Outcome::Failed { code, summary }, Some(exchange)) => {
            let finding = Finding::error(code, summary).proved_by([exchange.proof()]);
            let findings = private.into_iter().chain([finding]).collect();
            Observation { shown: Some(format!("{shown} fails")), findings }
        }
        (Outcome::Failed { .. } | Outcome::Unknown, _) => {
            Observation { shown: private.is_some().then_some(shown), findings: private.into_iter().collect() }
        }
    }
}

/// True if the server accepted a plain connection.
pub(super) fn is_reached(evidence: &Evidence, server: &Server) -> bool {
    evidence.exchanges().filter(|exchange| is_attempt(exchange)).any(|exchange| {
        let same = Server::of_command(&exchange.command).is_some_and(|tried| tried.is(server));
        same && matches!(outcome(exchange), Outcome::Connected)
    })
}

/// The guide's warning that the server must be public. A server that was reached counts as public.
fn private(evidence: &Evidence, server: &Server, connected: bool) -> Option<Finding> {
    let own = bare_address(server.host.as_bytes());
    let is_name = own.is_none();
    let addresses = own.map(|address| vec![address]).or_else(|| resolved(evidence))?;
    let address = addresses.into_iter().find(|address| is_private(*address))?;
    let summary = match is_name {
        true => format!("the server's name gives the private address {address}: servers must be public"),
        false => format!("the server's address {address} is private: servers must be public"),
    };
    let proof = Proof::lines([format!("{}:{}", server.host, server.port)]);
    let finding = match connected {
        true => Finding::note(Code::ServerPrivate, format!("{summary}; this one was reached all the same")),
        false => Finding::error(Code::ServerPrivate, summary),
    };
    Some(finding.proved_by([proof]))
}

/// True for addresses that no public network routes (RFC 6890): private, loop-back, link-local, shared by operators,
/// and addresses that belong to no host.
fn is_private(address: Ipv4Addr) -> bool {
    let [a, b, ..] = address.octets();
    let shared = a == 100 && (64..128).contains(&b);
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || shared
        || a == 0
        || address.is_multicast()
        || address.is_broadcast()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_read_from_every_spelling() {
        for command in [
            "AT+CIPSTART=0,\"TCP\",\"example.com\",80",
            "AT+CIPSTART=\"TCP\",example.com,80",
            "at+cipstart=5,tcp,example.com,\"80\"",
        ] {
            let server = Server::of_command(command).unwrap();
            assert_eq!((server.host.as_str(), server.port), ("example.com", 80), "{command}");
        }
        for command in
            ["AT+CIPSTART", "AT+CIPSTART=", "AT+CIPSTART=0,\"TCP\"", "AT+CIPSTART=0,\"TCP\",\"a\",99999"]
        {
            assert!(Server::of_command(command).is_none(), "{command}");
        }
    }

    #[test]
    fn a_private_address_is_one_that_no_public_network_routes() {
        for private in [
            "192.168.1.10",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "100.64.0.1",
            "169.254.1.1",
            "127.0.0.1",
            "0.0.0.0",
        ] {
            assert!(is_private(private.parse().unwrap()), "{private}");
        }
        for public in ["112.125.89.8", "172.32.0.1", "100.128.0.1", "8.8.8.8"] {
            assert!(!is_private(public.parse().unwrap()), "{public}");
        }
    }
}
