//! The check that each list of simulated profiles is complete, and that all lists have the same order.

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
fn every_list_of_profiles_is_complete() {
    let names = names(&cited("src/sim/profile/mod.rs").unwrap());
    assert!(names.len() >= 5, "{names:?}");
    for (file, list) in [
        ("examples/sim.rs", format!("the dialect: {} [air724]\n", names.join(", "))),
        ("examples/hardware_check.rs", format!("in place of a module: {}\n", names.join(", "))),
        (".ci/run", format!("for profile in {}; do\n", names.join(" "))),
    ] {
        assert!(cited(file).unwrap().contains(&list), "{file} has no: {list}");
    }
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
        "pub fn all() -> [Self; 2] {\n    [Self::one(), Self::two()]\n}\nfn three() { Self::three() }";
    assert_eq!(names(source), ["one", "two"]);
}
