//! The choice between the layouts in which a file could be read.

use std::collections::BTreeSet;

use super::super::announced::announced;
use super::super::reader::capture;
use super::super::replay::{PayloadKind, TimelineEntryKind, replay};
use super::super::{Capture, Layout};
use super::exchange::Wire;
use super::text::is_answer;

/// The lines that decide about the layout of a long file.
const SAMPLE: usize = 4_000;

/// The best layout so far, and the function that reads the given number of lines in it.
pub(super) struct Choice<'c> {
    lines: usize,
    best: Reading,
    read: Box<dyn Fn(usize) -> Reading + 'c>,
}

impl<'c> Choice<'c> {
    pub(super) fn new(lines: usize, read: impl Fn(usize) -> Reading + 'c) -> Self {
        Self { lines, best: read(lines.min(SAMPLE)), read: Box::new(read) }
    }

    /// Takes a layout if it improves the reading.
    pub(super) fn take(&mut self, read: impl Fn(usize) -> Reading + 'c, is_sure: bool) {
        self.take_if(read, |found, best| found.improves(best, is_sure));
    }

    /// Takes a layout without known marks, if the best one has no marks or finds much less.
    pub(super) fn take_clear(&mut self, read: impl Fn(usize) -> Reading + 'c) {
        self.take_if(read, |found, best| found.is_clear(best) && found.improves(best, true));
    }

    fn take_if(
        &mut self,
        read: impl Fn(usize) -> Reading + 'c,
        is_better: impl Fn(&Reading, &Reading) -> bool,
    ) {
        let found = read(self.lines.min(SAMPLE));
        if is_better(&found, &self.best) {
            (self.best, self.read) = (found, Box::new(read));
        }
    }

    /// The reading of all lines.
    pub(super) fn finish(self) -> Reading {
        if self.lines > SAMPLE { (self.read)(self.lines) } else { self.best }
    }
}

/// A file as one layout reads it.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) capture: Capture,
    /// The lines that are recorded and explained.
    read: BTreeSet<usize>,
    /// The lines with commands, results, unsolicited lines, prompts and data.
    wire: BTreeSet<usize>,
    /// The number of their entries.
    entries: usize,
    /// The lines of each piece of payload whose header announced it, and of data that were sent.
    data: BTreeSet<Vec<usize>>,
}

impl Reading {
    pub(super) fn of(layout: Layout, lines: usize, wire: Wire) -> Self {
        let capture = capture(layout, lines, wire.out);
        let is_sure = |at: &[usize]| {
            !at.iter().any(|line| wire.unsure.iter().any(|(first, last)| (*first..=*last).contains(line)))
        };
        let (mut wire, mut data) = (BTreeSet::new(), BTreeSet::new());
        let (mut entries, mut asks) = (0_usize, false);
        let records = capture.records.iter().map(|located| located.line);
        let mut read: BTreeSet<usize> = records.collect();
        for entry in replay(&capture).entries {
            match entry.what {
                TimelineEntryKind::Unexplained { .. } => {
                    entry.lines.iter().for_each(|line| _ = read.remove(line));
                }
                TimelineEntryKind::Payload { kind: PayloadKind::Bare | PayloadKind::Transparent, .. } => {}
                TimelineEntryKind::Payload { .. } | TimelineEntryKind::Sent(_) if is_sure(&entry.lines) => {
                    wire.extend(&entry.lines);
                    entries = entries.saturating_add(1);
                    data.insert(entry.lines);
                }
                TimelineEntryKind::Reply { line, .. } if !is_answer(line.as_bytes()) => {}
                TimelineEntryKind::Request(_)
                | TimelineEntryKind::Note(_)
                | TimelineEntryKind::Payload { .. }
                | TimelineEntryKind::Sent(_)
                | TimelineEntryKind::Gap => {}
                TimelineEntryKind::Prompt if !asks => {}
                what => {
                    asks = match &what {
                        TimelineEntryKind::Command(text) => announced(text, true).is_some(),
                        what => asks && !matches!(what, TimelineEntryKind::Final { .. }),
                    };
                    wire.extend(entry.lines);
                    entries = entries.saturating_add(1);
                }
            }
        }
        Self { capture, read, wire, entries, data }
    }

    /// Whether this reading is better than `other`, which knows less of the file's layout: it finds more, and loses
    /// nothing. One odd line can't turn the layout of a file. A program may print an `OK` of its own, so a line that is
    /// lost counts less than several that are found.
    ///
    /// `is_sure`: the layout assigns lines to both sides, so that the same lines are enough.
    fn improves(&self, other: &Self, is_sure: bool) -> bool {
        const SEVERAL: usize = 2;
        const FEW: usize = 16;
        let found = self.read.difference(&other.read).count();
        let is_within = |lines: &[usize], others: &[usize]| lines.iter().all(|line| others.contains(line));
        let lost_data: Vec<_> = other
            .data
            .difference(&self.data)
            .filter(|lines| !self.data.iter().any(|own| is_within(own, lines) || is_within(lines, own)))
            .collect();
        let of_data: BTreeSet<usize> = lost_data.iter().flat_map(|lines| lines.iter()).copied().collect();
        let lost = other.wire.difference(&self.wire).filter(|line| !of_data.contains(line)).count();
        let lost_data = lost_data.len();
        match lost.saturating_add(lost_data) {
            0 => found > 0 || self.entries > other.entries || is_sure && self.entries == other.entries,
            all if found > all.saturating_mul(SEVERAL) => true,
            _ => is_sure && lost_data == 0 && lost.saturating_mul(FEW) < self.wire.len(),
        }
    }

    /// Whether a layout without known marks may replace `other`: that has no marks, or finds much less.
    fn is_clear(&self, other: &Self) -> bool {
        let found = self.read.difference(&other.read).count();
        !matches!(other.capture.layout, Layout::Marked | Layout::Blocks)
            || found.saturating_mul(3) > other.read.len()
    }
}
