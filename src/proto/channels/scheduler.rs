//! The scheduler: the order of the channels' commands, and the effects of their results.

use crate::at::{ChannelId, ChannelNews, Command, Refusal};
use crate::config::ReceiveMode;
use crate::error::Error;
use crate::proto::Deadline;
use crate::proto::bearer::Sign;
use crate::proto::issuer::Job;
use crate::proto::outbox::Outbox;
use crate::proto::session::{Failure, Finished};
use crate::time::Timestamp;

use super::channel::{CLOSE_PAUSE, Channel, Doubt};
use super::channel_command::ChannelCommand;
use super::frame::Fetched;
use super::link::{Link, ModuleSide};
use super::prompts::{Form, Prompts};
use super::security::Security;
use super::{Channels, STALE};

impl Channels {
    /// The next command. The channels take turns: each waits for at most one command of every other.
    pub(in crate::proto) fn next_command(
        &mut self,
        now: Timestamp,
        out: &mut Outbox,
    ) -> Option<ChannelCommand> {
        self.end_leaving(now, out);
        self.assign(now);
        for _ in 0..self.all.len() {
            let index = self.turn % self.all.len();
            self.turn = index + 1;
            if !self.all[index].link.may_have_command() {
                continue;
            }
            let manual = self.mode == ReceiveMode::Manual;
            let opening = self.opening_command(now, self.all[index].id, out);
            if let Some(mut turn) = opening
                .or_else(|| self.all[index].next_command(now, manual, &mut self.prompts, || out.buffer()))
            {
                if let (Job::Send, Some(payload)) = (turn.job, &turn.payload) {
                    turn.command = self.acceptance.limit(turn.command, payload.len(), self.baud_rate);
                }
                if let Some(socket) = &mut self.channel(turn.channel).socket {
                    socket.statistics.commands.written += 1;
                }
                self.fetched = Fetched::Nothing;
                return Some(turn);
            }
        }
        None
    }

    /// A command for a channel has ended.
    pub(in crate::proto) fn finished(
        &mut self,
        now: Timestamp,
        id: ChannelId,
        job: Job,
        finished: &Finished,
        out: &mut Outbox,
    ) {
        if let Some(socket) = &mut self.channel(id).socket {
            socket.statistics.commands.finished(finished);
        }
        match job {
            Job::Prepare => self.prepared(now, id, finished, out),
            Job::Start => self.start_finished(now, id, finished, out),
            Job::SendPrompt => {
                self.prompts.switched(&finished.result).into_iter().for_each(|event| out.event(event));
            }
            Job::Send => self.send_finished(now, id, finished, out),
            Job::Acknowledgement => self.acknowledgement_finished(now, id, &finished.result, out),
            Job::Fetch => self.fetch_finished(now, id, finished, out),
            Job::Close => self.close_finished(now, id, finished, out),
        }
    }

    fn start_finished(&mut self, now: Timestamp, id: ChannelId, finished: &Finished, out: &mut Outbox) {
        let failure = match &finished.result {
            Ok(_) => {
                self.making_accepted(now, id);
                let channel = self.channel(id);
                channel.link.accepted();
                if channel.link.opening().is_some_and(|opening| opening.ticket.is_none()) {
                    channel.link.release();
                    channel.stale_until = now + STALE;
                }
                return;
            }
            Err(failure) => *failure,
        };
        if !matches!(failure, Failure::Timeout) {
            self.making_settled(now, id);
        }
        self.bearer.sign(
            now,
            match failure {
                Failure::Refused(Refusal::Error | Refusal::Cme(_)) => Sign::Strong,
                Failure::Refused(_) | Failure::NoPrompt(_) | Failure::Timeout => Sign::Weak,
            },
        );
        let channel = self.channel(id);
        if let Failure::Refused(Refusal::ConnectFail) = failure
            && channel.stale_until > now
        {
            // The line may report the failure of the previous connection: the module is asked.
            channel.link.accepted();
            channel.doubt = Some(Doubt::News(ChannelNews::ConnectFail));
            return;
        }
        channel.has_reported_end |= matches!(failure, Failure::Refused(Refusal::ConnectFail));
        let Some(opening) = channel.link.failed() else { return };
        match failure {
            Failure::Refused(Refusal::AlreadyConnect) => {
                let error = opening.refused(Refusal::AlreadyConnect);
                self.retry_connect(now, id, opening, error, out);
            }
            Failure::Refused(refusal) | Failure::NoPrompt(refusal) => {
                let error = opening.refused(refusal);
                self.fail_connect(id, opening, error, out);
            }
            Failure::Timeout => {
                channel.stale_until = now + STALE;
                let error = opening.unanswered(now, finished);
                self.fail_connect(id, opening, error, out);
            }
        }
    }

    fn close_finished(&mut self, now: Timestamp, id: ChannelId, finished: &Finished, out: &mut Outbox) {
        let channel = self.channel(id);
        channel.last_data_at = now;
        channel.late_close_until = now + STALE;
        match finished.result {
            Ok(_) => self.channel_released(now, id),
            Err(Failure::Refused(refusal @ (Refusal::Error | Refusal::Cme(_)))) => {
                self.close_refused(now, id, refusal);
            }
            Err(Failure::Refused(_) | Failure::NoPrompt(_)) => {
                channel.close_at = now + CLOSE_PAUSE;
                channel.link.closed(ModuleSide::Unknown);
                self.making_settled(now, id);
            }
            Err(Failure::Timeout) => {
                channel.stale_until = now + STALE;
                channel.link.closed(ModuleSide::Unknown);
            }
        }
        self.settle(id, out);
    }

    /// Answers the requests whose time-out has passed. Their commands go on, or their effects are undone.
    pub(in crate::proto) fn expire(
        &mut self,
        now: Timestamp,
        not_ready: Option<crate::error::NotReady>,
        out: &mut Outbox,
    ) {
        self.expire_queued(now, not_ready, out);
        self.end_leaving(now, out);
        for id in ChannelId::all() {
            self.expire_connect(now, id, not_ready, out);
            self.expire_sends(now, id, out);
            let Some(socket) = &mut self.channel(id).socket else { continue };
            out.answer_all(socket.delivery.expire(now));
            socket.closers.retain(|closer| {
                let keep = closer.deadline > now;
                if !keep {
                    out.answer(closer.ticket, Err(Error::timeout("close", closer.timeout)));
                }
                keep
            });
        }
    }

    /// The earliest time-out of a request.
    pub(in crate::proto) fn request_deadline(&self) -> Timestamp {
        let mut request = self.queue.deadline().min(self.leaving_deadline());
        for channel in &self.all {
            if let Some(opening) = channel.link.opening().filter(|opening| opening.ticket.is_some()) {
                request = request.min(opening.deadline);
            }
            let Some(socket) = &channel.socket else { continue };
            request = request.min(socket.delivery.deadline());
            request = socket.sends.iter().map(|send| send.deadline).fold(request, Timestamp::min);
            request = socket.closers.iter().map(|closer| closer.deadline).fold(request, Timestamp::min);
        }
        request
    }

    /// The earliest moment at which a channel will have a command if nothing else happens, and the reason.
    pub(in crate::proto) fn turn_deadline(&self) -> Option<(Timestamp, Deadline)> {
        let open = self.all.iter().filter(|channel| channel.link.can_fetch());
        let sockets = open.filter_map(|channel| {
            let socket = channel.socket.as_ref().filter(|socket| socket.end.is_none());
            socket.map(|socket| (socket, channel.link.can_send()))
        });
        let deadlines = sockets.flat_map(|(socket, is_up)| {
            let polls = socket.may_fetch() && socket.poll_at != Timestamp::MAX;
            let poll = polls.then_some((socket.poll_at, Deadline::ReceivePoll));
            let retry_at = socket.pressure.retry_at().filter(|_| !socket.sends.is_empty());
            let is_sending = !socket.sends.is_empty();
            let asks = socket.delivery.ask_at();
            let ask = (asks != Timestamp::MAX && socket.delivery.is_due(asks, is_sending))
                .then_some((asks, Deadline::Acknowledgement));
            let confirm = socket.pressure.confirm_at().map(|at| (at, Deadline::Acknowledgement));
            // A connection that has ended is only asked for the data that are left.
            let if_up = |deadline: Option<(Timestamp, Deadline)>| deadline.filter(|_| is_up);
            let retry = retry_at.map(|at| (at, Deadline::SendRetry));
            [poll, if_up(retry), if_up(ask), if_up(confirm)]
        });
        let asked = self.bearer.due_at().into_iter().chain(self.question_deadline());
        let bearer = asked.map(|at| (at, Deadline::Bearer));
        let used = self
            .all
            .iter()
            .filter(|channel| matches!(channel.link, Link::Used) && channel.close_at != Timestamp::ZERO);
        let closes = used.map(|channel| (channel.close_at, Deadline::CloseRetry));
        deadlines.flatten().chain(bearer).chain(closes).min()
    }
}

impl Channel {
    fn next_command(
        &mut self,
        now: Timestamp,
        manual: bool,
        prompts: &mut Prompts,
        buffer: impl FnOnce() -> Vec<u8>,
    ) -> Option<ChannelCommand> {
        let id = self.id;
        let turn = |job, command| Some(ChannelCommand { channel: id, job, command, payload: None });
        match &self.link {
            Link::Used if now < self.close_at || self.has_refused_close() => return None,
            Link::Used => {
                self.link.closing();
                self.close_at = Timestamp::ZERO;
                self.late_close_until = now + STALE;
                return turn(Job::Close, Command::close(id));
            }
            // `opening_command` gives these their commands.
            Link::Wanted(_) | Link::Preparing(_) => return None,
            Link::Idle | Link::Starting(_) | Link::Connecting(_) | Link::Closing | Link::Stream => {
                return None;
            }
            Link::Up | Link::Draining(_) => {}
        }
        let is_up = self.link.can_send();
        let socket = self.socket.as_mut().filter(|socket| socket.end.is_none())?;
        let is_due = socket.follows_announcement() || socket.poll_at <= now;
        let wants_fetch = manual && is_due && socket.may_fetch();
        let asks = socket.delivery.is_due(now, !socket.sends.is_empty());
        if is_up && (asks || socket.pressure.asks(now)) {
            socket.delivery.asked();
            return turn(Job::Acknowledgement, Command::acknowledged(id));
        }
        let send = socket.sends.front_mut().filter(|_| is_up && socket.pressure.allows(now));
        // A socket that receives and sends does both in turn.
        match send {
            Some(send) if !(wants_fetch && std::mem::replace(&mut socket.fetch_next, false)) => {
                let form = match self.security {
                    Security::Plain | Security::Tls { .. } if socket.window.keeps_boundaries() => {
                        Form::Datagram
                    }
                    Security::Plain => Form::Stream,
                    Security::Tls { .. } => Form::SecureStream,
                };
                let rest = &send.data[send.accepted..];
                let (len, prompt) = prompts.piece(now, rest, form, self.last_piece);
                if let Some(command) = prompts.switch(prompt) {
                    return turn(Job::SendPrompt, command);
                }
                socket.fetch_next = true;
                send.in_flight = len;
                self.last_piece = len;
                let mut payload = buffer();
                payload.extend_from_slice(&rest[..len]);
                let command = Command::send_with(id, len, prompt);
                Some(ChannelCommand { channel: id, job: Job::Send, command, payload: Some(payload) })
            }
            Some(_) | None if wants_fetch => {
                socket.poll_at = Timestamp::MAX;
                socket.announced = false;
                socket.was_announced = socket.waiting;
                turn(Job::Fetch, Command::fetch(id, socket.next_fetch()))
            }
            Some(_) | None => None,
        }
    }
}
