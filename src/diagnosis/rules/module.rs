//! The rules for the module and its card.

use crate::at::{CmeError, Line, SimState, Urc};
use crate::diagnosis::finding::Observation;
use crate::error::NotReady;

use super::super::evidence::{Evidence, Item};
use super::super::exchange::is_restart;
use super::super::finding::Proof;
use super::super::{Code, Exchange, Finding, Severity};
use super::bearer::has_service_after;

/// The number of unrequested starts within one session from which they are an error.
const MANY_STARTS: usize = 3;
/// The first firmware that reports a peer's close (protocol section 19).
const REPORTS_CLOSE: u32 = 838;

/// Starts of the module. A boot prints `RDY` up to twice (capture a19), so a start counts only after an answer.
pub(super) fn power(evidence: &Evidence) -> Observation {
    let mut starts = 0_usize;
    let mut answered = true;
    for item in &evidence.items {
        match item {
            Item::News { urc, .. } if urc.is_restart() => {
                starts = starts.saturating_add(usize::from(std::mem::take(&mut answered)));
            }
            // A restart that the application asked for is no finding.
            Item::Exchange(exchange) if is_restart(&exchange.command) => answered = false,
            Item::Exchange(exchange) => answered |= exchange.is_answered(),
            Item::News { .. } | Item::Trial(_) | Item::Noise(_) => {}
        }
    }
    if starts < MANY_STARTS {
        let shown = if starts == 0 { "no restart" } else { "started" };
        return if evidence.is_answered() { Observation::fine(shown) } else { Observation::nothing() };
    }
    let severity = if evidence.ready { Severity::Warning } else { Severity::Error };
    let summary = format!("the module started {starts} times without a command");
    let finding =
        Finding::new(Code::Restarts, severity, summary)
            .proved_by([Proof::lines(vec!["RDY".to_owned(); starts.min(3)])]);
    Observation::found(format!("{starts} starts"), finding)
}

pub(super) fn firmware(evidence: &Evidence) -> Observation {
    let asked = ["ATI", "AT+CGMR"].into_iter().find_map(|command| evidence.answer_to(command));
    let Some(exchange) = asked else { return Observation::nothing() };
    let name = exchange.lines.iter().find(|line| line.contains("AirM2M_"));
    let Some(name) = name else {
        // A module that refuses all commands of sockets is another product. Otherwise it may be a related one.
        let mut asked = evidence.exchanges().filter(|exchange| exchange.begins("AT+CIP")).peekable();
        let alien = asked.peek().is_some() && asked.all(is_unknown);
        let severity = if alien && !evidence.ready { Severity::Error } else { Severity::Note };
        let shown = exchange.lines.first().cloned().unwrap_or_default();
        let finding =
            Finding::new(Code::FirmwareUnknown, severity, "this is none of openLuat's AT firmwares");
        return Observation::found(shown, finding.proved_by([exchange.proof()]));
    };
    let old = version(name).filter(|version| *version < REPORTS_CLOSE).map(|version| {
        let summary = format!("firmware V{version} does not report a peer's close");
        Finding::warning(Code::FirmwareOld, summary).proved_by([exchange.proof()])
    });
    Observation::fine(name.trim_start_matches("+CGMR:").trim().trim_matches('"')).and(old)
}

/// An unknown command is answered with `ERROR` without a reason (protocol section 2).
fn is_unknown(exchange: &Exchange) -> bool {
    exchange.is_refused() && exchange.cme().is_none()
}

/// `AirM2M_720U_V838_LTE_AT` -> 838, for the Air724UG's own numbers only.
fn version(name: &str) -> Option<u32> {
    let (_, rest) = name.split_once("AirM2M_720U_V")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// 0 is minimum functionality, 4 flight mode, 1 full functionality (protocol section 1).
pub(super) fn radio(evidence: &Evidence) -> Observation {
    let newest = evidence.newest(|item| match item {
        Item::Exchange(exchange) if exchange.is("AT+CFUN?") => {
            Some((Some(exchange), exchange.info("+CFUN")?.first()?.number()))
        }
        Item::Exchange(exchange) if exchange.is_done() => {
            exchange.radio_switch().map(|function| (Some(exchange), Some(function)))
        }
        // The function after a start is the module's own choice.
        Item::News { urc, .. } if urc.is_restart() => Some((None, None)),
        Item::Exchange(_) | Item::News { .. } | Item::Trial(_) | Item::Noise(_) => None,
    });
    let (index, (exchange, function)) = newest.unwrap_or_default();
    let off = |exchange: Option<&Exchange>| {
        let finding = Finding::error(Code::RadioOff, "the radio is switched off (flight mode)");
        Observation::found("off", finding.proved_by(exchange.map(Exchange::proof)))
    };
    match (function, exchange) {
        (Some(0 | 4), _) if has_service_after(evidence, index) => Observation::fine("on since then"),
        // A program that goes on with commands that need the radio did not mean to switch it off.
        (Some(0 | 4), Some(exchange)) if !exchange.is("AT+CFUN?") && !is_refused_after(evidence, index) => {
            Observation::fine("off, by a command")
        }
        (Some(0 | 4), exchange) => off(exchange),
        (None, _) if evidence.missing == Some(NotReady::RadioOff) => off(None),
        (Some(_), _) => Observation::fine("on"),
        (None, _) => Observation::nothing(),
    }
}

fn is_refused_after(evidence: &Evidence, index: usize) -> bool {
    evidence.after(index).any(|item| matches!(item, Item::Exchange(exchange) if exchange.is_refused()))
}

/// True if the radio is known to be off, so that the network can't answer.
pub(super) fn is_radio_off(evidence: &Evidence) -> bool {
    radio(evidence).shown.is_some_and(|shown| shown.starts_with("off"))
}

/// The newest state of the card, with its proof. A module with service has a card that is ready.
fn card(evidence: &Evidence) -> Option<(Card, Proof)> {
    let mut newest: Option<(usize, Card, Proof)> = None;
    for (index, item) in evidence.items.iter().enumerate() {
        let Some((card, proof)) = card_of(item) else { continue };
        let before = newest.as_ref().map(|(_, card, _)| *card);
        match (before, card) {
            // A card that is ready asks for no PIN, so the module refuses one.
            (Some(Card::Ready), Card::PinRefused) => {}
            // The card asks again for the PIN that it refused.
            (Some(Card::PinRefused), Card::Pin) => {}
            // A state that was named before is the reason.
            (
                Some(Card::Missing | Card::Pin | Card::PinRefused | Card::Puk | Card::Failure),
                Card::Unnamed,
            ) => {}
            _ => newest = Some((index, card, proof)),
        }
    }
    let (index, card, proof) = newest?;
    let card = if has_service_after(evidence, index) { Card::Ready } else { card };
    Some((card, proof))
}

fn card_of(item: &Item) -> Option<(Card, Proof)> {
    match item {
        Item::News { urc: Urc::Sim(state), line } => {
            // Printed while the card is being read, and with the radio off (capture s05).
            let card = Some(Card::of_state(state)).filter(|card| *card != Card::NotReady)?;
            Some((card, Proof::lines([line.clone()])))
        }
        Item::Exchange(exchange) if exchange.begins("AT+CPIN=") && exchange.is_done() => {
            Some((Card::Ready, exchange.proof()))
        }
        Item::Exchange(exchange) if exchange.begins("AT+CPIN=") && is_wrong(exchange) => {
            Some((Card::PinRefused, exchange.proof()))
        }
        Item::Exchange(exchange) => {
            let said = exchange.is("AT+CPIN?").then(|| Card::of_lines(&exchange.lines)).flatten();
            // With `AT+CMEE=0` a module says only `ERROR` where it would name the reason (27.007, 9.2).
            let unnamed = exchange.is("AT+CPIN?") && exchange.is_refused() && exchange.cme().is_none();
            let named = said.or_else(|| Card::of_error(exchange.cme()?));
            Some((named.or(unnamed.then_some(Card::Unnamed))?, exchange.proof()))
        }
        Item::News { .. } | Item::Trial(_) | Item::Noise(_) => None,
    }
}

/// True if a PIN was refused as wrong: with that error, or without a reason.
fn is_wrong(exchange: &Exchange) -> bool {
    exchange.is_refused() && exchange.cme().is_none_or(|code| code == CmeError::INCORRECT_PASSWORD)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Card {
    Ready,
    /// It is being read, or can't be read.
    NotReady,
    /// The module refused to say its state, and gave no reason.
    Unnamed,
    Missing,
    Pin,
    PinRefused,
    Puk,
    Failure,
}

impl Card {
    fn of_lines(lines: &[String]) -> Option<Self> {
        lines.iter().find_map(|line| match Line::parse(line.as_bytes()) {
            Line::Info { key: b"+CPIN", list } => Some(Self::of_state(&SimState::parse(list))),
            _ => None,
        })
    }

    fn of_state(state: &SimState) -> Self {
        match state {
            SimState::Ready => Self::Ready,
            SimState::PinRequired => Self::Pin,
            SimState::PukRequired => Self::Puk,
            SimState::Removed => Self::Missing,
            SimState::NotReady => Self::NotReady,
            SimState::Other(_) => Self::Failure,
        }
    }

    fn of_error(code: CmeError) -> Option<Self> {
        Some(match code {
            CmeError::SIM_NOT_INSERTED => Self::Missing,
            CmeError::SIM_PIN_REQUIRED => Self::Pin,
            CmeError::SIM_PUK_REQUIRED => Self::Puk,
            CmeError::SIM_FAILURE | CmeError::SIM_WRONG => Self::Failure,
            _ => return None,
        })
    }
}

pub(super) fn sim(evidence: &Evidence) -> Observation {
    let Some((card, proof)) = card(evidence) else { return Observation::nothing() };
    let (shown, code, summary) = match card {
        Card::Ready => return Observation::fine("ready"),
        Card::NotReady | Card::Unnamed if is_radio_off(evidence) => {
            return Observation::fine("not read: the radio is off");
        }
        Card::Unnamed => {
            let finding = Finding::warning(
                Code::SimFailure,
                "the module does not say the state of the card: none, or none it can read",
            );
            return Observation::found("not known", finding.proved_by([proof]));
        }
        Card::NotReady => {
            let finding =
                Finding::warning(Code::SimFailure, "the module had not read the card when it was last asked");
            return Observation::found("not ready", finding.proved_by([proof]));
        }
        Card::Missing => ("none", Code::SimMissing, "the module finds no SIM card"),
        Card::Pin if evidence.missing == Some(NotReady::PinRefused) => {
            ("PIN refused", Code::SimPinRefused, "the card refused the PIN that is configured")
        }
        Card::PinRefused => ("PIN refused", Code::SimPinRefused, "the card refused its PIN"),
        Card::Pin => ("asks for its PIN", Code::SimPin, "the card asks for its PIN"),
        Card::Puk => ("asks for its PUK", Code::SimPuk, "the card is locked and asks for its PUK"),
        Card::Failure => ("does not work", Code::SimFailure, "the card does not work"),
    };
    Observation::found(shown, Finding::error(code, summary).proved_by([proof]))
}

/// True if the card is known to prevent registration.
pub(super) fn is_card_closed(evidence: &Evidence) -> bool {
    card(evidence).is_some_and(|(card, _)| !matches!(card, Card::Ready | Card::NotReady | Card::Unnamed))
}
