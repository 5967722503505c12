//! The commands with secrets: by their names, and by parts of their names.

/// The secrets in or after one command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Secret {
    /// Every argument from this one on, counted from 0.
    From(usize),
    /// Every argument from this one on, if the first one is the key of a secret.
    Keyed(usize),
    /// Every argument, and the bytes after the command if a prompt comes: the name speaks of a secret.
    Named,
    /// The bytes after the command if a prompt comes: the name speaks of a certificate.
    Certificate,
    /// The bytes after the command; this argument gives their number.
    Upload(usize),
    /// The answer of the modem.
    Download,
    /// Every argument from the fourth on, and the answer of the modem if the first argument is 4.
    Bearer,
    /// The hexadecimal digits after the header of a command to the card in this argument, if the command contains a PIN
    /// or a PUK.
    Card(usize),
}

/// The commands, in the spelling of the manual. The last column is true if the modem's own line of that name, `+CSTT:
/// "apn","user","password"`, shows the same arguments.
const SECRETS: &[(&str, Secret, bool)] = &[
    ("CSTT", Secret::From(1), true),
    ("CIPCSGP", Secret::From(2), true),
    ("SAPBR", Secret::Bearer, false),
    ("CPIN", Secret::From(0), false),
    ("CLCK", Secret::From(2), false),
    ("CPWD", Secret::From(1), false),
    ("CPNETAPN", Secret::From(2), true),
    ("CGAUTH", Secret::From(2), true),
    ("MCONFIG", Secret::From(2), true),
    ("SSLCFG", Secret::Keyed(2), true),
    ("HTTPPARA", Secret::Keyed(1), true),
    ("FSWRITE", Secret::Upload(2), false),
    ("FSREAD", Secret::Download, false),
    ("CSIM", Secret::Card(1), false),
    ("CGLA", Secret::Card(2), false),
    // Commands of other vendors that write or read a file, a certificate or a key.
    ("QFUPL", Secret::Upload(1), false),
    ("QFWRITE", Secret::Upload(1), false),
    ("QFDWL", Secret::Download, false),
    ("QFREAD", Secret::Download, false),
    ("CFSWFILE", Secret::Upload(3), false),
    ("CFSRFILE", Secret::Download, false),
    ("CFTRANRX", Secret::Upload(1), false),
    ("CFTRANTX", Secret::Download, false),
    ("CCERTDOWN", Secret::Upload(1), false),
    ("UDWNFILE", Secret::Upload(1), false),
    ("URDFILE", Secret::Download, false),
    ("URDBLOCK", Secret::Download, false),
    ("USECMNG", Secret::Upload(3), false),
    ("SSLSECDATA", Secret::Upload(3), false),
    ("SYSFLASH", Secret::Upload(3), false),
    ("GTSSLFILE", Secret::Upload(1), false),
    ("CMNG", Secret::From(3), true),
    // Commands of other vendors for the user and password of an access point, whose names do not show it.
    ("QICSGP", Secret::From(2), true),
    ("QCPDPP", Secret::From(2), true),
    ("NDISDUP", Secret::From(3), true),
    ("CNCFG", Secret::From(3), true),
    ("KCNXCFG", Secret::From(3), true),
    ("UPSD", Secret::From(2), true),
    ("SICS", Secret::From(2), true),
    ("SGACT", Secret::From(2), false),
    // Commands for a server or a network.
    ("QMTCONN", Secret::From(2), false),
    ("CMQTTCONNECT", Secret::From(4), false),
    ("QFTPCFG", Secret::From(1), true),
    ("QSMTPCFG", Secret::From(1), true),
    ("CWJAP", Secret::From(1), false),
    ("CWJEAP", Secret::From(2), true),
    ("CWSAP", Secret::From(1), true),
    ("SSLSETCERT", Secret::From(1), false),
    ("POP3SRV", Secret::From(1), true),
    ("MQTTUSERCFG", Secret::From(2), true),
    ("UMQTT", Secret::From(1), false),
    ("CGPCO", Secret::From(1), true),
];

/// Parts of the names of keys (`SSLCFG`, `HTTPPARA`) whose values are secret.
const SECRET_KEYS: [&str; 8] = ["PASS", "PWD", "PREMASTER", "RANDOM", "PSK", "AUTH", "USERDATA", "COOKIE"];

/// Parts of the names of other commands, all of whose arguments count as secret.
const SECRET_NAMES: [&str; 14] = [
    "PW", "PASS", "AUTH", "PIN", "PUK", "KEY", "PSK", "SECRET", "TOKEN", "CRED", "LOGIN", "ACCOUNT",
    "MAILACC", "USER",
];

/// Parts of names of commands that write a certificate, or the key to it.
const CERTIFICATE_NAMES: [&str; 3] = ["CERT", "SSLFILE", "PEM"];

/// Parts of names of locks that are none of a card or of a phone: of a clock, of memory, or to a cell.
const OPEN_LOCKS: [&str; 6] = ["CLOCK", "BLOCK", "CELL", "BAND", "FREQ", "LOCKF"];

/// The instructions of a card whose data are PINs or PUKs (TS 102 221 sections 11.1.9 to 11.1.13). They follow the
/// class.
const CARD_SECRETS: [&[u8]; 5] = [b"20", b"24", b"26", b"28", b"2C"];

/// The number of digits in the header of a command to a card: class, instruction, two parameters and a length.
const CARD_HEADER: usize = 10;

/// The secrets of a command. `base` is the part of the name in front of its first `_`, by which some firmware names
/// forms of one command (`CWJAP_DEF`).
pub(super) fn secret_of(name: &str, base: Option<&str>, is_answer: bool) -> Option<Secret> {
    let listed = |wanted: &str| SECRETS.iter().find(|(known, _, _)| *known == wanted);
    match listed(name).or_else(|| base.and_then(listed)) {
        Some((_, secret, shown)) => (*shown || !is_answer).then_some(*secret),
        None => by_parts(name, is_answer),
    }
}

fn by_parts(name: &str, is_answer: bool) -> Option<Secret> {
    // `AT+CIPPING` contains `PIN`, but is none.
    let mut pieces = name.split("PING");
    if pieces.any(|piece| SECRET_NAMES.iter().any(|part| piece.contains(part))) {
        return Some(if is_answer { Secret::From(0) } else { Secret::Named });
    }
    if is_answer {
        return None;
    }
    let is_lock = name.contains("LOCK") && !OPEN_LOCKS.iter().any(|part| name.contains(part));
    if is_lock {
        return Some(Secret::From(0));
    }
    // A connection to a broker: a client and perhaps an address, then user and password.
    if name.contains("MQ") && name.contains("CON") {
        return Some(Secret::From(2));
    }
    // A wireless network: its name, then its password.
    if name.contains("JAP") {
        return Some(Secret::From(1));
    }
    CERTIFICATE_NAMES.iter().any(|part| name.contains(part)).then_some(Secret::Certificate)
}

/// True if the value of this key is secret.
pub(super) fn is_secret_key(key: &str) -> bool {
    SECRET_KEYS.iter().any(|secret| key.contains(secret))
}

/// True if these hexadecimal digits, of which the first `length` have come, are the header of a command to a card with
/// a PIN or a PUK, and at least one digit after it.
pub(super) fn is_after_card_header(digits: &[u8], length: usize) -> bool {
    let instruction = digits.get(2..4).unwrap_or_default();
    length > CARD_HEADER && CARD_SECRETS.contains(&instruction)
}
