//! A program with `atat`: a thread feeds its ingress, and the caller uses its blocking client. The pause after each
//! command is off, because modules of this family do not need it.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, JoinHandle, Thread};
use std::time::Duration;

use atat::blocking::{AtatClient, Client};
use atat::digest::ParseError;
use atat::{
    AtDigester, AtatCmd, AtatIngress, AtatResp, AtatUrc, Config, Error, Ingress, InternalError, Parser,
};
use atat::{ResponseSlot, UrcChannel, UrcSubscription};
use serialport::SerialPort;

use crate::foreign_modem::CHUNK;
use crate::work::{Contender, HOSTS};

const BUFFER: usize = 16 * 1024;
const NEWS: usize = 64;

type Slot = ResponseSlot<BUFFER>;
type Channel = UrcChannel<News, NEWS, 1>;

pub struct Atat {
    client: Client<'static, Port, BUFFER>,
    news: UrcSubscription<'static, News, NEWS, 1>,
    has_ended: Arc<AtomicBool>,
    feeder: Option<JoinHandle<()>>,
}

impl Atat {
    pub fn open(path: &str) -> Self {
        let reader = serialport::new(path, 115_200).timeout(Duration::from_millis(100)).open().unwrap();
        let writer = reader.try_clone().unwrap();
        // Leaked, because its own examples use statics: a few kilobytes for each measurement.
        let slot: &'static Slot = Box::leak(Box::new(Slot::new()));
        let channel: &'static Channel = Box::leak(Box::new(Channel::new()));
        let news = channel.subscribe().unwrap();
        let has_ended = Arc::new(AtomicBool::new(false));
        let ended = has_ended.clone();
        let feeder = thread::spawn(move || feed(reader, slot, channel, &ended));
        let config = Config::default().cmd_cooldown(embassy_time::Duration::from_ticks(0));
        let client = Client::new(Port(writer), slot, Box::leak(Box::new([0; BUFFER])), config);
        let mut atat = Self { client, news, has_ended, feeder: Some(feeder) };
        atat.ask("ATE0");
        atat.ask("AT+CIPMUX=1");
        for (channel, host) in HOSTS.iter().enumerate() {
            atat.ask(&format!("AT+CIPSTART={channel},\"TCP\",\"{host}\",7"));
            assert!(matches!(block_on(atat.news.next_message_pure()), News::Connected));
        }
        atat
    }

    fn ask(&mut self, command: &str) {
        self.client.send(&Text(format!("{command}\r\n").as_bytes())).unwrap();
    }

    fn send_on(&mut self, channel: usize, bytes: &[u8]) {
        self.ask(&format!("AT+CIPSEND={channel},{}", bytes.len()));
        self.client.send(&Text(bytes)).unwrap();
    }

    fn take(&mut self, mut left: usize) {
        while left > 0 {
            if let News::Received(bytes) = block_on(self.news.next_message_pure()) {
                left -= bytes.len();
            }
        }
    }
}

impl Drop for Atat {
    fn drop(&mut self) {
        self.has_ended.store(true, Ordering::Relaxed);
        self.feeder.take().unwrap().join().unwrap();
    }
}

impl Contender for Atat {
    fn at(&mut self) {
        self.ask("AT");
    }

    fn echo(&mut self, bytes: &[u8]) {
        self.send_on(0, bytes);
        self.take(bytes.len());
    }

    fn send(&mut self, bytes: &[u8]) {
        bytes.chunks(CHUNK).for_each(|chunk| self.send_on(1, chunk));
    }

    fn receive(&mut self, frames: usize) {
        self.send_on(2, format!("{frames}").as_bytes());
        self.take(frames * CHUNK);
    }
}

fn feed(mut reader: Box<dyn SerialPort>, slot: &Slot, channel: &Channel, has_ended: &AtomicBool) {
    let mut buffer = vec![0; BUFFER];
    let digester = AtDigester::<News>::new().with_custom_success(accepted);
    let mut ingress = Ingress::new(digester, &mut buffer, slot, channel);
    let mut bytes = [0; 4096];
    while !has_ended.load(Ordering::Relaxed) {
        match reader.read(&mut bytes) {
            Ok(count) => block_on(ingress.write(&bytes[..count])),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {}
            Err(error) => panic!("{error}"),
        }
    }
}

struct Port(Box<dyn SerialPort>);

impl embedded_io::ErrorType for Port {
    type Error = io::Error;
}

impl embedded_io::Write for Port {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

struct Answered;

impl AtatResp for Answered {}

/// A command or a payload, with the bytes of the line.
struct Text<'a>(&'a [u8]);

impl AtatCmd for Text<'_> {
    type Response = Answered;
    const MAX_TIMEOUT_MS: u32 = 60_000;

    fn write(&self, buffer: &mut [u8]) -> usize {
        buffer[..self.0.len()].copy_from_slice(self.0);
        self.0.len()
    }

    fn parse(&self, answer: Result<&[u8], InternalError>) -> Result<Answered, Error> {
        answer.map(|_| Answered).map_err(Error::from)
    }
}

#[derive(Clone, Debug)]
enum News {
    Connected,
    Received(Vec<u8>),
}

type Found<'a> = Result<(&'a [u8], usize), ParseError>;

impl Parser for News {
    fn parse(bytes: &[u8]) -> Found<'_> {
        let (line, end) = line(bytes)?;
        if let Some(length) = announced(line) {
            let end = end + length;
            return bytes.get(2..end).map(|frame| (frame, end)).ok_or(ParseError::Incomplete);
        }
        if line.ends_with(b", CONNECT OK") { Ok((line, end)) } else { Err(ParseError::NoMatch) }
    }
}

impl AtatUrc for News {
    fn parse(frame: &[u8]) -> Option<Self> {
        if frame.ends_with(b", CONNECT OK") {
            return Some(Self::Connected);
        }
        let at = frame.windows(3).position(|three| three == b":\r\n")?;
        Some(Self::Received(frame[at + 3..].to_vec()))
    }
}

fn accepted(bytes: &[u8]) -> Found<'_> {
    let (line, end) = line(bytes)?;
    if line.starts_with(b"DATA ACCEPT:") { Ok((line, end)) } else { Err(ParseError::NoMatch) }
}

fn line(bytes: &[u8]) -> Found<'_> {
    let rest = bytes.strip_prefix(b"\r\n").ok_or(ParseError::NoMatch)?;
    match rest.windows(2).position(|two| two == b"\r\n") {
        Some(at) => Ok((&rest[..at], at + 4)),
        None if rest.starts_with(b">") => Err(ParseError::NoMatch),
        None => Err(ParseError::Incomplete),
    }
}

fn announced(line: &[u8]) -> Option<usize> {
    let line = std::str::from_utf8(line).ok()?;
    line.strip_prefix("+RECEIVE,")?.strip_suffix(":")?.split_once(',')?.1.parse().ok()
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}
