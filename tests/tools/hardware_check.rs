//! The checklist of `examples/hardware_check`, run against each simulated profile and against the capture of the module
//! itself.

// A failure in a helper fails a test as well.
#![allow(clippy::unwrap_used)]

#[path = "../../examples/common/observations.rs"]
mod observations;

use std::path::Path;
use std::time::Duration;

use air724ug::capture::{self, Entry};
use air724ug::sim::{MemoryNetwork, Peer, Profile, Settings, Simulator, VirtualHost};
use observations::{Line, Observation, Verdict, masked, observe};

struct Simulated(VirtualHost<MemoryNetwork>);

impl Line for Simulated {
    fn ask(&mut self, bytes: &[u8], within: Duration) -> Option<Vec<u8>> {
        let mut received = self.0.write(bytes);
        received.extend(self.0.wait(within));
        Some(received)
    }
}

/// The exchanges of a capture: each command with the bytes after it.
struct Captured(Vec<(Vec<u8>, Vec<u8>)>);

impl Line for Captured {
    fn ask(&mut self, bytes: &[u8], _: Duration) -> Option<Vec<u8>> {
        self.0.iter().find(|(command, _)| command == bytes).map(|(_, answer)| answer.clone())
    }
}

fn observed(profile: Profile) -> Vec<Observation> {
    let mut network = MemoryNetwork::new();
    network.serve("echo.test", 7, Peer::echo());
    let modem = Simulator::new(Settings::default().profile(profile), network);
    let mut reported = 0;
    let found =
        observe(&mut Simulated(VirtualHost::new(modem)), Some(("echo.test", 7)), &mut |_: &Observation| {
            reported += 1
        });
    assert_eq!(reported, found.len(), "progress");
    found
}

fn of<'a>(found: &'a [Observation], id: &str) -> (Verdict, &'a str) {
    let one = found.iter().find(|observation| observation.id == id).unwrap_or_else(|| panic!("no {id}"));
    (one.verdict, &one.seen)
}

#[test]
fn each_profile_is_recognised_by_its_properties() {
    use Verdict::{Confirmed, Noted, Refuted};
    let air724 = observed(Profile::air724());
    assert_eq!(of(&air724, "A2").0, Confirmed);
    assert_eq!(of(&air724, "A12").0, Confirmed);
    assert_eq!(of(&air724, "A1"), (Confirmed, "0, CONNECT OK"));
    assert_eq!(of(&air724, "A3").0, Confirmed);
    assert_eq!(of(&air724, "contexts"), (Noted, "+CGACT: 5, 1 / OK"));
    assert_eq!(of(&air724, "prompt"), (Noted, "\\r\\n> "));
    assert_eq!(of(&air724, "accepted"), (Noted, "DATA ACCEPT:0,10"));
    let luatos = observed(Profile::luatos());
    assert_eq!(of(&luatos, "A12").0, Refuted);
    assert_eq!(of(&luatos, "A3").0, Refuted);
    assert_eq!(of(&luatos, "supply"), (Noted, "+CBC: 1,84,3800 / OK"));
    assert_eq!(of(&luatos, "unknown"), (Noted, "+CME ERROR: invalid command line"));
    let vendor = observed(Profile::vendor8910());
    assert_eq!(of(&vendor, "A1"), (Refuted, "0,CONNECT OK"));
    assert_eq!(of(&vendor, "blank"), (Noted, "+CIPMUX:1 / OK"));
    let air780e = observed(Profile::air780e());
    assert_eq!(of(&air780e, "A2"), (Refuted, "6 rows of AT+CIPSTATUS"));
    assert_eq!(of(&air780e, "contexts"), (Noted, "+CGACT: 1,1 / OK"));
    let sim800 = observed(Profile::sim800());
    assert_eq!(of(&sim800, "echo"), (Noted, "carriage return alone"));
    assert_eq!(of(&sim800, "A41").0, Refuted);
}

#[test]
fn the_capture_of_the_module_itself_answers_its_own_questions_alone() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/logs/q01_air724ug_luatos_v4032_at_port.txt");
    if !path.exists() {
        eprintln!("NOT TESTED: the published captures are missing ({})", path.display());
        return;
    }
    let mut exchanges: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    for located in capture::load(&path).unwrap().records {
        match located.record.what {
            Entry::ToModem(bytes) => exchanges.push((bytes, Vec::new())),
            Entry::FromModem(bytes) => exchanges.last_mut().unwrap().1.extend(bytes),
            Entry::Request(_) | Entry::Note(_) | Entry::Gap => {}
        }
    }
    let found = observe(&mut Captured(exchanges), None, &mut |_: &Observation| {});
    assert_eq!(of(&found, "echo"), (Verdict::Noted, "verbatim"));
    assert_eq!(of(&found, "A41"), (Verdict::Confirmed, "+CGMM: \"Air724UG\" / OK"));
    assert_eq!(of(&found, "A12").0, Verdict::Refuted);
    assert_eq!(of(&found, "A9").0, Verdict::Confirmed);
    assert_eq!(of(&found, "contexts"), (Verdict::Noted, "+CGACT: 5, 1 / OK"));
    assert!(of(&found, "addresses").1.contains("IPV6"));
    for open in ["A2", "A3", "A7", "A15", "A37", "A38", "A64", "A68", "A77", "A88"] {
        assert_eq!(of(&found, open), (Verdict::Open, "no answer"), "{open}");
    }
}

#[test]
fn a_report_contains_no_number_of_card_or_module() {
    let text = b"+CNUM: \"\",\"+8613912345678\",145 860123456789015 10.32.140.122 +CSQ: 27,99 1782.5";
    let expected = b"+CNUM: \"\",\"+8600000000000\",145 860000000000000 00.00.000.000 +CSQ: 27,99 1782.5";
    assert_eq!(masked(text), expected);
}
