//! The rules for TLS on the module. It prints `CONNECT FAIL` without a reason (protocol section 14). The check that
//! failed is found by the attempts without it.

use crate::at::CmeError;
use crate::diagnosis::finding::Observation;
use crate::query::{Clock, ClockTime, Query};

use super::super::evidence::{Evidence, Item};
use super::super::finding::Proof;
use super::super::trial::{Trial, TrialEnd, Trust};
use super::super::{Code, End, Exchange, Finding, Server};
use super::server::is_reached;

/// The years of a clock that the network has set: this crate is not older, and two digits end there.
const YEARS: std::ops::Range<u16> = 2024..2070;

const UNSET: &str = "the module's clock is not set, and certificates have dates";

pub(super) fn tls(evidence: &Evidence) -> Observation {
    if let Some(exchange) = missing(evidence) {
        let finding = Finding::error(Code::TlsMissing, "the firmware has no TLS");
        return Observation::found("none", finding.proved_by([exchange.proof()]));
    }
    let known = answered(evidence).map(|_| "the firmware has it");
    match Last::of(evidence) {
        Some(Last::Trial(newest)) => tried(evidence, newest, known),
        Some(Last::Refused(code, exchange)) => stopped(code, exchange.proof()),
        None => known.map_or(Observation::nothing(), Observation::fine),
    }
}

/// The answer to a question about the switch, if it is no refusal.
fn answered(evidence: &Evidence) -> Option<&Exchange> {
    let asked = ["AT+CIPSSL=?", "AT+CIPSSL?", "AT+CIPSSL=1"];
    let answers = asked.into_iter().filter_map(|command| evidence.answer_to(command));
    answers.into_iter().find(|exchange| !exchange.is_refused())
}

/// The refusal by firmware without the switch.
fn missing(evidence: &Evidence) -> Option<&Exchange> {
    if answered(evidence).is_some() {
        return None;
    }
    ["AT+CIPSSL=?", "AT+CIPSSL?", "AT+CIPSSL=1"]
        .into_iter()
        .filter_map(|command| evidence.answer_to(command))
        .find(|exchange| matches!(exchange.cme(), None | Some(CmeError::OPERATION_NOT_SUPPORTED)))
}

/// The newest result of a connection with TLS.
enum Last<'a> {
    Trial(&'a Trial),
    /// A step before it was refused, and no later one followed.
    Refused(Code, &'a Exchange),
}

impl<'a> Last<'a> {
    fn of(evidence: &'a Evidence) -> Option<Self> {
        let mut last = None;
        let mut previous = None;
        for item in &evidence.items {
            match item {
                Item::Trial(trial) => last = Some(Self::Trial(trial)),
                Item::Exchange(exchange) if is_step(exchange) => {
                    if let Some(code) = refusal(exchange, previous) {
                        last = Some(Self::Refused(code, exchange));
                    } else if matches!(last, Some(Self::Refused(..))) {
                        last = None;
                    }
                    previous = Some(exchange);
                }
                Item::Exchange(_) | Item::News { .. } | Item::Noise(_) => {}
            }
        }
        last
    }
}

/// True if it is a step of a connection with TLS.
fn is_step(exchange: &Exchange) -> bool {
    let upper = exchange.command.to_ascii_uppercase();
    let is_file =
        ["AT+FSCREATE=", "AT+FSWRITE=", "AT+FSFLSIZE=", "AT+FSDEL="].iter().any(|name| exchange.begins(name));
    let is_ours = [".CRT", ".KEY", ".PEM", ".CER", ".DER"].iter().any(|end| upper.contains(end));
    (is_file && is_ours) || exchange.begins("AT+SSLCFG=") || exchange.begins("AT+CIPSSL")
}

/// The code of a refused step. It depends on the step before it.
fn refusal(exchange: &Exchange, previous: Option<&Exchange>) -> Option<Code> {
    let failed = exchange.is_refused() || exchange.end == End::Silence || is_late(exchange);
    // The driver reads the switch after each change.
    if exchange.is("AT+CIPSSL?") && previous.is_some_and(|previous| previous.is("AT+CIPSSL=1")) {
        let state = exchange.info("+CIPSSL").and_then(|list| list.first()?.number());
        return (failed || state == Some(0)).then_some(Code::TlsSwitch);
    }
    if !failed {
        return None;
    }
    if exchange.begins("AT+FSWRITE=") {
        return Some(Code::TlsUpload);
    }
    // Without a deletion before it, the refusal means that the file exists.
    if exchange.begins("AT+FSCREATE=") {
        let is_made_again = previous.is_some_and(|previous| previous.begins("AT+FSDEL="));
        return is_made_again.then_some(Code::TlsUpload);
    }
    if exchange.begins("AT+SSLCFG=") {
        return Some(Code::TlsSetting);
    }
    exchange.is("AT+CIPSSL=1").then_some(Code::TlsSwitch)
}

/// True for `TimeOut`: the bytes of a file did not arrive (section 14).
fn is_late(exchange: &Exchange) -> bool {
    matches!(&exchange.end, End::Final(line) if line.trim().eq_ignore_ascii_case("TimeOut"))
}

fn stopped(code: Code, proof: Proof) -> Observation {
    let (shown, summary) = match code {
        Code::TlsUpload => ("no upload", "a certificate or key can't be written to the module"),
        Code::TlsSetting => ("setting refused", "the module refuses a setting of TLS"),
        _ => ("switch refused", "the module does not switch TLS on"),
    };
    Observation::found(shown, Finding::error(code, summary).proved_by([proof]))
}

/// The conclusion from the attempts at one server. The strictest attempt is the wanted one.
fn tried(evidence: &Evidence, newest: &Trial, known: Option<&'static str>) -> Observation {
    let Some(server) = &newest.server else { return known.map_or(Observation::nothing(), Observation::fine) };
    let same = |trial: &&Trial| trial.server.as_ref().is_some_and(|tried| tried.is(server));
    let trials: Vec<&Trial> = evidence.trials().filter(same).collect();
    // Among equal ones the last, which is the newest.
    let wanted = trials.iter().copied().max_by_key(|trial| trial.trust.rank()).unwrap_or(newest);
    let shown = format!("{}:{}", server.host, server.port);
    match wanted.end {
        TrialEnd::Connected if wanted.trust.verified => Observation::fine(format!("{shown} is verified")),
        TrialEnd::Connected => {
            let note =
                Finding::note(Code::TlsUnverified, "the server was not verified: it may be a false one");
            Observation::found(format!("{shown} is connected"), note.proved_by([wanted.proof.clone()]))
        }
        TrialEnd::Stopped(code) => stopped(code, wanted.proof.clone()),
        TrialEnd::Unknown => known.map_or(Observation::nothing(), Observation::fine),
        TrialEnd::Failed | TrialEnd::Silent => Observation {
            shown: Some(format!("{shown} fails")),
            findings: failed(evidence, server, wanted, &trials),
        },
    }
}

fn failed(evidence: &Evidence, server: &Server, wanted: &Trial, trials: &[&Trial]) -> Vec<Finding> {
    let looser = trials.iter().filter(|trial| trial.trust.rank() < wanted.trust.rank());
    // The strictest attempt that succeeded.
    let connected = looser.filter(|trial| trial.end == TrialEnd::Connected);
    let Some(looser) = connected.max_by_key(|trial| trial.trust.rank()) else {
        return vec![unexplained(evidence, server, wanted)];
    };
    let proofs = || [wanted.proof.clone(), looser.proof.clone()];
    let found = |code, summary| Finding::error(code, summary).proved_by(proofs());
    let Trust { verified, dated, named } = looser.trust;
    if !verified {
        let summary = "the server's certificate is not from the authority that was given";
        return vec![found(Code::TlsCertificate, summary)];
    }
    let mut findings = Vec::new();
    if wanted.trust.dated && !dated {
        let clock = clock(evidence);
        let summary = match clock {
            Some((time, _)) if !YEARS.contains(&time.year) => UNSET,
            Some(_) | None => "by the module's clock the server's certificate is not valid",
        };
        findings.push(found(Code::TlsTime, summary).proved_by(clock.map(|(_, exchange)| exchange.proof())));
    }
    if wanted.trust.named && !named {
        findings.push(found(Code::TlsName, "the server's certificate is for another name"));
    }
    findings
}

/// The finding if no attempt succeeded.
fn unexplained(evidence: &Evidence, server: &Server, wanted: &Trial) -> Finding {
    if let Some((time, exchange)) = clock(evidence)
        && !YEARS.contains(&time.year)
        && wanted.trust.verified
        && wanted.trust.dated
    {
        return Finding::error(Code::TlsTime, UNSET).proved_by([wanted.proof.clone(), exchange.proof()]);
    }
    let (code, summary) = match (is_reached(evidence, server), wanted.end) {
        (true, TrialEnd::Silent) => {
            (Code::TlsHandshake, "the server takes a TCP connection, and no TLS handshake ends on it")
        }
        (true, _) => {
            (Code::TlsHandshake, "the server takes a TCP connection, and the TLS handshake on it fails")
        }
        (false, _) => (Code::TlsConnect, "the connection with TLS failed"),
    };
    Finding::error(code, summary).proved_by([wanted.proof.clone()])
}

/// The newest time of the module's clock.
fn clock(evidence: &Evidence) -> Option<(ClockTime, &Exchange)> {
    let exchange = evidence.answer_to("AT+CCLK?")?;
    Some((Clock.read(&exchange.reply())?, exchange))
}
