//! The words of the module that may stand at the end of transparent data.

use crate::at::{ChannelNews, Final, Line, Urc};
use crate::error::CloseReason;

/// What the module says when the connection ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ending {
    /// The connection is over for this reason.
    Closed(CloseReason),
    /// The module has started anew.
    Restarted,
}

/// The longest line that is looked at.
const MAX_WORD: usize = 80;

/// How the lines begin that a module says unasked (section 3), with a blank behind the colon or without.
const WORDS: [&str; 25] = [
    "CLOSED",
    "TCP ERROR",
    "UDP ERROR",
    "NO CARRIER",
    "+PDP",
    "RDY",
    BOOT_ROM,
    "+CPIN:",
    "^CARDMODE:",
    "SMS READY",
    "SMS Ready",
    "Call Ready",
    "+CFUN:",
    "^MODE:",
    "+E_UTRAN Service",
    "+GSM Service",
    "+GPRS Service",
    "+NO Service",
    "*CGEV:",
    "+CGEV:",
    "+NITZ:",
    "+CTZE:",
    "+CREG:",
    "+CGREG:",
    "+CEREG:",
];
/// Noise of a start, which has no line end before it.
const BOOT_ROM: &str = "^boot.rom";
/// What the module answers, behind the end, to payload that was still under way and that it takes for commands.
const REFUSALS: [&str; 2] = ["ERROR", "+CME ERROR:"];

/// Whether it begins as the noise of a start does.
pub(super) fn is_noise(line: &[u8]) -> bool {
    let len = line.len().min(BOOT_ROM.len());
    line[..len] == BOOT_ROM.as_bytes()[..len]
}

/// Whether it may begin what a module says unasked.
pub(super) fn may_begin_word(line: &[u8]) -> bool {
    line.len() <= MAX_WORD && WORDS.iter().any(|word| fits(line, word))
}

/// Whether it may begin a refusal.
pub(super) fn may_refuse(line: &[u8]) -> bool {
    line.len() <= MAX_WORD && REFUSALS.iter().any(|word| fits(line, word))
}

/// Whether it is a refusal.
pub(super) fn is_refusal(line: &[u8]) -> bool {
    line.len() <= MAX_WORD && matches!(Line::parse(line), Line::Final(Final::Error | Final::Cme(_)))
}

/// Whether one is the beginning of the other.
pub(super) fn fits(line: &[u8], word: &str) -> bool {
    let len = line.len().min(word.len());
    line[..len] == word.as_bytes()[..len]
}

/// What a line says of the connection, if it is one that a module says unasked.
pub(super) fn meaning(line: &[u8]) -> Option<Option<Ending>> {
    if line.trim_ascii() != line || !may_begin_word(line) {
        return None;
    }
    match Line::parse(line) {
        Line::Final(Final::NoCarrier) => Some(Some(Ending::Closed(CloseReason::Reset))),
        Line::Channel { channel: None, news } => match news {
            ChannelNews::Closed => Some(Some(Ending::Closed(CloseReason::Peer))),
            ChannelNews::TcpError(_) | ChannelNews::UdpError(_) => {
                Some(Some(Ending::Closed(CloseReason::Reset)))
            }
            _ => None,
        },
        _ => match Urc::parse(line) {
            Urc::PdpDeactivated => Some(Some(Ending::Closed(CloseReason::BearerLost))),
            urc if urc.is_restart() => Some(Some(Ending::Restarted)),
            urc => urc.is_known().then_some(None),
        },
    }
}
