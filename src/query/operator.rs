//! `AT+COPS?`: the operator whose network the module is registered with.

use std::fmt;

use super::{Query, Reply};
use crate::at::{Command, Field};

/// Asks for the operator (`AT+COPS?`; 3GPP 27.007 section 7.3). `None` while the module is registered with none.
///
/// Bring-up does not ask for it, because no socket needs it. The first answer after each `ready` is logged at INFO.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CurrentOperator;

/// An operator, as the module names it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Operator {
    /// The name in the format that is set in the module (`AT+COPS=3,<format>`): long or short (`CHINA MOBILE`), or the
    /// digits of country and network (`46000`), which is the Air724UG's format after a start.
    pub name: String,
    /// The number of the access technology, if the firmware reports it (`<AcT>` of 27.007): 0 GSM, 2 UMTS, 7 LTE.
    pub technology: Option<u32>,
}

impl Query for CurrentOperator {
    type Answer = Option<Operator>;

    fn command(&self) -> Command {
        Command::question(Self::TEXT, &["+COPS"], |values| values.first().is_some_and(is_mode))
    }

    fn read(&self, reply: &Reply) -> Option<Option<Operator>> {
        let values = reply.values(&["+COPS"])?;
        match values.as_slice() {
            // Not registered, or only the selection mode is reported.
            [mode] if is_mode(mode) => Some(None),
            [mode, format, name, rest @ ..] if is_mode(mode) && format.number().is_none_or(|it| it <= 2) => {
                let name = name.text().trim().to_owned();
                let technology = rest.first().and_then(Field::number);
                Some((!name.is_empty()).then_some(Operator { name, technology }))
            }
            _ => None,
        }
    }
}

impl CurrentOperator {
    /// The command.
    pub(crate) const TEXT: &str = "AT+COPS?";
}

/// 0 to 4: the selection mode of the operator.
fn is_mode(value: &Field<'_>) -> bool {
    value.number().is_some_and(|mode| mode <= 4)
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::super::answer_of;
    use super::*;

    fn read(line: &str) -> Option<Option<Operator>> {
        answer_of(&CurrentOperator, &[line, "OK"])
    }

    fn named(name: &str, technology: Option<u32>) -> Option<Option<Operator>> {
        Some(Some(Operator { name: name.to_owned(), technology }))
    }

    #[test]
    fn the_operator_is_read_in_every_form() {
        let lte = Some(7);
        // Answers of the module itself, firmware V4032.
        assert_eq!(read("+COPS: 0,2,\"46011\",7"), named("46011", lte));
        assert_eq!(read("+COPS: 0,0,\"CHINA MOBILE\",7"), named("CHINA MOBILE", lte));
        assert_eq!(read("+COPS: 1,0,\"4E2D56FD79FB52A8\",7"), named("4E2D56FD79FB52A8", lte));
        // The SIM800 reports no technology.
        assert_eq!(read("+COPS: 0,0,\"MegaFon\""), named("MegaFon", None));
        assert_eq!(read("+COPS: 0, 2, 46000, 7"), named("46000", lte));
        assert_eq!(read("+COPS:0,1,\"CMCC\","), named("CMCC", None));
    }

    #[test]
    fn no_operator_is_none_and_another_line_is_no_answer() {
        for none in ["+COPS: 0", "+COPS: 2", "+COPS: 0,0,\"\",7"] {
            assert_eq!(read(none), Some(None), "{none}");
        }
        for wrong in ["+COPS: 9", "+COPS: 0,0", "+COPS: 0,7,\"A\"", "+COPS: (0-4),(0-2)", "+CREG: 0,1"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
