//! Restarts of the module, its silence, the loss and return of the port, and the loss of the bearer.

use std::time::Duration;

use crate::at::Decoder;
use crate::error::{CloseReason, NotReady};
use crate::proto::Event;
use crate::proto::channels::{End, ModuleSide};
use crate::proto::issuer::Issuer;
use crate::proto::session::{OpenSend, Wake};
use crate::time::Timestamp;

use super::Engine;
use super::port::{Port, Unfinished};

/// Signs of a start within this span belong to one start. A start takes at least 1.5 s from the reset to `RDY`
/// (protocol section 3).
const ONE_START: Duration = Duration::from_millis(1_500);
/// How many signs of one start may come after the module has answered, as in capture a19. After more of them the driver
/// pauses, so that a module that restarts again and again is not asked without a pause.
const MOST_SIGNS: u32 = 2;

impl Engine {
    pub(super) fn restarted(&mut self, now: Timestamp) {
        // A module may report one start twice (capture a19: 740 ms apart).
        let is_news = self.restarted_at.is_none_or(|at| now >= at + ONE_START);
        self.restarted_at = Some(now);
        if self.bring_up.is_waiting_for_module() {
            // The module is starting: the commands sent so far are lost.
            self.session.restart(Wake::after_boot(now), &mut self.out);
            return;
        }
        self.signs_of_start = if is_news { 1 } else { self.signs_of_start.saturating_add(1) };
        if is_news {
            self.out.event(Event::Restarted);
        }
        let is_odd = self.signs_of_start > MOST_SIGNS;
        let wake = if is_odd { Wake::new(now + ONE_START) } else { Wake::after_boot(now) };
        self.start_over(now, wake, &End::Restarted, NotReady::Restarting);
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

    /// The bytes that end a send that the module may wait for whose port is gone, if any; `None` in data mode, which
    /// takes every byte.
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
