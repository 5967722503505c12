//! Any text for commands of the application, with and without a payload: if it is not refused, the modem still answers
//! as the driver requires - command lines, no echo, results in words, a prompt before payload.

use std::time::Duration;

use air724ug::at::Command;
use air724ug::sim::{Input, LineState, MemoryNetwork, Output, Peer, Settings, Simulator};
use air724ug::time::Timestamp;

use super::script::Script;
use super::script_input;

/// The parts of a text.
const WORDS: &[&str] = &[
    "AT",
    "at",
    "A",
    "T",
    " ",
    ";",
    "=",
    "?",
    "=?",
    "\"",
    ",",
    "+",
    "*",
    "^",
    "&",
    "%",
    "/",
    "0",
    "1",
    "2",
    "5",
    "10",
    "1000",
    "E",
    "E0",
    "E1",
    "V",
    "V0",
    "Q",
    "Q1",
    "X0",
    "X4",
    "I",
    "O",
    "D",
    "H",
    "Z",
    "Z0",
    "&F",
    "&W",
    "&C1",
    "&D2",
    "S0=1",
    "S3=10",
    "S4=13",
    "S5=8",
    "L0",
    "M0",
    "P",
    "T",
    "+CIPSEND",
    "+CIPSEND=0,5",
    "+CIPSEND=5",
    "+CIPMODE=1",
    "+CIPMODE",
    "+CIPSPRT=0",
    "+CIPQSEND=0",
    "+CIPHEAD=0",
    "+CIPMUX=0",
    "+CIPRXGET=1",
    "+CIPSTART=\"TCP\",\"echo.test\",7",
    "+CIPSSL=1",
    "+CIPSCONT",
    "+FSWRITE=\"a\",0,5,10",
    "+FSWRITE",
    "+CMGS=\"1\"",
    "+CMGS",
    "+CMGW",
    "+HTTPDATA=5,1000",
    "+FTPPUT=2,10",
    "+FTPEXTPUT=2,0,10,1000",
    "+HTTPEXPOST",
    "+MPUBEX=\"t\",0,0,5",
    "+CGDATA=\"PPP\",1",
    "+CGDATA",
    "+IPR=9600",
    "+CMUX=0",
    "*DOWNLOAD",
    "^IPR",
    "+CMEE=2",
    "+CREG?",
    "+CSQ",
    "+CGMI",
    "+CFUN=1,1",
    "+RESET",
    "+CIPSHUT",
    "+CIPCLOSE=0",
    "\r",
    "\n",
    "\0",
    "\u{e9}",
];

/// Commands that are answered by a prompt or change the mode, except their test and read forms (`=?`, `?`).
const NEVER: &[&str] = &[
    "+CIPSEND",
    "+FSWRITE",
    "+CMGS",
    "+CMGW",
    "+CMGC",
    "+HTTPDATA",
    "+FTPPUT",
    "+FTPEXTPUT",
    "+HTTPEXPOST",
    "+MPUBEX",
    "+CGDATA",
    "+CMUX",
    "*DOWNLOAD",
];

/// The longest time until a prompt, or any answer of the module alone.
const PROMPT: Duration = Duration::from_millis(500);
/// Longer than any answer takes: 100 pings of a minute each (`AT+CIPPING`).
const TIMEOUT: Duration = Duration::from_secs(2 * 60 * 60);

/// Passes a text of the script to the check of commands, and the accepted command to a modem.
pub fn run(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let mut text = String::new();
    if script.byte().is_multiple_of(4) {
        text = script_input::line(&mut script).trim_end().to_owned();
    }
    while !script.is_over() && text.len() < 300 {
        match script.byte() {
            byte @ 0..0xe0 => text.push_str(WORDS[usize::from(byte) % WORDS.len()]),
            _ => text.push_str(&String::from_utf8_lossy(script.bytes())),
        }
    }
    if Command::of_user(&text, Duration::from_secs(1)).is_ok() {
        has_no_name_that_prompts(&text);
        leaves_the_modem_as_it_was(&text, None);
    }
    let payload = script.bytes();
    if let Ok((command, payload)) = Command::with_payload(&text, payload, Duration::from_secs(1)) {
        assert_eq!(command.text(), text);
        leaves_the_modem_as_it_was(&text, Some(payload.as_bytes()));
    }
}

fn has_no_name_that_prompts(text: &str) {
    let plain: String = text.to_ascii_uppercase().chars().filter(|c| !c.is_whitespace()).collect();
    // A name between quotes is data.
    let outside: String = plain.split('"').step_by(2).collect::<Vec<_>>().join("\"");
    for part in outside.split(';') {
        // Basic commands may precede the first extended one (V.250, 5.4.2).
        let extended = part.find(['+', '*', '^', '%']).map_or("", |at| &part[at..]);
        let (name, rest) = extended.split_at(extended.find(['=', '?', '"']).unwrap_or(extended.len()));
        let prompts = NEVER.contains(&name) && !matches!(rest, "?" | "=?");
        let puts = matches!(name, "+FTPPUT" | "+FTPEXTPUT") && rest.starts_with("=2");
        assert!(!prompts && !puts, "{text:?} is not refused");
    }
}

fn leaves_the_modem_as_it_was(text: &str, payload: Option<&[u8]>) {
    let mut modem = Modem::with_a_connection();
    let line = format!("{text}\r\n");
    let received = match payload {
        Some(payload) => modem.answer_with_payload(&line, payload),
        None => modem.answer(&line),
    };
    if ["RDY", "*ATREADY"].iter().any(|banner| received.contains(banner))
        || !modem.simulator.state().listening
    {
        // It restarts, which the driver detects.
        return;
    }
    let state = modem.simulator.state();
    assert_eq!(state.line, LineState::Command, "after {text:?}");
    // A modem that may sleep is woken by bytes, which are lost.
    let awake = (0..3).map(|_| modem.soon("AT\r\n")).find(|answer| !answer.is_empty());
    assert_eq!(awake.as_deref(), Some("\r\nOK\r\n"), "after {text:?}");
    if state.channels.first().is_some_and(|channel| channel.state == "CONNECTED") {
        assert_eq!(modem.soon("AT+CIPSEND=0,5\r\n"), "\r\n> ", "after {text:?}");
        assert!(modem.soon("12345").contains("DATA ACCEPT:0,5"), "after {text:?}");
    }
}

struct Modem {
    simulator: Simulator<MemoryNetwork>,
    now: Timestamp,
}

impl Modem {
    fn with_a_connection() -> Self {
        let mut network = MemoryNetwork::new();
        network.serve("echo.test", 7, Peer::discard());
        let mut modem =
            Self { simulator: Simulator::new(Settings::default(), network), now: Timestamp::ZERO };
        for line in [
            "ATE0\r\n",
            "AT+CIPMUX=1\r\n",
            "AT+CIPQSEND=1\r\n",
            "AT+CSTT;+CIICR\r\n",
            "AT+CIFSR\r\n",
            "AT+CIPSTART=0,\"TCP\",\"echo.test\",7\r\n",
        ] {
            drop(modem.answer(line));
        }
        assert_eq!(modem.simulator.state().channels[0].state, "CONNECTED");
        modem
    }

    /// The modem's output until there is none for a long time.
    fn answer(&mut self, line: &str) -> String {
        self.exchange(line.as_bytes(), TIMEOUT)
    }

    /// The immediate output.
    fn soon(&mut self, line: &str) -> String {
        self.exchange(line.as_bytes(), PROMPT)
    }

    /// The same as the driver does: the payload is written if the module asks for it.
    fn answer_with_payload(&mut self, line: &str, payload: &[u8]) -> String {
        let asked = self.exchange(line.as_bytes(), PROMPT);
        if ["> ", "DOWNLOAD"].iter().any(|prompt| asked.contains(prompt)) {
            return asked + &self.exchange(payload, TIMEOUT);
        }
        asked + &self.exchange(b"", TIMEOUT)
    }

    fn exchange(&mut self, bytes: &[u8], timeout: Duration) -> String {
        let end = self.now + timeout;
        self.simulator.handle(self.now, Input::Host(bytes));
        let mut received = Vec::new();
        loop {
            while let Some(output) = self.simulator.poll() {
                if let Output::Host(bytes) = output {
                    received.extend(bytes);
                }
            }
            match self.simulator.deadline().filter(|at| *at <= end) {
                Some(at) => self.now = at,
                None => {
                    self.now = end;
                    return String::from_utf8_lossy(&received).into_owned();
                }
            }
            self.simulator.handle(self.now, Input::Tick);
        }
    }
}
