//! The heartbeats of all sockets.

use crate::at::ChannelId;
use crate::error::{CloseReason, Error};
use crate::proto::outbox::Outbox;
use crate::proto::{Event, Output, Response, SocketId, Ticket};
use crate::time::Timestamp;

use super::Channels;
use super::channel::{End, Send, Socket, too_long};
use super::heartbeat::{Beat, HeartbeatFailure, HeartbeatStatistics, Pulse, SocketHeartbeat};
use super::sends::push;

impl Channels {
    /// Begins, changes or ends the heartbeat of a socket.
    pub(in crate::proto) fn set_heartbeat(
        &mut self,
        now: Timestamp,
        id: SocketId,
        pulse: Option<Pulse>,
    ) -> Result<(), Error> {
        let Some(socket) = self.channel(id.channel).socket_of(id) else {
            return Err(Error::Closed(CloseReason::Local));
        };
        match socket.error() {
            Some(error) => Err(error),
            None => {
                if let Some(pulse) = &pulse {
                    check(pulse, socket)?;
                }
                socket.heartbeat = pulse.map(|pulse| SocketHeartbeat::new(now, pulse));
                Ok(())
            }
        }
    }

    pub(in crate::proto) fn heartbeat_statistics(&mut self, id: SocketId) -> Option<HeartbeatStatistics> {
        Some(self.channel(id.channel).socket_of(id)?.heartbeat.as_ref()?.statistics())
    }

    /// Sends the heartbeats that are due.
    pub(in crate::proto) fn beat(&mut self, now: Timestamp, out: &mut Outbox) {
        for id in ChannelId::all() {
            let channel = self.channel(id);
            let socket_id = channel.socket_id();
            let Some(socket) = channel.open_socket() else { continue };
            let Some(heartbeat) = socket.heartbeat.as_mut().filter(|heartbeat| heartbeat.due_at() <= now)
            else {
                continue;
            };
            if !socket.sends.is_empty() || heartbeat.waits_for_payload() {
                // Data that wait to be sent count as traffic, and so does a payload that the shell is making.
                heartbeat.sent(now);
                continue;
            }
            let before = heartbeat.statistics().missed;
            let beat = heartbeat.beat(now);
            let (missed, count) = (heartbeat.statistics().missed, heartbeat.count());
            match (beat, heartbeat.payload()) {
                (None, _) => self.end(id, End::Closed(CloseReason::HeartbeatLost), out),
                (Some(()), Some(payload)) => {
                    let send = Send::queued(payload.to_vec());
                    heartbeat.spoke(now);
                    push(socket, send, out);
                }
                (Some(()), None) => out.push(Output::Beat(socket_id, count)),
            }
            if missed > before {
                out.event(Event::HeartbeatMissed(socket_id, missed));
            }
        }
    }

    /// Sends the payload of a heartbeat that the shell was asked for.
    pub(in crate::proto) fn beat_with(
        &mut self,
        now: Timestamp,
        id: SocketId,
        ticket: Ticket,
        beat: Beat,
        out: &mut Outbox,
    ) {
        let answer = self.speak(now, id, beat, out);
        out.answer(ticket, answer.map(|()| Response::Done));
    }

    fn speak(
        &mut self,
        now: Timestamp,
        id: SocketId,
        Beat { count, words }: Beat,
        out: &mut Outbox,
    ) -> Result<(), Error> {
        let limit = self.queue_limit;
        let channel = self.channel(id.channel);
        let can_send = channel.link.can_send();
        let Some(socket) = channel.socket_of(id) else { return Err(Error::Closed(CloseReason::Local)) };
        if let Some(error) = socket.error() {
            return Err(error);
        }
        if !can_send {
            return Err(Error::Closed(CloseReason::Peer));
        }
        let room = limit.saturating_sub(socket.queued());
        let carries = words.as_ref().is_none_or(|words| socket.carries(words.len()));
        let Some(heartbeat) = socket
            .heartbeat
            .as_mut()
            .and_then(|heartbeat| heartbeat.payload_came(count).then_some(heartbeat))
        else {
            // The heartbeat was ended or changed meanwhile, or its payload came twice.
            return Ok(());
        };
        let (failure, error) = match words {
            Some(words) if words.is_empty() => return Ok(()),
            None => (HeartbeatFailure::Panicked, Ok(())),
            Some(words) if !carries => {
                (HeartbeatFailure::TooLong { len: words.len() }, Err(too_long("heartbeat")))
            }
            Some(words) if words.len() > room => {
                (HeartbeatFailure::QueueFull { len: words.len(), room }, Err(Error::QueueFull { room }))
            }
            Some(words) => {
                heartbeat.spoke(now);
                push(socket, Send::queued(words), out);
                return Ok(());
            }
        };
        if failure == HeartbeatFailure::Panicked {
            socket.heartbeat = None;
        }
        out.event(Event::HeartbeatFailed(id, failure));
        error
    }

    /// The moment of the next heartbeat of any socket.
    pub(in crate::proto) fn heartbeat_deadline(&self) -> Timestamp {
        let sockets = self.all.iter().filter_map(|channel| channel.socket.as_ref());
        let heartbeats =
            sockets.filter(|socket| socket.end.is_none()).filter_map(|socket| socket.heartbeat.as_ref());
        heartbeats.map(SocketHeartbeat::due_at).min().unwrap_or(Timestamp::MAX)
    }
}

/// Checks the settings of a heartbeat for a socket.
fn check(pulse: &Pulse, socket: &Socket) -> Result<(), Error> {
    let invalid = |why: std::fmt::Arguments<'_>| Err(Error::invalid("heartbeat", why));
    if pulse.every < Pulse::MIN_SPAN {
        return invalid(format_args!("has less than {:?} between its beats", Pulse::MIN_SPAN));
    }
    match &pulse.payload {
        Some(payload) if payload.is_empty() => invalid(format_args!("says nothing")),
        Some(payload) if !socket.carries(payload.len()) => Err(too_long("heartbeat")),
        Some(_) | None => Ok(()),
    }
}
