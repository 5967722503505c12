//! A Rust source file in the form for checks: comments and the contents of strings are blanked, and parts for tests are
//! blanked on request.
//!
//! Blanking keeps the position of every byte, so a line number in the blanked text is one in the file.

use std::ops::Range;

/// A source file.
pub(crate) struct Source {
    /// The path from the root of the project, with `/`: `src/at/cme.rs`.
    pub(crate) path: String,
    /// The text of the file.
    pub(crate) text: String,
    /// The text with blanks in place of comments, strings and character literals.
    pub(crate) code: String,
    /// `code` without the parts that `#[cfg(test)]` guards.
    pub(crate) production: String,
    /// The strings of the production code, with their lines.
    pub(crate) literals: Vec<(usize, String)>,
}

impl Source {
    pub(crate) fn parse(path: &str, text: &str) -> Self {
        let (code, strings) = blank_text(text);
        let tests = test_parts(&code);
        let production = blank_ranges(&code, &tests);
        let literals = strings
            .into_iter()
            .filter(|string| !tests.iter().any(|part| part.contains(&string.start)))
            .map(|string| (line_at(text, string.start), text[string].to_owned()))
            .collect();
        Self { path: path.to_owned(), text: text.to_owned(), code, production, literals }
    }

    /// The path of the module in this file: `["at", "cme"]`, empty for `src/lib.rs`.
    pub(crate) fn module(&self) -> Vec<&str> {
        let inside = self.path.strip_prefix("src/").unwrap_or(&self.path);
        let mut parts: Vec<&str> = inside.trim_end_matches(".rs").split('/').collect();
        if matches!(parts.last(), Some(&"mod" | &"lib")) {
            parts.pop();
        }
        parts
    }

    /// The number of lines that are not test code.
    pub(crate) fn production_lines(&self) -> usize {
        let tests = test_parts(&self.code);
        let inside: usize = tests
            .iter()
            .map(|part| line_at(&self.code, part.end - 1) - line_at(&self.code, part.start) + 1)
            .sum();
        self.text.lines().count() - inside
    }

    /// The modules in their own files that exist only in tests: their module paths, `["at", "tests"]`.
    pub(crate) fn test_modules(&self) -> Vec<Vec<String>> {
        test_parts(&self.code)
            .into_iter()
            .filter_map(|part| module_declared_in(&self.code[part]))
            .map(|name| {
                let mut module: Vec<String> = self.module().into_iter().map(str::to_owned).collect();
                module.push(name);
                module
            })
            .collect()
    }

    /// Blanks the whole file, because it exists only in tests.
    pub(crate) fn exempt(&mut self) {
        self.production = blank_ranges(&self.code, std::slice::from_ref(&(0..self.code.len())));
        self.literals.clear();
    }
}

/// The number of the line, from 1, that contains the byte at `offset`.
pub(crate) fn line_at(text: &str, offset: usize) -> usize {
    1 + text.as_bytes()[..offset].iter().filter(|&&byte| byte == b'\n').count()
}

/// The offset after the bracket that closes the one at `open`, or the end of the text.
pub(crate) fn after_closing(code: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (offset, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' | b'(' | b'[' => depth += 1,
            b'}' | b')' | b']' => depth = depth.saturating_sub(1),
            _ => continue,
        }
        if depth == 0 {
            return offset + 1;
        }
    }
    code.len()
}

fn blank_ranges(text: &str, ranges: &[Range<usize>]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for byte in ranges.iter().flat_map(|range| range.clone()) {
        if bytes[byte] != b'\n' {
            bytes[byte] = b' ';
        }
    }
    // Each character was replaced by blanks of the same length in bytes.
    String::from_utf8(bytes).expect("blanking keeps UTF-8 whole")
}

/// The text without comments and strings, and the ranges of the strings' contents.
fn blank_text(text: &str) -> (String, Vec<Range<usize>>) {
    let mut blanks = Vec::new();
    let mut strings = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let previous = text[..at].chars().next_back();
        if rest.starts_with("//") {
            let end = at + rest.find('\n').unwrap_or(rest.len());
            blanks.push(at..end);
            at = end;
        } else if rest.starts_with("/*") {
            let end = at + block_comment(rest);
            blanks.push(at..end);
            at = end;
        } else if let Some((inside, end)) = string(rest, previous) {
            strings.push(at + inside.start..at + inside.end);
            blanks.push(at + inside.start..at + inside.end);
            at += end;
        } else if let Some(end) = character(rest) {
            blanks.push(at + 1..at + end - 1);
            at += end;
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    (blank_ranges(text, &blanks), strings)
}

/// The length of the comment at the start of `text`. Comments nest.
fn block_comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                break;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    at
}

/// The range of the content and the end of the string at the start of `text`: `".."`, `b".."`, `r#".."#` and their
/// combinations.
fn string(text: &str, previous: Option<char>) -> Option<(Range<usize>, usize)> {
    let prefix = ["br", "cr", "b", "c", "r", ""]
        .into_iter()
        .find(|prefix| text.starts_with(prefix) && text[prefix.len()..].starts_with(['"', '#']))?;
    if !prefix.is_empty() && previous.is_some_and(|c| c.is_alphanumeric() || c == '_') {
        return None;
    }
    let raw = prefix.ends_with('r');
    let hashes = if raw { text[prefix.len()..].bytes().take_while(|&byte| byte == b'#').count() } else { 0 };
    let start = prefix.len() + hashes + 1;
    if text.as_bytes().get(start - 1) != Some(&b'"') {
        return None;
    }
    if raw {
        let close = format!("\"{}", "#".repeat(hashes));
        let end = text[start..].find(&close).map_or(text.len(), |found| start + found);
        return Some((start..end, (end + close.len()).min(text.len())));
    }
    let mut escaped = false;
    let length = text[start..].bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    let end = length.map_or(text.len(), |length| start + length);
    Some((start..end, (end + 1).min(text.len())))
}

/// The length of the character literal at the start of `text`; `None` for a lifetime.
fn character(text: &str) -> Option<usize> {
    let inside = text.strip_prefix('\'')?;
    let first = inside.chars().next()?;
    if first == '\\' {
        // The escaped character may be a quote.
        return inside.get(2..)?.find('\'').map(|found| found + 4);
    }
    inside[first.len_utf8()..].starts_with('\'').then(|| first.len_utf8() + 2)
}

/// The ranges of the items that exist only in tests, with their attributes.
fn test_parts(code: &str) -> Vec<Range<usize>> {
    let mut parts: Vec<Range<usize>> = Vec::new();
    for (start, _) in code.match_indices("#[") {
        let inside_another = parts.last().is_some_and(|part| start < part.end);
        let end = after_closing(code, start + 1);
        let attribute: String = code[start..end].split_whitespace().collect();
        let guards = attribute.starts_with("#[cfg(test") || attribute.starts_with("#[cfg(all(test");
        if guards && !inside_another {
            parts.push(start..item_end(code, end));
        }
    }
    parts
}

/// The end of the item at `start`, which may begin with further attributes.
fn item_end(code: &str, start: usize) -> usize {
    let mut at = start + code[start..].len() - code[start..].trim_start().len();
    while code[at..].starts_with("#[") {
        at = after_closing(code, at + 1);
        at += code[at..].len() - code[at..].trim_start().len();
    }
    let words: Vec<&str> = code[at..].split_whitespace().take(3).collect();
    let item = words.iter().position(|word| !word.starts_with("pub")).unwrap_or(0);
    let is_value = matches!(words.get(item), Some(&"use" | &"static" | &"type"))
        || (words.get(item) == Some(&"const") && words.get(item + 1) != Some(&"fn"));
    while at < code.len() {
        match code.as_bytes()[at] {
            b';' => return at + 1,
            b'{' if !is_value => return after_closing(code, at),
            b'{' | b'(' | b'[' => at = after_closing(code, at),
            _ => at += 1,
        }
    }
    code.len()
}

fn module_declared_in(item: &str) -> Option<String> {
    let declaration = item.trim().strip_suffix(';')?;
    let mut words = declaration.split_whitespace().rev();
    let name = words.next()?;
    (words.next()? == "mod").then(|| name.to_owned())
}

mod tests {
    use super::*;

    #[test]
    fn comments_and_strings_are_blank_and_lines_stay() {
        let source =
            Source::parse("src/x.rs", "let a = \"use io\"; // dbg!\n/* a /* b */\n c */ let b = 'q';\n");
        assert_eq!(source.code, "let a = \"      \";        \n            \n      let b = ' ';\n");
        assert_eq!(source.literals, [(1, "use io".to_owned())]);
    }

    #[test]
    fn the_end_of_every_kind_of_string_is_found() {
        for text in [
            r#""a\"b""#,
            r##"r#"a"b"#"##,
            r#"b"a\\""#,
            r##"br#"a\"#"##,
            r#"'"'"#,
            r"'\''",
            r"'\u{1F600}'",
            "'\u{e4}'",
        ] {
            let source = Source::parse("src/x.rs", &format!("x({text}, dbg)"));
            let left: String = source.code.chars().filter(|c| c.is_ascii_alphabetic()).collect();
            assert!(["xdbg", "xrdbg", "xbdbg", "xbrdbg"].contains(&left.as_str()), "{text}: {}", source.code);
        }
    }

    #[test]
    fn a_lifetime_is_not_a_character() {
        let source = Source::parse("src/x.rs", "fn f<'a>(x: &'a str, y: &'static str) { g('x') }");
        assert_eq!(source.code, "fn f<'a>(x: &'a str, y: &'static str) { g(' ') }");
    }

    #[test]
    fn a_raw_identifier_is_not_a_string() {
        assert_eq!(Source::parse("src/x.rs", "let r#type = 1;").code, "let r#type = 1;");
    }

    #[test]
    fn parts_for_tests_are_no_production_code() {
        let text = "use a;\n#[cfg(test)]\nuse b::{c, d};\nfn e() {}\n#[cfg(test)]\n#[allow(x)]\nmod tests {\n fn f() {}\n}\nfn g() {}\n";
        let source = Source::parse("src/x.rs", text);
        let words: Vec<&str> = source.production.split_whitespace().collect();
        assert_eq!(words, ["use", "a;", "fn", "e()", "{}", "fn", "g()", "{}"]);
        assert_eq!(source.production_lines(), 3);
    }

    #[test]
    fn a_part_that_exists_without_tests_is_production_code() {
        let text = "#[cfg(any(test, feature = \"sim\"))]\nfn a() {}\n";
        assert!(Source::parse("src/x.rs", text).production.contains("fn a"));
    }

    #[test]
    fn a_test_module_in_its_own_file_is_recognised() {
        let source =
            Source::parse("src/at/mod.rs", "mod a;\n#[cfg(test)]\npub(crate) mod samples;\nmod b;\n");
        assert_eq!(source.test_modules(), [vec!["at".to_owned(), "samples".to_owned()]]);
        assert!(source.production.contains("mod b;"));
    }

    #[test]
    fn a_file_knows_its_module() {
        assert_eq!(Source::parse("src/at/cme.rs", "").module(), ["at", "cme"]);
        assert_eq!(Source::parse("src/at/mod.rs", "").module(), ["at"]);
        assert!(Source::parse("src/lib.rs", "").module().is_empty());
    }
}
