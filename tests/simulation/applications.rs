//! Automatic actions of applications: they read data and connect again.

use std::time::Duration;

use air724ug::proto::Request;
use air724ug::{CloseReason, Error};

use super::facts::{Observation, RequestKind};
use super::payload::Style;
use super::rig::Rig;
use super::script::{Act, Far, Wanted};

/// The number of the first connection of applications that connect again.
const FIRST_AGAIN: u16 = 2_000;
/// The number of connection numbers for each of these applications.
const AGAIN_SPAN: u16 = 400;
/// Whether a connection with this number belongs to such an application.
pub fn is_of_an_application(number: u16) -> bool {
    (FIRST_AGAIN..FIRST_AGAIN + 8 * AGAIN_SPAN).contains(&number)
}

/// The most bytes of one read.
const READ: usize = 16 * 1024;

impl Rig {
    /// Reads all data, if the applications read at once. Returns whether there were any.
    pub fn applications(&mut self) -> bool {
        if !self.eager {
            return false;
        }
        let mut any = false;
        for socket in std::mem::take(&mut self.readable) {
            // A socket without an owner was cancelled before it was open.
            let Some(index) = self.facts.of_socket(socket) else { continue };
            while self.read(index, READ) {
                any = true;
            }
        }
        any
    }

    /// Reads from a connection once. Returns whether there were data.
    pub fn read(&mut self, index: usize, most: usize) -> bool {
        let connection = &self.facts.connections[index];
        let Some(id) = connection.id.filter(|_| !connection.left && connection.ended.is_none()) else {
            return false;
        };
        // The rest of a datagram that does not fit into the buffer would be lost, as with `std::net::UdpSocket`.
        let mut buf = vec![0; if connection.is_udp() { READ } else { most }];
        match self.engine.read(self.facts.now, id, &mut buf) {
            Ok(Some(count)) if count > 0 => {
                buf.truncate(count);
                let connection = &mut self.facts.connections[index];
                connection.datagrams.push(count);
                self.note(|| format!("  connection {index} reads {count} bytes"));
                self.sees(&Observation::Read { connection: index, bytes: &buf });
                self.facts.connections[index].read.extend(buf);
                true
            }
            Ok(_) => false,
            Err(error) => {
                self.note(|| format!("  connection {index} ends: {error}"));
                let by_peer = matches!(error, Error::Closed(CloseReason::Peer));
                let channel = self.facts.connections[index].id.filter(|_| by_peer).map(|id| id.channel());
                let received = self.facts.host_bytes.len();
                let line = channel.and_then(|channel| self.facts.host_bytes.closed(channel.index()));
                let connection = &mut self.facts.connections[index];
                connection.ended = Some(error);
                connection.ended_at = Some(self.facts.now);
                connection.received_at_end = Some(line.unwrap_or(received));
                false
            }
        }
    }

    /// Connects the applications that connect again, if their connection has ended.
    pub fn connect_again(&mut self) {
        for app in 0..self.facts.script.world.reconnecting {
            let first = FIRST_AGAIN + app * AGAIN_SPAN;
            let mine = |number: u16| (first..first + AGAIN_SPAN).contains(&number);
            let last = self.facts.connections.iter().rposition(|connection| mine(connection.number));
            let next = match last.map(|index| &self.facts.connections[index]) {
                None => first,
                Some(last)
                    if (last.failed || last.ended.is_some()) && last.number + 1 < first + AGAIN_SPAN =>
                {
                    last.number + 1
                }
                Some(_) => continue,
            };
            if let Some(index) = last {
                self.leave(index, Duration::from_secs(10));
            }
            let timeout = Duration::from_secs(60);
            self.act(&Act::Connect {
                connection: next,
                wanted: Wanted::Tcp,
                far: Far::Pushes,
                style: Style::Records,
                timeout,
            });
        }
    }

    /// The present connection of such an application.
    pub fn connection_of_app(&self, app: u16) -> Option<u16> {
        let first = FIRST_AGAIN + app * AGAIN_SPAN;
        let mine = |number: u16| (first..first + AGAIN_SPAN).contains(&number);
        let last = self.facts.connections.iter().rev().find(|connection| mine(connection.number))?;
        (last.is_in_use() && last.ended.is_none()).then_some(last.number)
    }

    /// Closes the rest of a connection.
    pub fn leave(&mut self, index: usize, timeout: Duration) {
        let connection = &mut self.facts.connections[index];
        if let Some(socket) = connection.id.filter(|_| !connection.left) {
            connection.left = true;
            self.ask(RequestKind::Close { connection: index }, timeout, Request::Close { socket, timeout });
        }
    }
}
