//! Credentials in the URLs among the arguments of a command.

use super::secret_words::{Word, is_added};

/// The fewest digits of a name of a user that has no letter. A time has two in front of its colon, an address four.
const MIN_USER: usize = 5;

/// The characters of the name of a user besides letters and digits.
const OF_USERS: [u8; 6] = *b"-._%+/";

/// The number of letters and digits in a row after which a host counts as a token: `https://<token>@host`.
const MAX_LABEL: usize = 24;

/// The credentials of a URL, `http://user:password@host/?token=value`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) enum Url {
    /// No name has come in this line.
    #[default]
    Off,
    /// Arguments. This number of characters of `://` has come.
    Arguments(usize),
    /// A word of the arguments that begins with a letter: a scheme, or the user in `user:password@host`. This number of
    /// characters of an escaped colon (`%3A`) has come.
    User { escape: usize },
    /// The same of digits alone, with their number.
    Number(usize),
    /// Another word.
    Word,
    /// After `://`: a user, or a host.
    Authority { label: Word, escape: usize },
    /// After the colon: a password, or a port, and the host after it, because an `@` may be part of the password.
    Password(Password),
    /// A segment of the path.
    Path { word: Word, secrecy: Secrecy },
    /// The name of a parameter of the query.
    Parameter(Word),
    /// The value of a parameter: whether it is secret, and the number of characters of `://` that have come.
    Value { is_secret: bool, seen: usize },
}

/// The part of a password that has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Password {
    /// A colon, which may be one of another URL.
    Colon,
    /// Digits: perhaps a port.
    Digits,
    /// No port: a slash is part of it.
    Text,
    /// It has come, with an `@` after it.
    Host,
}

/// The part of the path that is secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Secrecy {
    Open,
    /// The segment after a word for a secret (`/token/x`), or the part after the colon of a bot (`/bot123:x`).
    Segment,
    /// All after the word for a web hook.
    Rest,
}

impl Url {
    /// A name has come: arguments follow.
    pub(super) fn begin(&mut self) {
        if matches!(self, Self::Off) {
            *self = Self::Arguments(0);
        }
    }

    pub(super) fn is_off(&self) -> bool {
        matches!(self, Self::Off)
    }

    /// Takes the next byte. Returns true if it is part of a secret. A port looks like a password, and is masked, as is
    /// text after the colon of a word.
    pub(super) fn byte(&mut self, byte: u8) -> bool {
        const SCHEME: &[u8] = b"://";
        // A comma may be part of a password and of a value.
        let ends = matches!(byte, b'"' | b' ');
        let next = match *self {
            Self::Off => Self::Off,
            Self::Password(password) => self::password(password, byte),
            _ if matches!(byte, b'?' | b'#') => Self::Parameter(Word::default()),
            Self::Parameter(_) | Self::Value { .. } if matches!(byte, b'&' | b';') => {
                Self::Parameter(Word::default())
            }
            Self::Parameter(_) | Self::Value { .. } if ends => Self::Arguments(0),
            Self::Parameter(name) if byte == b'=' => {
                Self::Value { is_secret: name.is_secret_parameter(), seen: 0 }
            }
            Self::Parameter(mut name) => {
                name.push(byte);
                // It was a scheme: a damaged quote looks like the beginning of a fragment.
                let is_scheme = name.text().is_some_and(|name| name.as_bytes().ends_with(SCHEME));
                if is_scheme { Self::authority() } else { Self::Parameter(name) }
            }
            Self::Value { is_secret, .. } if is_secret => Self::Value { is_secret, seen: 0 },
            // A URL may be a value.
            Self::Value { seen: 2, .. } if byte == b'/' => Self::authority(),
            Self::Value { is_secret, seen } => {
                let goes_on = SCHEME.get(seen) == Some(&byte);
                let seen = if goes_on { seen.saturating_add(1) } else { usize::from(byte == b':') };
                Self::Value { is_secret, seen }
            }
            Self::Arguments(seen) if SCHEME.get(seen) == Some(&byte) && seen == 2 => Self::authority(),
            Self::Arguments(seen) if SCHEME.get(seen) == Some(&byte) => {
                Self::Arguments(seen.saturating_add(1))
            }
            // A user may follow a scheme that is damaged.
            Self::Arguments(_) if byte == b'/' => Self::Arguments(0),
            Self::User { .. } | Self::Number(MIN_USER..) if byte == b':' => Self::Password(Password::Colon),
            Self::Arguments(_) | Self::User { .. } | Self::Number(_) | Self::Word
                if !(byte.is_ascii_alphanumeric() || OF_USERS.contains(&byte)) =>
            {
                Self::Arguments(usize::from(byte == b':'))
            }
            Self::User { escape } => match escaped_colon(escape, byte) {
                ESCAPED_COLON => Self::Password(Password::Digits),
                escape => Self::User { escape },
            },
            Self::Number(digits) if byte.is_ascii_digit() => Self::Number(digits.saturating_add(1)),
            Self::Arguments(0) if byte.is_ascii_alphabetic() => Self::User { escape: 0 },
            Self::Arguments(0) if byte.is_ascii_digit() => Self::Number(1),
            Self::Arguments(_) | Self::Number(_) | Self::Word => Self::Word,
            Self::Authority { .. } if ends => Self::Arguments(0),
            Self::Authority { label, .. } if byte == b'/' => {
                Self::segment(if label.is_hook() { Secrecy::Rest } else { Secrecy::Open })
            }
            Self::Authority { .. } if byte == b':' => Self::Password(Password::Colon),
            Self::Authority { label, escape } => in_authority(label, escape, byte),
            Self::Path { .. } if ends => Self::Arguments(0),
            Self::Path { word, secrecy } => in_path(word, secrecy, byte),
        };
        let is_secret = match (*self, next) {
            (Self::Password(_), Self::Password(_))
            | (Self::Value { is_secret: true, .. }, Self::Value { .. }) => true,
            (Self::Path { secrecy, .. }, Self::Path { .. }) => secrecy != Secrecy::Open && byte != b'/',
            (_, Self::Authority { label, .. }) => label.len() > MAX_LABEL,
            _ => false,
        };
        *self = next;
        is_secret
    }

    fn authority() -> Self {
        Self::Authority { label: Word::default(), escape: 0 }
    }

    fn segment(secrecy: Secrecy) -> Self {
        Self::Path { word: Word::default(), secrecy }
    }
}

/// Masks the secrets in the URLs of a text: in words with a scheme or an `@`.
pub(crate) fn mask_urls(text: &mut [u8]) {
    for word in text.split_mut(|byte| matches!(byte, b' ' | b'"')) {
        let text: Vec<u8> = word.iter().copied().filter(|byte| !is_added(*byte)).collect();
        if !text.contains(&b'@') && !text.windows(3).any(|part| part == b"://") {
            continue;
        }
        let mut url = Url::Arguments(0);
        for byte in word.iter_mut().filter(|byte| !is_added(**byte)) {
            if url.byte(*byte) {
                *byte = b'*';
            }
        }
    }
}

fn password(password: Password, byte: u8) -> Url {
    match (password, byte) {
        (_, b'"' | b' ') => Url::Arguments(0),
        (Password::Colon, b'/') => Url::Arguments(2),
        (Password::Digits | Password::Host, b'/') => Url::segment(Secrecy::Open),
        (_, b':') => Url::Password(Password::Colon),
        (Password::Digits, b'?' | b'#') => Url::Parameter(Word::default()),
        (Password::Host, _) | (_, b'@') => Url::Password(Password::Host),
        // A `*` may be a masked character of either.
        (Password::Colon | Password::Digits, b'0'..=b'9' | b'*') => Url::Password(Password::Digits),
        _ => Url::Password(Password::Text),
    }
}

fn in_authority(mut label: Word, escape: usize, byte: u8) -> Url {
    let escape = escaped_colon(escape, byte);
    if escape == ESCAPED_COLON {
        return Url::Password(Password::Digits);
    }
    // A word for a web hook is kept.
    match byte {
        _ if label.is_hook() => {}
        b'_' => label.push(byte),
        _ if byte.is_ascii_alphanumeric() => label.push(byte),
        _ => label = Word::default(),
    }
    Url::Authority { label, escape }
}

fn in_path(mut word: Word, secrecy: Secrecy, byte: u8) -> Url {
    match byte {
        b'/' if secrecy == Secrecy::Rest || word.is_hook() => Url::segment(Secrecy::Rest),
        b'/' if secrecy == Secrecy::Open && word.is_secret_segment() => Url::segment(Secrecy::Segment),
        b'/' => Url::segment(Secrecy::Open),
        b':' if secrecy == Secrecy::Open && word.is_bot() => Url::Path { word, secrecy: Secrecy::Segment },
        // Another URL may follow.
        b',' if secrecy == Secrecy::Open => Url::Arguments(0),
        b':' if secrecy == Secrecy::Open => Url::Arguments(1),
        _ => {
            if byte.is_ascii_alphanumeric() {
                word.push(byte);
            }
            Url::Path { word, secrecy }
        }
    }
}

/// The length of `%3A`.
const ESCAPED_COLON: usize = 3;

/// The number of characters of `%3A` that have come with this one.
fn escaped_colon(seen: usize, byte: u8) -> usize {
    match (seen, byte) {
        (_, b'%') => 1,
        (1, b'3') => 2,
        (2, b'A' | b'a') => ESCAPED_COLON,
        _ => 0,
    }
}
