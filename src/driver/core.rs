//! The core with everything that its outputs go to.

use std::io;

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::capture::Recorder;
use crate::port::{DirectWrite, Line};
use crate::proto::{Engine, Event, Input, Output, Request, SocketId};
use crate::time::Timestamp;

use super::Readable;
use super::answers::{Answer, Answers};
use super::subscribers::Subscribers;

/// Where captures go.
pub(crate) type Recording = Recorder<Box<dyn io::Write + Send>>;

/// The engine, the bytes it wants written, and who waits for what.
pub(super) struct Core {
    engine: Engine,
    direct: Option<Box<dyn DirectWrite>>,
    /// What the port did not take yet.
    unwritten: Vec<u8>,
    answers: Answers,
    subscribers: Subscribers,
    watched: Vec<(SocketId, Sender<()>)>,
    recording: Option<Recording>,
    /// What the port's thread waits for: `None` for ever.
    thread_waits_until: Option<Timestamp>,
    pub(super) closed: bool,
}

impl Core {
    pub(super) fn new(
        engine: Engine,
        direct: Option<Box<dyn DirectWrite>>,
        recording: Option<Recording>,
    ) -> Self {
        Self {
            engine,
            direct,
            unwritten: Vec::new(),
            answers: Answers::default(),
            subscribers: Subscribers::default(),
            watched: Vec::new(),
            recording,
            thread_waits_until: None,
            closed: false,
        }
    }

    pub(super) fn ask(&mut self, now: Timestamp, request: Request) -> Answer {
        let (ticket, answer) = self.answers.expect();
        self.note_request(now, &request);
        self.handle(now, Input::Asked(ticket, request));
        answer
    }

    pub(super) fn tell(&mut self, now: Timestamp, request: Request) {
        let ticket = self.answers.ticket();
        self.note_request(now, &request);
        self.handle(now, Input::Asked(ticket, request));
    }

    pub(super) fn recycle(&mut self, answer: Answer) {
        self.answers.recycle(answer);
    }

    pub(super) fn received(&mut self, now: Timestamp, bytes: &[u8]) {
        if let Some(recording) = &mut self.recording {
            recording.from_modem(now, bytes);
        }
        self.handle(now, Input::Received(bytes));
    }

    pub(super) fn tick(&mut self, now: Timestamp) {
        self.handle(now, Input::Tick);
    }

    pub(super) fn with_engine<T>(
        &mut self,
        now: Timestamp,
        look: impl FnOnce(&mut Engine, Timestamp) -> T,
    ) -> T {
        let result = look(&mut self.engine, now);
        self.drain(now);
        result
    }

    pub(super) fn deadline(&self) -> Option<Timestamp> {
        self.engine.deadline().map(|(at, _)| at)
    }

    /// The port's thread is about to wait: until when, and whether bytes are to be written.
    pub(super) fn thread_waits(&mut self) -> (Option<Timestamp>, bool) {
        self.thread_waits_until = self.deadline();
        (self.thread_waits_until, self.has_unwritten())
    }

    /// Whether the port's thread must look again.
    pub(super) fn wants_thread(&self) -> bool {
        let sooner = match (self.deadline(), self.thread_waits_until) {
            (Some(deadline), Some(waits)) => deadline < waits,
            (Some(_), None) => true,
            (None, _) => false,
        };
        self.has_unwritten() || sooner
    }

    pub(super) fn has_unwritten(&self) -> bool {
        !self.unwritten.is_empty()
    }

    pub(super) fn watch(&mut self, socket: SocketId) -> Readable {
        let (sender, signal) = bounded(1);
        if self.engine.readable(socket) != (0, false) {
            // What came before anybody watched. The place is empty.
            let _ = sender.try_send(());
        }
        self.watched.push((socket, sender.clone()));
        Readable { signal, rearm: sender }
    }

    pub(super) fn unwatch(&mut self, socket: SocketId) {
        self.watched.retain(|(watched, _)| *watched != socket);
    }

    pub(super) fn subscribe(&mut self) -> Receiver<Event> {
        self.subscribers.add()
    }

    pub(super) fn close(&mut self, now: Timestamp, reason: &str) {
        if !std::mem::replace(&mut self.closed, true) {
            self.handle(now, Input::PortLost(reason));
            self.unwritten.clear();
            self.direct = None;
        }
    }

    /// Takes what the port's thread is to write, for a port that callers can't write to.
    pub(super) fn take_unwritten(&mut self, now: Timestamp, line: &mut dyn Line) -> io::Result<Vec<u8>> {
        if self.direct.is_none() {
            return Ok(std::mem::take(&mut self.unwritten));
        }
        let written = write_some(&self.unwritten, |bytes| line.write(bytes))?;
        self.unwritten.drain(..written);
        let _ = now;
        Ok(Vec::new())
    }

    fn handle(&mut self, now: Timestamp, input: Input<'_>) {
        self.engine.handle(now, input);
        self.drain(now);
    }

    fn drain(&mut self, now: Timestamp) {
        while let Some(output) = self.engine.poll() {
            match output {
                Output::Write(bytes) => self.write(now, &bytes),
                Output::Answered(ticket, result) => self.answers.deliver(ticket, result),
                Output::Event(event) => {
                    log::debug!("{event:?}");
                    self.subscribers.tell(&event);
                }
                Output::Readable(socket) => {
                    if let Some((_, sender)) = self.watched.iter().find(|(watched, _)| *watched == socket) {
                        // A signal that waits already is as good.
                        let _ = sender.try_send(());
                    }
                }
            }
        }
    }

    fn write(&mut self, now: Timestamp, bytes: &[u8]) {
        if let Some(recording) = &mut self.recording {
            recording.to_modem(now, bytes);
        }
        let mut written = 0;
        if let (true, Some(direct)) = (self.unwritten.is_empty(), &mut self.direct) {
            // An error shows again in the port's thread, which ends the port.
            written = write_some(bytes, |bytes| direct.write(bytes)).unwrap_or(0);
        }
        self.unwritten.extend_from_slice(&bytes[written..]);
    }

    fn note_request(&mut self, now: Timestamp, request: &Request) {
        if let Some(recording) = &mut self.recording {
            recording.request(now, &request.summary());
        }
    }
}

/// Writes until nothing more is taken; how much was.
fn write_some(bytes: &[u8], mut write: impl FnMut(&[u8]) -> io::Result<usize>) -> io::Result<usize> {
    let mut written = 0;
    while written < bytes.len() {
        match write(&bytes[written..]) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => written += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    Ok(written)
}
