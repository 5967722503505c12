//! Tables of numbers and texts, with a search in both directions.

use std::fmt;

/// Rows of a number and the text that the module prints, in ascending order of the number. No number and no text occurs
/// twice.
///
/// [`text_of`] is a binary search, so it needs this order; [`tests::check`] checks every table.
pub(super) type Table = [(u32, &'static str)];

/// The text of `code`, or `None` if the table does not list it.
pub(super) fn text_of(table: &'static Table, code: u32) -> Option<&'static str> {
    let row = table.binary_search_by_key(&code, |&(listed, _)| listed).ok()?;
    Some(table[row].1)
}

/// The number of a text in the table. Blanks around the text and the case of ASCII letters do not matter.
pub(super) fn code_of(table: &Table, text: &str) -> Option<u32> {
    let text = text.trim();
    table.iter().find(|(_, listed)| listed.eq_ignore_ascii_case(text)).map(|&(code, _)| code)
}

/// Writes `3 (operation not allowed)`, or the number alone when it has no text.
pub(super) fn write(f: &mut fmt::Formatter<'_>, code: u32, text: Option<&str>) -> fmt::Result {
    match text {
        Some(text) => write!(f, "{code} ({text})"),
        None => write!(f, "{code}"),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// Fails unless `table` is in order, has no duplicates, and each row is found in both directions.
    pub(in super::super) fn check(table: &'static Table) {
        for pair in table.windows(2) {
            assert!(pair[0].0 < pair[1].0, "{} is not before {}", pair[0].0, pair[1].0);
        }
        let mut seen = BTreeMap::new();
        for &(code, text) in table {
            assert_eq!(text, text.trim(), "blanks around the text of {code}");
            assert!(!text.is_empty(), "{code} has an empty text");
            let before = seen.insert(text.to_ascii_lowercase(), code);
            assert_eq!(before, None, "{code} has the text of another code: {text}");
            assert_eq!(text_of(table, code), Some(text));
            assert_eq!(code_of(table, &format!(" {} ", text.to_ascii_uppercase())), Some(code));
        }
    }

    const SMALL: &Table = &[(1, "one"), (4, "four"), (9, "nine")];

    #[test]
    fn a_number_between_two_rows_has_no_text() {
        assert_eq!(text_of(SMALL, 3), None);
        assert_eq!(text_of(SMALL, u32::MAX), None);
        assert_eq!(text_of(&[], 0), None);
    }

    #[test]
    fn a_text_must_match_as_a_whole() {
        assert_eq!(code_of(SMALL, "fourteen"), None);
        assert_eq!(code_of(SMALL, "fou"), None);
        assert_eq!(code_of(SMALL, ""), None);
        assert_eq!(code_of(SMALL, "\tFoUr "), Some(4));
    }

    #[test]
    #[should_panic(expected = "4 is not before 1")]
    fn the_check_finds_rows_out_of_order() {
        check(&[(4, "four"), (1, "one")]);
    }

    #[test]
    #[should_panic(expected = "1 is not before 1")]
    fn the_check_finds_a_number_listed_twice() {
        check(&[(1, "one"), (1, "uno")]);
    }

    #[test]
    #[should_panic(expected = "has the text of another code")]
    fn the_check_finds_a_text_listed_twice() {
        check(&[(1, "one"), (4, "One")]);
    }
}
