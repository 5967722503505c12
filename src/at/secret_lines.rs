//! Lines of the module without the secrets of the session.

use super::{Command, KnownSecrets, Scanner, SecretVerdict, Urc, mask_urls};

/// Masks unexplained lines before they become events, logs or diagnoses: the arguments after the name of a command
/// with secrets, and pieces of secrets that were written, even if the line is damaged.
#[derive(Clone, Default, Debug)]
pub(crate) struct SecretLines {
    known: KnownSecrets,
}

impl SecretLines {
    /// Learns the secrets in a command that is written.
    pub(crate) fn sent(&mut self, command: &Command) {
        // A search for a secret in numbers would be a third of the cost of a send.
        if command.moves_data() {
            return;
        }
        let mut scanner = Scanner::default();
        for byte in command.text().bytes() {
            if scanner.byte(byte) == SecretVerdict::Secret {
                self.known.learn(byte);
            } else {
                self.known.learned();
            }
        }
        self.known.learned();
    }

    /// Learns the content of a file that is written.
    pub(crate) fn sent_file(&mut self, content: &[u8]) {
        self.known.learn_file(content);
    }

    /// The line with `*` for every byte of a secret.
    pub(crate) fn masked(&self, line: &str) -> String {
        let mut bytes = line.as_bytes().to_vec();
        let mut scanner = Scanner::default();
        for byte in &mut bytes {
            if scanner.byte(*byte) == SecretVerdict::Secret {
                *byte = b'*';
            }
        }
        mask_urls(&mut bytes);
        self.known.mask(&mut bytes);
        // If a part of a character was masked, the rest of it is replaced.
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// True if the answer to a command is secret in lines whose names do not show it.
    pub(crate) fn hides_answer_to(command: &str) -> bool {
        let mut scanner = Scanner::default();
        command.bytes().chain([b'\r']).any(|byte| scanner.byte(byte) == SecretVerdict::DownloadFollows)
    }

    /// True if the payload of a command is secret.
    pub(crate) fn hides_payload_of(command: &str) -> bool {
        let mut scanner = Scanner::default();
        let mut verdicts = command.bytes().chain([b'\r']).map(|byte| scanner.byte(byte));
        verdicts.any(|verdict| {
            matches!(verdict, SecretVerdict::UploadFollows(_) | SecretVerdict::UploadMayFollow)
        })
    }

    /// An unsolicited line with masked text, if it contains the line as written.
    pub(crate) fn masked_news(&self, urc: Urc) -> Urc {
        match urc {
            Urc::Unknown(line) => Urc::Unknown(self.masked(&line)),
            Urc::Note(line) => Urc::Note(self.masked(&line)),
            Urc::Started(line) => Urc::Started(self.masked(&line)),
            Urc::Bearer(line) => Urc::Bearer(self.masked(&line)),
            // Three digits of a time may be those of a PIN.
            Urc::NetworkTime(time) if !consists_of(&time, "/,:+-\" ", false) => {
                Urc::NetworkTime(self.masked(&time))
            }
            Urc::Resolved { host, addresses } if !consists_of(&host, ".-_:", true) => {
                Urc::Resolved { host: self.masked(&host), addresses }
            }
            other => other,
        }
    }
}

/// Whether a text has digits, these marks and perhaps letters only.
fn consists_of(text: &str, marks: &str, letters: bool) -> bool {
    text.chars()
        .all(|one| one.is_ascii_digit() || marks.contains(one) || letters && one.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn after(commands: &[&str]) -> SecretLines {
        let mut lines = SecretLines::default();
        for command in commands {
            lines.sent(&Command::of_user(command, Duration::ZERO).unwrap());
        }
        lines
    }

    #[test]
    fn known_lines_joined_with_an_echo_show_nothing_of_its_secret() {
        let lines = after(&["AT+CPIN=\"2024\""]);
        let shown = |line: &str| format!("{:?}", lines.masked_news(Urc::parse(line.as_bytes())));
        for line in [
            "+CGEV: NW PDN DEACT 1AT+CPIN=\"2024\"",
            "+NITZ: 24/07/23,08:35:01+32,0AT+CPIN=\"2024\"",
            "+CDNSGIP: 1,\"example.comAT+CPIN=2024",
            "+CFUN: 1AT+CPIN=\"2024\"",
            "+CREG: 1AT+CPIN=\"2024\"",
        ] {
            assert!(!shown(line).contains("202") && !shown(line).contains("024"), "{}", shown(line));
        }
        for (line, whole) in [
            ("+CTZE: +32,0,\"2024/07/23,08:35:01\"", "NetworkTime(\"+32,0,\\\"2024/07/23,08:35:01\\\"\")"),
            (
                "+CDNSGIP: 1,\"a2024.example.com\",\"10.1.0.1\"",
                "Resolved { host: \"a2024.example.com\", addresses: [10.1.0.1] }",
            ),
            ("+CGEV: NW PDN DEACT 1", "Bearer(\"NW PDN DEACT 1\")"),
        ] {
            assert_eq!(shown(line), whole);
        }
    }

    #[test]
    fn a_damaged_echo_shows_nothing_of_its_secret() {
        let lines = after(&["AT+CPIN=\"1234\"", "AT+CSTT=\"net\",\"guest\",\"s3cretword\""]);
        for echo in [
            "T+CPIN=\"1234\"",
            "+CREG: 1AT+CPIN=\"1234\"",
            "at+cpin=\"1234\"",
            "AT+CP\0IN=\"1234\"",
            "ATCPIN\"1234\"",
            "AT+CPIN1234",
            "+X: 1234",
            "T+CSTT=\"net\",\"guest\",\"s3cretword\"",
            "AT+CST=\"net\",\"guest\",\"s3cretword\"",
            "AT+CSTT\"net\"guest\"S3CRET\0WORD",
            "+NEWS: s3cretwrd",
        ] {
            let shown = lines.masked(echo);
            for secret in ["123", "guest", "s3cr", "etwo", "word", "S3CRET", "WORD"] {
                assert!(!shown.contains(secret), "{echo:?}: {shown}");
            }
            assert_eq!(shown.len(), echo.len());
        }
        assert_eq!(lines.masked("+CREG: 1,\"4844\""), "+CREG: 1,\"4844\"");
    }

    #[test]
    fn a_url_without_a_command_shows_no_secret() {
        let lines = SecretLines::default();
        for (line, shown) in [
            (
                "no answer of http://u:pw@a.test/b at 12:30:05",
                "no answer of http://u:*********/b at 12:30:05",
            ),
            ("get http://a.test/?n=http://u:pw@b/", "get http://a.test/?n=http://u:****/"),
            ("get http:\0//b/?tok\0en=pw", "get http:\0//b/?tok\0en=**"),
            ("get #http://u:pw@b/", "get #http://u:****/"),
            ("to u:pw@a.test:80: refused", "to u:************* refused"),
            ("to http://a.test/?token=pw&n=1, twice", "to http://a.test/?token=**&n=1, twice"),
            ("TCP a.test:80", "TCP a.test:80"),
            ("+NEWS: me@a.test", "+NEWS: me@a.test"),
        ] {
            assert_eq!(lines.masked(line), shown);
        }
    }

    #[test]
    fn the_payload_of_commands_that_write_keys_is_secret() {
        for command in [
            "AT+FSWRITE=\"a\",0,5,1",
            "AT+QFUPL=\"a\",5",
            "AT+CCERTDOWN=\"a\",5",
            "AT+CFSWFILE=3,\"a\",0,5,1000",
            "AT+MSSLCERTWR=\"a\",5",
            "AT+PRIVKEYSTORE=5",
        ] {
            assert!(SecretLines::hides_payload_of(command), "{command}");
        }
        for command in ["AT+HTTPDATA=5,1000", "AT+CMGS=\"1\"", "AT+CIPSEND=0,5"] {
            assert!(!SecretLines::hides_payload_of(command), "{command}");
        }
    }

    #[test]
    fn a_name_that_speaks_of_a_secret_is_enough() {
        let lines = SecretLines::default();
        for (line, shown) in [
            ("AT*CGDFAUTH=1,1,\"user\",\"pw\"", "AT*CGDFAUTH=*,*,\"****\",\"**\""),
            ("AT+FTPPW=\"pw\"", "AT+FTPPW=\"**\""),
            ("AT+EMAILPWD=pw", "AT+EMAILPWD=**"),
            ("AT^WIFIPWD=pw", "AT^WIFIPWD=**"),
            ("+FTPPW: \"pw\"", "+FTPPW:*\"**\""),
            ("AT+HTTPPARA=\"URL\",\"http://u:pw@h/\"", "AT+HTTPPARA=\"URL\",\"http://u:****/\""),
            (
                "AT+HTTPPARA=\"USERDATA\",\"Authorization: x\"",
                "AT+HTTPPARA=\"USERDATA\",\"****************\"",
            ),
            ("AT+HTTPPARA=\"URL\",\"http://host/a:b\"", "AT+HTTPPARA=\"URL\",\"http://host/a:b\""),
            ("+CPIN: SIM PIN", "+CPIN: SIM PIN"),
            ("+CIPPING: 1,\"10.1.2.3\",32,255", "+CIPPING: 1,\"10.1.2.3\",32,255"),
        ] {
            assert_eq!(lines.masked(line), shown);
        }
    }
}
