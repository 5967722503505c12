//! The way of a connect request to a channel, and the results of its connection.

use crate::at::{ChannelId, Command, Protocol};
use crate::error::{CloseReason, Error, NotReady};
use crate::proto::Ticket;
use crate::proto::bearer::Sign;
use crate::proto::issuer::Job;
use crate::proto::outbox::Outbox;
use crate::time::Timestamp;

use super::channel::End;
use super::channel_command::ChannelCommand;
use super::link::Link;
use super::opening::{Opening, StrayData};
use super::pending_connect::PendingConnect;
use super::queue::Queue;
use super::security::Security;
use super::window::Window;
use super::{Channels, STALE};

impl Channels {
    /// The next command of a connection that is to be made.
    pub(super) fn opening_command(
        &mut self,
        now: Timestamp,
        id: ChannelId,
        out: &mut Outbox,
    ) -> Option<ChannelCommand> {
        let Link::Wanted(opening) = &self.all[id.index()].link else { return None };
        if opening.security() == Security::Plain && self.tls.is_off() {
            return self.start_command(now, id);
        }
        self.secured_command(now, id, out)
    }

    /// The `AT+CIPSTART` of a prepared connection.
    pub(super) fn start_command(&mut self, now: Timestamp, id: ChannelId) -> Option<ChannelCommand> {
        let channel = self.channel(id);
        let Link::Wanted(opening) = &channel.link else { return None };
        let command = Command::start(id, opening.protocol, &opening.host, opening.port);
        channel.security = opening.security();
        channel.link.started(now);
        channel.may_have_connection();
        channel.pending_connect = Some(PendingConnect::begun(now));
        Some(ChannelCommand { channel: id, job: Job::Start, command, payload: None })
    }

    /// Gives a new connection a free channel, or lets it wait for one that is being released.
    pub(in crate::proto) fn connect(&mut self, now: Timestamp, opening: Opening, out: &mut Outbox) {
        self.queue.0.push_back(opening);
        self.assign(now);
        self.refuse_excess(out);
    }

    /// Refuses the waiting requests that are more than the channels being released, the last ones first.
    fn refuse_excess(&mut self, out: &mut Outbox) {
        let offered = self.all.iter().take(self.offered);
        let released = offered.filter(|channel| channel.is_being_released()).count();
        while self.queue.0.len() > released
            && let Some(last) = self.queue.0.pop_back()
        {
            refuse_connect(last.ticket, Error::NoFreeChannel, out);
        }
    }

    /// Connections on channels that the firmware does not offer wait again or are refused, unless they are begun.
    pub(super) fn withdraw_beyond_offer(&mut self, now: Timestamp, out: &mut Outbox) {
        for channel in self.all.iter_mut().skip(self.offered) {
            if let Some(opening) = channel.link.withdrawn() {
                channel.socket = None;
                self.queue.0.push_back(opening);
            }
        }
        self.assign(now);
        self.refuse_excess(out);
    }

    /// Gives free channels to the waiting requests.
    pub(super) fn assign(&mut self, now: Timestamp) {
        while !self.queue.is_empty() {
            let free = self.all.iter_mut().take(self.offered).filter(|channel| channel.is_free());
            let Some(channel) = free.min_by_key(|channel| (channel.stale_until > now, channel.id)) else {
                return;
            };
            let Some(opening) = self.queue.0.pop_front() else { return };
            channel.occupy(match opening.protocol {
                Protocol::Tcp => Window::stream(self.window),
                Protocol::Udp => Window::datagrams(self.window),
            });
            channel.link.wanted(opening);
        }
    }

    /// Takes the connections that the module does not know yet, so that they can wait while all others end.
    pub(in crate::proto) fn take_waiting(&mut self) -> Queue {
        for channel in &mut self.all {
            if let Some(mut opening) = channel.link.withdrawn() {
                channel.socket = None;
                opening.prepare_again();
                self.queue.0.push_back(opening);
            }
        }
        std::mem::take(&mut self.queue)
    }

    /// Lets these connections wait for a channel again.
    pub(in crate::proto) fn wait_again(&mut self, waiting: Queue) {
        self.queue = waiting;
    }

    /// Refuses every waiting connection.
    pub(super) fn refuse_queued(&mut self, end: &End, out: &mut Outbox) {
        for opening in std::mem::take(&mut self.queue.0) {
            refuse_connect(opening.ticket, end.error(), out);
        }
    }

    /// Ends the requests whose time-out has passed while they waited for a channel.
    pub(super) fn expire_queued(&mut self, now: Timestamp, not_ready: Option<NotReady>, out: &mut Outbox) {
        self.queue.0.retain(|opening| {
            let keep = opening.deadline > now;
            if !keep {
                let error = not_ready.map_or_else(|| opening.late(), Error::NotReady);
                refuse_connect(opening.ticket, error, out);
            }
            keep
        });
    }

    /// A connection could not be made.
    pub(super) fn fail_connect(&mut self, id: ChannelId, opening: Opening, error: Error, out: &mut Outbox) {
        self.channel(id).socket = None;
        refuse_connect(opening.ticket, error, out);
    }

    /// The connection on the channel can't be used. It is made once more, on another channel if one is free. If this
    /// fails as well, the request fails with this error.
    pub(super) fn retry_connect(
        &mut self,
        now: Timestamp,
        id: ChannelId,
        mut opening: Opening,
        error: Error,
        out: &mut Outbox,
    ) {
        // The caller may have cancelled the request.
        if opening.retried || opening.ticket.is_none() {
            self.fail_connect(id, opening, error, out);
            return;
        }
        self.channel(id).socket = None;
        opening.prepare_again();
        // The request is older than the waiting ones, and the channel that it leaves is being released, so it is not
        // refused.
        self.queue.0.push_front(Opening { retried: true, strays: StrayData::None, ..opening });
        self.assign(now);
    }

    /// Cancels the connection of a waiting request.
    pub(in crate::proto) fn cancel_connect(&mut self, now: Timestamp, ticket: Ticket, out: &mut Outbox) {
        let cancelled = || Error::Closed(CloseReason::Local);
        let is_it = |opening: &Opening| opening.ticket == Some(ticket);
        if let Some(at) = self.queue.0.iter().position(is_it) {
            self.queue.0.remove(at);
            return refuse_connect(Some(ticket), cancelled(), out);
        }
        for id in ChannelId::all() {
            if self.channel(id).link.opening().is_some_and(is_it) {
                self.give_up(now, id, cancelled(), out);
            }
        }
    }

    pub(super) fn expire_connect(
        &mut self,
        now: Timestamp,
        id: ChannelId,
        not_ready: Option<NotReady>,
        out: &mut Outbox,
    ) {
        let channel = self.channel(id);
        let due =
            channel.link.opening().is_some_and(|opening| opening.ticket.is_some() && opening.deadline <= now);
        if !due {
            return;
        }
        if channel.link.is_connecting() {
            self.bearer.sign(now, Sign::Weak);
        }
        let channel = self.channel(id);
        let Some(opening) = channel.link.opening() else { return };
        let error = match (&channel.link, not_ready) {
            (Link::Wanted(_), Some(reason)) => Error::NotReady(reason),
            (_, Some(_) | None) => opening.late(),
        };
        self.give_up(now, id, error, out);
    }

    /// No request waits for the connection any more: the module closes what it has of it.
    fn give_up(&mut self, now: Timestamp, id: ChannelId, error: Error, out: &mut Outbox) {
        let channel = self.channel(id);
        let Some(opening) = channel.link.opening().cloned() else { return };
        channel.stale_until = now + STALE;
        channel.link.release();
        self.fail_connect(id, opening, error, out);
    }
}

/// Answers the request for a connection with an error, if it still waits.
pub(super) fn refuse_connect(ticket: Option<Ticket>, error: Error, out: &mut Outbox) {
    if let Some(ticket) = ticket {
        out.count().failed += 1;
        out.answer(ticket, Err(error));
    }
}
