//! The commands for completion, and their effects.

/// Common commands of the manual with their effects; a module has more.
pub const COMMANDS: &[(&str, &str)] = &[
    ("AT", "whether the module answers"),
    ("AT+CBC", "supply voltage"),
    ("AT+CCID", "number of the card"),
    ("AT+CCLK?", "clock"),
    ("AT+CDNSGIP=", "address of a name: \"HOST\""),
    ("AT+CEREG?", "registration with LTE"),
    ("AT+CFUN?", "radio: 0 off, 1 on, 4 flight mode"),
    ("AT+CFUN=", "switches the radio"),
    ("AT+CGACT?", "active contexts"),
    ("AT+CGATT?", "whether it is attached to packet service"),
    ("AT+CGDCONT?", "access points"),
    ("AT+CGMM", "model"),
    ("AT+CGMR", "firmware"),
    ("AT+CGPADDR", "addresses of the contexts"),
    ("AT+CGREG?", "registration for packet service"),
    ("AT+CGSN", "IMEI"),
    ("AT+CIFSR", "own address"),
    ("AT+CIMI", "IMSI"),
    ("AT+CIPPING=", "ping: \"HOST\""),
    ("AT+CIPSTATUS", "state of bearer and channels"),
    ("AT+CNUM", "own number"),
    ("AT+COPS?", "operator"),
    ("AT+COPS=?", "operators in reach; takes a minute or more"),
    ("AT+CPIN?", "whether the card asks for its PIN"),
    ("AT+CREG?", "registration for calls"),
    ("AT+CSQ", "signal, 0 to 31"),
    ("AT+CSTT?", "access point that is set"),
    ("AT+EEMGINFO?", "serving cell"),
    ("AT+ICCID", "number of the card"),
    ("AT+WISN?", "serial number"),
    ("ATI", "identity"),
];

/// Words of this program.
pub const WORDS: &[(&str, &str)] = &[
    ("help", "this list"),
    ("status", "identity, signal, registration, address, channels"),
    ("doctor", "why there is no connection, and what to do; with HOST:PORT the way to that server, too"),
    ("ready", "waits until sockets can be opened"),
    ("connect", "opens a TCP connection: connect HOST:PORT"),
    ("send", "sends a line of text on it: send TEXT"),
    ("close", "closes it"),
    ("quit", "ends the program, as Ctrl-D does"),
];

/// The possible completions of a line.
pub fn completions(line: &str) -> Vec<&'static str> {
    let all = COMMANDS.iter().chain(WORDS).map(|(name, _)| *name);
    all.filter(|name| name.len() >= line.len() && name.is_char_boundary(line.len()))
        .filter(|name| name[..line.len()].eq_ignore_ascii_case(line))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_completed_whatever_its_case() {
        assert_eq!(completions("at+cgs"), ["AT+CGSN"]);
        assert_eq!(completions("do"), ["doctor"]);
        assert!(completions("AT+C").len() > 10);
        assert!(completions("ä").is_empty());
        assert!(completions("AT+CGSN and more").is_empty());
    }
}
