//! Orders in words to a running modem.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::control::Control;
use super::fault::{BadRule, Rule};

/// An order in words.
///
/// ```
/// use air724ug::sim::{Control, Order};
///
/// assert_eq!("net down".parse(), Ok(Order::Control(Control::NetworkDown)));
/// assert!("make coffee".parse::<Order>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    /// Changes the modem's environment.
    Control(Control),
    /// Shows the state of the modem.
    State,
    /// Shows the valid orders.
    Help,
}

/// The time for which a USB port is gone when its module restarts.
const USB_RESTART: Duration = Duration::from_secs(3);
/// The longest name of a file (Linux, the BSDs and macOS).
const MAX_NAME: usize = 255;
/// Eight digits of the type, six of the module, and a check digit (3GPP 23.003 section 6.2.1).
const IMEI_DIGITS: usize = 15;
/// The number of channels of the modem.
const CHANNELS: u8 = 8;

/// An invalid order, with the valid forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadOrder(String);

impl fmt::Display for BadOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadOrder {}

impl From<BadRule> for BadOrder {
    fn from(bad: BadRule) -> Self {
        Self(bad.to_string())
    }
}

impl Order {
    /// All orders.
    pub const HELP: &'static str = "\
net down | net up       the cell goes or comes back
sim remove | sim insert the card is pulled out or put in
pdp lost                the network ends the bearer
reset                   the reset pin
close N                 the connection of channel N breaks
urc TEXT                prints an unsolicited line
fault RULE              something goes wrong: lost-prompt, lost-prompt:0.01, reboot@12s (from now)
dtr on | dtr off        the host's DTR line, as AT&D and AT+CSCLK=1 look at it
unplug                  the port vanishes, the modem lives on
replug | replug NAME    the port is back, by a link of another name
usb-restart             the modem restarts, and its port is gone for 3 s
replace IMEI            another module is put in place of this one, replug brings its port
hang up                 the port vanishes for good
state                   what the modem is like
help                    this text
With several modems a number in front picks one, as in `2 net down`; without one all of them are meant.";
}

impl FromStr for Order {
    type Err = BadOrder;

    fn from_str(text: &str) -> Result<Self, BadOrder> {
        let text = text.trim();
        let (verb, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let rest = rest.trim();
        Ok(Self::Control(match (verb, rest) {
            ("state", "") => return Ok(Self::State),
            ("help" | "?", "") => return Ok(Self::Help),
            ("net", "down") => Control::NetworkDown,
            ("net", "up") => Control::NetworkUp,
            ("sim", "remove") => Control::SimRemove,
            ("sim", "insert") => Control::SimInsert,
            ("pdp", "lost") => Control::PdpLost,
            ("dtr", "on") => Control::Dtr(true),
            ("dtr", "off") => Control::Dtr(false),
            ("unplug", "") => Control::Unplug,
            ("replug", "") => Control::Replug(None),
            ("replug", name) if is_file_name(name) => Control::Replug(Some(name.to_owned())),
            ("replug", name) => {
                let why = format!("{name:?} is no name of a file beside the link; write replug modem2");
                return Err(BadOrder(why));
            }
            ("usb-restart", "") => Control::UsbRestart(USB_RESTART),
            ("replace", imei) if is_imei(imei) => Control::Replace(imei.to_owned()),
            ("replace", imei) => {
                return Err(BadOrder(format!("{imei:?} is no IMEI; write replace 860000000000017")));
            }
            ("hang", "up") => Control::HangUp,
            ("reset", "") => Control::Reset,
            ("urc", text) if !text.is_empty() => Control::Urc(text.to_owned()),
            ("fault", rule) => Control::Rule(rule.parse::<Rule>()?),
            ("close", channel) => match channel.parse() {
                Ok(channel) if channel < CHANNELS => Control::PeerClose(channel),
                Ok(_) | Err(_) => {
                    let why = format!("\"{channel}\" is no channel, they are 0 to 7; write close 3");
                    return Err(BadOrder(why));
                }
            },
            _ => return Err(BadOrder(format!("\"{text}\" is no order; help lists them"))),
        }))
    }
}

fn is_imei(text: &str) -> bool {
    text.len() == IMEI_DIGITS && text.bytes().all(|digit| digit.is_ascii_digit())
}

/// True if a file may have this name.
fn is_file_name(name: &str) -> bool {
    !matches!(name, "." | "..") && !name.contains(['/', '\0']) && name.len() <= MAX_NAME
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::{Trigger, fault};

    #[test]
    fn orders_are_read_as_people_type_them() {
        let control = |text: &str| match text.parse() {
            Ok(Order::Control(control)) => Some(control),
            Ok(Order::State | Order::Help) | Err(_) => None,
        };
        assert_eq!(control(" net  down \r"), Some(Control::NetworkDown));
        assert_eq!(control("sim insert"), Some(Control::SimInsert));
        assert_eq!(control("urc +CREG: 5"), Some(Control::Urc("+CREG: 5".to_owned())));
        assert_eq!(control("replace 860000000000017"), Some(Control::Replace("860000000000017".to_owned())));
        assert_eq!(control("close 7"), Some(Control::PeerClose(7)));
        let rule = Rule { fault: fault::LostPrompt.into(), trigger: Trigger::Chance(0.5) };
        assert_eq!(control("fault lost-prompt:0.5"), Some(Control::Rule(rule)));
        assert_eq!("state".parse(), Ok(Order::State));
    }

    #[test]
    fn what_is_no_order_is_refused_with_advice() {
        for text in [
            "",
            "net",
            "net sideways",
            "urc",
            "close",
            "close x",
            "close 8",
            "close 256",
            "close -1",
            "replace",
            "replace 86000000000001",
            "replace 86000000000001x",
            "fault explode",
            "reset now",
        ] {
            assert!(text.parse::<Order>().is_err(), "{text}");
        }
        let said = "net sideways".parse::<Order>().map_err(|bad| bad.to_string());
        assert!(said.is_err_and(|said| said.contains("net sideways") && said.contains("help")));
    }

    #[test]
    fn every_order_of_the_help_is_one() {
        let lines = Order::HELP.lines().filter(|line| !line.starts_with("With"));
        for order in lines.flat_map(|line| line[..24].split('|')) {
            let order = order.trim().replace(" N", " 1").replace("RULE", "reboot");
            let order = order.replace("IMEI", "860000000000009");
            assert!(order.parse::<Order>().is_ok(), "{order}");
        }
    }
}
