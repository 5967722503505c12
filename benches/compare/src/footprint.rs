//! The size of a small program, and the memory of modems with eight sockets each.

use std::fs;

use air724ug::{Modem, Socket};

use crate::driver::open;
use crate::foreign_modem::ForeignModem;
use crate::table::Table;
use crate::work::DRIVER;

pub const SIZE: &str = "size of a small program, stripped";

pub fn measure(most: usize, table: &mut Table) {
    // Built beside this program, with the same profile.
    let programs = std::env::current_exe().unwrap();
    for (file, who) in [("hello", DRIVER), ("port_alone", "serialport alone")] {
        if let Ok(metadata) = fs::metadata(programs.with_file_name(file)) {
            table.add(SIZE, "kB", who, metadata.len() as f64 / 1000.0);
        }
    }
    for count in [1, most] {
        let processes: Vec<_> = (0..count).map(|_| ForeignModem::start(0)).collect();
        let (memory, threads) = (status("VmRSS:"), status("Threads:"));
        let modems: Vec<(Modem, Vec<Socket>)> =
            processes.iter().map(|process| with_sockets(&process.path)).collect();
        let memory = (status("VmRSS:") - memory) / count as f64;
        let threads = (status("Threads:") - threads) / count as f64;
        table.add(&format!("{count} modem(s) with 8 sockets, memory of each"), "KiB", DRIVER, memory);
        table.add(&format!("{count} modem(s) with 8 sockets, threads of each"), "", DRIVER, threads);
        drop(modems);
    }
}

fn with_sockets(path: &str) -> (Modem, Vec<Socket>) {
    let modem = open(path);
    let sockets = (0..8).map(|_| modem.tcp().connect(("discard.test", 7)).unwrap()).collect();
    (modem, sockets)
}

fn status(name: &str) -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let value = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    value.split_whitespace().next().unwrap().parse().unwrap()
}
