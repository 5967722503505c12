//! The engine with the receivers of its outputs.

mod direct_read;
#[cfg(feature = "async")]
mod futures;
mod port;
mod silence;

use std::cell::Cell;
use std::io;

use crossbeam_channel::{Receiver, Sender};

use crate::capture::Recording;
use crate::port::{Alarm, DirectRead, DirectWrite, LeadsElsewhere};
use crate::proto::{Engine, Event, Input, Output, Request, Response, SocketId, Ticket};
use crate::time::Timestamp;

use super::answers::{Answer, Answers};
use super::heartbeat_functions::HeartbeatFunctions;
use super::readiness::{Readable, Readiness};
use super::reading_caller::ReadingCaller;
use super::session_log::SessionLog;
use super::subscribers::Subscribers;
#[cfg(feature = "async")]
use super::task_answers::TaskAnswers;
use super::tasks::Woken;
use super::timer_state::TimerState;
use silence::Silence;

/// The engine, the bytes to be written, and the waiting calls.
pub(super) struct Core {
    engine: Engine,
    /// The deadline of the engine, if it was asked for since the engine last ran.
    due: Cell<Option<Option<Timestamp>>>,
    direct: Option<Box<dyn DirectWrite>>,
    /// The readable end of the port for callers, unless one uses it.
    direct_read: Option<Box<dyn DirectRead>>,
    /// The alarm of the thread for deadlines and writes.
    alarm: Option<Box<dyn Alarm>>,
    /// Whether the path of the port leads to another device now.
    leads_elsewhere: Option<Box<LeadsElsewhere>>,
    /// The caller that reads the port.
    reading_caller: Option<ReadingCaller>,
    /// Ends the calls of halves that may block, when it is dropped.
    end: Option<Box<dyn Send>>,
    silence: Silence,
    /// The new state of the DTR line. Only ports that callers can write to have a known DTR line.
    dtr: Option<bool>,
    /// Bytes that the port has not accepted yet.
    unwritten: Vec<u8>,
    /// Whether a thread that writes without the lock has bytes that the port has not accepted yet.
    in_hand: bool,
    answers: Answers,
    #[cfg(feature = "async")]
    task_answers: TaskAnswers,
    /// The tasks that are woken when the lock is released.
    woken: Woken,
    subscribers: Subscribers,
    watched: Readiness,
    recording: Option<Recording>,
    pub(super) log: SessionLog,
    pub(super) heartbeats: HeartbeatFunctions,
    /// The state of the thread that serves deadlines and writes.
    watch: TimerState,
    port: PortState,
    /// Whether a port that is lost is opened again.
    reopens: bool,
    /// The number of the port. Reports with another number are about an earlier port.
    number: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum PortState {
    Open,
    /// Lost, and expected back.
    Away,
    Closed,
}

/// The most bytes that wait for a port that accepts none; with more it counts as lost. A command with its payload has 3
/// KiB, so such a port has accepted nothing for many minutes.
const MAX_UNWRITTEN: usize = 64 * 1024;

/// The number of the port that a modem begins with.
pub(super) const FIRST_PORT: u64 = 1;

impl Core {
    pub(super) fn new(
        engine: Engine,
        recording: Option<Recording>,
        log: SessionLog,
        watched: Readiness,
        reopens: bool,
    ) -> Self {
        Self {
            engine,
            due: Cell::new(None),
            direct: None,
            direct_read: None,
            alarm: None,
            leads_elsewhere: None,
            reading_caller: None,
            end: None,
            silence: Silence::default(),
            dtr: None,
            unwritten: Vec::new(),
            in_hand: false,
            answers: Answers::default(),
            #[cfg(feature = "async")]
            task_answers: TaskAnswers::default(),
            woken: Woken::default(),
            subscribers: Subscribers::default(),
            watched,
            recording,
            log,
            heartbeats: HeartbeatFunctions::default(),
            watch: TimerState::Up,
            port: PortState::Open,
            reopens,
            number: FIRST_PORT,
        }
    }

    pub(super) fn ask(&mut self, now: Timestamp, request: Request) -> Answer {
        let (ticket, answer) = self.answers.expect();
        self.note_request(now, ticket, &request);
        self.handle(now, Input::Asked(ticket, request));
        self.reading_caller.iter_mut().for_each(|reading_caller| reading_caller.waits_for(ticket));
        answer
    }

    pub(super) fn submit(&mut self, now: Timestamp, request: Request) {
        let ticket = self.answers.ticket();
        self.note_request(now, ticket, &request);
        self.handle(now, Input::Asked(ticket, request));
    }

    /// Records that data were written, because a write is no request.
    pub(super) fn note_write(&mut self, now: Timestamp, socket: SocketId, len: usize) {
        self.record(|recording| recording.request(now, &format!("write {len} bytes on {socket:?}")));
    }

    /// Takes an answer that is there.
    pub(super) fn take_answer(&mut self, answer: Answer) -> Option<crate::Result<Response>> {
        self.answers.take(answer)
    }

    pub(super) fn received(&mut self, now: Timestamp, bytes: &[u8]) {
        self.silence.interrupted();
        self.log.read(bytes);
        self.record(|recording| recording.from_modem(now, bytes));
        self.handle(now, Input::Received(bytes));
        self.watched.press(now, |socket| self.engine.readable(socket).0);
    }

    /// True if the last read pushed a window over half of its limit and its reader has not run since.
    pub(super) fn is_pressed(&mut self) -> bool {
        self.has_port() && self.watched.is_pressed(|socket| self.engine.readable(socket).0)
    }

    /// True if a thread may be waiting for the reader that runs now.
    pub(super) fn was_pressed(&self) -> bool {
        self.watched.was_pressed()
    }

    pub(super) fn tick(&mut self, now: Timestamp) {
        self.handle(now, Input::Tick);
    }

    pub(super) fn tick_if_due(&mut self, now: Timestamp) {
        if self.deadline().is_some_and(|deadline| deadline <= now) {
            self.tick(now);
        }
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

    /// True while closed sockets still send written data.
    pub(super) fn is_leaving(&self) -> bool {
        self.has_port() && self.engine.is_leaving()
    }

    pub(super) fn deadline(&self) -> Option<Timestamp> {
        let due = self.due.get().unwrap_or_else(|| self.engine.deadline().map(|(at, _)| at));
        debug_assert_eq!(due, self.engine.deadline().map(|(at, _)| at));
        self.due.set(Some(due));
        due
    }

    /// The thread for deadlines and writes will wait: until this moment, and whether also until the port accepts bytes.
    pub(super) fn watcher_waits(&mut self) -> (Option<Timestamp>, bool) {
        let (until, writes) = (self.deadline(), !self.unwritten.is_empty());
        self.watch = TimerState::Waiting { until, writes };
        (until, writes)
    }

    /// That thread does not wait any more.
    pub(super) fn watcher_is_up(&mut self) {
        self.watch = TimerState::Up;
        self.alarm.iter_mut().for_each(|alarm| alarm.clear());
    }

    /// Takes the new state of the DTR line.
    pub(super) fn take_dtr(&mut self) -> Option<bool> {
        self.dtr.take()
    }

    /// True if the thread must be woken for work that callers can't do: waiting bytes, DTR. It counts as woken then.
    pub(super) fn wants_writer(&mut self) -> bool {
        let is_left = !self.has_port() && self.watch != TimerState::Up;
        self.calls_watcher(
            is_left || self.dtr.is_some() || (!self.unwritten.is_empty() && self.watch.ignores_writes()),
        )
    }

    /// True if the thread must be woken for bytes or a deadline that no caller will serve. It counts as woken then. For
    /// a deadline, its alarm is set if it has one.
    pub(super) fn wants_watch(&mut self, now: impl FnOnce() -> Timestamp) -> bool {
        if self.wants_writer() {
            return true;
        }
        let oversleeps = self.watch.oversleeps(self.deadline()) && !self.sets_alarm(now);
        self.calls_watcher(oversleeps)
    }

    /// Sets the alarm to the deadline. False if there is none, or it can't be set.
    fn sets_alarm(&mut self, now: impl FnOnce() -> Timestamp) -> bool {
        let deadline = self.deadline();
        let (Some(alarm), Some(deadline)) = (&mut self.alarm, deadline) else { return false };
        let is_set = alarm.set(deadline - now()).is_ok();
        if is_set {
            self.watch.ends_at(deadline);
        }
        is_set
    }

    fn calls_watcher(&mut self, needed: bool) -> bool {
        if needed {
            self.watch = TimerState::Up;
        }
        needed
    }

    pub(super) fn watch(&mut self, socket: SocketId) -> Readable {
        let readable = self.watched.add(socket);
        if self.engine.readable(socket) != (0, false) {
            // For data that came before.
            readable.rearm();
        }
        readable
    }

    /// Signals this channel, too, when a socket can be read.
    pub(super) fn also_signal(&mut self, socket: SocketId, signal: Sender<()>) {
        if self.engine.readable(socket) != (0, false) {
            // For data that came before.
            let _ = signal.try_send(());
        }
        self.watched.also_signal(socket, signal);
    }

    /// When a watched socket has ended.
    pub(super) fn ended_at(&self, socket: SocketId) -> Option<Timestamp> {
        self.watched.ended_at(socket)
    }

    /// Notes that the application reads this socket.
    pub(super) fn looked(&mut self, socket: SocketId, now: Timestamp) {
        self.watched.looked(socket, now);
    }

    pub(super) fn unwatch(&mut self, socket: SocketId) {
        self.watched.remove(socket);
        self.heartbeats.release(socket);
    }

    /// A new subscriber. After the end of the port it gets no event.
    pub(super) fn subscribe(&mut self) -> Receiver<Event> {
        if self.is_closed() { crossbeam_channel::unbounded().1 } else { self.subscribers.add() }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.port == PortState::Closed
    }

    /// Takes the bytes to write, if callers can't write to the port. Those that were taken before count as written.
    pub(super) fn take_unwritten(&mut self, now: Timestamp, into: &mut Vec<u8>) {
        self.in_hand = false;
        self.drain(now);
        into.append(&mut self.unwritten);
        self.in_hand = !into.is_empty();
    }

    /// Writes the bytes that the port accepts now.
    pub(super) fn write_to(
        &mut self,
        now: Timestamp,
        write: impl FnMut(&[u8]) -> io::Result<usize>,
    ) -> io::Result<()> {
        let written = write_some(&self.unwritten, write)?;
        self.unwritten.drain(..written);
        if written > 0 {
            self.drain(now);
        }
        Ok(())
    }

    fn handle(&mut self, now: Timestamp, input: Input<'_>) {
        self.engine.report_commands(SessionLog::wants_commands());
        self.engine.handle(now, input);
        self.drain(now);
    }

    /// Runs all outputs of the engine, and reports to it when the port has accepted all bytes.
    fn drain(&mut self, now: Timestamp) {
        self.serve(now);
        while self.engine.awaits_port() && self.unwritten.is_empty() && !self.in_hand && self.has_port() {
            self.engine.handle(now, Input::Written);
            self.serve(now);
        }
    }

    fn serve(&mut self, now: Timestamp) {
        let mut left_for = None;
        while let Some(output) = self.engine.poll() {
            if matches!(output, Output::Event(Event::Unresponsive)) {
                left_for = left_for.or(self.reason_to_leave(now));
            }
            self.obey(now, output);
        }
        self.due.set(None);
        while let Some(words) = self.engine.take_report() {
            self.log.command(&words);
        }
        if self.unwritten.len() > MAX_UNWRITTEN {
            self.port_ended(now, self.number, "it takes no bytes any more");
        }
        if let Some(reason) = left_for {
            self.port_ended(now, self.number, reason);
        }
    }

    /// Runs one output of the engine.
    pub(super) fn obey(&mut self, now: Timestamp, output: Output) {
        match output {
            Output::Write(bytes) => {
                self.write(now, &bytes);
                self.engine.reuse(bytes);
            }
            Output::Answered(ticket, result) => self.deliver(ticket, result),
            Output::Event(event) => {
                self.log.event(&event, &self.engine);
                self.subscribers.send(&event, &mut self.woken);
                if let Event::Closed(socket, _) = event {
                    self.watched.ended(socket, now);
                    self.heartbeats.release(socket);
                }
            }
            Output::Beat(socket, count) => self.heartbeats.ask(socket, count),
            Output::Readable(socket) => self.watched.signal(socket, &mut self.woken),
            Output::Writable(socket) => self.watched.has_room(socket, &mut self.woken),
            Output::Dtr(on) => self.dtr = self.direct.is_some().then_some(on),
        }
    }

    /// Takes the tasks that are to be woken.
    pub(super) fn take_woken(&mut self) -> Woken {
        std::mem::take(&mut self.woken)
    }

    /// Delivers an answer to the waiting call or future.
    fn deliver(&mut self, ticket: Ticket, result: crate::Result<Response>) {
        self.log.answered(ticket, &result);
        self.reading_caller.iter().for_each(|reading_caller| reading_caller.answered(ticket));
        #[cfg(feature = "async")]
        let Some(result) = self.task_answers.deliver(ticket, result, &mut self.woken) else { return };
        self.answers.deliver(ticket, result);
    }

    fn write(&mut self, now: Timestamp, bytes: &[u8]) {
        self.log.written(bytes);
        self.record(|recording| recording.to_modem(now, bytes));
        let mut written = 0;
        if let (true, Some(direct)) = (self.unwritten.is_empty(), &mut self.direct) {
            // The port's thread will see the error as well, and ends the port.
            written = write_some(bytes, |bytes| direct.write(bytes)).unwrap_or(0);
        }
        self.unwritten.extend_from_slice(&bytes[written..]);
    }

    fn note_request(&mut self, now: Timestamp, ticket: Ticket, request: &Request) {
        self.log.asked(ticket, request, &self.engine);
        self.record(|recording| recording.request(now, &request.summary()));
    }

    /// Records something. The end of the capture is reported once.
    fn record(&mut self, record: impl FnOnce(&mut Recording)) {
        let Some(recording) = &mut self.recording else { return };
        record(recording);
        if let Some(error) = recording.take_error() {
            self.recording = None;
            let event = Event::CaptureEnded(error.to_string());
            self.log.event(&event, &self.engine);
            self.subscribers.send(&event, &mut self.woken);
        }
    }
}

/// Writes until the port accepts no more bytes. Returns their number.
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
