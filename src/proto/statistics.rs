//! The counters of a modem and of each of its sockets. Counting takes no memory and asks the module nothing.

use std::collections::VecDeque;
use std::time::Duration;

use crate::at::Refusal;

use super::histogram::Histogram;
use super::session::{Failure, Finished};
use super::{Event, SocketId};

/// The counters of a modem since its port was opened. Everything only grows.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
#[non_exhaustive]
pub struct Statistics {
    /// Bytes written to the port: commands, payload, questions.
    pub written: u64,
    /// Bytes that came from the port.
    pub read: u64,
    /// Bytes of payload that the module has accepted, of all sockets.
    pub sent: u64,
    /// Bytes of payload that came whole and could be kept, of all sockets.
    pub received: u64,
    /// Bytes of payload that came and were lost: the window was full, or the line has cut them short.
    pub lost: u64,
    /// Bytes of payload that came for a channel whose connection was not confirmed (yet), and were dropped: they are no
    /// socket's.
    pub strays: u64,
    /// Bytes that were [queued](crate::Socket::queue) or written and that the module never took, because the socket ended; and of
    /// datagrams that the module refused or did not confirm.
    pub unsent: u64,
    /// Every command, also those of bring-up, but not the questions that tell old answers from new ones.
    pub commands: CommandStatistics,
    /// Harmless questions that told late answers from new ones. One is asked when the port is opened, after each start, after
    /// a time-out and behind the next commands for a while, and when a send was refused half-way. Many of them mean a line that
    /// loses bytes.
    pub resynchronisations: u64,
    /// Answers that came too late or answered no command, and were dropped; lines.
    pub dropped: u64,
    /// How often the module broke its grammar.
    pub faults: u64,
    /// Lines and headers that the module said unasked.
    pub urcs: u64,
    /// How often the module restarted, asked to or not.
    pub restarts: u64,
    /// How often the bearer was lost while the module was ready, and not because it was asked to.
    pub bearer_losses: u64,
    /// How often the port was lost or closed.
    pub port_losses: u64,
    /// How often everything that can wake a module was tried without an answer.
    pub unresponsive: u64,
    /// Connections that came about.
    pub opened: u64,
    /// Connections that did not, whatever the reason, a full set of channels included.
    pub failed: u64,
    /// Connections that have ended. Open are [`opened`](Self::opened) less these.
    pub closed: u64,
    /// The most connections that were open at a time.
    pub max_open: u64,
    /// The most bytes that waited to be read on one socket.
    pub max_unread: u64,
    /// The most bytes that waited to be sent on one socket.
    pub max_queued: u64,
    /// From the command to the connection that came about.
    pub connects: Histogram,
}

/// The counters of a socket. Everything only grows, and stays when the socket has ended.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
#[non_exhaustive]
pub struct SocketStatistics {
    /// Bytes that the application has given, sent, written or queued, less those that a send whose time was up took back.
    pub given: u64,
    /// Bytes that the peer is known to have acknowledged: as of the last time that the application
    /// [asked](crate::Socket::unacknowledged) or the module was full. Always zero on UDP and TLS, where it is unknown.
    pub acknowledged: u64,
    /// Bytes that the module has accepted.
    pub sent: u64,
    /// The number of pieces; on UDP, of datagrams.
    pub sends: u64,
    /// Bytes that came whole and could be kept, read or not.
    pub received: u64,
    /// The number of pieces; on UDP, of datagrams.
    pub receives: u64,
    /// Bytes that came and were lost: the window was full, or the line has cut them short.
    pub lost: u64,
    /// The number of pieces; on UDP, of datagrams.
    pub losses: u64,
    /// Bytes that were [queued](crate::Socket::queue) and that the module never took, because the socket ended; and of
    /// datagrams that the module refused or did not confirm.
    pub unsent: u64,
    /// How often the module refused to take data: its own buffer was full, or (the last time) the connection was gone.
    pub refusals: u64,
    /// The most bytes that waited to be read.
    pub max_unread: u64,
    /// The most bytes that waited to be sent.
    pub max_queued: u64,
    /// The commands of this connection: to open, send, fetch, ask for acknowledgements, close. Not those that prepared it
    /// on another channel before.
    pub commands: CommandStatistics,
    /// From the command to the connection.
    pub connect: Duration,
}

/// The counters of commands. Under way are [`written`](Self::written) less all others.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
#[non_exhaustive]
pub struct CommandStatistics {
    /// Written.
    pub written: u64,
    /// Answered, and not refused.
    pub answered: u64,
    /// Refused.
    pub refused: u64,
    /// Answered, but the answer was empty, too long, or may have been an older command's, and was not believed.
    pub doubtful: u64,
    /// Not answered in time.
    pub timed_out: u64,
    /// Given up: the module restarted, the bearer or the port was lost.
    pub abandoned: u64,
    /// From the first byte written to the final of the answer, of those with one. What waits for a prompt and a payload
    /// takes that long in all.
    pub latency: Histogram,
}

impl CommandStatistics {
    /// The number of commands that have neither ended nor been given up.
    pub fn under_way(&self) -> u64 {
        let ended = self.answered + self.refused + self.doubtful + self.timed_out + self.abandoned;
        self.written.saturating_sub(ended)
    }

    pub(super) fn finished(&mut self, finished: &Finished) {
        let has_final = match &finished.result {
            Ok(_) => {
                self.answered += 1;
                true
            }
            Err(Failure::Refused(Refusal::Empty | Refusal::Ambiguous | Refusal::TooLong)) => {
                self.doubtful += 1;
                true
            }
            Err(Failure::Refused(_) | Failure::NoPrompt(_)) => {
                self.refused += 1;
                true
            }
            Err(Failure::Timeout) => {
                self.timed_out += 1;
                false
            }
        };
        if let Some(latency) = finished.latency.filter(|_| has_final) {
            self.latency.add(latency);
        }
    }
}

impl SocketStatistics {
    /// The number of [given](Self::given) bytes that the peer is not known to have acknowledged: it may lack as many of the
    /// last ones, and no others.
    pub fn unacknowledged(&self) -> u64 {
        self.given.saturating_sub(self.acknowledged)
    }
}

impl Statistics {
    /// Every event is counted by what it says.
    pub(super) fn event(&mut self, event: &Event) {
        match event {
            Event::Urc(_) => self.urcs += 1,
            Event::Connected(_) => {
                self.opened += 1;
                self.max_open = self.max_open.max(self.opened.saturating_sub(self.closed));
            }
            Event::Closed(..) => self.closed += 1,
            Event::Received(_, len) => self.received += *len as u64,
            Event::Unsent(_, len) => self.unsent += *len as u64,
            Event::Stray(_, len) => self.strays += *len as u64,
            Event::Restarted => self.restarts += 1,
            Event::Unresponsive => self.unresponsive += 1,
            Event::Dropped(_) => self.dropped += 1,
            Event::Fault(_) => self.faults += 1,
            Event::PortLost => self.port_losses += 1,
            // Accepted data are counted piece by piece, and lines by what they say.
            Event::Sent(..) | Event::Line(_) => {}
            Event::Step(_)
            | Event::Ready(_)
            | Event::NotReady(_)
            | Event::PortBack
            | Event::OtherModule { .. } => {}
            Event::HeartbeatMissed(..)
            | Event::HeartbeatFailed(..)
            | Event::Expired(_)
            | Event::CaptureEnded(_)
            | Event::Missed(_) => {}
        }
    }

    pub(super) fn unread(&mut self, of_socket: &mut SocketStatistics, len: usize) {
        of_socket.max_unread = of_socket.max_unread.max(len as u64);
        self.max_unread = self.max_unread.max(of_socket.max_unread);
    }

    pub(super) fn queued(&mut self, of_socket: &mut SocketStatistics, len: usize) {
        of_socket.max_queued = of_socket.max_queued.max(len as u64);
        self.max_queued = self.max_queued.max(of_socket.max_queued);
    }

    pub(super) fn lost(&mut self, of_socket: &mut SocketStatistics, len: usize) {
        of_socket.lost += len as u64;
        of_socket.losses += 1;
        self.lost += len as u64;
    }
}

/// The statistics of sockets that the module has closed and whose handles are not gone yet.
#[derive(Debug, Default)]
pub(super) struct RetiredStatistics {
    sockets: VecDeque<(SocketId, SocketStatistics)>,
}

/// How many are kept, 100 KiB; the newest. A handle that is gone is forgotten at once, so only an application that keeps
/// more handles than that of sockets it has closed misses some.
const MAX_RETIRED: usize = 256;

impl RetiredStatistics {
    pub(super) fn keep(&mut self, socket: SocketId, statistics: SocketStatistics) {
        if self.sockets.len() == MAX_RETIRED {
            self.sockets.pop_front();
        }
        self.sockets.push_back((socket, statistics));
    }

    pub(super) fn of(&self, socket: SocketId) -> Option<&SocketStatistics> {
        self.sockets.iter().find(|(kept, _)| *kept == socket).map(|(_, statistics)| statistics)
    }

    pub(super) fn forget(&mut self, socket: SocketId) {
        self.sockets.retain(|(kept, _)| *kept != socket);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::at::ChannelId;

    #[test]
    fn only_the_newest_of_those_that_are_not_forgotten_are_kept() {
        let id = |generation| SocketId { channel: ChannelId::new(3).unwrap(), generation };
        let mut retired = RetiredStatistics::default();
        for generation in 0..MAX_RETIRED as u32 + 10 {
            let statistics = SocketStatistics { sent: u64::from(generation), ..Default::default() };
            retired.keep(id(generation), statistics);
        }
        assert_eq!(retired.sockets.len(), MAX_RETIRED);
        assert_eq!(retired.of(id(9)), None);
        assert_eq!(retired.of(id(10)).unwrap().sent, 10);
        retired.forget(id(10));
        assert_eq!(retired.of(id(10)), None);
    }
}
