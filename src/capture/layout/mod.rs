//! The layouts that captures are found in, one a file, and how to tell them apart.

mod arduino;
mod arrows;
mod atc;
mod block;
mod clock;
mod collector;
mod esp;
mod excerpts;
mod hexdump;
mod llcom;
mod luatools;
mod manual;
mod python;
mod rtthread;
mod shapes;
mod sscom;
mod table;
mod tagged;
mod text;
mod transcript;

pub(crate) use clock::{Clock, number, time};
pub(super) use collector::{Collector, Line};
pub(crate) use luatools::{leveled, stamped};

use super::{ReadError, format};

/// How a file is laid out. Recognised by its content, never by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Layout {
    /// Our own format: see the documentation of [`capture`](crate::capture).
    Own,
    /// LLCOM with `←` sent and `→` received.
    Llcom,
    /// SSCOM with `发→◇` sent and `收←◆` received.
    Sscom,
    /// Luatools: a stamp on every line; an AT port or a Luat trace.
    Luatools,
    /// ESP-IDF log with `RX:|` and `TX:|`.
    Esp,
    /// `[TX]` and `[RX]` with C escapes.
    Tagged,
    /// The Arduino serial monitor: `hh:mm:ss.mmm -> `.
    Arduino,
    /// A Python program's `Got:"b'...'"`.
    Python,
    /// `--->` sent and `<---` received.
    Arrows,
    /// Lines of hexadecimal bytes.
    HexDump,
    /// A manual's examples with `→` sent and `←` received.
    Manual,
    /// A table of receive formats.
    Table,
    /// Reply shapes as C escapes beside their commands.
    Shapes,
    /// Excerpts under `--- titles ---`.
    Excerpts,
    /// A script's log with `atc: ` before what the modem answered.
    Atc,
    /// RT-Thread's log of a driver.
    RtThread,
    /// What a terminal showed, with the prints of TinyGSM's examples in between.
    TinyGsm,
    /// What a terminal showed, and nothing else to go by.
    Plain,
}

/// How one layout is recognised and read.
pub(super) struct Reader {
    pub(super) layout: Layout,
    /// Whether a line can only be of this layout.
    recognises: fn(&[u8]) -> bool,
    pub(super) read: fn(&[Line<'_>], &mut Collector) -> Result<(), ReadError>,
}

/// Every layout but [`Layout::Plain`], which takes what none of these wants. Where two would recognise the same line
/// the first one has it.
const READERS: [Reader; 17] = [
    reader(Layout::Own, format::recognises, format::read),
    reader(Layout::Llcom, llcom::recognises, llcom::read),
    reader(Layout::Sscom, sscom::recognises, sscom::read),
    reader(Layout::Luatools, luatools::recognises, luatools::read),
    reader(Layout::Esp, esp::recognises, esp::read),
    reader(Layout::Tagged, tagged::recognises, tagged::read),
    reader(Layout::Arduino, arduino::recognises, arduino::read),
    reader(Layout::Python, python::recognises, python::read),
    reader(Layout::Arrows, arrows::recognises, arrows::read),
    reader(Layout::HexDump, hexdump::recognises, hexdump::read),
    reader(Layout::Manual, manual::recognises, manual::read),
    reader(Layout::Table, table::recognises, table::read),
    reader(Layout::Shapes, shapes::recognises, shapes::read),
    reader(Layout::Excerpts, excerpts::recognises, excerpts::read),
    reader(Layout::Atc, atc::recognises, atc::read),
    reader(Layout::RtThread, rtthread::recognises, rtthread::read),
    reader(Layout::TinyGsm, transcript::recognises_tinygsm, transcript::read),
];

const PLAIN: Reader = reader(Layout::Plain, |_| true, transcript::read);

/// The layout of the first line that any layout recognises; [`Layout::Plain`] if there is no such line.
pub(super) fn detect(lines: &[Line<'_>]) -> Reader {
    for line in lines {
        if let Some(reader) = READERS.into_iter().find(|reader| (reader.recognises)(line.text)) {
            return reader;
        }
    }
    PLAIN
}

const fn reader(
    layout: Layout,
    recognises: fn(&[u8]) -> bool,
    read: fn(&[Line<'_>], &mut Collector) -> Result<(), ReadError>,
) -> Reader {
    Reader { layout, recognises, read }
}

#[cfg(test)]
mod testing {
    use super::super::escape::escape;
    use super::super::{Entry, read};

    /// What a log is read as, one record or remark a line: its line number, a mark and the escaped bytes.
    pub(super) fn seen(log: &str) -> String {
        let capture = read(log.as_bytes()).unwrap();
        let mut seen: Vec<(usize, String)> = Vec::new();
        for located in &capture.records {
            let (mark, bytes) = match &located.record.what {
                Entry::ToModem(bytes) => ('>', bytes.as_slice()),
                Entry::FromModem(bytes) => ('<', bytes.as_slice()),
                Entry::Request(words) => ('?', words.as_bytes()),
                Entry::Note(words) => (';', words.as_bytes()),
                Entry::Gap => ('~', &b""[..]),
            };
            let mut text = Vec::new();
            escape(bytes, &mut text);
            let text = String::from_utf8(text).unwrap();
            seen.push((located.line, format!("{} {mark} {text}", located.line).trim_end().to_owned()));
        }
        for remark in &capture.remarks {
            seen.push((remark.line, format!("{} #", remark.line)));
        }
        seen.sort_by_key(|(line, _)| *line);
        seen.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join("\n")
    }
}
