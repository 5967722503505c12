//! A result of a send is a fact: `Ok` only for what the module has taken, and what the peer got is what was given, in
//! order. Only behind the end of a socket that was told may the peer have carriage returns, which filled up a send whose
//! prompt or result was lost.

use air724ug::proto::Response;

use super::Check;
use crate::simulation::facts::{Connection, Facts, Outcome, Seen, Send, What};
use crate::simulation::script::{Far, Wanted};

#[derive(Debug)]
pub struct Accepted;

impl Check for Accepted {
    fn promise(&self) -> &'static str {
        "accepted"
    }

    fn sees(&mut self, facts: &Facts, seen: &Seen<'_>) -> Result<(), String> {
        match seen {
            Seen::Answered(asked, Ok(Response::Sent { accepted, .. })) => {
                let What::Send { connection, .. } = asked.what else { return Ok(()) };
                taken(&facts.connections[connection], *accepted)
            }
            Seen::End { got } => {
                for (connection, got) in facts.connections.iter().zip(*got) {
                    if connection.id.is_some() && !connection.hurt.sent {
                        at_peer(facts, connection, got)?;
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// A stream has its bytes taken by the port.
fn taken(connection: &Connection, accepted: usize) -> Result<(), String> {
    let told = connection.told_accepted();
    if connection.wanted == Wanted::Transparent || connection.hurt.sent || told <= connection.taken {
        return Ok(());
    }
    Err(format!(
        "connection {} was told that {accepted} bytes were accepted, {told} in all; the module took {}",
        connection.number, connection.taken
    ))
}

fn at_peer(facts: &Facts, connection: &Connection, got: &[u8]) -> Result<(), String> {
    let good = followed(connection, got);
    let rest = &got[good..];
    // A lost datagram is told by its send, and ends nothing.
    let is_told = connection.is_told() || connection.is_udp();
    let is_filled = rest.iter().all(|byte| *byte == b'\r') && (is_told || connection.left);
    // Where what fills up a send can be lost as well, a question may be taken for it.
    let is_filled = is_filled || (facts.may_be_deaf && connection.is_told() && is_made_of_questions(rest));
    let escaped = connection.wanted == Wanted::Transparent && rest.starts_with(b"+++");
    if !rest.is_empty() && !is_filled && !escaped {
        let strange = &rest[..rest.len().min(60)];
        return Err(format!(
            "the peer of connection {} got \"{}\" at {good}, {:?}",
            connection.number,
            strange.escape_ascii(),
            connection.ended
        ));
    }
    let told = connection.told_accepted();
    let is_open = connection.ended.is_none() && !connection.left && !connection.peer_left;
    let reads = !matches!(connection.far, Far::ClosesAfter(_) | Far::ResetsAfter(_));
    if is_open && reads && !connection.is_udp() && !facts.may_stall && got.len() < told {
        return Err(format!(
            "the peer of connection {} has {} of {told} accepted bytes, and the socket is open",
            connection.number,
            got.len()
        ));
    }
    Ok(())
}

/// Whether these are carriage returns, and questions of the driver or pieces of them.
fn is_made_of_questions(rest: &[u8]) -> bool {
    let is_question = |line: &[u8]| {
        line.is_empty()
            || b"AT+CIPQSEND?AT+CIPMODE?AT+CIPMUX?ATQ0ATV1+++AT".windows(line.len()).any(|text| text == line)
    };
    rest.split(|byte| matches!(byte, b'\r' | b'\n')).all(is_question)
}

/// Follows what was given through what the peer got; how many bytes of it agree. Where a send was not taken whole there
/// is more than one place at which the peer may be.
fn followed(connection: &Connection, got: &[u8]) -> usize {
    let given = connection.outgoing().bytes(0, connection.given());
    let mut places = entered(connection, 0);
    for (at, byte) in got.iter().enumerate() {
        let mut next = Vec::with_capacity(places.len());
        let mut matched = false;
        for (number, place) in places {
            let send = &connection.sends[number];
            let end = send.from + send.len;
            if send.outcome == Outcome::Refused || place >= end || given[place] != *byte {
                continue;
            }
            matched = true;
            if place + 1 < end {
                next.push((number, place + 1));
            }
            if place + 1 == end || may_end(connection, send, place + 1 - send.from) {
                next.extend(entered(connection, number + 1));
            }
        }
        if !matched {
            return at;
        }
        next.sort_unstable();
        next.dedup();
        places = next;
    }
    got.len()
}

/// The beginning of a send, and of those behind it if the peer may have nothing of it.
fn entered(connection: &Connection, number: usize) -> Vec<(usize, usize)> {
    let mut places = Vec::new();
    for (number, send) in connection.sends.iter().enumerate().skip(number) {
        places.push((number, send.from));
        if send.len > 0 && !may_end(connection, send, 0) {
            break;
        }
    }
    places
}

/// Whether the peer may have this number of bytes of a send, and then what follows it.
fn may_end(connection: &Connection, send: &Send, had: usize) -> bool {
    match send.outcome {
        // A datagram may be lost, a piece of it can't.
        _ if connection.is_udp() => had == 0,
        Outcome::Accepted(_) => false,
        Outcome::Unknown(least) => had >= least,
        Outcome::Refused => had == 0,
        Outcome::Open => false,
    }
}
