//! Restarts of the module, its silence, the loss and return of the port, and the loss of the bearer.

use crate::at::Decoder;
use crate::error::{CloseReason, NotReady};
use crate::proto::Event;
use crate::proto::channels::{End, ModuleSide};
use crate::proto::issuer::Issuer;
use crate::proto::session::{OpenSend, Wake};
use crate::time::Timestamp;

use super::Engine;
use super::port::{Port, Unfinished};

impl Engine {
    pub(super) fn restarted(&mut self, now: Timestamp) {
        let is_news = self.starts.sign(now);
        if self.bring_up.is_waiting_for_module() {
            // The module is starting: the commands sent so far are lost.
            self.session.restart(self.starts.wake(now), &mut self.out);
            return;
        }
        self.starts.counts(now, is_news);
        if is_news {
            self.out.event(Event::Restarted);
        }
        self.start_over(now, self.starts.wake(now), &End::Restarted, NotReady::Restarting);
    }

    pub(super) fn lost_contact(&mut self, now: Timestamp) {
        let end = End::Closed(CloseReason::ModuleSilent);
        self.drop_stream(now, &end);
        self.channels.end_all(&end, ModuleSide::Unknown, None, &mut self.out);
        self.bring_up.reset(NotReady::NoAnswer);
    }

    pub(super) fn start_over(&mut self, now: Timestamp, wake: Wake, end: &End, reason: NotReady) {
        self.decoder = Decoder::new();
        self.history.forget();
        let issuer = self.session.restart(wake, &mut self.out).map(|finished| finished.issuer);
        if let Some(Issuer::Caller(ticket)) = issuer {
            self.out.answer_all(self.requests.fail(ticket, end.error()));
        }
        self.out.answer_all(self.requests.fail_commands(&|| end.error()));
        self.drop_stream(now, end);
        let module_side = if *end == End::Restarted { ModuleSide::Released } else { ModuleSide::Unknown };
        let in_flight = match issuer {
            Some(Issuer::Channel(channel, _)) => Some(channel),
            Some(Issuer::BringUp | Issuer::Abandoned(_) | Issuer::Caller(_)) => None,
            Some(Issuer::SelfCheck(_) | Issuer::Stream) | None => None,
        };
        self.channels.end_all(end, module_side, in_flight, &mut self.out);
        self.bring_up.reset(reason);
    }

    /// The port is gone for good: everything fails, also requests that wait for readiness.
    pub(super) fn port_lost(&mut self, now: Timestamp, reason: &str) {
        let was_away = match std::mem::replace(&mut self.port, Port::There) {
            Port::Lost(why, unfinished) => {
                self.port = Port::Lost(why, unfinished);
                return;
            }
            Port::Away(_, unfinished) => {
                self.channels.end_all(
                    &End::PortLost(reason.into()),
                    ModuleSide::Unknown,
                    None,
                    &mut self.out,
                );
                Some(unfinished)
            }
            Port::There => None,
        };
        let is_news = was_away.is_none();
        let unfinished = was_away.unwrap_or_else(|| self.leave_port(now, reason));
        self.out.answer_all(self.requests.fail_all(&|| crate::Error::PortLost(reason.into())));
        self.port = Port::Lost(reason.into(), unfinished);
        if is_news {
            self.out.event(Event::PortLost);
        }
    }

    /// The port is gone and expected back: requests in flight fail, requests that wait for readiness go on waiting.
    pub(super) fn port_away(&mut self, now: Timestamp, reason: &str) {
        if !matches!(self.port, Port::There) {
            return;
        }
        let waiting = self.channels.take_waiting();
        let unfinished = self.leave_port(now, reason);
        self.channels.wait_again(waiting);
        self.port = Port::Away(reason.into(), unfinished);
        self.out.event(Event::PortLost);
        self.announce();
    }

    /// Ends everything that used the port. Returns the bytes that the module may still wait for.
    fn leave_port(&mut self, now: Timestamp, reason: &str) -> Unfinished {
        // While the module is searched for, it may be in data mode or in a send.
        let unfinished = match self.session.unfinished_send() {
            None if self.session.may_be_online() => Unfinished::DataMode,
            open => Unfinished::Send(open),
        };
        let end = End::PortLost(reason.into());
        self.start_over(now, Wake::new(Timestamp::MAX), &end, NotReady::NoPort);
        self.out.drop_writes();
        unfinished
    }

    /// The bytes that end the send for which the module may still wait after its port is gone. They are empty if there
    /// is no such send. `None` in data mode, because a module in data mode takes every byte for payload.
    pub(crate) fn awaited_fill(&self) -> Option<Vec<u8>> {
        match &self.port {
            Port::There => Some(Vec::new()),
            Port::Away(_, Unfinished::Send(open)) | Port::Lost(_, Unfinished::Send(open)) => {
                Some(open.clone().map(OpenSend::into_fill).unwrap_or_default())
            }
            Port::Away(_, Unfinished::DataMode) | Port::Lost(_, Unfinished::DataMode) => None,
        }
    }

    pub(super) fn port_back(&mut self, now: Timestamp) {
        // `PortBack` without `PortAway`: the port was replaced. Everything in flight is lost with the old one.
        self.port_away(now, "another port took its place");
        let wake = match std::mem::replace(&mut self.port, Port::There) {
            Port::There => Wake::new(now),
            Port::Away(_, Unfinished::Send(open)) | Port::Lost(_, Unfinished::Send(open)) => {
                Wake::in_a_send(now, open)
            }
            Port::Away(_, Unfinished::DataMode) | Port::Lost(_, Unfinished::DataMode) => {
                Wake::in_data_mode(now)
            }
        };
        self.decoder = Decoder::new();
        self.session.restart(wake, &mut self.out);
        self.bring_up.reset(NotReady::NoAnswer);
        self.out.event(Event::PortBack);
    }

    pub(super) fn bearer_lost(&mut self, now: Timestamp) {
        self.out.count().bearer_losses += u64::from(self.bring_up.is_ready());
        self.bearer_ends(now, ModuleSide::Released);
    }

    /// The bearer will be taken down. Until then the module keeps its connections.
    pub(super) fn take_bearer_down(&mut self, now: Timestamp) {
        self.bearer_ends(now, ModuleSide::Unknown);
    }

    fn bearer_ends(&mut self, now: Timestamp, module_side: ModuleSide) {
        if self.bring_up.is_ready() {
            self.end_sockets(now, module_side);
            self.bring_up.bearer_lost(now);
        } else {
            self.bring_up.bearer_news();
        }
    }
}
