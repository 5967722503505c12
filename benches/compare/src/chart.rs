//! A bar chart as SVG: the ratio of each program to the raw loop, 1 being equal.

use std::fmt::Write;

use crate::table::Table;
use crate::work::{CONTENDERS, LOOP};

const COLOURS: [&str; 3] = ["#1f6feb", "#d29922", "#8b949e"];
const LEFT: usize = 290;
/// The width of the ratio 1; bars end at `MOST`.
const UNIT: f64 = 220.0;
const MOST: f64 = 2.0;
const BAR: usize = 12;

pub fn svg(table: &Table) -> String {
    let rows: Vec<_> = table.rows.iter().filter(|row| row.of(LOOP).is_some()).collect();
    let group = BAR * COLOURS.len() + 10;
    let (width, height) = (LEFT + (UNIT * MOST) as usize + 70, 50 + rows.len() * group);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"8\" y=\"16\">times as good as a raw write-then-read loop (1: equal, longer is better, cut at {MOST})</text>\n"
    );
    for (at, (who, colour)) in CONTENDERS.iter().zip(COLOURS).enumerate() {
        let x = LEFT + at * 110;
        writeln!(svg, "<rect x=\"{x}\" y=\"24\" width=\"10\" height=\"10\" fill=\"{colour}\"/>").unwrap();
        writeln!(svg, "<text x=\"{}\" y=\"33\">{who}</text>", x + 14).unwrap();
    }
    for (at, row) in rows.iter().enumerate() {
        let y = 44 + at * group;
        writeln!(svg, "<text x=\"8\" y=\"{}\">{}</text>", y + BAR * 2, row.what.replace('`', "")).unwrap();
        let Some(raw) = row.of(LOOP) else { continue };
        for (bar, (who, colour)) in CONTENDERS.iter().zip(COLOURS).enumerate() {
            let Some(own) = row.of(who) else { continue };
            let ratio = own.median / raw.median;
            let ratio = if row.is_better_when_larger() { ratio } else { 1.0 / ratio };
            let (y, length) = (y + bar * BAR, ratio.clamp(0.0, MOST) * UNIT);
            let rect = format!("x=\"{LEFT}\" y=\"{y}\" width=\"{length:.0}\" height=\"{}\"", BAR - 2);
            writeln!(svg, "<rect {rect} fill=\"{colour}\"/>").unwrap();
            writeln!(
                svg,
                "<text x=\"{:.0}\" y=\"{}\">{ratio:.2}</text>",
                LEFT as f64 + length + 4.0,
                y + BAR - 3
            )
            .unwrap();
        }
    }
    let x = LEFT as f64 + UNIT;
    writeln!(
        svg,
        "<line x1=\"{x}\" y1=\"40\" x2=\"{x}\" y2=\"{height}\" stroke=\"black\" stroke-dasharray=\"3\"/>"
    )
    .unwrap();
    svg + "</svg>\n"
}
