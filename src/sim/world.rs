//! The hand on the simulated world: what [`Control`] does.

use super::card::Card;
use super::control::{Control, Happening};
use super::fault::{Fault, Rule, When};
use super::machine::Machine;
use super::network::Network;

impl Machine {
    pub(super) fn control(&mut self, network: &mut dyn Network, control: Control) {
        match control {
            Control::Reset => self.reboot(network),
            Control::SimRemove => {
                self.radio.card = Card::Absent;
                self.card_changed(network, "SIM REMOVED");
            }
            Control::SimInsert => {
                self.radio.card = self.radio.lock.at_power_on();
                let state = self.card_text().unwrap_or("SIM REMOVED");
                self.card_changed(network, state);
            }
            Control::NetworkDown => {
                self.radio.covered = false;
                self.reconsider_service(network);
            }
            Control::NetworkUp => {
                self.radio.covered = true;
                self.reconsider_service(network);
            }
            Control::PdpLost => self.bearer_lost(network),
            Control::Urc(line) => self.urc(&line),
            Control::Dtr(on) => self.dtr_changed(network, on),
            Control::HangUp => {
                self.drop_links(network);
                self.hung_up = true;
            }
            Control::Fault(fault) => self.strike(network, fault),
            Control::Rule(rule) => match rule.when {
                When::Next => self.strike(network, rule.fault),
                When::Chance(_) => self.faults.add(rule),
                When::At(span) => {
                    let when = When::At((self.now + span).since_origin());
                    self.faults.add(Rule { when, ..rule });
                }
            },
            Control::PeerClose(channel) => {
                if usize::from(channel) < self.ip.channels.len() {
                    self.connection_lost(network, channel.into());
                }
            }
        }
    }

    /// Lets a fault strike, or wait for its opportunity.
    pub(super) fn strike(&mut self, network: &mut dyn Network, fault: Fault) {
        self.happened(Happening::Fault(fault.to_string()));
        match fault {
            Fault::Reboot => self.reboot(network),
            Fault::PdpLost => self.bearer_lost(network),
            Fault::NetworkLost => self.control(network, Control::NetworkDown),
            Fault::SimRemoved => self.control(network, Control::SimRemove),
            Fault::HangUp => self.control(network, Control::HangUp),
            Fault::Garbage(bytes) => self.out.line.push(self.now, &bytes),
            Fault::StaleConnected => self.make_stale(),
            Fault::Deaf { lasting } => self.deaf_until = self.now + lasting,
            Fault::BrownOut { times } => {
                self.brown_outs = times.saturating_sub(1);
                self.reboot(network);
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
    fn card_changed(&mut self, network: &mut dyn Network, state: &str) {
        self.reconsider_service(network);
        if self.terminal.notices_card == 0 {
            return;
        }
        let line = self.settings.profile.keyed("+CPIN", state);
        let line = format!("{line}{}", self.settings.profile.card_slot);
        self.urc(&line);
    }
}
