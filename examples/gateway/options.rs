//! The command line of the gateway.

use std::collections::HashSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use air724ug::{Config, PortKind, ReceiveMode};

use crate::common::shell::Arguments;
use crate::common::{Usage, any_host_and_port, host_and_port, number, port_root, positive, seconds, unknown};

pub const USAGE: &str = "\
Lets every program use a modem: as a SOCKS5 or HTTP proxy, or by forwarded ports. Needs no rights and changes nothing in the
system's network. Shows the state of the modems as a page and as metrics for Prometheus. Ends on Ctrl-C.

usage: gateway [options]

  --port [NAME=]PORT   a module's AT port: /dev/ttyUSB0, imei:NUMBER, usb:PLACE, tcp://HOST:PORT, rfc2217://HOST:PORT; or
                       `all`, every module on USB; may be given several times [one simulated modem]
  --simulate N         simulated modems without --port [1]
  --baud N             line rate of the ports [115200]
  --apn NAME           access point name [the network's own]
  --pin PIN            the SIM cards' PIN; tried once [none]
  --manual             leaves data in the module until a client takes them: for clients that pause
  --socks [IP:]PORT    SOCKS5; the user name is the modem: its name, its number from 1 on, or its IMEI [127.0.0.1:1080]
  --http [IP:]PORT     HTTP proxy (CONNECT and http:// URLs), the status page and /metrics [127.0.0.1:8118]
  --host NAME          another name of this machine in URLs of these pages, beside localhost and its addresses; may be given
                       several times
  --forward LOCAL=HOST:PORT
                       [IP:]PORT here leads to HOST:PORT there; may be given several times
  --mqtt HOST:PORT     reports the modems to a broker, and takes its commands: air724ug/status, air724ug/NAME/state, .../event,
                       .../command (restart, flight on, flight off); needs --features examples-net
  --wait SECONDS       how long a connection waits for a free channel or a modem that is ready [30]
  --linger SECONDS     how long a client that has sent everything still gets answers, once nothing comes; on Linux one of this
                       machine that has closed gives its channel back at once [2]
  --for SECONDS        ends after that [it runs until Ctrl-C]
  --help               this text
  --version            its version

Addresses without an IP are on 127.0.0.1. There is no password: do not listen on a network that others use.
";

/// The options.
pub struct Options {
    pub ports: Vec<(String, PortChoice)>,
    pub config: Config,
    pub socks: SocketAddr,
    pub http: SocketAddr,
    pub forwards: Vec<Forward>,
    pub mqtt: Option<(String, u16)>,
    pub wait: Duration,
    pub linger: Duration,
    pub hosts: Vec<String>,
    pub span: Option<Duration>,
}

/// The port of a modem.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PortChoice {
    Named(String),
    /// The number of a simulated modem.
    Simulated(usize),
}

impl fmt::Display for PortChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(path) => f.write_str(path),
            Self::Simulated(_) => f.write_str("simulated"),
        }
    }
}

/// A local address that leads to a server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Forward {
    pub local: SocketAddr,
    pub host: String,
    pub port: u16,
}

pub fn parse(args: &mut Arguments) -> Result<Options, Usage> {
    let mut options = Options {
        ports: Vec::new(),
        config: port_root::config(),
        socks: local(1080),
        http: local(8118),
        forwards: Vec::new(),
        mqtt: None,
        wait: Duration::from_secs(30),
        linger: Duration::from_secs(2),
        hosts: Vec::new(),
        span: None,
    };
    let (mut given, mut simulated) = (Vec::new(), None);
    let wants_help = args.each_option(|option, args| {
        let mut value = || args.value();
        match option {
            "--manual" => options.config.receive_mode = ReceiveMode::Manual,
            "--port" => given.push(value()?),
            "--simulate" => simulated = Some(positive(option, &value()?)?),
            "--baud" => options.config.baud_rate = number(option, &value()?)?,
            "--apn" => options.config.apn = Some(value()?),
            "--pin" => options.config.pin = Some(value()?),
            "--socks" => options.socks = address(option, &value()?)?,
            "--http" => options.http = address(option, &value()?)?,
            "--host" => options.hosts.push(value()?),
            "--forward" => options.forwards.push(forward(&value()?)?),
            "--mqtt" if cfg!(feature = "examples-net") => {
                let (host, port) = any_host_and_port(option, &value()?)?;
                options.mqtt = Some((host.trim_matches(['[', ']']).to_owned(), port));
            }
            "--mqtt" => {
                let why = "--mqtt is not in this program: build it with --features examples-net";
                return Err(Usage::Wrong(why.to_owned()));
            }
            "--wait" => options.wait = seconds(option, &value()?)?,
            "--linger" => options.linger = seconds(option, &value()?)?,
            "--for" => options.span = Some(seconds(option, &value()?)?),
            other => return unknown(other),
        }
        Ok(())
    })?;
    if wants_help {
        return Err(Usage::Help);
    }
    if simulated.is_some() && !given.is_empty() {
        return Err(Usage::Wrong("--simulate is for a gateway without --port".to_owned()));
    }
    options.config.validate().map_err(|error| Usage::Wrong(error.to_string()))?;
    options.ports = match given.as_slice() {
        [] => (1..=simulated.unwrap_or(1)).map(|number| simulated_port(number as usize)).collect(),
        given => chosen(given)?,
    };
    Ok(options)
}

fn simulated_port(number: usize) -> (String, PortChoice) {
    (format!("sim{number}"), PortChoice::Simulated(number))
}

/// The ports with their names, which are all different.
fn chosen(given: &[String]) -> Result<Vec<(String, PortChoice)>, Usage> {
    let (mut ports, mut names) = (Vec::new(), HashSet::new());
    for given in given {
        let (name, path) = match given.split_once('=') {
            Some((name, path)) if is_name(name) => (Some(name.to_owned()), path),
            _ => (None, given.as_str()),
        };
        let paths = if path.eq_ignore_ascii_case("all") { every_module()? } else { vec![path.to_owned()] };
        for path in paths {
            let short = path.trim_end_matches('/').rsplit('/').next().unwrap_or(&path).to_owned();
            let base = name.clone().unwrap_or(short);
            let numbered = (2..).map(|number| format!("{base}-{number}"));
            let mut candidates = std::iter::once(base.clone()).chain(numbered);
            // The second part is infinite, so one of them is free.
            if path.is_empty() {
                return Err(Usage::Wrong("--port is empty".to_owned()));
            }
            let name = candidates.find(|name| names.insert(name.clone())).unwrap_or_default();
            ports.push((name, PortChoice::Named(path)));
        }
    }
    Ok(ports)
}

fn is_name(text: &str) -> bool {
    (1..=32).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

/// Every module on USB, by its place.
fn every_module() -> Result<Vec<String>, Usage> {
    let ports = port_root::listed()
        .map_err(|error| Usage::Wrong(format!("the list of ports can't be read: {error}")))?;
    let modules = ports.iter().filter(|port| port.kind == PortKind::Module);
    let mut places: Vec<_> =
        modules.filter_map(|port| Some(format!("usb:{}", port.usb.as_ref()?.location))).collect();
    places.dedup();
    match places.is_empty() {
        true => Err(Usage::Wrong(
            "--port all: no module is on USB; the example `ports` shows what there is".to_owned(),
        )),
        false => Ok(places),
    }
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

/// `[IP:]PORT`.
fn address(option: &str, text: &str) -> Result<SocketAddr, Usage> {
    let port = || text.parse().map(local).ok();
    text.parse().ok().or_else(port).ok_or_else(|| {
        Usage::Wrong(format!(
            "{option} takes a port or IP:PORT, such as 1080 or 127.0.0.1:1080, not \"{text}\""
        ))
    })
}

/// `[IP:]PORT=HOST:PORT`.
fn forward(text: &str) -> Result<Forward, Usage> {
    let Some((here, there)) = text.split_once('=') else {
        let why = format!("--forward takes LOCAL=HOST:PORT, such as 2222=example.com:22, not \"{text}\"");
        return Err(Usage::Wrong(why));
    };
    let (host, port) = host_and_port("--forward", there)?;
    Ok(Forward { local: address("--forward", here)?, host, port })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(args: &[&str]) -> Result<Options, String> {
        parse(&mut Arguments::of(args)).map_err(|usage| format!("{usage:?}"))
    }

    fn names(args: &[&str]) -> Vec<String> {
        parsed(args).unwrap().ports.into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn every_modem_has_a_name_of_its_own() {
        assert_eq!(names(&[]), ["sim1"]);
        assert_eq!(names(&["--simulate", "3"]), ["sim1", "sim2", "sim3"]);
        let ports = [
            "--port",
            "/dev/ttyUSB0",
            "--port",
            "lab=/dev/ttyUSB3",
            "--port",
            "/x/ttyUSB0",
            "--port",
            "imei:1",
        ];
        assert_eq!(names(&ports), ["ttyUSB0", "lab", "ttyUSB0-2", "imei:1"]);
    }

    #[test]
    fn addresses_are_on_loopback_unless_they_say_otherwise() {
        let options =
            parsed(&["--socks", "0", "--http", "0.0.0.0:80", "--forward", "2222=a.test:22"]).unwrap();
        assert_eq!(options.socks, local(0));
        assert_eq!(options.http.to_string(), "0.0.0.0:80");
        assert_eq!(options.forwards, [Forward { local: local(2222), host: "a.test".to_owned(), port: 22 }]);
    }

    #[test]
    fn wrong_options_are_reported() {
        for args in [
            &["--socks", "x"][..],
            &["--forward", "2222"],
            &["--forward", "2222=a"],
            &["--forward", "2222=[::1]:22"],
            &["--port", ""],
            &["--port", "lab="],
            &["--simulate", "0"],
            &["--simulate", "2", "--port", "x"],
            &["--wait"],
            &["--wait", "0"],
            &["--pin", "abc"],
            &["nothing"],
        ] {
            assert!(parsed(args).is_err(), "{args:?}");
        }
    }
}
