//! Turns: which channel's command is next, and what comes of it.

use crate::at::{ChannelId, CmeError, Command, Refusal, harmless_len};
use crate::config::ReceiveMode;
use crate::error::{CloseReason, Error};
use crate::time::Timestamp;

use super::Response;
use super::channel::{Channel, End};
use super::channels::{Channels, Job, STALE};
use super::exchange::{Failure, Finished};
use super::link::Link;
use super::outbox::Outbox;

/// A command that is to be written for a channel.
#[derive(Debug)]
pub(super) struct Turn {
    pub(super) channel: ChannelId,
    pub(super) command: Command,
    pub(super) payload: Option<Vec<u8>>,
}

impl Channels {
    /// The next command, the channels taking turns: none can keep the others waiting for more than one of its own.
    pub(super) fn next_turn(&mut self, now: Timestamp) -> Option<Turn> {
        for _ in 0..self.all.len() {
            let index = self.turn % self.all.len();
            self.turn = index + 1;
            let manual = self.mode == ReceiveMode::Manual;
            if let Some((job, turn)) = self.all[index].next_turn(now, manual) {
                self.job = Some((turn.channel, job));
                return Some(turn);
            }
        }
        None
    }

    /// The command in flight has ended.
    pub(super) fn finished(&mut self, now: Timestamp, finished: Finished, out: &mut Outbox) {
        let Some((id, job)) = self.job.take() else { return };
        match job {
            Job::Start => self.start_finished(now, id, &finished, out),
            Job::Send => self.send_finished(id, &finished, out),
            Job::Fetch => self.fetch_finished(now, id, &finished, out),
            Job::Close => self.close_finished(now, id, &finished, out),
        }
    }

    fn start_finished(&mut self, now: Timestamp, id: ChannelId, finished: &Finished, out: &mut Outbox) {
        let channel = self.channel(id);
        let failure = match &finished.result {
            Ok(_) => {
                channel.link.accepted();
                if channel.link.opening().is_some_and(|opening| opening.ticket.is_none()) {
                    channel.link.release();
                    channel.stale_until = now + STALE;
                }
                return;
            }
            Err(failure) => *failure,
        };
        let Some(opening) = channel.link.take_opening(Link::Used) else { return };
        match failure {
            Failure::Refused(Refusal::AlreadyConnect) => self.retry_connect(now, id, opening, out),
            Failure::Refused(refusal) => self.fail_connect(id, opening, Error::ConnectFailed(refusal), out),
            Failure::Timeout => {
                channel.stale_until = now + STALE;
                self.fail_connect(id, opening, timeout_of(finished), out);
            }
        }
    }

    fn send_finished(&mut self, id: ChannelId, finished: &Finished, out: &mut Outbox) {
        match &finished.result {
            Ok(_) => {
                let Some(socket) = self.channel(id).open_socket() else { return };
                if std::mem::take(&mut socket.abandoned) {
                    return;
                }
                let Some(send) = socket.sends.front_mut() else { return };
                send.accepted += std::mem::take(&mut send.in_flight);
                if send.accepted == send.data.len()
                    && let Some(send) = socket.sends.pop_front()
                {
                    out.answer(send.ticket, Ok(Response::Sent { accepted: send.accepted, data: send.data }));
                }
            }
            // In place of the prompt: the usual way to learn of a close whose news was lost (protocol section 9).
            Err(Failure::Refused(refusal)) => {
                self.end(id, End::Closed(CloseReason::SendRefused(*refusal)), out);
            }
            Err(Failure::Timeout) => self.end(id, End::Closed(CloseReason::SendUnconfirmed), out),
        }
    }

    fn fetch_finished(&mut self, now: Timestamp, id: ChannelId, finished: &Finished, out: &mut Outbox) {
        let poll = self.poll;
        let channel = self.channel(id);
        let draining = matches!(channel.link, Link::Draining);
        let Some(socket) = channel.open_socket() else { return };
        let had_waiting = socket.waiting;
        match finished.result {
            Ok(_) => socket.poll_at = now + poll,
            Err(
                Failure::Refused(Refusal::Cme(CmeError::OPERATION_NOT_ALLOWED))
                | Failure::Refused(Refusal::Error),
            ) => {
                let reason = match (draining, had_waiting) {
                    (_, true) => CloseReason::PeerWithDataLost,
                    (_, false) => CloseReason::Peer,
                };
                self.end(id, End::Closed(reason), out);
                return;
            }
            // Nothing is known of the data: they are asked for again, later.
            Err(_) => {
                socket.waiting = false;
                socket.poll_at = now + poll;
                return;
            }
        }
        if draining && !socket.waiting {
            self.end(id, End::Closed(CloseReason::Peer), out);
        }
    }

    fn close_finished(&mut self, now: Timestamp, id: ChannelId, finished: &Finished, out: &mut Outbox) {
        let channel = self.channel(id);
        channel.link = match finished.result {
            // A refusal says that there is nothing to close (protocol section 10).
            Ok(_) | Err(Failure::Refused(_)) => Link::Idle,
            Err(Failure::Timeout) => {
                channel.stale_until = now + STALE;
                Link::Used
            }
        };
        self.settle(id, out);
    }

    /// Requests whose time is up are answered; what they began goes on or is undone.
    pub(super) fn expire(
        &mut self,
        now: Timestamp,
        not_ready: Option<crate::error::NotReady>,
        out: &mut Outbox,
    ) {
        for id in ChannelId::all() {
            self.expire_connect(now, id, not_ready, out);
            self.expire_sends(now, id, out);
            let Some(socket) = &mut self.channel(id).socket else { continue };
            socket.closers.retain(|closer| {
                let keep = closer.deadline > now;
                if !keep {
                    out.answer(closer.ticket, Err(timeout("close", closer.timeout)));
                }
                keep
            });
        }
    }

    fn expire_connect(
        &mut self,
        now: Timestamp,
        id: ChannelId,
        not_ready: Option<crate::error::NotReady>,
        out: &mut Outbox,
    ) {
        let channel = self.channel(id);
        let due =
            channel.link.opening().is_some_and(|opening| opening.ticket.is_some() && opening.deadline <= now);
        if !due {
            return;
        }
        channel.stale_until = now + STALE;
        let Some(opening) = channel.link.opening().cloned() else { return };
        let error = match (&channel.link, not_ready) {
            (Link::Wanted(_), Some(reason)) => Error::NotReady(reason),
            _ => timeout("connect", opening.timeout),
        };
        channel.link.release();
        self.fail_connect(id, opening, error, out);
    }

    fn expire_sends(&mut self, now: Timestamp, id: ChannelId, out: &mut Outbox) {
        let Some(socket) = &mut self.channel(id).socket else { return };
        let mut index = 0;
        while index < socket.sends.len() {
            if socket.sends[index].deadline > now {
                index += 1;
                continue;
            }
            let Some(send) = socket.sends.remove(index) else { return };
            let accepted = send.accepted + send.in_flight;
            let answer = match accepted {
                0 => Err(timeout("send", send.timeout)),
                accepted => Ok(Response::Sent { accepted, data: send.data }),
            };
            if send.in_flight > 0 {
                // Its result is still to come, and must not be counted for the next one.
                socket.abandoned = true;
            }
            out.answer(send.ticket, answer);
        }
    }

    /// The earliest moment at which a request of the application, or a poll, is due.
    pub(super) fn deadlines(&self) -> (Timestamp, Timestamp) {
        let mut request = Timestamp::MAX;
        let mut poll = Timestamp::MAX;
        for channel in &self.all {
            if let Some(opening) = channel.link.opening().filter(|opening| opening.ticket.is_some()) {
                request = request.min(opening.deadline);
            }
            let Some(socket) = &channel.socket else { continue };
            poll = poll.min(socket.poll_at);
            request = socket.sends.iter().map(|send| send.deadline).fold(request, Timestamp::min);
            request = socket.closers.iter().map(|closer| closer.deadline).fold(request, Timestamp::min);
        }
        (request, poll)
    }
}

impl Channel {
    fn next_turn(&mut self, now: Timestamp, manual: bool) -> Option<(Job, Turn)> {
        let id = self.id;
        let turn = |command| Turn { channel: id, command, payload: None };
        match &self.link {
            Link::Used => {
                self.link = Link::Closing;
                return Some((Job::Close, turn(Command::close(id))));
            }
            Link::Wanted(opening) => {
                let command = Command::start(id, opening.protocol, &opening.host, opening.port);
                self.link.started();
                return Some((Job::Start, turn(command)));
            }
            Link::Idle | Link::Starting(_) | Link::Connecting(_) | Link::Closing => return None,
            Link::Up | Link::Draining => {}
        }
        let can_send = self.link.can_send();
        let socket = self.socket.as_mut().filter(|socket| socket.end.is_none())?;
        let is_due = manual && (socket.waiting || socket.poll_at <= now);
        let wants_fetch = is_due && socket.window.room() >= Command::MAX_CHUNK;
        let send = socket.sends.front_mut().filter(|_| can_send);
        // One that receives and sends does both in turn.
        match send {
            Some(send) if !(wants_fetch && std::mem::replace(&mut socket.fetch_next, false)) => {
                socket.fetch_next = true;
                let rest = &send.data[send.accepted..];
                let len = harmless_len(rest, Command::MAX_CHUNK);
                send.in_flight = len;
                let payload = Some(rest[..len].to_vec());
                Some((Job::Send, Turn { channel: id, command: Command::send(id, len), payload }))
            }
            _ if wants_fetch => {
                socket.poll_at = Timestamp::MAX;
                Some((Job::Fetch, turn(Command::fetch(id, Command::MAX_CHUNK))))
            }
            _ => None,
        }
    }
}

fn timeout_of(finished: &Finished) -> Error {
    timeout(finished.command.name(), finished.command.timeout())
}

/// A time-out of a command or of a call, by name.
pub(super) fn timeout(name: &str, after: std::time::Duration) -> Error {
    Error::Timeout { command: name.into(), after }
}
