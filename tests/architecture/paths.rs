//! The paths in code: those of `use` trees in full, and those of expressions.

/// A path, and the line of its last part.
#[derive(Debug, PartialEq)]
pub(crate) struct Path {
    pub(crate) segments: Vec<String>,
    pub(crate) line: usize,
    pub(crate) import: Import,
}

impl Path {
    /// Whether the path is in a `pub use`.
    pub(crate) fn is_public(&self) -> bool {
        self.import == Import::Public
    }
}

#[derive(Debug, PartialEq)]
enum Token {
    Name(String),
    Separator,
    Mark(char),
}

/// Every path of two or more parts in `code`, and every name in a `use`, as seen from the module of the file. Comments
/// and strings have to be blank.
pub(crate) fn paths(code: &str) -> Vec<Path> {
    let tokens = tokens(code);
    let mut found = Vec::new();
    // For each open brace: whether it is that of a module.
    let mut open: Vec<bool> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        match tokens[at].0 {
            Token::Mark('{') => open.push(opens_module(&tokens[..at])),
            Token::Mark('}') => drop(open.pop()),
            _ => {}
        }
        let Some(import) = start_of_path(&tokens, at) else {
            at += 1;
            continue;
        };
        let first = found.len();
        at = tree(&tokens, at, &[], &mut found);
        let depth = open.iter().filter(|is_module| **is_module).count();
        for path in &mut found[first..] {
            let path: &mut Path = path;
            path.import = import;
            leave_modules(&mut path.segments, depth);
        }
        if import == Import::None && found[first].segments.len() < 2 {
            found.truncate(first);
        }
    }
    found
}

/// Whether the tokens before a brace make it that of a module: `mod name`.
fn opens_module(before: &[(Token, usize)]) -> bool {
    matches!(before, [.., (Token::Name(item), _), (Token::Name(_), _)] if item == "mod")
}

/// Converts a path in a module that is `depth` modules below the file into a path in the file.
fn leave_modules(segments: &mut Vec<String>, depth: usize) {
    let ups = segments.iter().take_while(|segment| *segment == "super").count();
    segments.drain(..ups.min(depth));
    if ups > 0 && ups <= depth {
        segments.insert(0, "self".to_owned());
    }
}

/// The item that contains a path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Import {
    /// An expression or a type.
    None,
    /// `use`.
    Private,
    /// `pub(crate) use`, `pub(super) use`.
    Restricted,
    /// `pub use`.
    Public,
}

/// The item that contains the path at `at`; `None` if no path starts there.
fn start_of_path(tokens: &[(Token, usize)], at: usize) -> Option<Import> {
    if !matches!(tokens[at].0, Token::Name(_)) {
        return None;
    }
    let token = |back: usize| at.checked_sub(back).map(|index| &tokens[index].0);
    let is = |token: Option<&Token>, name: &str| matches!(token, Some(Token::Name(own)) if own == name);
    // `::std::io` names the crate `std`.
    let global = usize::from(token(1) == Some(&Token::Separator));
    match token(1 + global) {
        Some(Token::Name(name)) if name == "use" => {
            let before = token(2 + global);
            Some(match is(before, "pub") {
                true => Import::Public,
                false if before == Some(&Token::Mark(')')) => Import::Restricted,
                false => Import::Private,
            })
        }
        // The second part of `std::io`, or a method after a turbofish.
        Some(Token::Name(_) | Token::Mark('>')) if global == 1 => None,
        Some(Token::Mark('.')) => None,
        _ => Some(Import::None),
    }
}

/// Reads the tree at `at` below `prefix`, and returns its end.
fn tree(tokens: &[(Token, usize)], mut at: usize, prefix: &[String], found: &mut Vec<Path>) -> usize {
    let mut segments = prefix.to_vec();
    while let Some((token, line)) = tokens.get(at) {
        let line = *line;
        match token {
            Token::Name(name) => segments.push(name.clone()),
            Token::Mark('*') => segments.push("*".to_owned()),
            Token::Mark('{') => return group(tokens, at + 1, &segments, found),
            _ => return at,
        }
        at += 1;
        if tokens.get(at).map(|(token, _)| token) != Some(&Token::Separator)
            || segments.last().is_some_and(|s| s == "*")
        {
            found.push(Path { segments, line, import: Import::None });
            return at;
        }
        at += 1;
        let goes_on = matches!(tokens.get(at), Some((Token::Name(_) | Token::Mark('*' | '{'), _)));
        if !goes_on {
            // A turbofish: `Vec::<u8>::new`.
            found.push(Path { segments, line, import: Import::None });
            return at;
        }
    }
    at
}

/// Reads `a, b::c, d as e}` below `prefix`, and returns the end of the group.
fn group(tokens: &[(Token, usize)], mut at: usize, prefix: &[String], found: &mut Vec<Path>) -> usize {
    while let Some((token, _)) = tokens.get(at) {
        match token {
            Token::Mark('}') => return at + 1,
            Token::Name(name) if name == "as" => at += 2,
            Token::Name(_) | Token::Mark('*' | '{') => at = tree(tokens, at, prefix, found),
            Token::Separator | Token::Mark(_) => at += 1,
        }
    }
    at
}

fn tokens(code: &str) -> Vec<(Token, usize)> {
    let mut tokens = Vec::new();
    let mut line = 1;
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let length = if first.is_alphabetic() || first == '_' {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            tokens.push((Token::Name(rest[..end].to_owned()), line));
            end
        } else if rest.starts_with("::") {
            tokens.push((Token::Separator, line));
            2
        } else {
            if first == '\n' {
                line += 1;
            }
            if !first.is_whitespace() {
                tokens.push((Token::Mark(first), line));
            }
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    tokens
}

mod tests {
    use super::*;

    fn named(code: &str) -> Vec<String> {
        paths(code).into_iter().map(|path| path.segments.join("::")).collect()
    }

    #[test]
    fn every_path_of_a_use_tree_is_found() {
        assert_eq!(
            named("use std::{fmt, io::{self, Read as R}, collections::*};\nuse nom;"),
            ["std::fmt", "std::io::self", "std::io::Read", "std::collections::*", "nom"]
        );
    }

    #[test]
    fn paths_in_expressions_and_types_are_found() {
        assert_eq!(
            named(
                "fn f(x: std::io::Result<crate::time::Timestamp>) { ::std::thread::sleep(x.y::<u8>()); a.b }"
            ),
            ["std::io::Result", "crate::time::Timestamp", "std::thread::sleep"]
        );
    }

    #[test]
    fn a_method_after_a_turbofish_is_no_separate_path() {
        assert_eq!(named("Vec::<u8>::new(); Instant::now()"), ["Instant::now"]);
    }

    #[test]
    fn every_path_has_the_line_of_its_name() {
        let lines: Vec<usize> = paths("use std::{\n  fmt,\n  io,\n};").iter().map(|path| path.line).collect();
        assert_eq!(lines, [2, 3]);
    }

    #[test]
    fn a_path_in_an_inline_module_is_converted_to_one_of_the_file() {
        let code = "mod a { use super::B; mod c { fn f(x: super::super::super::D) {} } } use super::E;";
        assert_eq!(named(code), ["self::B", "super::D", "super::E"]);
    }

    #[test]
    fn only_a_pub_use_is_public() {
        let public = |code: &str| paths(code)[0].is_public();
        assert!(public("pub use at::Urc;"));
        assert!(public("mod at;\npub use at::{Urc, Token};"));
        assert!(!public("pub(crate) use at::Urc;"));
        assert!(!public("use at::Urc;"));
    }
}
