//! The main job: open the port, wait until the module is ready, connect to a TCP server, send, receive, close.
//!
//! ```text
//! cargo run --example quickstart
//! cargo run --example quickstart -- --port /dev/ttyUSB0 --connect example.com:7
//! ```

mod common;

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use air724ug::{Error, Modem, Socket};
use common::shell::Arguments;
use common::{Common, Failed, Usage, host_and_port, positive, step, unknown};

const USAGE: &str = "\
Opens a modem, waits until it is ready, connects to a TCP server that sends back what it receives, sends, receives and
closes. Succeeds only if every byte came back.

usage: quickstart [options]

  --connect HOST:PORT  the server [an echo server in this program; with --port there is no default]
  --message TEXT       what is sent [hello from the Air724UG]
  --count N            how many times [10]
";

struct Options {
    common: Common,
    connect: Option<(String, u16)>,
    message: String,
    count: u32,
}

fn main() -> ExitCode {
    common::main("quickstart", USAGE, parse, run)
}

fn parse(args: &mut Arguments) -> Result<Options, Usage> {
    let mut options = Options {
        common: Common::default(),
        connect: None,
        message: "hello from the Air724UG".into(),
        count: 10,
    };
    options.common = common::options(args, |option, value| {
        match option {
            "--connect" => options.connect = Some(host_and_port(option, &value()?)?),
            "--message" => options.message = value()?,
            "--count" => options.count = positive(option, &value()?)?,
            other => return unknown(other),
        }
        Ok(())
    })?;
    if options.message.is_empty() {
        return Err(Usage::Wrong("--message is empty: there is nothing to send".into()));
    }
    Ok(options)
}

fn run(options: Options) -> Result<(), Failed> {
    let (host, port) = options.common.server(options.connect.as_ref(), common::echo_server)?;
    let modem = options.common.open()?;
    common::bring_up(&modem)?;
    introduce(&modem)?;
    let socket = modem.tcp().connect((&host, port))?;
    step("connected", format_args!("to {host}:{port} on {:?}", socket.id()))?;
    let began = Instant::now();
    let bytes = echo(&socket, options.message.as_bytes(), options.count)?;
    let seconds = began.elapsed().as_secs_f64();
    step("sent", format_args!("{bytes} bytes in {} messages", options.count))?;
    step("received", format_args!("{bytes} bytes, all as they were sent, in {seconds:.2} s"))?;
    socket.close()?;
    step("closed", "")?;
    modem.close();
    Ok(())
}

/// Shows the module's identity and its network.
fn introduce(modem: &Modem) -> Result<(), Failed> {
    let identity = modem.identity()?;
    step("identity", format_args!("{}, IMEI {}", identity.firmware, identity.imei))?;
    step("SIM", "ready")?;
    step("signal", modem.signal_quality()?)?;
    step("registration", modem.registration()?)?;
    step("address", modem.local_ip()?)?;
    Ok(())
}

/// Sends the message repeatedly while another thread reads. Returns the number of echoed bytes, if they are equal.
fn echo(socket: &Socket, message: &[u8], count: u32) -> Result<usize, Failed> {
    let total = message.len() * count as usize;
    std::thread::scope(|scope| {
        let sender = scope.spawn(move || -> Result<(), Failed> {
            let mut socket = socket;
            for _ in 0..count {
                socket
                    .write_all(message)
                    .map_err(|error| Failed::Job(format!("sending failed: {error}"), None))?;
            }
            Ok(())
        });
        let received = receive(socket, message, total);
        if received.is_err() {
            // The echo of later sends would not be read.
            socket.shutdown(Shutdown::Both)?;
        }
        let sent = sender.join().map_err(|_| Failed::Job("the sending thread panicked".into(), None))?;
        // The error of receiving is more informative than that of sending.
        received.and_then(|received| sent.map(|()| received))
    })
}

const IS_IT_ECHO: Option<&str> = Some("is it really an echo server?");

/// The failure of a read. Silence may be that of a server which does not echo; another error has advice of its own.
fn unread(received: usize, error: io::Error) -> Failed {
    let error = error.downcast::<Error>().unwrap_or_else(Error::from);
    let advice = if matches!(error, Error::Timeout { .. }) { IS_IT_ECHO } else { common::advice(&error) };
    Failed::Job(format!("after {received} bytes: {error}"), advice)
}

fn receive(mut socket: &Socket, message: &[u8], total: usize) -> Result<usize, Failed> {
    let failed = |why: String| Failed::Job(why, IS_IT_ECHO);
    socket.set_read_timeout(Some(Duration::from_secs(30)))?;
    let mut buf = [0; 4096];
    let mut received = 0;
    let mut shown = Instant::now();
    while received < total {
        let count = socket.read(&mut buf).map_err(|error| unread(received, error))?;
        if count == 0 {
            return Err(failed(format!("the server closed after {received} of {total} bytes")));
        }
        let expected = (received..received + count).map(|at| message[at % message.len()]);
        if !buf[..count].iter().copied().eq(expected) || received + count > total {
            return Err(failed(format!("other bytes than were sent came back, after {received}")));
        }
        received += count;
        if shown.elapsed() > Duration::from_secs(2) {
            shown = Instant::now();
            step("receiving", format_args!("{received} of {total} bytes"))?;
        }
    }
    Ok(received)
}
