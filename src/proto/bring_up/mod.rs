//! Bring-up: the steps from a module that answers to sockets that can be opened.

// Numbers from outside can have any value: arithmetic must not overflow, and casts must not truncate.
#![cfg_attr(
    not(test),
    deny(clippy::arithmetic_side_effects, clippy::cast_possible_truncation, clippy::string_slice)
)]

mod ask;
mod card;
mod connection_mode;
mod echo;
mod findings;
mod network;
mod states;
mod step;
#[cfg(test)]
mod transitions;

use std::net::Ipv4Addr;
use std::time::Duration;

use network::Network;
use states::{Echo, Pin, Radio};

use crate::at::{ChannelId, Command, Domain, Field, IpState, IpStatus, Line, Refusal, bare_address, fields};
use crate::config::{Config, Credentials};
use crate::error::NotReady;
use crate::query::{DomainRegistration, Query, Reply, Signal};
use crate::time::Timestamp;

use super::Identity;
use super::session::Failure;

pub(super) use states::ConnectionMode;
pub use step::BringUpStep;

/// The progress of bring-up, and the next command.
///
/// The order is that of [`BringUpStep`]: the official flow (protocol section 5), and the steps of other working drivers
/// (section 16). A step whose result is known already is skipped. A step that fails has this effect:
///
/// | step | on failure |
/// |---|---|
/// | echo, error codes, port, identity | ignored: the next step shows whether it mattered |
/// | radio, SIM, signal, registration, attach | asked again after a pause, from the radio on |
/// | `AT+CIPMUX=0`, `AT+CIPMODE=1` | as the next; the transparent stream fails |
/// | `AT+CIPMUX=1`, `AT+CSTT`, `AT+CIICR`, `AT+CIFSR` | `AT+CIPSHUT` after a growing pause, then from the radio on |
/// | `AT+CIPCCFG`, `AT+CIPSSL=0`, `AT+CIPHEAD`, `AT+CIPSPRT`, `AT+CIPRXF`, `AT+CIPSEND=?` | ignored: not every firmware has them |
#[derive(Debug)]
pub(super) struct BringUp {
    step: BringUpStep,
    echo: Echo,
    due_at: Timestamp,
    credentials: Credentials,
    config: Config,
    pin: Pin,
    radio: Radio,
    polls: u32,
    failures: u32,
    /// The most precise reason so far why the module is not ready.
    reason: NotReady,
    network: Network,
    plan: Plan,
    connection_mode: ConnectionMode,
    /// The refusal of a command that the connection mode requires.
    unable: Option<Refusal>,
    /// Whether the bearer was lost while it was being brought up.
    lost: bool,
    found: ModuleFacts,
}

/// The plan for the module's IP application, from its state when the module was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Plan {
    /// The state is not known yet.
    Look,
    /// The state is `IP INITIAL`: set it up.
    SetUp,
    /// It is up in multiple connection mode: use it as it is if its settings fit, and close its connections.
    Adopt,
    /// Any other state, and after each loss of the bearer (section 6): shut it down first.
    Shut,
}

/// The facts that bring-up has learned.
#[derive(Clone, Debug, Default)]
struct ModuleFacts {
    identity: Identity,
    address: Option<Ipv4Addr>,
    channels: Option<usize>,
    /// The IMEI that was read before, if the last one differs.
    replaced: Option<String>,
    /// Connections of an earlier session on a bearer that is used as it is. They will be closed.
    in_use: Vec<ChannelId>,
}

/// The pause between two equal questions (section 5: 500 ms, at most 20 or 60 times).
const POLL: Duration = Duration::from_millis(500);
/// After this number of questions the pause grows to [`SLOW_POLL`], because a longer wait needs an action of the user.
const FAST_POLLS: u32 = 60;
const SLOW_POLL: Duration = Duration::from_secs(5);
/// The pause after `SHUT OK` (section 5: "forced wait 2 s").
const AFTER_SHUT: Duration = Duration::from_secs(2);
/// The longest pause after a refused bearer.
const MAX_BACK_OFF: Duration = Duration::from_secs(60);

impl BringUp {
    pub(super) fn new(config: Config, credentials: Credentials) -> Self {
        Self {
            step: BringUpStep::Wake,
            echo: Echo::Unknown,
            due_at: Timestamp::MAX,
            pin: if credentials.is_pin_spent() { Pin::Refused } else { Pin::Untried },
            credentials,
            config,
            radio: Radio::Found,
            polls: 0,
            failures: 0,
            reason: NotReady::NoAnswer,
            network: Network::default(),
            plan: Plan::Look,
            connection_mode: ConnectionMode::Sockets,
            unable: None,
            lost: false,
            found: ModuleFacts::default(),
        }
    }

    /// Whether sockets can be opened.
    pub(super) fn is_ready(&self) -> bool {
        self.step == BringUpStep::Ready
    }

    /// The reason why sockets can't be opened.
    pub(super) fn reason(&self) -> NotReady {
        self.reason
    }

    /// The step that is next or in progress.
    pub(super) fn step(&self) -> BringUpStep {
        self.step
    }

    /// True if the module has not answered yet: no step has begun.
    pub(super) fn is_waiting_for_module(&self) -> bool {
        self.step == BringUpStep::Wake
    }

    /// The module answers for the first time, or again after a restart: begins from the start.
    pub(super) fn begin(&mut self, now: Timestamp) {
        self.go(BringUpStep::EchoOff, now);
        self.echo = Echo::Unknown;
        self.reason = NotReady::Starting;
        self.polls = 0;
        self.plan = Plan::Look;
        self.lost = false;
        if self.radio == Radio::Known {
            self.radio = Radio::Found;
        }
    }

    /// The module is silent, or has restarted.
    pub(super) fn reset(&mut self, reason: NotReady) {
        self.go(BringUpStep::Wake, Timestamp::MAX);
        self.echo = Echo::Unknown;
        self.reason = reason;
        self.found.address = None;
    }

    /// The module reports a lost bearer during bring-up. While the bearer is being brought up, this is a refusal.
    pub(super) fn bearer_news(&mut self) {
        self.lost |= self.step > BringUpStep::Activate;
    }

    /// The bearer is gone: `AT+CIPSHUT` and all steps after it are needed again.
    pub(super) fn bearer_lost(&mut self, now: Timestamp) {
        self.go(BringUpStep::Radio, now);
        self.reason = NotReady::BearerLost;
        self.polls = 0;
        self.plan = Plan::Shut;
        self.found.address = None;
    }

    /// The application has switched the radio off: bring-up waits for [`radio_on`](Self::radio_on) or a restart.
    pub(super) fn radio_off(&mut self) {
        self.radio = Radio::Unwanted;
        self.due_at = Timestamp::MAX;
        self.reason = NotReady::RadioOff;
    }

    /// The application has switched the radio on.
    pub(super) fn radio_on(&mut self, now: Timestamp) {
        self.radio = Radio::Known;
        self.bearer_lost(now);
    }

    /// The moment at which [`next`](Self::next) will have a command.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        (!self.is_ready() && self.due_at != Timestamp::MAX).then_some(self.due_at)
    }

    /// The command of the step, if it is due. Steps that this configuration does not need are skipped.
    pub(super) fn next(&mut self, now: Timestamp) -> Option<Command> {
        if now < self.due_at {
            return None;
        }
        loop {
            if let Some(command) = self.command() {
                self.due_at = Timestamp::MAX;
                if self.step == BringUpStep::Pin {
                    self.pin_given();
                }
                return Some(command);
            }
            self.step = self.step.next()?;
            if self.step == BringUpStep::Ready {
                return None;
            }
        }
    }

    /// The command of the step has ended.
    pub(super) fn finished(&mut self, now: Timestamp, result: &Result<Vec<String>, Failure>) {
        let lines = result.as_deref().unwrap_or_default();
        self.judge_echo(result);
        match self.step {
            BringUpStep::Identity => {
                if let Some(line) = lines.first() {
                    self.found.identity.firmware = value_of(line);
                }
                self.advance(now);
            }
            BringUpStep::SerialNumber => {
                self.imei_is(lines);
                self.advance(now);
            }
            BringUpStep::Radio => self.radio_is(now, lines),
            BringUpStep::RadioOn => match result {
                Ok(_) => {
                    self.radio = Radio::Known;
                    self.go(BringUpStep::Sim, now + POLL);
                }
                Err(_) => self.poll(now, NotReady::RadioOff),
            },
            BringUpStep::Sim => self.sim(now, result),
            BringUpStep::Pin => self.pin_answered(now, result),
            BringUpStep::Signal => {
                let reply = Reply::new("AT+CSQ", lines.to_vec(), Vec::new());
                self.network = Network::with_signal(Signal.read(&reply));
                self.advance(now);
            }
            BringUpStep::LteRegistration => self.registered(now, Domain::Lte, lines),
            BringUpStep::PacketRegistration => self.registered(now, Domain::Packet, lines),
            BringUpStep::CircuitRegistration => self.registered(now, Domain::Circuit, lines),
            BringUpStep::Attach => self.attached(now, lines),
            BringUpStep::IpStatus => self.ip_status(now, lines),
            BringUpStep::QuickSendState => self.adopt_if(now, lines, "+CIPQSEND", 1),
            BringUpStep::ReceiveState => {
                let manual = u32::from(self.receives_manually());
                self.adopt_if(now, lines, "+CIPRXGET", manual);
            }
            BringUpStep::Shut => self.shut(now, result),
            BringUpStep::Single | BringUpStep::Transparent => {
                self.unable = refusal_of(result);
                self.required(now, result);
            }
            BringUpStep::Bearer | BringUpStep::Activate | BringUpStep::Multiple | BringUpStep::Receive => {
                self.required(now, result);
            }
            BringUpStep::Address => match lines.iter().find_map(|line| bare_address(line.as_bytes())) {
                Some(address) => {
                    self.found.address = Some(address);
                    self.advance(now);
                }
                None => self.required(now, result),
            },
            BringUpStep::Channels => {
                self.found.channels = lines.first().and_then(|line| channel_count(line));
                if std::mem::take(&mut self.lost) {
                    self.bearer_lost(now);
                } else {
                    self.advance(now);
                }
            }
            BringUpStep::Wake => {}
            BringUpStep::EchoOff
            | BringUpStep::ErrorCodes
            | BringUpStep::LineRate
            | BringUpStep::FlowControl
            | BringUpStep::CommandMode
            | BringUpStep::Packets
            | BringUpStep::Plain
            | BringUpStep::QuickSend
            | BringUpStep::Header
            | BringUpStep::Prompt
            | BringUpStep::Raw
            | BringUpStep::Senders => self.advance(now),
            BringUpStep::Ready => {}
        }
    }

    fn imei_is(&mut self, lines: &[String]) {
        if let Some(line) = lines.first() {
            let before = std::mem::replace(&mut self.found.identity.imei, value_of(line));
            let is_other = !before.is_empty() && before != self.found.identity.imei;
            self.found.replaced = is_other.then_some(before);
        }
    }

    fn go(&mut self, step: BringUpStep, at: Timestamp) {
        self.step = step;
        self.due_at = at;
    }

    fn advance(&mut self, now: Timestamp) {
        if let Some(next) = self.step.next() {
            self.go(next, now);
        }
    }

    /// Continues with the question for the radio after a pause.
    fn poll(&mut self, now: Timestamp, reason: NotReady) {
        self.reason = reason;
        self.polls = self.polls.saturating_add(1);
        let pause = if self.polls > FAST_POLLS { SLOW_POLL } else { POLL };
        self.go(BringUpStep::Radio, now + pause);
    }

    /// The answer is accepted under the key of another registration as well (capture a19).
    fn registered(&mut self, now: Timestamp, domain: Domain, lines: &[String]) {
        let query = DomainRegistration(domain);
        let reply = Reply::new(query.command().name(), lines.to_vec(), Vec::new());
        self.network.registered(domain, query.read(&reply));
        self.advance(now);
    }

    fn attached(&mut self, now: Timestamp, lines: &[String]) {
        if info(lines, "+CGATT").and_then(|list| list.first()?.number()) == Some(1) {
            self.polls = 0;
            self.advance(now);
        } else {
            self.poll(now, self.network.missing());
        }
    }

    fn ip_status(&mut self, now: Timestamp, lines: &[String]) {
        self.plan = match IpStatus::parse(lines) {
            Some(IpStatus { state: IpState::Initial, .. }) => Plan::SetUp,
            // The module prints rows in multiple connection mode only.
            Some(IpStatus { state: IpState::Status | IpState::Processing, rows })
                if self.connection_mode == ConnectionMode::Sockets && !rows.is_empty() =>
            {
                let in_use = rows.iter().filter(|row| row.is_in_use());
                self.found.in_use = in_use.map(|row| row.channel).collect();
                Plan::Adopt
            }
            Some(_) | None => Plan::Shut,
        };
        self.advance(now);
    }

    /// Checks a setting of an IP application that may be used as it is.
    fn adopt_if(&mut self, now: Timestamp, lines: &[String], key: &str, wanted: u32) {
        if info(lines, key).and_then(|list| list.first()?.number()) != Some(wanted) {
            self.plan = Plan::Shut;
        }
        self.advance(now);
    }

    fn shut(&mut self, now: Timestamp, result: &Result<Vec<String>, Failure>) {
        self.plan = Plan::SetUp;
        match result {
            // Some firmware refuses it in `IP INITIAL`, where there is nothing to shut.
            Ok(_) | Err(Failure::Refused(_) | Failure::NoPrompt(_)) => {
                self.advance(now);
                self.due_at = now + AFTER_SHUT;
            }
            Err(Failure::Timeout) => self.required(now, result),
        }
    }

    /// The result of a step that sockets need.
    fn required(&mut self, now: Timestamp, result: &Result<Vec<String>, Failure>) {
        let refusal = match result {
            Ok(_) if self.step != BringUpStep::Address => {
                self.advance(now);
                return;
            }
            Ok(_) => Refusal::Empty,
            Err(_) => refusal_of(result).unwrap_or(Refusal::Empty),
        };
        let only_2g = self.network.is_only_2g();
        self.reason = if only_2g { NotReady::OnlyTwoG } else { NotReady::BearerRefused(refusal) };
        self.plan = Plan::Shut;
        let pause = POLL.saturating_mul(2u32.saturating_pow(self.failures.min(8)));
        self.failures = self.failures.saturating_add(1);
        self.go(BringUpStep::Radio, now + pause.min(MAX_BACK_OFF));
    }
}

fn refusal_of(result: &Result<Vec<String>, Failure>) -> Option<Refusal> {
    match result {
        Err(Failure::Refused(refusal) | Failure::NoPrompt(refusal)) => Some(*refusal),
        Ok(_) | Err(Failure::Timeout) => None,
    }
}

/// The fields of the first line with this key.
fn info<'a>(lines: &'a [String], key: &str) -> Option<Vec<Field<'a>>> {
    lines.iter().find_map(|line| Line::parse(line.as_bytes()).info(key))
}

/// A bare value, or that of `+CGSN: "860..."`.
fn value_of(line: &str) -> String {
    match Line::parse(line.as_bytes()) {
        Line::Info { list, .. } => fields(list).first().map(Field::text).unwrap_or_default(),
        _ => line.to_owned(),
    }
}

/// The number of channels from `+CIPSEND: <0-7>,<length>`: 8. `None` if the number is out of range.
fn channel_count(line: &str) -> Option<usize> {
    let (_, range) = line.split_once('-')?;
    let digits: String = range.chars().take_while(char::is_ascii_digit).collect();
    digits.parse::<usize>().ok()?.checked_add(1)
}
