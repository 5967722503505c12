//! A recorded session with secrets: none is in the capture, for any other bytes on the line, and for any form in which
//! the modem repeats them.

use air724ug::capture::{Header, Recorder};
use air724ug::time::Timestamp;

use super::script::Script;

/// The secret.
const SECRET: &str = "Zx9Qv7Kt";
/// The commands with the secret.
const COMMANDS: &[&str] = &[
    "AT+CSTT=\"cmnet\",\"me\",\"Zx9Qv7Kt\"",
    "AT+CSTT=\"cmnet\",\"Zx9Qv7Kt\",\"word\"",
    "at+cstt=cmnet,me,Zx9Qv7Kt",
    "AT+CPIN=\"Zx9Qv7Kt\"",
    "AT+CPIN=Zx9Qv7Kt",
    "AT+CSQ;+CPIN=\"Zx9Qv7Kt\"",
    "AT+CLCK=\"SC\",1,\"Zx9Qv7Kt\"",
    "AT+CPWD=\"SC\",\"1234\",\"Zx9Qv7Kt\"",
    "AT+CGAUTH=1,1,\"Zx9Qv7Kt\",\"me\"",
    "AT+CPNETAPN=2,\"cmnet\",\"me\",\"Zx9Qv7Kt\"",
    "AT+SAPBR=3,1,\"PWD\",\"Zx9Qv7Kt\"",
    "AT+SSLCFG=\"password\",0,\"Zx9Qv7Kt\"",
    "AT*CGDFAUTH=1,1,\"me\",\"Zx9Qv7Kt\"",
    "AT+FTPPW=\"Zx9Qv7Kt\"",
    "AT+EMAILPWD=\"Zx9Qv7Kt\"",
    "AT+WIFIPWD=\"Zx9Qv7Kt\"",
    "AT+HTTPPARA=\"URL\",\"http://me:Zx9Qv7Kt@host/\"",
    "AT+MCONFIG=\"id\",\"me\",\"Zx9Qv7Kt\"",
];
/// Other texts of a modem.
const WORDS: &[&str] = &[
    "\r\nOK\r\n",
    "\r\nERROR\r\n",
    "\r\n> ",
    "\r\n+CREG: 1",
    "\r\n+CREG: 1\r\n",
    "\r\n+CPIN: READY\r\n",
    "\r\n+CSTT: \"cmnet\",\"\",\"\"\r\n",
    "\r\n+RECEIVE,0,5:\r\nhello",
    "\r\n",
    "\0",
];
const MAX_STEPS: usize = 60;

/// Plays a session that the script generates.
pub fn run(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let header = Header { what: "x".into(), source: "y".into(), expect: vec!["z".into()] };
    let mut line =
        Line { recorder: Recorder::new(Vec::new(), &header), chunk: usize::from(script.byte()) + 1 };
    let mut steps = 0;
    while !script.is_over() && steps < MAX_STEPS {
        steps += 1;
        match script.byte() % 6 {
            0 | 1 => line.command_with_a_secret(&mut script),
            2 => line.said(script.one(WORDS).as_bytes()),
            3 => line.said(&without_the_secret(script.bytes())),
            4 => line.sent(b"AT+CREG?\r\n"),
            _ => line.upload(&mut script),
        }
    }
    let text = line.recorder.into_inner();
    let shown = text.windows(SECRET.len()).any(|part| part.eq_ignore_ascii_case(SECRET.as_bytes()));
    assert!(!shown, "{}", String::from_utf8_lossy(&text));
}

struct Line {
    recorder: Recorder<Vec<u8>>,
    chunk: usize,
}

impl Line {
    fn sent(&mut self, bytes: &[u8]) {
        // Bytes that are recorded at once are not divided by the format.
        bytes.chunks(self.chunk).for_each(|chunk| self.recorder.to_modem(Timestamp::ZERO, chunk));
    }

    fn said(&mut self, bytes: &[u8]) {
        bytes.chunks(self.chunk).for_each(|chunk| self.recorder.from_modem(Timestamp::ZERO, chunk));
    }

    fn command_with_a_secret(&mut self, script: &mut Script<'_>) {
        let command = *script.one(COMMANDS);
        self.sent(command.as_bytes());
        self.sent(b"\r\n");
        self.said(&repeated(command, script));
    }

    /// A file that contains a secret; a part of it is repeated by the modem.
    fn upload(&mut self, script: &mut Script<'_>) {
        let content = format!("-----BEGIN PRIVATE KEY-----\n{SECRET}{SECRET}\n-----END PRIVATE KEY-----\n");
        let command = format!("AT+FSWRITE=\"key\",0,{},10\r\n", content.len());
        self.sent(command.as_bytes());
        if script.byte().is_multiple_of(2) {
            self.said(script.one(WORDS).as_bytes());
        }
        self.said(b"\r\n> ");
        self.sent(content.as_bytes());
        if script.byte().is_multiple_of(4) {
            self.said(b"\r\nERROR\r\n");
        }
        if script.byte().is_multiple_of(2) {
            let from = usize::from(script.byte()) % content.len();
            self.said(&content.as_bytes()[from..]);
        }
        self.said(b"\r\nOK\r\n");
    }
}

/// The echo of a command with the changes of damaged lines, older firmware and two lines in one.
fn repeated(command: &str, script: &mut Script<'_>) -> Vec<u8> {
    let mut echo = command.as_bytes().to_vec();
    let secret = command.find(SECRET).unwrap_or(command.len());
    let at = usize::from(script.byte()) % secret.max(1);
    match script.byte() % 8 {
        0 => echo.clear(),
        1 => echo.insert(at, 0),
        2 => drop(echo.remove(at)),
        3 => echo.make_ascii_lowercase(),
        4 => drop(echo.drain(..at)),
        5 => drop(echo.splice(0..0, script.one(WORDS).bytes())),
        6 => echo.insert(at, script.byte()),
        _ => {}
    }
    let end: &[u8] = if script.byte().is_multiple_of(2) { b"\r\r\n" } else { b"\r\n" };
    echo.extend_from_slice(end);
    echo
}

/// The bytes without the secret in any case: a secret that was in no command is not known.
fn without_the_secret(bytes: &[u8]) -> Vec<u8> {
    let mut text = String::from_utf8_lossy(bytes).into_owned();
    let secret = SECRET.to_ascii_lowercase();
    while let Some(at) = text.to_ascii_lowercase().find(&secret) {
        text.replace_range(at..at + SECRET.len(), "");
    }
    text.into_bytes()
}
