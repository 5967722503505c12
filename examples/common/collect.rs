//! A report in one file: a capture whose notes contain versions, figures and the diagnosis, with the owner's numbers
//! and addresses masked at the same length.

use std::collections::BTreeSet;
use std::fmt::Write;

use air724ug::capture::{Capture, Entry, Header, Mask, TimelineEntryKind, replay};
use air724ug::diagnosis::Diagnosis;

/// The number of successive digits from which they count as a number of a module, card or phone (IMEI, IMSI, ICCID),
/// and not as a length, time or error.
const NUMBER: usize = 7;
/// The number of successive hexadecimal digits from which they count as a number or a message.
const HEX: usize = 15;

/// The sign by which a report is recognised.
pub const SIGN: &str = ", doctor --collect\n";

/// The file: a capture in our own format, which `replay` and `doctor --offline` read.
pub fn collected(mut capture: Capture, diagnosis: &Diagnosis) -> Vec<u8> {
    let figures = figures(&capture);
    let hosts = hosts(&capture);
    let mut secrets = hide(&mut capture, &hosts);
    let header = Header {
        what: "a session, collected for a report".into(),
        source: format!("air724ug {}{}", env!("CARGO_PKG_VERSION"), SIGN.trim_end()),
        expect: vec!["not known".into()],
    };
    capture.header = Some(header.clone());
    let report = format!("{}{figures}{diagnosis}", versions());
    let text = String::from_utf8_lossy(&capture.to_text(&header)).into_owned();
    let heads: usize =
        text.split_inclusive('\n').take_while(|line| line.starts_with('#')).map(str::len).sum();
    let (heads, records) = text.split_at(heads);
    let notes =
        report.lines().filter(|line| !line.trim().is_empty()).fold(String::new(), |mut notes, line| {
            let line = hidden(&printable(line), &mut secrets, &hosts);
            let _ = writeln!(notes, "0.000000 ; {line}");
            notes
        });
    format!("{heads}{notes}{records}").into_bytes()
}

/// A line for a note: our format escapes a backslash and characters that are not printable.
fn printable(line: &str) -> String {
    line.chars().map(|c| if c.is_ascii_graphic() && c != '\\' || c == ' ' { c } else { '?' }).collect()
}

fn versions() -> String {
    format!(
        "versions: air724ug {}, {} on {}\n",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH
    )
}

/// The statistics of a session.
fn figures(capture: &Capture) -> String {
    let (mut written, mut read, mut losses) = (0, 0, 0);
    for located in &capture.records {
        match &located.record.what {
            Entry::ToModem(bytes) => written += bytes.len(),
            Entry::FromModem(bytes) => read += bytes.len(),
            Entry::Note(words) => losses += usize::from(words.starts_with("the port is lost")),
            Entry::Request(_) | Entry::Gap => {}
        }
    }
    let timeline = replay(capture);
    let count = |wanted: fn(&TimelineEntryKind) -> bool| {
        timeline.entries.iter().filter(|one| wanted(&one.what)).count()
    };
    let last = timeline.entries.last().map_or(String::from("0"), |one| one.at.to_string());
    format!(
        "statistics: {written} bytes written, {read} read, in {last} s; {} commands, {} ends of answers, {} unsolicited lines, {} \
         pieces sent, {} received, {} unexplained; the port was lost {losses} times\n",
        count(|what| matches!(what, TimelineEntryKind::Command(_))),
        count(|what| matches!(what, TimelineEntryKind::Final { .. })),
        count(|what| matches!(what, TimelineEntryKind::Urc { .. })),
        count(|what| matches!(what, TimelineEntryKind::Sent(_))),
        count(|what| matches!(what, TimelineEntryKind::Payload { .. })),
        count(|what| matches!(what, TimelineEntryKind::Unexplained { .. })),
    )
}

/// The names of servers in commands and requests. A request may have ended before its command was written.
fn hosts(capture: &Capture) -> BTreeSet<String> {
    let mut hosts = BTreeSet::new();
    for located in &capture.records {
        if let Entry::Request(words) = &located.record.what {
            let what = words.split(", at most").next().unwrap_or_default();
            hosts.extend(hosts_in(&what.to_ascii_uppercase()));
        }
    }
    let sent: Vec<u8> = capture
        .records
        .iter()
        .filter_map(|located| match &located.record.what {
            Entry::ToModem(bytes) => Some(bytes.as_slice()),
            _ => None,
        })
        .collect::<Vec<_>>()
        .concat();
    for line in String::from_utf8_lossy(&sent).split(['\r', '\n']) {
        let line = line.to_ascii_uppercase();
        // A command may be in a chain.
        if NAMING.iter().any(|name| line.contains(name)) {
            hosts.extend(hosts_in(&line));
        }
    }
    hosts
}

/// The commands with the name of a server.
const NAMING: [&str; 11] = [
    "+CIPSTART=",
    "+CDNSGIP=",
    "+CIPPING=",
    "+HTTPPARA=",
    "+FTPSERV=",
    "+CNTP=",
    "+MIPSTART=",
    "+SSLMIPSTART=",
    "+SSLCFG=",
    "+SMTPSRV=",
    "+POP3SRV=",
];

/// The words of a line that may be names of servers.
fn hosts_in(line: &str) -> impl Iterator<Item = String> {
    let words = line.split(|c: char| !(c.is_alphanumeric() || "-._".contains(c)));
    words.filter(|word| is_host(word)).map(str::to_owned)
}

/// True for a name that contains a dot and a letter.
fn is_host(word: &str) -> bool {
    word.len() > 3 && word.contains('.') && word.contains(|c: char| c.is_alphabetic())
}

/// Masks secrets, numbers and addresses in all records. A number may be cut by the end of a read. Returns the mask of
/// the secrets.
fn hide(capture: &mut Capture, hosts: &BTreeSet<String>) -> Mask {
    let mut secrets = Mask::default();
    let (mut sent, mut received) = (Vec::new(), Vec::new());
    for located in &mut capture.records {
        match &mut located.record.what {
            Entry::ToModem(bytes) => {
                secrets.to_modem(bytes);
                sent.extend_from_slice(bytes);
            }
            Entry::FromModem(bytes) => {
                secrets.from_modem(bytes);
                received.extend_from_slice(bytes);
            }
            Entry::Request(_) | Entry::Note(_) | Entry::Gap => {}
        }
    }
    mask(&mut sent, hosts);
    mask(&mut received, hosts);
    let (mut sent, mut received) = (sent.as_slice(), received.as_slice());
    for located in &mut capture.records {
        let (bytes, from) = match &mut located.record.what {
            Entry::ToModem(bytes) => (bytes, &mut sent),
            Entry::FromModem(bytes) => (bytes, &mut received),
            Entry::Request(words) | Entry::Note(words) => {
                *words = hidden(words, &mut secrets, hosts);
                continue;
            }
            Entry::Gap => continue,
        };
        let (part, rest) = from.split_at(bytes.len());
        bytes.copy_from_slice(part);
        *from = rest;
    }
    secrets
}

/// A line of words without secrets, also those of the session, numbers and addresses.
fn hidden(words: &str, secrets: &mut Mask, hosts: &BTreeSet<String>) -> String {
    let mut bytes = words.as_bytes().to_vec();
    Mask::default().to_modem(&mut bytes);
    // It ends what was masked before it.
    secrets.from_modem(&mut b"\r\nOK\r\n".to_vec());
    secrets.from_modem(&mut bytes);
    mask(&mut bytes, hosts);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The lines about cells, by which a location can be found: registration with location, received cells, the position
/// itself.
const CELLS: [&[u8]; 14] = [
    b"+CREG:",
    b"+CGREG:",
    b"+CEREG:",
    b"+CCED:",
    b"+CENG:",
    b"+EEMLTESVC",
    b"+EEMLTEINTER",
    b"+EEMLTEINTRA",
    b"+EEMGINFO",
    b"+CIPGSMLOC:",
    b"+CLBS:",
    b"+CGNSINF:",
    b"+CGPSINFO:",
    b"+QGPSLOC:",
];

/// Masks numbers of three digits or more in the line of a cell: areas, cells, frequencies, degrees.
fn mask_cells(bytes: &mut [u8]) {
    for line in bytes.split_mut(|byte| matches!(byte, b'\r' | b'\n')) {
        // Other bytes may stand before it: an echo, or damage.
        let find = |key: &&[u8]| line.windows(key.len()).position(|bytes| bytes.eq_ignore_ascii_case(key));
        let Some(at) = CELLS.iter().filter_map(find).min() else { continue };
        let values = line[at..].iter().position(|byte| *byte == b':').map_or(at, |colon| at + colon);
        let is_part = |byte: &u8| byte.is_ascii_hexdigit();
        for value in line[values..].split_mut(|byte| !is_part(byte)).filter(|value| value.len() > 2) {
            value.iter_mut().for_each(blank);
        }
    }
}

/// Masks names of servers, addresses, cells and long numbers. Each keeps its length and its form.
pub fn mask(bytes: &mut [u8], hosts: &BTreeSet<String>) {
    for host in hosts {
        let length = host.len();
        let mut at = 0;
        while let Some(place) = bytes.get_mut(at..at + length) {
            let is_here = place.eq_ignore_ascii_case(host.as_bytes());
            if is_here {
                place.iter_mut().filter(|byte| byte.is_ascii_alphanumeric()).for_each(|byte| *byte = b'x');
            }
            at += if is_here { length } else { 1 };
        }
    }
    mask_cells(bytes);
    let is_part = |byte: &u8| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':');
    let mut rest = bytes;
    while !rest.is_empty() {
        let length = rest.iter().take_while(|byte| is_part(byte)).count();
        let (run, more) = rest.split_at_mut(length.max(1));
        if length > 0 {
            mask_run(run);
        }
        rest = more;
    }
}

/// Masks a sequence of digits, dots and colons.
fn mask_run(run: &mut [u8]) {
    let colons = run.iter().filter(|byte| **byte == b':').count();
    if colons > 4 || run.windows(2).any(|two| two == b"::") && run.len() > 3 {
        return run.iter_mut().for_each(blank);
    }
    for word in run.split_mut(|byte| *byte == b':') {
        let digits = word.iter().filter(|byte| byte.is_ascii_digit()).count();
        let parts: Vec<Option<u32>> = word
            .split(|byte| *byte == b'.')
            .filter(|part| !part.is_empty())
            .map(|part| {
                str::from_utf8(part).ok().filter(|part| part.len() <= 3).and_then(|part| part.parse().ok())
            })
            .collect();
        if parts.len() >= 4 && parts.iter().all(Option::is_some) {
            mask_address(word, &parts);
            continue;
        }
        for number in word.split_mut(|byte| *byte == b'.') {
            let is_number = number.iter().all(u8::is_ascii_digit) && number.len() >= NUMBER;
            if is_number || number.len() >= HEX && digits * 2 > number.len() {
                number.iter_mut().for_each(blank);
            }
        }
    }
}

/// Masks an address. A private one keeps the part that shows that it is private; a public one is replaced by another.
fn mask_address(word: &mut [u8], parts: &[Option<u32>]) {
    let kept = match (parts.len(), parts[0], parts[1]) {
        (4, Some(0), Some(0)) | (4, Some(127), _) => 4,
        (4, Some(10), _) => 1,
        (4, Some(192), Some(168)) | (4, Some(172), Some(16..=31)) | (4, Some(100), Some(64..=127)) => 2,
        (4, Some(169), Some(254)) => 2,
        _ => 0,
    };
    let parts = word.split_mut(|byte| *byte == b'.').filter(|part| !part.is_empty());
    parts.skip(kept).flatten().for_each(blank);
}

fn blank(byte: &mut u8) {
    match *byte {
        b'0'..=b'9' => *byte = b'1',
        b'a'..=b'f' => *byte = b'a',
        b'A'..=b'F' => *byte = b'A',
        _ => {}
    }
}
