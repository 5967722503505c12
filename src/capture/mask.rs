//! The masking of secrets in recordings.

use super::lines_received::LinesReceived;
use super::lines_sent::LinesSent;
use crate::at::{KnownSecrets, LastCharacters, Recent, Scanner, SecretVerdict as Verdict, mask_urls};

/// Replaces each byte of a secret with `*`, in both directions of one session.
///
/// Masked are
/// * the user and password of `AT+CSTT`, `AT+CIPCSGP`, `AT+CPNETAPN` and `AT+CGAUTH`, the password of `AT+MCONFIG`,
/// * the parameters of `AT+SAPBR=3`, and the answers to `AT+SAPBR=4` and `AT+CIPSCONT?`,
/// * the codes of `AT+CPIN`, `AT+CLCK` and `AT+CPWD`, and those in commands to the card (`AT+CSIM`), which are
///   hexadecimal,
/// * user and password in commands of other vendors whose names do not contain such a word (`AT+QICSGP`, `AT^NDISDUP`,
///   `AT+QMTCONN`),
/// * a PIN, a PUK or the password of a call barring among the keys of a phone (`ATD**05*...#`, `AT+CUSD`),
/// * the values of `AT+SSLCFG` keys that name a password or key material,
/// * the file contents after `AT+FSWRITE`, `AT+QFUPL`, `AT+CCERTDOWN` and the like, and in the answers to `AT+FSREAD`
///   and the like; after other commands whose names speak of a secret or a certificate, what follows a prompt,
/// * all arguments of commands with `PW`, `PASS`, `AUTH`, `PIN`, `PUK`, `KEY`, `PSK`, `SECRET`, `TOKEN`, `CRED`,
///   `LOGIN`, `USER`, `ACCOUNT` or `LOCK` anywhere in their names (`AT+FTPPW`, `AT*CGDFAUTH`), user and password of
///   those that connect to a broker or a wireless network (`AT+EMQCON`, `AT+CWJAP_DEF`), the values after the key of a
///   secret in any command (`"PASSWORD","x"`), and of headers of requests (`"Authorization: x"`),
/// * in a URL, or a word that looks like one without its scheme, the text after the colon of the user or the host,
///   which is a password or a port, and the host after a password, which may have an `@` in it
///   (`http://user:*************/`, the same with `%3A`), the values of parameters with such a word (`?token=****`),
///   and segments of the path after such a word, a bot or a web hook (`/token/****`, `/bot123:****`),
///
/// also in their echo and in the modem's own `+CSTT:` lines. Secrets that were written are remembered: if the modem
/// repeats one, also damaged or within another line, all but the first three characters of each piece are masked.
/// Lengths are preserved, so that a masked capture replays like its session.
///
/// Payload that was announced (`+RECEIVE`, `+CIPRXGET`, `+IPD`, a send after its prompt), data of a transparent stream,
/// and lines of the modem whose text is fixed (`+NO Service`) are recorded as they are: only a whole secret of at least
/// six characters is masked there. If reads divide it, the part in the last one is. Commands among the data that are
/// sent on a stream are masked like commands.
///
/// In doubt too much is masked: from the first secret argument to the end of the line, and, while a file is written or
/// read or a stored password is shown, all output of the modem but its final result code. Only there a byte may remain
/// readable: one that begins a line like a result code.
///
/// The division into chunks makes no difference:
///
/// ```
/// use air724ug::capture::Mask;
///
/// let mut mask = Mask::default();
/// let (mut first, mut second) = (*b"AT+CSTT=\"net\",\"me\",\"se", *b"cret\"\r\n");
/// mask.to_modem(&mut first);
/// mask.to_modem(&mut second);
/// assert_eq!([&first[..], &second[..]].concat(), b"AT+CSTT=\"net\",\"**\",\"******\"\r\n");
/// ```
#[derive(Debug, Clone, Default)]
pub struct Mask {
    sent: Scanner,
    received: Scanner,
    upload: Upload,
    guard: Guard,
    known: KnownSecrets,
    /// The last bytes of the modem.
    recent: Recent,
    file_line: FileLine,
    host: LinesSent,
    lines: LinesReceived,
    /// True if the last byte of the modem was payload.
    was_payload: bool,
    /// The last characters of the host and of the modem.
    sent_tail: LastCharacters,
    received_tail: LastCharacters,
}

/// The part of a line of a file that has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum FileLine {
    #[default]
    Begins,
    Secret,
    /// It names the kind of the file.
    Open,
}

/// The judgement on a byte of the modem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Judgement {
    Secret,
    Open,
    /// It is payload, or part of a fixed line: only whole secrets are masked.
    NoPiece,
}

/// The progress of writing the content of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Upload {
    #[default]
    None,
    /// The command is written, up to its CR: an LF may follow.
    Announced { length: usize },
    /// The LF, if any, is written.
    Ready { length: usize },
    /// A final result code came before the prompt. It may belong to an older command: after a prompt the contents still
    /// follow, unless the host writes something else before.
    Doubted { length: usize },
    /// A part of the contents is written.
    Open { left: usize },
    /// The final result code came early. The number of further bytes is unknown, so the line that follows is masked,
    /// too.
    Interrupted { left: usize },
    /// The rest of that line.
    Tail,
    /// The contents follow if a prompt comes next.
    Possible,
    /// The final result code came, and the number of bytes is unknown: masked up to the next command, of which this
    /// number of characters has come.
    Unknown { seen: usize },
}

/// The masking of the modem's output while it may repeat file contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Guard {
    #[default]
    Off,
    /// A file will be written: its contents may be echoed from the prompt on.
    Armed(Watched),
    /// Only result codes are not masked.
    On(Watched),
}

/// The part of a line of the modem that has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Watched {
    start: [u8; 12],
    length: usize,
    hidden: bool,
}

impl Mask {
    /// Masks the next bytes that go to the modem.
    pub fn to_modem(&mut self, bytes: &mut [u8]) {
        for at in 0..bytes.len() {
            let Some(so_far) = bytes.get_mut(..=at) else { continue };
            let Some(last) = so_far.last_mut() else { continue };
            let (byte, before) = (*last, self.upload);
            if self.is_secret_to_modem(byte) {
                self.learn(byte, before);
                *last = b'*';
            } else {
                self.known.learned();
                self.file_line = FileLine::Begins;
            }
            self.sent_tail.push(byte);
            self.known.whole().mask_end(&self.sent_tail, so_far);
        }
    }

    /// Masks the next bytes that came from the modem.
    pub fn from_modem(&mut self, bytes: &mut [u8]) {
        for at in 0..bytes.len() {
            let Some(so_far) = bytes.get_mut(..=at) else { continue };
            let Some(last) = so_far.last_mut() else { continue };
            self.received_tail.push(*last);
            match self.judge(*last) {
                Judgement::Secret => *last = b'*',
                Judgement::Open => {}
                Judgement::NoPiece => self.known.whole().mask_end(&self.received_tail, so_far),
            }
        }
    }

    /// A line of words without the whole secrets of the session.
    pub(crate) fn words(&self, words: &str) -> String {
        let mut bytes = words.as_bytes().to_vec();
        Self::default().to_modem(&mut bytes);
        mask_urls(&mut bytes);
        self.known.whole().mask(&mut bytes);
        // If a part of a character was masked, the rest of it is replaced.
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Judges the next byte of the modem.
    fn judge(&mut self, byte: u8) -> Judgement {
        let is_payload = self.lines.byte(byte, &mut self.host);
        if std::mem::replace(&mut self.was_payload, is_payload) != is_payload {
            self.received = Scanner::default();
        }
        let named = self.received.byte(byte) == Verdict::Secret;
        let guarded = self.is_guarded(byte);
        let known = self.is_known(byte);
        // If bytes of payload were lost, an echo is among those that were announced.
        let named = named && (!is_payload || self.host.awaits_echo());
        if named || guarded {
            Judgement::Secret
        } else if is_payload || known && self.lines.is_fixed(&self.host) {
            Judgement::NoPiece
        } else if known {
            Judgement::Secret
        } else {
            Judgement::Open
        }
    }

    /// Keeps written secrets to recognise them later. Each line of a file is a secret, except those that name its kind.
    fn learn(&mut self, byte: u8, upload: Upload) {
        match upload {
            Upload::None | Upload::Doubted { .. } | Upload::Possible => return self.known.learn(byte),
            // This may be the next command.
            Upload::Tail => return,
            Upload::Announced { .. } | Upload::Ready { .. } => {}
            Upload::Open { .. } | Upload::Interrupted { .. } | Upload::Unknown { .. } => {}
        }
        if matches!(byte, b'\r' | b'\n') {
            self.file_line = FileLine::Begins;
            return self.known.learned();
        }
        if self.file_line == FileLine::Begins {
            self.file_line = if byte == b'-' { FileLine::Open } else { FileLine::Secret };
        }
        if self.file_line == FileLine::Secret {
            self.known.learn(byte);
        }
    }

    /// True if a byte of the modem continues a piece of a secret that was written. The first bytes of a piece are
    /// visible, because the division into chunks must make no difference.
    fn is_known(&mut self, byte: u8) -> bool {
        self.recent.push(byte).is_some() && self.known.piece_at_end(&self.recent).is_some()
    }

    fn is_secret_to_modem(&mut self, byte: u8) -> bool {
        match self.upload {
            Upload::None => self.scan(byte),
            Upload::Doubted { .. } => {
                self.upload = Upload::None;
                self.guard = Guard::Off;
                self.scan(byte)
            }
            Upload::Possible if byte == b'\n' => false,
            Upload::Possible => {
                self.upload = Upload::None;
                self.guard = Guard::Off;
                self.scan(byte)
            }
            Upload::Unknown { seen } => self.is_unknown_secret(byte, seen),
            Upload::Announced { length } if byte == b'\n' => {
                self.upload = Upload::Ready { length };
                false
            }
            Upload::Announced { length: left } | Upload::Ready { length: left } | Upload::Open { left } => {
                self.upload = match left.saturating_sub(1) {
                    0 => Upload::None,
                    left => Upload::Open { left },
                };
                true
            }
            Upload::Interrupted { left } => {
                self.upload = match left.saturating_sub(1) {
                    0 => Upload::Tail,
                    left => Upload::Interrupted { left },
                };
                true
            }
            Upload::Tail => {
                if byte != b'\r' && byte != b'\n' {
                    return true;
                }
                self.upload = Upload::None;
                false
            }
        }
    }

    /// A byte that is a part of the contents, unless it is one of the beginning of a command.
    fn is_unknown_secret(&mut self, byte: u8, seen: usize) -> bool {
        const COMMAND: [u8; 2] = *b"AT";
        if byte == b'\r' || byte == b'\n' {
            self.upload = if seen == COMMAND.len() { Upload::None } else { Upload::Unknown { seen: 0 } };
            return self.scan(byte);
        }
        if seen == COMMAND.len() && byte == b'+' {
            self.upload = Upload::None;
            return self.scan(byte);
        }
        let is_command = COMMAND.get(seen).is_some_and(|letter| byte.eq_ignore_ascii_case(letter));
        let seen = if is_command { seen.saturating_add(1) } else { usize::MAX };
        self.upload = Upload::Unknown { seen };
        !is_command || self.scan(byte)
    }

    fn scan(&mut self, byte: u8) -> bool {
        if self.host.byte(byte) {
            return false;
        }
        match self.sent.byte(byte) {
            Verdict::Open => false,
            Verdict::Secret => {
                self.host.secret();
                true
            }
            Verdict::UploadFollows(0) => false,
            Verdict::UploadFollows(length) => {
                let ended = byte == b'\n';
                self.upload = if ended { Upload::Ready { length } } else { Upload::Announced { length } };
                self.guard = Guard::Armed(Watched::default());
                false
            }
            Verdict::UploadMayFollow => {
                self.upload = Upload::Possible;
                self.guard = Guard::Armed(Watched::default());
                false
            }
            Verdict::DownloadFollows => {
                self.guard = Guard::On(Watched::default());
                false
            }
        }
    }

    fn is_guarded(&mut self, byte: u8) -> bool {
        let (Guard::Armed(line) | Guard::On(line)) = &mut self.guard else {
            return false;
        };
        if byte == b'\r' || byte == b'\n' {
            let (is_result, is_prompt) = (line.is_result(), line.is_prompt());
            *line = Watched::default();
            if is_result {
                self.result();
            } else if is_prompt {
                self.prompt();
            }
            return false;
        }
        let begins = line.length == 0;
        let hides = line.hides(byte);
        match self.guard {
            Guard::Armed(_) if begins && byte == b'>' => self.prompt(),
            Guard::Armed(_) | Guard::Off => {}
            Guard::On(_) => return hides,
        }
        false
    }

    /// The modem waits for the contents: from here on an LF belongs to them, and not to the end of the command.
    fn prompt(&mut self) {
        if let Upload::Announced { length } | Upload::Doubted { length } = self.upload {
            self.upload = Upload::Ready { length };
        }
        if self.upload == Upload::Possible {
            self.upload = Upload::Ready { length: usize::MAX };
        }
        if let Guard::Armed(line) = self.guard {
            self.guard = Guard::On(line);
        }
    }

    /// The modem has finished with the file, independent of the host's state.
    fn result(&mut self) {
        let is_prompted = matches!(self.guard, Guard::On(_));
        self.guard = Guard::Off;
        self.upload = match self.upload {
            Upload::Possible => Upload::None,
            Upload::Ready { length: left } | Upload::Open { left } | Upload::Interrupted { left }
                if is_prompted && left > MAX_CONTENTS =>
            {
                Upload::Unknown { seen: 0 }
            }
            Upload::Unknown { seen } => Upload::Unknown { seen },
            // A host that has seen the prompt writes the contents, whether or not a result code follows.
            Upload::Ready { length: left } if is_prompted => Upload::Interrupted { left },
            Upload::Announced { length } | Upload::Ready { length } | Upload::Doubted { length } => {
                self.guard = Guard::Armed(Watched::default());
                Upload::Doubted { length }
            }
            Upload::None => Upload::None,
            Upload::Open { left } | Upload::Interrupted { left } => Upload::Interrupted { left },
            Upload::Tail => Upload::Tail,
        };
    }
}

impl Watched {
    /// Takes the next byte of the line. Returns true if it must be masked.
    fn hides(&mut self, byte: u8) -> bool {
        if let Some(place) = self.start.get_mut(self.length) {
            *place = byte;
            self.length = self.length.saturating_add(1);
            let so_far = &self.start[..self.length];
            let passes = OPEN_LINES.iter().any(|line| line.starts_with(so_far) || so_far.starts_with(line));
            self.hidden |= !passes && !RESULTS.iter().chain(&[PROMPT]).any(|line| line.starts_with(so_far));
        } else {
            // The buffer is full. Complete results are shorter, so only a line of `OPEN_LINES` may continue.
            self.hidden |= !OPEN_LINES.iter().any(|line| self.start.starts_with(line));
        }
        self.hidden
    }

    /// True if the complete line stands for a prompt.
    fn is_prompt(&self) -> bool {
        PROMPT_LINES.contains(&&self.start[..self.length])
    }

    /// True if the complete line is a final result code.
    fn is_result(&self) -> bool {
        let line = &self.start[..self.length];
        RESULTS.contains(&line) || REFUSALS.iter().any(|refusal| line.starts_with(refusal))
    }
}

/// The most bytes of contents. A larger number stands for an unknown one.
const MAX_CONTENTS: usize = usize::MAX / 2;
const PROMPT: &[u8] = b"> ";
/// The lines in place of a prompt: those of SIMCom and of Quectel.
const PROMPT_LINES: [&[u8]; 2] = [b"DOWNLOAD", b"CONNECT"];
const RESULTS: [&[u8]; 3] = [b"OK", b"ERROR", b"TimeOut"];
const REFUSALS: [&[u8]; 2] = [b"+CME ERROR:", b"+CMS ERROR:"];
/// The beginnings of lines that are not masked: the result codes with a number, and the echo of the command.
const OPEN_LINES: [&[u8]; 5] = [REFUSALS[0], REFUSALS[1], b"AT+FSREAD=", b"AT+SAPBR=4,", b"AT+CIPSCONT?"];

#[cfg(test)]
mod tests {
    use super::*;

    /// The direction (true: to the modem) and the text. `{` and `}` enclose text that must be masked, and are not part
    /// of it.
    type Session = [(bool, &'static str)];
    const TO: bool = true;
    const FROM: bool = false;

    /// Damaged echoes, and pieces of secrets that occur alone.
    fn damaged_sessions() -> Vec<Vec<(bool, &'static str)>> {
        vec![
            vec![
                (TO, "AT+CPIN=\"{1234}\"\r"),
                (FROM, "AT+CP\0IN=\"{1234}\"\r\n+CREG: 1AT+CPIN\"{1234}\"\r\n+X: 12{34}\r\n"),
            ],
            vec![(TO, "AT^WIFIPWD=\"{pa55word}\"\r"), (FROM, "+NEWS: PA5{5WORD} pa5{5w}rd\r\n")],
            vec![(TO, "AT+HTTPPARA=\"URL\",\"http://u:{pw@h:80}/a:b\"\r")],
            vec![
                (TO, "AT+FSWRITE=\"key\",0,12,15\r\n"),
                (FROM, "\r\n> \r\nERROR\r\n"),
                (TO, "{MIIEvwIBADANAT+CSQ}\r\nAT+CSQ\r\n"),
                (FROM, "MII{EvwIBADAN}\r\n+CSQ: 20,0\r\n"),
            ],
        ]
    }

    fn sessions() -> Vec<Vec<(bool, &'static str)>> {
        [commands(), payloads(), uploads()].concat()
    }

    fn commands() -> Vec<Vec<(bool, &'static str)>> {
        vec![
            vec![
                (TO, "AT+CSTT=\"apn\",\"{user}\",\"{pa,;ss}\"\r\nAT\r\n"),
                (FROM, "AT+CSTT=\"apn\",\"{user}\",\"{pa,;ss}\"\r\n\r\nOK\r\n"),
            ],
            vec![(TO, "at+cstt = apn,{user},{password}\nAT+CSQ\r")],
            vec![(TO, "AT+CSTT=\"odd,\"{user}\"{,}\"{pass}\"\r\nAT+CIICR\r\n")],
            vec![(FROM, "\r\n+CSTT: \"apn\",\"{user}\",\"{pass}\"\r\n\r\nOK\r\n")],
            vec![(TO, "AT+CPIN=\"{1234}\",\"{5678}\"\rAT+CPIN={1234}\r"), (FROM, "+CPIN: READY\r\n")],
            vec![(TO, "AT+CPIN?\r\nAT+CLCK=\"SC\",1,\"{1234}\"\r\nAT+CLCK=\"SC\",2\r\n")],
            vec![
                (TO, "AT+CIPCSGP=1,\"apn\",\"{user}\",\"{pass}\"\r\nAT+CIPCSGP?\r\n"),
                (FROM, "\r\n+CIPCSGP: 1,apn,{user},{pass}\r\n\r\nOK\r\n"),
            ],
            vec![
                (TO, "AT+SAPBR=3,1,\"PWD\",\"{pass}\"\r\nAT+SAPBR=2,1\r\n"),
                (FROM, "\r\n+SAPBR: 1,1,\"10.1.2.3\"\r\n\r\nOK\r\n"),
                (TO, "AT+SAPBR=4,1\r\n"),
                (FROM, "AT+SAPBR=4,1\r\n\r\n+{SAPBR:}\r\n{PWD: pass}\r\n\r\nOK\r\n\r\n+CSQ: 1,1\r\n"),
            ],
            vec![
                (TO, "AT+CIPSCONT?\r\n"),
                (FROM, "AT+CIPSCONT?\r\n\r\n+C{IPCSGP: 1}\r\n{Gprs Config Password:pass}\r\n\r\nOK\r\n"),
                (TO, "AT+CIPSCONT\r\n"),
                (FROM, "\r\nOK\r\n+CSQ: 1,1\r\n"),
            ],
            vec![(TO, "AT+CPWD=\"SC\",\"{1234}\",\"{4321}\"\r\n")],
            vec![(TO, "AT+CPNETAPN=2,\"apn\",\"{user}\",\"{pass}\",{3}\r\n")],
            vec![(TO, "AT+CGAUTH=5,1,\"{pass}\",\"{user}\"\r\n")],
            vec![(TO, "AT+MCONFIG=\"id\",\"user\",\"{password}\"\r\n")],
            vec![(
                TO,
                "AT+SSLCFG=\"clientPassword\",0,\"{open sesame}\"\r\nAT+SSLCFG=\"cacert\",0,\"ca.crt\"\r\n",
            )],
            vec![(FROM, "+SSLCFG: \"clientrandom\",0,{101B12}\r\n")],
            // A command after the payload of a send does not begin a line.
            vec![(TO, "AT+CIPSEND=0,5\r\nhelloAT+CSTT=a,{b}\r\n")],
        ]
    }

    /// Sessions with payload after a prompt.
    fn payloads() -> Vec<Vec<(bool, &'static str)>> {
        vec![
            // A file: not echoed, echoed, and refused.
            vec![
                (TO, "AT+FSWRITE=\"key\",0,7,15\r\n"),
                (FROM, "AT+FSWRITE=\"key\",0,7,15\r\n\r\n> "),
                (TO, "{abc\r\nde}AT+CSQ\r\n"),
                (FROM, "\r\nOK\r\n\r\n+CSQ: 20,0\r\n"),
            ],
            vec![
                (TO, "AT+FSWRITE=\"key\",0,7,15\r"),
                (FROM, "\r\n>"),
                (TO, "{\nabcdef}AT+CSQ\r\n"),
                (FROM, " {-abc}\r\n{-def}\r\nOK\r\n+CSQ: 20,0\r\n"),
            ],
            vec![
                (TO, "AT+FSWRITE=\"key\",0,7,15\r\n"),
                (FROM, "\r\n+CME ERROR: 3\r\n"),
                (TO, "AT+CSQ\r\n"),
                (FROM, "\r\n+CSQ: 20,0\r\n"),
            ],
            vec![
                (TO, "AT+FSWRITE=\"key\",0,4,15\r\n"),
                (FROM, "\r\n> "),
                (TO, "{ab}"),
                (FROM, "\r\nTimeOut\r\n"),
                (TO, "{cdAT+CSTT=apn,user,pass}\r\nAT+CSTT=apn,{user}\r\n"),
            ],
            vec![
                (TO, "AT+FSREAD=\"key\",0,10,10\r\n"),
                (FROM, "AT+FSREAD=\"key\",0,10,10\r\n\r\n{123456}\r\n{78}\r\nOK\r\n+CSQ: 1,1\r\n"),
            ],
            vec![(TO, "AT+FSWRITE=\"a\",0,0,1\r\nAT+CSQ\r\nAT+FSWRITE=\"a\",0,x,1\r\n{anything}")],
        ]
    }

    /// Files that are written by the commands of other vendors, and payload after a command whose name speaks of a
    /// secret.
    fn uploads() -> Vec<Vec<(bool, &'static str)>> {
        let counted = |command| {
            vec![
                (TO, command),
                (FROM, "\r\nCONNECT\r\n"),
                (TO, "{abc\r\nde}AT+CSQ\r\n"),
                (FROM, "\r\n{abc}\r\nOK\r\n\r\n+CSQ: 20,0\r\n"),
            ]
        };
        let mut all: Vec<_> = [
            "AT+QFUPL=\"key,pem\",7,60,1\r\n",
            "AT+QFWRITE=1,7,5\r\n",
            "AT+CCERTDOWN=\"key.pem\",7\r\n",
            "AT+CFSWFILE=3,\"key.pem\",0,7,10000\r\n",
            "AT+CFTRANRX=\"c:/key.pem\",7\r\n",
            "AT+USECMNG=0,2,\"key\",7\r\n",
            "AT#SSLSECDATA=1,1,2,7\r\n",
        ]
        .into_iter()
        .map(counted)
        .collect();
        all.extend([
            // The number of bytes is unknown.
            vec![
                (TO, "AT+MSSLCERTWR=\"a\",7\r\n"),
                (FROM, "\r\n> "),
                (TO, "{abcdef\ng\n}"),
                (FROM, "\r\nOK\r\n"),
                (TO, "{hijk}\r\nAT+CSQ\r\nAT+CSTT=net,{me}\r\n"),
            ],
            vec![
                (TO, "AT+PRIVKEYSTORE={7}\r\n"),
                (FROM, "\r\nDOWNLOAD\r\n"),
                (TO, "{abcdefg}"),
                (FROM, "\r\nOK\r\n"),
                (TO, "AT\r\nAT+CSQ\r\n"),
            ],
            // No prompt comes.
            vec![(TO, "AT+CERTLIST\r\nAT+CSQ\r\n"), (FROM, "\r\nOK\r\n\r\n> +CSQ: 1,1\r\n")],
            vec![
                (TO, "AT+FTPPW=\"{pw}\"\r\n"),
                (FROM, "\r\nOK\r\n"),
                (TO, "AT+CIPSEND=0,5\r\n"),
                (FROM, "\r\n> "),
                (TO, "hello"),
                (FROM, "\r\n0, SEND OK\r\n"),
            ],
            vec![
                (TO, "AT+QFDWL=\"key\"\r\n"),
                (FROM, "AT+{QFDWL=\"key\"}\r\n\r\n{CONNECT}\r\n{abc}\r\n+{QFDWL: 3,1}\r\n\r\nOK\r\n+CSQ: 1,1\r\n"),
            ],
        ]);
        all
    }

    fn whole(session: &Session) -> Vec<(bool, Vec<u8>, Vec<u8>)> {
        let mut parts = Vec::new();
        for &(to, text) in session {
            let (mut plain, mut masked, mut secret) = (Vec::new(), Vec::new(), false);
            for byte in text.bytes() {
                match byte {
                    b'{' => secret = true,
                    b'}' => secret = false,
                    _ => {
                        plain.push(byte);
                        // Line ends of the modem are not masked, because they end lines; in a file they are contents.
                        masked.push(if secret { b'*' } else { byte });
                    }
                }
            }
            parts.push((to, plain, masked));
        }
        parts
    }

    fn masked(mask: &mut Mask, to: bool, bytes: &[u8]) -> String {
        let mut bytes = bytes.to_vec();
        if to {
            mask.to_modem(&mut bytes)
        } else {
            mask.from_modem(&mut bytes)
        }
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn secrets_and_only_secrets_are_masked() {
        for session in sessions().into_iter().chain(damaged_sessions()) {
            let mut mask = Mask::default();
            for (to, plain, expected) in whole(&session) {
                let expected = String::from_utf8(expected).unwrap();
                assert_eq!(masked(&mut mask, to, &plain), expected, "{session:?}");
            }
        }
    }

    #[test]
    fn where_a_chunk_ends_makes_no_difference() {
        for session in sessions().into_iter().chain(damaged_sessions()) {
            let mut bytewise = Mask::default();
            let mut before = Mask::default();
            for (to, plain, expected) in whole(&session) {
                let expected = String::from_utf8(expected).unwrap();
                let bytes: String = plain.iter().map(|&byte| masked(&mut bytewise, to, &[byte])).collect();
                assert_eq!(bytes, expected, "byte by byte");
                for split in 0..=plain.len() {
                    let mut mask = before.clone();
                    let first = masked(&mut mask, to, &plain[..split]);
                    assert_eq!(first + &masked(&mut mask, to, &plain[split..]), expected, "split at {split}");
                }
                masked(&mut before, to, &plain);
            }
        }
    }

    #[test]
    fn any_bytes_pass_without_a_change_of_length() {
        let mut mask = Mask::default();
        for round in 0..200u32 {
            let mut bytes: Vec<u8> = (0..97).map(|at| (at * 31 + round * 17).to_le_bytes()[0]).collect();
            mask.to_modem(&mut bytes);
            mask.from_modem(&mut bytes);
            assert_eq!(bytes.len(), 97);
        }
    }
}
