//! The questions whose answers are known to have only lines that begin with their name.

use super::Command;

/// Of these commands every line of the answer to `AT+NAME?` and `AT+NAME` begins with the name: V.250 section 5.4.4,
/// 3GPP TS 27.007 and 27.005, the manual, and the answers of the captures. Others may have lines of any form, even
/// after one with the name: `+HTTPHEAD: <length>` comes before the head of a response.
const NAMES: [&str; 45] = [
    "+CBC",
    "+CCLK",
    "+CEREG",
    "+CESQ",
    "+CFUN",
    "+CGACT",
    "+CGATT",
    "+CGDCONT",
    "+CGPADDR",
    "+CGREG",
    "+CIPATS",
    "+CIPHEAD",
    "+CIPMODE",
    "+CIPMUX",
    "+CIPQSEND",
    "+CIPRXGET",
    "+CIPSHOWTP",
    "+CIPSPRT",
    "+CIPSRIP",
    "+CIPSSL",
    "+CLIP",
    "+CMEE",
    "+CMGF",
    "+CMUT",
    "+CNMI",
    "+COPS",
    "+CPAS",
    "+CPIN",
    "+CPMS",
    "+CR",
    "+CRC",
    "+CREG",
    "+CSCA",
    "+CSCB",
    "+CSCS",
    "+CSDH",
    "+CSMP",
    "+CSMS",
    "+CSQ",
    "+CSTT",
    "+CTZR",
    "+CTZU",
    "+ICCID",
    "+ICF",
    "+IFC",
];

impl Command {
    /// True if every line of its answer begins with its name.
    pub fn has_named_answer(&self) -> bool {
        let text = self.text();
        let Some(name) = text.get(2..) else { return false };
        let name = name.strip_suffix('?').unwrap_or(name).bytes().map(|byte| byte.to_ascii_uppercase());
        NAMES.binary_search_by(|known| known.bytes().cmp(name.clone())).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_question_of_the_standards_has_an_answer_with_its_name() {
        let is_named =
            |text: &str| Command::of_user(text, Duration::from_secs(1)).unwrap().has_named_answer();
        for text in ["AT+CSQ", "AT+CREG?", "at+cbc", "AT+IFC?"] {
            assert!(is_named(text), "{text}");
        }
        for text in
            ["AT+CGSN", "ATI", "AT+HTTPHEAD", "AT+HTTPPARA?", "AT+CSQ=?", "AT+CREG=0", "AT+CSQ;+CGMR", "AT&V"]
        {
            assert!(!is_named(text), "{text}");
        }
    }

    #[test]
    fn the_names_are_in_order() {
        assert!(NAMES.is_sorted());
    }
}
