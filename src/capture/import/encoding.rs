//! The encoding of a file, and the way back to the bytes on the wire.

use std::borrow::Cow;

use encoding_rs::{Encoding as Charset, GBK, UTF_16BE, UTF_16LE};

use super::Encoding;

/// The fewest bytes that show UTF-16 without a byte order mark.
const FEW: usize = 8;

/// The encoding of a file, and its content as UTF-8. Content in an unknown encoding stays unchanged.
pub(super) fn decode(file: &[u8]) -> (Encoding, Cow<'_, [u8]>) {
    let (encoding, charset): (_, &Charset) = match file {
        [0xff, 0xfe, ..] => (Encoding::Utf16Le, UTF_16LE),
        [0xfe, 0xff, ..] => (Encoding::Utf16Be, UTF_16BE),
        _ => match wide(file) {
            Some(true) => (Encoding::Utf16Be, UTF_16BE),
            Some(false) => (Encoding::Utf16Le, UTF_16LE),
            None if is_gbk(file) => (Encoding::Gbk, GBK),
            None => {
                return (Encoding::Utf8, Cow::Borrowed(file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file)));
            }
        },
    };
    let (text, _) = charset.decode_with_bom_removal(file);
    (encoding, Cow::Owned(text.into_owned().into_bytes()))
}

/// The bytes on the wire for a text of a file. A tool that saves GBK shows the bytes of the wire as GBK.
pub(super) fn wire(encoding: Encoding, text: Vec<u8>) -> Vec<u8> {
    match (encoding, str::from_utf8(&text)) {
        (Encoding::Gbk, Ok(chars)) if !text.is_ascii() => GBK.encode(chars).0.into_owned(),
        _ => text,
    }
}

/// The byte order of UTF-16 without a byte order mark, in which most of every other byte are zero, and few of the rest.
/// `true`: the high byte comes first.
fn wide(file: &[u8]) -> Option<bool> {
    let zeros = |first: usize| file.iter().skip(first).step_by(2).filter(|byte| **byte == 0).count();
    let half = file.len() / 2;
    let (even, odd) = (zeros(0), zeros(1));
    match file.len() >= FEW {
        true if odd > half / 2 && even <= half / 8 => Some(false),
        true if even > half / 2 && odd <= half / 8 => Some(true),
        _ => None,
    }
}

/// Whether a file is GBK: it is not UTF-8, not even with damage, and decodes as GBK without an error to little but
/// Chinese characters and the arrows and boxes of tools.
fn is_gbk(file: &[u8]) -> bool {
    let (mut valid, mut damaged) = (0_usize, 0_usize);
    for chunk in file.utf8_chunks() {
        valid = valid.saturating_add(chunk.valid().chars().filter(|c| !c.is_ascii()).count());
        damaged = damaged.saturating_add(usize::from(!chunk.invalid().is_empty()));
    }
    if damaged == 0 || valid > damaged {
        return false;
    }
    let Some(text) = GBK.decode_without_bom_handling_and_without_replacement(file) else { return false };
    let foreign = text.chars().filter(|c| !c.is_ascii());
    let usual = |c: &char| {
        matches!(c, '\u{2010}'..='\u{203b}' | '\u{2190}'..='\u{21ff}' | '\u{2500}'..='\u{26ff}'
            | '\u{3000}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}' | '\u{ff00}'..='\u{ff5e}' | '×' | '·')
    };
    let (all, known) = foreign.fold((0_usize, 0_usize), |(all, known), c| {
        (all.saturating_add(1), known.saturating_add(usize::from(usual(&c))))
    });
    known.saturating_mul(10) >= all.saturating_mul(9)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, mark: bool, big: bool) -> Vec<u8> {
        let mark = if mark { "\u{feff}" } else { "" };
        let units = format!("{mark}{text}");
        units
            .encode_utf16()
            .flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() })
            .collect()
    }

    #[test]
    fn files_in_the_usual_encodings_are_read() {
        let text = "[14:42:30.346]发→◇AT+CSQ\r\n□\r\n[14:42:30.350]收←◆AT+CSQ //查询\r\n";
        for (file, encoding) in [
            (text.as_bytes().to_vec(), Encoding::Utf8),
            (format!("\u{feff}{text}").into_bytes(), Encoding::Utf8),
            (utf16(text, true, false), Encoding::Utf16Le),
            (utf16(text, true, true), Encoding::Utf16Be),
            (utf16(text, false, false), Encoding::Utf16Le),
            (utf16(text, false, true), Encoding::Utf16Be),
            (GBK.encode(text).0.into_owned(), Encoding::Gbk),
        ] {
            let (found, decoded) = decode(&file);
            assert_eq!((found, &*decoded), (encoding, text.as_bytes()));
        }
    }

    #[test]
    fn bytes_that_are_no_text_stay_unchanged_and_gbk_becomes_its_bytes_again() {
        for file in
            [&b"+RECEIVE,0,4:\r\n\x80\xff\x00\x01\r\n"[..], "+CRE\u{2e2e}b \u{b7} ok".as_bytes(), b"a\0", b""]
        {
            assert_eq!(decode(file), (Encoding::Utf8, Cow::Borrowed(file)));
        }
        let damaged = ["发→◇收←◆".as_bytes(), b"\xe5\x8f"].concat();
        assert_eq!(decode(&damaged).0, Encoding::Utf8);
        assert_eq!(wire(Encoding::Gbk, "你好".into()), b"\xc4\xe3\xba\xc3");
    }
}
