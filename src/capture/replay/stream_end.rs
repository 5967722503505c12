//! The end of a transparent stream, which has no frame: a line of the module among the data.

use crate::at::{ChannelNews, Line, Urc};

use super::super::{Entry, Located};

/// The longest line that ends a stream, and the lines that may follow it.
const MAX_LINE: usize = 64;

/// The number of data bytes in the burst with which `records` begin, if lines of the module follow the data: the stream
/// has ended there. `None` if it has not. A burst is all that came before the host wrote again.
///
/// Data of the peer may look like these lines. The next bytes of the host decide: an escape that is answered at once
/// proves that the stream continues; a command proves its end, because during a stream the module would send it to the
/// peer.
pub(super) fn data_before_end(records: &[Located]) -> Option<usize> {
    let mut burst = Vec::new();
    let mut behind = records.iter();
    let mut last = None;
    for located in behind.by_ref() {
        match &located.record.what {
            Entry::FromModem(bytes) => burst.extend_from_slice(bytes),
            Entry::ToModem(bytes) => {
                last = Some(bytes);
                break;
            }
            Entry::Gap => break,
            Entry::Request(_) | Entry::Note(_) => {}
        }
    }
    for located in behind.take_while(|located| !matches!(located.record.what, Entry::FromModem(_))) {
        if let Entry::ToModem(bytes) = &located.record.what {
            last = Some(bytes);
        }
    }
    let is_command = |bytes: &Vec<u8>| {
        let is_line = bytes.ends_with(b"\r") || bytes.ends_with(b"\n");
        is_line && bytes.get(..2).is_some_and(|start| start.eq_ignore_ascii_case(b"AT"))
    };
    let lines = lines_at_end(&burst);
    (lines > 0 && last.is_none_or(is_command)).then(|| burst.len().saturating_sub(lines))
}

/// The length of the module's lines at the end of these bytes, from the first one that ends a stream.
fn lines_at_end(bytes: &[u8]) -> usize {
    let (mut rest, mut length) = (bytes, 0);
    while let Some((before, line)) = last_frame(rest) {
        let urc = Urc::parse(line);
        if ends_stream(line, &urc) {
            length = bytes.len().saturating_sub(before.len());
        } else if !urc.is_known() {
            break;
        }
        rest = before;
    }
    length
}

/// The last line of these bytes, with CR LF before and after it, and the bytes before that.
fn last_frame(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = bytes.strip_suffix(b"\r\n")?;
    let at = text.iter().rev().take(MAX_LINE).position(|byte| *byte == b'\n')?;
    let (front, line) = text.split_at_checked(text.len().saturating_sub(at))?;
    Some((front.strip_suffix(b"\r\n")?, line)).filter(|(_, line)| !line.is_empty())
}

fn ends_stream(line: &[u8], urc: &Urc) -> bool {
    *urc == Urc::PdpDeactivated
        || urc.is_restart()
        || matches!(
            Line::parse(line),
            Line::Channel {
                channel: None,
                news: ChannelNews::Closed | ChannelNews::ConnectFail | ChannelNews::TcpError(_)
            }
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_lines_that_end_a_stream_are_found() {
        for (bytes, length) in [
            ("data\r\nCLOSED\r\n", 10),
            ("\r\nCLOSED\r\n", 10),
            ("data\r\nTCP ERROR:14\r\n", 16),
            ("data\r\nCLOSED\r\n\r\n+PDP: DEACT\r\n", 25),
            ("data\r\n+PDP: DEACT\r\n\r\n+CREG: 0\r\n", 27),
            ("data\r\nCLOSED\r\n.", 0),
            ("data\r\nNOT CLOSED\r\n", 0),
            ("data\r\n0, CLOSED\r\n", 0),
            ("CLOSED\r\n", 0),
            ("data\r\n+CREG: 0\r\n", 0),
            ("", 0),
        ] {
            assert_eq!(lines_at_end(bytes.as_bytes()), length, "{bytes:?}");
        }
    }
}
