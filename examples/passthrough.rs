//! TCP to a second serial port and back, as the transparent UART demo of LuatOS: the bytes of a device on the port go
//! to the server, and those of the server to the device, without changes.
//!
//! ```text
//! cargo run --example passthrough
//! cargo run --example passthrough -- --transparent
//! cargo run --example passthrough -- --port /dev/ttyUSB0 --connect example.com:7 --uart /dev/ttyUSB3
//! ```

mod common;

use std::io::{self, ErrorKind, Read, Write};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use air724ug::crossbeam_channel::{Receiver, Sender, bounded, never, select};
use air724ug::{CloseReason, Error, Socket, TransparentStream};
use common::shell::Arguments;
use common::{
    Awaited, Common, Failed, Usage, host_and_port, over_port_losses, pause, positive, step, unknown,
};
#[cfg(windows)]
use serialport::COMPort as Uart;
use serialport::SerialPort;
#[cfg(unix)]
use serialport::TTYPort as Uart;

const USAGE: &str = "\
Passes bytes between a TCP connection and a serial port, until the server closes. Without --uart a person in this program
types on a pseudo-terminal; succeeds then only if the person sees every byte come back. With --transparent the module's
own transparent mode carries the bytes, without AT commands around them. With --uart, connects again when the module's port
is lost and back; the bytes that were on the way then are missing.

usage: passthrough [options]

  --connect HOST:PORT  the server [an echo server in this program; with --port there is no default]
  --transparent        the connection has the module's line to itself (AT+CIPMODE=1) [an ordinary socket]
  --uart PATH          the second serial port, e.g. /dev/ttyUSB3 [a pseudo-terminal with a person on it]
  --uart-baud N        its line rate [115200]
";

/// The largest read of the serial port.
const CHUNK: usize = 1024;
/// The most chunks that wait for the network; then the serial port waits.
const WAITING: usize = 64;
/// The time-out of writes to the serial port, and of the simulated user's wait for an echo.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The pause between two keys of the simulated user.
const KEY: Duration = Duration::from_millis(5);

/// The result of the simulated user, with its end of the terminal: if it is dropped too early, the port looks
/// unplugged.
type Report = Receiver<(Result<(), Failed>, Uart)>;

#[derive(Default)]
struct Options {
    common: Common,
    connect: Option<(String, u16)>,
    transparent: bool,
    uart: Option<String>,
    uart_baud: Option<u32>,
}

fn main() -> ExitCode {
    common::main("passthrough", USAGE, parse, run)
}

fn parse(args: &mut Arguments) -> Result<Options, Usage> {
    let mut options = Options::default();
    options.common = common::options(args, |option, value| {
        match option {
            "--connect" => options.connect = Some(host_and_port(option, &value()?)?),
            "--transparent" => options.transparent = true,
            "--uart" => options.uart = Some(value()?),
            "--uart-baud" => options.uart_baud = Some(positive(option, &value()?)?),
            other => return unknown(other),
        }
        Ok(())
    })?;
    Ok(options)
}

fn run(options: Options) -> Result<(), Failed> {
    let (host, port) = options.common.server(options.connect.as_ref(), common::echo_server)?;
    let (uart, report) = match &options.uart {
        Some(path) => (open_uart(path, options.uart_baud.unwrap_or(115_200))?, None),
        None => pseudo_terminal_with_a_person().map(|(uart, report)| (uart, Some(report)))?,
    };
    let modem = options.common.open()?;
    common::bring_up(&modem)?;
    let mut second = SecondPort::new(uart)?;
    let mut job = || {
        if options.transparent {
            let stream = modem.connect_transparent((&host, port))?;
            step("connected", format_args!("to {host}:{port}, transparently"))?;
            second.pass(&stream, report.as_ref())?;
            return Ok(stream.close()?);
        }
        let socket = modem.tcp().connect((&host, port))?;
        step("connected", format_args!("to {host}:{port} on {:?}", socket.id()))?;
        second.pass(&socket, report.as_ref())?;
        Ok(socket.close()?)
    };
    match &report {
        None => over_port_losses(&modem, job)?,
        // The person misses what was on the way.
        Some(_) => job()?,
    }
    modem.close();
    step("closed", "")?;
    Ok(())
}

fn open_uart(path: &str, baud: u32) -> Result<Uart, Failed> {
    Uart::open(&serialport::new(path, baud)).map_err(|error| {
        Failed::Job(
            format!("{path}: {error}"),
            Some("--uart takes the path of a serial port that no program uses"),
        )
    })
}

/// The transport of the bytes.
trait Carrier {
    /// Sends all data.
    fn send(&self, data: &[u8]) -> Result<(), Failed>;
    /// Signals received data.
    fn readable(&self) -> &Receiver<()>;
    /// The received data.
    fn try_recv(&self) -> Result<Vec<u8>, Error>;
}

impl Carrier for Socket {
    fn send(&self, data: &[u8]) -> Result<(), Failed> {
        Ok(Socket::send(self, data)?)
    }

    fn readable(&self) -> &Receiver<()> {
        Socket::readable(self)
    }

    fn try_recv(&self) -> Result<Vec<u8>, Error> {
        Socket::try_recv(self)
    }
}

impl Carrier for TransparentStream {
    fn send(&self, data: &[u8]) -> Result<(), Failed> {
        let mut stream = self;
        Ok(stream.write_all(data)?)
    }

    fn readable(&self) -> &Receiver<()> {
        TransparentStream::readable(self)
    }

    fn try_recv(&self) -> Result<Vec<u8>, Error> {
        TransparentStream::try_recv(self)
    }
}

/// The second serial port.
struct SecondPort {
    uart: Uart,
    /// The bytes that its thread has read, and at last the error.
    from_uart: Receiver<io::Result<Vec<u8>>>,
    /// The counts of bytes to the server and to the port.
    up: usize,
    down: usize,
}

impl SecondPort {
    fn new(mut uart: Uart) -> Result<Self, Failed> {
        let mut reader = uart.try_clone_native().map_err(io::Error::from)?;
        uart.set_timeout(TIMEOUT).map_err(io::Error::from)?;
        let (typed, from_uart) = bounded(WAITING);
        thread::spawn(move || read_uart(&mut reader, &typed));
        Ok(Self { uart, from_uart, up: 0, down: 0 })
    }

    /// Passes bytes in both directions until the server closes or the simulated user reports.
    fn pass(&mut self, socket: &impl Carrier, report: Option<&Report>) -> Result<(), Failed> {
        let silent = never();
        let reported = report.unwrap_or(&silent);
        let mut shown_at = Instant::now();
        loop {
            select! {
                recv(self.from_uart) -> chunk => {
                    let chunk = chunk.unwrap_or_else(|gone| Err(io::Error::other(gone)));
                    self.send(socket, chunk.map_err(uart_failed)?)?;
                }
                recv(socket.readable()) -> _ => match socket.try_recv() {
                    Ok(data) => {
                        self.uart.write_all(&data).map_err(uart_failed)?;
                        self.down += data.len();
                    }
                    Err(Error::Closed(CloseReason::Peer)) => {
                        self.show()?;
                        return match report {
                            Some(_) => Err(Failed::Job("the server closed too early".into(), None)),
                            None => Ok(()),
                        };
                    }
                    Err(error) => return Err(error.into()),
                },
                recv(reported) -> said => {
                    self.show()?;
                    let left = |_| Err(Failed::Job("the person left".into(), None));
                    return said.map_or_else(left, |(verdict, _)| verdict);
                }
            }
            if shown_at.elapsed() > Duration::from_secs(5) {
                shown_at = Instant::now();
                self.show()?;
            }
        }
    }

    /// Sends the bytes, and those that have come since, because every command to the module costs a round trip.
    fn send(&mut self, socket: &impl Carrier, mut data: Vec<u8>) -> Result<(), Failed> {
        for more in self.from_uart.try_iter() {
            data.extend(more.map_err(uart_failed)?);
        }
        socket.send(&data)?;
        self.up += data.len();
        Ok(())
    }

    fn show(&self) -> Result<(), Failed> {
        step("passed", format_args!("{} bytes to the server, {} to the serial port", self.up, self.down))
    }
}

fn uart_failed(error: io::Error) -> Failed {
    Failed::Job(
        format!("the second serial port failed: {error}"),
        Some("is it plugged in, and does its device read?"),
    )
}

/// The thread that reads the serial port. It sends the bytes, and at last the error.
fn read_uart(uart: &mut Uart, typed: &Sender<io::Result<Vec<u8>>>) {
    let mut buf = [0; CHUNK];
    loop {
        let chunk = match uart.read(&mut buf) {
            Ok(0) => Err(io::Error::new(ErrorKind::UnexpectedEof, "the serial port hung up")),
            Ok(count) => Ok(buf[..count].to_vec()),
            Err(error) if matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::Interrupted) => continue,
            Err(error) => Err(error),
        };
        let is_last = chunk.is_err();
        if typed.send(chunk).is_err() || is_last {
            return;
        }
    }
}

/// A pseudo-terminal as the serial port, and the channel for the report of the simulated user at its other end.
fn pseudo_terminal_with_a_person() -> Result<(Uart, Report), Failed> {
    let (mut terminal, uart) = pair()?;
    terminal.set_timeout(TIMEOUT).map_err(io::Error::from)?;
    let (say, report) = bounded(1);
    thread::spawn(move || {
        let verdict = person(&mut terminal);
        say.send((verdict, terminal))
    });
    Ok((uart, report))
}

#[cfg(unix)]
fn pair() -> Result<(Uart, Uart), Failed> {
    Ok(Uart::pair().map_err(io::Error::from)?)
}

#[cfg(windows)]
fn pair() -> Result<(Uart, Uart), Failed> {
    Err(Usage::Wrong("--uart PATH is needed: this system has no pseudo-terminals".into()).into())
}

/// The simulated user: types key by key, pastes all byte values, and reads the echo.
fn person(terminal: &mut Uart) -> Result<(), Failed> {
    for line in ["hello, server\r\n", "is this the server?\r\n", "\x1b[A\x03 +++ AT\r\n"] {
        for key in line.bytes() {
            terminal.write_all(&[key])?;
            pause(KEY);
        }
        read_back(terminal, line.as_bytes())?;
        step("person", format_args!("typed {} and saw it come back", line.escape_debug()))?;
    }
    let paste: Vec<u8> = (0..=255).cycle().take(4096).collect();
    terminal.write_all(&paste)?;
    read_back(terminal, &paste)?;
    step("person", format_args!("pasted {} bytes and saw them come back", paste.len()))?;
    Ok(())
}

fn read_back(terminal: &mut Uart, data: &[u8]) -> Result<(), Failed> {
    let mut awaited = Awaited::default();
    awaited.sent(data);
    let mut buf = [0; CHUNK];
    while !awaited.is_empty() {
        let count = terminal.read(&mut buf)?;
        awaited.received(&buf[..count])?;
    }
    Ok(())
}
