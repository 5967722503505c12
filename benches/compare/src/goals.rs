//! The goals and the comparison with them: the driver with its limit, the raw loop and `atat`.

use crate::footprint;
use crate::foreign_modem::CHUNK;
use crate::table::Table;
use crate::work::{ATAT, DRIVER, LOOP, RATES};

pub struct Goal {
    pub what: String,
    pub figure: f64,
    pub bound: f64,
    pub is_least: bool,
}

impl Goal {
    pub fn is_met(&self) -> bool {
        if self.is_least { self.figure >= self.bound } else { self.figure <= self.bound }
    }

    pub fn print(&self) {
        let sign = if self.is_least { ">=" } else { "<=" };
        let verdict = if self.is_met() { "met" } else { "NOT MET" };
        println!("{:<66} {:>9.3}  {sign} {:<8.3} {verdict}", self.what, self.figure, self.bound);
    }
}

/// The other bytes on the line for each chunk: with a prompt (half duplex), and with a frame's header.
const SEND_OVERHEAD: usize = "AT+CIPSEND=1,1460\r\n\r\n> \r\nDATA ACCEPT:1,1460\r\n".len();
const UNPROMPTED_OVERHEAD: usize = "AT+CIPSEND=1,1460\r\n\r\nDATA ACCEPT:1,1460\r\n".len();
const RECEIVE_OVERHEAD: usize = "\r\n+RECEIVE,2,1460:\r\n".len();

pub fn goals(table: &Table) -> Vec<Goal> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let driver = |what: &str| table.median(what, DRIVER);
    let raw = |what: &str| table.median(what, LOOP);
    let most = |what: &str, figure, bound| Goal { what: what.to_owned(), figure, bound, is_least: false };
    let mut goals = vec![
        most("`AT`, voluntary context switches", driver("`AT`, voluntary context switches"), 1.1),
        most("`AT`, processor time, us (15, or 3.5 x raw)", driver("`AT`, processor time"), {
            (3.5 * raw("`AT`, processor time")).max(15.0)
        }),
        most("`AT`, p99 / raw loop", driver("`AT`, p99") / raw("`AT`, p99"), 1.5),
        most(
            &format!("`AT`, p50 / raw loop, {processors} processor(s)"),
            driver("`AT`, p50") / raw("`AT`, p50"),
            if processors == 1 { 1.4 } else { 1.25 },
        ),
    ];
    goals.push(most("size of a small program, stripped, kB", driver(footprint::SIZE), 700.0));
    for (direction, overhead) in [
        ("sending", SEND_OVERHEAD),
        ("sending without a prompt", UNPROMPTED_OVERHEAD),
        ("receiving", RECEIVE_OVERHEAD),
    ] {
        let ceiling = CHUNK as f64 / (CHUNK + overhead) as f64;
        for (_, rate) in RATES.into_iter().filter(|(baud, _)| *baud > 0) {
            let what = format!("{direction}, {rate}, share of the line");
            // If a program without a driver does not reach the ceiling either, its rate is the goal.
            let is_reachable = raw(&what) >= 0.985 * ceiling;
            let (to, of, bound) =
                if is_reachable { ("ceiling", ceiling, 0.985) } else { ("raw loop", raw(&what), 0.99) };
            let what_of = format!("{direction}, {rate} / {to}");
            goals.push(Goal { what: what_of, figure: driver(&what) / of, bound, is_least: true });
        }
    }
    for row in &table.rows {
        let (Some(driver), Some(atat)) = (row.of(DRIVER), row.of(ATAT)) else { continue };
        let is_least = row.is_better_when_larger();
        // At the ceiling of a line two programs are equal except for noise.
        let bound = if !row.what.ends_with("share of the line") { 1.0 } else { 0.995 };
        let figure = driver.median / atat.median;
        goals.push(Goal { what: format!("{} / atat", row.what), figure, bound, is_least });
    }
    goals
}

pub fn json(goals: &[Goal]) -> String {
    let goals = goals.iter().map(|goal| {
        let Goal { what, figure, bound, is_least } = goal;
        let is_met = goal.is_met();
        format!("  {{\"goal\": \"{what}\", \"figure\": {figure}, \"bound\": {bound}, \"is_least\": {is_least}, \"is_met\": {is_met}}}")
    });
    format!("[\n{}\n]\n", goals.collect::<Vec<_>>().join(",\n"))
}
