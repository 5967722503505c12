//! The modem without its line. It takes bytes, returns the command to run, prints, and uses the network behind it.
//!
//! The state of each part is a separate type, outside of this folder. Actions on several parts are here, one file for
//! each subject. The caller runs the commands ([`Machine::advance`], [`Machine::finish`]), so that this folder does not
//! depend on them.

mod channels;
mod control;
mod file_write;
mod heartbeat;
mod name_answers;
mod ping;
mod printing;
mod sending;
mod service;
mod sleep;
mod tls;
mod transparent;

pub(super) use channels::CHUNK;
pub(super) use service::REPORTS;

use std::collections::VecDeque;
use std::time::Duration;

use crate::sim::clock::Clock;
use crate::sim::control::ModemEvent;
use crate::sim::data::{FileWrite, Online, Payload};
use crate::sim::fault::{Fault, FaultSchedule};
use crate::sim::files::Files;
use crate::sim::ip::Ip;
use crate::sim::line::{Call, Edit, Editor, LineFormat, parse};
use crate::sim::network::Network;
use crate::sim::output_kind::OutputKind;
use crate::sim::phone::Phone;
use crate::sim::plug::Plug;
use crate::sim::radio::Radio;
use crate::sim::result::{Continuation, Failure, FollowUp, Outcome, Pause};
use crate::sim::rng::Rng;
use crate::sim::settings::{Boot, Settings};
use crate::sim::sleep::Sleep;
use crate::sim::terminal::{Outbox, Terminal};
use crate::time::Timestamp;

/// The most events for a reader of the log; beyond it the oldest is dropped.
const MAX_EVENTS: usize = 1024;
/// The limit of output that the host does not read. Beyond it the modem accepts no commands, so only unsolicited lines
/// can increase it further; at twice the limit they are dropped.
pub(in crate::sim) const OUTPUT_LIMIT: usize = 64 * 1024;

/// The current mode of the line.
#[derive(Debug)]
pub(in crate::sim) enum Mode {
    /// Command lines.
    Command,
    /// No input: a command runs.
    Running(Running),
    /// Payload of `AT+CIPSEND`.
    Payload(Payload),
    /// Content of `AT+FSWRITE`.
    File(FileWrite),
    /// Transparent data.
    Online(Online),
}

/// A command line being executed.
#[derive(Debug)]
pub(in crate::sim) struct Running {
    calls: VecDeque<Call>,
    /// The time of the next call, and the earlier time if the rest of the line end has come.
    at: Timestamp,
    at_with_line_feed: Timestamp,
    pause: Option<Pause>,
}

impl Running {
    /// True between an escape and its `OK`.
    fn is_escape(&self) -> bool {
        matches!(self.pause, Some(Pause { then: Continuation::Escaped, .. }))
    }
}

/// The next step of the current command line.
#[derive(Debug)]
pub(in crate::sim) enum Advance {
    /// It waits.
    Waits,
    /// The machine has done a step.
    Moved,
    /// The caller runs this call and passes the outcome to [`Machine::finish`].
    Run(Call),
}

/// The modem, with the network behind it.
#[derive(Debug)]
pub(in crate::sim) struct Machine<N: ?Sized = dyn Network> {
    pub(in crate::sim) settings: Settings,
    pub(in crate::sim) now: Timestamp,
    pub(in crate::sim) mode: Mode,
    pub(in crate::sim) terminal: Terminal,
    pub(in crate::sim) radio: Radio,
    pub(in crate::sim) clock: Clock,
    pub(in crate::sim) ip: Ip,
    pub(in crate::sim) files: Files,
    pub(in crate::sim) phone: Phone,
    pub(in crate::sim) out: Outbox,
    pub(in crate::sim) editor: Editor,
    pub(in crate::sim) faults: FaultSchedule,
    pub(in crate::sim) happened: VecDeque<ModemEvent>,
    pub(in crate::sim) hung_up: bool,
    pub(in crate::sim) plug: Plug,
    /// The host's DTR line.
    dtr: bool,
    /// A new format for the line: `AT+IPR`, `AT+ICF`, a reset.
    pub(in crate::sim) new_format: Option<LineFormat>,
    sleep: Sleep,
    /// Bytes that the host writes before this time are lost.
    deaf_until: Timestamp,
    /// The number of further reboots by the interrupted supply.
    brown_outs: u32,
    /// Faults that strike before any other action.
    struck: VecDeque<Fault>,
    rng: Rng,
    /// The last field, so that a machine with any network coerces to one with `dyn Network`.
    pub(in crate::sim) network: N,
}

impl<N: Network> Machine<N> {
    pub(in crate::sim) fn new(settings: Settings, network: N) -> Self {
        let mut machine = Self {
            now: Timestamp::ZERO,
            mode: Mode::Command,
            terminal: Terminal::new(&settings),
            radio: Radio::new(&settings),
            clock: Clock::new(&settings),
            ip: Ip::new(&settings.profile),
            files: Files::default(),
            phone: Phone::new(&settings),
            out: Outbox::new(settings.baud),
            editor: Editor::default(),
            faults: FaultSchedule::new(&settings.faults, settings.seed),
            happened: VecDeque::new(),
            hung_up: false,
            plug: Plug::default(),
            dtr: false,
            new_format: None,
            sleep: Sleep::default(),
            deaf_until: Timestamp::ZERO,
            brown_outs: 0,
            struck: VecDeque::new(),
            rng: Rng::new(settings.seed),
            settings,
            network,
        };
        if machine.settings.boot == Boot::Cold {
            let any: &mut Machine = &mut machine;
            any.power_on();
        }
        machine
    }
}

impl Machine {
    /// Takes bytes from the host. Returns their number; 0 while a command runs.
    pub(in crate::sim) fn feed(&mut self, bytes: &[u8]) -> usize {
        if !self.radio.listens() {
            self.train(bytes);
            return bytes.len();
        }
        if self.now < self.deaf_until || self.sleeps_through() {
            return bytes.len();
        }
        if self.out.line.len() >= OUTPUT_LIMIT {
            return 0;
        }
        match self.mode {
            Mode::Command => self.feed_command(bytes),
            Mode::Running(_) => self.feed_line_feed(bytes),
            Mode::Payload(_) => self.feed_payload(bytes),
            Mode::File(_) => self.feed_file(bytes),
            Mode::Online(_) => self.feed_online(bytes),
        }
    }

    /// Does the actions other than commands that are due before them. Returns true if there were any.
    pub(in crate::sim) fn act_before_command(&mut self) -> bool {
        let mut acted = false;
        while let Some(fault) = self.struck.pop_front().or_else(|| self.faults.due(self.now)) {
            self.strike(fault);
            acted = true;
        }
        while let Some(bytes) = self.faults.arrived(self.now) {
            self.out.line.push(self.now, &bytes);
            acted = true;
        }
        acted
    }

    /// The same, for the actions after commands.
    pub(in crate::sim) fn act_after_command(&mut self) -> bool {
        let mut acted = self.data_timers();
        acted |= self.channel_timers();
        acted |= self.service_timers();
        acted |= self.heartbeat_timers();
        acted | self.fall_asleep()
    }

    /// The time of the next action.
    pub(in crate::sim) fn deadline(&self) -> Option<Timestamp> {
        let running = match &self.mode {
            Mode::Running(running) => match &running.pause {
                Some(pause) => Some(pause.until),
                None => Some(running.at),
            },
            Mode::Command | Mode::Payload(_) | Mode::File(_) | Mode::Online(_) => None,
        };
        let all = [
            running,
            self.data_deadline(),
            self.channel_deadline(),
            self.service_deadline(),
            self.faults.deadline(),
            self.sleep_deadline(),
            self.heartbeat_deadline(),
        ];
        all.into_iter().flatten().min()
    }

    pub(in crate::sim) fn happened(&mut self, event: ModemEvent) {
        log::debug!("{} {event}", self.now);
        if self.happened.len() == MAX_EVENTS {
            self.happened.pop_front();
        }
        self.happened.push_back(event);
    }

    /// The time after the settings' latency and jitter.
    fn after_latency(&mut self) -> Timestamp {
        let jitter = self.rng.span(self.settings.jitter);
        self.now + self.settings.latency + jitter
    }

    /// Waits inside a command.
    pub(in crate::sim) fn pause(&self, span: Duration, then: Continuation) -> Outcome {
        Outcome::Pause(Pause { until: self.now + span, then })
    }

    /// The wait of the current command, if it waits.
    fn paused_for(&self) -> Option<Continuation> {
        match &self.mode {
            Mode::Running(running) => running.pause.as_ref().map(|pause| pause.then),
            Mode::Command | Mode::Payload(_) | Mode::File(_) | Mode::Online(_) => None,
        }
    }

    /// The line is free for commands again; held output is printed.
    fn free_line(&mut self) {
        self.mode = Mode::Command;
        while let Some(text) = self.out.release() {
            self.frame(OutputKind::Urc, &text);
        }
    }

    /// Starts a command line without commands, which waits and then ends.
    fn run_pause(&mut self, until: Timestamp, then: Continuation) {
        self.mode = Mode::Running(Running {
            calls: VecDeque::new(),
            at: self.now,
            at_with_line_feed: self.now,
            pause: Some(Pause { until, then }),
        });
    }

    /// Resets the state of the line and its commands after a reboot.
    fn forget_session(&mut self) {
        self.mode = Mode::Command;
        self.editor.clear();
        self.out.forget_held();
        self.faults.forget_answers();
        self.terminal = self.terminal.restored(&self.settings);
        self.new_format = Some(self.terminal.line_format(&self.settings));
        self.sleep = Sleep::default();
        self.phone.reboot();
    }

    fn power_on(&mut self) {
        let since = self.now;
        self.radio.service = crate::sim::radio::Service::None;
        self.radio.attached = false;
        self.radio.power = self.booting(since);
        self.happened(ModemEvent::Booting);
    }

    fn feed_command(&mut self, bytes: &[u8]) -> usize {
        let mut echo = Vec::new();
        let mut used = 0;
        let mut edit = Edit::More;
        while used < bytes.len() && edit == Edit::More {
            let byte = bytes[used];
            used += 1;
            if self.completes_line_end(byte) {
                echo.push(byte);
            } else {
                edit = self.editor.push(self.now, byte, &mut echo);
            }
        }
        self.echo(echo);
        match edit {
            Edit::More => {}
            Edit::Line(body) => self.begin(&body),
            Edit::TooLong => {
                let line = self.failure_line(Failure::Error);
                self.final_line(&line);
            }
        }
        used
    }

    /// While a command runs, only the second half of its line end is read.
    fn feed_line_feed(&mut self, bytes: &[u8]) -> usize {
        let awaits = self.editor.awaits_line_feed();
        if !awaits || !self.completes_line_end(bytes[0]) {
            return 0;
        }
        self.echo(vec![bytes[0]]);
        if let Mode::Running(running) = &mut self.mode {
            running.at = running.at_with_line_feed;
        }
        1
    }

    fn completes_line_end(&mut self, byte: u8) -> bool {
        let window = self.settings.profile.line_feed_window;
        byte == b'\n' && self.editor.completes_line_end(self.now, byte, window)
    }

    /// Starts to execute a command line.
    fn begin(&mut self, body: &[u8]) {
        self.happened(ModemEvent::Command(format!("AT{}", String::from_utf8_lossy(body))));
        let (struck, late) = self.faults.command_begins();
        if late > Duration::ZERO {
            self.happened(ModemEvent::Fault(format!("the answer comes {late:?} late")));
        }
        let calls: VecDeque<Call> = parse(body).into();
        let own = calls.front().map_or(Duration::ZERO, |call| self.settings.latency_of(&call.name));
        let at_with_line_feed = self.after_latency() + late + own;
        let waits = self.settings.profile.line_feed_awaited && self.editor.awaits_line_feed();
        let wait = if waits { self.settings.profile.line_feed_window } else { Duration::ZERO };
        self.mode =
            Mode::Running(Running { calls, at: at_with_line_feed + wait, at_with_line_feed, pause: None });
        self.struck.extend(struck);
    }

    /// Continues a waiting command, or takes the next call of the line.
    pub(in crate::sim) fn advance(&mut self) -> Advance {
        let now = self.now;
        let Mode::Running(running) = &mut self.mode else {
            return Advance::Waits;
        };
        let outcome = match (&running.pause, running.at <= now) {
            (Some(pause), _) => {
                let (overdue, then) = (pause.until <= now, pause.then);
                match self.resume(then, overdue) {
                    Some(outcome) => outcome,
                    None => return Advance::Waits,
                }
            }
            (None, false) => return Advance::Waits,
            (None, true) => match running.calls.pop_front() {
                Some(call) => return Advance::Run(call),
                None => Outcome::Ok,
            },
        };
        self.finish(outcome);
        Advance::Moved
    }

    /// Takes the outcome of a command.
    pub(in crate::sim) fn finish(&mut self, outcome: Outcome) {
        let (outcome, after) = match outcome {
            Outcome::OkThen(after) => (Outcome::Ok, Some(after)),
            outcome => (outcome, None),
        };
        let Mode::Running(running) = &mut self.mode else {
            // The command rebooted the modem.
            return;
        };
        running.pause = None;
        let more = !running.calls.is_empty();
        match outcome {
            Outcome::Ok | Outcome::Bare if more => {
                let next = running.calls.front();
                let own = next.map_or(Duration::ZERO, |call| self.settings.latency_of(&call.name));
                running.at = self.now + own;
            }
            Outcome::Ok | Outcome::OkThen(_) => self.end_line(Some("OK")),
            Outcome::Bare => self.end_line(None),
            Outcome::Fail(failure) => {
                let line = self.failure_line(failure);
                self.end_line(Some(&line));
            }
            Outcome::Pause(pause) => running.pause = Some(pause),
            Outcome::Prompt(payload) => self.open_payload(payload),
            Outcome::File(write) => self.mode = Mode::File(write),
            Outcome::Online => self.go_online(),
        }
        match after {
            None => {}
            Some(FollowUp::Service) => self.reconsider_service(),
            Some(FollowUp::Read { channel }) => self.read_on(channel),
            Some(FollowUp::Beat) => self.beat(),
        }
    }

    fn failure_line(&self, failure: Failure) -> String {
        failure.line(self.terminal.error_format, self.settings.profile.unknown_command)
    }

    fn end_line(&mut self, text: Option<&str>) {
        if let Some(text) = text {
            self.final_line(text);
        }
        if let Some(wrong) = self.faults.answer_ends() {
            self.frame(OutputKind::Urc, &wrong);
        }
        self.free_line();
    }
}
