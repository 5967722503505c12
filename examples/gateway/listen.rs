//! The addresses for clients, and the service on each.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use air724ug::crossbeam_channel::Sender;

use crate::asking::Asking;
use crate::client_end;
use crate::fleet::{Fleet, Refusal, RefusalKind};
use crate::host;
use crate::http::{self, HttpRefusal, HttpRequest, HttpTarget};
use crate::relay::{Beginning, Relays, reset};
use crate::socks;
use crate::status::Counts;

/// The time-out of a client's request.
const REQUEST: Duration = Duration::from_secs(20);
/// The time-out of reading a page.
const PAGE: Duration = Duration::from_secs(20);
/// The time-out for a client to close after its answer, and the most bytes that it may still send.
const LEAVE: Duration = Duration::from_secs(1);
const MAX_LEFT: u64 = 4 * 1024 * 1024;
/// The most simultaneous clients, including those that wait; each has two threads. Above it the oldest client whose
/// request is not complete makes room.
const MAX_CLIENTS: usize = 256;

/// The state for the clients' threads.
pub struct Gateway {
    pub fleet: Fleet,
    pub relays: Relays,
    pub counts: Counts,
    pub linger: Duration,
    /// Further names of the gateway.
    pub hosts: Vec<String>,
    pub notes: Sender<(String, String)>,
    pub clients: AtomicUsize,
    pub asking: Asking,
}

/// The service at an address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Service {
    Socks,
    Http,
    /// No protocol: every connection leads to this server.
    Forward(String, u16),
}

/// A stream that must be read before a deadline.
struct TimedStream<'a> {
    stream: &'a TcpStream,
    until: Instant,
}

impl Read for TimedStream<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.stream.set_read_timeout(Some(left))?;
        let mut stream = self.stream;
        stream.read(buf)
    }
}

impl Write for TimedStream<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let mut stream = self.stream;
        stream.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Gateway {
    /// Listens on this address until the program ends. Returns the address from the system.
    pub fn listen(self: &Arc<Self>, address: SocketAddr, service: Service) -> io::Result<SocketAddr> {
        let listener = TcpListener::bind(address)?;
        let local = listener.local_addr()?;
        let gateway = self.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                match client {
                    Ok(client) => gateway.take(client, service.clone()),
                    // Out of file descriptors: the next accept fails as well, until a connection ends.
                    Err(error) => {
                        gateway.note(&format!("a client can't be accepted: {error}"));
                        crate::common::pause(Duration::from_millis(200));
                    }
                }
            }
        });
        Ok(local)
    }

    fn take(self: &Arc<Self>, client: TcpStream, service: Service) {
        // The protocol has no refusal, and a normal end would be an empty answer of the server.
        let is_bare = matches!(service, Service::Forward(..));
        if self.clients.fetch_add(1, Ordering::SeqCst) >= MAX_CLIENTS && !self.asking.make_room() {
            if is_bare {
                reset(&client);
            }
            self.clients.fetch_sub(1, Ordering::SeqCst);
            self.note(&format!("refused: {MAX_CLIENTS} clients are the most"));
            return;
        }
        let gateway = self.clone();
        let serve = move || {
            let _ = client.set_nodelay(true);
            let _ = client.set_write_timeout(Some(PAGE));
            let served = match service {
                Service::Socks => gateway.socks(&client),
                Service::Http => gateway.http(&client),
                Service::Forward(host, port) => gateway.forward(&client, &host, port),
            };
            if let Err(why) = served {
                gateway.note(&format!("refused: {why}"));
                match is_bare {
                    true => reset(&client),
                    false => leave(&client),
                }
            }
            gateway.clients.fetch_sub(1, Ordering::SeqCst);
        };
        if thread::Builder::new().name("client".to_owned()).spawn(serve).is_err() {
            self.clients.fetch_sub(1, Ordering::SeqCst);
            self.note("refused: the system has no thread left");
        }
    }

    fn socks(&self, client: &TcpStream) -> Result<(), String> {
        let mut stream = TimedStream { stream: client, until: Instant::now() + REQUEST };
        let asking = self.asking.enter(client);
        let modem = socks::greet(&mut stream, |name| self.fleet.knows(name)).map_err(|failure| failure.0)?;
        let request = socks::request(&mut stream).map_err(|failure| failure.0)?;
        drop(asking);
        let answer = |result: Result<(), &Refusal>| {
            let code = result.map_or_else(|refusal| socks::code(refusal.kind), |()| 0);
            socks::reply(&mut &*client, code)
        };
        self.connect(client, modem.as_deref(), &request.host, request.port, Beginning::default(), answer)
    }

    fn http(&self, client: &TcpStream) -> Result<(), String> {
        let mut stream = TimedStream { stream: client, until: Instant::now() + REQUEST };
        let in_words = |status: u16, why: &str| {
            http::answer(&mut &*client, status, "text/plain; charset=utf-8", &format!("gateway: {why}\n"))
        };
        let asking = self.asking.enter(client);
        let head = http::read_head(&mut stream).map_err(|error| {
            if error.kind() == io::ErrorKind::InvalidData {
                let _ = in_words(431, &error.to_string());
            }
            client_end::in_words(&error)
        })?;
        drop(asking);
        let Some((head, after)) = head else { return Ok(()) };
        match http::parse(&head) {
            Err(HttpRefusal(status, why)) => {
                let _ = in_words(status, &why);
                Err(why)
            }
            Ok(HttpRequest::Page { host, .. }) if !self.is_own(client, &host) => {
                let why = format!("Host is {host:?}, which is no name of this gateway; --host adds one");
                let _ = in_words(421, &why);
                Err(why)
            }
            Ok(HttpRequest::Page { path, is_head, .. }) => {
                let (status, kind, body) = self.counts.answer(&path, &self.fleet, &self.relays);
                let answer = if is_head { http::answer_head } else { http::answer };
                answer(&mut &*client, status, kind, &body).map_err(|error| format!("a page: {error}"))?;
                leave(client);
                Ok(())
            }
            Ok(HttpRequest::Connect { target: HttpTarget { host, port, modem } }) => {
                let answer = |result: Result<(), &Refusal>| match result {
                    Ok(()) => (&mut &*client).write_all(b"HTTP/1.1 200 Connection established\r\n\r\n"),
                    Err(refusal) => in_words(http::status(refusal.kind), &refusal.why),
                };
                let beginning = Beginning { after, ..Beginning::default() };
                self.connect(client, modem.as_deref(), &host, port, beginning, answer)
            }
            Ok(HttpRequest::Absolute { target: HttpTarget { host, port, modem }, head, body }) => {
                let answer = |result: Result<(), &Refusal>| match result {
                    Ok(()) => Ok(()),
                    Err(refusal) => in_words(http::status(refusal.kind), &refusal.why),
                };
                let beginning = Beginning { head, after, body: Some(body) };
                self.connect(client, modem.as_deref(), &host, port, beginning, answer)
            }
        }
    }

    fn is_own(&self, client: &TcpStream, host: &str) -> bool {
        client.local_addr().is_ok_and(|reached| host::is_own(host, reached.ip(), &self.hosts))
    }

    fn forward(&self, client: &TcpStream, host: &str, port: u16) -> Result<(), String> {
        self.connect(client, None, host, port, Beginning::default(), |_| Ok(()))
    }

    /// Connects, informs the client, and relays its bytes.
    fn connect(
        &self,
        client: &TcpStream,
        modem: Option<&str>,
        host: &str,
        port: u16,
        beginning: Beginning,
        answer: impl Fn(Result<(), &Refusal>) -> io::Result<()>,
    ) -> Result<(), String> {
        let gone = |error: io::Error| format!("{host}:{port}: the client went away: {error}");
        let has_left = || client_end::has_closed(client);
        let (member, socket) = match self.fleet.connect(modem, host, port, has_left) {
            Ok(connection) => connection,
            Err(refusal) => {
                self.counts.refused(refusal.kind);
                if refusal.kind != RefusalKind::Left {
                    answer(Err(&refusal)).map_err(gone)?;
                }
                return Err(format!("{host}:{port}: {refusal}"));
            }
        };
        answer(Ok(())).map_err(gone)?;
        client.set_read_timeout(None).map_err(gone)?;
        member.open.fetch_add(1, Ordering::SeqCst);
        let (report, result) = self.relays.relay(client, socket, beginning, self.linger);
        member.open.fetch_sub(1, Ordering::SeqCst);
        self.fleet.changes.notify();
        let how = result.err().map_or(String::new(), |why| format!(", then {why}"));
        member.note(format!("{host}:{port}: {} bytes sent, {} received{how}", report.sent, report.received));
        Ok(())
    }

    pub fn note(&self, text: &str) {
        // The program may be ending.
        let _ = self.notes.send(("gateway".to_owned(), text.to_owned()));
    }
}

/// Lets a client read its answer: the system drops an unread answer if bytes of the client were not read.
fn leave(client: &TcpStream) {
    let _ = client.shutdown(Shutdown::Write);
    let mut stream = TimedStream { stream: client, until: Instant::now() + LEAVE }.take(MAX_LEFT);
    let _ = io::copy(&mut stream, &mut io::sink());
}
