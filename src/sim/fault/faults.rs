//! The faults that wait, and the one that is at work.

use std::collections::VecDeque;
use std::time::Duration;

use super::wire::{Disturbance, Way};
use super::{Fault, Rule, When};
use crate::sim::rng::Rng;
use crate::sim::terminal::Kind;
use crate::time::Timestamp;

/// Faults that wait for their opportunity; more are refused (bounds memory).
const ARMED_LIMIT: usize = 1024;
/// Bytes of detached answers under way; more are dropped (bounds memory).
const DETACHED_LIMIT: usize = 64 * 1024;
/// Keeps the chance of faults apart from that of latencies, so that switching faults on changes no latency.
const FAULT_STREAM: u64 = 0x5eed_fa17;

/// Keeps the chance of single bytes apart from that of commands.
const WIRE_STREAM: u64 = 0x5eed_31fe;

/// What becomes of the answer of the command in hand.
#[derive(Clone, Debug, PartialEq)]
enum Fate {
    Whole,
    Lost,
    Detached(Duration),
    Wrong(String),
}

/// What becomes of a piece of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sim) enum Passage {
    Now,
    Twice,
    Never,
    At(Timestamp),
}

/// Everything that is to go wrong.
#[derive(Debug)]
pub(in crate::sim) struct Faults {
    rules: Vec<Rule>,
    armed: VecDeque<Fault>,
    rng: Rng,
    /// The chance of bytes on the wire, apart from that of commands.
    wire_rng: Rng,
    fate: Fate,
    /// Detached answers and when they come.
    detached: VecDeque<(Timestamp, Vec<u8>)>,
}

impl Faults {
    pub(in crate::sim) fn new(rules: &[Rule], seed: u64) -> Self {
        let (next, rules): (Vec<Rule>, Vec<Rule>) =
            rules.iter().cloned().partition(|rule| rule.when == When::Next);
        Self {
            rules,
            armed: next.into_iter().map(|rule| rule.fault).collect(),
            rng: Rng::new(seed ^ FAULT_STREAM),
            wire_rng: Rng::new(seed ^ WIRE_STREAM),
            fate: Fate::Whole,
            detached: VecDeque::new(),
        }
    }

    /// Lets a fault wait for its opportunity.
    pub(in crate::sim) fn arm(&mut self, fault: Fault) {
        if self.armed.len() < ARMED_LIMIT {
            self.armed.push_back(fault);
        }
    }

    /// Adds a rule, its moment counted from the origin of time.
    pub(in crate::sim) fn add(&mut self, rule: Rule) {
        if self.rules.len() < ARMED_LIMIT {
            self.rules.push(rule);
        }
    }

    /// A command line begins; answers what strikes the world now, and how much later the command
    /// runs.
    pub(in crate::sim) fn command_begins(&mut self) -> (Vec<Fault>, Duration) {
        self.fate = Fate::Whole;
        let mut late = Duration::ZERO;
        let mut struck = Vec::new();
        for fault in self.due_with_this_command() {
            match fault {
                Fault::LateAnswer { by, .. } => late += by,
                Fault::DetachedAnswer { by, .. } => self.fate = Fate::Detached(by),
                Fault::LostAnswer { .. } => self.fate = Fate::Lost,
                Fault::WrongAnswer { text, .. } => self.fate = Fate::Wrong(text),
                world => struck.push(world),
            }
        }
        (struck, late)
    }

    /// The answer is over; gives the line that stands for it, if it was a wrong one.
    pub(in crate::sim) fn answer_ends(&mut self) -> Option<String> {
        match std::mem::replace(&mut self.fate, Fate::Whole) {
            Fate::Wrong(text) => Some(text),
            Fate::Whole | Fate::Lost | Fate::Detached(_) => None,
        }
    }

    /// A reboot: no answer of the old life comes any more.
    pub(in crate::sim) fn forget_answers(&mut self) {
        self.fate = Fate::Whole;
        self.detached.clear();
    }

    /// What becomes of a piece of output.
    pub(in crate::sim) fn passage(&mut self, kind: Kind, now: Timestamp) -> Passage {
        if kind == Kind::Urc && self.strikes(|fault| *fault == Fault::LostUrc).is_some() {
            return Passage::Never;
        }
        if kind == Kind::Urc && self.strikes(|fault| *fault == Fault::DoubledUrc).is_some() {
            return Passage::Twice;
        }
        match (kind, &self.fate) {
            (Kind::Prompt, _) => match self.strikes(|fault| *fault == Fault::LostPrompt) {
                Some(_) => Passage::Never,
                None => Passage::Now,
            },
            (Kind::Info | Kind::Final, Fate::Lost | Fate::Wrong(_)) => Passage::Never,
            (Kind::Info | Kind::Final, Fate::Detached(by)) => Passage::At(now + *by),
            (Kind::Info | Kind::Final | Kind::Echo | Kind::Urc | Kind::Data, _) => Passage::Now,
        }
    }

    pub(in crate::sim) fn detach(&mut self, at: Timestamp, bytes: Vec<u8>) {
        let under_way: usize = self.detached.iter().map(|(_, bytes)| bytes.len()).sum();
        if under_way + bytes.len() <= DETACHED_LIMIT {
            self.detached.push_back((at, bytes));
        }
    }

    /// A detached answer that comes now.
    pub(in crate::sim) fn arrived(&mut self, now: Timestamp) -> Option<Vec<u8>> {
        let at = self.detached.iter().position(|(at, _)| *at <= now)?;
        self.detached.remove(at).map(|(_, bytes)| bytes)
    }

    /// A fault whose moment has come.
    pub(in crate::sim) fn due(&mut self, now: Timestamp) -> Option<Fault> {
        let at = self.rules.iter().position(|rule| moment(rule).is_some_and(|at| at <= now))?;
        Some(self.rules.remove(at).fault)
    }

    pub(in crate::sim) fn deadline(&self) -> Option<Timestamp> {
        let detached = self.detached.iter().map(|(at, _)| *at);
        self.rules.iter().filter_map(moment).chain(detached).min()
    }

    /// How many bytes the body of this piece of received data lacks, and whether what ends its answer is lost, too.
    pub(in crate::sim) fn missing(&mut self) -> (usize, bool) {
        match self.strikes(|fault| matches!(fault, Fault::ShortBody { .. } | Fault::CutBody { .. })) {
            Some(Fault::ShortBody { missing }) => (missing, false),
            Some(Fault::CutBody { missing }) => (missing, true),
            _ => (0, false),
        }
    }

    /// Nothing more comes of the answer in hand.
    pub(in crate::sim) fn lose_rest_of_answer(&mut self) {
        self.fate = Fate::Lost;
    }

    /// Whether the payload that is complete now is not sent.
    pub(in crate::sim) fn send_fails(&mut self) -> bool {
        self.strikes(|fault| *fault == Fault::SendFail).is_some()
    }

    /// Whether the connect that begins now is never answered.
    pub(in crate::sim) fn connect_is_unheard(&mut self) -> bool {
        self.strikes(|fault| *fault == Fault::SilentConnect).is_some()
    }

    /// After how many bytes the payload that begins now loses its link.
    pub(in crate::sim) fn payload_breaks_after(&mut self) -> Option<usize> {
        match self.strikes(|fault| matches!(fault, Fault::CloseMidSend { .. })) {
            Some(Fault::CloseMidSend { after }) => Some(after),
            _ => None,
        }
    }

    /// How much later the result of the send that begins now comes.
    pub(in crate::sim) fn send_begins(&mut self) -> Option<Duration> {
        let Some(Fault::LateSend { by }) = self.strikes(|fault| matches!(fault, Fault::LateSend { .. }))
        else {
            return None;
        };
        self.fate = Fate::Detached(by);
        Some(by)
    }

    /// The unsolicited line that comes before the line that is printed now.
    pub(in crate::sim) fn urc_before(&mut self) -> Option<String> {
        match self.strikes(|fault| matches!(fault, Fault::Urc(_))) {
            Some(Fault::Urc(text)) => Some(text),
            _ => None,
        }
    }

    /// Whether anything is meant for single bytes of this direction: a quick look, as bytes are many.
    pub(in crate::sim) fn disturbs_bytes(&self, way: Way) -> bool {
        let rules = self.rules.iter().map(|rule| &rule.fault);
        self.armed.iter().chain(rules).any(|fault| is_wire(fault, way, true))
    }

    /// What happens to the next byte of this direction.
    pub(in crate::sim) fn disturbs_byte(&mut self, way: Way) -> Option<Disturbance> {
        self.disturbance(way, true)
    }

    /// What happens to the next piece of this direction.
    pub(in crate::sim) fn disturbs_piece(&mut self, way: Way) -> Option<Disturbance> {
        self.disturbance(way, false)
    }

    /// Which bit of a byte is turned over.
    pub(in crate::sim) fn bit(&mut self) -> u32 {
        self.wire_rng.below(8) as u32
    }

    fn disturbance(&mut self, way: Way, of_bytes: bool) -> Option<Disturbance> {
        std::mem::swap(&mut self.rng, &mut self.wire_rng);
        let struck = self.strikes(|fault| is_wire(fault, way, of_bytes));
        std::mem::swap(&mut self.rng, &mut self.wire_rng);
        match struck {
            Some(Fault::Wire(_, disturbance)) => Some(disturbance),
            _ => None,
        }
    }

    /// The first fault of a kind that strikes at this opportunity: one that waits, or one that chance brings.
    fn strikes(&mut self, wanted: impl Fn(&Fault) -> bool) -> Option<Fault> {
        if let Some(at) = self.armed.iter().position(&wanted) {
            return self.armed.remove(at);
        }
        let rng = &mut self.rng;
        let mut rules = self.rules.iter().filter(|rule| wanted(&rule.fault));
        rules.find(|rule| by_chance(rule, rng)).map(|rule| rule.fault.clone())
    }

    /// Counts a command line; answers the faults that it meets.
    fn due_with_this_command(&mut self) -> Vec<Fault> {
        let mut due = Vec::new();
        for fault in std::mem::take(&mut self.armed) {
            match counted_down(fault) {
                Ok(fault) => self.armed.push_back(fault),
                Err(fault) => due.push(fault),
            }
        }
        for rule in &self.rules {
            if !rule.fault.waits_for_its_own() && by_chance(rule, &mut self.rng) {
                due.push(rule.fault.clone());
            }
        }
        due
    }
}

/// A fault that waits, one command later; `Err` when this is its command.
fn counted_down(mut fault: Fault) -> Result<Fault, Fault> {
    match &mut fault {
        Fault::LateAnswer { command, .. }
        | Fault::DetachedAnswer { command, .. }
        | Fault::LostAnswer { command }
        | Fault::WrongAnswer { command, .. } => {
            *command = command.saturating_sub(1);
            if *command == 0 { Err(fault) } else { Ok(fault) }
        }
        other if other.waits_for_its_own() => Ok(fault),
        _ => Err(fault),
    }
}

fn is_wire(fault: &Fault, wanted: Way, of_bytes: bool) -> bool {
    matches!(fault, Fault::Wire(way, disturbance) if *way == wanted && disturbance.is_of_bytes() == of_bytes)
}

fn by_chance(rule: &Rule, rng: &mut Rng) -> bool {
    match rule.when {
        When::Chance(probability) => rng.chance(probability),
        When::Next | When::At(_) => false,
    }
}

fn moment(rule: &Rule) -> Option<Timestamp> {
    match rule.when {
        When::At(span) => Some(Timestamp::ZERO + span),
        When::Next | When::Chance(_) => None,
    }
}
