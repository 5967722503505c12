//! Rules: the trigger of a fault, and its spelling.

use std::str::FromStr;
use std::time::Duration;

use super::Fault;
use super::values::{BadRule, probability, span};

/// The trigger of a fault.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Trigger {
    /// Once, at the next opportunity.
    Next,
    /// Once, at this time after the origin of time.
    At(Duration),
    /// At each opportunity with this probability, from 0 to 1. The documentation of each fault names its opportunities.
    Chance(f64),
}

/// A fault with its trigger.
///
/// Written `fault`, `fault@12s`, `fault:0.01`; a fault may have a value, as in `late-answer=2s:0.01`:
///
/// ```
/// use air724ug::sim::{Rule, Trigger, fault};
/// use std::time::Duration;
///
/// let rule: Rule = "reboot@12s".parse()?;
/// assert_eq!(rule.trigger, Trigger::At(Duration::from_secs(12)));
/// let rule: Rule = "short-body=3:0.01".parse()?;
/// assert_eq!(rule.fault, fault::ShortBody { missing: 3 }.into());
/// # Ok::<(), air724ug::sim::BadRule>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// The fault.
    pub fault: Fault,
    /// The trigger.
    pub trigger: Trigger,
}

impl FromStr for Rule {
    type Err = BadRule;

    fn from_str(text: &str) -> Result<Self, BadRule> {
        let at = text.rsplit_once('@').map(|(fault, at)| (fault, span(at).map(Trigger::At)));
        let chance =
            text.rsplit_once(':').map(|(fault, chance)| (fault, probability(chance).map(Trigger::Chance)));
        let takes_text = text.split_once('=').is_some_and(|(name, _)| Fault::takes_text(name));
        let (fault, trigger) = match at.or(chance) {
            // A text may contain both characters.
            Some((_, Err(_))) if takes_text => (text, Trigger::Next),
            Some((fault, trigger)) => (fault, trigger?),
            None => (text, Trigger::Next),
        };
        let (name, value) = fault.split_once('=').unwrap_or((fault, ""));
        let unknown = || {
            let forms = Fault::FORMS.join(", ");
            BadRule::new(format!("there is no fault \"{fault}\"; there are {forms}"))
        };
        Ok(Self { fault: Fault::parse(name, value).ok_or_else(unknown)??, trigger })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::fault;

    #[test]
    fn rules_are_read_as_people_write_them() {
        let rule = |text: &str| text.parse::<Rule>().map(|rule| (rule.fault, rule.trigger));
        assert_eq!(rule("lost-prompt:0.01"), Ok((fault::LostPrompt.into(), Trigger::Chance(0.01))));
        assert_eq!(rule("reboot@12s"), Ok((fault::Reboot.into(), Trigger::At(Duration::from_secs(12)))));
        assert_eq!(
            rule("hang-up@250ms"),
            Ok((fault::HangUp.into(), Trigger::At(Duration::from_millis(250))))
        );
        let by = Duration::from_millis(1500);
        let urc = fault::Urc("+CSQ: 1".to_owned()).into();
        assert_eq!(rule("urc=+CSQ: 1:0.5"), Ok((urc, Trigger::Chance(0.5))));
        assert_eq!(rule("urc=+CSQ: 1,x"), Ok((fault::Urc("+CSQ: 1,x".to_owned()).into(), Trigger::Next)));
        assert_eq!(
            rule("late-answer=1.5s"),
            Ok((fault::LateAnswer { command: 1, by }.into(), Trigger::Next))
        );
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
}
