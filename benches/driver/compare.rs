//! `--compare`: builds and runs benches/compare. It is a separate package, so that no other build needs its
//! dependencies.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

/// True if the arguments select it. The others are passed on, except those of Cargo.
pub(crate) fn is_done() -> bool {
    let mut arguments: Vec<OsString> =
        std::env::args_os().skip(1).filter(|argument| argument != "--bench").collect();
    let Some(at) = arguments.iter().position(|argument| argument == "--compare") else { return false };
    arguments.remove(at);
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    let target = target.join("compare");
    let built = Command::new(cargo)
        .args(["build", "--quiet", "--locked", "--release", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/benches/compare/Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .status()
        .expect("cargo runs");
    if !built.success() {
        std::process::exit(built.code().unwrap_or(1));
    }
    let status = Command::new(target.join("release/compare")).args(arguments).status().expect("it is built");
    std::process::exit(status.code().unwrap_or(1));
}
