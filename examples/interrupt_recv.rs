//! A recv that is interrupted by messages, as `sendInterruptRecv` of the LuatOS demos: one thread owns the socket and
//! waits in one call for data, for messages of other threads, and for the silence after which a ping is due.
//!
//! ```text
//! cargo run --example interrupt_recv
//! cargo run --example interrupt_recv -- --port /dev/ttyUSB0 --connect example.com:7
//! ```

mod common;

use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use air724ug::crossbeam_channel::{Receiver, Sender, bounded};
use air724ug::{Received, Socket};
use common::shell::Arguments;
use common::{
    Awaited, Common, Failed, Usage, host_and_port, over_port_losses, pause, positive, seconds, step, unknown,
};

const USAGE: &str = "\
One thread publishes messages; another owns the socket and waits for data, a message or silence, in one call: data are
counted, a message is sent, after silence \"ping\" is sent. With the server in this program, succeeds only if every byte
came back. When the port is lost and back, connects again; a message whose send failed is sent again.

usage: interrupt_recv [options]

  --connect HOST:PORT  the server [an echo server in this program; with --port there is no default]
  --count N            ends after N messages and a ping [10; with --port it goes on until Ctrl-C]
  --size BYTES         of each message, at most 1000000 [10240]
  --every SECONDS      between messages [0.5; simulated 0.02]
  --idle SECONDS       the silence before a ping [120; simulated 0.3]
";

/// The most messages that wait for the socket; further publishers wait.
const WAITING: usize = 16;
/// The largest message, so that the waiting ones use less than 16 MB.
const MAX_SIZE: usize = 1_000_000;
/// The time-out of an echo.
const TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Default)]
struct Options {
    common: Common,
    connect: Option<(String, u16)>,
    count: Option<u32>,
    size: Option<usize>,
    every: Option<Duration>,
    idle: Option<Duration>,
}

fn main() -> ExitCode {
    common::main("interrupt_recv", USAGE, parse, run)
}

fn parse(args: &mut Arguments) -> Result<Options, Usage> {
    let mut options = Options::default();
    options.common = common::options(args, |option, value| {
        match option {
            "--connect" => options.connect = Some(host_and_port(option, &value()?)?),
            "--count" => options.count = Some(positive(option, &value()?)?),
            "--size" => options.size = Some(size(&value()?)?),
            "--every" => options.every = Some(seconds(option, &value()?)?),
            "--idle" => options.idle = Some(seconds(option, &value()?)?),
            other => return unknown(other),
        }
        Ok(())
    })?;
    Ok(options)
}

fn size(text: &str) -> Result<usize, Usage> {
    let size = positive("--size", text)? as usize;
    if size <= MAX_SIZE { Ok(size) } else { Err(Usage::Wrong(format!("--size is more than {MAX_SIZE}"))) }
}

fn run(options: Options) -> Result<(), Failed> {
    let common = &options.common;
    let (host, port) = common.server(options.connect.as_ref(), common::echo_server)?;
    let modem = common.open()?;
    common::bring_up(&modem)?;
    let count = options.count.or(common.port.is_none().then_some(10));
    let every = options.every.unwrap_or(common.pace(Duration::from_millis(500), Duration::from_millis(20)));
    let size = options.size.unwrap_or(10_240);
    let (publish, messages) = bounded(WAITING);
    thread::spawn(move || publisher(&publish, size, every, count));

    let idle = options.idle.unwrap_or(common.pace(Duration::from_secs(120), Duration::from_millis(300)));
    let awaited = options.connect.is_none().then(Awaited::default);
    let mut talk =
        Conversation { messages, idle, count, awaited, unsent: None, received: 0, sent: 0, pings: 0 };
    over_port_losses(&modem, || {
        let socket = modem.tcp().connect((&host, port))?;
        step("connected", format_args!("to {host}:{port} on {:?}", socket.id()))?;
        talk.hold(&socket)?;
        Ok(socket.close()?)
    })?;
    modem.close();
    step("closed", "")?;
    Ok(())
}

/// Any thread: it uses the channel only, and no socket.
fn publisher(publish: &Sender<Vec<u8>>, size: usize, every: Duration, count: Option<u32>) {
    for _ in 0..count.unwrap_or(u32::MAX) {
        let message = b"0123456789".iter().copied().cycle().take(size).collect();
        if publish.send(message).is_err() {
            return; // the receiver is dropped
        }
        pause(every);
    }
}

/// The conversation of the thread that owns the socket, over all connections.
struct Conversation {
    messages: Receiver<Vec<u8>>,
    idle: Duration,
    count: Option<u32>,
    /// With the server in this program: the bytes that it must still send back.
    awaited: Option<Awaited>,
    /// The data of a send that has not succeeded yet.
    unsent: Option<Vec<u8>>,
    received: usize,
    sent: u32,
    pings: u32,
}

impl Conversation {
    /// Talks on this connection until all messages and a ping are sent. The echo of a lost connection does not come.
    fn hold(&mut self, socket: &Socket) -> Result<(), Failed> {
        self.awaited = self.awaited.take().map(|_| Awaited::default());
        let mut last_byte_at = Instant::now();
        loop {
            if let Some(data) = &self.unsent {
                socket.send(data)?;
                self.awaited.iter_mut().for_each(|awaited| awaited.sent(data));
                self.unsent = None;
            }
            let complete = self.awaited.as_ref().is_none_or(Awaited::is_empty);
            if complete && self.pings > 0 && Some(self.sent) == self.count {
                return Ok(());
            }
            if !complete && last_byte_at.elapsed() > TIMEOUT.max(self.idle * 2) {
                return Err(Failed::Job(
                    "the echo stopped".into(),
                    Some("--capture FILE shows which side fell silent"),
                ));
            }
            match socket.recv_or(&self.messages, self.idle)? {
                Received::Data(data) => {
                    last_byte_at = Instant::now();
                    self.take(&data)?;
                }
                Received::Message(message) => {
                    self.sent += 1;
                    let (number, len) = (self.sent, message.len());
                    self.unsent = Some(message);
                    step("message", format_args!("{number}: {len} bytes from another thread"))?;
                }
                Received::Timeout => {
                    self.pings += 1;
                    self.unsent = Some(b"ping".to_vec());
                    step("silence", format_args!("of {:?}, so ping {}", self.idle, self.pings))?;
                }
            }
        }
    }

    fn take(&mut self, data: &[u8]) -> Result<(), Failed> {
        self.received += data.len();
        let first = data[..data.len().min(30)].escape_ascii();
        step("received", format_args!("{} bytes by now; these begin with {first}", self.received))?;
        self.awaited.as_mut().map_or(Ok(()), |awaited| awaited.received(data))
    }
}
