//! A socket without blocking calls, as `async` of the LuatOS demos: data are queued and read without waiting, and a
//! heartbeat keeps the connection alive. There are two styles: a `select!` loop over sockets, timers and other
//! channels; or, with `--callbacks`, a thread that receives events and calls a function for each.
//!
//! ```text
//! cargo run --example async_socket
//! cargo run --example async_socket -- --callbacks --port /dev/ttyUSB0 --connect example.com:7
//! ```

mod common;

use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use air724ug::crossbeam_channel::{Receiver, select, tick};
use air724ug::{Error, Event, Heartbeat, Modem, Socket};
use common::shell::Arguments;
use common::{Common, Failed, Usage, host_and_port, over_port_losses, positive, seconds, step, unknown};

const USAGE: &str = "\
Queues readings without waiting, takes what the server sends back without waiting, and sends \"ping\" after silence. Ends
when every reading and a ping came back, so the server must echo; succeeds only then. When the port is lost and back,
connects again, and goes on with the first reading that had not come back.

usage: async_socket [options]

  --connect HOST:PORT  the server [an echo server in this program; with --port there is no default]
  --callbacks          a thread that receives events, instead of a select! loop
  --count N            readings [20]
  --every SECONDS      between readings [1; simulated 0.02]
  --idle SECONDS       the silence before a ping [60; simulated 0.3]
";

/// The longest time without an answer, beyond the silence before a ping.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The length of the longest line: "reading 4294967295".
const LONGEST: usize = 19;
const ADVICE: Option<&str> = Some("is it an echo server? --capture FILE shows what was said");

#[derive(Default)]
struct Options {
    common: Common,
    connect: Option<(String, u16)>,
    callbacks: bool,
    count: Option<u32>,
    every: Option<Duration>,
    idle: Option<Duration>,
}

fn main() -> ExitCode {
    common::main("async_socket", USAGE, parse, run)
}

fn parse(args: &mut Arguments) -> Result<Options, Usage> {
    let mut options = Options::default();
    options.common = common::options(args, |option, value| {
        match option {
            "--connect" => options.connect = Some(host_and_port(option, &value()?)?),
            "--callbacks" => options.callbacks = true,
            "--count" => options.count = Some(positive(option, &value()?)?),
            "--every" => options.every = Some(seconds(option, &value()?)?),
            "--idle" => options.idle = Some(seconds(option, &value()?)?),
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
    let idle = options.idle.unwrap_or(common.pace(Duration::from_secs(60), Duration::from_millis(300)));
    let every = options.every.unwrap_or(common.pace(Duration::from_secs(1), Duration::from_millis(20)));
    let talk = Talk { count: options.count.unwrap_or(20), every, timeout: TIMEOUT + idle * 2 };
    let mut inbox = Inbox::default();
    over_port_losses(&modem, || {
        inbox.line.clear();
        let socket = modem.tcp().connect((&host, port))?;
        step("connected", format_args!("to {host}:{port} on {:?}", socket.id()))?;
        socket.set_heartbeat(Heartbeat::new(idle, b"ping\n").max_missed(3))?;
        if options.callbacks {
            talk.by_callbacks(&modem, &socket, &mut inbox)?
        } else {
            talk.by_select(&socket, &mut inbox)?
        }
        if let Some(statistics) = socket.heartbeat_statistics() {
            step("heartbeat", format_args!("{} sent, {} answered", statistics.sent, statistics.answered))?;
        }
        Ok(socket.close()?)
    })?;
    modem.close();
    step("closed", "")?;
    Ok(())
}

struct Talk {
    count: u32,
    every: Duration,
    timeout: Duration,
}

impl Talk {
    /// One thread waits for all channels at once; each further socket would be one more line.
    fn by_select(&self, socket: &Socket, inbox: &mut Inbox) -> Result<(), Failed> {
        let pace = tick(self.every);
        let mut queued = inbox.readings;
        let mut last_byte_at = Instant::now();
        while !inbox.is_complete(self.count) {
            select! {
                recv(socket.readable()) -> _ => {
                    inbox.take(&socket.try_recv()?)?;
                    last_byte_at = Instant::now();
                }
                recv(pace) -> _ => self.queue_next(socket, &mut queued)?,
            }
            if last_byte_at.elapsed() > self.timeout {
                return Err(silent());
            }
        }
        Ok(())
    }

    /// This thread queues; another one runs the callbacks.
    fn by_callbacks(&self, modem: &Modem, socket: &Socket, inbox: &mut Inbox) -> Result<(), Failed> {
        let events = modem.events();
        thread::scope(|scope| {
            let (pace, mut queued) = (tick(self.every), inbox.readings);
            let called_back = scope.spawn(|| self.call_back(&events, socket, inbox));
            while queued < self.count && !called_back.is_finished() {
                let _ = pace.recv();
                self.queue_next(socket, &mut queued)?;
            }
            called_back.join().map_err(|_| Failed::Job("the thread of the events panicked".into(), None))?
        })
    }

    fn call_back(&self, events: &Receiver<Event>, socket: &Socket, inbox: &mut Inbox) -> Result<(), Failed> {
        while !inbox.is_complete(self.count) {
            // The events of all sockets come here, in order.
            match events.recv_timeout(self.timeout).map_err(|_| silent())? {
                Event::Received(id, _) if id.channel() == socket.id() => inbox.take(&socket.try_recv()?)?,
                Event::Sent(id, bytes) => step("event", format_args!("{id:?} has sent {bytes} bytes"))?,
                Event::HeartbeatMissed(id, missed) => {
                    step("event", format_args!("{id:?} missed {missed} answers to its heartbeat"))?;
                }
                // Received data can still be read; after them the error is the reason of the end.
                Event::Closed(id, _) if id.channel() == socket.id() => inbox.take(&socket.try_recv()?)?,
                // This thread was slow, and events were lost; data are not.
                Event::Missed(_) => inbox.take(&socket.try_recv()?)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Queues a reading if there is one and the queue has room; otherwise the next tick does.
    fn queue_next(&self, socket: &Socket, queued: &mut u32) -> Result<(), Failed> {
        if *queued < self.count {
            match socket.queue(format!("reading {queued}\n").as_bytes()) {
                Ok(()) => *queued += 1,
                Err(Error::QueueFull { .. }) => {
                    step("queue", "full: the network is slower than the readings")?
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// The lines that were echoed: the next reading or a ping.
#[derive(Default)]
struct Inbox {
    line: Vec<u8>,
    readings: u32,
    pings: u32,
}

impl Inbox {
    fn take(&mut self, data: &[u8]) -> Result<(), Failed> {
        for &byte in data {
            self.line.push(byte);
            if self.line == b"ping\n" {
                self.pings += 1;
            } else if self.line == format!("reading {}\n", self.readings).as_bytes() {
                self.readings += 1;
            } else if byte == b'\n' || self.line.len() > LONGEST {
                return Err(Failed::Job("other bytes than were sent came back".into(), ADVICE));
            } else {
                continue;
            }
            step("received", self.line.trim_ascii_end().escape_ascii())?;
            self.line.clear();
        }
        Ok(())
    }

    fn is_complete(&self, readings: u32) -> bool {
        self.readings == readings && self.pings > 0
    }
}

fn silent() -> Failed {
    Failed::Job("nothing comes back".into(), ADVICE)
}
