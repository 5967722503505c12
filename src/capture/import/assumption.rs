//! Assumptions about data and payload of several lines, whose line ends a log does not show.
//!
//! The announced length shows whether an assumption was right: the data end where a line of the log ends. Otherwise the
//! reader returns to the line that announced them, and reads on with the next assumption.

use super::super::collector::CollectorPlace;
use super::Line;
use super::data_lines::LineEnds;
use super::exchange::Wire;
use super::reader::Reader;
use super::text::find;

/// The most lines of data of one piece.
const FAR: usize = 2_048;
/// The most returns in a file.
const MAX_RETURNS: usize = 1_024;
/// The words of lines that announce data or payload.
const ANNOUNCING: [&[u8]; 5] = [b"+RECEIVE", b"+CIPRXGET: 2", b"+IPD", b"CIPSEND", b"+FSWRITE"];

/// A place in the file to which the reader can return.
#[derive(Debug, Clone)]
struct Place<'a> {
    at: usize,
    reader: Reader<'a>,
    collected: CollectorPlace,
}

impl<'a> Place<'a> {
    fn of(at: usize, reader: &mut Reader<'a>) -> Self {
        let out = std::mem::take(&mut reader.wire.out);
        let place = Self { at, reader: reader.clone(), collected: out.place() };
        reader.wire.out = out;
        place
    }

    fn restore(&self, reader: &mut Reader<'a>, ends: LineEnds) {
        let mut out = std::mem::take(&mut reader.wire.out);
        out.return_to(self.collected);
        *reader = self.reader.clone();
        reader.wire.out = out;
        reader.wire.ends = ends;
    }
}

/// Reads all lines.
pub(super) fn read<'a>(mut reader: Reader<'a>, lines: &[Line<'_>]) -> Wire {
    let (mut announced, mut begun): (Option<Place<'a>>, Option<Place<'a>>) = (None, None);
    let (mut at, mut returns, mut is_waiting) = (0_usize, 0_usize, false);
    while at <= lines.len() {
        match lines.get(at) {
            Some(line) => {
                let announces = ANNOUNCING.iter().any(|word| find(line.text, word).is_some());
                if begun.is_none() && announces {
                    announced = Some(Place::of(at, &mut reader));
                }
                reader.line(*line, lines.get(at.saturating_add(1)).map(|next| next.text));
            }
            None => reader.end(),
        }
        at = at.saturating_add(1);
        let has_begun = std::mem::take(&mut reader.wire.begun);
        if has_begun && begun.is_none() {
            begun = announced.take().or_else(|| Some(Place::of(at, &mut reader)));
        }
        is_waiting &= !has_begun;
        let is_far = begun.as_ref().is_some_and(|begun| at.saturating_sub(begun.at) > FAR);
        if std::mem::take(&mut reader.wire.failed) || is_far {
            begun = begun.or(announced.take());
            match (&begun, reader.wire.ends.next()) {
                (Some(place), Some(ends)) if returns < MAX_RETURNS => {
                    returns = returns.saturating_add(1);
                    place.restore(&mut reader, ends);
                    at = place.at;
                    is_waiting = true;
                    continue;
                }
                _ => {
                    let first = begun.take().and_then(|begun| lines.get(begun.at)).map(|line| line.number);
                    let last = lines.get(at.saturating_sub(1)).map(|line| line.number);
                    reader.wire.unsure.extend(first.zip(last.or(first)));
                    reader.wire.ends = LineEnds::default();
                }
            }
        }
        if !is_waiting && !reader.wire.in_payload() && !reader.wire.has_begun_data() {
            begun = None;
            reader.wire.ends = LineEnds::default();
        }
    }
    reader.wire
}
