//! A permanent connection, as the long connections of the LuatOS demos: heart data every 10 s and location data every
//! 20 s, a new connection when it is lost, and flight mode after repeated failures to connect.
//!
//! ```text
//! cargo run --example long_connection
//! cargo run --example long_connection -- --port /dev/ttyUSB0 --connect example.com:7
//! ```

mod common;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use air724ug::crossbeam_channel::{at, never, select, tick};
use air724ug::{Error, Modem, Socket};
use common::shell::Arguments;
use common::{Common, Failed, Usage, host_and_port, is_final, pause, positive, seconds, step, unknown};

const USAGE: &str = "\
Keeps a connection and sends heart data and location data on it, each at its pace; connects again when it is lost, and goes
through flight mode when connects go on failing, at attempts 5 s apart (simulated 0.1 s). The server in this program
closes the connection once and is away until the modem was in flight mode; succeeds if data come back after that.

usage: long_connection [options]

  --connect HOST:PORT  the server [one in this program; with --port there is no default]
  --heart SECONDS      between heart data [10; simulated 0.1]
  --location SECONDS   between location data [20; simulated 0.2]
  --failures N         failed attempts before flight mode [3]
  --flight SECONDS     in flight mode [20; simulated 0.5]
  --for SECONDS        ends after that; what is shown must have been shown then [until Ctrl-C; simulated 60]
";

const HEART: &[u8] = b"heart data\r\n";
const LOCATION: &[u8] = b"location data\r\n";
const ADVICE: Option<&str> = Some("is the server there? --for SECONDS gives more time");
/// The number of bytes after which the server in this program closes.
const LOST_AFTER: usize = 50;

#[derive(Default)]
struct Options {
    common: Common,
    connect: Option<(String, u16)>,
    heart: Option<Duration>,
    location: Option<Duration>,
    failures: Option<u32>,
    flight: Option<Duration>,
    span: Option<Duration>,
}

fn main() -> ExitCode {
    common::main("long_connection", USAGE, parse, run)
}

fn parse(args: &mut Arguments) -> Result<Options, Usage> {
    let mut options = Options::default();
    options.common = common::options(args, |option, value| {
        match option {
            "--connect" => options.connect = Some(host_and_port(option, &value()?)?),
            "--heart" => options.heart = Some(seconds(option, &value()?)?),
            "--location" => options.location = Some(seconds(option, &value()?)?),
            "--failures" => options.failures = Some(positive(option, &value()?)?),
            "--flight" => options.flight = Some(seconds(option, &value()?)?),
            "--for" => options.span = Some(seconds(option, &value()?)?),
            other => return unknown(other),
        }
        Ok(())
    })?;
    Ok(options)
}

fn run(options: Options) -> Result<(), Failed> {
    let common = &options.common;
    if common.port.is_some() {
        // Checked before the port is opened, because the example needs a server.
        common.server(options.connect.as_ref(), common::echo_server)?;
    }
    let modem = common.open()?;
    let server =
        common.server(options.connect.as_ref(), || common::server_with_a_gap(LOST_AFTER, modem.events()))?;
    common::bring_up(&modem)?;
    let pace = |given: Option<Duration>, real, simulated| {
        given.unwrap_or(common.pace(Duration::from_secs(real), Duration::from_millis(simulated)))
    };
    let span = options.span.or(common.port.is_none().then_some(Duration::from_secs(60)));
    let mut link = Link {
        modem,
        server,
        heart: pace(options.heart, 10, 100),
        location: pace(options.location, 20, 200),
        retry: pace(None, 5, 100),
        failures: options.failures.unwrap_or(3),
        flight: pace(options.flight, 20, 500),
        until: span.and_then(|span| Instant::now().checked_add(span)),
        proof: options.connect.is_none().then(Proof::default),
    };
    link.keep_up()
}

/// The connection with its supervision.
struct Link {
    modem: Modem,
    server: (String, u16),
    heart: Duration,
    location: Duration,
    retry: Duration,
    failures: u32,
    flight: Duration,
    until: Option<Instant>,
    /// With the server in this program: the observations of this run.
    proof: Option<Proof>,
}

#[derive(Default)]
struct Proof {
    lost: bool,
    flown: bool,
    sent: Vec<u8>,
    came_back: Vec<u8>,
}

impl Proof {
    /// True if both kinds of data were echoed, and a connection was lost and established again.
    fn is_complete(&self) -> bool {
        let has = |what: &[u8]| self.sent.windows(what.len()).any(|sent| sent == what);
        self.lost && self.flown && has(HEART) && has(LOCATION) && self.sent == self.came_back
    }
}

impl Link {
    fn keep_up(&mut self) -> Result<(), Failed> {
        while let Some(socket) = self.connect()? {
            match self.stay(&socket) {
                Ok(()) if self.proof.as_ref().is_none_or(Proof::is_complete) => {
                    socket.close()?;
                    self.modem.close();
                    step("closed", "")?;
                    return Ok(());
                }
                Ok(()) => return Err(Failed::Job("time is up, and not everything came back".into(), ADVICE)),
                Err(Failed::Modem(error)) if !is_final(&self.modem, &error) => step("lost", error)?,
                Err(failed) => return Err(failed),
            }
            self.proof =
                self.proof.take().map(|proof| Proof { lost: true, flown: proof.flown, ..Proof::default() });
        }
        Err(Failed::Job("time is up, and there is no connection".into(), ADVICE))
    }

    /// Tries until there is a connection; `None` after the time-out.
    fn connect(&mut self) -> Result<Option<Socket>, Failed> {
        let (host, port) = &self.server;
        let mut failures = 0;
        while !self.is_time_up() {
            match self.modem.tcp().connect((host, *port)) {
                Ok(socket) => {
                    step("connected", format_args!("to {host}:{port} on {:?}", socket.id()))?;
                    return Ok(Some(socket));
                }
                Err(error) if is_final(&self.modem, &error) => return Err(error.into()),
                Err(error) => step("error", error)?,
            }
            failures += 1;
            if failures % self.failures == 0 {
                step("flight mode", format_args!("for {:?}, after {failures} failures", self.flight))?;
                match fly(&self.modem, self.flight) {
                    Ok(()) => self.proof.iter_mut().for_each(|proof| proof.flown = true),
                    Err(error) if is_final(&self.modem, &error) => return Err(error.into()),
                    Err(error) => step("error", error)?,
                }
            }
            pause(self.retry);
        }
        Ok(None)
    }

    /// Sends each kind of data at its interval, and reads, until the time-out. Otherwise it returns the reason of the
    /// end.
    fn stay(&mut self, socket: &Socket) -> Result<(), Failed> {
        let (heart, location) = (tick(self.heart), tick(self.location));
        let time_up = self.until.map_or_else(never, at);
        while !self.proof.as_ref().is_some_and(Proof::is_complete) {
            select! {
                recv(time_up) -> _ => break,
                recv(heart) -> _ => self.send(socket, HEART)?,
                recv(location) -> _ => self.send(socket, LOCATION)?,
                recv(socket.readable()) -> _ => {
                    let data = socket.try_recv()?;
                    step("received", data.escape_ascii())?;
                    self.proof.iter_mut().for_each(|proof| proof.came_back.extend(&data));
                }
            }
        }
        Ok(())
    }

    fn send(&mut self, socket: &Socket, data: &[u8]) -> Result<(), Failed> {
        socket.send(data)?;
        step("sent", data.escape_ascii())?;
        self.proof.iter_mut().for_each(|proof| proof.sent.extend(data));
        Ok(())
    }

    fn is_time_up(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() >= until)
    }
}

fn fly(modem: &Modem, span: Duration) -> Result<(), Error> {
    modem.flight_mode(true)?;
    pause(span);
    modem.flight_mode(false)
}
