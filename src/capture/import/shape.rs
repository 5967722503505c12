//! The shape of the text in front of bytes: the text without its numbers, which differ from line to line.

/// The bytes of a line within which its shape ends.
const REACH: usize = 200;

/// The places in a line at which bytes may begin.
pub(super) fn starts(text: &[u8]) -> impl DoubleEndedIterator<Item = usize> {
    let reach = text.len().min(REACH);
    (0..reach).filter(|at| at.checked_sub(1).is_none_or(|before| !text[before].is_ascii_alphanumeric()))
}

/// The text after a front of this shape.
pub(super) fn after_front<'a>(text: &'a [u8], front: &[u8]) -> Option<&'a [u8]> {
    let at = starts(text).chain([text.len()]).find(|at| shape_of(&text[..*at], false) == front)?;
    text.get(at..)
}

/// The shape of a text: each word that has a digit becomes `0`, and several blanks become one, except at the end. With
/// `named`, words that begin with a letter stay.
pub(super) fn shape_of(text: &[u8], named: bool) -> Vec<u8> {
    let mut shape = Vec::new();
    let mut rest = &text[..text.len().min(REACH)];
    while let Some(first) = rest.first() {
        let is_word = |byte: &&u8| byte.is_ascii_alphanumeric();
        let length = rest.iter().take_while(is_word).count();
        let (word, more) = rest.split_at(length.max(1));
        rest = more;
        match () {
            () if length == 0 && first.is_ascii_whitespace() => {
                let is_middle = !rest.trim_ascii().is_empty();
                if !is_middle || shape.last() != Some(&b' ') {
                    shape.push(b' ');
                }
            }
            () if word.iter().any(u8::is_ascii_digit) && !(named && first.is_ascii_alphabetic()) => {
                shape.push(b'0');
            }
            () => shape.extend_from_slice(word),
        }
    }
    shape
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_contains_no_numbers() {
        assert_eq!(shape_of(b"ffff88 35 S Bo:1:005:2 -115   10 = ", false), b"0 0 S Bo:0:0:0 -0 0 = ");
        assert_eq!(shape_of(b"12:00:00.5 write(3, \"", false), b"0:0:0.0 write(0, \"");
    }

    #[test]
    fn a_front_is_found_by_its_shape() {
        let front = shape_of(b"[12:00:01][D][at:7]: ", false);
        assert_eq!(after_front(b"[12:00:02][D][at:12]: [x] y: z", &front), Some(&b"[x] y: z"[..]));
        assert_eq!(after_front(b"hello", &front), None);
    }
}
