//! Any trace of LuatOS firmware: it is read to its end, its events are in order, and the memory is limited.

use air724ug::luat::{Analysis, MAX_EVENTS, MAX_EVIDENCE, MAX_RECORD, Reader};

use super::numbers::Numbers;
use super::script::Script;

/// Examples of traces.
const TRACES: [&str; 2] =
    [include_str!("../../../fixtures/luat/faq.trace"), include_str!("../../../fixtures/luat/rare.trace")];
/// The most lines of one script.
const MAX_STEPS: usize = 400;

/// Reads a trace that the script generates: lines of real ones, with other numbers, cut, joined, and with other bytes
/// between.
pub fn run(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let lines: Vec<&str> = TRACES.iter().flat_map(|trace| trace.split_inclusive('\n')).collect();
    let mut trace = Vec::new();
    let mut steps = 0;
    while !script.is_over() && steps < MAX_STEPS {
        steps += 1;
        match script.byte() % 8 {
            0..4 => {
                let line = lines[script.number() as usize % lines.len()];
                trace.extend(Numbers::new(script.bytes()).replaced(line.as_bytes()));
            }
            4 => {
                let line = lines[script.number() as usize % lines.len()];
                trace.extend_from_slice(&line.as_bytes()[..usize::from(script.byte()).min(line.len())]);
            }
            5 => trace.extend_from_slice(script.bytes()),
            6 => trace.extend(std::iter::repeat_n(script.byte(), usize::from(script.byte()) * 64)),
            _ => trace.push(b'\n'),
        }
    }
    check(&trace);
    // The file of a script is a trace, too.
    check(bytes);
}

fn check(trace: &[u8]) {
    let Ok(analysis) = Analysis::read(trace) else { panic!("reading from memory fails") };
    assert!(analysis.events.len() <= MAX_EVENTS);
    for event in &analysis.events {
        assert!(!event.lines.is_empty() && event.lines.is_sorted(), "{event:?}");
        assert!(!event.what.to_string().is_empty(), "{event:?}");
    }
    for finding in &analysis.findings {
        assert!((1..=MAX_EVIDENCE).contains(&finding.evidence.len()) && finding.count > 0, "{finding:?}");
    }
    let mut line = 0;
    for record in Reader::new(trace) {
        let Ok(record) = record else { panic!("reading from memory fails") };
        assert!(*record.lines.start() > line && record.text.len() <= MAX_RECORD, "{record:?}");
        line = *record.lines.end();
    }
}
