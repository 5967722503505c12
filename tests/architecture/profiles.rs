//! The check that the guide names each simulated profile, and that its file has its name: `.ci/run` goes by the files.

// A failure in a helper fails a test as well.
#![allow(clippy::unwrap_used)]

use crate::cited;

/// The names in `Profile::all`.
fn names(source: &str) -> Vec<String> {
    let (_, after) = source.split_once("pub fn all()").unwrap();
    let (list, _) = after.split_once('}').unwrap();
    let names = list.split("Self::").skip(1).filter_map(|name| name.split_once("()"));
    names.map(|(name, _)| name.to_owned()).collect()
}

#[test]
fn every_profile_has_its_file_and_is_in_the_guide() {
    let names = names(&cited("src/sim/profile/mod.rs").unwrap());
    assert!(names.len() >= 5, "{names:?}");
    let guide = cited("docs/simulator.md").unwrap();
    for name in &names {
        assert!(guide.contains(&format!("`{name}`")), "docs/simulator.md does not name {name}");
        let file = cited(&format!("src/sim/profile/{name}.rs")).unwrap();
        assert!(file.contains(&format!("name: \"{name}\"")), "{name} has another name");
    }
}

#[test]
fn names_are_those_of_the_list() {
    let source =
        "pub fn all() -> Vec<Self> {\n    vec![Self::one(), Self::two()]\n}\nfn three() { Self::three() }";
    assert_eq!(names(source), ["one", "two"]);
}
