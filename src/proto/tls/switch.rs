//! Whose turn it is to prepare and to start a connection, with one switch between TLS and plain for all of them.

use crate::at::{ChannelId, Command, Quotable, TlsKey};
use crate::config::Config;
use crate::error::Error;
use crate::proto::channels::{Channels, Job};
use crate::proto::exchange::Finished;
use crate::proto::link::Link;
use crate::proto::outbox::Outbox;
use crate::proto::traffic::Turn;
use crate::time::Timestamp;

use super::preparation::Effect;
use crate::error::{TlsFailure, TlsStep};

/// What a channel's connection is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::proto) enum Security {
    Plain,
    Tls {
        /// Whether plain connections may be opened beside it.
        plain_beside: bool,
    },
}

/// What the module is known to hold of TLS.
///
/// `AT+CIPSSL` holds for every connection that is begun after it. So it is written directly before the `AT+CIPSTART` of
/// each TLS connection, and before that of a plain one unless it is off; nothing else is begun in between; and it is not
/// changed while a connection is being made, which may look at it late. No source shows what it does to open connections
/// (assumption: nothing, or the module refuses to change it, which is a typed error). That may be wrong, and then TLS
/// might go on in the clear: so it is not switched off while TLS connections are open, unless each of them allows it.
#[derive(Debug)]
pub(in crate::proto) struct Tls {
    switch: Switch,
    /// Settings that earlier connections have left in the contexts.
    set: Vec<(ChannelId, TlsKey)>,
    unsure: Unsure,
    baud_rate: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Switch {
    /// Never touched since the module started, or switched off. (One that an earlier program left on makes plain
    /// connections fail, and no TLS one plain.)
    Off,
    /// Switched on, or nobody knows.
    On,
}

/// Files that are there under the right name and perhaps with the right length, but not written to the end as far as
/// anybody knows: what the module still waited for may have been filled with what came next on the line.
#[derive(Debug)]
enum Unsure {
    Of(Vec<Quotable>),
    OfAll,
}

/// How many of them are kept. With more, every file is written anew.
const MAX_UNSURE: usize = 32;

/// How long the module waits for the content of a file, beyond twice its time on the line: the manual's examples
/// (captures a25, d01) give it 10 s and 15 s.
const WRITE_SECONDS: u32 = 15;
/// Bits on the line for one byte, twice.
const BITS_TWICE: u64 = 20;

impl Tls {
    pub(in crate::proto) fn new(config: &Config) -> Self {
        Self {
            switch: Switch::Off,
            set: Vec::new(),
            unsure: Unsure::Of(Vec::new()),
            baud_rate: config.baud_rate,
        }
    }

    /// The module has started anew and has forgotten everything but its files (protocol section 1).
    pub(in crate::proto) fn forget(&mut self) {
        self.switch = Switch::Off;
        self.set.clear();
    }

    fn seconds(&self, len: usize) -> u32 {
        let on_the_line =
            (len as u64).saturating_mul(BITS_TWICE).checked_div(self.baud_rate.into()).unwrap_or(u64::MAX);
        WRITE_SECONDS.saturating_add(u32::try_from(on_the_line).unwrap_or(u32::MAX))
    }

    fn written(&mut self, context: ChannelId, effect: Effect) {
        match effect {
            Effect::Writes(name) => self.unsure.add(name),
            Effect::Sets(key) if self.set.contains(&(context, key)) => {}
            Effect::Sets(key) => self.set.push((context, key)),
            Effect::Switches(true) => self.switch = Switch::On,
            Effect::None | Effect::Erases(_) | Effect::Switches(false) => {}
        }
    }

    fn done(&mut self, context: ChannelId, effect: Effect) {
        match effect {
            Effect::Writes(name) => self.unsure.remove(&name),
            Effect::Erases(key) => self.set.retain(|set| *set != (context, key)),
            Effect::Switches(false) => self.switch = Switch::Off,
            Effect::None | Effect::Sets(_) | Effect::Switches(true) => {}
        }
    }
}

impl Unsure {
    fn add(&mut self, name: Quotable) {
        match self {
            Self::Of(names) if names.contains(&name) => {}
            Self::Of(names) if names.len() < MAX_UNSURE => names.push(name),
            Self::Of(_) => *self = Self::OfAll,
            Self::OfAll => {}
        }
    }

    fn remove(&mut self, name: &Quotable) {
        match self {
            Self::Of(names) => names.retain(|unsure| unsure != name),
            Self::OfAll => {}
        }
    }

    fn contains(&self, name: &Quotable) -> bool {
        match self {
            Self::Of(names) => names.contains(name),
            Self::OfAll => true,
        }
    }
}

impl Channels {
    /// The next command of a connection that is wanted, if it is its turn.
    pub(in crate::proto) fn opening_turn(
        &mut self,
        now: Timestamp,
        id: ChannelId,
        out: &mut Outbox,
    ) -> Option<(Job, Turn)> {
        let Link::Wanted(opening) = &self.all[id.index()].link else { return None };
        let security = opening.preparation.security();
        if security == Security::Plain && self.tls.switch == Switch::Off {
            return self.start_turn(now, id);
        }
        if !opening.preparation.is_under_way() {
            if self.is_preparing() {
                return None;
            }
            let Self { all, tls, .. } = self;
            if let Link::Wanted(opening) = &mut all[id.index()].link {
                let is_set = |key| tls.set.contains(&(id, key));
                opening.preparation.begin(is_set, |name| tls.unsure.contains(name));
            }
        }
        if let Some(on) = self.switches_to(id) {
            if on != (self.tls.switch == Switch::On) && self.is_connecting() {
                return None;
            }
            if !on && !self.may_switch_off(id, out) {
                return None;
            }
        }
        self.preparation_turn(now, id)
    }

    /// The command of a preparation has ended.
    pub(in crate::proto) fn prepared(
        &mut self,
        now: Timestamp,
        id: ChannelId,
        finished: &Finished,
        out: &mut Outbox,
    ) {
        let link = &mut self.channel(id).link;
        let mut opening = match std::mem::take(link) {
            Link::Preparing(opening) => opening,
            other => {
                *link = other;
                return;
            }
        };
        let result = opening.preparation.finished(finished);
        let result = result.map(|effect| self.tls.done(id, effect));
        if opening.ticket.is_none() {
            return;
        }
        match result {
            Ok(()) => self.channel(id).link = Link::Wanted(opening),
            Err((step, TlsFailure::Timeout(_))) => {
                // The caller has waited for more than this command.
                let why = TlsFailure::Timeout(now - opening.asked_at);
                self.fail_connect(id, opening, Error::Tls { step, why }, out);
            }
            Err((step, why)) => self.fail_connect(id, opening, Error::Tls { step, why }, out),
        }
    }

    /// Files may have been removed: what is being prepared is prepared anew.
    pub(in crate::proto) fn restart_preparations(&mut self) {
        for channel in &mut self.all {
            if let Link::Wanted(opening) = &mut channel.link {
                opening.preparation.restart();
            }
        }
    }

    fn preparation_turn(&mut self, now: Timestamp, id: ChannelId) -> Option<(Job, Turn)> {
        let Link::Wanted(opening) = &self.all[id.index()].link else { return None };
        let Some(ask) = opening.preparation.ask(id, |len| self.tls.seconds(len)) else {
            return self.start_turn(now, id);
        };
        self.tls.written(id, ask.effect);
        self.channel(id).link.preparing();
        Some((Job::Prepare, Turn { channel: id, command: ask.command, payload: ask.payload }))
    }

    fn start_turn(&mut self, now: Timestamp, id: ChannelId) -> Option<(Job, Turn)> {
        let channel = self.channel(id);
        let Link::Wanted(opening) = &channel.link else { return None };
        let command = Command::start(id, opening.protocol, &opening.host, opening.port);
        channel.security = opening.preparation.security();
        channel.link.started(now);
        Some((Job::Start, Turn { channel: id, command, payload: None }))
    }

    /// Whether a preparation is under way: one at a time, so that none takes another's files away.
    fn is_preparing(&self) -> bool {
        self.all.iter().any(|channel| match &channel.link {
            Link::Preparing(_) => true,
            Link::Wanted(opening) => opening.preparation.is_under_way(),
            Link::Idle | Link::Starting(_) | Link::Connecting(_) => false,
            Link::Up | Link::Draining(_) | Link::Used | Link::Closing | Link::Stream => false,
        })
    }

    fn is_connecting(&self) -> bool {
        self.all.iter().any(|channel| channel.link.is_connecting())
    }

    fn switches_to(&self, id: ChannelId) -> Option<bool> {
        let Link::Wanted(opening) = &self.all[id.index()].link else { return None };
        opening.preparation.switches_to()
    }

    /// Whether TLS can be switched off now. While TLS connections are being closed, that is waited for; beside open
    /// ones the plain connection has failed.
    fn may_switch_off(&mut self, id: ChannelId, out: &mut Outbox) -> bool {
        let guarded = |security| security == Security::Tls { plain_beside: false };
        let mut secured = self.all.iter().filter(|channel| guarded(channel.security));
        if !secured.clone().any(|channel| channel.link.can_fetch()) {
            return !secured.any(|channel| matches!(channel.link, Link::Used | Link::Closing));
        }
        if let Some(opening) = self.channel(id).link.take_opening(Link::Idle) {
            let error = Error::Tls { step: TlsStep::Switch, why: TlsFailure::TlsOpen };
            self.fail_connect(id, opening, error, out);
        }
        false
    }
}
