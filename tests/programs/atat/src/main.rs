//! A session of the crate atat that opens, sends and receives on every channel of an Air724UG.
//!
//! ```text
//! atat-session TTY PORT     PORT is that of an echo server on 127.0.0.1; exit 0 if every byte came back
//! ```

mod commands;
mod urcs;

use std::io;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use std::{env, fmt, thread};

use atat::blocking::{AtatClient, Client};
use atat::{
    AtatCmd, AtatIngress, CmeError, Config, Error, Ingress, ResponseSlot, UrcChannel, UrcSubscription,
};
use commands::*;
use serialport::SerialPort;
use urcs::{News, digester};

const CHANNELS: usize = 8;
const ROUNDS: usize = 4;
/// The most bytes of one `AT+CIPSEND`.
const FRAME: usize = 1460;
/// The size of a buffer for a frame of data and its surroundings.
const BUFFER: usize = 4096;
/// The most unread unsolicited lines. One send causes fewer.
const NEWS: usize = 64;
/// The limit of the wait for an expected line. A line that comes ends the wait.
const TIMEOUT: Duration = Duration::from_secs(10);

type Slot = ResponseSlot<BUFFER>;
type Channel = UrcChannel<News, NEWS, 1>;
type Subscription<'a> = UrcSubscription<'a, News, NEWS, 1>;

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let [path, port] = args.as_slice() else {
        eprintln!("usage: atat-session TTY PORT");
        return ExitCode::from(2);
    };
    let Ok(port) = port.parse() else {
        eprintln!("atat-session: {port} is no port");
        return ExitCode::from(2);
    };
    match run(path, port) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("atat-session: {problem}");
            ExitCode::FAILURE
        }
    }
}

struct Problem(String);

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn problem<E: fmt::Display>(what: &str) -> impl FnOnce(E) -> Problem {
    move |error| Problem(format!("{what}: {error}"))
}

/// Runs a session: one thread feeds atat's ingress, and the other has its client.
fn run(path: &str, port: u16) -> Result<(), Problem> {
    let line = serialport::new(path, 115_200).timeout(Duration::from_millis(50)).open();
    let mut reader = line.map_err(problem("can't open the port"))?;
    let writer = reader.try_clone().map_err(problem("can't clone the port"))?;
    let slot = Box::new(Slot::new());
    let channel = Box::new(Channel::new());
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        let feeder = scope.spawn(|| feed(&mut *reader, &slot, &channel, &ended));
        let news = channel.subscribe().map_err(|error| Problem(format!("{error:?}")));
        let mut buffer = [0; BUFFER];
        let client = Client::new(Port(writer), &slot, &mut buffer, Config::default());
        let result = news.and_then(|news| Session { client, news, received: Default::default() }.all(port));
        ended.store(true, Ordering::Relaxed);
        let fed = feeder.join().map_err(|_| Problem("the thread that reads has panicked".to_owned()))?;
        result.and(fed.map_err(problem("reading failed")))
    })
}

fn feed(
    reader: &mut dyn SerialPort,
    slot: &Slot,
    channel: &Channel,
    ended: &AtomicBool,
) -> Result<(), io::Error> {
    let mut buffer = [0; BUFFER];
    let mut ingress = Ingress::new(digester(), &mut buffer, slot, channel);
    let mut bytes = [0; 1024];
    while !ended.load(Ordering::Relaxed) {
        match reader.read(&mut bytes) {
            Ok(count) => {
                let taken = ingress.try_write(&bytes[..count]).map_err(io::Error::other)?;
                if taken < count {
                    return Err(io::Error::other("atat's buffer is full of what it does not understand"));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The writing half in the form that atat needs.
struct Port(Box<dyn SerialPort>);

impl embedded_io::ErrorType for Port {
    type Error = io::Error;
}

impl embedded_io::Write for Port {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, io::Error> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> Result<(), io::Error> {
        self.0.flush()
    }
}

struct Session<'a, C> {
    client: C,
    news: Subscription<'a>,
    received: [Vec<u8>; CHANNELS],
}

impl<C: AtatClient> Session<'_, C> {
    fn all(&mut self, port: u16) -> Result<(), Problem> {
        self.bring_up()?;
        for channel in 0..CHANNELS {
            self.open(channel, port)?;
        }
        let bytes = self.exchange()?;
        println!("  ok  {bytes} bytes on {CHANNELS} channels, each byte back on its own");
        self.peer_closes()?;
        for channel in 1..CHANNELS {
            self.ask("close", &Close { channel: channel as u8 })?;
        }
        self.ask("shut", &Shut)?;
        println!("  ok  closed by the peer, by request, and shut");
        Ok(())
    }

    fn bring_up(&mut self) -> Result<(), Problem> {
        self.client.send_retry(&Attention).map_err(problem("AT"))?;
        self.ask("echo", &EchoOff)?;
        self.ask("errors", &NumericErrors)?;
        let imei = self.ask("IMEI", &ReadImei)?;
        let signal = self.ask("signal", &ReadSignal)?;
        let registration = self.ask("registration", &ReadRegistration)?;
        if !matches!(registration.state, 1 | 5) || signal.strength > 31 {
            return Err(Problem(format!("no service: {registration:?}, {signal:?}")));
        }
        self.ask("shut", &Shut)?;
        self.ask("several channels", &ManyChannels)?;
        self.ask("quick send", &QuickSend)?;
        self.ask("access point", &AccessPoint)?;
        self.ask("bearer", &BringUp)?;
        let address = self.ask("address", &ReadAddress)?;
        println!("  ok  IMEI {}, {signal:?}, {registration:?}, address {}", imei.digits, address.0);
        Ok(())
    }

    fn open(&mut self, channel: usize, port: u16) -> Result<(), Problem> {
        let command = Open { channel: channel as u8, protocol: "TCP", host: "127.0.0.1", port };
        self.ask("open", &command)?;
        match self.next("CONNECT OK")? {
            News::Connected(which) if usize::from(which) == channel => Ok(()),
            News::Failed(which) => Err(Problem(format!("the module says that {which} can't connect"))),
            other => Err(Problem(format!("channel {channel} should have connected, but {other:?}"))),
        }
    }

    /// Sends on all channels in turn without a wait for the echoes, and then reads all echoes.
    fn exchange(&mut self) -> Result<usize, Problem> {
        let mut sent: [Vec<u8>; CHANNELS] = Default::default();
        for round in 0..ROUNDS {
            for (channel, sent) in sent.iter_mut().enumerate() {
                let payload = payload(round, channel);
                self.send(channel, &payload)?;
                sent.extend_from_slice(&payload);
                self.drain()?;
            }
        }
        while (0..CHANNELS).any(|channel| self.received[channel].len() < sent[channel].len()) {
            let news = self.next("the echo")?;
            self.keep(news)?;
        }
        match (0..CHANNELS).find(|channel| self.received[*channel] != sent[*channel]) {
            Some(channel) => Err(Problem(format!("channel {channel} got other bytes than it sent"))),
            None => Ok(sent.iter().map(Vec::len).sum()),
        }
    }

    fn send(&mut self, channel: usize, payload: &[u8]) -> Result<(), Problem> {
        self.ask("prompt", &Send { channel: channel as u8, length: payload.len() })?;
        self.ask("payload", &Payload(payload)).map(drop)
    }

    /// Lets the echo server close a connection. A later send on it is refused.
    fn peer_closes(&mut self) -> Result<(), Problem> {
        self.send(0, b"close me\n")?;
        match self.next("CLOSED")? {
            News::Closed(0) => {}
            other => return Err(Problem(format!("channel 0 should be closed, but {other:?}"))),
        }
        match self.client.send(&Send { channel: 0, length: 1 }) {
            Err(Error::CmeError(CmeError::NotAllowed)) => Ok(()),
            Err(other) => Err(Problem(format!("a send on a closed channel should be refused, but {other}"))),
            Ok(_) => Err(Problem("a send on a closed channel got its prompt".to_owned())),
        }
    }

    fn ask<T: AtatCmd>(&mut self, what: &str, command: &T) -> Result<T::Response, Problem> {
        self.client.send(command).map_err(problem(what))
    }

    fn next(&mut self, what: &str) -> Result<News, Problem> {
        let until = Instant::now() + TIMEOUT;
        loop {
            if let Some(news) = self.news.try_next_message_pure() {
                return Ok(news);
            }
            if Instant::now() > until {
                return Err(Problem(format!("waited {TIMEOUT:?} for {what}")));
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn drain(&mut self) -> Result<(), Problem> {
        while let Some(news) = self.news.try_next_message_pure() {
            self.keep(news)?;
        }
        Ok(())
    }

    fn keep(&mut self, news: News) -> Result<(), Problem> {
        match news {
            News::Received(channel, data) if usize::from(channel) < CHANNELS => {
                self.received[usize::from(channel)].extend_from_slice(&data);
                Ok(())
            }
            other => Err(Problem(format!("an unexpected message: {other:?}"))),
        }
    }
}

/// A payload that begins with a line feed and contains text like a module's and every byte. Each round and channel has
/// its own.
fn payload(round: usize, channel: usize) -> Vec<u8> {
    let mut payload = format!("\n{round}{channel}\r\nOK\r\n> \r\nERROR\r\n+RECEIVE,1,3:\r\n").into_bytes();
    payload.extend((0..=255u8).map(|byte| byte.wrapping_mul(channel as u8 | 1)));
    let length = FRAME - 97 * (ROUNDS - 1 - round) * (channel + 1) % FRAME;
    payload.iter().copied().cycle().take(length).collect()
}
