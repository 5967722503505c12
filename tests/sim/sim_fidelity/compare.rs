//! The difference between an answer of the simulator and that of a real module.

use super::exchange::lines;

/// The difference between two answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nearness {
    /// The same lines in the same order.
    Exact,
    /// The same except for values: times, addresses, identities, signal quality.
    UpToValues,
    /// Other lines.
    Different,
}

/// Compares two answers line by line.
pub fn nearness(captured: &[u8], simulated: &[u8]) -> Nearness {
    let (captured, simulated) = (lines(captured), lines(simulated));
    if captured == simulated {
        return Nearness::Exact;
    }
    let masked = |lines: &[String]| lines.iter().map(|line| mask(line)).collect::<Vec<_>>();
    if masked(&captured) == masked(&simulated) { Nearness::UpToValues } else { Nearness::Different }
}

/// A line with each value replaced by its kind. Other text stays: a state, a count or an error code is not a value.
pub fn mask(line: &str) -> String {
    let line = masked_words(line);
    if let Some(rest) = line.strip_prefix("+CSQ:") {
        let digits = |character: char| if character.is_ascii_digit() { '#' } else { character };
        return format!("+CSQ:{}", rest.chars().map(digits).collect::<String>().replace("##", "#"));
    }
    if line.starts_with("+NITZ:") || line.starts_with("+CCLK:") {
        return line
            .chars()
            .map(|character| if character.is_ascii_digit() { '#' } else { character })
            .collect();
    }
    if let Some(sender) = line.strip_prefix("RECV FROM:") {
        let blank = if sender.starts_with(' ') { " " } else { "" };
        return format!("RECV FROM:{blank}<address>");
    }
    if line.starts_with("+FSMEM:") || line.starts_with("+CBC:") {
        return line.chars().filter(|character| !character.is_ascii_digit()).collect();
    }
    line
}

/// The line with addresses, long numbers, firmware names, quoted cell numbers and operators replaced.
fn masked_words(line: &str) -> String {
    let names = line.starts_with("+COPS:") || line.starts_with("+CGMR:") || line.starts_with("+CGMM:");
    let cells = ["+CREG:", "+CGREG:", "+CEREG:"].iter().any(|key| line.starts_with(key));
    let mut quoted = false;
    let mut masked = String::new();
    for part in line.split_inclusive(['"', ',', ' ', ':', ';']) {
        let (word, end) = part.split_at(part.len() - usize::from(part.ends_with(['"', ',', ' ', ':', ';'])));
        masked.push_str(match word {
            "" => "",
            _ if is_address(word) => "<address>",
            _ if is_number(word) => "<number>",
            _ if is_firmware(word) => "<firmware>",
            _ if quoted && names => "<name>",
            _ if quoted && cells => "<cell>",
            word => word,
        });
        masked.push_str(end);
        quoted ^= end == "\"";
    }
    masked
}

fn is_address(word: &str) -> bool {
    let parts: Vec<&str> = word.split('.').collect();
    parts.len() == 4 && parts.iter().all(|part| part.parse::<u8>().is_ok())
}

/// Whether a word is an IMEI, IMSI or ICCID.
fn is_number(word: &str) -> bool {
    word.len() >= 14 && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_firmware(word: &str) -> bool {
    word.starts_with("AirM2M_")
        || word.starts_with("SIMCOM_SIM")
        || word.contains("B05SIM")
        || word == "R14.18"
}

mod tests {
    use super::{Nearness, mask, nearness};

    #[test]
    fn different_values_are_near_and_different_states_are_not() {
        let near = |one: &str, other: &str| nearness(one.as_bytes(), other.as_bytes());
        assert_eq!(near("+CSQ: 20,0\r\n\r\nOK\r\n", "\r\n+CSQ: 20,0\r\n\r\nOK\r\n"), Nearness::Exact);
        assert_eq!(near("+CSQ: 20,0", "+CSQ: 9,0"), Nearness::UpToValues);
        assert_eq!(near("10.74.100.63", "10.83.172.111"), Nearness::UpToValues);
        assert_eq!(near("860000000000000", "350000000000000"), Nearness::UpToValues);
        assert_eq!(near("+CREG: 0,1", "+CREG: 0,2"), Nearness::Different);
        assert_eq!(near("+CME ERROR: 3", "+CME ERROR: 10"), Nearness::Different);
        assert_eq!(near("OK", "OK\r\nOK"), Nearness::Different);
        assert_eq!(near("+CIPACK: 12,12,0", "+CIPACK: 10,10,0"), Nearness::Different);
        assert_eq!(near("STATE: IP STATUS", "STATE: IP START"), Nearness::Different);
        assert_eq!(near("0, CLOSED", "1, CLOSED"), Nearness::Different);
    }

    #[test]
    fn the_format_of_a_time_is_compared() {
        assert_ne!(mask("+NITZ: 2024/10/16,13:14:22+0,0"), mask("+NITZ: 24/10/16,13:14:22+0,0"));
        assert_eq!(mask("+NITZ: 24/10/16,13:14:22+32,0"), mask("+NITZ: 24/07/23,08:35:01+32,0"));
        assert_eq!(mask("+CGREG: 2,1,\"2797\",\"02B82E17\",7"), "+CGREG: 2,1,\"<cell>\",\"<cell>\",7");
    }
}
