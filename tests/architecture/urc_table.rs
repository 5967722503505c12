//! The check that unsolicited lines are listed in one table, `src/at/urc_table.rs`, and in no other file of the driver.

use crate::source::Source;

const TABLE: &str = "src/at/urc_table.rs";

/// The number of names from the table that make a list. Fewer names are single cases.
const A_LIST: usize = 5;

/// Files with more of these names, each with the reason. An entry that is not needed fails.
const MAY_NAME: &[(&str, &str)] = &[
    ("src/at/command/named_answers.rs", "questions, of which some have the names of unsolicited lines"),
    ("src/at/command/shape.rs", "answers of commands, which refuse with some of the same texts"),
    ("src/at/line.rs", "the spellings of lines about a channel, in answers and outside"),
];

/// The files of the driver that list lines of the table again.
pub(crate) fn check(sources: &[Source]) -> Vec<String> {
    let names: Vec<&str> = sources.iter().filter(|source| source.path == TABLE).flat_map(strings).collect();
    let mut findings = Vec::new();
    for source in sources.iter().filter(|source| source.path != TABLE && !source.path.starts_with("src/sim/"))
    {
        let mut named: Vec<&str> = strings(source).filter(|text| names.contains(text)).collect();
        named.sort_unstable();
        named.dedup();
        let is_excused = MAY_NAME.iter().any(|(path, _)| *path == source.path);
        match (named.len() >= A_LIST, is_excused) {
            (true, false) => {
                findings.push(format!("{}: {} are rows of {TABLE}", source.path, named.join(", ")))
            }
            (false, true) => findings.push(format!("{}: needs no exception", source.path)),
            (true, true) | (false, false) => {}
        }
    }
    findings
}

/// The strings of a file that can be the name of a line: they contain a capital letter, and no list follows.
fn strings(source: &Source) -> impl Iterator<Item = &str> {
    let texts = source.literals.iter().map(|(_, text)| text.trim_end_matches([':', ' ']));
    texts.filter(|text| text.len() > 2 && text.bytes().any(|byte| byte.is_ascii_uppercase()))
}

mod tests {
    use super::*;

    fn findings(path: &str, names: &[&str]) -> Vec<String> {
        let all = ["RDY", "+CPIN", "SMS READY", "+PDP", "0, CLOSED", "CLOSED"];
        let file = |path, names: &[&str]| Source::parse(path, &format!("const A: &[&str] = &{names:?};"));
        check(&[file(TABLE, &all), file(path, names)])
    }

    #[test]
    fn a_second_list_of_unsolicited_lines_is_found() {
        let found = findings("src/luat/x.rs", &["RDY", "+CPIN: ", "SMS READY", "+PDP:", "CLOSED", "RDY"]);
        assert_eq!(
            found,
            ["src/luat/x.rs: +CPIN, +PDP, CLOSED, RDY, SMS READY are rows of src/at/urc_table.rs"]
        );
        assert_eq!(
            findings("src/sim/x.rs", &["RDY", "+CPIN", "SMS READY", "+PDP", "CLOSED"]),
            [] as [&str; 0]
        );
    }

    #[test]
    fn a_few_names_are_allowed_and_an_unneeded_exception_is_found() {
        let few = &["RDY", "+CPIN", "SMS READY", "+PDP", "+PDP", "OK"];
        assert_eq!(findings("src/luat/x.rs", few), [] as [&str; 0]);
        assert_eq!(findings("src/at/line.rs", few), ["src/at/line.rs: needs no exception"]);
    }
}
