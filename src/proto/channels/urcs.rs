//! Unsolicited lines about connections.

// Numbers from outside can have any value: arithmetic must not overflow, and casts must not truncate.
#![cfg_attr(
    not(test),
    deny(clippy::arithmetic_side_effects, clippy::cast_possible_truncation, clippy::string_slice)
)]

use crate::at::{ChannelId, ChannelNews, IpStatus, Refusal};
use crate::config::ReceiveMode;
use crate::error::{CloseReason, Error};
use crate::proto::bearer::Sign;
use crate::proto::outbox::Outbox;
use crate::proto::{Event, Response};
use crate::time::Timestamp;

use super::Channels;
use super::channel::{Channel, Doubt, End};
use super::link::Link;
use super::opening::StrayData;
use super::question_pace::QUESTION_PAUSE;

/// The number of questions about a doubtful line after which it is accepted. A module that never answers can't settle
/// the doubt.
const MAX_CHECKS: u32 = 3;

impl Channels {
    /// An unsolicited line about a channel.
    pub(in crate::proto) fn news(
        &mut self,
        now: Timestamp,
        id: ChannelId,
        news: ChannelNews,
        out: &mut Outbox,
    ) {
        if news.settles_connection() {
            self.making_settled(now, id);
        }
        let channel = self.channel(id);
        // The end of a connection that is not made yet belongs to an earlier one, or is the way in which some firmware
        // reports a failure.
        let is_odd = channel.link.is_connecting() && news.ends();
        if is_odd || (channel.may_be_late(now, news) && channel.link.is_changed_by(news)) {
            channel.doubt = Some(Doubt::News(news));
            return;
        }
        self.believe(now, id, news, out);
    }

    /// A line about a channel that may be text of people.
    pub(in crate::proto) fn doubt(&mut self, id: ChannelId, news: ChannelNews) {
        let channel = self.channel(id);
        if channel.link.is_changed_by(news) {
            channel.doubt = Some(Doubt::Suspicion(news));
        }
    }

    /// True if a channel waits for its `AT+CIPCLOSE`. The close has precedence over a question about the bearer, so
    /// that a cancelled connection is closed even if the port is lost next.
    pub(in crate::proto) fn has_to_close(&self, now: Timestamp) -> bool {
        self.all.iter().any(|channel| {
            let is_due = channel.close_at <= now && !channel.has_refused_close();
            matches!(channel.link, Link::Used) && is_due
        })
    }

    /// True if the module must be asked for the state of its channels.
    pub(in crate::proto) fn has_doubt(&self, now: Timestamp) -> bool {
        self.all.iter().any(|channel| match channel.doubt {
            Some(Doubt::Suspicion(_)) => now >= self.suspicion_at,
            Some(Doubt::News(_) | Doubt::Standing) => now >= channel.question_pace.due_at(),
            Some(Doubt::RefusedClose(_)) => true,
            None => false,
        })
    }

    /// The end of the pause before the next question about a line. `None` if no line is in doubt.
    pub(super) fn question_deadline(&self) -> Option<Timestamp> {
        let question_at = |channel: &Channel| match channel.doubt {
            Some(Doubt::Suspicion(_)) => Some(self.suspicion_at),
            Some(Doubt::News(_) | Doubt::Standing) => Some(channel.question_pace.due_at()),
            Some(Doubt::RefusedClose(_)) | None => None,
        };
        self.all.iter().filter_map(question_at).min()
    }

    /// The question for the state of the channels is written.
    pub(in crate::proto) fn ask_status(&mut self, now: Timestamp) {
        self.question = self.question.wrapping_add(1);
        for channel in &mut self.all {
            match channel.doubt {
                Some(Doubt::Suspicion(_)) => self.suspicion_at = now + QUESTION_PAUSE,
                Some(Doubt::News(_) | Doubt::Standing) => channel.question_pace.asked(now),
                Some(Doubt::RefusedClose(_)) | None => {}
            }
            channel.asked = channel.doubt.take();
        }
    }

    /// The module has reported the state of its channels; `None` if the question failed.
    pub(in crate::proto) fn checked(&mut self, now: Timestamp, status: Option<&IpStatus>, out: &mut Outbox) {
        let rows = status.map(|status| status.rows.as_slice()).unwrap_or_default();
        let has_row = |id: ChannelId| rows.iter().any(|row| row.channel == id);
        if self.all.iter().any(|channel| channel.asked.is_some() && !has_row(channel.id)) {
            self.checks = self.checks.saturating_add(1);
            if self.checks < MAX_CHECKS {
                for channel in self.all.iter_mut().filter(|channel| !has_row(channel.id)) {
                    channel.doubt = channel.doubt.or(channel.asked.take());
                }
            } else {
                self.checks = 0;
            }
        } else {
            self.checks = 0;
        }
        for id in ChannelId::all() {
            let channel = self.channel(id);
            let Some(asked) = channel.asked.take() else { continue };
            let row = rows.iter().find(|row| row.channel == id).map(|row| row.state.as_str());
            if let Doubt::RefusedClose(refusal) = asked {
                self.refused_close_checked(now, id, refusal, row, out);
                continue;
            }
            // A `CONNECT OK` after the question is newer than the row. Another question is asked about it.
            let is_old = channel.doubt.and_then(Doubt::news) == Some(ChannelNews::ConnectOk);
            let doubt = if is_old { Doubt::Standing } else { asked };
            self.settle_doubt(now, id, row, doubt, out);
        }
    }

    /// Settles a doubt with the state of the channel; `None` if the module does not say it.
    ///
    /// A connection that the module reports as being made or as open has not ended. One counts as made only if the
    /// module reports it as open.
    fn settle_doubt(
        &mut self,
        now: Timestamp,
        id: ChannelId,
        row: Option<&str>,
        doubt: Doubt,
        out: &mut Outbox,
    ) {
        let question = self.question;
        let link = &mut self.channel(id).link;
        let is_connecting = link.is_connecting();
        match (row, doubt.news()) {
            (Some("CONNECTED"), _) if is_connecting => self.connected(now, id, out),
            (Some("CONNECTING"), _) | (Some(_), None) => {
                if let Some(opening) = link.opening_mut().filter(|_| is_connecting) {
                    opening.strays.settle(question);
                }
            }
            (Some("CONNECTED"), _) | (Some(_), Some(ChannelNews::ConnectOk)) | (None, None) => {}
            (row, Some(news)) => {
                let is_known = row.is_some();
                self.believe(now, id, news, out);
                self.channel(id).has_reported_end &= is_known;
            }
        }
    }

    /// An unsolicited line about a connection, without the number of a channel.
    ///
    /// Some firmware omits the number. While one connection is being made, a failure belongs to it, and a success is
    /// accepted if the module confirms it when asked. While several are being made, the module is asked which one
    /// failed.
    pub(in crate::proto) fn unnumbered(&mut self, now: Timestamp, news: ChannelNews, out: &mut Outbox) {
        let pending: Vec<ChannelId> = self.pending().collect();
        match (news, pending.as_slice()) {
            (ChannelNews::ConnectFail | ChannelNews::AlreadyConnect, [id]) => self.news(now, *id, news, out),
            (ChannelNews::ConnectFail | ChannelNews::AlreadyConnect, all) => {
                for id in all {
                    self.channel(*id).doubt.get_or_insert(Doubt::News(ChannelNews::ConnectFail));
                }
            }
            (ChannelNews::ConnectOk, all) => {
                for id in all {
                    self.channel(*id).doubt.get_or_insert(Doubt::Standing);
                }
            }
            (ChannelNews::DataAccept(_) | ChannelNews::SendOk | ChannelNews::SendFail, _) => {
                self.result_came(news, out);
                if let Some(id) = self.only_unconfirmed() {
                    self.late_result(now, id, news, out);
                }
            }
            (_, _) => {}
        }
    }

    pub(super) fn believe(&mut self, now: Timestamp, id: ChannelId, news: ChannelNews, out: &mut Outbox) {
        match news {
            ChannelNews::ConnectOk => self.connected(now, id, out),
            ChannelNews::ConnectFail => self.connect_failed(now, id, out),
            ChannelNews::AlreadyConnect => {
                if let Some(opening) = self.channel(id).link.failed() {
                    let error = opening.refused(Refusal::AlreadyConnect);
                    self.retry_connect(now, id, opening, error, out);
                }
            }
            // In `Closing` the line answers the close request. Unsolicited, it reports that a TLS peer has closed
            // (section 10).
            ChannelNews::Closed | ChannelNews::CloseOk => self.peer_closed(now, id, CloseReason::Peer, out),
            ChannelNews::TcpError(_) | ChannelNews::UdpError(_) => {
                self.peer_closed(now, id, CloseReason::Reset, out)
            }
            // The results of sends that no command waits for.
            ChannelNews::SendOk | ChannelNews::SendFail | ChannelNews::DataAccept(_) => {
                self.late_result(now, id, news, out);
            }
        }
    }

    fn connected(&mut self, now: Timestamp, id: ChannelId, out: &mut Outbox) {
        let (mode, poll) = (self.mode, self.poll);
        let channel = self.channel(id);
        if matches!(channel.link, Link::Idle) {
            // A late success of a cancelled connection, which must not stay open.
            channel.link.made_late();
            channel.has_unasked_connection(now);
            return;
        }
        let Some(opening) = channel.link.connected() else { return };
        // The doubt that the question in flight is about came before this connection was made.
        channel.asked = None;
        if matches!(opening.strays, StrayData::Doubtful { .. }) {
            // The dropped data may belong to this connection. It is closed and made again, so that no data are missing.
            channel.link.release();
            let why = format!("data came on channel {id} before CONNECT OK, and may be the connection's own");
            self.retry_connect(now, id, opening, Error::Unexpected(why.into()), out);
            return;
        }
        let Some(ticket) = opening.ticket else {
            channel.socket = None;
            channel.link.release();
            return;
        };
        let socket_id = channel.socket_id();
        let took = now - opening.started_at;
        out.count().connects.add(took);
        if let Some(socket) = channel.open_socket() {
            socket.statistics.connect = took;
            if mode == ReceiveMode::Manual {
                socket.poll_at = now + poll;
            }
        }
        out.event(Event::Connected(socket_id));
        out.answer(ticket, Ok(Response::Connected(socket_id)));
    }

    fn connect_failed(&mut self, now: Timestamp, id: ChannelId, out: &mut Outbox) {
        if matches!(self.channel(id).link, Link::Connecting(_)) {
            self.bearer.sign(now, Sign::Weak);
        }
        let channel = self.channel(id);
        if matches!(channel.link, Link::Connecting(_))
            && let Some(opening) = channel.link.failed()
        {
            channel.has_reported_end = true;
            let error = opening.refused(Refusal::ConnectFail);
            self.fail_connect(id, opening, error, out);
        }
    }

    fn peer_closed(&mut self, now: Timestamp, id: ChannelId, reason: CloseReason, out: &mut Outbox) {
        let manual = self.mode == ReceiveMode::Manual;
        let channel = self.channel(id);
        match &channel.link {
            Link::Up if manual && reason == CloseReason::Peer => {
                channel.has_reported_end = true;
                // The module may still have data that can be fetched.
                self.fail_sends(id, &|| Error::Closed(reason), out);
                self.drain(now, id, reason);
            }
            Link::Up => {
                channel.has_reported_end = true;
                self.end(id, End::Closed(reason), out);
            }
            Link::Connecting(_) => self.connect_failed(now, id, out),
            Link::Idle
            | Link::Wanted(_)
            | Link::Preparing(_)
            | Link::Starting(_)
            | Link::Draining(_)
            | Link::Used
            | Link::Closing
            | Link::Stream => {}
        }
    }

    /// Nothing more can be sent, but data of the module can still be fetched.
    pub(super) fn drain(&mut self, now: Timestamp, id: ChannelId, reason: CloseReason) {
        let channel = self.channel(id);
        channel.link.drains(reason);
        if let Some(socket) = channel.open_socket() {
            socket.poll_at = now;
            socket.pressure.over();
        }
    }
}

impl Link {
    /// True if the line changes the state of the link, so that a late line of an earlier connection must not be
    /// accepted.
    fn is_changed_by(&self, news: ChannelNews) -> bool {
        match news {
            ChannelNews::ConnectOk | ChannelNews::ConnectFail => self.is_connecting(),
            // The only effect is a connect on another channel.
            ChannelNews::AlreadyConnect => false,
            news => news.ends() && (self.is_connecting() || self.can_send()),
        }
    }
}
