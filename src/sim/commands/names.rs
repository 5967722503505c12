//! Commands for host names.

use std::net::IpAddr;
use std::time::Duration;

use super::super::line::Form;
use super::super::machine::Machine;
use super::super::ping::Ping;
use super::super::result::{Cme, Outcome};
use super::forms::{List, Table, text};

pub(super) const TABLE: Table = &[("+CDNSGIP", resolve), ("+CDNSCFG", servers), ("+CIPPING", ping)];

/// The name servers that the network provides with the bearer: those of the manual's example (CDNSCFG).
const NETWORK_SERVERS: [&str; 2] = ["211.136.112.50", "211.136.150.66"];
/// The address of an unknown name server.
const UNKNOWN_SERVER: &str = "0.0.0.0";
/// The most simultaneous queries; further ones are refused (limits memory, assumed).
const MAX_QUERIES: usize = 16;
/// Count, bytes, tenths of a second, time to live. Later Air780E firmware has endless pings (count 0).
const PING: List<4> = List {
    key: "+CIPPING",
    test: "(1-100),(0-1024),(1-600),(1-255)",
    bounds: [(1, 100), (0, 1024), (1, 600), (1, 255)],
    needed: 0,
};
/// The manual's defaults; the manual has none for the time-out, so it is that of the SIM800: 10 s.
const PING_DEFAULTS: [u16; 4] = [4, 32, 100, 64];
/// The longest name (manual: as in CIPSTART).
const MAX_NAME: usize = 128;

/// `OK`, then `+CDNSGIP: 1,"name","address"` when the answer comes.
fn resolve(machine: &mut Machine, form: &Form) -> Outcome {
    let args = match form {
        Form::Set(args) => args,
        Form::Test => return Outcome::Ok,
        Form::Read | Form::Execute => return Outcome::ERROR,
    };
    if !machine.ip.is_active() {
        return Outcome::cme(Cme::NotAllowed);
    }
    let name = text(args, 0).to_owned();
    // A wrong form is answered with ERROR (manual, CDNSGIP).
    if name.is_empty() || name.len() > MAX_NAME || args.len() > 1 || machine.ip.queries.len() == MAX_QUERIES {
        return Outcome::ERROR;
    }
    let query = machine.ip.number();
    machine.network.resolve(machine.now, query, &name);
    machine.ip.queries.insert(query, name);
    Outcome::Ok
}

/// `AT+CIPPING=<host>[,<count>[,<bytes>[,<tenths of a second>[,<time to live>]]]]` (manual).
fn ping(machine: &mut Machine, form: &Form) -> Outcome {
    let args = match form {
        Form::Set(args) => args,
        Form::Read => {
            machine.keyed("+CIPPING", &PING_DEFAULTS.map(|number| number.to_string()).join(","));
            return Outcome::Ok;
        }
        Form::Test => {
            machine.keyed("+CIPPING", PING.test);
            return Outcome::Ok;
        }
        Form::Execute => return Outcome::ERROR,
    };
    if !machine.ip.is_active() {
        return Outcome::cme(Cme::NotAllowed);
    }
    let host = text(args, 0).to_owned();
    let numbers = PING.take(&args[1..], PING_DEFAULTS);
    match numbers {
        Some([count, _, tenths, _]) if !host.is_empty() && host.len() <= MAX_NAME => {
            let timeout = Duration::from_millis(u64::from(tenths) * 100);
            machine.begin_pings(Ping::new(host, count, timeout))
        }
        _ => Outcome::cme(Cme::Invalid),
    }
}

fn servers(machine: &mut Machine, form: &Form) -> Outcome {
    match form {
        Form::Read => {
            let chosen = machine.ip.name_servers.clone();
            let network = machine.ip.is_active().then_some(NETWORK_SERVERS);
            let [primary, secondary] = match (chosen, network) {
                (Some(chosen), _) => chosen,
                (None, Some(network)) => network.map(str::to_owned),
                (None, None) => [UNKNOWN_SERVER; 2].map(str::to_owned),
            };
            machine.info(&format!("PrimaryDns: {primary}\r\nSecondaryDns: {secondary}"));
        }
        Form::Test => machine.keyed("+CDNSCFG", "(\"Primary DNS\"),(\"Secondary DNS\")"),
        Form::Set(args) => {
            let valid = |place: usize| text(args, place).parse::<IpAddr>().ok();
            let secondary = if args.len() > 1 { valid(1).map(Some) } else { Some(None) };
            let (Some(primary), Some(secondary)) = (valid(0), secondary) else {
                return Outcome::cme(Cme::Invalid);
            };
            let before = machine.ip.name_servers.take().map(|[_, secondary]| secondary);
            let secondary = secondary.map(|secondary| secondary.to_string()).or(before);
            let secondary = secondary.unwrap_or_else(|| UNKNOWN_SERVER.to_owned());
            machine.ip.name_servers = Some([primary.to_string(), secondary]);
        }
        Form::Execute => return Outcome::ERROR,
    }
    Outcome::Ok
}
