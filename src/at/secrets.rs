//! A scanner for the secret arguments of commands, byte by byte.

use super::phone_keys::PhoneKeys;
use super::secret_commands::Secret;
use super::secret_words::{Word, is_added, secret};
use super::url_credentials::Url;

/// A query whose answer shows the access point's user and password in lines of their own (manual, CIPSCONT).
const SECRET_QUERY: &str = "CIPSCONT";

/// The first characters of names: `+` by V.250, the others as vendors use them.
const PREFIXES: [u8; 6] = [b'+', b'*', b'^', b'$', b'%', b'#'];

/// The other characters of names (V.250 section 5.4.1), but those that end or begin one here.
const OF_NAMES: [u8; 5] = *b"!-./_";

/// The bytes that may stand in place of the `=`: blanks, and those of which one bit is wrong, unless they may be part
/// of a name.
const IN_PLACE: [u8; 6] = *b" \t<?}\xbd";

/// The verdict of a scanner on one byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SecretVerdict {
    /// It is not secret.
    Open,
    /// It is part of a secret.
    Secret,
    /// It ends a command that is followed by this number of secret bytes; `usize::MAX` if the command does not give it.
    UploadFollows(usize),
    /// It ends a command that is followed by secret bytes if a prompt comes.
    UploadMayFollow,
    /// It ends a command whose answer is secret.
    DownloadFollows,
}

/// Finds secret arguments in one direction of a session.
///
/// A command is recognised by a name between `+` and `=` at any position, because a command after the payload of a
/// send does not begin a line. Data that look like such a command are masked, too.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scanner {
    state: ScanState,
    url: Url,
    keys: PhoneKeys,
}

#[derive(Debug, Clone, Default)]
enum ScanState {
    #[default]
    Text,
    Name(Word),
    Arguments(Arguments),
    /// A quoted argument of a command that is not listed.
    Quoted(Word),
    /// After the closing quote of the key of a secret (`"PASSWORD"`). An argument that follows is that secret.
    Key,
}

#[derive(Debug, Clone)]
struct Arguments {
    secret: Secret,
    index: usize,
    quoted: bool,
    /// True if the argument had a closing quote. Another string after it is another argument, whose comma is lost.
    was_quoted: bool,
    /// The key of [`Secret::Keyed`] or the length of [`Secret::Upload`].
    word: Word,
}

impl Scanner {
    /// Judges the next byte.
    pub(crate) fn byte(&mut self, byte: u8) -> SecretVerdict {
        let is_line_end = byte == b'\r' || byte == b'\n';
        if is_line_end {
            self.url = Url::Off;
        }
        // A control byte, which damage may add, is no part of any word.
        let is_added = is_added(byte);
        let in_url = !is_added && self.url.byte(byte);
        let in_code = !is_added && self.keys.byte(byte);
        match self.named(byte, is_line_end) {
            SecretVerdict::Open if in_url || in_code => SecretVerdict::Secret,
            verdict => verdict,
        }
    }

    fn named(&mut self, byte: u8, is_line_end: bool) -> SecretVerdict {
        match &mut self.state {
            ScanState::Arguments(arguments) => {
                if is_line_end {
                    let verdict = arguments.end();
                    self.state = ScanState::Text;
                    return verdict;
                }
                return arguments.byte(byte);
            }
            ScanState::Name(word) if byte == b'?' && word.text() == Some(SECRET_QUERY) => {
                self.state = ScanState::Arguments(Arguments::of(Secret::Download));
            }
            ScanState::Name(word) if IN_PLACE.contains(&byte) => word.has_gap = true,
            ScanState::Name(_) | ScanState::Quoted(_) | ScanState::Key if is_added(byte) => {}
            // A quote ends a name, in case the `=` is lost.
            ScanState::Name(word) if matches!(byte, b'=' | b':' | b'"') => {
                let secret = secret(word, byte == b':');
                let arguments = secret.map(Arguments::of).map(|arguments| arguments.opened_by(byte));
                self.state = arguments.map_or(ScanState::Text, ScanState::Arguments);
                self.url.begin();
            }
            // Another byte stands in place of the `=`.
            ScanState::Name(word) if word.has_gap && !is_line_end && !matches!(byte, b'?' | b';') => {
                word.has_gap = false;
                if let Some(secret) = secret(word, false) {
                    let mut arguments = Arguments::of(secret);
                    let verdict = arguments.byte(byte);
                    self.state = ScanState::Arguments(arguments);
                    return verdict;
                }
                return self.named(byte, is_line_end);
            }
            ScanState::Name(word) if byte.is_ascii_alphanumeric() => word.push_to_name(byte),
            ScanState::Name(word) if OF_NAMES.contains(&byte) => {
                word.base = word.base.or(Some(word.length)).filter(|_| byte == b'_');
            }
            ScanState::Name(word) if PREFIXES.contains(&byte) => *word = word.continued(),
            ScanState::Quoted(word) if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-') => {
                word.push(byte);
            }
            ScanState::Quoted(word) if byte == b'"' => {
                let is_key = word.text().is_some() && word.is_secret_key();
                self.state = if is_key { ScanState::Key } else { ScanState::Text };
            }
            // A header of a request: `"Authorization: Bearer x"`.
            ScanState::Quoted(word)
                if byte == b':' && word.text().is_some() && word.is_secret_parameter() =>
            {
                self.state =
                    ScanState::Arguments(Arguments { quoted: true, ..Arguments::of(Secret::From(0)) });
            }
            ScanState::Key if byte == b',' => {
                self.state = ScanState::Arguments(Arguments::of(Secret::From(0)));
            }
            ScanState::Key if byte == b' ' => {}
            ScanState::Text if byte == b'"' && !self.url.is_off() => {
                self.state = ScanState::Quoted(Word::default());
            }
            ScanState::Text | ScanState::Name(_) | ScanState::Quoted(_) | ScanState::Key => {
                let begins = PREFIXES.contains(&byte);
                self.state = if begins { ScanState::Name(Word::default()) } else { ScanState::Text };
            }
        }
        SecretVerdict::Open
    }
}

impl Arguments {
    fn of(secret: Secret) -> Self {
        Self { secret, index: 0, quoted: false, was_quoted: false, word: Word::default() }
    }

    /// The same with a quote open if this byte, which ended the name, is a quote.
    fn opened_by(self, byte: u8) -> Self {
        Self { quoted: byte == b'"', ..self }
    }

    fn byte(&mut self, byte: u8) -> SecretVerdict {
        if byte == b'"' {
            if self.quoted {
                self.was_quoted = true;
            } else if self.was_quoted && !matches!(self.secret, Secret::Upload(_)) {
                self.next_argument();
            }
            self.quoted = !self.quoted;
            return SecretVerdict::Open;
        }
        // A comma counts even between quotes: if the number of quotes is odd, too many bytes are masked, never too few.
        if byte == b',' && self.quoted && matches!(self.secret, Secret::Upload(_)) {
            // A part of the name of the file. With one quote too few no length is found, and all that follows is
            // masked.
            return SecretVerdict::Open;
        }
        if byte == b',' {
            let between_quotes = self.quoted && self.is_secret();
            self.next_argument();
            return if between_quotes { SecretVerdict::Secret } else { SecretVerdict::Open };
        }
        let collected = match self.secret {
            Secret::Keyed(_) | Secret::Bearer => 0,
            Secret::Upload(argument) | Secret::Card(argument) => argument,
            Secret::From(_) | Secret::Named | Secret::Certificate | Secret::Download => usize::MAX,
        };
        if self.index == collected && byte != b' ' {
            self.word.push(byte);
        }
        if self.is_secret() { SecretVerdict::Secret } else { SecretVerdict::Open }
    }

    fn next_argument(&mut self) {
        self.index = self.index.saturating_add(1);
        self.was_quoted = false;
    }

    fn is_secret(&self) -> bool {
        match self.secret {
            Secret::From(first) => self.index >= first,
            Secret::Named => true,
            Secret::Keyed(first) => self.index >= first && self.word.is_secret_key(),
            Secret::Bearer => self.index >= 3,
            Secret::Card(argument) => self.index >= argument && self.word.is_after_card_header(),
            Secret::Upload(_) | Secret::Certificate | Secret::Download => false,
        }
    }

    /// The verdict at the end of the line.
    fn end(&self) -> SecretVerdict {
        match self.secret {
            Secret::Named | Secret::Certificate => SecretVerdict::UploadMayFollow,
            Secret::Upload(_) => SecretVerdict::UploadFollows(self.word.number().unwrap_or(usize::MAX)),
            Secret::Bearer if self.word.number() != Some(4) => SecretVerdict::Open,
            Secret::Bearer | Secret::Download => SecretVerdict::DownloadFollows,
            Secret::From(_) | Secret::Keyed(_) | Secret::Card(_) => SecretVerdict::Open,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text with every secret byte replaced.
    fn masked(text: &str) -> String {
        let mut scanner = Scanner::default();
        let judged = text.bytes().map(|byte| match scanner.byte(byte) {
            SecretVerdict::Secret => '*',
            _ => char::from(byte),
        });
        judged.collect()
    }

    #[test]
    fn a_pin_in_a_command_to_the_card_is_secret_and_nothing_else_is() {
        for (command, shown) in [
            ("AT+CSIM=26,\"00200001083132333435FFFFFF\"", "AT+CSIM=26,\"0020000108****************\""),
            ("AT+CSIM=26, 00 2c 00 01 08 31323334", "AT+CSIM=26, 00 2c 00 01 08 ********"),
            ("AT+CSIM=10,\"0020000100\"", "AT+CSIM=10,\"0020000100\""),
            ("AT+CSIM=14,\"00A40004023F00\"", "AT+CSIM=14,\"00A40004023F00\""),
            ("+CSIM: 4,\"9000\"", "+CSIM: 4,\"9000\""),
            // TS 27.007 section 8.43: the same after the number of a channel.
            ("AT+CGLA=1,26,\"01200001083132333435FFFFFF\"", "AT+CGLA=1,26,\"0120000108****************\""),
            ("AT+CGLA=1,14,\"01A40004023F00\"", "AT+CGLA=1,14,\"01A40004023F00\""),
        ] {
            assert_eq!(masked(command), shown);
        }
    }

    /// V.250 section 5.4.1 has more characters in names than letters and digits.
    #[test]
    fn a_name_of_any_form_that_speaks_of_a_secret_is_enough() {
        for command in [
            "AT+WIFI_PASS=s3cret",
            "AT+MQTT.PASSWORD=\"s3cret\"",
            "AT+CFG-PWD=\"s3cret\"",
            "AT+USER/PIN=s3cret",
            "AT+PASS_1=s3cret",
            "+WIFI_PASS: s3cret",
            "AT+PASS%1=s3cret",
            "AT+PASS#1=s3cret",
            "AT+A_LONG_NAME_OF_A_VENDOR_FOR_THE_PASSWORD_OF_A_NETWORK=s3cret",
            "AT+PASSWORD_OF_A_NETWORK_IN_A_LONG_NAME_OF_A_VENDOR=s3cret",
            "AT+A_NAME_OF_TWENTY_CHARSPASSWORDS_WITH_MORE_BEHIND=s3cret",
            "AT+A_NAME_OF_TWENTY_TWO_LETTERSPASS_1=s3cret",
            "AT+PASS s3cret",
            "AT+PASS\ts3cret",
            "AT+PASS  $s3cret",
            "AT+PASS<\"s3cret\"",
            "AT+PASS?s3cret",
            "AT+CPWD=\"SC\"\"s3cret\"",
            "AT+CPWD=\"SC\"-\"s3cret\"",
            "AT+PASS}s3cret",
        ] {
            let masked = masked(command);
            assert!(!masked.contains("s3cret") && masked.starts_with(&command[..5]), "{masked}");
        }
        for open in [
            "+CREG: 1,5",
            "AT+A_B=1,5",
            "12:30:05+32,0",
            "+RECEIVE,0,5:",
            "0+1-2=3",
            "AT+CPIN ?",
            "AT+CPIN?",
            "AT+CPIN?;+CSQ",
            "AT+CPIN ;+CSQ=1",
            "AT+CSQ%CREG=1,5",
            "AT+A_LONG_NAME_OF_A_VENDOR_FOR_THE_NUMBER_OF_A_NETWORK=1,5",
            "+SAPBR 1: DEACT",
        ] {
            assert_eq!(masked(open), open);
        }
        assert_eq!(masked("AT+CPIN\"12,34\""), "AT+CPIN\"*****\"", "the equals sign is lost");
        assert_eq!(masked("AT+CPIN 1234\r\nAT+CSQ\r"), "AT+CPIN ****\r\nAT+CSQ\r");
        assert_eq!(masked("AT+CLCK \"SC\",1,\"1234\""), "AT+CLCK \"SC\",1,\"****\"");
    }

    #[test]
    fn passwords_in_commands_of_other_vendors_are_secret() {
        for command in [
            "AT+QICSGP=1,1,\"net\",\"guest\",\"s3cret\",1",
            "AT+QICSGP=1,\"net\",\"guest\",\"s3cret\"",
            "AT+CGAUTH=1,1,\"guest\",\"s3cret\"",
            "AT+CGAUTH=1,1,\"s3cret\",\"guest\"",
            "AT^AUTHDATA=1,1,\"\",\"s3cret\",\"guest\"",
            "AT$QCPDPP=1,2,\"s3cret\",\"guest\"",
            "AT^NDISDUP=1,1,\"net\",\"guest\",\"s3cret\",1",
            "AT+CNCFG=0,1,\"net\",\"guest\",\"s3cret\",3",
            "AT+KCNXCFG=1,\"GPRS\",\"net\",\"guest\",\"s3cret\"",
            "AT+UPSD=0,3,\"s3cret\"",
            "AT^SICS=0,\"passwd\",\"s3cret\"",
            "AT#SGACT=1,1,\"guest\",\"s3cret\"",
            "AT+QMTCONN=0,\"device\",\"guest\",\"s3cret\"",
            "AT+CMQTTCONNECT=0,\"tcp://a.test\",60,1,\"guest\",\"s3cret\"",
            "AT+QFTPCFG=\"account\",\"guest\",\"s3cret\"",
            "AT+QSMTPCFG=\"account\",\"guest\",\"s3cret\"",
            "AT+CWJAP=\"net\",\"s3cret\"",
            "AT+SSLSETCERT=\"client.p12\",\"s3cret\"",
            "AT+POP3SRV=\"a.test\",\"guest\",\"s3cret\",110",
            "AT+MQTTUSERCFG=0,1,\"device\",\"guest\",\"s3cret\",0,0,\"\"",
            "AT%CGPCO=1,\"PAP,guest,s3cret\",1",
            "AT+CFTPSLOGIN=\"a.test\",21,\"guest\",\"s3cret\",0",
            "AT+CREDENTIAL=\"guest\",\"s3cret\"",
            "AT+CWJAP_DEF=\"net\",\"s3cret\"",
            "AT+CWJAP_CUR=\"net\",\"s3cret\",\"00:11:22:33:44:55\"",
            "AT+CWSAP_DEF=\"net\",\"s3cret\",5,3",
            "AT+WJAP=net,s3cret",
            "AT+CWJEAP=\"net\",1,\"guest\",\"guest\",\"s3cret\",3",
            "AT+CWJEAP_DEF=\"net\",1,\"guest\",\"guest\",\"s3cret\",3",
            "AT+EMQCON=0,3,\"device\",600,1,0,\"guest\",\"s3cret\"",
            "AT+CMQCON=0,4,\"device\",600,1,0,\"guest\",\"s3cret\"",
            "AT+MQTTUSER=1,\"guest\",\"s3cret\"",
            "AT+EMAILACC=\"guest\",\"s3cret\"",
            "AT+SMTPACCOUNT=guest,s3cret",
            "AT+SIMLOCK=1,\"s3cret\"",
            "AT^CARDLOCK=\"s3cret\"",
            "AT+UNLOCK=s3cret",
            "AT%CMNG=0,16,1,\"s3cret\",\"guest\"",
            "AT+QHTTPCFG=\"Authorization: Basic s3cret, guest\"",
            "AT+HTTPHEAD=0,\"X-API-Key: s3cret\"",
        ] {
            let masked = masked(command);
            assert!(!masked.contains("s3cret") && !masked.contains("guest"), "{masked}");
        }
        for open in [
            "+QMTCONN: 0,0,0",
            "+MQTTCONNECTED: 0,1",
            "AT+BANDLOCK=1,3",
            "AT+CELLLOCK=1,2",
            "AT+CCLOCK=1",
            "+SIMLOCK: 1,5",
            "AT+CERTLIST=1",
            "AT+QHTTPCFG=\"Accept: text\"",
        ] {
            assert_eq!(masked(open), open);
        }
    }

    #[test]
    fn the_argument_behind_the_key_of_a_secret_is_secret_in_every_command() {
        for (command, shown) in [
            ("AT+SMCONF=\"PASSWORD\",\"s3cret\"", "AT+SMCONF=\"PASSWORD\",\"******\""),
            ("AT+CSSLCFG=\"password\" ,0,s3cret", "AT+CSSLCFG=\"password\" ,*,******"),
            ("AT+QMTCFG=\"ali-auth\",0,\"s3cret\"", "AT+QMTCFG=\"ali-auth\",*,\"******\""),
            ("+SMCONF: \"PASSWORD\",\"s3cret\"", "+SMCONF: \"PASSWORD\",\"******\""),
            ("AT+HTTPPARA=\"COOKIE\",\"a=s3cret\"", "AT+HTTPPARA=\"COOKIE\",\"********\""),
        ] {
            assert_eq!(masked(command), shown);
        }
        for open in [
            "AT+CIPSTART=0,\"TCP\",\"auth.a.test\",80",
            "AT+SMCONF=\"PASSWORD\"",
            "AT+QMTCFG=\"keepalive\",0,60",
            "\"PASSWORD\",\"text without a command\"",
        ] {
            assert_eq!(masked(open), open);
        }
        assert_eq!(
            masked("AT+QIOPEN=\"pass word\",\"+1\",\"TCP\";+CPIN=1234"),
            "AT+QIOPEN=\"pass word\",\"+1\",\"TCP\";+CPIN=****"
        );
    }

    /// TS 22.030 section 6.6: a PIN is changed, and a card unlocked, by keys.
    #[test]
    fn a_pin_in_the_keys_of_a_phone_is_secret() {
        for (text, shown) in [
            ("ATD**04*1234*5678*5678#;", "ATD**04*****#;"),
            ("AT+CUSD=1,\"**05*12345678*1234*1234#\",15", "AT+CUSD=1,\"**05*#\",15"),
            ("ATD**042*1234*5678*5678#", "ATD**042*#"),
            ("ATD**052*12345678*1234*1234#;", "ATD**052*#;"),
            ("ATD**03*330*1234*5678*5678#;", "ATD**03*#;"),
            ("ATD*33*1234#;", "ATD*33*#;"),
            ("ATD#33*1234*11#;", "ATD#33*#;"),
        ] {
            let masked = masked(text);
            assert!(!masked.contains("34") && !masked.contains("78"), "{masked}");
            assert_eq!(masked.replace("****", "").replace('*', ""), shown.replace('*', ""), "{text}");
        }
        for open in ["ATD*#06#;", "AT+CUSD=1,\"*100#\",15", "ATD10086;", "AT+CUSD=1,\"*101*2#\"", "1*2*3#"] {
            assert_eq!(masked(open), open);
        }
    }

    #[test]
    fn a_comma_in_the_name_of_a_file_does_not_hide_its_length() {
        let mut scanner = Scanner::default();
        let verdicts: Vec<_> =
            b"AT+FSWRITE=\"a,b\",0,8,15\r".iter().map(|byte| scanner.byte(*byte)).collect();
        assert_eq!(verdicts.last(), Some(&SecretVerdict::UploadFollows(8)));
    }

    #[test]
    fn credentials_in_the_query_of_a_url_are_secret() {
        for (text, hidden) in [
            ("AT+HTTPPARA=\"URL\",\"http://a.test/b?user=x&password=s3cret&n=1\"", "s3cret"),
            ("AT+HTTPPARA=\"URL\",\"a.test/b?token=s3cret\"", "s3cret"),
            ("AT+HTTPPARA=\"URL\",\"http://a.test?api_key=s3cret&n=1\"", "s3cret"),
            ("AT+QHTTPCFG=\"http://u:s3cret@a.test/?n=1\"", "s3cret"),
            ("AT+MYTOKEN=\"s3cret\"", "s3cret"),
            ("AT+HTTPPARA=\"URL\",\"http://a.test/?pw=s3cret\"", "s3cret"),
            ("AT+PSKSET=1,s3cret", "1"),
            ("AT+HTTPPARA=\"URL\",\"http://u:p,s3cret@a.test/\"", "s3cret"),
            ("AT+HTTPPARA=\"URL\",\"http://a.test/?token=p,s3cret\"", "s3cret"),
            ("AT+HTTPPARA=\"URL\",\"http://a.test/?n=1,2&token=s3cret\"", "s3cret"),
            ("AT+URLS=http://a.test:80,http://u:s3cret@a.test/", "s3cret"),
            ("AT+URLS=http://a.test,http://u:s3cret@a.test/", "s3cret"),
            ("AT+HTTPPARA=\"URL\",\"http://u,v:s3cret@a.test/\"", "s3cret"),
            ("AT+HTTPPARA=\"URL\",\"http://a.test/?n=1;token=s3cret\"", "s3cret"),
            ("AT+HTTPPARA=\"URL\",\"http://a.test/#access_token=s3cret\"", "s3cret"),
            ("AT+HTTPPARA=\"URL\",\"http://u:p@s3cret@a.test/\"", "s3cret"),
            ("AT+HTTPPARA=\"URL\",\"u:s3cret@a.test/\"", "s3cret"),
            ("AT+HTTPPARA=\"URL\",\"u.v:p@s3cret@a.test:80\"", "s3cret"),
            ("AT+FTPURL=u:s3cret@a.test", "s3cret"),
            ("AT+FTPURL=13800000000:s3cret@a.test", "s3cret"),
            ("+FTPURL: a,u:s3cret@a.test", "s3cret"),
            ("AT+FTPURL=\"u@a.test:s3cret@b.test\"", "s3cret"),
            ("AT+FTPURL=\"ftp://u@a.test:s3cret@b.test\"", "s3cret"),
            ("AT+FTPURL=\"ftp://u@10.1.2.3:s3cret@b.test\"", "s3cret"),
            ("AT+FTPURL=u-1_2%3+4:s3cret@a.test", "s3cret"),
            ("AT+HTTPPARA=\"URL\",\"http://u%3As3cret@a.test/\"", "s3cret"),
            ("AT+HTTPPARA=\"URL\",\"u%3as3cret@a.test/\"", "s3cret"),
            ("AT+HTTPPARA=\"URL\",\"http://u:p?s3cret@a.test/\"", "s3cret"),
            ("AT+HTTPPARA=\"URL\",\"http://u:p#s3cret@a.test/\"", "s3cret"),
            ("AT+HTTPPARA=\"URL\",\"http://u:p/s3cret@a.test/\"", "s3cret"),
            ("AT+HTTPPARA=\"URL\",\"http://a.test:80/?token=s3cret\"", "s3cret"),
            ("AT+HTTPPARA=\"URL\",\"https://a.test/bot123:s3cret/send\"", "s3cret"),
            ("AT+HTTPPARA=\"URL\",\"https://a.test:443/bot123:s3cret/send\"", "s3cret"),
            ("AT+HTTPPARA=\"URL\",\"a.test/bot123:s3cret/send\"", "s3cret"),
            ("AT+HTTPPARA=\"URL\",\"https://a.test/v1/token/s3cret/send\"", "s3cret"),
            ("AT+HTTPPARA=\"URL\",\"https://a.test/api_key/s3cret?n=1\"", "s3cret"),
            ("AT+HTTPPARA=\"URL\",\"https://a.test/api/webhooks/1/s3cret\"", "s3cret"),
            ("AT+HTTPPARA=\"URL\",\"https://hooks.a.test/services/T0/s3cret\"", "s3cret"),
            ("AT+HTTPPARA=\"URL\",\"https://0123456789abcdefghijklmns3cret@a.test/\"", "s3cret"),
        ] {
            let masked = masked(text);
            assert!(!masked.contains(hidden), "{masked}");
            assert!(masked.starts_with(&text[..text.find(['=', ':']).unwrap()]), "{masked}");
        }
        for open in [
            "AT+HTTPPARA=\"URL\",\"http://a.test/b?user=x&n=1\"",
            "AT+CREG=?",
            "AT+CIPSTART=0,\"TCP\",\"a.test\",80",
            "AT+HTTPPARA=\"URL\",\"http://a.test/b/c:d\"",
            "AT+HTTPPARA=\"URL\",\"http://a.test/robots/monkey/tokens.html\"",
            "AT+HTTPPARA=\"URL\",\"http://long-name-of-a-host.of-a-long.domain.test/a\"",
            "+CIPSTATUS: 0,10.1.2.3:80",
            "+CCLK: \"26/11/29,17:00:05+32\"",
            "AT+TIME=2026-11-29T17:00:05",
            "+CGPADDR: 1,\"2001:db8::1\"",
            "+CSQ: 27,99",
        ] {
            assert_eq!(masked(open), open);
        }
    }
}
