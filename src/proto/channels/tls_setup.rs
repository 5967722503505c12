//! The order in which TLS and plain connections are prepared and started. The module has one switch between TLS and
//! plain for all connections.

use crate::at::ChannelId;
use crate::error::{Error, TlsFailure, TlsStep};
use crate::proto::issuer::Job;
use crate::proto::outbox::Outbox;
use crate::proto::session::Finished;
use crate::time::Timestamp;

use super::Channels;
use super::channel_command::ChannelCommand;
use super::link::Link;
use super::preparation::Preparation;
use super::security::Security;

impl Channels {
    /// The next command of a connection with TLS, or of a plain connection while the module's switch is on.
    pub(super) fn secured_command(
        &mut self,
        now: Timestamp,
        id: ChannelId,
        out: &mut Outbox,
    ) -> Option<ChannelCommand> {
        let Link::Wanted(opening) = &self.all[id.index()].link else { return None };
        if !opening.is_under_way() {
            if self.is_preparing() {
                return None;
            }
            let Self { all, tls, .. } = self;
            if let Link::Wanted(opening) = &mut all[id.index()].link {
                let is_set = |key| tls.has(id, key);
                opening
                    .preparation
                    .get_or_insert_with(Preparation::plain)
                    .begin(is_set, |name| tls.is_uncertain(name));
            }
        }
        if let Some(on) = self.switches_to(id) {
            if on == self.tls.is_off() && self.is_connecting() {
                return None;
            }
            if !on && !self.may_switch_off(id, out) {
                return None;
            }
        }
        self.preparation_command(now, id)
    }

    /// The command of a preparation has ended.
    pub(super) fn prepared(&mut self, now: Timestamp, id: ChannelId, finished: &Finished, out: &mut Outbox) {
        let Some(mut opening) = self.channel(id).link.prepared() else { return };
        let Some(preparation) = &mut opening.preparation else { return };
        let result = preparation.finished(finished);
        let result = result.map(|effect| self.tls.done(id, effect));
        if opening.ticket.is_none() {
            return;
        }
        match result {
            Ok(()) => self.channel(id).link.wanted(opening),
            Err((step, TlsFailure::Timeout(_))) => {
                // The caller has waited longer than for this command.
                let why = TlsFailure::Timeout(now - opening.asked_at);
                self.fail_connect(id, opening, Error::Tls { step, why }, out);
            }
            Err((step, why)) => self.fail_connect(id, opening, Error::Tls { step, why }, out),
        }
    }

    /// Files may have been removed: every preparation begins again.
    pub(in crate::proto) fn restart_preparations(&mut self) {
        for channel in &mut self.all {
            if let Link::Wanted(opening) = &mut channel.link {
                opening.prepare_again();
            }
        }
    }

    fn preparation_command(&mut self, now: Timestamp, id: ChannelId) -> Option<ChannelCommand> {
        let Link::Wanted(opening) = &self.all[id.index()].link else { return None };
        let ask = opening.preparation.as_ref().and_then(|next| next.ask(id, |len| self.tls.seconds(len)));
        let Some(ask) = ask else {
            return self.start_command(now, id);
        };
        self.tls.written(id, ask.effect);
        self.channel(id).link.preparing();
        Some(ChannelCommand { channel: id, job: Job::Prepare, command: ask.command, payload: ask.payload })
    }

    /// True if a connection is being prepared. There is one preparation at a time, so that none removes files of
    /// another.
    fn is_preparing(&self) -> bool {
        self.all.iter().any(|channel| match &channel.link {
            Link::Preparing(_) => true,
            Link::Wanted(opening) => opening.is_under_way(),
            Link::Idle | Link::Starting(_) | Link::Connecting(_) => false,
            Link::Up | Link::Draining(_) | Link::Used | Link::Closing | Link::Stream => false,
        })
    }

    fn is_connecting(&self) -> bool {
        self.all.iter().any(|channel| channel.link.is_connecting())
    }

    fn switches_to(&self, id: ChannelId) -> Option<bool> {
        let Link::Wanted(opening) = &self.all[id.index()].link else { return None };
        opening.preparation.as_ref()?.switches_to()
    }

    /// True if TLS can be switched off now. A plain connection waits while TLS connections are being closed, and fails
    /// while some are open.
    fn may_switch_off(&mut self, id: ChannelId, out: &mut Outbox) -> bool {
        let guarded = |security| security == Security::Tls { plain_beside: false };
        let mut secured = self.all.iter().filter(|channel| guarded(channel.security));
        if !secured.clone().any(|channel| channel.link.can_fetch()) {
            return !secured.any(|channel| matches!(channel.link, Link::Used | Link::Closing));
        }
        if let Some(opening) = self.channel(id).link.withdrawn() {
            let error = Error::Tls { step: TlsStep::Switch, why: TlsFailure::TlsOpen };
            self.fail_connect(id, opening, error, out);
        }
        false
    }
}
