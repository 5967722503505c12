//! Host names.

use std::net::IpAddr;

use super::super::line::Form;
use super::super::machine::Machine;
use super::super::network::Network;
use super::super::result::{Cme, Outcome};
use super::{Table, text};

pub(super) const TABLE: Table = &[("+CDNSGIP", resolve), ("+CDNSCFG", servers)];

/// Names being asked for at once; more are refused (bounds memory, assumed).
const MAX_QUERIES: usize = 16;
/// The longest name (manual: as in CIPSTART).
const MAX_NAME: usize = 128;

/// `OK`, then `+CDNSGIP: 1,"name","address"` when the answer is there.
fn resolve(machine: &mut Machine, network: &mut dyn Network, form: &Form) -> Outcome {
    let args = match form {
        Form::Set(args) => args,
        Form::Test => return Outcome::Ok,
        Form::Read | Form::Execute => return Outcome::ERROR,
    };
    if !machine.ip.is_active() {
        return Outcome::cme(Cme::NotAllowed);
    }
    let name = text(args, 0).to_owned();
    if name.is_empty() || name.len() > MAX_NAME || machine.ip.queries.len() == MAX_QUERIES {
        return Outcome::cme(Cme::Invalid);
    }
    let query = machine.ip.number();
    network.resolve(machine.now, query, &name);
    machine.ip.queries.insert(query, name);
    Outcome::Ok
}

impl Machine {
    /// The answer to `AT+CDNSGIP`; a failure is number 15, an invalid response... of 10 (general) to 15.
    pub(in crate::sim) fn resolved(&mut self, query: u64, addresses: &[IpAddr]) {
        let Some(name) = self.ip.queries.remove(&query) else {
            return;
        };
        let value = if addresses.is_empty() {
            "0,10".to_owned()
        } else {
            // At most two addresses (manual).
            let shown = addresses.iter().take(2).map(|address| format!(",\"{address}\""));
            format!("1,\"{name}\"{}", shown.collect::<String>())
        };
        let line = self.settings.profile.keyed("+CDNSGIP", &value);
        self.urc(&line);
    }
}

fn servers(machine: &mut Machine, _: &mut dyn Network, form: &Form) -> Outcome {
    match form {
        Form::Read => {
            let [primary, secondary] = machine.ip.name_servers.clone();
            machine.info(&format!("PrimaryDns: {primary}\r\nSecondaryDns: {secondary}"));
        }
        Form::Test => {}
        Form::Set(args) => {
            let valid = |place: usize| text(args, place).parse::<IpAddr>().ok();
            let Some(primary) = valid(0) else {
                return Outcome::cme(Cme::Invalid);
            };
            machine.ip.name_servers[0] = primary.to_string();
            if let Some(secondary) = valid(1) {
                machine.ip.name_servers[1] = secondary.to_string();
            }
        }
        Form::Execute => return Outcome::ERROR,
    }
    Outcome::Ok
}
