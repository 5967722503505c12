//! The counters of a modem and of each of its sockets. Counting allocates no memory and writes no commands.

use std::collections::VecDeque;
use std::time::Duration;

use crate::at::Refusal;

use super::histogram::Histogram;
use super::session::{Failure, Finished};
use super::{Event, SocketId};

/// The counters of a modem since its port was opened. No counter decreases.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
#[non_exhaustive]
pub struct Statistics {
    /// Bytes written to the port: commands, payload, questions.
    pub written: u64,
    /// Bytes that came from the port.
    pub read: u64,
    /// Bytes of payload that the module has accepted, of all sockets.
    pub sent: u64,
    /// Bytes of payload that arrived complete and were kept, of all sockets.
    pub received: u64,
    /// Bytes of payload that arrived and were lost, because the window was full or the frame was incomplete.
    pub lost: u64,
    /// Bytes of payload for a channel without a confirmed connection. They were dropped, because they belong to no
    /// socket.
    pub strays: u64,
    /// Bytes that were [queued](crate::Socket::queue) or written and that the module did not accept before the socket
    /// ended, and bytes of datagrams that the module refused or did not confirm.
    pub unsent: u64,
    /// All commands, those of bring-up included, without the questions that separate late answers from new ones.
    pub commands: CommandStatistics,
    /// Questions that separate late answers from new ones. One is asked when the port is opened, after each start,
    /// after a time-out, after each command for a while after that, and after a send that was refused half-way. A high
    /// number is the sign of a line that loses bytes.
    pub resynchronisations: u64,
    /// Lines that were dropped, because they came too late or answered no command.
    pub dropped: u64,
    /// How often the module wrote something that its grammar does not allow.
    pub faults: u64,
    /// Unsolicited lines and headers of the module.
    pub urcs: u64,
    /// How often the module restarted, on request or not.
    pub restarts: u64,
    /// How often the bearer was lost while the module was ready, other than on request.
    pub bearer_losses: u64,
    /// How often the port was lost or closed.
    pub port_losses: u64,
    /// How often a complete round of attempts to wake the module had no answer.
    pub unresponsive: u64,
    /// Connections that were made.
    pub opened: u64,
    /// Connections that failed for any reason, also for want of a free channel.
    pub failed: u64,
    /// Connections that have ended. The number of open ones is [`opened`](Self::opened) minus this.
    pub closed: u64,
    /// The most connections that were open at a time.
    pub max_open: u64,
    /// The most bytes that waited to be read on one socket.
    pub max_unread: u64,
    /// The most bytes that waited to be sent on one socket.
    pub max_queued: u64,
    /// The time from the command to the connection.
    pub connects: Histogram,
}

/// The counters of a socket. No counter decreases, and they are kept after the end of the socket.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
#[non_exhaustive]
pub struct SocketStatistics {
    /// Bytes that the application has sent, written or queued, without those that a timed-out send took back.
    pub given: u64,
    /// Bytes that the peer has acknowledged, as of the last question: when the application
    /// [asked](crate::Socket::unacknowledged), or when the module was full. Zero on UDP and TLS, where the number is
    /// unknown.
    pub acknowledged: u64,
    /// Bytes that the module has accepted.
    pub sent: u64,
    /// The number of pieces; on UDP, of datagrams.
    pub sends: u64,
    /// Bytes that arrived complete and were kept, whether read or not.
    pub received: u64,
    /// The number of pieces; on UDP, of datagrams.
    pub receives: u64,
    /// Bytes that arrived and were lost, because the window was full or the frame was incomplete.
    pub lost: u64,
    /// The number of pieces; on UDP, of datagrams.
    pub losses: u64,
    /// Bytes that were [queued](crate::Socket::queue) and that the module did not accept before the socket ended, and
    /// bytes of datagrams that the module refused or did not confirm.
    pub unsent: u64,
    /// How often the module refused data, because its buffer was full or, the last time, because the connection was
    /// gone.
    pub refusals: u64,
    /// The most bytes that waited to be read.
    pub max_unread: u64,
    /// The most bytes that waited to be sent.
    pub max_queued: u64,
    /// The commands of this connection: open, send, fetch, questions for acknowledgements, close. Without those of a
    /// preparation on another channel.
    pub commands: CommandStatistics,
    /// The time from the command to the connection.
    pub connect: Duration,
}

/// The counters of commands. The number in flight is [`written`](Self::written) minus all others.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
#[non_exhaustive]
pub struct CommandStatistics {
    /// Written.
    pub written: u64,
    /// Answered with success.
    pub answered: u64,
    /// Refused.
    pub refused: u64,
    /// Answered with an answer that was rejected, because it was empty, too long, or may have belonged to an older
    /// command.
    pub doubtful: u64,
    /// Not answered in time.
    pub timed_out: u64,
    /// Abandoned, because the module restarted, or the bearer or the port was lost.
    pub abandoned: u64,
    /// The time from the first byte of a command to its final result code, prompt and payload included.
    pub latency: Histogram,
}

impl CommandStatistics {
    /// The number of commands in flight.
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
    /// The number of [given](Self::given) bytes without an acknowledgement of the peer. The peer may lack at most this
    /// number of bytes, and these are the last ones.
    pub fn unacknowledged(&self) -> u64 {
        self.given.saturating_sub(self.acknowledged)
    }
}

impl Statistics {
    /// Counts an event.
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
            // Accepted data are counted piece by piece, and lines as `Event::Urc`.
            Event::Sent(..) | Event::Line(_) => {}
            Event::Step(_)
            | Event::Ready(_)
            | Event::NotReady(_)
            | Event::PortBack
            | Event::SendPromptKept
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

/// The number of statistics that are kept, the newest ones: 100 KiB. Those of a dropped handle are removed at once, so
/// the limit concerns only applications that keep more handles of closed sockets.
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
