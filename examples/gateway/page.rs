//! The status page: one HTML document without scripts and external resources.

use std::fmt::Write;
use std::time::{Duration, Instant};

use crate::common;
use crate::history::{EVERY, SPAN};
use crate::member::Snapshot;
use crate::status::Traffic;

const STYLE: &str = include_str!("page.css");
/// The most events that are shown.
const EVENTS: usize = 12;
/// The plot, in pixels: the part with the curve.
const WIDTH: f64 = 600.0;
const HEIGHT: f64 = 90.0;
/// The range of `AT+CSQ`, in dBm.
const WEAKEST: i16 = -113;
const STRONGEST: i16 = -51;

/// The page with all modems.
pub fn page(modems: &[Snapshot], traffic: &Traffic, now: Instant) -> String {
    let ready = modems.iter().filter(|modem| modem.is_ready).count();
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta http-equiv=\"refresh\" content=\"5\">\
         <meta name=\"viewport\" content=\"width=device-width\"><link rel=\"icon\" href=\"data:,\">\
         <title>{ready} of {} modems ready</title><style>{STYLE}</style></head><body>\n\
         <h1>air724ug gateway: {ready} of {} modems ready</h1>\n\
         <p>{} connections, {} waiting, {} refused; up for {}. <a href=\"/metrics\">metrics</a></p>\n",
        modems.len(),
        modems.len(),
        traffic.open,
        traffic.waiting,
        traffic.refused.iter().map(|(_, count)| count).sum::<u64>(),
        span(traffic.uptime),
    );
    for modem in modems {
        article(&mut page, modem, now);
    }
    page.push_str("</body></html>\n");
    page
}

fn article(page: &mut String, modem: &Snapshot, now: Instant) {
    let class = if modem.is_ready { "ready" } else { "waiting" };
    let _ = writeln!(page, "<article><h2 class=\"{class}\">{}</h2>", escaped(&modem.name));
    if let Some(advice) = advice(modem) {
        let _ = writeln!(page, "<p class=\"advice\">{}</p>", escaped(&advice));
    }
    page.push_str("<dl>");
    for (name, value) in properties(modem) {
        let _ = writeln!(page, "<dt>{name}</dt><dd>{}</dd>", escaped(&value));
    }
    page.push_str("</dl>\n");
    plot(page, modem, now);
    page.push_str("<ol>");
    for event in modem.history.events().take(EVENTS) {
        let _ = writeln!(page, "<li>{} {}</li>", event.at, escaped(&event.text));
    }
    page.push_str("</ol></article>\n");
}

/// The fault with its remedy.
fn advice(modem: &Snapshot) -> Option<String> {
    if let Some(problem) = &modem.problem {
        return Some(format!("The port is not open, and is tried again every few seconds: {problem}"));
    }
    let reason = modem.not_ready?;
    Some(format!("Not ready: {reason}. What to do: {}", common::reason_advice(&reason)))
}

fn properties(modem: &Snapshot) -> Vec<(&'static str, String)> {
    let unknown = || "unknown".to_owned();
    let identity = modem.facts.identity.as_ref();
    let firmware =
        identity.map_or_else(unknown, |identity| format!("{}, IMEI {}", identity.firmware, identity.imei));
    let signal = modem.history.last_signal().map_or_else(unknown, |dbm| format!("{dbm} dBm"));
    let seen = &modem.statistics;
    let carried =
        modem.cards.iter().filter(|(_, counts)| **counts != (0, 0)).map(|(card, (sent, received))| {
            let card =
                if card.is_empty() { "unknown card".to_owned() } else { format!("card \u{2026}{card}") };
            format!("{card}: {} sent, {} received", bytes(*sent), bytes(*received))
        });
    let cards: Vec<_> = carried.collect();
    let answers = seen.commands.latency.quantile(0.99).map(|latency| {
        let (missing, all) = (seen.commands.timed_out, seen.commands.written);
        format!("99 of 100 within {latency:.1?}; {missing} of {all} missing")
    });
    vec![
        ("module", firmware),
        ("port", modem.port.clone()),
        ("operator", modem.facts.operator.clone().unwrap_or_else(unknown)),
        ("signal", signal),
        (
            "registration",
            modem.facts.registration.map_or_else(unknown, |registration| registration.to_string()),
        ),
        ("ready for", if modem.is_ready { span(modem.uptime) } else { "not ready".to_owned() }),
        ("channels", format!("{} of 8 in use", seen.opened.saturating_sub(seen.closed))),
        ("bytes", if cards.is_empty() { "none".to_owned() } else { cards.join("; ") }),
        (
            "restarts",
            format!(
                "{}; bearer lost {} times, port {} times",
                seen.restarts, seen.bearer_losses, seen.port_losses
            ),
        ),
        ("answers", answers.unwrap_or_else(|| "none".to_owned())),
    ]
}

/// The signal of the last hour. The curve is interrupted while the signal was unknown.
fn plot(page: &mut String, modem: &Snapshot, now: Instant) {
    let x = |age: Duration| WIDTH * (1.0 - (age.as_secs_f64() / SPAN.as_secs_f64()).min(1.0));
    let y = |dbm: i16| {
        let part = f64::from(dbm.clamp(WEAKEST, STRONGEST) - WEAKEST) / f64::from(STRONGEST - WEAKEST);
        HEIGHT * (1.0 - part)
    };
    let _ = write!(
        page,
        "<svg viewBox=\"-2 -4 662 112\" role=\"img\" aria-label=\"signal over the last hour\">\
         <line x1=\"0\" y1=\"{0:.1}\" x2=\"{WIDTH}\" y2=\"{0:.1}\"/><line x1=\"0\" y1=\"{HEIGHT}\" x2=\"{WIDTH}\" y2=\"{HEIGHT}\"/>\
         <text x=\"604\" y=\"{1:.1}\">-77 dBm</text><text x=\"604\" y=\"10\">-51</text><text x=\"604\" y=\"{HEIGHT}\">-113</text>\
         <text x=\"0\" y=\"104\">an hour ago</text><text x=\"575\" y=\"104\">now</text>",
        y(-77),
        y(-77) + 4.0,
    );
    let mut points: Vec<(f64, f64)> = Vec::new();
    let mut last_age = None;
    let flush = |page: &mut String, points: &mut Vec<(f64, f64)>| {
        // A single sample is shown as a short line.
        if let [(x, y)] = points[..] {
            points.push((x + 1.0, y));
        }
        if !points.is_empty() {
            let points: Vec<_> = points.drain(..).map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
            let _ = write!(page, "<polyline points=\"{}\"/>", points.join(" "));
        }
    };
    for (age, dbm) in modem.history.signals(now) {
        let is_gap = last_age.is_some_and(|last: Duration| last.saturating_sub(age) > 3 * EVERY);
        if dbm.is_none() || is_gap {
            flush(page, &mut points);
        }
        if let Some(dbm) = dbm {
            points.push((x(age), y(dbm)));
        }
        last_age = Some(age);
    }
    flush(page, &mut points);
    page.push_str("</svg>\n");
}

fn bytes(count: u64) -> String {
    match count {
        0..10_000 => format!("{count} bytes"),
        10_000..10_000_000 => format!("{:.1} kB", count as f64 / 1e3),
        _ => format!("{:.1} MB", count as f64 / 1e6),
    }
}

fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// Foreign text, escaped for use between tags or in a quoted attribute.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c if c.is_control() => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Facts;
    use crate::history::History;

    fn snapshot(name: &str) -> Snapshot {
        Snapshot {
            name: name.to_owned(),
            port: name.to_owned(),
            is_ready: true,
            not_ready: None,
            problem: None,
            facts: Facts { operator: Some(name.to_owned()), ..Facts::default() },
            history: History::default(),
            statistics: Default::default(),
            cards: [(name.to_owned(), (1, 20_000))].into(),
            uptime: Duration::from_secs(7300),
        }
    }

    fn shown(modem: Snapshot) -> String {
        let traffic = Traffic { uptime: Duration::ZERO, open: 0, waiting: 0, refused: Vec::new() };
        page(&[modem], &traffic, Instant::now())
    }

    #[test]
    fn text_of_others_is_shown_and_never_run() {
        let mut modem = snapshot("<script>alert('1')</script>\"&");
        modem.history.event("<b>\u{1b}[31m");
        modem.problem = Some("<i>".to_owned());
        let page = shown(modem);
        assert!(!page.contains("<script") && !page.contains("<b>") && !page.contains("<i>"), "{page}");
        assert!(page.contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot;&amp;"));
        assert!(!page.contains('\u{1b}'));
    }

    #[test]
    fn the_page_has_nothing_from_elsewhere() {
        let page = shown(snapshot("lab"));
        for from in ["http://", "https://", "src=", "@import", "url("] {
            assert!(!page.contains(from), "{from}");
        }
        assert!(page.contains("2 h 1 min") && page.contains("20.0 kB"));
    }

    /// Regression: `99 of 100 within unknown`, nothing for the bytes, and `its port free?. It is tried again`.
    #[test]
    fn a_modem_that_was_never_there_has_words_for_it() {
        let mut modem = snapshot("lab");
        (modem.is_ready, modem.problem, modem.cards) = (false, Some("is it on?".to_owned()), [].into());
        modem.cards.insert(String::new(), (0, 0));
        let page = shown(modem);
        assert!(page.contains("every few seconds: is it on?</p>"), "{page}");
        for (name, value) in [("ready for", "not ready"), ("bytes", "none"), ("answers", "none")] {
            assert!(page.contains(&format!("<dt>{name}</dt><dd>{value}</dd>")), "{name} in {page}");
        }
    }

    #[test]
    fn a_signal_that_was_unknown_breaks_the_curve() {
        let (mut modem, begin) = (snapshot("lab"), Instant::now());
        for (sample, dbm) in [Some(-70), Some(-72), None, Some(-113), Some(0)].into_iter().enumerate() {
            modem.history.signal(begin + EVERY * sample as u32, dbm);
        }
        let mut page = String::new();
        plot(&mut page, &modem, begin + EVERY * 5);
        assert_eq!(page.matches("<polyline").count(), 2, "{page}");
        assert!(page.contains(",90.0") && page.contains(",0.0"), "{page}");
    }
}
