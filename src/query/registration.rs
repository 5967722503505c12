//! `AT+CREG?`, `AT+CGREG?`, `AT+CEREG?`: registration with the network.

use super::{Query, Reply};
use crate::at::{Command, Domain, Field, ListForm, RegistrationStatus};

/// Asks for the registration in one domain (3GPP 27.007 sections 7.2, 10.1.20 and 10.1.22).
///
/// The module may answer `AT+CEREG?` with the key `+CGREG` (capture a19), so an answer with either key is accepted for
/// both.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DomainRegistration(pub Domain);

impl DomainRegistration {
    fn keys(self) -> &'static [&'static str] {
        match self.0 {
            Domain::Circuit => &["+CREG"],
            Domain::Packet => &["+CGREG", "+CEREG"],
            Domain::Lte => &["+CEREG", "+CGREG"],
        }
    }
}

impl Query for DomainRegistration {
    type Answer = RegistrationStatus;

    fn command(&self) -> Command {
        let text = match self.0 {
            Domain::Circuit => "AT+CREG?",
            Domain::Packet => "AT+CGREG?",
            Domain::Lte => "AT+CEREG?",
        };
        Command::question(text, self.keys(), |values| ListForm::of(values) == ListForm::Asked)
    }

    fn read(&self, reply: &Reply) -> Option<RegistrationStatus> {
        let values = reply.values(self.keys())?;
        values.get(1).and_then(Field::number).and_then(RegistrationStatus::new)
    }
}

#[cfg(test)]
mod tests {
    use super::super::answer_of;
    use super::*;

    #[test]
    fn lte_and_packet_answers_count_for_each_other() {
        let home = Some(RegistrationStatus::Home);
        for key in ["+CEREG", "+CGREG"] {
            let line = format!("{key}: 0,1");
            assert_eq!(answer_of(&DomainRegistration(Domain::Lte), &[&line, "OK"]), home);
            assert_eq!(answer_of(&DomainRegistration(Domain::Packet), &[&line, "OK"]), home);
            assert_eq!(answer_of(&DomainRegistration(Domain::Circuit), &[&line, "OK"]), None);
        }
    }

    #[test]
    fn a_line_that_comes_unasked_is_no_answer() {
        assert_eq!(answer_of(&DomainRegistration(Domain::Circuit), &["+CREG: 1", "OK"]), None);
    }
}
