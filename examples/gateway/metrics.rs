//! The state of the modems in the text format of Prometheus. The names are those of ModemManager's exporter, if it has
//! one, with the prefix `air724ug`.

use std::fmt::{Display, Write};
use std::time::Duration;

use air724ug::RegistrationStatus;
use air724ug::statistics::{Histogram, Statistics};

use crate::member::Snapshot;
use crate::status::Traffic;

/// The content type of the format.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A counter of [`Statistics`]: its name, its help, its value.
type Counter = (&'static str, &'static str, fn(&Statistics) -> u64);

const COUNTERS: [Counter; 17] = [
    ("port_written_bytes_total", "Bytes written to the port.", |s| s.written),
    ("port_read_bytes_total", "Bytes read from the port.", |s| s.read),
    ("lost_bytes_total", "Bytes that came and were lost: a full window, or a damaged line.", |s| s.lost),
    ("unsent_bytes_total", "Bytes that the module never took.", |s| s.unsent),
    ("sockets_opened_total", "Connections that came about.", |s| s.opened),
    ("sockets_failed_total", "Connections that did not come about.", |s| s.failed),
    ("sockets_closed_total", "Connections that have ended.", |s| s.closed),
    ("modem_restarts_total", "Restarts of the module, asked for or not.", |s| s.restarts),
    ("bearer_losses_total", "Losses of the bearer.", |s| s.bearer_losses),
    ("port_losses_total", "Losses of the port.", |s| s.port_losses),
    ("unresponsive_total", "Times that nothing answered on the port.", |s| s.unresponsive),
    ("resynchronisations_total", "Questions that find out what the next answer is for.", |s| {
        s.resynchronisations
    }),
    ("commands_total", "Commands written.", |s| s.commands.written),
    ("commands_refused_total", "Commands that the module refused.", |s| s.commands.refused),
    ("commands_timed_out_total", "Commands without an answer in time.", |s| s.commands.timed_out),
    ("line_faults_total", "Breaks of the module's grammar.", |s| s.faults),
    ("unsolicited_total", "Unsolicited lines and headers of the modules.", |s| s.urcs),
];

/// All metrics.
pub fn metrics(modems: &[Snapshot], traffic: &Traffic) -> String {
    let mut page = MetricsPage(String::new());
    page.gateway(traffic);
    page.identity(modems);
    page.network(modems);
    for (name, help, value) in COUNTERS {
        page.head(name, "counter", help);
        for modem in modems {
            page.sample(name, &[("modem", &modem.name)], value(&modem.statistics));
        }
    }
    page.carried(modems);
    let latency = |modem: &Snapshot| modem.statistics.commands.latency.clone();
    page.histograms("command_duration_seconds", "From a command to its answer.", modems, latency);
    let connects = |modem: &Snapshot| modem.statistics.connects.clone();
    page.histograms("connect_duration_seconds", "From the command to the connection.", modems, connects);
    page.0
}

/// The text that is written so far.
struct MetricsPage(String);

impl MetricsPage {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP air724ug_{name} {help}\n# TYPE air724ug_{name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let labels: Vec<_> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.0, "air724ug_{name}{labels} {value}");
    }

    fn gateway(&mut self, traffic: &Traffic) {
        self.head("gateway_uptime_seconds", "gauge", "Since the start of the gateway.");
        self.sample("gateway_uptime_seconds", &[], traffic.uptime.as_secs());
        self.head(
            "gateway_connections",
            "gauge",
            "Connections of clients: that stand, that wait for a modem.",
        );
        self.sample("gateway_connections", &[("state", "open")], traffic.open);
        self.sample("gateway_connections", &[("state", "waiting")], traffic.waiting);
        self.head("gateway_refused_total", "counter", "Connections of clients that did not come about.");
        for (reason, count) in &traffic.refused {
            self.sample("gateway_refused_total", &[("reason", reason)], count);
        }
    }

    fn identity(&mut self, modems: &[Snapshot]) {
        self.head("modem_info", "gauge", "The module; always 1.");
        for modem in modems {
            let identity = modem.facts.identity.as_ref();
            let labels = [
                ("modem", modem.name.as_str()),
                ("port", &modem.port),
                ("imei", identity.map_or("", |identity| &identity.imei)),
                ("firmware", identity.map_or("", |identity| &identity.firmware)),
                ("operator", modem.facts.operator.as_deref().unwrap_or_default()),
            ];
            self.sample("modem_info", &labels, 1);
        }
        self.head("modem_ready", "gauge", "1 if connections can be made.");
        for modem in modems {
            self.sample("modem_ready", &[("modem", &modem.name)], u8::from(modem.is_ready));
        }
        self.head("modem_uptime_seconds", "gauge", "Since the modem has been ready; 0 if it is not.");
        for modem in modems {
            self.sample("modem_uptime_seconds", &[("modem", &modem.name)], modem.uptime.as_secs());
        }
        self.head("sockets_open", "gauge", "Channels in use, of eight.");
        for modem in modems {
            let open = modem.statistics.opened.saturating_sub(modem.statistics.closed);
            self.sample("sockets_open", &[("modem", &modem.name)], open);
        }
    }

    fn network(&mut self, modems: &[Snapshot]) {
        self.head("modem_signal_rssi_dbm", "gauge", "Received signal strength; absent if it is not known.");
        for modem in modems {
            if let Some(dbm) = modem.history.last_signal() {
                self.sample("modem_signal_rssi_dbm", &[("modem", &modem.name)], dbm);
            }
        }
        let help = "Registration by domain: 0 not, 1 home, 2 searching, 3 denied, 4 unknown, 5 roaming, 6 SMS only, 8 emergency \
                    only (3GPP 27.007).";
        self.head("network_registration_state", "gauge", help);
        for modem in modems {
            let Some(registration) = modem.facts.registration else { continue };
            let domains = [
                ("lte", registration.lte),
                ("packet", registration.packet),
                ("circuit", registration.circuit),
            ];
            for (domain, status) in domains {
                if let Some(status) = status {
                    let labels = [("modem", modem.name.as_str()), ("domain", domain)];
                    self.sample("network_registration_state", &labels, number(status));
                }
            }
        }
    }

    /// Payload, by SIM card.
    fn carried(&mut self, modems: &[Snapshot]) {
        for (name, help, is_sent) in [
            (
                "transmitted_bytes_total",
                "Payload that the module has accepted, by the last digits of the SIM card.",
                true,
            ),
            ("received_bytes_total", "Payload that came, by the last digits of the SIM card.", false),
        ] {
            self.head(name, "counter", help);
            for modem in modems {
                for (card, (sent, received)) in &modem.cards {
                    let labels = [("modem", modem.name.as_str()), ("sim", card)];
                    self.sample(name, &labels, if is_sent { sent } else { received });
                }
            }
        }
    }

    fn histograms(&mut self, name: &str, help: &str, modems: &[Snapshot], of: fn(&Snapshot) -> Histogram) {
        self.head(name, "histogram", help);
        for modem in modems {
            let histogram = of(modem);
            let (bucket, mut below) = (format!("{name}_bucket"), 0);
            for (bound, count) in histogram.buckets() {
                below += count;
                let bound =
                    if bound == Duration::MAX { "+Inf".to_owned() } else { bound.as_secs_f64().to_string() };
                self.sample(&bucket, &[("modem", &modem.name), ("le", &bound)], below);
            }
            let total = histogram.mean().unwrap_or_default().as_secs_f64() * histogram.count() as f64;
            self.sample(&format!("{name}_sum"), &[("modem", &modem.name)], total);
            self.sample(&format!("{name}_count"), &[("modem", &modem.name)], histogram.count());
        }
    }
}

/// The number of 3GPP 27.007 section 10.1.22.
fn number(status: RegistrationStatus) -> u8 {
    match status {
        RegistrationStatus::NotRegistered => 0,
        RegistrationStatus::Home => 1,
        RegistrationStatus::Searching => 2,
        RegistrationStatus::Denied => 3,
        RegistrationStatus::Roaming => 5,
        RegistrationStatus::SmsOnly => 6,
        RegistrationStatus::EmergencyOnly => 8,
        // A variant of a later version of the crate is unknown, too.
        RegistrationStatus::Unknown | _ => 4,
    }
}

/// A value of a label between its quotes.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_can_not_leave_its_quotes() {
        assert_eq!(escaped("a\"b\\c\nd"), "a\\\"b\\\\c\\nd");
    }
}
