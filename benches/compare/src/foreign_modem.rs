//! A modem on a pseudo-terminal, written for this comparison: the required part of the dialect, without code of
//! `air724ug`.
//!
//! It runs as a separate process, so that its processor time and context switches are not counted.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

pub const CHUNK: usize = 1460;
/// The argument that makes this program the modem.
pub const ARGUMENT: &str = "--foreign-modem";

/// The modem's process, ended when this is dropped.
pub struct ForeignModem {
    pub path: String,
    child: Child,
}

impl ForeignModem {
    /// `baud` 0: without a rate.
    pub fn start(baud: u32) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let child =
            command.args([ARGUMENT, &baud.to_string()]).stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut child = child.unwrap();
        let mut path = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut path).unwrap();
        Self { path: path.trim().to_owned(), child }
    }
}

impl Drop for ForeignModem {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn run(baud: u32) -> io::Result<()> {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    let path = ptsname(&master, Vec::new())?.into_string().map_err(io::Error::other)?;
    // Open while the modem runs, so that a program that closes the port does not end it.
    let slave = File::options().read(true).write(true).open(&path)?;
    let mut termios = tcgetattr(&slave)?;
    termios.make_raw();
    tcsetattr(&slave, OptionalActions::Now, &termios)?;
    println!("{path}");
    let now = Instant::now();
    let byte =
        if baud == 0 { Duration::ZERO } else { Duration::from_nanos(10_000_000_000 / u64::from(baud)) };
    let line = Line {
        master: File::from(master),
        byte,
        arriving: Vec::new(),
        arrived_at: now,
        read_at: now,
        sent_at: now,
    };
    Modem::new(line).serve()
}

/// The line: 8N1, each direction with its own clock.
struct Line {
    master: File,
    byte: Duration,
    /// Bytes in transit from the host, and the arrival of the last one.
    arriving: Vec<u8>,
    arrived_at: Instant,
    /// The arrival of the bytes that were read last.
    read_at: Instant,
    sent_at: Instant,
}

impl Line {
    fn read(&mut self) -> io::Result<Vec<u8>> {
        if self.arriving.is_empty() {
            self.take()?;
        }
        let (count, at) = (self.arriving.len(), self.arrived_at);
        self.wait_until(at)?;
        self.read_at = at;
        Ok(self.arriving.drain(..count).collect())
    }

    /// Waits for bytes of the host.
    fn take(&mut self) -> io::Result<()> {
        let mut buffer = [0; 4096];
        let count = self.master.read(&mut buffer)?;
        self.arrived_at = self.arrived_at.max(Instant::now()) + self.byte * count as u32;
        self.arriving.extend_from_slice(&buffer[..count]);
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.byte.is_zero() {
            return self.master.write_all(bytes);
        }
        for piece in bytes.chunks(128) {
            // An answer begins when the command has arrived, even if this thread was woken later.
            let begun_at = self.sent_at.max(self.read_at);
            let now = Instant::now();
            let begun_at = if now > begun_at + Duration::from_millis(2) { now } else { begun_at };
            self.sent_at = begun_at + self.byte * piece.len() as u32;
            self.wait_until(self.sent_at)?;
            self.master.write_all(piece)?;
        }
        Ok(())
    }

    /// Waits exactly: the kernel's timers alone are up to 0.1 ms late, which is 30 bytes at 3 Mbaud.
    fn wait_until(&mut self, at: Instant) -> io::Result<()> {
        loop {
            let left = at.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            if left < Duration::from_micros(150) {
                std::hint::spin_loop();
                continue;
            }
            let span = Timespec { tv_sec: 0, tv_nsec: (left.as_nanos() as i64 - 120_000).min(999_999_999) };
            if poll(&mut [PollFd::new(&self.master, PollFlags::IN)], Some(&span))? > 0 {
                self.take()?;
            }
        }
    }
}

/// The other end of a connection.
#[derive(Clone, Copy)]
enum Peer {
    Echo,
    Discard,
    /// Sends full frames; each message contains their number.
    Source,
}

struct Payload {
    channel: usize,
    left: usize,
    bytes: Vec<u8>,
}

struct Modem {
    line: Line,
    has_echo: bool,
    prompts: bool,
    command: Vec<u8>,
    payload: Option<Payload>,
    /// A line feed after the command's carriage return belongs to the command.
    is_after_return: bool,
    peers: [Peer; 8],
    sends: usize,
}

impl Modem {
    fn new(line: Line) -> Self {
        let peers = [Peer::Discard; 8];
        Self {
            line,
            has_echo: true,
            prompts: true,
            command: Vec::new(),
            payload: None,
            is_after_return: false,
            peers,
            sends: 0,
        }
    }

    fn serve(&mut self) -> io::Result<()> {
        loop {
            let bytes = self.line.read()?;
            let mut rest = &bytes[..];
            while let Some((&byte, after)) = rest.split_first() {
                if std::mem::take(&mut self.is_after_return) && byte == b'\n' {
                    rest = after;
                } else if let Some(mut payload) = self.payload.take() {
                    let (mine, after) = rest.split_at(payload.left.min(rest.len()));
                    payload.bytes.extend_from_slice(mine);
                    payload.left -= mine.len();
                    rest = after;
                    if payload.left == 0 {
                        self.accept(&payload)?;
                    } else {
                        self.payload = Some(payload);
                    }
                } else {
                    rest = after;
                    self.process(byte)?;
                }
            }
        }
    }

    fn process(&mut self, byte: u8) -> io::Result<()> {
        if byte != b'\r' {
            self.command.push(byte);
            return Ok(());
        }
        self.is_after_return = true;
        let command = String::from_utf8_lossy(&std::mem::take(&mut self.command)).trim().to_uppercase();
        let mut answer = if self.has_echo { format!("{command}\r\n") } else { String::new() };
        answer += &self.answer(&command);
        self.line.write(answer.as_bytes())
    }

    fn answer(&mut self, command: &str) -> String {
        const OK: &str = "\r\nOK\r\n";
        let line = |text: &str| format!("\r\n{text}\r\n{OK}");
        if let Some(arguments) = command.strip_prefix("AT+CIPSEND=").filter(|arguments| *arguments != "?") {
            let (channel, left) = arguments.split_once(',').unwrap();
            let (channel, left) = (channel.parse().unwrap(), left.trim().parse().unwrap());
            self.payload = Some(Payload { channel, left, bytes: Vec::with_capacity(left) });
            return if self.prompts { "\r\n> ".to_owned() } else { String::new() };
        }
        if let Some(arguments) = command.strip_prefix("AT+CIPSTART=") {
            let channel = usize::from(arguments.as_bytes()[0] - b'0');
            self.peers[channel] = match arguments {
                _ if arguments.contains("ECHO") => Peer::Echo,
                _ if arguments.contains("SOURCE") => Peer::Source,
                _ => Peer::Discard,
            };
            return format!("{OK}\r\n{channel}, CONNECT OK\r\n");
        }
        if let Some(channel) = command.strip_prefix("AT+CIPCLOSE=") {
            return format!("\r\n{}, CLOSE OK\r\n", &channel[..1]);
        }
        match command {
            "ATE0" => self.has_echo = false,
            "AT+CIPSPRT=0" => self.prompts = false,
            "AT+CIPSPRT=1" => self.prompts = true,
            "AT+CIPSHUT" => return "\r\nSHUT OK\r\n".to_owned(),
            "AT+CIFSR" => return "\r\n10.0.0.2\r\n".to_owned(),
            "AT+CIPSTATUS" => return format!("{OK}\r\nSTATE: IP INITIAL\r\n"),
            "ATI" => return line("FOREIGN_MODEM"),
            "AT+CGSN" => return line("490154203237518"),
            "AT+CFUN?" => return line("+CFUN: 1"),
            "AT+CPIN?" => return line("+CPIN: READY"),
            "AT+CSQ" => return line("+CSQ: 20,99"),
            "AT+CREG?" => return line("+CREG: 0,1"),
            "AT+CGREG?" => return line("+CGREG: 0,1"),
            "AT+CEREG?" => return line("+CEREG: 0,1"),
            "AT+CGATT?" => return line("+CGATT: 1"),
            "AT+CIPMODE?" => return line("+CIPMODE: 0"),
            "AT+CIPMUX?" => return line("+CIPMUX: 1"),
            "AT+CIPQSEND?" => return line("+CIPQSEND: 1"),
            "AT+CIPSEND=?" => return line("+CIPSEND: <0-7>,<length>"),
            // The number of sends. Only this modem has the command.
            "AT+SENDS?" => return line(&format!("+SENDS: {}", self.sends)),
            _ => {}
        }
        OK.to_owned()
    }

    fn accept(&mut self, payload: &Payload) -> io::Result<()> {
        self.sends += 1;
        let Payload { channel, bytes, .. } = payload;
        let mut answer = format!("\r\nDATA ACCEPT:{channel},{}\r\n", bytes.len()).into_bytes();
        match self.peers[*channel] {
            Peer::Discard => self.line.write(&answer),
            Peer::Echo => {
                answer.extend(frame(*channel, bytes));
                self.line.write(&answer)
            }
            Peer::Source => {
                self.line.write(&answer)?;
                let frames: usize = std::str::from_utf8(bytes).unwrap().trim().parse().unwrap();
                let frame = frame(*channel, &[b'x'; CHUNK]);
                (0..frames / 20).try_for_each(|_| self.line.write(&frame.repeat(20)))
            }
        }
    }
}

fn frame(channel: usize, bytes: &[u8]) -> Vec<u8> {
    [format!("\r\n+RECEIVE,{channel},{}:\r\n", bytes.len()).as_bytes(), bytes].concat()
}
