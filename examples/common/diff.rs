//! The differences of two sessions.

use std::io::{self, Write};

use air724ug::capture::{Timeline, TimelineEntry, TimelineEntryKind};

/// The most entries that are searched for the end of a difference, and the number of equal ones that end it.
const AHEAD: usize = 200;
const ALIKE: usize = 2;
/// The most entries of each side that are shown for a difference.
const SHOWN: usize = 12;

/// Prints each difference of two sessions, and returns their number. Times, echoes, notes and requests are not
/// compared.
pub fn diff(out: &mut impl Write, names: [&str; 2], timelines: [&Timeline; 2]) -> io::Result<usize> {
    let [left, right] = timelines.map(|timeline| {
        let counts = |one: &&TimelineEntry| {
            !matches!(
                one.what,
                TimelineEntryKind::Echo(_) | TimelineEntryKind::DataEcho(_) | TimelineEntryKind::Gap
            ) && !matches!(one.what, TimelineEntryKind::Note(_) | TimelineEntryKind::Request(_))
        };
        let entries = timeline.entries.iter().filter(counts);
        entries.map(|one| (one.what.to_string(), one)).collect::<Vec<_>>()
    });
    let (mut at, mut to, mut same, mut parted) = (0, 0, 0, 0);
    while at < left.len() || to < right.len() {
        if let (Some((a, _)), Some((b, _))) = (left.get(at), right.get(to))
            && a == b
        {
            (at, to, same) = (at + 1, to + 1, same + 1);
            continue;
        }
        let (ahead, beside) = meeting(&left[at..], &right[to..]);
        parted += 1;
        writeln!(out, "after {same} that are alike:")?;
        for (name, side) in [(names[0], &left[at..at + ahead]), (names[1], &right[to..to + beside])] {
            show(out, name, side)?;
        }
        (at, to, same) = (at + ahead, to + beside, 0);
    }
    match parted {
        0 => writeln!(out, "the same session: {same} entries are alike")?,
        _ => writeln!(out, "{same} more are alike; they part {parted} times")?,
    }
    Ok(parted)
}

/// The distance of each side to the end of the difference.
fn meeting<T>(left: &[(String, T)], right: &[(String, T)]) -> (usize, usize) {
    for sum in 1..AHEAD.min(left.len() + right.len()) {
        for ahead in sum.saturating_sub(right.len())..=sum.min(left.len()) {
            let (a, b) = (&left[ahead..], &right[sum - ahead..]);
            // Near the end there may be fewer.
            let wanted = ALIKE.min(a.len().max(b.len()));
            let alike = a.iter().zip(b).take_while(|(a, b)| a.0 == b.0).count();
            if alike >= wanted {
                return (ahead, sum - ahead);
            }
        }
    }
    (left.len(), right.len())
}

fn show(out: &mut impl Write, name: &str, side: &[(String, &TimelineEntry)]) -> io::Result<()> {
    writeln!(out, "  {name}:{}", if side.is_empty() { " nothing" } else { "" })?;
    for (what, entry) in side.iter().take(SHOWN) {
        let line = entry.lines.first().map_or(String::new(), |line| format!("  [line {line}]"));
        writeln!(out, "{:>14} {what}{line}", entry.at)?;
    }
    if side.len() > SHOWN {
        writeln!(out, "{:>14} and {} more", "", side.len() - SHOWN)?;
    }
    Ok(())
}
