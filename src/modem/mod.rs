//! The types that an application uses: modem, connectors and sockets.

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
mod received;
mod registration;
mod remote;
mod services;
mod socket;
mod socket_addresses;
mod statistics;
mod stream;
mod supervisor;
mod timeouts;
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

use crate::capture::{CaptureFile, Header, Mask, Recorder};
use crate::config::Config;
use crate::driver::Driver;
use crate::error::{Error, NotReady, Result};
use crate::port::{BarePort, ModuleMode, Opener, Port, PortSource};
use crate::proto::{Command, Engine, Event, Identity, Protocol, Request, Response};
use crate::query::{DomainRegistration, Query, Signal, SignalQuality};
use crate::time::Timestamp;

/// A connection over which the module speaks TLS ([`Modem::tls`]).
pub type TlsSocket = Socket<transport::Tls>;

/// A UDP association with one peer ([`Modem::udp`]).
pub type UdpSocket = Socket<Udp>;

/// An Air724UG on a port.
///
/// The type is a handle: clones refer to the same modem and can be used from any thread. The port is closed when the
/// last handle and the last [`Socket`] are dropped.
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
    /// Opens a serial port and starts bring-up; [`wait_ready`](Self::wait_ready) waits for its end.
    ///
    /// | `path` | is | feature |
    /// |---|---|---|
    /// | `/dev/ttyUSB0`, `COM3` | a port of this machine | |
    /// | `auto` | the only module on USB that answers | `ports` |
    /// | `imei:860000000000001` | the module with this IMEI, under any name of its port | `ports` |
    /// | `usb:1-1.4` | the module that is plugged in at this place | `ports` |
    /// | `tcp://host:4001` | a port of a serial server that transfers bytes only | `remote` |
    /// | `rfc2217://host:2217` | a port of a serial server whose settings can be changed (RFC 2217) | `remote` |
    ///
    /// A search writes `AT` and `AT+CGSN` on the ports of modules (USB 1782:4e00), and on other devices only if `usb:`
    /// names their place. To silent ports it also writes whatever can make a module answer (`ATQ0`, `ATV1`, `+++`, CR,
    /// ESC), which takes 4 s. All ports are asked side by side, at most 16 at a time, so a port that is silent or in
    /// use does not delay the others, and a port that appears meanwhile is asked at once. A search ends after 15 s at
    /// most, and 7 s more for each twelve ports. A port that another program has locked is not taken; if no module
    /// answers, the first search waits for it for 3 s. `imei:` selects the first module with the number; `usb:`
    /// distinguishes two modules with one IMEI.
    ///
    /// `auto` is an error if a second module answers within a second of the first. A module that does not answer in
    /// that time, because it still starts, or whose port is in use, does not count: where there are several modules,
    /// `imei:` and `usb:` select the right one at every start. After a loss, `auto` and `imei:` look for the module
    /// that was found and take no other one, even if only others answer; `auto` can't distinguish modules that report
    /// no IMEI. `usb:` takes any module that is plugged in there, as a path does; another one than before is an
    /// [`Event::OtherModule`]. `auto`, `imei`, `usb` and the schemes of URLs may be in capitals.
    ///
    /// A server of `rfc2217://` has 5 s to confirm the settings of its port. A server of `tcp://` that accepts the
    /// connection and sends nothing is like a port whose module is off: it is opened, and
    /// [`wait_ready`](Self::wait_ready) ends after its own time-out with [`NotReady::NoAnswer`]. A module that starts
    /// answers after some seconds; 30 s without an answer are enough to give up.
    ///
    /// Behind `tcp://` a device that shows for 15 s that it is no module (an echo, a login prompt, bytes without end)
    /// ends the port with [`Error::PortLost`], which names its first bytes.
    ///
    /// The port is opened exclusively, and not while another program has it exclusively, which on Linux holds for root,
    /// too; the error names the program if this user may see it. A port is lost when it is unplugged or without power,
    /// or when the module restarts on USB. A port on another machine is also lost when its server closes the
    /// connection, or when nothing answers for at least 60 s, and one of this machine when nothing answers and its path
    /// leads to another device. A transparent stream without a heartbeat asks no questions; then the system detects the
    /// loss of a server, after up to 15 minutes. After a loss, sockets and requests in flight end with
    /// [`Error::PortLost`], and the port is opened again as soon as it is back, unless [`Config::reopen`] is false.
    /// Paths in `/dev/serial/by-id` don't change when the system gives the port another name.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a configuration that can't be sent; [`Error::Io`] if the port can't be opened within
    /// [`Config::open_timeout`]. The message names the port and what to do.
    pub fn open(path: impl AsRef<Path>, config: Config) -> Result<Self> {
        let path = path.as_ref().to_str().ok_or_else(|| Error::invalid("path", "is not UTF-8"))?;
        Self::open_by(opener(path, &config), &config, path)
    }

    /// Opens what [`open`](Self::open) opens, without a driver: for programs that examine a module.
    #[doc(hidden)]
    pub fn open_bare(name: &str, config: &Config) -> std::io::Result<BarePort> {
        BarePort::new(opener(name, config).open(&ModuleMode::Command)?)
    }

    /// Runs the modem over ports that a source of the application opens. The first one is opened now, and the next one
    /// after each loss, unless [`Config::reopen`] is false. The rules of [`start`](Self::start) for halves apply to
    /// each of them.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a configuration that can't be sent; [`Error::Io`] if the source opens no first port,
    /// or no thread can be started.
    pub fn start_from(source: impl PortSource, config: Config) -> Result<Self> {
        Self::open_by(Opener::source(source), &config, "modem")
    }

    /// Runs the modem over any pair of halves: a TCP connection to a serial server, a simulated modem, a test.
    ///
    /// Each half may block without a limit, or return [`TimedOut`](std::io::ErrorKind::TimedOut) or
    /// [`WouldBlock`](std::io::ErrorKind::WouldBlock) from time to time. A half that always returns these at once keeps
    /// a processor busy. `Ok(0)` and other errors end the port. Each half has its own thread. The thread ends with the
    /// port and drops the half; after [`close`](Self::close) it ends as soon as the current call of the half returns.
    ///
    /// While the writer blocks, the time-outs of calls hold. Those of futures, which have no thread, are served
    /// whenever the reader returns, with bytes or with one of these errors. If neither half returns, a future waits
    /// until one does.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a configuration that can't be sent; [`Error::Io`] if no thread can be started.
    pub fn start<R, W>(reader: R, writer: W, config: Config) -> Result<Self>
    where
        R: Read + Send + 'static,
        W: Write + Send + 'static,
    {
        let engine = Engine::new(config.clone(), Timestamp::ZERO)?;
        let port = Port::Halves { reader: Box::new(reader), writer: Box::new(writer), end: None };
        Self::run(port, None, engine, &config, "modem")
    }

    /// Waits until sockets can be opened: SIM, registration, attach, bearer (`socket.isReady()` in LuatOS).
    ///
    /// # Errors
    /// [`Error::NotReady`] with the step that is missing; the step is [`NotReady::NoPort`] if the port is lost and may
    /// come back. [`Error::PortLost`] if the port is lost for good.
    pub fn wait_ready(&self, timeout: Duration) -> Result<()> {
        self.driver.call(Request::WaitReady { timeout }).map(drop)
    }

    /// True if sockets can be opened now.
    pub fn is_ready(&self) -> bool {
        self.not_ready().is_none()
    }

    /// The step to readiness that is missing now; `None` when ready.
    pub fn not_ready(&self) -> Option<NotReady> {
        self.driver.with_engine(|engine, _| engine.not_ready())
    }

    /// Returns a connector for TCP (`socket.tcp()`).
    pub fn tcp(&self) -> Connector<Tcp> {
        Connector::new(self.clone(), Protocol::Tcp)
    }

    /// Opens a transparent stream (`AT+CIPMODE=1`): one TCP connection that uses the whole line, at full speed and
    /// without AT commands around the data. The time-out is 120 s; [`Connector::connect_transparent`] can have another
    /// one.
    ///
    /// # Errors
    /// As for [`Connector::connect_transparent`].
    pub fn connect_transparent(&self, remote: impl ToRemote) -> Result<TransparentStream> {
        self.tcp().connect_transparent(remote)
    }

    /// Returns a connector for UDP with one peer (`socket.udp()`). Its sockets are like a connected
    /// [`std::net::UdpSocket`].
    ///
    /// Each send is one datagram of 1 to 1460 bytes, and each receive returns one. Other lengths are
    /// [`Error::InvalidInput`]. A datagram that is lost on the network, or for which the window has no room, is no
    /// error. A datagram that is incomplete between module and host counts in
    /// [`SocketStatistics::lost`](crate::statistics::SocketStatistics::lost). If the module refuses or does not confirm
    /// a datagram, its send fails, with an [`Event::Unsent`]. None of these ends the socket.
    ///
    /// [`ReceiveMode::Push`](crate::ReceiveMode::Push), the default, preserves message boundaries. No source shows
    /// whether the module preserves them in [`ReceiveMode::Manual`](crate::ReceiveMode::Manual).
    pub fn udp(&self) -> Connector<Udp> {
        Connector::new(self.clone(), Protocol::Udp)
    }

    /// The identity of the module: firmware and IMEI, as bring-up has read them.
    ///
    /// # Errors
    /// [`Error::NotReady`] before bring-up has read it.
    pub fn identity(&self) -> Result<Identity> {
        self.driver.with_engine(|engine, _| match engine.identity() {
            known if !known.firmware.is_empty() => Ok(known.clone()),
            _ => Err(Error::NotReady(engine.not_ready().unwrap_or(NotReady::Starting))),
        })
    }

    /// Runs a [query](crate::query), and waits for its turn and for the answer.
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
    /// [`Error::Timeout`] after the time-out of the query, 9 s for most; [`Error::Refused`] with the module's code;
    /// [`Error::Unexpected`] for an answer that can't be read; [`Error::PortLost`].
    pub fn query<Q: Query>(&self, query: &Q) -> Result<Q::Answer> {
        query_answer(query, self.driver.call(Request::query(query))?)
    }

    /// The present signal quality (`AT+CSQ`).
    ///
    /// # Errors
    /// As for [`query`](Self::query).
    pub fn signal_quality(&self) -> Result<SignalQuality> {
        self.query(&Signal)
    }

    /// The present registration with the network, in each domain that the firmware knows.
    ///
    /// # Errors
    /// [`Error::Timeout`]; [`Error::PortLost`]; [`Error::Refused`] if every domain is refused.
    pub fn registration(&self) -> Result<Registration> {
        Registration::ask(|domain| self.query(&DomainRegistration(domain)))
    }

    /// The module's own address on the network. It is usually a private one; servers see the address of the operator's
    /// NAT.
    ///
    /// # Errors
    /// [`Error::NotReady`] while there is none.
    pub fn local_ip(&self) -> Result<Ipv4Addr> {
        self.driver.with_engine(|engine, _| match engine.local_address() {
            Some(address) => Ok(address),
            None => Err(Error::NotReady(engine.not_ready().unwrap_or(NotReady::Starting))),
        })
    }

    /// Runs any command, for those that this crate has no method for. Returns the lines of the answer without the final
    /// result code. The line end is added.
    ///
    /// ```no_run
    /// # let modem = air724ug::Modem::open("/dev/ttyUSB0", Default::default())?;
    /// let lines = modem.command("AT+ICCID", std::time::Duration::from_secs(9))?;
    /// # Ok::<(), air724ug::Error>(())
    /// ```
    ///
    /// Some answers contain text that people have written: messages, names, files (`AT+CMGR`, `AT+CMGL`, `AT+CPBR`,
    /// `AT+FSREAD`, `AT+HTTPREAD`, ...). Lines like `OK` or `0, CLOSED` within them are part of the answer; the driver
    /// finds its end by a second command. A text with an empty line (CR LF CR LF) followed by `+RECEIVE` looks like
    /// data of a socket. With `AT+CMGF=0` messages are read as digits.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a text that would disturb the session (control bytes; data mode, as `AT+CGANS`;
    /// echo; the form of results, as `AT+CMEE=0`, `AT+CIPQSEND=0` and `AT+CIPSPRT=0`), and for a command that waits for
    /// payload, as `AT+CPOS`: use [`command_with_payload`](Self::command_with_payload). [`Error::Refused`] with the
    /// module's code. [`Error::Timeout`] after `timeout`, which includes the wait for the command's turn.
    pub fn command(&self, text: &str, timeout: Duration) -> Result<Vec<String>> {
        let command = Command::of_user(text, timeout)?;
        command_reply(self.driver.call(Request::Run(command))?)
    }

    /// Runs a command that waits for payload after a prompt (`>`, `DOWNLOAD`): `AT+HTTPDATA`, `AT+MPUBEX`, `AT+CMGS`
    /// and others, also commands that this crate does not know. Writes the payload when the module asks for it,
    /// followed by Ctrl-Z if the command needs one. Returns the lines of the answer without the final result code.
    /// Sockets have their own methods to send.
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
    /// If the prompt is lost on the line, the driver ends the wait of the module. A command with a waiting time needs
    /// no action. A command that waits for Ctrl-Z gets ESC. A command that waits for a number of bytes gets that
    /// number, as for a send: the payload if it is harmless as commands, otherwise CRs.
    ///
    /// # Errors
    /// As for [`command`](Self::command), and [`Error::InvalidInput`] if command and payload don't fit together: a
    /// different length, Ctrl-Z or ESC in a payload that they would end, more than 32 KiB, a read command, or several
    /// commands in one line. After [`Error::Timeout`] the module may have all of the payload, a part of it, or nothing.
    pub fn command_with_payload(&self, text: &str, payload: &[u8], timeout: Duration) -> Result<Vec<String>> {
        let (command, payload) = Command::with_payload(text, payload, timeout)?;
        command_reply(self.driver.call(Request::RunWithPayload { command, payload, timeout })?)
    }

    /// Subscribes to all events from now on, in order. Dropping the receiver ends the subscription. A subscriber with
    /// more than 4096 unread events misses some and gets [`Event::Missed`]. When the modem is closed, the last event is
    /// [`Event::PortLost`], unless the port was lost before, and the receiver is disconnected, so a loop over it ends.
    pub fn events(&self) -> Receiver<Event> {
        self.driver.subscribe()
    }

    /// Waits, at most a second, until the file of [`Config::capture`] has everything that was recorded. Returns at once
    /// without a capture. It also works on a closed modem.
    ///
    /// # Errors
    /// [`Error::Io`] with the reason why the capture is incomplete: it ended early ([`Event::CaptureEnded`]), or its
    /// file accepts no bytes.
    pub fn flush_capture(&self) -> Result<()> {
        let explain = |error: std::io::Error| {
            std::io::Error::new(error.kind(), format!("the capture is not complete: {error}")).into()
        };
        self.driver.flush_capture().map_err(explain)
    }

    /// Closes the port. Every waiting call returns [`Error::PortLost`], and all sockets end. Connections stay open on
    /// the module until it restarts or is brought up again, so close the sockets first.
    ///
    /// When this returns, the port can be opened again and the [capture](Config::capture) is complete. It waits at most
    /// a second for a blocking half of [`start`](Self::start), and at most a second for a file that accepts no bytes.
    pub fn close(&self) {
        self.driver.close();
    }

    /// True if the modem was closed, or its port was lost for good.
    pub fn is_closed(&self) -> bool {
        self.driver.is_closed()
    }

    /// True if the port has led to another device or protocol, as its first bytes have shown. The modem is closed, and
    /// [`Error::PortLost`] says what is there and what to do: the port itself did not go away.
    #[doc(hidden)]
    pub fn is_wrong_port(&self) -> bool {
        self.driver.is_wrong_port()
    }

    fn open_by(mut opener: Opener, config: &Config, on: &str) -> Result<Self> {
        let engine = Engine::new(config.clone(), Timestamp::ZERO)?;
        let port = opener.first(config.open_timeout)?;
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

/// Returns the opener for a path, a search or a server.
fn opener(name: &str, config: &Config) -> Opener {
    #[cfg(all(feature = "ports", unix))]
    if let Some(search) = crate::port::Search::named(name, config, identify::IDENTIFY) {
        return Opener::search(search);
    }
    Opener::named(name, config)
}

fn query_answer<Q: Query>(query: &Q, response: Response) -> Result<Q::Answer> {
    match response {
        Response::Reply(reply) => query.read(&reply).ok_or_else(|| {
            // A repeated command may be among the lines.
            let mask = Mask::default();
            let lines: Vec<String> = reply.lines().iter().map(|line| mask.words(line)).collect();
            let command = reply.command();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::Reply;

    #[test]
    fn an_answer_that_cannot_be_read_is_shown_without_its_secrets() {
        let lines = vec!["AT+CPIN=\"4711\"".to_owned(), "+CSQ: 99999,99".to_owned()];
        let reply = Reply::new("AT+CSQ", lines, Vec::new());
        let error = query_answer(&Signal, Response::Reply(reply)).unwrap_err().to_string();
        assert!(error.contains("+CSQ: 99999,99") && !error.contains("4711"), "{error}");
    }
}
