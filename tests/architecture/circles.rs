//! Files that import each other in a circle. None of them can be read, tested or moved without the others.
//!
//! An import is a path through `crate`, `super`, `self` or a child module, followed through re-exports to the file that
//! declares the name. A re-export is no import: `mod.rs` may name its children, and they may name their siblings
//! through it.

use crate::paths::{Import, Path, paths};
use crate::source::Source;
use std::collections::{BTreeMap, BTreeSet};

/// The remaining circles, each with its files below `src/`. The list only shrinks; empty is best.
const LEFT: &[&[&str]] = &[];

/// Files in a circle that is not listed, and listed files that are in no circle.
pub(crate) fn compare(found: &[Vec<String>]) -> (Vec<String>, Vec<String>) {
    compare_with(LEFT, found)
}

fn compare_with(left: &[&[&str]], found: &[Vec<String>]) -> (Vec<String>, Vec<String>) {
    let listed = |circle: &[&str], file: &String| circle.contains(&file.trim_start_matches("src/"));
    let new = found.iter().filter_map(|files| {
        // The listed circle with the most common files is the one that grew.
        let common = |circle: &&&[&str]| files.iter().filter(|file| listed(circle, file)).count();
        let circle = left.iter().max_by_key(common).copied().unwrap_or_default();
        let new: Vec<&str> = files.iter().filter(|file| !listed(circle, file)).map(String::as_str).collect();
        (!new.is_empty()).then(|| format!("{} (of {} files)", new.join(", "), files.len()))
    });
    let in_circles: BTreeSet<&str> =
        found.iter().flatten().map(|file| file.trim_start_matches("src/")).collect();
    let gone = left.iter().flat_map(|circle| circle.iter()).filter(|file| !in_circles.contains(*file));
    (new.collect(), gone.map(|file| (*file).to_owned()).collect())
}

/// Each circle with its files, in order.
pub(crate) fn circles(sources: &[Source]) -> Vec<Vec<String>> {
    let crate_ = Crate::new(sources);
    let imports: BTreeMap<&str, BTreeSet<&str>> =
        sources.iter().map(|source| (source.path.as_str(), crate_.imports(source))).collect();
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        imports.keys().map(|file| (*file, reachable(file, &imports))).collect();
    let mut circles: BTreeSet<Vec<String>> = BTreeSet::new();
    for (file, others) in &reached {
        if others.contains(file) {
            let back = others.iter().filter(|other| reached[*other].contains(file));
            circles.insert(back.map(|file| (*file).to_owned()).collect());
        }
    }
    circles.into_iter().collect()
}

/// The files that `from` imports directly and indirectly.
fn reachable<'a>(from: &str, imports: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&str> = imports[from].iter().copied().collect();
    while let Some(file) = open.pop() {
        if reached.insert(file) {
            open.extend(&imports[file]);
        }
    }
    reached
}

/// The modules of the crate, by their paths.
struct Crate<'a> {
    modules: BTreeMap<Vec<&'a str>, Module<'a>>,
}

struct Module<'a> {
    file: &'a str,
    paths: Vec<Path>,
}

impl<'a> Crate<'a> {
    fn new(sources: &'a [Source]) -> Self {
        let module = |source: &'a Source| {
            (source.module(), Module { file: &source.path, paths: paths(&source.production) })
        };
        Self { modules: sources.iter().map(module).collect() }
    }

    /// The files that a file imports. `lib.rs` is the index of the parts and imports none.
    fn imports(&self, source: &'a Source) -> BTreeSet<&'a str> {
        let module = source.module();
        if module.is_empty() {
            return BTreeSet::new();
        }
        let is_import = |path: &&Path| matches!(path.import, Import::None | Import::Private);
        let paths = self.modules[&module].paths.iter().filter(is_import);
        let files = paths.filter_map(|path| self.file_of(&self.inside(&path.segments, &module)?, 8));
        files.filter(|file| *file != source.path).collect()
    }

    /// The path from the root of the crate; `None` for a path of another crate.
    fn inside<'s>(&self, segments: &'s [String], module: &[&'s str]) -> Option<Vec<&'s str>> {
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        match segments[..] {
            ["crate", ref rest @ ..] => Some(rest.to_vec()),
            ["self", ref rest @ ..] => Some([module, rest].concat()),
            ["super", ..] => {
                let ups = segments.iter().take_while(|segment| **segment == "super").count();
                Some([&module[..module.len().checked_sub(ups)?], &segments[ups..]].concat())
            }
            [first, ..] => {
                let child = [module, &[first][..]].concat();
                self.modules.contains_key(&child).then(|| [module, &segments[..]].concat())
            }
            [] => None,
        }
    }

    /// The file that declares the name of a path: the deepest module on the path, or the source of its re-export.
    fn file_of(&self, path: &[&str], depth: usize) -> Option<&'a str> {
        let length = (0..=path.len()).rev().find(|length| self.modules.contains_key(&path[..*length]))?;
        let (module, rest) = path.split_at(length);
        let found = &self.modules[module];
        let name = rest.first().filter(|name| !matches!(**name, "self" | "*"));
        let from = name.filter(|_| depth > 0).and_then(|name| {
            let imports = found.paths.iter().filter(|path| path.import != Import::None);
            let mut named = imports.filter(|path| path.segments.last().is_some_and(|last| last == name));
            named.find_map(|path| self.file_of(&self.inside(&path.segments, module)?, depth - 1))
        });
        // The root declares no name.
        from.or((!module.is_empty()).then_some(found.file))
    }
}

mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<Vec<String>> {
        let sources: Vec<Source> = files.iter().map(|(path, text)| Source::parse(path, text)).collect();
        circles(&sources)
    }

    #[test]
    fn two_files_that_name_each_other_are_a_circle() {
        let a = ("src/at/a.rs", "use super::b::B;");
        let circle = [["src/at/a.rs".to_owned(), "src/at/b.rs".to_owned()].to_vec()];
        assert_eq!(found(&[a, ("src/at/b.rs", "fn f() -> crate::at::a::A {}")]), circle);
        assert_eq!(found(&[a, ("src/at/b.rs", "use super::{a, c};")]), circle);
        assert_eq!(
            found(&[a, ("src/at/b.rs", "// use super::a::A;\n#[cfg(test)]\nuse super::a::A;")]),
            [] as [Vec<String>; 0]
        );
    }

    #[test]
    fn an_inline_module_may_name_its_file_and_counts_as_the_file() {
        let inside = ("src/at/a.rs", "mod inside { use super::A; }\nstruct A;");
        let folder = ("src/at/mod.rs", "use a::A;\nmod a;");
        assert_eq!(found(&[inside, folder]), [] as [Vec<String>; 0]);
        let other = ("src/at/b.rs", "mod inside { use super::super::a::A; }");
        let back = ("src/at/a.rs", "use super::b::B;");
        assert_eq!(found(&[other, back]), [["src/at/a.rs".to_owned(), "src/at/b.rs".to_owned()].to_vec()]);
    }

    #[test]
    fn a_circle_is_found_through_other_files_and_re_exports() {
        let all = ["src/at/a.rs", "src/at/mod.rs", "src/b.rs", "src/c.rs"];
        let sources = [
            (all[0], "use crate::b::B;"),
            (all[1], "mod a;\npub(crate) use a::A;\npub struct C;"),
            (all[2], "use crate::c::C;"),
            (all[3], "use crate::at::A;"),
        ];
        assert_eq!(found(&sources), [[all[0].to_owned(), all[2].to_owned(), all[3].to_owned()].to_vec()]);
    }

    #[test]
    fn re_exports_within_a_folder_are_no_circle() {
        let folder = ("src/at/mod.rs", "mod a;\nmod b;\npub use a::A;\npub(super) use b::B;");
        assert_eq!(
            found(&[folder, ("src/at/a.rs", "use super::B;"), ("src/at/b.rs", "")]),
            [] as [Vec<String>; 0]
        );
    }

    #[test]
    fn a_folder_and_its_file_that_use_each_other_are_a_circle() {
        let folder = ("src/at/mod.rs", "mod a;\nuse a::A;\npub struct C(A);");
        let file = ("src/at/a.rs", "use super::C;");
        assert_eq!(found(&[folder, file]), [["src/at/a.rs".to_owned(), "src/at/mod.rs".to_owned()].to_vec()]);
    }

    #[test]
    fn a_circle_may_shrink_but_not_grow() {
        let circle = |files: &[&str]| files.iter().map(|file| format!("src/{file}.rs")).collect::<Vec<_>>();
        let left: &[&[&str]] = &[&["a.rs", "b.rs", "c.rs"]];
        let none: Vec<String> = Vec::new();
        assert_eq!(compare_with(left, &[circle(&["a", "b", "c"])]), (none.clone(), none.clone()));
        assert_eq!(compare_with(left, &[circle(&["a", "b"])]), (none.clone(), vec!["c.rs".to_owned()]));
        let grown = vec!["src/d.rs (of 4 files)".to_owned()];
        assert_eq!(compare_with(left, &[circle(&["a", "b", "c", "d"])]), (grown, none.clone()));
        assert_eq!(compare_with(&[], &[circle(&["a", "b"])]).0, ["src/a.rs, src/b.rs (of 2 files)"]);
    }
}
