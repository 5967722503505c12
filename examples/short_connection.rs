//! A connection for each message, as the short connections of the LuatOS demos: connect, send, receive, close, pause,
//! and again. With `--flight-mode` the radio is off in the pause, which saves the most power.
//!
//! ```text
//! cargo run --example short_connection
//! cargo run --example short_connection -- --flight-mode --port /dev/ttyUSB0 --connect example.com:7
//! ```

mod common;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use air724ug::{CloseReason, Error, Modem, Received};
use common::shell::Arguments;
use common::{Common, Failed, Usage, host_and_port, is_final, pause, positive, seconds, step, unknown};

const USAGE: &str = "\
Again and again: connects, sends, waits for the answer, closes, pauses. With the server in this program, succeeds only if
every answer is what was sent.

usage: short_connection [options]

  --connect HOST:PORT  the server [an echo server in this program; with --port there is no default]
  --count N            connections [3; with --port it goes on until Ctrl-C]
  --pause SECONDS      between them [20; simulated 0.2]
  --answer SECONDS     waits at most this long for an answer [10]
  --flight-mode        switches the radio off in the pause
";

const ADVICE: Option<&str> = Some("does the server listen, and can the module's network reach it?");

#[derive(Default)]
struct Options {
    common: Common,
    connect: Option<(String, u16)>,
    count: Option<u32>,
    pause: Option<Duration>,
    answer: Option<Duration>,
    flight_mode: bool,
}

fn main() -> ExitCode {
    common::main("short_connection", USAGE, parse, run)
}

fn parse(args: &mut Arguments) -> Result<Options, Usage> {
    let mut options = Options::default();
    options.common = common::options(args, |option, value| {
        match option {
            "--connect" => options.connect = Some(host_and_port(option, &value()?)?),
            "--count" => options.count = Some(positive(option, &value()?)?),
            "--pause" => options.pause = Some(seconds(option, &value()?)?),
            "--answer" => options.answer = Some(seconds(option, &value()?)?),
            "--flight-mode" => options.flight_mode = true,
            other => return unknown(other),
        }
        Ok(())
    })?;
    Ok(options)
}

fn run(options: Options) -> Result<(), Failed> {
    let common = &options.common;
    let (host, port) = common.server(options.connect.as_ref(), common::echo_server)?;
    let modem = common.open()?;
    common::bring_up(&modem)?;
    let count = options.count.or(common.port.is_none().then_some(3)).unwrap_or(u32::MAX);
    let between = options.pause.unwrap_or(common.pace(Duration::from_secs(20), Duration::from_millis(200)));
    let timeout = options.answer.unwrap_or(Duration::from_secs(10));
    let is_ours = options.connect.is_none();
    let mut failed = 0;

    for number in 1..=count {
        if number > 1 {
            match rest(&modem, between, options.flight_mode) {
                Err(Failed::Modem(error)) if !is_final(&modem, &error) => step("error", error)?,
                rested => rested?,
            }
        }
        let message = format!("location data {number}\r\n");
        match exchange(&modem, &host, port, message.as_bytes(), timeout) {
            Ok(answer) if is_ours && answer != message.as_bytes() => {
                let answer = answer.escape_ascii();
                return Err(Failed::Job(format!("\"{answer}\" came back for connection {number}"), None));
            }
            Ok(answer) if answer.is_empty() => step("no answer", format_args!("to message {number}"))?,
            Ok(answer) => step("answer", answer.escape_ascii())?,
            // A temporary fault of the network: the next connection may succeed.
            Err(Failed::Modem(error)) if !is_ours && !is_final(&modem, &error) => {
                failed += 1;
                step("error", error)?;
            }
            Err(failed) => return Err(failed),
        }
    }
    modem.close();
    match failed {
        0 => Ok(()),
        failed => Err(Failed::Job(format!("{failed} of {count} connections failed"), ADVICE)),
    }
}

/// One connection. Returns the answer up to the length of the message, or the part that came in time.
fn exchange(
    modem: &Modem,
    host: &str,
    port: u16,
    message: &[u8],
    timeout: Duration,
) -> Result<Vec<u8>, Failed> {
    let socket = modem.tcp().connect((host, port))?;
    step("connected", format_args!("to {host}:{port} on {:?}", socket.id()))?;
    socket.send(message)?;
    let until = Instant::now() + timeout;
    let mut answer = Vec::new();
    while answer.len() < message.len() {
        match socket.recv(until.saturating_duration_since(Instant::now())) {
            Ok(Received::Data(data)) => answer.extend(data),
            Ok(Received::Timeout) | Err(Error::Closed(CloseReason::Peer)) => break,
            Err(error) => return Err(error.into()),
        }
    }
    socket.close()?;
    Ok(answer)
}

/// The pause between two connections.
fn rest(modem: &Modem, span: Duration, flight_mode: bool) -> Result<(), Failed> {
    step("pausing", format_args!("for {span:?}{}", if flight_mode { ", in flight mode" } else { "" }))?;
    if !flight_mode {
        pause(span);
        return Ok(());
    }
    modem.flight_mode(true)?;
    pause(span);
    modem.flight_mode(false)?;
    common::bring_up(modem)?;
    step("ready", "the radio is on again")?;
    Ok(())
}
