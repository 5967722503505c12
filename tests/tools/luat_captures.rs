//! Published traces of LuatOS: all events of each one, and its findings.
//!
//! The traces are not in this repository. Without `../shared/captures` these tests print a note and check nothing.

// A failure in a helper fails a test as well.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use air724ug::luat::{Analysis, Pattern};

/// A trace with the lines and texts of all its events, and its findings.
struct Expected {
    file: &'static str,
    analysis: &'static [(&'static [u64], &'static str)],
    findings: &'static [(Pattern, &'static [&'static [u64]])],
}

const EXPECTED: [Expected; 7] = [
    Expected {
        file: "l01_air720ug_rda8910_v0013_luatools_trace",
        analysis: &[
            (&[1], "news: +MUID: 20200325172756A494915A9438914851"),
            (&[2], "(a command not shown) -> OK;"),
            (&[3, 4, 5], "AT+CSQ -> +CSQ: 31,0; OK;"),
            // Lines of another AT channel come in between and are no answers.
            (&[6, 10, 11], "AT+CSQ -> +CSQ: 31,0; OK;"),
            (&[12, 13, 14], "AT+CSQ -> +CSQ: 31,0; OK;"),
            (&[15], "news: +CPIN: READY"),
            (&[16, 19, 20], "AT+ICCID -> +ICCID: 89860000000000000000; OK;"),
            (&[21, 22, 23], "AT+CIMI -> 460000000000000; OK;"),
            (&[24], "news: ^CARDMODE: 2"),
        ],
        findings: &[],
    },
    Expected {
        file: "l02_air724ug_v4030_ntp_udp_socket",
        analysis: &[
            (&[1], "a socket (number not shown) is connected"),
            (&[2, 3], "socket 0 sent 48 bytes"),
            (&[5], "socket 0 (its number is not on the line) received 48 bytes"),
            (&[7], "the script closes socket 0"),
            (&[7, 8], "socket 0 is gone, ended by the script"),
            (&[6, 10], "AT+CCLK=\"24/10/22,19:50:34+32\" -> OK;"),
        ],
        findings: &[(Pattern::CloseNumber, &[&[7, 8]])],
    },
    Expected {
        file: "l03_air724ug_v4030_ftp_login_two_sockets",
        analysis: &[
            (&[4, 5], "socket 0 sent 6 bytes"),
            (&[6], "socket 0 (its number is not on the line) received 19 bytes"),
            (&[9, 10], "socket 0 sent 6 bytes"),
            (&[11], "socket 0 (its number is not on the line) received 51 bytes"),
            (&[14], "socket 2 connects to TCP 121.43.224.154:30019, for 120 s at most"),
            (&[14, 15, 16], "socket 2 is connected"),
            (&[17], "a send of 8 bytes: no confirmation shown"),
        ],
        findings: &[],
    },
    Expected {
        file: "l06_air724ug_v4030_ftp_download_close_ind",
        analysis: &[
            (&[3], "socket 2 sent something"),
            (&[4], "socket 2 (its number is not on the line) received 51 bytes"),
            (&[7], "socket 0 connects to TCP 121.43.224.154:30011, for 120 s at most"),
            (&[7, 8, 9], "socket 0 is connected"),
            (&[10, 11], "socket 2 sent 16 bytes"),
            (&[12], "a socket (number not shown) received 7 bytes"),
            // Received before the confirmation of the send that asked for these bytes.
            (&[15], "a socket (number not shown) received 7 bytes"),
            (&[14, 16], "socket 2 sent 16 bytes"),
            (&[17], "a socket (number not shown) received 66 bytes"),
            (&[19], "a file does not exist yet"),
            (&[20], "data came before recv() was called"),
            (&[21], "a socket (number not shown) received 24 bytes"),
            (&[22], "the peer closed a socket (number not shown)"),
            (&[23], "the script closes socket 0"),
            (&[22, 23, 24], "socket 0 is gone, ended by the peer"),
        ],
        findings: &[
            (Pattern::ClosedByPeer, &[&[22]]),
            (Pattern::FileMissing, &[&[19]]),
            (Pattern::Buffered, &[&[20]]),
            (Pattern::CloseNumber, &[&[22, 23, 24]]),
        ],
    },
    Expected {
        file: "l08_air724ug_v4028_tcp_zero_byte_sends",
        analysis: &[
            (&[1], "a send of 0 bytes: nothing to do"),
            (&[2], "a send of 0 bytes: nothing to do"),
            (&[3], "a send of 0 bytes: nothing to do"),
            (&[4, 6], "socket 1 sent 1 byte"),
        ],
        findings: &[(Pattern::EmptySend, &[&[1], &[2], &[3]])],
    },
    Expected {
        file: "l10_air724ug_v4030_luatools_port_open_tracectrl",
        analysis: &[
            (&[1], "tool: soc log port COM10打开成功"),
            (&[2], "tool: ap log port COM9打开成功"),
            (&[3], "tool: 用户虚拟串口 COM28"),
            (
                &[4],
                "tool: USB 断开连接 COM10 write wait error(0),[WinError 31] 连到系统上的设备没有发挥作用。",
            ),
            (&[5], "tool: soc log port COM10打开成功"),
            (&[6], "tool: ap log port COM9打开成功"),
            (&[7], "tool: cp log port COM22打开成功"),
            (&[8], "tool: 用户虚拟串口 COM28"),
        ],
        findings: &[(Pattern::ToolDisconnected, &[&[4]])],
    },
    Expected {
        file: "l11_air724ug_v4028_udp_idle",
        analysis: &[
            (&[1], "a send of 0 bytes: nothing to do"),
            (&[2], "a send of 0 bytes: nothing to do"),
            (&[3], "a send of 0 bytes: nothing to do"),
            (&[4], "a send of 0 bytes: nothing to do"),
        ],
        findings: &[(Pattern::EmptySend, &[&[1], &[2], &[3], &[4]])],
    },
];

/// The folder of published traces, or a message that it is missing.
fn folder() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/captures");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("{} is not there: the published traces are not checked", folder.display());
    None
}

#[test]
fn the_events_of_every_published_trace_are_complete() {
    let Some(folder) = folder() else { return };
    for expected in &EXPECTED {
        let trace = fs::read(folder.join(expected.file).with_extension("txt")).unwrap();
        let analysis = Analysis::read(&trace[..]).unwrap();
        let words: Vec<(Vec<u64>, String)> =
            analysis.events.iter().map(|event| (event.lines.clone(), event.what.to_string())).collect();
        let wanted: Vec<(Vec<u64>, String)> =
            expected.analysis.iter().map(|(lines, what)| (lines.to_vec(), (*what).to_owned())).collect();
        assert_eq!(words, wanted, "{}", expected.file);
        assert_eq!(analysis.omitted, 0);
    }
}

#[test]
fn the_findings_of_every_published_trace_are_exact() {
    let Some(folder) = folder() else { return };
    for expected in &EXPECTED {
        let trace = fs::read(folder.join(expected.file).with_extension("txt")).unwrap();
        let analysis = Analysis::read(&trace[..]).unwrap();
        let found: Vec<(Pattern, Vec<Vec<u64>>)> = analysis
            .findings
            .into_iter()
            .map(|finding| {
                let lines: Vec<Vec<u64>> =
                    finding.evidence.into_iter().map(|evidence| evidence.lines).collect();
                assert_eq!(finding.count, lines.len() as u64);
                (finding.pattern, lines)
            })
            .collect();
        let wanted: Vec<(Pattern, Vec<Vec<u64>>)> = expected
            .findings
            .iter()
            .map(|(pattern, lines)| (*pattern, lines.iter().map(|lines| lines.to_vec()).collect()))
            .collect();
        assert_eq!(found, wanted, "{}", expected.file);
    }
}

#[test]
fn every_published_trace_is_listed_here() {
    let Some(folder) = folder() else { return };
    let mut files: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with('l'))
        .map(|name| name.trim_end_matches(".txt").to_owned())
        .collect();
    files.sort();
    assert_eq!(files, EXPECTED.map(|expected| expected.file));
}
