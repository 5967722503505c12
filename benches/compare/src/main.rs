//! The same work by `air724ug`, by `atat`, by a program of two threads and by a raw write-then-read loop, in turn, on a
//! foreign modem. `cargo bench --bench driver -- --compare` runs it.
//!
//! ```text
//! compare [--quick] [--json FILE] [--svg FILE]     --quick: proves that it works; its figures say nothing
//! ```

mod atat_program;
mod chart;
mod cost;
mod driver;
mod footprint;
mod foreign_modem;
mod goals;
mod raw;
mod small_writes;
mod table;
mod work;

use std::fs;
use std::process::ExitCode;

use table::Table;
use work::Extent;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (mut extent, mut json, mut svg) = (Extent::full(), None, None);
    while let Some(argument) = arguments.next() {
        match (argument.as_str(), &mut arguments) {
            (foreign_modem::ARGUMENT, rest) => {
                let baud = rest.next().and_then(|baud| baud.parse().ok()).unwrap_or(0);
                // The terminal ends with the program that has started it.
                return foreign_modem::run(baud).map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS);
            }
            ("--quick", _) => extent = Extent::quick(),
            ("--json", rest) => json = rest.next(),
            ("--svg", rest) => svg = rest.next(),
            _ => {
                eprintln!("usage: compare [--quick] [--json FILE] [--svg FILE]");
                return ExitCode::from(2);
            }
        }
    }
    let mut table = Table::default();
    // Measured first: later modems would use pages that earlier ones have freed.
    footprint::measure(extent.modems, &mut table);
    for round in 0..extent.rounds {
        eprintln!("round {} of {}", round + 1, extent.rounds);
        // The first program changes from round to round.
        work::round(&extent, round, &mut table);
        small_writes::measure(extent.writes, &mut table);
    }
    println!("median of {} rounds, least - most", extent.rounds);
    table.print();
    println!("\ngoals");
    let goals = goals::goals(&table);
    goals.iter().for_each(goals::Goal::print);
    let met = goals.iter().filter(|goal| goal.is_met()).count();
    println!("{met} of {} goals met", goals.len());
    let text = format!("{{\"rows\": {}, \"goals\": {}}}\n", table.json(), goals::json(&goals));
    for (file, text) in [(json, text), (svg, chart::svg(&table))] {
        if let Some(file) = file
            && let Err(error) = fs::write(&file, text)
        {
            eprintln!("compare: {file}: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
