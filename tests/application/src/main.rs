//! An application with default features. It contains the code of the README, and names each type that the code meets.

use std::convert::Infallible;
use std::env;
use std::io::{Read, Write};
use std::net::Ipv4Addr;
use std::time::Duration;

use air724ug::error::{
    CmeError, CmsError, DeliveryUnknown, DnsError, InUse, InvalidText, Refusal, TcpError, TlsFailure, TlsKey,
    TlsPart, TlsStep, UdpError,
};
use air724ug::event::{
    AccessTechnology, BringUpStep, Deadline, Fault, HeartbeatFailure, SimState, SocketId, Urc,
};
use air724ug::query::{
    Clock, ContextState, CurrentOperator, Domain, DomainRegistration, Operator, PdpContexts, Ping, Query,
    Resolve, Signal,
};
use air724ug::statistics::{CommandStatistics, HeartbeatStatistics, Histogram, SocketStatistics, Statistics};
use air724ug::supervisor::{Gap, Missing, Policy, Rung, Step, Supervisor};
use air724ug::tls::{CipherSuite, SecurityLevel, TlsVersion};
use air724ug::{
    ChannelId, ClockTime, CloseReason, Config, Error, Event, Modem, NotReady, PingReply, Received,
    RegistrationStatus, SignalQuality, Socket, TlsConfig,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (modem, page) = readme(&env::args().nth(1).unwrap_or_else(|| "/dev/ttyUSB0".into()))?;
    println!("{} bytes, {:?}", page.len(), questions(&modem));
    let events = modem.events();
    let supervisor =
        Supervisor::new(modem.clone(), Policy::default().ladder([(Rung::Retry, 3), (Rung::Restart, 1)]));
    let socket = supervisor.tcp("example.com", 7);
    match socket.recv(Duration::from_secs(1)) {
        Ok(incoming) => println!("{}", came(incoming)),
        Err(error) => println!("{}", cause(&error)),
    }
    println!("{:?}", supervisor.events().try_iter().collect::<Vec<Step>>());
    println!("{}", counted(&modem.statistics()));
    events.try_iter().for_each(|event| println!("{}", event_text(event)));
    Ok(())
}

/// The code of the README.
fn readme(path: &str) -> Result<(Modem, Vec<u8>), Box<dyn std::error::Error>> {
    let mut page = Vec::new();
    let modem = Modem::open(path, Config::default())?;
    modem.wait_ready(Duration::from_secs(90))?;
    let mut socket = modem.tcp().connect(("example.com", 80))?;
    socket.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
    socket.read_to_end(&mut page)?;
    Ok((modem, page))
}

/// Asks every query in the same way.
fn questions(modem: &Modem) -> air724ug::Result<()> {
    fn ask<Q: Query>(modem: &Modem, question: Q) -> air724ug::Result<Q::Answer> {
        modem.query(&question)
    }
    let _: SignalQuality = ask(modem, Signal)?;
    let _: ClockTime = ask(modem, Clock)?;
    let _: Vec<ContextState> = ask(modem, PdpContexts)?;
    let _: Option<Operator> = ask(modem, CurrentOperator)?;
    let _: RegistrationStatus = ask(modem, DomainRegistration(Domain::Lte))?;
    let _: Vec<PingReply> = ask(modem, Ping::new("example.com")?)?;
    let resolve: Result<Resolve, InvalidText> = Resolve::new("example.com");
    let _: Result<Vec<Ipv4Addr>, DnsError> = ask(modem, resolve?.within(Duration::from_secs(9)))?;
    let tls = TlsConfig::unverified().version(TlsVersion::Tls1_2);
    let _: (SecurityLevel, Option<CipherSuite>) = (tls.security_level(), None);
    tls.settings("example.com").map(drop)
}

fn came(received: Received<Infallible, Gap>) -> String {
    match received {
        Received::Data(data) => format!("{} bytes", data.len()),
        Received::Gap(Gap { missing: Missing::Unknown { why, .. }, .. }) => {
            format!("{why:?}: {}", unknown(why))
        }
        Received::Gap(gap) => format!("the peer may lack {}", gap.missing),
        Received::Timeout => "nothing".into(),
    }
}

fn unknown(why: DeliveryUnknown) -> bool {
    matches!(why, DeliveryUnknown::Datagrams | DeliveryUnknown::Tls)
}

/// The contents of an error.
fn cause(error: &Error) -> String {
    let refused = |code: &Refusal| match code {
        Refusal::Cme(code) => {
            let code: &CmeError = code;
            code.to_string()
        }
        Refusal::Cms(code) => {
            let code: &CmsError = code;
            code.to_string()
        }
        other => other.to_string(),
    };
    match error {
        Error::Refused { code, .. } | Error::ConnectFailed(code) => refused(code),
        Error::NotReady(NotReady::BearerRefused(code)) => refused(code),
        Error::NotReady(NotReady::WeakSignal(signal)) => {
            let signal: &SignalQuality = signal;
            signal.to_string()
        }
        Error::InUse(InUse::Sockets | InUse::Transparent) => "in use".into(),
        Error::Tls { step: TlsStep::Configure(TlsKey::HostName) | TlsStep::Upload(TlsPart::Ca), why } => {
            let why: &TlsFailure = why;
            why.to_string()
        }
        Error::Closed(reason) => {
            let reason: &CloseReason = reason;
            reason.to_string()
        }
        other => other.to_string(),
    }
}

/// The contents of an event.
fn event_text(event: Event) -> String {
    match event {
        Event::Urc(Urc::TcpError(_, code)) => {
            let code: Option<TcpError> = code;
            format!("{code:?}")
        }
        Event::Urc(Urc::UdpError(_, code)) => {
            let code: Option<UdpError> = code;
            format!("{code:?}")
        }
        Event::Urc(Urc::Registration(domain, status)) => {
            let _: (Domain, RegistrationStatus) = (domain, status);
            "registration".into()
        }
        Event::Urc(Urc::Sim(state)) => {
            let state: SimState = state;
            format!("{state:?}")
        }
        Event::Urc(Urc::Service(access)) => {
            let access: AccessTechnology = access;
            format!("{access:?}")
        }
        Event::Step(step) => {
            let step: BringUpStep = step;
            format!("{step:?}")
        }
        Event::Connected(id) => {
            let id: SocketId = id;
            format!("{id:?}")
        }
        Event::HeartbeatFailed(_, why) => {
            let why: HeartbeatFailure = why;
            format!("{why:?}")
        }
        Event::Stray(channel, len) => {
            let channel: ChannelId = channel;
            format!("{channel}: {len}")
        }
        Event::Fault(fault) => {
            let fault: Fault = fault;
            fault.to_string()
        }
        Event::Expired(deadline) => {
            let deadline: Deadline = deadline;
            format!("{deadline:?}")
        }
        other => format!("{other:?}"),
    }
}

fn counted(statistics: &Statistics) -> String {
    let command: &CommandStatistics = &statistics.commands;
    let histogram: &Histogram = &command.latency;
    let _: fn(&Socket) -> SocketStatistics = Socket::statistics;
    let _: fn(&Socket) -> Option<HeartbeatStatistics> = Socket::heartbeat_statistics;
    format!("{histogram:?}")
}
