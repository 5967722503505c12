//! The language of sources and documents: words that make a sentence hard to read, names without meaning, and
//! references that a reader of the repository can't follow.

use crate::source::Source;
use crate::{Finding, root};
use std::fs;
use std::path::Path;

/// Refused words and phrases, in text and in names, each with the replacement. `#` is a number.
const REFUSED: &[(&str, &str)] = &[
    ("nobody", PERSON),
    ("nobodys", PERSON),
    ("whoever", PERSON),
    ("whom", PERSON),
    ("somebody", PERSON),
    ("everybody", PERSON),
    ("anybody", PERSON),
    ("anybodys", PERSON),
    ("someone", PERSON),
    ("anyone", PERSON),
    ("everyone", PERSON),
    ("no one", PERSON),
    ("who has", PERSON),
    ("who does", PERSON),
    ("who asks", PERSON),
    ("who is", PERSON),
    ("who sent", PERSON),
    ("who wait", PERSON),
    ("who waits", PERSON),
    ("who wants", PERSON),
    ("those who", PERSON),
    ("one who", PERSON),
    ("he", PERSON),
    ("him", PERSON),
    ("his", PERSON),
    ("himself", PERSON),
    ("tell", SPEECH),
    ("tells", SPEECH),
    ("told", SPEECH),
    ("telling", SPEECH),
    ("untold", SPEECH),
    ("hear", SPEECH),
    ("hears", SPEECH),
    ("heard", SPEECH),
    ("hearing", SPEECH),
    ("unheard", SPEECH),
    ("owe", SPEECH),
    ("owes", SPEECH),
    ("owed", SPEECH),
    ("owing", SPEECH),
    ("happening", EVENT),
    ("happenings", EVENT),
    ("so long", AMOUNT),
    ("so many", AMOUNT),
    ("so much", AMOUNT),
    ("so often", AMOUNT),
    ("anew", "write `again`, or say what is done a second time"),
    ("patience", METAPHOR),
    ("nudge", METAPHOR),
    ("nudges", METAPHOR),
    ("forsake", METAPHOR),
    ("forsaken", METAPHOR),
    ("fenced line", METAPHOR),
    ("swallow", METAPHOR),
    ("swallows", METAPHOR),
    ("swallowed", METAPHOR),
    ("swallowing", METAPHOR),
    ("hopeless", METAPHOR),
    ("said outright", METAPHOR),
    ("lost sight", METAPHOR),
    ("taken in vain", METAPHOR),
    ("goes dark", METAPHOR),
    ("however late", CASES),
    ("however little", CASES),
    ("however the", CASES),
    ("however its", CASES),
    ("that is none", KIND),
    ("that was none", KIND),
    ("which is none", KIND),
    ("as much again", AMOUNT),
    ("is said of", SPEECH),
    ("behind ok", ORDER),
    ("behind a text", ORDER),
    ("behind an empty line", ORDER),
    ("behind damage", ORDER),
    ("right behind", ORDER),
    ("behind the answer", ORDER),
    ("behind the close", ORDER),
    ("behind the command", ORDER),
    ("behind the data", ORDER),
    ("behind the escape", ORDER),
    ("behind the header", ORDER),
    ("behind the line", ORDER),
    ("behind the payload", ORDER),
    ("behind the prompt", ORDER),
    ("behind the question", ORDER),
    ("behind the result", ORDER),
    ("behind the send", ORDER),
    ("clients.md", DOCUMENT),
    ("variants.md", DOCUMENT),
    ("variants section", DOCUMENT),
    ("the seed s", DOCUMENT),
    ("trap #", DOCUMENT),
    ("behavior", BRITISH),
    ("center", BRITISH),
    ("color", BRITISH),
    ("canceled", BRITISH),
    ("favor", BRITISH),
    ("honor", BRITISH),
    ("neighbor", BRITISH),
    ("labeled", BRITISH),
    ("modeled", BRITISH),
    ("signaled", BRITISH),
    ("analyze", BRITISH),
    ("initialize", BRITISH),
    ("initialized", BRITISH),
    ("initialization", BRITISH),
    ("initializing", BRITISH),
    ("normalize", BRITISH),
    ("normalized", BRITISH),
    ("optimize", BRITISH),
    ("optimized", BRITISH),
    ("optimizer", BRITISH),
    ("recognize", BRITISH),
    ("recognized", BRITISH),
    ("resynchronize", BRITISH),
    ("serialize", BRITISH),
    ("serialized", BRITISH),
    ("synchronize", BRITISH),
    ("synchronized", BRITISH),
];

const PERSON: &str = "the subject is the program, the value or the caller";
const SPEECH: &str = "a program reports, shows, receives, distinguishes, or waits for something";
const EVENT: &str = "write `event` or `entry`";
const AMOUNT: &str = "write `at most N`, `for this span`, `this number of`";
const METAPHOR: &str = "write what happens: a time-out, an attempt, an abandoned request, skipped bytes";
const KIND: &str = "name the kind: `another kind of server`, `a false report`";
const CASES: &str = "write `in every form`, `after any delay`, `for every split`";
const ORDER: &str = "write `after` for what follows in time or on a line";
const DOCUMENT: &str = "name a source that a reader of the repository can open";
const BRITISH: &str = "the spelling is British";

/// Places at which a refused word may stand, each with the reason. An entry that is not needed fails.
const MAY_STAND: &[(&str, &str, &str)] = &[
    ("CHANGELOG.md", "tell", "the former names of functions, which were renamed"),
    ("CHANGELOG.md", "hear", "the former name of a function, which was renamed"),
    ("CHANGELOG.md", "happening", "the former names of types, which were renamed"),
    ("CHANGELOG.md", "happenings", "the former names of functions, which were renamed"),
    ("examples/doctor.rs", "patience", "the name of an option that users know"),
    (".ci/mutants", "color", "the name of an option of other programs"),
    (".ci/run", "analyze", "the name of a program of systemd"),
    ("contrib/README.md", "analyze", "the name of a program of systemd"),
    (".ci/run", "center", "the output of gnokii, a program of others"),
    (".ci/run", "color", "the name of an option of other programs"),
    ("examples/terminal/editor.rs", "color", "the name of a setting of rustyline"),
    ("examples/sim.rs", "color", "the name of a variable that many programs read"),
    ("src/at/fields.rs", "recognize", "the name of a parser of nom"),
    ("src/modem/asynchronous/tokio.rs", "initialize", "the name of a function of tokio"),
    ("src/capture/import/marks.txt", "initializing", "what a program of others prints"),
];

/// Type names that are questions, participles or metaphors, and do not say what a value of the type is.
const NO_TYPE: &[&str] = &[
    "What", "Why", "When", "Where", "Who", "Whose", "Which", "How", "Told", "Seen", "Taking", "Given",
    "Asked", "Held", "Carries", "Dial", "Fed", "Follow", "Forsaken", "Heard", "Heart", "Leading", "Making",
    "Means", "Nudge", "Peeled", "Says", "Strays", "Unasked", "Unproved", "Unsure", "Untold",
];

/// Types with such a name today. The list only shrinks. An entry that is not needed fails.
const NAMED_SO: &[(&str, &str)] = &[];

/// File names that do not say what is in the file.
const NO_FILE: &[&str] = &[
    "acts",
    "anew",
    "asked",
    "beats",
    "carries",
    "check",
    "contract",
    "counted",
    "drive",
    "expiry",
    "face",
    "fence",
    "flight",
    "fresh",
    "given",
    "halves",
    "happening",
    "harm",
    "heard",
    "heart",
    "keeper",
    "lead",
    "leader",
    "leading",
    "lessons",
    "making",
    "narrator",
    "news",
    "owner",
    "patience",
    "peel",
    "people",
    "plus",
    "polled",
    "question",
    "scene",
    "secure",
    "sent",
    "stage",
    "story",
    "suspicion",
    "tail",
    "taught",
    "told",
    "traffic",
    "turn",
    "turns",
    "unasked",
    "watch",
    "watched",
    "words",
    "world",
];

/// Type names that two files of a layer declare today. The list only shrinks. An entry that is not needed fails.
const TWICE: &[(&str, &str)] = &[];

/// Folders with old sentences. The list only shrinks. An entry that is not needed fails.
const PENDING: &[&str] = &[];

/// A text file: its path and its text.
pub(crate) struct Page {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// The refused words in `pages`, and the unneeded entries of the lists above.
pub(crate) fn check_words(pages: &[Page]) -> Vec<String> {
    let mut needed = vec![false; MAY_STAND.len()];
    let mut pending = vec![false; PENDING.len()];
    let mut findings = Vec::new();
    for page in pages {
        for (line, phrase, advice) in refused(&page.text) {
            let excused = MAY_STAND.iter().position(|(path, word, _)| *path == page.path && *word == phrase);
            let folder = PENDING.iter().position(|folder| page.path.starts_with(folder));
            if let Some(entry) = excused {
                needed[entry] = true;
            } else if let Some(folder) = folder {
                pending[folder] = true;
            } else {
                findings.push(format!("{}:{line}: `{phrase}`: {advice}", page.path));
            }
        }
    }
    let stale = MAY_STAND.iter().zip(&needed).filter(|(_, needed)| !**needed);
    findings.extend(stale.map(|((path, word, _), _)| format!("{path}: `{word}` needs no exception")));
    let done = PENDING.iter().zip(&pending).filter(|(_, pending)| !**pending);
    findings.extend(done.map(|(folder, _)| format!("{folder}: is mended; take it off the list")));
    findings
}

/// Words that begin no title: a title is a noun, not a question.
const NO_TITLE: &[&str] =
    &["What", "Which", "Whether", "How", "Where", "Why", "Who", "Whose", "When", "That", "It", "Nobody"];

/// Files whose first line is a question in place of a title.
pub(crate) fn check_titles(sources: &[Source]) -> Vec<String> {
    let title = |source: &Source| {
        let (index, line) = source.text.lines().enumerate().find(|(_, line)| line.starts_with("//! "))?;
        let word = line["//! ".len()..].split(|c: char| !c.is_alphanumeric()).next()?.to_owned();
        NO_TITLE.contains(&word.as_str()).then(|| {
            let message = format!("`{word} ..`: a file begins with a title, a noun");
            Finding::new(source, index + 1, message).to_string()
        })
    };
    sources.iter().filter_map(title).collect()
}

/// Types whose documentation begins with a question in place of a noun.
pub(crate) fn check_type_titles(sources: &[Source]) -> Vec<String> {
    let mut findings = Vec::new();
    for source in sources {
        let declared = types(&source.code);
        let mut title = None;
        for (index, line) in
            source.text.lines().enumerate().map(|(index, line)| (index + 1, line.trim_start()))
        {
            if let Some(text) = line.strip_prefix("/// ") {
                title.get_or_insert((
                    index,
                    text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default(),
                ));
            } else if !line.starts_with("///") && !line.starts_with("#[") {
                let name = declared.iter().find(|(at, _)| *at == index).map(|(_, name)| name);
                if let (Some(name), Some((at, word))) = (name, title.take())
                    && NO_TITLE.contains(&word)
                {
                    let message = format!("`{word} ..`: say with a noun what a `{name}` is");
                    findings.push(Finding::new(source, at, message).to_string());
                }
                title = None;
            }
        }
    }
    findings
}

/// Types whose name is a question or a participle.
pub(crate) fn check_type_names(sources: &[Source]) -> Vec<String> {
    let mut needed = vec![false; NAMED_SO.len()];
    let mut findings = Vec::new();
    for source in sources {
        for (line, name) in types(&source.code) {
            let excused = NAMED_SO.iter().position(|(path, known)| *path == source.path && *known == name);
            if let Some(entry) = excused {
                needed[entry] = true;
            } else if NO_TYPE.contains(&name.as_str()) {
                let message = format!("`{name}` does not say what the type is; take a noun");
                findings.push(Finding::new(source, line, message).to_string());
            }
        }
    }
    let stale = NAMED_SO.iter().zip(&needed).filter(|(_, needed)| !**needed);
    findings.extend(stale.map(|((path, name), _)| format!("{path}: `{name}` needs no exception")));
    findings
}

/// Type names that two files of one layer of `src` declare, not counting tests.
pub(crate) fn check_type_twice(sources: &[Source]) -> Vec<String> {
    let mut found: Vec<(String, String, String)> = sources
        .iter()
        .flat_map(|source| {
            types(&source.production).into_iter().map(move |(line, name)| (source, line, name))
        })
        .filter_map(|(source, line, name)| {
            let layer = source.path.strip_prefix("src/")?.split(['/', '.']).next()?;
            Some((layer.to_owned(), name, format!("{}:{line}", source.path)))
        })
        .collect();
    found.sort();
    let mut needed = vec![false; TWICE.len()];
    let mut findings = Vec::new();
    for pair in found.windows(2) {
        let [(layer, name, first), (other_layer, other, second)] = pair else {
            continue;
        };
        if (layer, name) != (other_layer, other) {
            continue;
        }
        match TWICE.iter().position(|(known, twice)| known == layer && twice == name) {
            Some(entry) => needed[entry] = true,
            None => findings.push(format!("{second}: `{name}` is also declared in {first}")),
        }
    }
    let stale = TWICE.iter().zip(&needed).filter(|(_, needed)| !**needed);
    findings
        .extend(stale.map(|((layer, name), _)| format!("{layer}: `{name}` is declared once; take it off")));
    findings
}

/// Files and folders whose name does not say what is in them.
pub(crate) fn check_file_names(paths: &[&str]) -> Vec<String> {
    paths
        .iter()
        .filter(|path| {
            let mut parts = path.trim_end_matches(".rs").split('/');
            parts.any(|part| NO_FILE.contains(&part))
        })
        .map(|path| format!("{path}: name it after what is in it"))
        .collect()
}

/// The sources, documents and scripts of the repository that were written for it.
pub(crate) fn pages() -> Vec<Page> {
    let mut pages = Vec::new();
    for folder in ["src", "tests", "examples", "benches", "docs", "fixtures", "fuzz", "contrib", ".ci"] {
        read(&root().join(folder), &mut pages);
    }
    for file in ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "Cargo.toml", "deny.toml", "clippy.toml"] {
        page(&root().join(file), &mut pages);
    }
    pages
}

fn read(folder: &Path, pages: &mut Vec<Page>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("the folder can be read").path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            if !["target", "corpus", "artifacts", "dictionaries", "__pycache__"].contains(&name.as_str()) {
                read(&path, pages);
            }
        } else if path.extension().is_none_or(|ending| {
            ["rs", "md", "py", "toml", "txt", "chat", "capture", "trace", "rules", "service"]
                .iter()
                .any(|known| ending == *known)
        }) {
            page(&path, pages);
        }
    }
}

fn page(path: &Path, pages: &mut Vec<Page>) {
    let relative =
        path.strip_prefix(root()).expect("it is below the root").to_string_lossy().replace('\\', "/");
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    // This file contains the refused words. Released entries of the changelog are history.
    if relative != "tests/architecture/language.rs" {
        let text = if relative == "CHANGELOG.md" { unreleased(&text) } else { text };
        pages.push(Page { path: relative, text });
    }
}

/// The changelog from its start to the end of the unreleased entries.
fn unreleased(changelog: &str) -> String {
    let start = changelog.find("## [Unreleased]").unwrap_or(changelog.len());
    let end = changelog[start..].match_indices("\n## [").next().map_or(changelog.len(), |(at, _)| start + at);
    // Blank lines replace the text before, so that a finding has the right line number.
    "\n".repeat(changelog[..start].matches('\n').count()) + &changelog[start..end]
}

/// The refused phrases of a text, each with its line and the replacement.
fn refused(text: &str) -> Vec<(usize, &'static str, &'static str)> {
    let words = words(text);
    let phrases: Vec<Vec<&str>> =
        REFUSED.iter().map(|(phrase, _)| phrase.split([' ', '.']).collect()).collect();
    let mut found = Vec::new();
    for at in 0..words.len() {
        for (wanted, (phrase, advice)) in phrases.iter().zip(REFUSED) {
            let Some(stretch) = words.get(at..at + wanted.len()) else {
                continue;
            };
            let same = stretch.iter().zip(wanted).all(|(word, wanted)| {
                word.text == *wanted
                    || (*wanted == "#" && word.text.bytes().all(|byte| byte.is_ascii_digit()))
            });
            if same && stretch.iter().skip(1).all(|word| word.follows) {
                found.push((stretch[0].line, *phrase, *advice));
            }
        }
    }
    found
}

/// A word of a text: of a sentence, or a part of a name.
struct Word {
    /// The word in lower case.
    text: String,
    line: usize,
    /// Whether the word continues the phrase of the word before, because no punctuation is in between.
    follows: bool,
}

/// The words of a text. `so_many` and `SoMany` are two words each. A phrase continues across the marks of a comment.
fn words(text: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut line = 1;
    let mut between = String::from(".");
    let mut previous = ' ';
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if character.is_alphanumeric() {
            let hump = character.is_uppercase()
                && (previous.is_lowercase()
                    || (previous.is_uppercase()
                        && characters.peek().is_some_and(|next| next.is_lowercase())));
            match words.last_mut() {
                Some(word) if previous.is_alphanumeric() && !hump => {
                    word.text.extend(character.to_lowercase())
                }
                _ => {
                    let text = character.to_lowercase().collect();
                    words.push(Word { text, line, follows: joins(&between) });
                }
            }
            between.clear();
        } else {
            between.push(character);
            line += usize::from(character == '\n');
        }
        previous = character;
    }
    words
}

/// Whether a phrase continues across the text between two words.
fn joins(between: &str) -> bool {
    matches!(between, "." | "'" | "\u{2019}")
        || between.chars().all(|c| c.is_whitespace() || ['/', '!', '#', '*', '_', '\\', '>'].contains(&c))
}

/// The types that code declares, with aliases at its top level, each with its line.
pub(crate) fn types(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (index, line) in code.lines().enumerate() {
        // An indented alias may be the type of a trait.
        let is_alias = !line.starts_with(' ');
        let line = line.trim_start();
        let item = match line.strip_prefix("pub(") {
            Some(restricted) => restricted.split_once(')').map_or("", |(_, item)| item),
            None => line.strip_prefix("pub ").unwrap_or(line),
        };
        let mut words =
            item.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
        if let (Some(kind), Some(name)) = (words.next(), words.next())
            && (matches!(kind, "struct" | "enum" | "union" | "trait") || (kind == "type" && is_alias))
        {
            found.push((index + 1, name.to_owned()));
        }
    }
    found
}

mod tests {
    use super::*;

    fn phrases(text: &str) -> Vec<&'static str> {
        refused(text).into_iter().map(|(_, phrase, _)| phrase).collect()
    }

    #[test]
    fn a_refused_word_is_found_in_sentences_and_in_names() {
        assert_eq!(phrases("Nobody waits."), ["nobody"]);
        assert_eq!(phrases("fn nobody_waits() {}"), ["nobody"]);
        assert_eq!(phrases("struct CreateAnew;"), ["anew"]);
        assert_eq!(phrases("a peer who has not; nobody's"), ["who has", "nobody"]);
        assert_eq!(phrases("the default, the seed's"), ["the seed s"]);
        assert_eq!(
            phrases("see variants.md trap 28 and clients.md"),
            ["variants.md", "trap #", "clients.md"]
        );
        assert_eq!(phrases("the initialization vector"), ["initialization"]);
    }

    #[test]
    fn a_program_that_speaks_hears_or_owes_is_found() {
        assert_eq!(phrases("The module tells it; the peer is told. Telling"), ["tells", "told", "telling"]);
        assert_eq!(phrases("fn is_told_apart() { heard_at.also_tell() }"), ["told", "heard", "tell"]);
        assert_eq!(phrases("is_owed, owes_end: HappeningKind"), ["owed", "owes", "happening"]);
        assert!(phrases("NotAllowed, followed; intelligent, a heartbeat happens: teller").is_empty());
    }

    #[test]
    fn a_phrase_is_found_over_the_end_of_a_line() {
        assert_eq!(refused("//! It waits so\n//! long. So\n"), [(1, "so long", AMOUNT)]);
        assert_eq!(phrases("fn waits_so_long()"), ["so long"]);
        assert_eq!(phrases("# so\n# many"), ["so many"]);
    }

    #[test]
    fn similar_words_are_allowed() {
        assert!(
            phrases("It is so. Many follow; so, long lines. Renewed. The seed of a run. A trap. whose")
                .is_empty()
        );
        assert!(phrases("behaviour, the clients, variants, HEADER, the header").is_empty());
    }

    #[test]
    fn a_finding_names_file_and_line() {
        let page = Page { path: "src/at/x.rs".to_owned(), text: "//! A file.\n// whom\n".to_owned() };
        let findings = check_words(&[page]);
        assert!(findings.contains(&format!("src/at/x.rs:2: `whom`: {PERSON}")), "{findings:?}");
    }

    #[test]
    fn an_unneeded_exception_is_found() {
        let findings = check_words(&[]);
        assert_eq!(findings.len(), MAY_STAND.len() + PENDING.len(), "{findings:?}");
        assert!(MAY_STAND.iter().all(|(_, _, reason)| reason.len() >= 20), "each exception has a reason");
        assert_eq!(check_type_names(&[]).len(), NAMED_SO.len());
        assert_eq!(check_type_twice(&[]).len(), TWICE.len());
    }

    #[test]
    fn released_entries_are_not_checked() {
        let text = unreleased("# Changelog\n\n## [Unreleased]\n\n- new\n\n## [0.1.0]\n\n- whom\n");
        assert_eq!(text, "\n\n## [Unreleased]\n\n- new\n");
        assert_eq!(unreleased("## [Unreleased]\n- last"), "## [Unreleased]\n- last");
    }

    #[test]
    fn a_file_that_begins_with_a_question_is_found() {
        let asks = Source::parse("src/at/x.rs", "//! What a line is.\n//!\n//! More.\n");
        let says = Source::parse("src/at/y.rs", "#![allow(x)]\n//! Lines.\n//!\n//! What they are.\n");
        let whatever = Source::parse("src/at/z.rs", "//! Whatever comes.\n");
        let found = check_titles(&[asks, says, whatever]);
        assert_eq!(found, ["src/at/x.rs:1: `What ..`: a file begins with a title, a noun"]);
    }

    #[test]
    fn a_type_documented_by_a_question_is_found() {
        let text = "/// What it is.\n///\n/// More.\n#[derive(Debug)]\npub enum A {\n    /// What.\n    B,\n}\n/// Why.\nfn f() {}\nstruct C;\n/// A thing.\nstruct D;\n";
        let found = check_type_titles(&[Source::parse("src/at/x.rs", text)]);
        assert_eq!(found, ["src/at/x.rs:1: `What ..`: say with a noun what a `A` is"]);
    }

    #[test]
    fn a_type_with_a_question_for_a_name_is_found() {
        let source = Source::parse(
            "src/at/x.rs",
            "//! A file.\npub(crate) enum Why<'a> {}\nstruct Reason;\n// enum What\n",
        );
        let findings = check_type_names(&[source]);
        let finding = "src/at/x.rs:2: `Why` does not say what the type is; take a noun".to_owned();
        assert!(findings.contains(&finding), "{findings:?}");
        assert_eq!(findings.len(), 1 + NAMED_SO.len());
    }

    #[test]
    fn a_type_declared_twice_in_a_layer_is_found() {
        let parse = |path, text| Source::parse(path, text);
        let first = parse("src/at/x.rs", "struct Doubled;\n");
        let second = parse(
            "src/at/y/z.rs",
            "\npub(in crate::at) enum Doubled {}\n#[cfg(test)]\nmod tests { struct A; }\n",
        );
        let elsewhere =
            parse("src/port/x.rs", "struct Doubled;\nstruct A;\nimpl T for A {\n    type Doubled = u8;\n}\n");
        let findings = check_type_twice(&[first, second, elsewhere]);
        let finding = "src/at/y/z.rs:2: `Doubled` is also declared in src/at/x.rs:1".to_owned();
        assert!(findings.contains(&finding), "{findings:?}");
        assert_eq!(findings.len(), 1 + TWICE.len());
        let alias = parse("src/port/y.rs", "pub(crate) type Doubled<T> = Vec<T>;\n");
        let elsewhere = parse("src/port/x.rs", "struct Doubled;\n");
        assert_eq!(check_type_twice(&[alias, elsewhere]).len(), 1 + TWICE.len());
    }

    #[test]
    fn a_file_named_after_a_metaphor_is_found() {
        let found = check_file_names(&["src/proto/fence.rs", "src/proto/news/mod.rs", "src/at/checks.rs"]);
        assert_eq!(
            found,
            [
                "src/proto/fence.rs: name it after what is in it",
                "src/proto/news/mod.rs: name it after what is in it"
            ]
        );
    }
}
