//! Diagnoses of the example `doctor` on a pseudo-terminal, in every state of the simulated modem, live and from the
//! recording of the same session.

#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

#[path = "../../examples/common/states.rs"]
mod states;

use std::io::Write;
use std::time::Duration;

use air724ug::diagnosis::{Check, Checkup, Code, Evidence, Severity, StepState};
use air724ug::sim::{MemoryNetwork, Peer, Settings, SimCard, Simulator, serve};
use air724ug::{Certificate, Config, Modem, TlsConfig, capture};
use states::{Patient, STATES, State};

/// A recording in its own folder, which is removed when this is dropped.
struct Recording(std::path::PathBuf);

impl Recording {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("air724ug-doctor-{}-{name}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        Self(folder.join("doctor.capture"))
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        let removed = std::fs::remove_dir_all(self.0.with_file_name(""));
        assert!(std::thread::panicking() || removed.is_ok(), "{removed:?}");
    }
}

/// Examines a modem in this state. Returns the root cause, live and from the recording.
fn examine(name: &str) -> (Option<Code>, Option<Code>) {
    let (_, state, _) = STATES.iter().find(|(known, ..)| *known == name).unwrap();
    let patient = Patient::new(*state).unwrap();
    let recording = Recording::new(name);
    let config = patient.config.clone().capture(&recording.0);
    let diagnosis = Modem::diagnose_port(&patient.path, &config, &patient.checkup);
    let live = diagnosis.root_cause().map(|finding| finding.code);
    if let Some(cause) = diagnosis.root_cause() {
        assert!(cause.evidence.iter().any(|proof| !proof.lines.is_empty()), "{name} has no proof");
    }
    let offline = capture::load(&recording.0).ok().and_then(|capture| {
        let diagnosis = Evidence::of_capture(&capture).diagnose();
        diagnosis.root_cause().map(|finding| finding.code)
    });
    (live, offline)
}

/// Examines each state in its own thread, because some states take seconds.
fn examine_all(names: &[&'static str]) {
    std::thread::scope(|scope| {
        let examinations: Vec<_> =
            names.iter().map(|name| (*name, scope.spawn(move || examine(name)))).collect();
        for (name, examination) in examinations {
            let (_, _, cause) = STATES.iter().find(|(known, ..)| *known == name).unwrap();
            let (live, offline) = examination.join().unwrap();
            assert_eq!(live, *cause, "{name}, live");
            let recorded = match cause {
                // Without a session there is no recording, or it was made at the rate that was found.
                Some(code) if matches!(code.check(), Check::Port | Check::Baud) => None,
                cause => *cause,
            };
            assert_eq!(offline, recorded, "{name}, from the recording");
        }
    });
}

#[cfg(unix)]
#[test]
fn each_state_of_the_port_and_the_line_is_named_first() {
    examine_all(&["fine", "no-port", "port-busy", "not-a-port", "wrong-baud", "no-answer", "echo-only"]);
}

#[cfg(unix)]
#[test]
fn each_state_of_the_card_and_the_network_is_named_first() {
    examine_all(&["no-sim", "pin", "wrong-pin", "no-signal", "weak-signal", "no-registration", "denied"]);
}

#[cfg(unix)]
#[test]
fn each_state_of_the_bearer_and_the_server_is_named_first() {
    let bearer = ["only-2g", "no-attach", "no-bearer", "wrong-apn", "no-dns"];
    examine_all(&[&bearer[..], &["private-server", "server-refuses", "server-silent"]].concat());
}

#[cfg(feature = "sim-tls")]
#[test]
fn each_state_of_tls_is_named_first() {
    let certificates = ["wrong-certificate", "wrong-name", "expired-certificate"];
    examine_all(&[&["tls", "wrong-clock", "no-tls-server"], &certificates[..]].concat());
}

#[cfg(not(feature = "sim-tls"))]
#[test]
fn without_sim_tls_a_state_of_tls_names_the_missing_feature() {
    for name in ["tls", "wrong-clock", "no-tls-server"] {
        let (_, state, _) = STATES.iter().find(|(known, ..)| *known == name).unwrap();
        let error = Patient::new(*state).unwrap_err().to_string();
        assert!(error.contains("cargo run --features sim-tls --example doctor"), "{name}: {error}");
    }
}

/// The required causes of some states, independent of the table of states.
const CAUSES: [(&str, Code); 14] = [
    ("no-sim", Code::SimMissing),
    ("pin", Code::SimPin),
    ("no-registration", Code::NotRegistered),
    ("denied", Code::RegistrationDenied),
    ("only-2g", Code::Only2g),
    ("no-attach", Code::NotAttached),
    ("no-bearer", Code::BearerRefused),
    ("no-dns", Code::DnsFailed),
    ("server-refuses", Code::ServerRefuses),
    ("server-silent", Code::ServerSilent),
    ("wrong-certificate", Code::TlsCertificate),
    ("wrong-baud", Code::WrongBaud),
    ("port-busy", Code::PortBusy),
    ("no-port", Code::PortMissing),
];

#[test]
fn the_table_of_states_has_the_required_causes() {
    for (wanted, cause) in CAUSES {
        let state = STATES.iter().find(|(name, ..)| *name == wanted);
        assert_eq!(state.map(|(_, _, cause)| *cause), Some(Some(cause)), "{wanted}");
    }
}

#[test]
fn every_state_is_examined_above() {
    let this = include_str!("doctor.rs");
    for (name, ..) in STATES {
        let (above, _) = this.split_once("const CAUSES").unwrap();
        assert!(above.contains(&format!("\"{name}\"")), "{name}");
    }
}

#[test]
fn an_unreachable_port_on_another_machine_has_its_own_cause() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let refused = listener.local_addr().unwrap();
    drop(listener);
    for path in [format!("tcp://{refused}"), format!("rfc2217://{refused}"), "tcp://no-port".to_owned()] {
        let diagnosis = Modem::diagnose_port(&path, &Config::default(), &Checkup::default());
        assert_eq!(diagnosis.root_cause().map(|finding| finding.code), Some(Code::RemotePort), "{diagnosis}");
    }
}

/// The rate can't be set there, so no other rate is tried. Regression: the driver's own rate was named.
#[test]
fn a_silent_serial_server_is_asked_at_its_own_rate_only() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let path = format!("tcp://{}", listener.local_addr().unwrap());
    let checkup = Checkup::default().answer_timeout(Duration::from_millis(300));
    let mut steps = String::new();
    let diagnosis = Modem::diagnose_port_with_progress(&path, &Config::default(), &checkup, |_, step| {
        steps.push_str(step);
    });
    assert_eq!(diagnosis.root_cause().map(|finding| finding.code), Some(Code::NoAnswer), "{diagnosis}");
    for rate in ["9600", "115200"] {
        assert!(!format!("{diagnosis}{steps}").contains(rate), "{rate}: {diagnosis}{steps}");
    }
}

/// Closing the examined modem ends the examination in each of its waits, all of which have an hour. None of these
/// modules ends the wait by an answer before that.
#[cfg(unix)]
#[test]
fn an_examination_ends_when_its_modem_is_closed() {
    let hour = Duration::from_secs(3_600);
    let long = Checkup::default().answer_timeout(hour).ready_timeout(hour).connect_timeout(hour);
    let soon = long.clone().answer_timeout(Duration::from_millis(100)).rate_timeout(hour);
    for (state, checkup, at) in [
        (State::WrongBaud, &long, "asking at 115200 baud"),
        (State::NoAnswer, &soon, "asking at 9600 baud"),
        (State::NoRegistration, &long, "waiting: "),
        (State::ServerSilent, &long, "connecting to "),
    ] {
        let patient = Patient::new(state).unwrap();
        let server = patient.checkup.server.clone().unwrap();
        let checkup = checkup.clone().server(server.host, server.port);
        let mut last = String::new();
        let mut closers = Vec::new();
        let diagnosis =
            Modem::diagnose_port_with_progress(&patient.path, &patient.config, &checkup, |modem, step| {
                assert!(closers.is_empty(), "{step} comes after the end at {last}");
                last = step.to_owned();
                if step.starts_with(at) {
                    let modem = modem.clone();
                    // The wait has begun, or is about to begin.
                    closers.push(std::thread::spawn(move || modem.close()));
                }
            });
        assert!(last.starts_with(at), "{last}");
        assert_eq!(diagnosis.severity(), Some(Severity::Error), "{at}: {diagnosis}");
        closers.into_iter().for_each(|closer| closer.join().unwrap());
    }
}

/// Regression: a server that refuses another rate was connected to a hundred times a rate.
#[cfg(unix)]
#[test]
fn a_serial_server_that_refuses_a_rate_is_asked_for_it_once() {
    use std::io::Read;
    use std::sync::atomic::{AtomicU32, Ordering};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let path = format!("rfc2217://{}", listener.local_addr().unwrap());
    let connections = std::sync::Arc::<AtomicU32>::default();
    let counted = connections.clone();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            counted.fetch_add(1, Ordering::SeqCst);
            // RFC 2217 wanted, 115200 8N1 confirmed, whatever is asked.
            let confirmed: [&[u8]; 4] = [&[101, 0, 1, 0xc2, 0], &[102, 8], &[103, 1], &[104, 1]];
            let _ = stream.write_all(&[255, 253, 44]);
            for values in confirmed {
                let _ = stream.write_all(&[&[255, 250, 44], values, &[255, 240]].concat());
            }
            std::thread::spawn(move || while matches!(stream.read(&mut [0; 99]), Ok(1..)) {});
        }
    });
    let brief = Duration::from_millis(100);
    let checkup = Checkup::default().answer_timeout(brief).rate_timeout(brief);
    let diagnosis = Modem::diagnose_port(&path, &Config::default(), &checkup);
    assert_eq!(diagnosis.root_cause().map(|finding| finding.code), Some(Code::NoAnswer), "{diagnosis}");
    // The first, and one for each of the seven other rates.
    assert_eq!(connections.load(Ordering::SeqCst), 8);
}

#[cfg(unix)]
#[test]
fn a_capture_that_can_not_be_written_is_no_finding() {
    let patient = Patient::new(State::Fine).unwrap();
    let config = patient.config.clone().capture("/no/such/folder/session.capture");
    let diagnosis = Modem::diagnose_port(&patient.path, &config, &patient.checkup);
    assert!(diagnosis.root_cause().is_none(), "{diagnosis}");
}

#[cfg(unix)]
#[test]
fn a_module_at_another_rate_is_examined_at_that_rate() {
    let patient = Patient::new(State::WrongBaud).unwrap();
    let diagnosis = Modem::diagnose_port(&patient.path, &patient.config, &patient.checkup);
    let step = |check| diagnosis.steps().iter().find(|step| step.check == check).unwrap();
    assert_eq!((step(Check::Baud).state, step(Check::Baud).shown.as_str()), (StepState::Failed, "9600"));
    assert_eq!(step(Check::Server).state, StepState::Passed);
    assert_eq!(diagnosis.findings().len(), 1);
}

/// A modem on two halves, which have neither a path nor a rate.
fn modem(settings: Settings) -> Modem {
    let mut network = MemoryNetwork::new();
    network.serve("server.example", 7, Peer::echo());
    let (reader, writer, _) = serve::in_process(Simulator::new(settings, network)).unwrap();
    Modem::start(reader, writer, Config::default()).unwrap()
}

#[test]
fn a_modem_in_use_is_examined_without_harm_to_its_sockets() {
    let modem = modem(Settings::default());
    modem.wait_ready(Duration::from_secs(30)).unwrap();
    let socket = modem.tcp().connect(("server.example", 7)).unwrap();
    let diagnosis = modem.diagnose(&Checkup::default().server("server.example", 7));
    assert!(diagnosis.root_cause().is_none(), "{diagnosis}");
    socket.send(b"still here").unwrap();
    assert_eq!(
        socket.recv(Duration::from_secs(30)).unwrap(),
        air724ug::Received::Data(b"still here".to_vec())
    );
}

/// A writer that replaces commands with this beginning by an unknown command, which the module refuses.
struct Deaf<W>(W, &'static str);

impl<W: Write> Write for Deaf<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match bytes.starts_with(self.1.as_bytes()) {
            true => self.0.write_all(b"AT+NOSUCHCOMMAND\r\n")?,
            false => self.0.write_all(bytes)?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

fn certificate() -> Certificate {
    Certificate::from_bytes(include_bytes!("../../fixtures/certificates/ca.crt")).unwrap()
}

#[test]
fn a_refused_step_of_tls_is_named() {
    for (deaf_to, cause) in [
        ("AT+FSWRITE=", Code::TlsUpload),
        ("AT+SSLCFG=\"seclevel\"", Code::TlsSetting),
        ("AT+CIPSSL=1", Code::TlsSwitch),
        ("AT+CIPSSL?", Code::TlsSwitch),
        ("AT+CIPSSL=?", Code::TlsMissing),
    ] {
        let mut network = MemoryNetwork::new();
        network.serve("server.example", 443, Peer::echo());
        let (reader, writer, _) = serve::in_process(Simulator::new(Settings::default(), network)).unwrap();
        let modem = Modem::start(reader, Deaf(writer, deaf_to), Config::default()).unwrap();
        let checkup =
            Checkup::default().server("server.example", 443).tls(TlsConfig::verified(certificate()));
        let diagnosis = modem.diagnose(&checkup);
        let found = diagnosis.root_cause().map(|finding| finding.code);
        assert_eq!(found, Some(cause), "{deaf_to}: {diagnosis}");
    }
}

#[cfg(feature = "sim-tls")]
#[test]
fn without_a_certificate_any_server_is_accepted_with_a_note() {
    let patient = Patient::new(State::Tls).unwrap();
    let checkup = patient.checkup.clone().tls(TlsConfig::unverified());
    let diagnosis = Modem::diagnose_port(&patient.path, &patient.config, &checkup);
    assert!(diagnosis.root_cause().is_none() && diagnosis.has(Code::TlsUnverified), "{diagnosis}");
}

#[cfg(unix)]
#[test]
fn a_switched_off_radio_is_named_and_stays_off() {
    let patient = Patient::new(State::Fine).unwrap();
    let modem = Modem::open(&patient.path, Config::default()).unwrap();
    modem.flight_mode(true).unwrap();
    let events = modem.events();
    modem.close();
    drop(modem);
    // The events end with the thread that has the port.
    while events.recv().is_ok() {}
    for _ in 0..2 {
        let diagnosis = Modem::diagnose_port(&patient.path, &patient.config, &patient.checkup);
        let cause = diagnosis.root_cause().map(|finding| finding.code);
        assert_eq!(cause, Some(Code::RadioOff), "{diagnosis}");
    }
}

#[test]
fn all_channels_in_use_are_a_finding() {
    let modem = modem(Settings::default());
    let sockets: Vec<_> = (0..8).map(|_| modem.tcp().connect(("server.example", 7)).unwrap()).collect();
    let diagnosis = modem.diagnose(&Checkup::default().server("server.example", 7));
    assert_eq!(diagnosis.root_cause().map(|finding| finding.code), Some(Code::NoFreeChannel), "{diagnosis}");
    drop(sockets);
}

#[test]
fn a_silent_module_is_no_answer_after_the_timeout() {
    let (reader, writer) = (std::io::pipe().unwrap(), std::io::pipe().unwrap());
    let modem = Modem::start(reader.0, writer.1, Config::default()).unwrap();
    let diagnosis = modem.diagnose(&Checkup::default().answer_timeout(Duration::from_millis(700)));
    assert_eq!(diagnosis.root_cause().map(|finding| finding.code), Some(Code::NoAnswer), "{diagnosis}");
    drop((reader.1, writer.0));
}

#[test]
fn a_vanished_port_is_a_lost_port() {
    let (reader, writer) = (std::io::pipe().unwrap(), std::io::pipe().unwrap());
    let modem = Modem::start(reader.0, writer.1, Config::default()).unwrap();
    drop(reader.1);
    let diagnosis = modem.diagnose(&Checkup::default());
    assert_eq!(diagnosis.root_cause().map(|finding| finding.code), Some(Code::PortLost), "{diagnosis}");
}

#[test]
fn the_progress_of_a_diagnosis_is_reported() {
    let modem = modem(Settings::default().sim(SimCard::Absent));
    let mut progress = Vec::new();
    let diagnosis = modem.diagnose_with_progress(&Checkup::default(), |what| progress.push(what.to_owned()));
    assert_eq!(diagnosis.severity(), Some(Severity::Error));
    assert!(progress.iter().any(|what| what.starts_with("waiting: no SIM card")), "{progress:?}");
    assert!(progress.iter().any(|what| what == "asking AT+CPIN?"), "{progress:?}");
}
