//! Faults between the modem and its host, on request or by chance.
//!
//! Each fault has a file with its parameters, its spelling and its effect. Here it has two lines: its `mod`, and its
//! entry in the list below. `Behaviour` has the occasions at which a fault can strike.

mod behaviour;
mod direction;
mod rule;
mod schedule;
mod values;
mod wire;

mod brown_out;
mod close_mid_send;
mod corrupt_byte;
mod cut_body;
mod deaf;
mod delay_piece;
mod detached_answer;
mod doubled_urc;
mod drop_byte;
mod duplicate_byte;
mod garbage;
mod hang_up;
mod late_answer;
mod late_send;
mod lost_answer;
mod lost_prompt;
mod lost_urc;
mod merge_pieces;
mod network_lost;
mod pdp_lost;
mod reboot;
mod replug;
mod send_fail;
mod short_body;
mod silent_connect;
mod sim_removed;
mod split_piece;
mod stale_connected;
mod stall_line;
mod unplug;
mod urc;
mod usb_restart;
mod wrong_answer;

pub(super) use behaviour::{Behaviour, FaultTarget, Occasion};
pub use direction::Direction;
pub use rule::{Rule, Trigger};
pub(super) use schedule::{FaultSchedule, Passage};
pub use values::BadRule;
pub(super) use wire::Wire;

use behaviour::Spelling;
use std::fmt;

macro_rules! faults {
    ($($module:ident::$name:ident,)*) => {
        $(pub use $module::$name;)*

        /// A fault. With [`Control::fault`](super::Control::fault) it strikes at the next opportunity; in a [`Rule`] at
        /// a time or with a probability.
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum Fault {
            $(#[doc = concat!("See [`", stringify!($name), "`](struct@", stringify!($name), ").")] $name($name),)*
        }

        $(impl From<$name> for Fault {
            fn from(fault: $name) -> Self {
                Self::$name(fault)
            }
        })*

        impl Fault {
            /// The spelling of every fault, with an example of its value. BYTES, TIMES and TEXT stand for a value,
            /// DIRECTION for `to-host` or `from-host`.
            pub const FORMS: &'static [&'static str] = &[$($name::FORM),*];

            /// The names of all faults. If several apply to one piece of output, this is their order.
            pub(super) const NAMES: &'static [&'static str] = &[$($name::NAME),*];

            /// The name in a rule, `late-answer`.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$name(_) => $name::NAME,)*
                }
            }

            fn value(&self) -> Option<String> {
                match self {
                    $(Self::$name(fault) => fault.value(),)*
                }
            }

            fn parse(name: &str, value: &str) -> Option<Result<Self, BadRule>> {
                match name {
                    $($name::NAME => Some($name::parse(value).map(Self::$name)),)*
                    _ => None,
                }
            }

            fn takes_text(name: &str) -> bool {
                match name {
                    $($name::NAME => $name::TAKES_TEXT,)*
                    _ => false,
                }
            }

            pub(super) fn behaviour(&self) -> &dyn Behaviour {
                match self {
                    $(Self::$name(fault) => fault,)*
                }
            }

            pub(super) fn behaviour_mut(&mut self) -> &mut dyn Behaviour {
                match self {
                    $(Self::$name(fault) => fault,)*
                }
            }
        }
    };
}

faults! {
    lost_prompt::LostPrompt,
    late_answer::LateAnswer,
    detached_answer::DetachedAnswer,
    lost_answer::LostAnswer,
    wrong_answer::WrongAnswer,
    late_send::LateSend,
    send_fail::SendFail,
    close_mid_send::CloseMidSend,
    short_body::ShortBody,
    cut_body::CutBody,
    silent_connect::SilentConnect,
    deaf::Deaf,
    garbage::Garbage,
    urc::Urc,
    lost_urc::LostUrc,
    doubled_urc::DoubledUrc,
    drop_byte::DropByte,
    duplicate_byte::DuplicateByte,
    corrupt_byte::CorruptByte,
    split_piece::SplitPiece,
    merge_pieces::MergePieces,
    delay_piece::DelayPiece,
    stall_line::StallLine,
    reboot::Reboot,
    brown_out::BrownOut,
    pdp_lost::PdpLost,
    network_lost::NetworkLost,
    sim_removed::SimRemoved,
    stale_connected::StaleConnected,
    unplug::Unplug,
    replug::Replug,
    usb_restart::UsbRestart,
    hang_up::HangUp,
}

impl fmt::Display for Fault {
    /// As in a rule: `lost-prompt`, `late-answer=1500ms`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        self.value().map_or(Ok(()), |value| write!(f, "={value}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_read_as_its_form_says_and_shown_as_it_is_read() {
        for form in Fault::FORMS {
            let text = form
                .replace("DIRECTION", "from-host")
                .replace("BYTES", "3")
                .replace("TIMES", "2")
                .replace("TEXT", "x")
                .replace("2s", "2000ms");
            let fault = text.parse::<Rule>().map(|rule| rule.fault);
            let shown = if text == "garbage=x" { r"garbage=\r\nx\r\n".to_owned() } else { text.clone() };
            assert_eq!(fault.as_ref().map(ToString::to_string), Ok(shown));
            let name = text.split('=').next();
            assert_eq!(fault.ok().map(|fault| fault.name()), name);
        }
    }

    #[test]
    fn no_two_faults_have_one_name() {
        let mut names = Fault::NAMES.to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Fault::NAMES.len());
    }
}
