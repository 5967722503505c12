//! Which arguments of which commands are secret, found byte by byte.

/// The longest command name or key that is compared; the longest that matters has 12 characters.
const MAX_WORD: usize = 24;

/// What is secret in one command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Secret {
    /// Everything from this argument on, counted from 0, to the end of the line.
    From(usize),
    /// Everything from the third argument on, if the first is a key for a secret.
    Keyed,
    /// What follows the command: as many bytes as its third argument says.
    Upload,
    /// What the modem answers.
    Download,
    /// Everything from the fourth argument on; what the modem answers, if the first is 4.
    Bearer,
}

/// The commands, with the spelling of the manual. The last column says whether the modem's own line of that name,
/// `+CSTT: "apn","user","password"`, shows the same arguments.
const SECRETS: [(&str, Secret, bool); 12] = [
    ("CSTT", Secret::From(1), true),
    ("CIPCSGP", Secret::From(2), true),
    ("SAPBR", Secret::Bearer, false),
    ("CPIN", Secret::From(0), false),
    ("CLCK", Secret::From(2), false),
    ("CPWD", Secret::From(1), false),
    ("CPNETAPN", Secret::From(2), true),
    ("CGAUTH", Secret::From(2), true),
    ("MCONFIG", Secret::From(2), true),
    ("SSLCFG", Secret::Keyed, true),
    ("FSWRITE", Secret::Upload, false),
    ("FSREAD", Secret::Download, false),
];

/// A query whose answer shows the access point's user and password on lines of their own (manual, CIPSCONT).
const SECRET_QUERY: &str = "CIPSCONT";

/// Parts of the names of `SSLCFG` keys whose values are secret.
const SECRET_KEYS: [&str; 5] = ["PASS", "PWD", "PREMASTER", "RANDOM", "PSK"];

/// What a scanner says about one byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nobody minds.
    Open,
    /// Part of a secret.
    Secret,
    /// The end of a command that is followed by this many secret bytes; `usize::MAX` if it does not say how many.
    UploadFollows(usize),
    /// The end of a command whose answer is secret.
    DownloadFollows,
}

/// Finds secret arguments in one direction of a session.
///
/// A command is found wherever its name stands between `+` and `=`, not only at the start of a line: behind the
/// payload of a send, a command does not start a line. Data that looks like such a command is masked, too.
#[derive(Debug, Clone, Default)]
pub(super) struct Scanner {
    state: State,
}

#[derive(Debug, Clone, Default)]
enum State {
    #[default]
    Text,
    Name(Word),
    Arguments(Arguments),
}

#[derive(Debug, Clone)]
struct Arguments {
    secret: Secret,
    index: usize,
    quoted: bool,
    /// The key of [`Secret::Keyed`] or the length of [`Secret::Upload`].
    word: Word,
}

/// The first letters of a word, in upper case.
#[derive(Debug, Clone, Copy, Default)]
struct Word {
    letters: [u8; MAX_WORD],
    length: usize,
}

impl Scanner {
    /// Judges the next byte.
    pub(super) fn byte(&mut self, byte: u8) -> Verdict {
        match &mut self.state {
            State::Arguments(arguments) => {
                if byte == b'\r' || byte == b'\n' {
                    let verdict = arguments.end();
                    self.state = State::Text;
                    return verdict;
                }
                arguments.byte(byte)
            }
            State::Name(word) if byte == b'=' || byte == b':' => {
                let secret = secret(word, byte == b':');
                self.state = secret.map_or(State::Text, |secret| State::Arguments(Arguments::of(secret)));
                Verdict::Open
            }
            State::Name(word) if byte == b'?' && word.text() == Some(SECRET_QUERY) => {
                self.state = State::Arguments(Arguments::of(Secret::Download));
                Verdict::Open
            }
            State::Name(word) if byte.is_ascii_alphanumeric() => {
                word.push(byte);
                Verdict::Open
            }
            State::Name(_) if byte == b' ' => Verdict::Open,
            State::Text | State::Name(_) => {
                self.state = if byte == b'+' { State::Name(Word::default()) } else { State::Text };
                Verdict::Open
            }
        }
    }
}

impl Arguments {
    fn of(secret: Secret) -> Self {
        Self { secret, index: 0, quoted: false, word: Word::default() }
    }

    fn byte(&mut self, byte: u8) -> Verdict {
        if byte == b'"' {
            self.quoted = !self.quoted;
            return Verdict::Open;
        }
        // A comma counts even between quotes: where quotes do not pair up, too much is masked, never too little.
        if byte == b',' {
            let between_quotes = self.quoted && self.is_secret();
            self.index = self.index.saturating_add(1);
            return if between_quotes { Verdict::Secret } else { Verdict::Open };
        }
        let collected = match self.secret {
            Secret::Keyed | Secret::Bearer => 0,
            Secret::Upload => 2,
            Secret::From(_) | Secret::Download => usize::MAX,
        };
        if self.index == collected && byte != b' ' {
            self.word.push(byte);
        }
        if self.is_secret() { Verdict::Secret } else { Verdict::Open }
    }

    fn is_secret(&self) -> bool {
        match self.secret {
            Secret::From(first) => self.index >= first,
            Secret::Keyed => self.index >= 2 && self.word.is_secret_key(),
            Secret::Bearer => self.index >= 3,
            Secret::Upload | Secret::Download => false,
        }
    }

    /// What the end of the line means.
    fn end(&self) -> Verdict {
        match self.secret {
            Secret::Upload => Verdict::UploadFollows(self.word.number().unwrap_or(usize::MAX)),
            Secret::Bearer if self.word.number() != Some(4) => Verdict::Open,
            Secret::Bearer | Secret::Download => Verdict::DownloadFollows,
            Secret::From(_) | Secret::Keyed => Verdict::Open,
        }
    }
}

impl Word {
    fn push(&mut self, byte: u8) {
        if let Some(letter) = self.letters.get_mut(self.length) {
            *letter = byte.to_ascii_uppercase();
        }
        self.length = self.length.saturating_add(1);
    }

    /// The word, or `None` if it was too long to be kept.
    fn text(&self) -> Option<&str> {
        str::from_utf8(self.letters.get(..self.length)?).ok()
    }

    fn number(&self) -> Option<usize> {
        self.text()?.parse().ok()
    }

    /// Whether the value of this key is secret. A key too long to be kept is taken for one.
    fn is_secret_key(&self) -> bool {
        self.text().is_none_or(|key| SECRET_KEYS.iter().any(|secret| key.contains(secret)))
    }
}

fn secret(name: &Word, is_answer: bool) -> Option<Secret> {
    let name = name.text()?;
    let (_, secret, shown) = SECRETS.iter().find(|(known, _, _)| *known == name)?;
    (*shown || !is_answer).then_some(*secret)
}
