//! A gateway through which every program can use a modem: as a SOCKS5 or HTTP proxy, or by forwarded ports; with a
//! status page and metrics.
//!
//! ```text
//! cargo run --example gateway
//! curl --socks5-hostname 127.0.0.1:1080 http://example.com/
//! cargo run --example gateway -- --port /dev/ttyUSB0 --port /dev/ttyUSB3 --forward 2222=example.com:22
//! ```

#[path = "../common/mod.rs"]
mod common;

mod asking;
mod body;
mod client_end;
mod facts;
mod fleet;
#[cfg(feature = "examples-net")]
mod fleet_over_mqtt;
mod history;
mod host;
mod http;
mod listen;
mod member;
mod metrics;
mod options;
mod page;
mod relay;
#[cfg(feature = "examples-net")]
#[path = "../mqtt/session.rs"]
mod session;
mod socks;
mod status;

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::thread;
use std::time::{Duration, Instant};

use air724ug::crossbeam_channel::{Receiver, Sender, after, bounded, never, select, unbounded};
use asking::Asking;
use common::shell::Arguments;
use common::{Failed, step};
use fleet::{Changes, Fleet};
use listen::{Gateway, Service};
use member::Member;
use options::Options;
use relay::Relays;
use status::Counts;

/// The time-out of the end: the sockets are closed on the module, the ports on this side.
const END: Duration = Duration::from_millis(1500);

fn main() -> ExitCode {
    env_logger::init();
    let options = options::parse(&mut Arguments::of_process());
    common::finish("gateway", options::USAGE, options.map_err(Failed::from).and_then(run))
}

fn run(options: Options) -> Result<(), Failed> {
    let interrupted = interruption()?;
    let (notes, incoming) = unbounded();
    let (stop, stopped) = bounded(0);
    let (gateway, keepers) = start(&options, notes, &stopped);
    let (copies, copied) = unbounded();
    let reporter = report_to_broker(&gateway, &options, copied);
    let result =
        listen(&gateway, &options).and_then(|()| talk(&incoming, &copies, &interrupted, options.span));
    drop(copies);
    let until = Instant::now() + END;
    drop(stop);
    gateway.relays.end();
    // Sockets of clients that are open on the module are closed first.
    while gateway.relays.count() > 0 && Instant::now() < until {
        common::pause(Duration::from_millis(10));
    }
    let ends = gateway.fleet.members.iter().zip(keepers);
    let unanswered: Vec<_> = ends
        .filter(|(_, keeper)| keeper.recv_deadline(until) != Ok(true))
        .map(|(member, _)| member.name.as_str())
        .collect();
    let _ = reporter.recv_deadline(until);
    result?;
    match unanswered.as_slice() {
        [] => step("ended", "all connections are closed"),
        names => {
            let names = names.join(", ");
            step(
                "ended",
                format_args!("{names}: no answer; connections there are open until the modem is used again"),
            )
        }
    }
}

/// Ctrl-C and SIGTERM.
fn interruption() -> Result<Receiver<()>, Failed> {
    let (sender, interrupted) = bounded(1);
    let handler = move || {
        // After a second signal the first is still waiting.
        let _ = sender.try_send(());
    };
    ctrlc::set_handler(handler)
        .map_err(|error| Failed::Job(format!("Ctrl-C can't be handled: {error}"), None))?;
    Ok(interrupted)
}

/// Opens the modems, each with a keeper thread; the channels report the ends of the keepers, and whether their modems
/// have closed every connection.
fn start(
    options: &Options,
    notes: Sender<(String, String)>,
    stopped: &Receiver<()>,
) -> (Arc<Gateway>, Vec<Receiver<bool>>) {
    let member = |(name, choice): &(String, options::PortChoice)| {
        Member::new(name.clone(), choice.clone(), options.config.clone(), notes.clone())
    };
    let fleet = Fleet::new(options.ports.iter().map(member).collect(), options.wait);
    let keep = |member: &Arc<Member>| {
        let (member, changes, stopped): (_, Arc<Changes>, _) =
            (member.clone(), fleet.changes.clone(), stopped.clone());
        let (ends, ended) = bounded(1);
        thread::spawn(move || {
            // The program may have ended.
            let _ = ends.send(member.keep(changes, stopped));
        });
        ended
    };
    let keepers = fleet.members.iter().map(keep).collect();
    let gateway = Gateway {
        fleet,
        relays: Relays::default(),
        counts: Counts::new(),
        linger: options.linger,
        hosts: options.hosts.clone(),
        notes,
        clients: AtomicUsize::new(0),
        asking: Asking::default(),
    };
    (Arc::new(gateway), keepers)
}

fn listen(gateway: &Arc<Gateway>, options: &Options) -> Result<(), Failed> {
    let open = |address: SocketAddr, service: Service, option: &str| {
        gateway.listen(address, service).map_err(|error| {
            let advice = match error.kind() {
                ErrorKind::AddrNotAvailable => {
                    "the IP must be one of this machine, or 0.0.0.0 for all of them"
                }
                ErrorKind::PermissionDenied => {
                    "ports below 1024 need a right of the system; 0 takes any port"
                }
                _ => "does another gateway run? Another port is free, and 0 takes any",
            };
            Failed::Job(format!("{option}: can't listen on {address}: {error}"), Some(advice))
        })
    };
    let socks = open(options.socks, Service::Socks, "--socks")?;
    step("SOCKS5", format_args!("{socks}, as in: curl --socks5-hostname {socks} http://example.com/"))?;
    let http = open(options.http, Service::Http, "--http")?;
    step("HTTP proxy", format_args!("{http}, as in: curl -x http://{http} https://example.com/"))?;
    for forward in &options.forwards {
        let (host, port) = (forward.host.clone(), forward.port);
        let local = open(forward.local, Service::Forward(host.clone(), port), "--forward")?;
        step("forward", format_args!("{local} leads to {host}:{port}"))?;
    }
    step("status", format_args!("http://{http}/ is the page, http://{http}/metrics are the figures"))?;
    let names: Vec<_> =
        gateway.fleet.members.iter().map(|member| format!("{} ({})", member.name, member.port)).collect();
    step("modems", names.join(", "))
}

/// Starts the reports to a broker; the channel reports their end.
#[cfg(feature = "examples-net")]
fn report_to_broker(
    gateway: &Arc<Gateway>,
    options: &Options,
    notes: Receiver<(String, String)>,
) -> Receiver<()> {
    let (ends, ended) = bounded(0);
    if let Some(broker) = options.mqtt.clone() {
        let gateway = gateway.clone();
        thread::spawn(move || {
            fleet_over_mqtt::publish(&gateway, &broker, &notes);
            drop::<Sender<()>>(ends);
        });
    }
    ended
}

/// Without the client there are no reports.
#[cfg(not(feature = "examples-net"))]
fn report_to_broker(_: &Arc<Gateway>, options: &Options, _: Receiver<(String, String)>) -> Receiver<()> {
    debug_assert!(options.mqtt.is_none(), "the option is refused");
    bounded(0).1
}

/// Prints the notes until the program ends.
fn talk(
    incoming: &Receiver<(String, String)>,
    copies: &Sender<(String, String)>,
    interrupted: &Receiver<()>,
    span: Option<Duration>,
) -> Result<(), Failed> {
    let end = span.map_or_else(never, after);
    loop {
        select! {
            recv(incoming) -> note => match note {
                Ok((name, text)) => {
                    // Without a broker there is no reader.
                    let _ = copies.send((name.clone(), text.clone()));
                    step(&name, text)?;
                }
                Err(_) => return Ok(()),
            },
            recv(interrupted) -> _ => return Ok(()),
            recv(end) -> _ => return Ok(()),
        }
    }
}
