//! The faults that wait for their occasion, and the one that is in effect.

use std::collections::VecDeque;
use std::time::Duration;

use super::Fault;
use super::behaviour::{Answer, Behaviour, BodyCut, Fate, Occasion};
use super::direction::Direction;
use super::rule::{Rule, Trigger};
use crate::sim::output_kind::OutputKind;
use crate::sim::rng::Rng;
use crate::time::Timestamp;

/// The most faults that wait for their opportunity; further ones are refused (limits memory).
const ARMED_LIMIT: usize = 1024;
/// The most bytes of detached answers; further ones are dropped (limits memory).
const DETACHED_LIMIT: usize = 64 * 1024;
/// Separates the random numbers of faults from those of latencies, so that faults do not change latencies.
const FAULT_STREAM: u64 = 0x5eed_fa17;
/// Separates the random numbers of single bytes from those of commands.
const WIRE_STREAM: u64 = 0x5eed_31fe;

/// The fate of a piece of output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sim) enum Passage {
    /// These pieces are printed now.
    Now(Vec<Vec<u8>>),
    /// It is printed later.
    At(Timestamp, Vec<u8>),
}

/// All faults that will strike.
#[derive(Debug)]
pub(in crate::sim) struct FaultSchedule {
    rules: Vec<Rule>,
    armed: VecDeque<Fault>,
    rng: Rng,
    /// The random numbers of bytes on the line, separate from those of commands.
    wire_rng: Rng,
    /// The fate of the answer to the current command.
    fate: Fate,
    /// Detached answers and their times.
    detached: VecDeque<(Timestamp, Vec<u8>)>,
}

impl FaultSchedule {
    pub(in crate::sim) fn new(rules: &[Rule], seed: u64) -> Self {
        let (next, rules): (Vec<Rule>, Vec<Rule>) =
            rules.iter().cloned().partition(|rule| rule.trigger == Trigger::Next);
        Self {
            rules,
            armed: next.into_iter().map(|rule| rule.fault).collect(),
            rng: Rng::new(seed ^ FAULT_STREAM),
            wire_rng: Rng::new(seed ^ WIRE_STREAM),
            fate: Fate::Whole,
            detached: VecDeque::new(),
        }
    }

    /// Adds a fault that waits for its opportunity.
    pub(in crate::sim) fn arm(&mut self, fault: Fault) {
        if self.armed.len() < ARMED_LIMIT {
            self.armed.push_back(fault);
        }
    }

    /// Adds a rule whose time counts from the origin of time.
    pub(in crate::sim) fn add(&mut self, rule: Rule) {
        if self.rules.len() < ARMED_LIMIT {
            self.rules.push(rule);
        }
    }

    /// A command line begins. Returns the faults that strike the modem now, and the delay of the command.
    pub(in crate::sim) fn command_begins(&mut self) -> (Vec<Fault>, Duration) {
        let mut answer = Answer { later: Duration::ZERO, fate: Fate::Whole };
        let mut struck = Vec::new();
        for fault in self.due_with_this_command() {
            match fault.behaviour().occasion() {
                Occasion::Answer => fault.behaviour().answer(&mut answer),
                Occasion::Now | Occasion::Hook => struck.push(fault),
            }
        }
        self.fate = answer.fate;
        (struck, answer.later)
    }

    /// The answer has ended. Returns the line that replaces it, if it is a wrong one.
    pub(in crate::sim) fn answer_ends(&mut self) -> Option<String> {
        match std::mem::replace(&mut self.fate, Fate::Whole) {
            Fate::Replaced(text) => Some(text),
            Fate::Whole | Fate::Lost | Fate::Detached(_) => None,
        }
    }

    /// A reboot: answers from before it do not come any more.
    pub(in crate::sim) fn forget_answers(&mut self) {
        self.fate = Fate::Whole;
        self.detached.clear();
    }

    /// The fate of a piece of output.
    pub(in crate::sim) fn passage(&mut self, kind: OutputKind, now: Timestamp, piece: Vec<u8>) -> Passage {
        if let Some(fault) = self.printing(kind) {
            return Passage::Now(fault.behaviour().print(piece));
        }
        match (kind, &self.fate) {
            (OutputKind::Info | OutputKind::Final, Fate::Lost | Fate::Replaced(_)) => {
                Passage::Now(Vec::new())
            }
            (OutputKind::Info | OutputKind::Final, Fate::Detached(by)) => Passage::At(now + *by, piece),
            _ => Passage::Now(vec![piece]),
        }
    }

    pub(in crate::sim) fn detach(&mut self, at: Timestamp, bytes: Vec<u8>) {
        let under_way: usize = self.detached.iter().map(|(_, bytes)| bytes.len()).sum();
        if under_way + bytes.len() <= DETACHED_LIMIT {
            self.detached.push_back((at, bytes));
        }
    }

    /// A detached answer that is due.
    pub(in crate::sim) fn arrived(&mut self, now: Timestamp) -> Option<Vec<u8>> {
        let at = self.detached.iter().position(|(at, _)| *at <= now)?;
        self.detached.remove(at).map(|(_, bytes)| bytes)
    }

    /// A fault that is due.
    pub(in crate::sim) fn due(&mut self, now: Timestamp) -> Option<Fault> {
        let at = self.rules.iter().position(|rule| moment(rule).is_some_and(|at| at <= now))?;
        Some(self.rules.remove(at).fault)
    }

    pub(in crate::sim) fn deadline(&self) -> Option<Timestamp> {
        let detached = self.detached.iter().map(|(at, _)| *at);
        self.rules.iter().filter_map(moment).chain(detached).min()
    }

    /// The missing part in the body of this piece of received data.
    pub(in crate::sim) fn cuts_body(&mut self) -> Option<BodyCut> {
        self.strikes(|fault| fault.cuts_body().is_some())?.behaviour().cuts_body()
    }

    /// Drops the rest of the current answer.
    pub(in crate::sim) fn lose_rest_of_answer(&mut self) {
        self.fate = Fate::Lost;
    }

    /// True if the complete payload is not sent.
    pub(in crate::sim) fn fails_send(&mut self) -> bool {
        self.strikes(|fault| fault.fails_send()).is_some()
    }

    /// True if the connect that begins now is never answered.
    pub(in crate::sim) fn silences_connect(&mut self) -> bool {
        self.strikes(|fault| fault.silences_connect()).is_some()
    }

    /// The number of bytes after which the payload that begins now loses its link.
    pub(in crate::sim) fn breaks_payload_after(&mut self) -> Option<usize> {
        let fault = self.strikes(|fault| fault.breaks_payload_after().is_some())?;
        fault.behaviour().breaks_payload_after()
    }

    /// The delay of the result of the send that begins now.
    pub(in crate::sim) fn delays_send(&mut self) -> Option<Duration> {
        let by = self.strikes(|fault| fault.delays_send().is_some())?.behaviour().delays_send()?;
        self.fate = Fate::Detached(by);
        Some(by)
    }

    /// The unsolicited line that comes before the line that is printed now.
    pub(in crate::sim) fn line_before(&mut self) -> Option<String> {
        let fault = self.strikes(|fault| fault.line_before().is_some())?;
        fault.behaviour().line_before().map(str::to_owned)
    }

    /// True if a fault may strike single bytes of this direction. The check is fast, because there are many bytes.
    pub(super) fn disturbs_bytes(&self, direction: Direction) -> bool {
        let rules = self.rules.iter().map(|rule| &rule.fault);
        self.armed.iter().chain(rules).any(|fault| fault.behaviour().disturbs_bytes(direction))
    }

    /// A byte is transmitted in this direction. Appends the bytes that arrive.
    pub(super) fn carry_byte(&mut self, direction: Direction, byte: u8, out: &mut Vec<u8>) {
        match self.strikes_wire(|fault| fault.disturbs_bytes(direction)) {
            Some(fault) => out.extend(fault.behaviour().byte(byte, &mut self.wire_rng)),
            None => out.push(byte),
        }
    }

    /// The fault that strikes the next piece of this direction.
    pub(super) fn disturbs_piece(&mut self, direction: Direction) -> Option<Fault> {
        self.strikes_wire(|fault| fault.disturbs_pieces(direction))
    }

    fn strikes_wire(&mut self, wanted: impl Fn(&dyn Behaviour) -> bool) -> Option<Fault> {
        std::mem::swap(&mut self.rng, &mut self.wire_rng);
        let struck = self.strikes(wanted);
        std::mem::swap(&mut self.rng, &mut self.wire_rng);
        struck
    }

    /// The fault that changes a piece of output of this kind.
    fn printing(&mut self, kind: OutputKind) -> Option<Fault> {
        let rules = self.rules.iter().map(|rule| &rule.fault);
        if !self.armed.iter().chain(rules).any(|fault| fault.behaviour().prints() == Some(kind)) {
            return None;
        }
        let strikes = |name: &&str| {
            self.strikes_fault(|fault| fault.name() == *name && fault.behaviour().prints() == Some(kind))
        };
        Fault::NAMES.iter().find_map(strikes)
    }

    fn strikes(&mut self, wanted: impl Fn(&dyn Behaviour) -> bool) -> Option<Fault> {
        self.strikes_fault(|fault| wanted(fault.behaviour()))
    }

    /// The first of the wanted faults that strikes at this opportunity: one that waits, or one by probability.
    fn strikes_fault(&mut self, wanted: impl Fn(&Fault) -> bool) -> Option<Fault> {
        if let Some(at) = self.armed.iter().position(&wanted) {
            return self.armed.remove(at);
        }
        let rng = &mut self.rng;
        let mut rules = self.rules.iter().filter(|rule| wanted(&rule.fault));
        rules.find(|rule| by_chance(rule, rng)).map(|rule| rule.fault.clone())
    }

    /// Counts a command line. Returns the faults that strike it.
    fn due_with_this_command(&mut self) -> Vec<Fault> {
        let mut due = Vec::new();
        for mut fault in std::mem::take(&mut self.armed) {
            let waits = fault.behaviour().occasion() == Occasion::Hook;
            if waits || !fault.behaviour_mut().is_counted_down() {
                self.armed.push_back(fault);
            } else {
                due.push(fault);
            }
        }
        for rule in &self.rules {
            if rule.fault.behaviour().occasion() != Occasion::Hook && by_chance(rule, &mut self.rng) {
                due.push(rule.fault.clone());
            }
        }
        due
    }
}

fn by_chance(rule: &Rule, rng: &mut Rng) -> bool {
    match rule.trigger {
        Trigger::Chance(probability) => rng.chance(probability),
        Trigger::Next | Trigger::At(_) => false,
    }
}

fn moment(rule: &Rule) -> Option<Timestamp> {
    match rule.trigger {
        Trigger::At(span) => Some(Timestamp::ZERO + span),
        Trigger::Next | Trigger::Chance(_) => None,
    }
}
