//! The engine: the whole core, with inputs and outputs.

mod bearer_check;
mod damage;
mod effects;
mod fetch_proof;
mod line_state;
mod port;
mod reads;
mod restart;
mod routing;
mod starts;
mod stream;
mod text;
mod timers;
mod tokens;
mod urcs;
mod writes;

use line_state::{LastByte, LineHistory};
use port::Port;
use starts::Starts;
use text::Bodies;

use crate::at::{ChannelNews, Command, Decoder, Line};
use crate::config::Config;
use crate::error::{NotReady, Result};
use crate::proto::bearer::Sign;
use crate::proto::bring_up::{BringUp, ConnectionMode};
use crate::proto::channels::{Acceptance, Channels};
use crate::proto::issuer::{Issuer, Job};
use crate::proto::outbox::Outbox;
use crate::proto::requests::Requests;
use crate::proto::self_check::SelfCheck;
use crate::proto::session::{Finished, Session, Step};
use crate::proto::transparent::{StreamInput, Transparent};
use crate::proto::{Deadline, Event, Input, Output, SocketId};
use crate::time::Timestamp;

/// The whole protocol, without a thread, a clock or a port.
///
/// Call [`handle`](Self::handle) with each input, then [`poll`](Self::poll) until it returns `None`. Then wait for a
/// byte, a request or the [`deadline`](Self::deadline). The outputs depend on the list of moments and inputs only.
///
/// ```
/// use air724ug::Config;
/// use air724ug::proto::{Engine, Input, Output};
/// use air724ug::time::Timestamp;
///
/// let mut now = Timestamp::ZERO;
/// let mut engine = Engine::new(Config::default(), now)?;
/// engine.handle(now, Input::Tick);
/// while let Some(output) = engine.poll() {
///     match output {
///         Output::Write(bytes) => assert_eq!(bytes, b"AT\r\n"),
///         Output::Event(event) => println!("{event:?}"),
///         Output::Answered(ticket, result) => println!("{ticket:?}: {result:?}"),
///         Output::Readable(socket) | Output::Writable(socket) => println!("{socket:?}"),
///         Output::Beat(socket, count) => println!("{socket:?}: heartbeat {count}"),
///         Output::Dtr(on) => println!("DTR {on}"),
///     }
/// }
/// now = engine.deadline().unwrap().0;
/// engine.handle(now, Input::Received(b"\r\nOK\r\n"));
/// # Ok::<(), air724ug::Error>(())
/// ```
#[derive(Debug)]
pub struct Engine {
    decoder: Decoder,
    session: Session,
    bring_up: BringUp,
    channels: Channels,
    requests: Requests,
    transparent: Transparent,
    bodies: Bodies,
    out: Outbox,
    last_byte: LastByte,
    /// Whether the port is there.
    port: Port,
    /// Whether the module has answered a command while it was making a connection.
    answers_while_connecting: bool,
    starts: Starts,
    /// Facts about the last tokens on the line.
    history: LineHistory,
    /// No timer is due before this moment, because one stayed due.
    timers_rest_until: Timestamp,
    /// Whether the next command is one of the application's, before those of channels.
    requests_next: bool,
    announced: Announcement,
}

/// The readiness that was last reported to the application.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Announcement {
    Ready,
    NotReady(NotReady),
}

impl Engine {
    /// Creates an engine for a port that has just been opened.
    ///
    /// # Errors
    /// [`Error::InvalidInput`](crate::Error::InvalidInput) if the configuration can't be sent to a module.
    pub fn new(config: Config, now: Timestamp) -> Result<Self> {
        let credentials = config.validate()?;
        let mut out = Outbox::default();
        out.report_lines(config.urc_lines);
        Ok(Self {
            decoder: Decoder::new(),
            session: Session::new(now),
            channels: Channels::new(&config),
            transparent: Transparent::new(config.baud_rate),
            bodies: Bodies::default(),
            bring_up: BringUp::new(config, credentials),
            requests: Requests::default(),
            out,
            last_byte: LastByte::At(now),
            port: Port::There,
            answers_while_connecting: false,
            starts: Starts::default(),
            history: LineHistory::new(),
            timers_rest_until: Timestamp::ZERO,
            requests_next: false,
            announced: Announcement::NotReady(NotReady::NoAnswer),
        })
    }

    /// Processes an input. Call [`poll`](Self::poll) afterwards until it returns `None`.
    ///
    /// Bytes from the middle of a payload or a line have no other effect: timers that are due by then stay due.
    pub fn handle(&mut self, now: Timestamp, input: Input<'_>) {
        let questions = self.session.questions();
        match input {
            // Bytes of a port that is gone.
            Input::Received(_) if !matches!(self.port, Port::There) => return,
            Input::Received(bytes) => {
                if !self.received(now, bytes) {
                    // Payload comes in many pieces, and nothing begins or ends in the middle of it.
                    return;
                }
            }
            Input::Asked(ticket, request) => match &self.port {
                Port::There => self.asked(now, ticket, request),
                Port::Away(..) if request.needs_no_port() => self.asked(now, ticket, request),
                Port::Away(reason, _) | Port::Lost(reason, _) => {
                    self.out.answer(ticket, Err(crate::Error::PortLost(reason.clone())));
                }
            },
            Input::Tick => {}
            Input::Written => self.transparent.port_took(now),
            Input::PortAway(reason) => self.port_away(now, reason),
            Input::PortLost(reason) => self.port_lost(now, reason),
            Input::PortBack => self.port_back(now),
        }
        match self.port {
            Port::There => {
                self.expire(now);
                if self.session.questions() != questions {
                    self.history.command_written();
                }
                self.pump(now);
                self.announce();
            }
            Port::Away(..) => self.expire_requests(now),
            Port::Lost(..) => {}
        }
    }

    /// Reads from a socket. Returns the number of bytes, or `None` if there is nothing to read. The number is zero for
    /// an empty buffer only.
    ///
    /// A read makes room in the window, so outputs may follow.
    ///
    /// # Errors
    /// The reason why the socket ended, after all of its data were read.
    pub fn read(&mut self, now: Timestamp, socket: SocketId, buf: &mut [u8]) -> Result<Option<usize>> {
        let read = self.channels.read(socket, buf, false);
        // Pushed data come without a command.
        let allows_commands = !self.channels.is_pushed() || !self.transparent.is_idle();
        if allows_commands && matches!(self.port, Port::There) && matches!(read, Ok(Some(_))) {
            self.pump(now);
        }
        read
    }

    /// Copies bytes like [`read`](Self::read), and leaves them in the socket.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    pub fn peek(&mut self, socket: SocketId, buf: &mut [u8]) -> Result<Option<usize>> {
        self.channels.read(socket, buf, true)
    }

    /// The next output; `None` if there are no more.
    pub fn poll(&mut self) -> Option<Output> {
        self.out.pop()
    }

    /// Whether the core waits for [`Input::Written`] before it writes more.
    pub fn awaits_port(&self) -> bool {
        self.transparent.awaits_port()
    }

    /// The moment at which the core needs an [`Input::Tick`], and the reason. `None` if it needs none before the next
    /// input.
    pub fn deadline(&self) -> Option<(Timestamp, Deadline)> {
        match self.port {
            Port::There => {}
            Port::Away(..) => return self.request_deadline(),
            Port::Lost(..) => return None,
        }
        self.next_timer()
    }

    /// Whether sockets can be opened.
    pub fn is_ready(&self) -> bool {
        let sockets = [self.bring_up.connection_mode(), self.transparent.connection_mode()]
            == [ConnectionMode::Sockets; 2];
        matches!(self.port, Port::There) && self.bring_up.is_ready() && sockets
    }

    /// The reason why sockets can't be opened, if they can't.
    pub fn not_ready(&self) -> Option<NotReady> {
        if self.transparent.is_connected() {
            return Some(NotReady::Transparent);
        }
        (!self.is_ready()).then_some(self.bring_up.reason())
    }

    pub(super) fn line(&mut self, now: Timestamp, line: &[u8]) {
        if self.is_text(now, line) {
            return;
        }
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if self.drops_old_result(now, line) {
            return;
        }
        if let Line::Channel { channel: None, news } = Line::parse(line)
            && self.channels.pending().nth(1).is_some()
            && matches!(news, ChannelNews::ConnectFail | ChannelNews::AlreadyConnect)
        {
            // The line may concern other connections than that of the command in flight.
            self.unclaimed(now, line);
            return;
        }
        self.bearer_line(now, line);
        if self.session.is_idle() && !self.session.awaits_late_answer(now) && self.transparent.is_escaped() {
            self.stream_handles(now, StreamInput::Stray(line));
        }
        if self.began_before_the_command(now, line) {
            return self.strange(now, line);
        }
        let begins = self.begins_answer(now, line);
        if self.ends_mixed_answer(now, line) {
            return;
        }
        let is_named = self.session.is_asked_for_named_lines();
        let step = self.session.line(now, line, &mut self.out);
        if matches!(step, Step::Unclaimed) {
            self.news(now, line);
        } else {
            self.answer_line(begins, is_named && matches!(step, Step::Consumed), line);
            if matches!(step, Step::Text) {
                self.doubt_news(now, line);
            }
            self.step(now, step);
        }
    }

    pub(super) fn step(&mut self, now: Timestamp, step: Step) {
        match step {
            Step::Consumed | Step::Text | Step::Unclaimed => {}
            Step::Finished(finished) => self.finished(now, finished),
            // The peer of the stream has sent the question back: this proves nothing.
            Step::Echoed if self.transparent.is_proving() => {}
            // Text of people may continue after an empty line. The echo of a question shows whether this was an echo.
            Step::Echoed if self.session.is_idle() && self.bodies.is_doubtful(now) => {
                self.channels.bearer_sign(now, Sign::Strong);
            }
            // The echo was off. It is on again because the module has restarted without a report.
            Step::Echoed => {
                self.history.echo = true;
                if self.bring_up.echo_came() {
                    self.restarted(now);
                }
                if self.bring_up.knows_echo_stays() {
                    self.channels.keep_prompt(&mut self.out);
                }
            }
            Step::Synchronised => {
                if self.bring_up.is_waiting_for_module() {
                    self.bring_up.begin(now);
                }
            }
            Step::Trusted(dropped, echo) => self.trusted(now, dropped, echo),
        }
        if self.session.take_doubt_of_filling() {
            self.channels.filling_is_doubted();
        }
        if self.session.is_waking() && !self.bring_up.is_waiting_for_module() {
            // The module fell silent: bring-up searches for it.
            self.lost_contact(now);
        }
    }

    pub(super) fn finished(&mut self, now: Timestamp, finished: Finished) {
        self.out.ended(&finished);
        self.judge_answer(now, &finished);
        if self.channels.makes_connection(now) && finished.result.is_ok() {
            self.answers_while_connecting |= !matches!(finished.issuer, Issuer::Channel(_, Job::Start));
        }
        match finished.issuer {
            Issuer::BringUp => {
                self.bring_up.finished(now, &finished.result);
                let is_ok = finished.result.is_ok();
                if finished.command.text() == Command::quick_send().text() {
                    self.channels.confirms_sends(if is_ok { Acceptance::Quick } else { Acceptance::Slow });
                }
                if finished.command.text() == Command::send_prompt().text() {
                    self.channels.prompt_is_written();
                }
                if finished.command.is_shut() && is_ok {
                    self.channels.shut_down(&mut self.out);
                }
                self.bring_up.take_replaced().into_iter().for_each(|event| self.out.event(event));
                if let Some(refusal) = self.bring_up.take_unable() {
                    self.stream_handles(now, StreamInput::Unable(finished.command.text(), refusal));
                }
            }
            Issuer::Stream => {
                let facts = self.stream_facts();
                self.transparent.finished(now, &finished, &facts);
                self.stream_acts(now);
            }
            Issuer::Channel(channel, job) => {
                self.channels.finished(now, channel, job, &finished, &mut self.out);
            }
            Issuer::Abandoned(_) => {}
            Issuer::Caller(ticket) => {
                if finished.command.may_remove_files() {
                    self.channels.restart_preparations();
                }
                // A stream is asked for when it is resumed.
                if finished.command.may_end_connections() && !self.transparent.is_escaped() {
                    self.channels.others_may_have_closed(now);
                    self.requests.check(SelfCheck::Bearer);
                }
                let (answer, effect) = self.requests.finished(now, ticket, finished);
                self.out.answer_all(answer);
                if let Some(effect) = effect {
                    self.effect(now, effect);
                }
            }
            Issuer::SelfCheck(check) => self.checked(now, check, &finished),
        }
        let in_use = self.bring_up.take_in_use();
        self.channels.found_in_use(&in_use);
        if let Some(count) = self.bring_up.take_channels() {
            self.channels.offer(now, count, &mut self.out);
        }
    }

    /// Writes the next command, if the session is free.
    pub(super) fn pump(&mut self, now: Timestamp) {
        let was_idle = self.session.is_idle();
        self.out.echo().is_possible(self.bring_up.may_be_echoed() && !self.session.is_online());
        self.write_commands(now);
        if was_idle && !self.session.is_idle() {
            self.history.command_written();
        }
    }

    fn write_commands(&mut self, now: Timestamp) {
        self.drive_stream(now);
        if self.may_be_prompted() {
            return;
        }
        while self.session.is_idle() {
            if let Some(command) = self.stream_command(now) {
                self.session.start(now, command, Issuer::Stream, None, &mut self.out);
                continue;
            }
            let asks = self.bring_up.is_ready() && !self.channels.has_to_close(now);
            if (asks && self.channels.takes_bearer_question(now)) || self.channels.has_doubt(now) {
                self.requests.check(SelfCheck::Bearer);
            }
            if self.bring_up.is_ready() && self.requests_next {
                self.requests_next = false;
                if let Some((command, issuer, payload)) = self.next_request(now) {
                    self.session.start(now, command, issuer, payload, &mut self.out);
                    continue;
                }
            }
            self.requests_next = true;
            if self.bring_up.is_ready() {
                if let Some(turn) = self.channels.next_command(now, &mut self.out) {
                    let issuer = Issuer::Channel(turn.channel, turn.job);
                    self.session.start(now, turn.command, issuer, turn.payload, &mut self.out);
                    continue;
                }
            } else if let Some(command) = self.bring_up_command(now) {
                self.session.start(now, command, Issuer::BringUp, None, &mut self.out);
                continue;
            }
            match self.next_request(now) {
                Some((command, issuer, payload)) => {
                    self.session.start(now, command, issuer, payload, &mut self.out)
                }
                None => return,
            }
        }
    }

    fn next_request(&mut self, now: Timestamp) -> Option<(Command, Issuer, Option<Vec<u8>>)> {
        let next = self.requests.next()?;
        if next.1 == Issuer::SelfCheck(SelfCheck::Bearer) {
            self.channels.ask_status(now);
        }
        Some(next)
    }

    fn bring_up_command(&mut self, now: Timestamp) -> Option<Command> {
        let command = (!self.bring_up.is_waiting_for_module()).then(|| self.bring_up.next(now)).flatten()?;
        self.out.event(Event::Step(self.bring_up.step()));
        Some(command)
    }

    /// Reports changes of readiness to the application.
    fn announce(&mut self) {
        let announced = match self.not_ready() {
            None => Announcement::Ready,
            Some(reason) => Announcement::NotReady(reason),
        };
        if std::mem::replace(&mut self.announced, announced) == announced {
            return;
        }
        match announced {
            Announcement::Ready => {
                self.out.event(Event::Step(super::BringUpStep::Ready));
                self.out.event(Event::Ready(self.local_address()));
                self.out.answer_all(self.requests.ready());
            }
            Announcement::NotReady(reason) => self.out.event(Event::NotReady(reason)),
        }
    }
}
