//! The fields of an information line: `1,"two",,0A`. These are numbers, strings and empty fields, with or without
//! blanks after a comma.

use nom::branch::alt;
use nom::bytes::complete::{take_till, take_while};
use nom::character::complete::{char, space0};
use nom::combinator::{map, opt, recognize};
use nom::error::{Error, ErrorKind};
use nom::sequence::{delimited, preceded, terminated};
use nom::{IResult, Parser};

/// A parse of a slice, as nom gives it.
pub(crate) type Parsed<'a, T> = IResult<&'a [u8], T>;

/// One field of a comma separated list, without its quotes and outer blanks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Field<'a> {
    text: &'a [u8],
    quoted: bool,
}

impl<'a> Field<'a> {
    /// The bytes between the commas or quotes.
    pub fn bytes(&self) -> &'a [u8] {
        self.text
    }

    /// The field as text; bytes that are not UTF-8 are replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(self.text).into_owned()
    }

    /// The field as a number, quoted or not (some firmware quotes ports), or `None`.
    pub fn number(&self) -> Option<u32> {
        std::str::from_utf8(self.text).ok()?.parse().ok()
    }

    /// The field as a signed number, or `None`.
    pub fn signed(&self) -> Option<i32> {
        std::str::from_utf8(self.text).ok()?.parse().ok()
    }

    /// True if there is nothing between the commas.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// True if the field was written in quotes.
    pub fn is_quoted(&self) -> bool {
        self.quoted
    }
}

/// All fields of a list. A comma in quotes does not separate fields. A string without its closing quote ends with the
/// line.
pub fn fields(list: &[u8]) -> Vec<Field<'_>> {
    each_field(list).collect()
}

/// The fields of a list as an iterator. It needs no heap memory, because each received header is read with it.
pub(crate) fn each_field(list: &[u8]) -> impl Iterator<Item = Field<'_>> {
    let mut rest = Some(list).filter(|list| !list.trim_ascii().is_empty());
    std::iter::from_fn(move || {
        let (after, field) = field(rest.take()?).ok()?;
        rest = after.strip_prefix(b",");
        Some(field)
    })
}

/// A decimal number that fits in 32 bits.
pub(crate) fn number(input: &[u8]) -> Parsed<'_, u32> {
    let digits = input.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = input.split_at(digits);
    // Computed without a string, because every header has two numbers.
    let value = digits.iter().try_fold(0_u32, |value, digit| {
        value.checked_mul(10)?.checked_add(u32::from(digit.wrapping_sub(b'0')))
    });
    match value {
        Some(value) if !digits.is_empty() => Ok((rest, value)),
        _ => Err(nom::Err::Error(Error::new(input, ErrorKind::Digit))),
    }
}

/// A comma with the blanks that some firmware puts after it.
pub(crate) fn comma(input: &[u8]) -> Parsed<'_, ()> {
    map(terminated(char(','), space0), |_| ()).parse(input)
}

/// A colon with the blanks around it.
pub(crate) fn colon(input: &[u8]) -> Parsed<'_, ()> {
    map(delimited(space0, char(':'), space0), |_| ()).parse(input)
}

fn field(input: &[u8]) -> Parsed<'_, Field<'_>> {
    preceded(space0, alt((quoted, bare))).parse(input)
}

fn quoted(input: &[u8]) -> Parsed<'_, Field<'_>> {
    let closed = delimited(char('"'), take_till(|byte| byte == b'"'), opt(char('"')));
    map(terminated(closed, take_while(|byte| byte != b',')), |text| Field { text, quoted: true }).parse(input)
}

fn bare(input: &[u8]) -> Parsed<'_, Field<'_>> {
    let text = recognize(take_till(|byte| byte == b','));
    map(text, |text: &[u8]| Field { text: text.trim_ascii(), quoted: false }).parse(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(list: &str) -> Vec<String> {
        fields(list.as_bytes()).iter().map(Field::text).collect()
    }

    #[test]
    fn numbers_strings_and_gaps_are_fields() {
        assert_eq!(
            texts(r#"0,0,"TCP","1.2.3.4","80","CONNECTED""#),
            ["0", "0", "TCP", "1.2.3.4", "80", "CONNECTED"]
        );
        assert_eq!(texts(r#"1,,"","","","INITIAL""#), ["1", "", "", "", "", "INITIAL"]);
    }

    #[test]
    fn blanks_around_a_field_do_not_count() {
        assert_eq!(texts("1, 1 , 0"), ["1", "1", "0"]);
        assert_eq!(texts("0,1 "), ["0", "1"]);
    }

    #[test]
    fn quotes_protect_commas() {
        assert_eq!(texts(r#"1,"24/10/22,19:50:34+32",2"#), ["1", "24/10/22,19:50:34+32", "2"]);
    }

    #[test]
    fn an_empty_list_has_no_fields() {
        assert!(fields(b"").is_empty());
        assert!(fields(b"  ").is_empty());
    }

    #[test]
    fn an_unclosed_quote_runs_to_the_end() {
        assert_eq!(texts(r#"1,"abc"#), ["1", "abc"]);
    }

    #[test]
    fn a_number_too_large_is_no_number() {
        assert_eq!(fields(b"4294967296")[0].number(), None);
        assert_eq!(fields(b"4294967295")[0].number(), Some(u32::MAX));
    }
}
