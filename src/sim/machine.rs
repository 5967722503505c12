//! The modem without its line and its network: takes bytes, runs commands, prints.

use std::collections::VecDeque;
use std::time::Duration;

use super::clock::Clock;
use super::commands;
use super::control::Happening;
use super::data::{FileWrite, Online, Payload};
use super::fault::{Fault, Faults};
use super::files::Files;
use super::ip::Ip;
use super::line::{Call, Edit, Editor, LineFormat, parse};
use super::network::Network;
use super::phone::Phone;
use super::radio::Radio;
use super::result::{After, Outcome, Pause, Then};
use super::rng::Rng;
use super::settings::{Boot, Settings};
use super::sleep::Sleep;
use super::terminal::{Kind, Outbox, Terminal};
use crate::time::Timestamp;

/// Events kept for a reader of the log; without one the oldest is dropped.
const HAPPENINGS: usize = 1024;
/// Output that the host does not take. Beyond it the modem takes no commands, so only unsolicited lines can still
/// grow it: twice this and they are dropped.
pub(super) const OUTPUT_LIMIT: usize = 64 * 1024;

/// What the line carries at the moment.
#[derive(Debug)]
pub(super) enum Mode {
    /// Command lines.
    Command,
    /// Nothing: a command runs.
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
pub(super) struct Running {
    calls: VecDeque<Call>,
    /// When the next call runs, and when it would if the rest of the line end were there.
    at: Timestamp,
    at_with_line_feed: Timestamp,
    pause: Option<Pause>,
}

/// The modem.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) settings: Settings,
    pub(super) now: Timestamp,
    pub(super) mode: Mode,
    pub(super) terminal: Terminal,
    pub(super) radio: Radio,
    pub(super) clock: Clock,
    pub(super) ip: Ip,
    pub(super) files: Files,
    pub(super) phone: Phone,
    pub(super) out: Outbox,
    pub(super) editor: Editor,
    pub(super) faults: Faults,
    pub(super) happened: VecDeque<Happening>,
    pub(super) hung_up: bool,
    /// The host's DTR line.
    pub(super) dtr: bool,
    /// The line takes this over: `AT+IPR`, `AT+ICF`, a reset.
    pub(super) new_format: Option<LineFormat>,
    pub(super) sleep: Sleep,
    /// What the host writes before is lost.
    pub(super) deaf_until: Timestamp,
    /// Reboots that a breaking supply still causes.
    pub(super) brown_outs: u32,
    /// Faults that strike before anything else is done.
    struck: VecDeque<Fault>,
    rng: Rng,
}

impl Machine {
    pub(super) fn new(settings: Settings) -> Self {
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
            faults: Faults::new(&settings.faults, settings.seed),
            happened: VecDeque::new(),
            hung_up: false,
            dtr: false,
            new_format: None,
            sleep: Sleep::default(),
            deaf_until: Timestamp::ZERO,
            brown_outs: 0,
            struck: VecDeque::new(),
            rng: Rng::new(settings.seed),
            settings,
        };
        if machine.settings.boot == Boot::Cold {
            machine.power_on();
        }
        machine
    }

    /// Takes bytes from the host; answers how many. None while a command runs.
    pub(super) fn feed(&mut self, network: &mut dyn Network, bytes: &[u8]) -> usize {
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
            Mode::Payload(_) => self.feed_payload(network, bytes),
            Mode::File(_) => self.feed_file(bytes),
            Mode::Online(_) => self.feed_online(network, bytes),
        }
    }

    /// Does what is due; answers whether anything was.
    pub(super) fn act(&mut self, network: &mut dyn Network) -> bool {
        let mut acted = self.strike_due(network);
        acted |= self.run(network);
        acted |= self.data_timers(network);
        acted |= self.channel_timers(network);
        acted |= self.service_timers(network);
        acted |= self.heart_timers(network);
        acted | self.fall_asleep()
    }

    /// When something will be due.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
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
            self.heart_deadline(),
        ];
        all.into_iter().flatten().min()
    }

    pub(super) fn happened(&mut self, happening: Happening) {
        log::debug!("{} {happening}", self.now);
        if self.happened.len() == HAPPENINGS {
            self.happened.pop_front();
        }
        self.happened.push_back(happening);
    }

    /// A moment that the settings' latency and jitter put off.
    pub(super) fn after_latency(&mut self) -> Timestamp {
        let jitter = self.rng.span(self.settings.jitter);
        self.now + self.settings.latency + jitter
    }

    /// Waits inside a command.
    pub(super) fn pause(&self, span: Duration, then: Then) -> Outcome {
        Outcome::Pause(Pause { until: self.now + span, then })
    }

    /// The command waits that is in hand now, if one does.
    pub(super) fn paused_for(&self) -> Option<Then> {
        match &self.mode {
            Mode::Running(running) => running.pause.as_ref().map(|pause| pause.then),
            Mode::Command | Mode::Payload(_) | Mode::File(_) | Mode::Online(_) => None,
        }
    }

    /// The line is free for commands again; what was held back comes out.
    pub(super) fn free_line(&mut self) {
        self.mode = Mode::Command;
        while let Some(text) = self.out.release() {
            self.frame(Kind::Urc, &text);
        }
    }

    /// A command line without commands, which waits for something and then ends.
    pub(super) fn run_pause(&mut self, until: Timestamp, then: Then) {
        self.mode = Mode::Running(Running {
            calls: VecDeque::new(),
            at: self.now,
            at_with_line_feed: self.now,
            pause: Some(Pause { until, then }),
        });
    }

    /// Everything that a reboot forgets of the line and its commands.
    pub(super) fn forget_session(&mut self) {
        self.mode = Mode::Command;
        self.editor.clear();
        self.out.forget_held();
        self.faults.forget_answers();
        self.terminal = self.terminal.restored(&self.settings);
        self.new_format = Some(self.terminal.line_format(&self.settings));
        self.sleep = Sleep::default();
        self.phone.reboot();
    }

    /// Lets faults strike whose moment has come; answers whether any did.
    fn strike_due(&mut self, network: &mut dyn Network) -> bool {
        let mut acted = false;
        while let Some(fault) = self.struck.pop_front().or_else(|| self.faults.due(self.now)) {
            self.strike(network, fault);
            acted = true;
        }
        while let Some(bytes) = self.faults.arrived(self.now) {
            self.out.line.push(self.now, &bytes);
            acted = true;
        }
        acted
    }

    fn power_on(&mut self) {
        let since = self.now;
        self.radio.service = super::radio::Service::None;
        self.radio.attached = false;
        self.radio.power = self.booting(since);
        self.happened(Happening::Booting);
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
                let format = self.terminal.error_format;
                self.final_line(&super::result::Failure::Error.line(format));
            }
        }
        used
    }

    /// While a command runs, only the second half of its line end is taken.
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
        self.happened(Happening::Command(format!("AT{}", String::from_utf8_lossy(body))));
        let (struck, late) = self.faults.command_begins();
        if late > Duration::ZERO {
            self.happened(Happening::Fault(format!("the answer comes {late:?} late")));
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

    /// Executes the next call of the line, or goes on with one that waited.
    fn run(&mut self, network: &mut dyn Network) -> bool {
        let now = self.now;
        let Mode::Running(running) = &mut self.mode else {
            return false;
        };
        let outcome = match (&running.pause, running.at <= now) {
            (Some(pause), _) => {
                let (overdue, then) = (pause.until <= now, pause.then);
                match self.resume(network, then, overdue) {
                    Some(outcome) => outcome,
                    None => return false,
                }
            }
            (None, false) => return false,
            (None, true) => match running.calls.pop_front() {
                Some(call) => commands::execute(self, network, &call),
                None => Outcome::Ok,
            },
        };
        self.apply(network, outcome);
        true
    }

    fn apply(&mut self, network: &mut dyn Network, outcome: Outcome) {
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
                let line = failure.line(self.terminal.error_format);
                self.end_line(Some(&line));
            }
            Outcome::Pause(pause) => running.pause = Some(pause),
            Outcome::Prompt(payload) => self.open_payload(network, payload),
            Outcome::File(write) => self.mode = Mode::File(write),
            Outcome::Online => self.go_online(),
        }
        match after {
            None => {}
            Some(After::Service) => self.reconsider_service(network),
            Some(After::Read { channel }) => self.read_on(network, channel),
            Some(After::Beat) => self.beat(network),
        }
    }

    fn end_line(&mut self, text: Option<&str>) {
        if let Some(text) = text {
            self.final_line(text);
        }
        if let Some(wrong) = self.faults.answer_ends() {
            self.frame(Kind::Urc, &wrong);
        }
        self.free_line();
    }
}
