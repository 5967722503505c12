//! All figures: a table of medians with their spread, and JSON.

use std::fmt::Write;

pub struct Row {
    pub what: String,
    unit: &'static str,
    columns: Vec<(String, Vec<f64>)>,
}

#[derive(Default)]
pub struct Table {
    pub rows: Vec<Row>,
}

/// The values of all rounds.
#[derive(Clone, Copy)]
pub struct Spread {
    pub median: f64,
    least: f64,
    most: f64,
}

impl Table {
    pub fn add(&mut self, what: &str, unit: &'static str, who: &str, figure: f64) {
        let at = self.rows.iter().position(|row| row.what == what).unwrap_or_else(|| {
            self.rows.push(Row { what: what.to_owned(), unit, columns: Vec::new() });
            self.rows.len() - 1
        });
        let columns = &mut self.rows[at].columns;
        match columns.iter_mut().find(|(name, _)| name == who) {
            Some((_, figures)) => figures.push(figure),
            None => columns.push((who.to_owned(), vec![figure])),
        }
    }

    /// NaN if there is no such figure: it meets no goal.
    pub fn median(&self, what: &str, who: &str) -> f64 {
        let row = self.rows.iter().find(|row| row.what == what);
        row.and_then(|row| row.of(who)).map_or(f64::NAN, |spread| spread.median)
    }

    pub fn print(&self) {
        for row in &self.rows {
            let unit = if row.unit.is_empty() { String::new() } else { format!(", {}", row.unit) };
            println!("{}{unit}", row.what);
            for (who, figures) in &row.columns {
                let Spread { median, least, most } = spread(figures);
                println!("    {who:<28} {median:>10.3}   {least:.3} - {most:.3}");
            }
        }
    }

    pub fn json(&self) -> String {
        let mut json = String::from("[\n");
        for (at, row) in self.rows.iter().enumerate() {
            let columns = row.columns.iter().map(|(who, figures)| {
                let Spread { median, least, most } = spread(figures);
                format!("\"{who}\": {{\"median\": {median}, \"least\": {least}, \"most\": {most}}}")
            });
            let columns = columns.collect::<Vec<_>>().join(", ");
            let comma = if at + 1 < self.rows.len() { "," } else { "" };
            writeln!(json, "  {{\"what\": \"{}\", \"unit\": \"{}\", {columns}}}{comma}", row.what, row.unit)
                .unwrap();
        }
        json + "]\n"
    }
}

impl Row {
    pub fn of(&self, who: &str) -> Option<Spread> {
        self.columns.iter().find(|(name, _)| name == who).map(|(_, figures)| spread(figures))
    }

    /// True for rates and shares; the other figures are costs.
    pub fn is_better_when_larger(&self) -> bool {
        self.unit == "MB/s" || self.what.ends_with("share of the line")
    }
}

fn spread(figures: &[f64]) -> Spread {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    Spread { median: sorted[sorted.len() / 2], least: sorted[0], most: sorted[sorted.len() - 1] }
}
