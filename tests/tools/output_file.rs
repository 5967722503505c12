//! Results of `replay --html` and `doctor --collect` never overwrite a log.

#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

#[path = "../../examples/common/output_file.rs"]
mod output;

use std::path::{Path, PathBuf};

use output::check;

const SIGN: &str = "written by us";

fn file(name: &str, text: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("output_file");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn the_input_is_not_overwritten_under_any_of_its_names() {
    let log = file("log.txt", "written by us, and read again\nAT\nOK\n");
    let other = log.parent().unwrap().join(".").join("log.txt");
    assert!(check(&log, &[&log], SIGN).is_err());
    assert!(check(&other, &[&log], SIGN).is_err());
    #[cfg(unix)]
    {
        let link = log.parent().unwrap().join("link.txt");
        let _ = std::fs::remove_file(&link);
        std::os::unix::fs::symlink(&log, &link).unwrap();
        assert!(check(&link, &[&log], SIGN).is_err());
    }
    // Neither exists.
    let missing = Path::new("/no/such/file");
    assert!(check(missing, &[missing], SIGN).is_err());
}

#[test]
fn only_a_result_of_the_same_program_is_overwritten() {
    let log = file("a.txt", "AT\nOK\n");
    let page = file("page.html", "<html>\nwritten by us\n");
    let late = file("late.html", &format!("{}{SIGN}", "x".repeat(2_000)));
    let empty = file("empty.html", "");
    let none: [&Path; 0] = [];
    assert!(check(&page, &[&log], SIGN).is_ok());
    assert!(check(&empty, &[&log], SIGN).is_ok());
    assert!(check(Path::new("/no/such/file"), &none, SIGN).is_ok());
    assert!(check(Path::new("/dev/null"), &none, SIGN).is_ok());
    for other in [&log, &late] {
        let why = check(other, &none, SIGN).unwrap_err();
        assert!(why.contains("exists"), "{why}");
    }
}
