//! A Python program's prints of what it read: `Got:"b'OK\r\n'"` (s12). The reads are cut anywhere; nothing has to be
//! put back. What was sent shows only as echo.

use super::super::{ReadError, Reason};
use super::text::unescaped;
use super::{Collector, Line};

pub(super) fn recognises(line: &[u8]) -> bool {
    chunk(line).is_some()
}

pub(super) fn read(lines: &[Line<'_>], out: &mut Collector) -> Result<(), ReadError> {
    for line in lines {
        match chunk(line.text) {
            Some(text) => out.received(line.number, unescaped(text)),
            None => out.remark(line.number, Reason::Tool),
        }
    }
    Ok(())
}

fn chunk(line: &[u8]) -> Option<&[u8]> {
    line.strip_prefix(b"Got:\"b'")?.strip_suffix(b"'\"")
}

#[cfg(test)]
mod tests {
    use super::super::testing::seen;

    #[test]
    fn chunks_join_as_they_were_read() {
        let log = "Got:\"b'AT+SAPBR=2'\"\nGot:\"b',1\\r\\r\\n'\"\nNetwork Ready\nGot:\"b'\\xff\\'\"'\"\n";
        assert_eq!(seen(log), "1 < AT+SAPBR=2\n2 < ,1\\r\\r\\n\n3 #\n4 < \\xff'\"");
    }
}
