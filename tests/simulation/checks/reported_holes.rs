//! Reports of missing data: an application that lacks bytes of its peer, or has wrong ones, has got a typed error on
//! that socket. Two cases that no driver can detect are excused. One is bytes of a body that were changed but not lost,
//! on the socket of that body. The other is lost pushed data, if all bytes that reached the host have the form of an
//! undamaged module's output.

use air724ug::CloseReason;
use air724ug::Error;
use air724ug::sim::Direction;

use super::Check;
use crate::simulation::facts::{Connection, Facts, Observation, Outcome, Send};
use crate::simulation::payload::RECORD;
use crate::simulation::script::{Far, Wanted};

#[derive(Debug)]
pub struct TypedErrors;

impl Check for TypedErrors {
    fn promise(&self) -> &'static str {
        "reported"
    }

    fn sees(&mut self, facts: &Facts, seen: &Observation<'_>) -> Result<(), String> {
        let Observation::End { got } = seen else { return Ok(()) };
        for (connection, got) in facts.connections.iter().zip(*got) {
            if connection.id.is_none() || connection.hurt.received {
                continue;
            }
            if connection.is_udp() {
                datagrams(facts, connection, got)?;
            } else {
                stream(facts, connection, got)?;
            }
        }
        Ok(())
    }
}

/// Damage that reached an application without an error.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Unseen {
    /// Bytes of payload were changed, and none was lost or added.
    ChangedBytes,
    /// Bytes are missing, or belong elsewhere.
    Hole,
}

/// The worst damage of a run that no error has reported.
pub fn unseen(facts: &Facts, got: &[Vec<u8>]) -> Option<Unseen> {
    let of = |(connection, got): (&Connection, &Vec<u8>)| {
        let is_left = connection.left && connection.ended.is_none();
        if connection.id.is_none()
            || connection.wanted != Wanted::Tcp
            || connection.has_typed_error()
            || is_left
        {
            return None;
        }
        let (said, read) = (said(connection, got), &connection.read);
        let strange = read.iter().zip(&said).filter(|(one, other)| one != other).count();
        match (read.len() == said.len(), strange) {
            (true, 0) => None,
            (true, 1..) if strange <= connection.hurt.changed => Some(Unseen::ChangedBytes),
            (false, 0) if read.len() < said.len() && is_excused(facts, connection, &said) => None,
            (_, _) => Some(Unseen::Hole),
        }
    };
    facts.connections.iter().zip(got).filter_map(of).max()
}

/// The bytes that the peer of a stream has sent.
fn said(connection: &Connection, got: &[u8]) -> Vec<u8> {
    match connection.far {
        Far::Echo => got[..connection.echoed.map_or(got.len(), |count| count.min(got.len()))].to_vec(),
        _ => connection.incoming().bytes(0, connection.pushed_bytes()),
    }
}

fn stream(facts: &Facts, connection: &Connection, got: &[u8]) -> Result<(), String> {
    let said = said(connection, got);
    let (read, number) = (&connection.read, connection.number);
    let strange = read.iter().zip(&said).filter(|(one, other)| one != other).count();
    let is_wrong = strange > connection.hurt.changed || read.len() > said.len();
    let lacks = read.len() < said.len();
    if connection.has_typed_error() || (!is_wrong && !lacks) {
        return Ok(());
    }
    if is_wrong && facts.damaged.is_empty() && !facts.may_cut_bodies {
        return Err(format!("connection {number} has {strange} wrong bytes of {}", read.len()));
    }
    // An application that drops its socket gets no more errors.
    if connection.left && connection.ended.is_none() {
        return Ok(());
    }
    if !is_wrong && is_excused(facts, connection, &said) {
        return Ok(());
    }
    if is_wrong && is_first_fetch(facts, connection, &said) {
        return Ok(());
    }
    let is_stream = connection.wanted == Wanted::Transparent;
    let is_known = facts.script.world.mode == air724ug::ReceiveMode::Push || facts.host_bytes.has_fetched();
    if !is_stream
        && is_known
        && facts.host_bytes.is_sound(connection.received_at_begin, connection.received_at_end)
    {
        return Ok(());
    }
    let at = read.iter().zip(&said).take_while(|(one, other)| one == other).count();
    Err(format!(
        "connection {number} got {:?}, and has {} of {} bytes, the first wrong or missing one at {at}",
        connection.ended,
        read.len(),
        said.len()
    ))
}

/// Whether the missing bytes could not be known.
fn is_excused(facts: &Facts, connection: &Connection, said: &[u8]) -> bool {
    let by_peer = matches!(connection.ended, Some(Error::Closed(CloseReason::Peer)));
    let announced = facts.script.world.mode == air724ug::ReceiveMode::Push;
    // A module prints `CLOSED` for a reset as well, and data under way are then lost.
    let resets =
        connection.peer_reset || connection.may_be_reset || matches!(connection.far, Far::ResetsAfter(_));
    (by_peer && resets)
        // The line that announced the discarded data was lost.
        || (by_peer && !announced && facts.may_lose_lines)
        || connection.may_be_dead
        // The line with the end was lost, and nothing was asked of the connection since. Bytes that have
        // reached the host are no such loss.
        || (facts.may_lose_news && connection.is_gone && connection.ended.is_none() && !has_reached(facts, connection, said))
        // The peer closed before it had answered.
        || (by_peer && connection.far == Far::Echo && connection.peer_left)
        // The data of a stream have no frames, so lost ones are not noticed.
        || (by_peer && connection.wanted == Wanted::Transparent && facts.is_damaged(Direction::ToHost))
}

/// Whether the wrong bytes are the line end after the data of the first fetch. Firmware writes one or two line ends
/// there, and that fetch shows how many.
fn is_first_fetch(facts: &Facts, connection: &Connection, said: &[u8]) -> bool {
    let all: usize = facts.connections.iter().map(|connection| connection.read.len()).sum();
    let read = &connection.read;
    let is_end =
        read.len() == said.len() && read.len() > 1 && read[..read.len() - 2] == said[..read.len() - 2];
    let is_manual = facts.script.world.mode == air724ug::ReceiveMode::Manual;
    is_manual && facts.may_cut_bodies && all == read.len() && is_end && read.ends_with(b"\r\n")
}

/// Whether the first missing bytes have reached the host. Fewer bytes than two records may be those of another
/// connection.
fn has_reached(facts: &Facts, connection: &Connection, said: &[u8]) -> bool {
    let next = said.get(connection.read.len()..).and_then(|missing| missing.get(..2 * RECORD));
    !facts.host_bytes.echoes_sends()
        && next.is_some_and(|next| facts.host_bytes.contains(connection.received_at_begin, next))
}

fn datagrams(facts: &Facts, connection: &Connection, got: &[u8]) -> Result<(), String> {
    if facts.is_damaged(Direction::ToHost) || facts.may_cut_bodies || connection.has_typed_error() {
        return Ok(());
    }
    if connection.far == Far::Echo && (connection.hurt.sent || facts.may_be_deaf) {
        // The peer echoes the bytes that have reached it.
        return come_from(connection, got);
    }
    let sent: Vec<(usize, usize)> = match connection.far {
        Far::Echo => connection.sends.iter().map(|send| (send.from, send.len)).collect(),
        _ => {
            let begins = connection.pushed.iter().scan(0, |end, len| {
                *end += len;
                Some((*end - len, *len))
            });
            begins.collect()
        }
    };
    let payload = if connection.far == Far::Echo { connection.outgoing() } else { connection.incoming() };
    let mut candidates = sent.into_iter();
    let mut rest = connection.read.as_slice();
    for len in &connection.datagrams {
        let (datagram, after) = rest.split_at(*len);
        rest = after;
        // The filler of a datagram without a prompt is a datagram, and is echoed.
        let is_lost = |send: &Send| matches!(send.outcome, Outcome::Unknown(_)) && send.len == *len;
        if datagram.iter().all(|byte| *byte == b'\r') && connection.sends.iter().any(is_lost) {
            continue;
        }
        let is_this = |(from, sent): &(usize, usize)| sent == len && payload.agrees(*from, datagram).is_ok();
        if candidates.by_ref().all(|candidate| !is_this(&candidate)) {
            return Err(format!(
                "connection {} has a datagram of {len} bytes that was not sent",
                connection.number
            ));
        }
    }
    Ok(())
}

/// Whether each datagram is a part of the bytes that the peer received, in their order.
fn come_from(connection: &Connection, got: &[u8]) -> Result<(), String> {
    let (mut rest, mut source) = (connection.read.as_slice(), got);
    for len in &connection.datagrams {
        let (datagram, after) = rest.split_at(*len);
        rest = after;
        let at = (0..=source.len().saturating_sub(*len)).find(|at| source[*at..].starts_with(datagram));
        let Some(at) = at else {
            let number = connection.number;
            return Err(format!(
                "connection {number} has a datagram of {len} bytes that its peer did not have"
            ));
        };
        source = &source[at + len..];
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::payload::Style;

    #[test]
    fn a_datagram_that_the_peer_did_not_receive_is_refused() {
        let mut echo = Connection::new(0, Wanted::Udp, Far::Echo, Style::Records);
        echo.read = b"onetwo".to_vec();
        echo.datagrams = vec![3, 3];
        assert!(come_from(&echo, b"one two").is_ok());
        assert!(come_from(&echo, b"one").is_err());
        assert!(come_from(&echo, b"two one").is_err());
        assert!(come_from(&echo, b"one twO").is_err());
    }
}
