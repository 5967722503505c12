//! The boot, the search for a cell, and the loss of service.

use super::Machine;
use crate::sim::card::Card;
use crate::sim::control::ModemEvent;
use crate::sim::ip::Bearer;
use crate::sim::output_kind::OutputKind;
use crate::sim::profile::BootText;
use crate::sim::radio::{Power, Service, Training};
use crate::sim::result::{Cme, Failure, Outcome};
use crate::sim::settings::ApnPolicy;
use crate::time::Timestamp;
use std::time::Duration;

/// The names of the three registration reports, in the order of [`Radio::reports`](crate::sim::radio::Radio::reports).
pub(in crate::sim) const REPORTS: [&str; 3] = ["+CREG", "+CGREG", "+CEREG"];

impl Machine {
    /// Loses all settings, and boots.
    pub(in crate::sim) fn reboot(&mut self) {
        self.drop_links();
        self.forget_session();
        self.ip.restart(&self.settings.profile);
        self.radio = self.radio.rebooted(&self.settings);
        self.clock = self.clock.rebooted();
        self.radio.power = self.booting(self.now);
        self.happened(ModemEvent::Booting);
    }

    /// Checks whether service is possible, after a change of its conditions.
    pub(in crate::sim) fn reconsider_service(&mut self) {
        let possible = self.radio.may_serve(&self.settings);
        match (self.radio.service, possible) {
            (Service::None, true) => {
                let until = self.now + self.settings.registration_time;
                self.radio.service = Service::Searching { until };
            }
            (Service::Searching { .. }, false) => self.radio.service = Service::None,
            (Service::On, false) => self.service_lost(),
            (Service::None, false) | (Service::Searching { .. } | Service::On, true) => {}
        }
    }

    /// Prints boot lines that are due, and finds the cell.
    pub(super) fn service_timers(&mut self) -> bool {
        if self.service_deadline().is_none_or(|at| at > self.now) {
            return false;
        }
        if self.brown_out_at().is_some_and(|at| at <= self.now) {
            self.brown_outs -= 1;
            self.happened(ModemEvent::Fault("the supply breaks down again".to_owned()));
            self.reboot();
            return true;
        }
        if let Service::Searching { until } = self.radio.service
            && until <= self.now
        {
            self.service_found();
            return true;
        }
        self.boot_on()
    }

    pub(super) fn service_deadline(&self) -> Option<Timestamp> {
        let searching = match self.radio.service {
            Service::Searching { until } => Some(until),
            Service::None | Service::On => None,
        };
        let booting = match self.radio.power {
            Power::On => None,
            Power::Booting { since, printed, training, .. } => {
                let line = self.settings.profile.boot.get(printed);
                let waits = match (training, line) {
                    (Training::Done, _) => false,
                    (Training::Wanted { .. }, Some(line)) => !matches!(line.line, BootText::Noise(_)),
                    (Training::Wanted { .. }, None) => true,
                };
                let at = line.map_or(since, |line| since + Duration::from_millis(line.after_millis.into()));
                (!waits).then_some(at)
            }
        };
        [searching, booting, self.brown_out_at()].into_iter().flatten().min()
    }

    /// The supply is interrupted again soon after the banner, when the radio would be switched on (assumed: 200 ms).
    fn brown_out_at(&self) -> Option<Timestamp> {
        match self.radio.power {
            Power::Booting { since, .. } if self.brown_outs > 0 => {
                let banner =
                    self.settings.profile.boot.iter().find(|line| matches!(line.line, BootText::Urc(_)));
                let after = banner.map_or(0, |line| line.after_millis) + 200;
                Some(since + Duration::from_millis(after.into()))
            }
            Power::Booting { .. } | Power::On => None,
        }
    }

    /// The end of `AT+CIICR`.
    pub(super) fn bearer_up(&mut self) -> Outcome {
        if !self.may_activate(&self.ip.access[0]) {
            // Capture a12; the next state is assumed to be that of other occurrences of +PDP: DEACT.
            self.ip.bearer = Bearer::Lost;
            self.frame(OutputKind::Info, "+PDP: DEACT");
            return Outcome::Fail(Failure::Cme(Cme::Other));
        }
        self.ip.bearer = Bearer::Active;
        self.happened(ModemEvent::Bearer(true));
        Outcome::Ok
    }

    /// True if the network provides a bearer for this access point.
    pub(in crate::sim) fn may_activate(&self, access_point: &String) -> bool {
        self.is_access_point(access_point) && self.radio.is_usable()
    }

    /// True if the network knows this access point. An empty one is the network's choice.
    pub(in crate::sim) fn is_access_point(&self, name: &String) -> bool {
        match &self.settings.apn {
            ApnPolicy::Any => true,
            ApnPolicy::None => false,
            ApnPolicy::Only(names) => name.is_empty() || names.contains(name),
        }
    }

    /// The network's time in seconds since 1970 (UTC).
    fn network_time(&self) -> i64 {
        self.settings.clock as i64 + self.now.since_origin().as_secs() as i64
    }

    /// The module's time in seconds since 1970 (UTC), at which certificates are verified.
    pub(in crate::sim) fn utc(&self) -> u64 {
        self.clock.utc(self.network_time()).try_into().unwrap_or(0)
    }

    /// The module's time in the form of `AT+CCLK?`.
    pub(in crate::sim) fn local_time(&self) -> String {
        self.clock.shown(self.network_time(), self.settings.profile.long_year)
    }

    /// `AT+CCLK="..."`
    pub(in crate::sim) fn set_clock(&mut self, utc: i64, zone: i64) {
        let network = self.network_time();
        self.clock.set(network, utc, zone);
    }

    /// The number in one of the [`REPORTS`].
    pub(in crate::sim) fn registered(&self, report: usize) -> u8 {
        let stat = self.radio.registration(&self.settings);
        let lte = self.settings.lte_registration.filter(|_| report == 2 && self.radio.in_service());
        lte.unwrap_or(stat)
    }

    /// Prints `+CREG: 1` if the host has enabled it.
    fn report_registration(&mut self) {
        for (report, (key, mode)) in REPORTS.into_iter().zip(self.radio.reports).enumerate() {
            if mode > 0 {
                let stat = self.registered(report);
                let value = format!("{stat}{}", self.cell(mode));
                let line = self.settings.profile.keyed(key, &value);
                self.urc(&line);
            }
        }
    }

    /// Area, cell and access technology for mode 2 (capture a19).
    pub(in crate::sim) fn cell(&self, mode: u8) -> String {
        if mode == 2 && self.radio.in_service() {
            format!(",\"2797\",\"02B82E17\"{}", self.access_technology())
        } else {
            String::new()
        }
    }

    /// `,7`; empty if the profile has none.
    pub(in crate::sim) fn access_technology(&self) -> String {
        self.settings.profile.access_technology.map_or_else(String::new, |number| format!(",{number}"))
    }

    fn service_found(&mut self) {
        self.radio.service = Service::On;
        self.radio.attached = self.settings.attach;
        self.happened(ModemEvent::Service(true));
        self.clock.take_network_time(&self.settings);
        self.report_registration();
        self.print_service_lines(self.settings.profile.service_on);
    }

    fn service_lost(&mut self) {
        self.radio.service = Service::None;
        self.radio.attached = false;
        self.ip.active_contexts.clear();
        self.happened(ModemEvent::Service(false));
        self.report_registration();
        self.print_service_lines(self.settings.profile.service_off);
        self.bearer_lost();
    }

    fn print_service_lines(&mut self, lines: &[&str]) {
        let zone = self.settings.time_zone.into();
        let time = crate::sim::clock::format(self.network_time(), zone, self.settings.profile.long_year);
        for line in lines {
            let line = line
                .replace("{cid}", &self.settings.profile.bearer_cid.to_string())
                .replace("{address}", &self.settings.address.to_string())
                .replace("{time}", &time);
            self.urc(&line);
        }
    }

    /// Prints the next line of the boot; after the last, the search for a cell begins.
    fn boot_on(&mut self) -> bool {
        let Power::Booting { since, printed, listening, training } = self.radio.power else {
            return false;
        };
        let Some(line) = self.settings.profile.boot.get(printed) else {
            self.radio.power = Power::On;
            let registered_at = since + self.settings.profile.registered_after;
            if self.radio.may_serve(&self.settings) {
                let until = registered_at.max(self.now);
                self.radio.service = Service::Searching { until };
            }
            self.reconsider_service();
            return true;
        };
        let listening = listening || matches!(line.line, BootText::Urc(_));
        self.radio.power = Power::Booting { since, printed: printed + 1, listening, training };
        match line.line {
            BootText::Urc(text) => self.urc(text),
            BootText::Noise(text) => self.print(OutputKind::Urc, text.as_bytes().to_vec()),
            BootText::Sim => {
                let state = self.card_text().unwrap_or("SIM REMOVED");
                let line = self.settings.profile.keyed("+CPIN", state);
                self.urc(&line);
            }
        }
        true
    }

    /// `READY`, `SIM PIN`, `SIM PUK`; `None` without a card.
    pub(in crate::sim) fn card_text(&self) -> Option<&'static str> {
        match self.radio.card {
            Card::Absent => None,
            Card::Ready => Some("READY"),
            Card::Locked => Some("SIM PIN"),
            Card::Blocked => Some("SIM PUK"),
        }
    }
}
