//! The check that the methods of a type are in its folder, so that code which changes its state is near its fields.
//!
//! The methods of a type in `a/b.rs` are in `a/` or in `a/b/`; those of a type in `a/mod.rs` are anywhere below `a/`.
//! An `impl` of a trait may stand near the trait.

use crate::Finding;
use crate::habits::words;
use crate::language::types;
use crate::source::Source;
use std::collections::BTreeMap;

/// Other places for methods, each with the reason. An entry that is not needed fails.
const ELSEWHERE: &[(&str, &str, &str)] = &[
    ("src/modem/tls.rs", "Certificate", "`tls` reads no files, and the facade may"),
    ("src/modem/tls.rs", "PrivateKey", "`tls` reads no files, and the facade may"),
];

/// Each inherent `impl` of a type of this crate outside the folder of the type.
pub(crate) fn check(sources: &[Source]) -> Vec<String> {
    let mut declared: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for source in sources {
        for (_, name) in types(&source.production) {
            declared.entry(name).or_default().push(&source.path);
        }
    }
    let (mut findings, mut needed) = (Vec::new(), vec![false; ELSEWHERE.len()]);
    for source in sources {
        for (offset, name) in impls(&source.production) {
            let Some(files) = declared.get(&name) else { continue };
            if files.iter().any(|file| is_home(file, &source.path)) {
                continue;
            }
            match ELSEWHERE.iter().position(|(file, of, _)| *file == source.path && *of == name) {
                Some(entry) => needed[entry] = true,
                None => {
                    let message = format!("an `impl` of `{name}` belongs beside {}", files.join(", "));
                    findings.push(Finding::at(source, offset, message).to_string());
                }
            }
        }
    }
    let stale = ELSEWHERE.iter().zip(&needed).filter(|(_, needed)| !**needed);
    findings.extend(stale.map(|((file, name, _), _)| format!("{file}: `{name}` needs no exception")));
    findings
}

/// Whether `file` is a place for methods of a type of `home`.
fn is_home(home: &str, file: &str) -> bool {
    let folder = |path: &str| path.rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_owned());
    let below = match home.strip_suffix("/mod.rs") {
        Some(folder) => folder,
        None => home.trim_end_matches(".rs"),
    };
    let beside = folder(home) == folder(file) && folder(home) != "src";
    // `a.rs` is the top of the files below `a/`.
    let top = file.trim_end_matches(".rs") == folder(home);
    home == file || beside || top || file.starts_with(&format!("{below}/"))
}

/// The types with an inherent `impl` in `code`, each with its place.
fn impls(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for offset in words(code, "impl") {
        let starts_item = code[..offset].rsplit('\n').next().is_some_and(|line| line.trim().is_empty());
        let head = code[offset + "impl".len()..].split(['{', ';']).next().unwrap_or_default();
        let head = without_parameters(head);
        let of = head.split(" where").next().unwrap_or_default();
        if !starts_item || !words(of, "for").is_empty() {
            continue;
        }
        let name = of.rsplit("::").next().unwrap_or_default().trim();
        if !name.is_empty() {
            found.push((offset, name.to_owned()));
        }
    }
    found
}

/// The head of an `impl` without the text between `<` and `>`.
fn without_parameters(head: &str) -> String {
    let head = head.replace("->", "");
    let mut depth = 0_usize;
    let keep = |letter: &char| {
        match letter {
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            _ => return depth == 0,
        }
        false
    };
    head.chars().filter(keep).map(|letter| if letter == '\n' { ' ' } else { letter }).collect()
}

mod tests {
    use super::*;

    fn findings(files: &[(&str, &str)]) -> Vec<String> {
        let sources: Vec<Source> = files.iter().map(|(path, text)| Source::parse(path, text)).collect();
        check(&sources).into_iter().filter(|finding| !finding.ends_with("needs no exception")).collect()
    }

    #[test]
    fn methods_in_another_folder_are_found() {
        let link = ("src/proto/channels/link.rs", "pub(super) enum Link<T> {}\nimpl<T: A<u8>> Link<T> {}\n");
        let found =
            findings(&[link, ("src/proto/engine/port.rs", "\nimpl crate::proto::Link<u8>\nwhere\n{}\n")]);
        assert_eq!(
            found,
            ["src/proto/engine/port.rs:2: an `impl` of `Link` belongs beside src/proto/channels/link.rs"]
        );
        for head in ["impl Link<u8> where for<'a> &'a u8: A {}", "impl<F: Fn() -> u8> Link<F> {}"] {
            assert_eq!(findings(&[link, ("src/proto/engine/port.rs", head)]).len(), 1, "{head}");
        }
        // The folder of a file does not include the folders below it.
        let bearer = ("src/proto/bearer.rs", "struct Bearer;");
        assert_eq!(findings(&[bearer, ("src/proto/engine/port.rs", "impl Bearer {}")]).len(), 1);
        assert_eq!(findings(&[("src/config.rs", "struct C;"), ("src/time.rs", "impl C {}")]).len(), 1);
    }

    #[test]
    fn methods_in_the_folder_and_below_it_are_allowed() {
        let engine = ("src/proto/engine/mod.rs", "pub struct Engine {}");
        assert_eq!(findings(&[engine, ("src/proto/engine/urcs.rs", "impl Engine {}")]), [] as [&str; 0]);
        let kinds = ("src/luat/pattern/kinds.rs", "pub enum Pattern {}");
        assert_eq!(findings(&[kinds, ("src/luat/pattern.rs", "impl Pattern {}")]), [] as [&str; 0]);
        let error = ("src/error/mod.rs", "pub enum Error {}");
        let traits =
            "impl From<A> for Error {}\nfn f(_: impl Fn()) -> impl Error {}\nimpl fmt::Debug for Error {}";
        assert_eq!(findings(&[error, ("src/modem/delivery.rs", traits)]), [] as [&str; 0]);
    }

    #[test]
    fn an_unneeded_exception_is_found() {
        assert_eq!(check(&[]).len(), ELSEWHERE.len());
    }
}
