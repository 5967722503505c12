//! Handles that an application holds.

#[cfg(feature = "async")]
mod asynchronous;
mod connector;
mod datagrams;
mod deadline;
mod delivery;
#[cfg(feature = "diagnosis")]
mod diagnose;
#[cfg(feature = "embedded-io")]
mod embedded;
mod fair_lock;
mod heartbeat;
#[cfg(all(feature = "ports", unix))]
mod identify;
mod interrupt;
mod names;
mod received;
mod registration;
mod remote;
mod services;
mod socket;
mod statistics;
mod stream;
mod supervisor;
mod tls;
mod transparent;
pub mod transport;
mod writing;

use std::io::{Read, Write};
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::Receiver;

#[cfg(feature = "async")]
pub use asynchronous::{AsyncConnector, AsyncModem, AsyncSocket, AsyncTlsSocket, AsyncUdpSocket, Events};
pub use connector::Connector;
pub use delivery::CloseError;
#[cfg(feature = "embedded-nal")]
pub use embedded::NalSocket;
pub use heartbeat::{Heartbeat, Keepalive};
pub use received::Received;
pub use registration::Registration;
pub use remote::{Remote, ToRemote};
pub use socket::Socket;
pub use supervisor::{Gap, Missing, Policy, ReconnectingSocket, Rung, Step, Supervisor};
pub use transparent::TransparentStream;

use transport::{Tcp, Udp};

use crate::capture::{CaptureFile, Header, Recorder};
use crate::config::Config;
use crate::driver::Driver;
use crate::error::{Error, NotReady, Result};
use crate::port::{Opener, Port, PortSource};
use crate::proto::{Command, Engine, Event, Identity, Protocol, Request, Response};
use crate::query::{DomainRegistration, Query, Signal, SignalQuality};
use crate::time::Timestamp;

/// A connection over which the module speaks TLS ([`Modem::tls`]).
pub type TlsSocket = Socket<transport::Tls>;

/// A UDP association with one peer ([`Modem::udp`]).
pub type UdpSocket = Socket<Udp>;

/// An Air724UG on a port.
///
/// A handle: clones are the same modem, usable from any thread. When the last handle and the last [`Socket`] are gone,
/// the port is closed.
///
/// ```no_run
/// use air724ug::{Config, Modem};
/// use std::io::{Read, Write};
/// use std::time::Duration;
///
/// let modem = Modem::open("/dev/ttyUSB0", Config::default())?;
/// modem.wait_ready(Duration::from_secs(90))?;
/// let mut socket = modem.tcp().connect(("example.com", 80))?;
/// socket.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
/// let mut page = Vec::new();
/// socket.read_to_end(&mut page)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Modem {
    driver: Arc<Driver>,
}

impl Modem {
    /// Opens a serial port and begins to bring the module up; [`wait_ready`](Self::wait_ready) waits for that.
    ///
    /// | `path` | is | feature |
    /// |---|---|---|
    /// | `/dev/ttyUSB0`, `COM3` | a port of this machine | |
    /// | `auto` | the only module that is plugged in on USB | `ports` |
    /// | `imei:860000000000001` | the module with this IMEI, whatever its port is called | `ports` |
    /// | `usb:1-1.4` | what is plugged in here | `ports` |
    /// | `tcp://host:4001` | a port of a serial server that passes on bytes alone | `remote` |
    /// | `rfc2217://host:2217` | one that can be set up, too | `remote` |
    ///
    /// A search asks the ports of modules (USB 1782:4e00) `AT` and `AT+CGSN`, other devices only where the place names them, and
    /// takes no port that another program has locked. Once it has found a module it goes on for that one.
    ///
    /// The port is opened for this process alone. When it is lost - unplugged, without power, a module that restarts on USB -
    /// sockets and what is in flight end with [`Error::PortLost`], and it is opened again as soon as it is there, unless
    /// [`Config::reopen`] is false. A path that stays the same whatever the system calls the port is one of
    /// `/dev/serial/by-id`.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a configuration that can't be sent; [`Error::Io`] if the port can't be opened: it
    /// says which port and what to do.
    pub fn open(path: impl AsRef<Path>, config: Config) -> Result<Self> {
        let path = path.as_ref().to_str().ok_or_else(|| Error::invalid("path", "is not UTF-8"))?;
        Self::open_by(opener(path, &config), &config, path)
    }

    /// Looks for a module (`auto`, `imei:`, `usb:`) in a tree with `sys`, `dev` and `proc` elsewhere, so that a test can make its own.
    #[cfg(all(feature = "ports", unix))]
    #[doc(hidden)]
    pub fn open_below(root: &Path, name: &str, config: Config) -> Result<Self> {
        let search = crate::port::Search::named(name, &config, identify::imei);
        let search = search.ok_or_else(|| Error::invalid("name", "is no search"))?;
        Self::open_by(Opener::search(search.below(root)), &config, name)
    }

    /// Runs the modem over ports that a source of the application opens: the first one now, and others whenever one is
    /// lost, unless [`Config::reopen`] is false. What [`start`](Self::start) says of halves holds for each of them.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a configuration that can't be sent; [`Error::Io`] if the source gives no first port, or
    /// no thread can be started.
    pub fn start_from(source: impl PortSource, config: Config) -> Result<Self> {
        Self::open_by(Opener::source(source), &config, "modem")
    }

    /// Runs the modem over any pair of halves: a TCP connection to a serial server, a simulated modem, a test.
    ///
    /// Either half may block for as long as it likes, or return [`TimedOut`](std::io::ErrorKind::TimedOut) or
    /// [`WouldBlock`](std::io::ErrorKind::WouldBlock) now and then; a half that returns them at once each time keeps a
    /// processor busy. `Ok(0)` and other errors end the port. Each half has a thread of its own. The thread ends, and drops
    /// the half, with the port; after [`close`](Self::close) as soon as the half's call that is under way returns.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a configuration that can't be sent; [`Error::Io`] if no thread can be started.
    pub fn start<R, W>(reader: R, writer: W, config: Config) -> Result<Self>
    where
        R: Read + Send + 'static,
        W: Write + Send + 'static,
    {
        let engine = Engine::new(config.clone(), Timestamp::ZERO)?;
        let port = Port::Halves { reader: Box::new(reader), writer: Box::new(writer) };
        Self::run(port, None, engine, &config, "modem")
    }

    /// Waits until sockets can be opened: SIM, registered, attached, bearer up (`socket.isReady()` in LuatOS).
    ///
    /// # Errors
    /// [`Error::NotReady`] says which step is missing, [`NotReady::NoPort`] if it is the port, which may come back;
    /// [`Error::PortLost`] if the port goes away for good.
    pub fn wait_ready(&self, timeout: Duration) -> Result<()> {
        self.driver.call(Request::WaitReady { timeout }).map(drop)
    }

    /// Whether sockets can be opened now.
    pub fn is_ready(&self) -> bool {
        self.not_ready().is_none()
    }

    /// The step to readiness that is missing now; `None` when ready.
    pub fn not_ready(&self) -> Option<NotReady> {
        self.driver.with_engine(|engine, _| engine.not_ready())
    }

    /// Begins a TCP connection (`socket.tcp()`).
    pub fn tcp(&self) -> Connector<Tcp> {
        Connector::new(self.clone(), Protocol::Tcp)
    }

    /// Opens a transparent stream: one TCP connection that has the line to itself, at its full speed, without AT commands
    /// around the data (`AT+CIPMODE=1`). Waits at most 120 s; [`Connector::connect_transparent`] can wait otherwise.
    ///
    /// # Errors
    /// As for [`Connector::connect_transparent`].
    pub fn connect_transparent(&self, remote: impl ToRemote) -> Result<TransparentStream> {
        self.tcp().connect_transparent(remote)
    }

    /// Begins a UDP association with one peer (`socket.udp()`), like a connected [`std::net::UdpSocket`].
    ///
    /// Each send of at most 1460 bytes is a datagram, and each receive gives one; a longer or an empty one is
    /// [`Error::InvalidInput`]. A datagram that is lost on the way, or that finds the window full, is no error. One
    /// that is cut short between module and host counts in
    /// [`SocketStatistics::lost`](crate::statistics::SocketStatistics::lost). One that the module refuses or does not confirm
    /// fails its send, with an [`Event::Unsent`]. None of these ends the socket.
    ///
    /// [`ReceiveMode::Push`](crate::ReceiveMode::Push), the default, keeps the borders between datagrams. No source says
    /// whether the module keeps them between datagrams that wait in it for
    /// [`ReceiveMode::Manual`](crate::ReceiveMode::Manual).
    pub fn udp(&self) -> Connector<Udp> {
        Connector::new(self.clone(), Protocol::Udp)
    }

    /// The identity of the module: firmware and IMEI, as bring-up has read them.
    ///
    /// # Errors
    /// [`Error::NotReady`] before bring-up has come that far.
    pub fn identity(&self) -> Result<Identity> {
        self.driver.with_engine(|engine, _| match engine.identity() {
            known if !known.firmware.is_empty() => Ok(known.clone()),
            _ => Err(Error::NotReady(engine.not_ready().unwrap_or(NotReady::Starting))),
        })
    }

    /// Asks a [question](crate::query): waits for its turn and for the answer.
    ///
    /// ```no_run
    /// use air724ug::query::PdpContexts;
    ///
    /// let modem = air724ug::Modem::open("/dev/ttyUSB0", Default::default())?;
    /// for context in modem.query(&PdpContexts)? {
    ///     println!("context {}: active {}", context.id, context.is_active);
    /// }
    /// # Ok::<(), air724ug::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Timeout`] after the question's own time-out, 9 s of most; [`Error::Refused`] with the module's code;
    /// [`Error::Unexpected`] for an answer that can't be read; [`Error::PortLost`].
    pub fn query<Q: Query>(&self, query: &Q) -> Result<Q::Answer> {
        query_answer(query, self.driver.call(Request::query(query))?)
    }

    /// Signal quality now (`AT+CSQ`).
    ///
    /// # Errors
    /// As for [`query`](Self::query).
    pub fn signal_quality(&self) -> Result<SignalQuality> {
        self.query(&Signal)
    }

    /// Registration with the network now, in each domain that the firmware knows.
    ///
    /// # Errors
    /// [`Error::Timeout`], [`Error::PortLost`]; [`Error::Refused`] only if every domain is refused.
    pub fn registration(&self) -> Result<Registration> {
        Registration::ask(|domain| self.query(&DomainRegistration(domain)))
    }

    /// The module's own address on the network. Usually a private one: servers see that of the operator's NAT.
    ///
    /// # Errors
    /// [`Error::NotReady`] while there is none.
    pub fn local_ip(&self) -> Result<Ipv4Addr> {
        self.driver.with_engine(|engine, _| match engine.local_address() {
            Some(address) => Ok(address),
            None => Err(Error::NotReady(engine.not_ready().unwrap_or(NotReady::Starting))),
        })
    }

    /// Runs a command that this crate has no method for: the escape hatch. Gives the lines of the answer without the
    /// final. Line ends are added.
    ///
    /// ```no_run
    /// # let modem = air724ug::Modem::open("/dev/ttyUSB0", Default::default())?;
    /// let lines = modem.command("AT+ICCID", std::time::Duration::from_secs(9))?;
    /// # Ok::<(), air724ug::Error>(())
    /// ```
    ///
    /// Some answers are text that people have written: messages, names, files (`AT+CMGR`, `AT+CMGL`, `AT+CPBR`, `AT+FSREAD`,
    /// `AT+HTTPREAD`, ...). Lines in them that read like `OK` or `0, CLOSED` are part of the answer, and a question behind it
    /// proves its end. A text with an empty line (CR LF CR LF) and a `+RECEIVE` behind it can't be told from data of a socket:
    /// `AT+CMGF=0` reads messages as digits.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a text that could break the session (control bytes, data mode, echo), and for a command that
    /// waits for payload, which [`command_with_payload`](Self::command_with_payload) takes. [`Error::Refused`] with the module's
    /// code. [`Error::Timeout`] after `timeout`, which covers the wait for the command's turn too.
    pub fn command(&self, text: &str, timeout: Duration) -> Result<Vec<String>> {
        let command = Command::of_user(text, timeout)?;
        command_reply(self.driver.call(Request::Run(command))?)
    }

    /// Runs a command that waits for payload behind a prompt (`>`, `DOWNLOAD`): `AT+HTTPDATA`, `AT+MPUBEX`, `AT+CMGS` and
    /// others, also ones that this crate does not know. Writes the payload when the module asks for it, with Ctrl-Z
    /// behind it where that ends it, and gives the lines of the answer without the final. Sockets send with their own
    /// methods.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # let modem = air724ug::Modem::open("/dev/ttyUSB0", Default::default())?;
    /// modem.command("AT+HTTPINIT", Duration::from_secs(9))?;
    /// modem.command_with_payload("AT+HTTPDATA=5,10000", b"hello", Duration::from_secs(20))?;
    /// modem.command_with_payload("AT+CMGS=\"10086\"", b"text", Duration::from_secs(60))?;
    /// # Ok::<(), air724ug::Error>(())
    /// ```
    ///
    /// When the prompt is lost on the line, the module has to stop waiting. It does so by itself if the command names a
    /// waiting time; if it waits for Ctrl-Z, it gets ESC. If it waits for a number of bytes, it gets that number, as for a
    /// send: the payload, where that can do no harm as commands, or CRs.
    ///
    /// # Errors
    /// As for [`command`](Self::command), and [`Error::InvalidInput`] if command and payload do not fit: another length,
    /// Ctrl-Z or ESC in a payload that they would end, more than 32 KiB, a question or a chain. Behind
    /// [`Error::Timeout`] the module may have all of it, a part or nothing.
    pub fn command_with_payload(&self, text: &str, payload: &[u8], timeout: Duration) -> Result<Vec<String>> {
        let (command, payload) = Command::with_payload(text, payload, timeout)?;
        command_reply(self.driver.call(Request::RunWithPayload { command, payload, timeout })?)
    }

    /// Events from now on, every one, in order, for this subscriber. Dropping the receiver ends the subscription. A
    /// subscriber that lets more than 4096 events wait misses some and gets [`Event::Missed`]. When the
    /// modem is closed the last event is [`Event::PortLost`], unless the port was away then, and the receiver is
    /// disconnected, so a loop over it ends.
    pub fn events(&self) -> Receiver<Event> {
        self.driver.subscribe()
    }

    /// Waits until [`Config::capture`] has everything that was recorded so far, at most a second. Nothing to do without a
    /// capture. Also works on a modem that is closed.
    ///
    /// # Errors
    /// [`Error::Io`] says why the capture is short: it ended early ([`Event::CaptureEnded`]), or its file takes nothing now.
    pub fn flush_capture(&self) -> Result<()> {
        let explain = |error: std::io::Error| {
            std::io::Error::new(error.kind(), format!("the capture is not complete: {error}")).into()
        };
        self.driver.flush_capture().map_err(explain)
    }

    /// Closes the port. Every waiting call gets [`Error::PortLost`], and sockets end with it. What is open on the
    /// module stays open there until it restarts or is brought up again: close sockets first.
    ///
    /// When this returns, the port can be opened again and a [capture](Config::capture) is complete. It waits at most a
    /// second for a half given to [`start`](Self::start) that blocks, and at most a second for a file that takes nothing.
    pub fn close(&self) {
        self.driver.close();
    }

    /// Whether the modem has no port and expects none back: it was closed, or its port was lost for good.
    pub fn is_closed(&self) -> bool {
        self.driver.is_closed()
    }

    fn open_by(mut opener: Opener, config: &Config, on: &str) -> Result<Self> {
        let engine = Engine::new(config.clone(), Timestamp::ZERO)?;
        let port = opener.open()?;
        Self::run(port, opener.again().filter(|_| config.reopen), engine, config, on)
    }

    fn run(port: Port, opener: Option<Opener>, engine: Engine, config: &Config, on: &str) -> Result<Self> {
        let capture = match CaptureFile::configured(config)? {
            None => None,
            Some(file) => {
                let header = Header {
                    what: format!("a session on {on}"),
                    source: concat!("air724ug ", env!("CARGO_PKG_VERSION")).into(),
                    expect: vec!["command AT".into()],
                };
                let watch = file.watch();
                Some((Recorder::new(Box::new(file) as Box<dyn Write + Send>, &header), watch))
            }
        };
        Ok(Self { driver: Arc::new(Driver::start(port, opener, engine, capture.unzip(), config, on)?) })
    }
}

/// Opens what the application has named, or what it looks for.
fn opener(name: &str, config: &Config) -> Opener {
    #[cfg(all(feature = "ports", unix))]
    if let Some(search) = crate::port::Search::named(name, config, identify::imei) {
        return Opener::search(search);
    }
    Opener::named(name, config)
}

fn query_answer<Q: Query>(query: &Q, response: Response) -> Result<Q::Answer> {
    match response {
        Response::Reply(reply) => query.read(&reply).ok_or_else(|| {
            let (command, lines) = (reply.command(), reply.lines());
            Error::Unexpected(format!("{command} was answered with {lines:?}").into())
        }),
        other => Err(unexpected(&other)),
    }
}

fn command_reply(response: Response) -> Result<Vec<String>> {
    match response {
        Response::Reply(reply) => Ok(reply.into_lines()),
        other => Err(unexpected(&other)),
    }
}

fn unexpected(response: &Response) -> Error {
    Error::Unexpected(format!("{response:?}").into())
}
