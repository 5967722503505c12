//! The effects of [`Control`] on the modem and its environment.

use super::Machine;
use crate::sim::card::Card;
use crate::sim::control::{Control, ModemEvent};
use std::time::Duration;

use crate::time::Timestamp;

use crate::sim::fault::{Fault, FaultTarget, Occasion, Rule, Trigger};

impl Machine {
    pub(in crate::sim) fn control(&mut self, control: Control) {
        match control {
            Control::Reset => self.reboot(),
            Control::SimRemove => {
                self.radio.card = Card::Absent;
                self.card_changed("SIM REMOVED");
            }
            Control::SimInsert => {
                self.radio.card = self.radio.lock.at_power_on();
                let state = self.card_text().unwrap_or("SIM REMOVED");
                self.card_changed(state);
            }
            Control::NetworkDown => {
                self.radio.covered = false;
                self.reconsider_service();
            }
            Control::NetworkUp => {
                self.radio.covered = true;
                self.reconsider_service();
            }
            Control::PdpLost => self.bearer_lost(),
            Control::Urc(line) => self.urc(&line),
            Control::Dtr(on) => self.dtr_changed(on),
            Control::Unplug => self.plug.pull_out(Timestamp::MAX),
            Control::Replug(name) => self.plug.put_in(name),
            Control::UsbRestart(lasting) => {
                self.plug.pull_out(self.now + lasting);
                self.reboot();
            }
            Control::Replace(imei) => {
                self.plug.pull_out(Timestamp::MAX);
                self.settings.imei = imei;
                self.reboot();
            }
            Control::HangUp => {
                self.drop_links();
                self.hung_up = true;
            }
            Control::Fault(fault) => self.strike(fault),
            Control::Rule(rule) => match rule.trigger {
                Trigger::Next => self.strike(rule.fault),
                Trigger::Chance(_) => self.faults.add(rule),
                Trigger::At(span) => {
                    let trigger = Trigger::At((self.now + span).since_origin());
                    self.faults.add(Rule { trigger, ..rule });
                }
            },
            Control::PeerClose(channel) => {
                if usize::from(channel) < self.ip.channels.len() {
                    self.connection_lost(channel.into());
                }
            }
        }
    }

    /// Applies a fault, or lets it wait for its opportunity.
    pub(super) fn strike(&mut self, fault: Fault) {
        self.happened(ModemEvent::Fault(fault.to_string()));
        match fault.behaviour().occasion() {
            Occasion::Now => {
                let mut modem = self;
                fault.behaviour().strike(&mut modem);
            }
            Occasion::Answer | Occasion::Hook => self.faults.arm(fault),
        }
    }

    /// A card that is inserted or removed at run time changes the service. This is reported (capture a14), unless
    /// `AT+CSDT=0` is set.
    fn card_changed(&mut self, state: &str) {
        self.reconsider_service();
        if self.terminal.notices_card == 0 {
            return;
        }
        let line = self.settings.profile.keyed("+CPIN", state);
        let line = format!("{line}{}", self.settings.profile.card_slot);
        self.urc(&line);
    }
}

impl FaultTarget for &mut Machine {
    fn reboot(&mut self) {
        Machine::reboot(self);
    }

    fn brown_out(&mut self, times: u32) {
        self.brown_outs = times.saturating_sub(1);
        Machine::reboot(self);
    }

    fn lose_bearer(&mut self) {
        self.bearer_lost();
    }

    fn lose_cell(&mut self) {
        self.control(Control::NetworkDown);
    }

    fn remove_card(&mut self) {
        self.control(Control::SimRemove);
    }

    fn unplug(&mut self) {
        self.control(Control::Unplug);
    }

    fn replug(&mut self) {
        self.control(Control::Replug(None));
    }

    fn restart_usb(&mut self, lasting: Duration) {
        self.control(Control::UsbRestart(lasting));
    }

    fn hang_up(&mut self) {
        self.control(Control::HangUp);
    }

    fn deafen(&mut self, lasting: Duration) {
        self.deaf_until = self.now + lasting;
    }

    fn kill_links_silently(&mut self) {
        self.make_stale();
    }

    fn put_on_line(&mut self, bytes: &[u8]) {
        self.out.line.push(self.now, bytes);
    }
}
