//! When a fault strikes, and how a person writes that.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::{Disturbance, Fault, Way};

/// When a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum When {
    /// Once, at the next opportunity.
    Next,
    /// Once, this long after the origin of time.
    At(Duration),
    /// At each opportunity with this probability, from 0 to 1. Opportunities are: each prompt for
    /// [`Fault::LostPrompt`], each payload for [`Fault::CloseMidSend`], each piece of received data for
    /// [`Fault::ShortBody`] and [`Fault::CutBody`], each connect for [`Fault::SilentConnect`], each byte or piece for [`Fault::Wire`], each printed line for [`Fault::Urc`], each unsolicited
    /// one for [`Fault::LostUrc`] and [`Fault::DoubledUrc`], each send for [`Fault::LateSend`] and [`Fault::SendFail`], each command line for all
    /// others.
    Chance(f64),
}

/// A fault and when it strikes.
///
/// Written `fault`, `fault@12s`, `fault:0.01`; a fault may have a value, as in `late-answer=2s:0.01`:
///
/// ```
/// use air724ug::sim::{Fault, Rule, When};
/// use std::time::Duration;
///
/// let rule: Rule = "reboot@12s".parse()?;
/// assert_eq!(rule.when, When::At(Duration::from_secs(12)));
/// let rule: Rule = "short-body=3:0.01".parse()?;
/// assert_eq!(rule.fault, Fault::ShortBody { missing: 3 });
/// # Ok::<(), air724ug::sim::BadRule>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// What goes wrong.
    pub fault: Fault,
    /// When.
    pub when: When,
}

/// A rule that means nothing; says why, and what would.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRule(String);

impl fmt::Display for BadRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadRule {}

/// Every fault as it is written; WAY is to-host or from-host.
const SPELLINGS: &str = "lost-prompt, late-answer=2s, detached-answer=2s, lost-answer, wrong-answer=TEXT, \
                         late-send=2s, send-fail, close-mid-send=BYTES, short-body=BYTES, cut-body=BYTES, \
                         silent-connect, deaf=2s, garbage=TEXT, urc=TEXT, lost-urc, doubled-urc, drop=WAY, \
                         duplicate=WAY, corrupt=WAY, split=WAY,BYTES, merge=WAY,BYTES, delay=WAY,20ms, \
                         stall=WAY,2s, reboot, brown-out=TIMES, pdp-lost, network-lost, sim-removed, \
                         stale-connected, hang-up";

impl FromStr for Rule {
    type Err = BadRule;

    fn from_str(text: &str) -> Result<Self, BadRule> {
        let at = text.rsplit_once('@').map(|(fault, at)| (fault, span(at).map(When::At)));
        let chance =
            text.rsplit_once(':').map(|(fault, chance)| (fault, probability(chance).map(When::Chance)));
        let (fault, when) = match at.or(chance) {
            // The text of a line may hold both signs.
            Some((_, Err(_))) if takes_text(text) => (text, When::Next),
            Some((fault, when)) => (fault, when?),
            None => (text, When::Next),
        };
        let fault = self::fault(fault)?;
        Ok(Self { fault, when })
    }
}

fn takes_text(rule: &str) -> bool {
    ["wrong-answer=", "garbage=", "urc="].iter().any(|name| rule.starts_with(name))
}

fn fault(text: &str) -> Result<Fault, BadRule> {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    let command = 1;
    Ok(match name {
        "lost-prompt" => Fault::LostPrompt,
        "late-answer" => Fault::LateAnswer { command, by: span(value)? },
        "detached-answer" => Fault::DetachedAnswer { command, by: span(value)? },
        "lost-answer" => Fault::LostAnswer { command },
        "wrong-answer" => Fault::WrongAnswer { command, text: value.to_owned() },
        "late-send" => Fault::LateSend { by: span(value)? },
        "close-mid-send" => Fault::CloseMidSend { after: count(value)? },
        "short-body" => Fault::ShortBody { missing: count(value)? },
        "cut-body" => Fault::CutBody { missing: count(value)? },
        "send-fail" => Fault::SendFail,
        "silent-connect" => Fault::SilentConnect,
        "deaf" => Fault::Deaf { lasting: span(value)? },
        "garbage" => Fault::Garbage(format!("\r\n{value}\r\n").into_bytes()),
        "urc" if !value.is_empty() => Fault::Urc(value.to_owned()),
        "lost-urc" => Fault::LostUrc,
        "doubled-urc" => Fault::DoubledUrc,
        "reboot" => Fault::Reboot,
        "brown-out" => Fault::BrownOut { times: times(value)? },
        "pdp-lost" => Fault::PdpLost,
        "network-lost" => Fault::NetworkLost,
        "sim-removed" => Fault::SimRemoved,
        "stale-connected" => Fault::StaleConnected,
        "hang-up" => Fault::HangUp,
        _ => match disturbance(name, value)? {
            Some((way, disturbance)) => Fault::Wire(way, disturbance),
            None => return Err(BadRule(format!("there is no fault \"{text}\"; there are {SPELLINGS}"))),
        },
    })
}

/// `drop=to-host`, `split=from-host,3`.
fn disturbance(name: &str, value: &str) -> Result<Option<(Way, Disturbance)>, BadRule> {
    let (way, value) = value.split_once(',').unwrap_or((value, ""));
    let disturbance = match name {
        "drop" => Disturbance::Drop,
        "duplicate" => Disturbance::Duplicate,
        "corrupt" => Disturbance::Corrupt,
        "split" => Disturbance::Split(count(value)?),
        "merge" => Disturbance::Merge(count(value)?),
        "delay" => Disturbance::Delay(span(value)?),
        "stall" => Disturbance::Stall(span(value)?),
        _ => return Ok(None),
    };
    let way = match way {
        "to-host" => Way::ToHost,
        "from-host" => Way::FromHost,
        _ => return Err(BadRule(format!("\"{way}\" is no direction; write to-host or from-host"))),
    };
    Ok(Some((way, disturbance)))
}

fn times(text: &str) -> Result<u32, BadRule> {
    text.parse().map_err(|_| BadRule(format!("\"{text}\" is no number of times")))
}

/// `12s`, `1500ms`, `0.5s`.
fn span(text: &str) -> Result<Duration, BadRule> {
    let bad = || BadRule(format!("\"{text}\" is no span of time; write 12s or 1500ms"));
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, 0.001),
        None => (text.strip_suffix('s').ok_or_else(bad)?, 1.0),
    };
    let number: f64 = number.parse().map_err(|_| bad())?;
    Duration::try_from_secs_f64(number * unit).map_err(|_| bad())
}

fn count(text: &str) -> Result<usize, BadRule> {
    text.parse().map_err(|_| BadRule(format!("\"{text}\" is no number of bytes")))
}

fn probability(text: &str) -> Result<f64, BadRule> {
    let number = text.parse().ok().filter(|number| (0.0..=1.0).contains(number));
    number.ok_or_else(|| BadRule(format!("\"{text}\" is no probability; write a number from 0 to 1")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_as_people_write_them() {
        let rule = |text: &str| text.parse::<Rule>().map(|rule| (rule.fault, rule.when));
        assert_eq!(rule("lost-prompt:0.01"), Ok((Fault::LostPrompt, When::Chance(0.01))));
        assert_eq!(rule("reboot@12s"), Ok((Fault::Reboot, When::At(Duration::from_secs(12)))));
        assert_eq!(rule("hang-up@250ms"), Ok((Fault::HangUp, When::At(Duration::from_millis(250)))));
        let by = Duration::from_millis(1500);
        let urc = Fault::Urc("+CSQ: 1".to_owned());
        assert_eq!(rule("urc=+CSQ: 1:0.5"), Ok((urc, When::Chance(0.5))));
        assert_eq!(rule("urc=+CSQ: 1,x"), Ok((Fault::Urc("+CSQ: 1,x".to_owned()), When::Next)));
        assert_eq!(rule("late-answer=1.5s"), Ok((Fault::LateAnswer { command: 1, by }, When::Next)));
    }

    #[test]
    fn a_bad_rule_says_what_would_be_good() {
        for text in [
            "",
            "reboot@12",
            "lost-prompt:2",
            "short-body=x",
            "late-answer",
            "reboot@-1s",
            "x:NaN",
            "drop",
            "drop=up",
            "urc=",
        ] {
            assert!(text.parse::<Rule>().is_err(), "{text}");
        }
        let said = "explode".parse::<Rule>().map_err(|bad| bad.to_string());
        assert!(said.is_err_and(|said| said.contains("explode") && said.contains("lost-prompt")));
    }

    #[test]
    fn a_fault_is_shown_as_it_is_written() {
        let all = [
            "lost-prompt",
            "late-answer=1500ms",
            "short-body=3",
            "reboot",
            "close-mid-send=5",
            "late-send=20ms",
            "urc=+CSQ: 1,2",
            "lost-urc",
            "doubled-urc",
            "brown-out=3",
            "stale-connected",
            "drop=to-host",
            "duplicate=from-host",
            "corrupt=to-host",
            "split=to-host,3",
            "merge=from-host,64",
            "delay=to-host,20ms",
            "stall=from-host,2000ms",
            "cut-body=25",
            "send-fail",
            "silent-connect",
            "deaf=8000ms",
        ];
        for text in all {
            assert_eq!(text.parse::<Rule>().map(|rule| rule.fault.to_string()), Ok(text.to_owned()));
        }
    }
}
