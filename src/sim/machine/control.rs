//! The hand on the simulated world: what [`Control`] does.

use super::Machine;
use crate::sim::card::Card;
use crate::sim::control::{Control, Happening};
use crate::sim::fault::{Fault, Rule, When};

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
            Control::HangUp => {
                self.drop_links();
                self.hung_up = true;
            }
            Control::Fault(fault) => self.strike(fault),
            Control::Rule(rule) => match rule.when {
                When::Next => self.strike(rule.fault),
                When::Chance(_) => self.faults.add(rule),
                When::At(span) => {
                    let when = When::At((self.now + span).since_origin());
                    self.faults.add(Rule { when, ..rule });
                }
            },
            Control::PeerClose(channel) => {
                if usize::from(channel) < self.ip.channels.len() {
                    self.connection_lost(channel.into());
                }
            }
        }
    }

    /// Lets a fault strike, or wait for its opportunity.
    pub(super) fn strike(&mut self, fault: Fault) {
        self.happened(Happening::Fault(fault.to_string()));
        match fault {
            Fault::Reboot => self.reboot(),
            Fault::PdpLost => self.bearer_lost(),
            Fault::NetworkLost => self.control(Control::NetworkDown),
            Fault::SimRemoved => self.control(Control::SimRemove),
            Fault::HangUp => self.control(Control::HangUp),
            Fault::Garbage(bytes) => self.out.line.push(self.now, &bytes),
            Fault::StaleConnected => self.make_stale(),
            Fault::Deaf { lasting } => self.deaf_until = self.now + lasting,
            Fault::BrownOut { times } => {
                self.brown_outs = times.saturating_sub(1);
                self.reboot();
            }
            Fault::Urc(_)
            | Fault::Wire(..)
            | Fault::LostUrc
            | Fault::DoubledUrc
            | Fault::LateSend { .. }
            | Fault::LostPrompt
            | Fault::LateAnswer { .. }
            | Fault::DetachedAnswer { .. }
            | Fault::LostAnswer { .. }
            | Fault::WrongAnswer { .. }
            | Fault::CloseMidSend { .. }
            | Fault::ShortBody { .. }
            | Fault::CutBody { .. }
            | Fault::SendFail
            | Fault::SilentConnect => self.faults.arm(fault),
        }
    }

    /// A card that comes or goes while the modem runs decides about service, and is told (capture a14) unless
    /// `AT+CSDT=0` has switched that off.
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
