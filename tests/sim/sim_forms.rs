//! Every command in each of its forms: the answers to the test, read, set and execute form, and the refusals in each
//! state. The table is `sim_forms/forms.txt`; each command names its source.

// A failure in a helper fails a test as well.
#![allow(clippy::expect_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::support::sim::{Host, ask, connect, host, host_with, online, text};
use air724ug::sim::{Settings, SimCard};

const TABLE: &str = include_str!("sim_forms/forms.txt");

/// One line of the table.
struct Row {
    number: usize,
    state: &'static str,
    /// The command that the row tests.
    command: &'static str,
    /// The text after `AT`.
    typed: &'static str,
    /// The frames of the answer, and of the half second after it.
    answer: &'static str,
}

/// The rows of the table. A command without a source is refused.
fn rows() -> Vec<Row> {
    let (mut state, mut command) = ("", "");
    let mut rows = Vec::new();
    for (number, line) in TABLE.lines().enumerate() {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            state = name;
        } else if let Some(header) = line.strip_prefix("# ") {
            let (name, source) = header.split_once(' ').unwrap_or((header, ""));
            assert!(!source.is_empty(), "line {}: {name} names no source", number + 1);
            command = name;
        } else if !line.is_empty() {
            let (typed, answer) = line.split_once(' ').unwrap_or((line, ""));
            rows.push(Row { number: number + 1, state, command, typed, answer: answer.trim() });
        }
    }
    rows
}

fn in_state(name: &str) -> Host {
    match name {
        "initial" => host(),
        "status" => online(false),
        "connected" => {
            let mut host = online(false);
            ask(&mut host, "AT+CIPSTART=TCP,discard.test,9", "\r\nOK\r\n\r\nCONNECT OK\r\n");
            host
        }
        "multi" => {
            let mut host = online(true);
            connect(&mut host, 0, "discard.test", 9);
            host
        }
        "no card" => host_with(Settings::default().sim(SimCard::Absent)),
        "locked" => host_with(Settings::default().sim(SimCard::Locked { pin: "1234".to_owned() })),
        other => panic!("there is no state {other}"),
    }
}

fn answer(row: &Row) -> String {
    let mut host = in_state(row.state);
    host.write(b"ATE0\r\n");
    let mut output = text(host.write(format!("AT{}\r\n", row.typed).as_bytes()));
    output.push_str(&text(host.wait(Duration::from_millis(500))));
    let frames = output.split("\r\n").filter(|frame| !frame.is_empty());
    frames.map(|frame| frame.replace('\r', "\\r")).collect::<Vec<_>>().join(" / ")
}

#[test]
fn every_form_of_every_command_has_the_answer_of_the_table() {
    let wrong: Vec<String> = rows()
        .iter()
        .map(|row| (row, answer(row)))
        .filter(|(row, got)| got != row.answer)
        .map(|(row, got)| {
            format!(
                "line {}, {}: AT{}\n  table {}\n  modem {got}",
                row.number, row.state, row.typed, row.answer
            )
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The names in the command tables of the sources.
fn commands_of_the_sources() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sim/commands");
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).expect("the sources") {
        let source = fs::read_to_string(entry.expect("a source").path()).expect("a source");
        let Some((_, tables)) = source.split_once("const TABLE") else {
            continue;
        };
        let table = &tables[..tables.find("];").expect("the end of a table")];
        let entries = table.split("(\"").skip(1).filter_map(|entry| entry.split_once("\","));
        found.extend(entries.map(|(name, _)| name.to_owned()));
    }
    found
}

/// The form of the row's own command, which is the last in its line: `?`, `=?`, `=` or none.
fn form(row: &Row) -> Option<&'static str> {
    let last = row.typed.rsplit(';').next().unwrap_or(row.typed);
    let rest = last.strip_prefix(row.command)?;
    match rest {
        "" => Some("execute"),
        "?" => Some("read"),
        "=?" => Some("test"),
        _ if rest.starts_with('=') || rest.starts_with(|c: char| c.is_ascii_digit()) => Some("set"),
        _ => None,
    }
}

#[test]
fn the_table_has_every_form_of_every_command() {
    let rows = rows();
    let mut missing = Vec::new();
    let commands = commands_of_the_sources();
    assert!(commands.len() > 90, "the tables of the sources were not found: {commands:?}");
    for command in &commands {
        let forms: BTreeSet<&str> =
            rows.iter().filter(|row| row.command == command).filter_map(form).collect();
        // The basic commands of V.250 have no test form. A register is read and set.
        let wanted: &[&str] = match command.as_bytes() {
            [b'+' | b'^', ..] => &["test", "read", "set", "execute"],
            [b'S', ..] => &["read", "set"],
            [b'O', ..] => &["execute"],
            _ => &["set", "execute"],
        };
        let absent: Vec<_> = wanted.iter().filter(|form| !forms.contains(**form)).collect();
        if !absent.is_empty() {
            missing.push(format!("{command}: {absent:?}"));
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

/// V.250 section 5.6: one result for the whole line. ModemManager sends `AT+COPS=3,2;+COPS?` and stops at the first
/// result.
#[test]
fn a_line_of_several_commands_has_one_result() {
    for line in [
        "+COPS=3,2;+COPS?",
        "+CFUN=1;+CFUN?",
        "+CIPSTART=TCP,discard.test,9;+CSQ",
        "^HEARTBEATHEX=3,414243;+CSQ",
        "+CLCK=\"SC\",2;+CREG=1;+CPAS",
    ] {
        let mut host = host();
        let output = text(host.write(format!("AT{line}\r\n").as_bytes()));
        let results = output.matches("\r\nOK\r\n").count() + output.matches("ERROR").count();
        assert_eq!(results, 1, "{output}");
    }
}
