//! A capture as one self-contained page of HTML: a lane for commands, one for each channel and one for unsolicited
//! lines, commands with their latency as bars, and a search field.

use std::fmt::Write;
use std::time::Duration;

use air724ug::at::ChannelId;
use air724ug::capture::{Coverage, Timeline, TimelineEntry, TimelineEntryKind};

/// The most rows of a page; of a longer capture the beginning and the end are shown.
pub const MAX_ROWS: usize = 20_000;
/// The most characters of one row.
pub const MAX_TEXT: usize = 2_000;

/// The sign by which a page is recognised.
pub const SIGN: &str = r#"<meta name="generator" content="air724ug replay">"#;

const PAGE: &str = include_str!("page.html");

/// A column of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Lane {
    Commands,
    Single,
    Channel(ChannelId),
    Unsolicited,
}

/// A cell: its lane, its colour, its text.
struct Cell {
    lane: Lane,
    class: &'static str,
    text: String,
    took: Option<Duration>,
}

/// The page of a capture.
pub fn page(title: &str, timeline: &Timeline, coverage: &Coverage) -> String {
    let entries = &timeline.entries;
    let left_out = entries.len().saturating_sub(MAX_ROWS);
    let mut cells = cells(entries);
    let mut lanes: Vec<Lane> = cells.iter().map(|cell| cell.lane).chain([Lane::Commands]).collect();
    lanes.sort();
    lanes.dedup();
    let mut body = String::new();
    for (index, (entry, cell)) in entries.iter().zip(cells.drain(..)).enumerate() {
        if left_out > 0 && index == MAX_ROWS / 2 {
            let _ = writeln!(
                body,
                "<tr><td></td><td></td><td class=\"note\" colspan=\"{}\">{left_out} are left out here</td></tr>",
                lanes.len()
            );
        }
        if (MAX_ROWS / 2..MAX_ROWS / 2 + left_out).contains(&index) {
            continue;
        }
        let line = entry.lines.first().map_or(String::new(), usize::to_string);
        let _ = write!(body, "<tr><td>{}</td><td>{line}</td>", entry.at);
        for lane in &lanes {
            match *lane == cell.lane {
                true => {
                    let _ = write!(
                        body,
                        "<td class=\"{}\">{}{}</td>",
                        cell.class,
                        escaped(&cell.text),
                        bar(cell.took)
                    );
                }
                false => body.push_str("<td></td>"),
            }
        }
        body.push_str("</tr>\n");
    }
    let rows = entries.len().min(MAX_ROWS) + usize::from(left_out > 0);
    let heads: String = lanes.iter().map(|lane| format!("<th>{}</th>", lane.title())).collect();
    // The text of a capture may contain anything, also a placeholder: inserted text is not searched again.
    let mut page = String::with_capacity(PAGE.len() + body.len());
    let mut rest = PAGE;
    while let Some((before, after)) = rest.split_once('{') {
        page.push_str(before);
        let value = after.split_once('}').and_then(|(name, after)| {
            let value = match name {
                "title" => escaped(title),
                "rows" => rows.to_string(),
                "summary" => escaped(&coverage.to_string()),
                "lanes" => heads.clone(),
                "body" => body.clone(),
                _ => return None,
            };
            Some((value, after))
        });
        match value {
            Some((value, after)) => {
                page.push_str(&value);
                rest = after;
            }
            None => {
                page.push('{');
                rest = after;
            }
        }
    }
    page + rest
}

impl Lane {
    fn title(self) -> String {
        match self {
            Self::Commands => "commands".to_owned(),
            Self::Single => "connection".to_owned(),
            Self::Channel(channel) => format!("channel {channel}"),
            Self::Unsolicited => "unsolicited".to_owned(),
        }
    }

    fn of(channel: Option<ChannelId>) -> Self {
        channel.map_or(Self::Single, Self::Channel)
    }
}

fn cells(entries: &[TimelineEntry]) -> Vec<Cell> {
    let mut cells: Vec<Cell> = Vec::new();
    // The index of the newest command without an end, and the lane of the data that it asks for.
    let mut open: Option<(usize, &str)> = None;
    let mut data = Lane::Single;
    for entry in entries {
        let text = entry.what.to_string();
        let (lane, class) = match &entry.what {
            TimelineEntryKind::Command(command) => {
                open = Some((cells.len(), command));
                data = Lane::of(send_channel(command));
                (Lane::Commands, "command")
            }
            TimelineEntryKind::Final { command, line } => {
                if let (Some((index, asked)), Some(command)) = (open, command)
                    && asked == command
                {
                    open = None;
                    cells[index].took = Some(entry.at - entries[index].at);
                }
                (Lane::Commands, if is_error(line) { "error" } else { "" })
            }
            TimelineEntryKind::Sent(_) => (data, "sent"),
            TimelineEntryKind::DataEcho(_) => (data, "note"),
            TimelineEntryKind::Payload { kind, .. } => (Lane::of(kind.channel()), "received"),
            TimelineEntryKind::Urc { line, .. } => {
                let lane = line_channel(line).map_or(Lane::Unsolicited, Lane::Channel);
                (lane, if is_error(line) { "error" } else { "news" })
            }
            TimelineEntryKind::Unexplained { .. } => (Lane::Unsolicited, "unexplained"),
            TimelineEntryKind::Note(_) | TimelineEntryKind::Request(_) | TimelineEntryKind::Gap => {
                (Lane::Commands, "note")
            }
            _ => (Lane::Commands, ""),
        };
        cells.push(Cell { lane, class, text, took: None });
    }
    cells
}

fn is_error(line: &str) -> bool {
    ["ERROR", "FAIL", "DEACT"].iter().any(|word| line.contains(word))
}

/// The channel of a send. A single number may be its length.
fn send_channel(command: &str) -> Option<ChannelId> {
    let list = command.strip_prefix("AT+CIPSEND=")?;
    line_channel(list).or_else(|| list.parse().ok().and_then(ChannelId::new))
}

/// The channel of `0, CLOSED`.
fn line_channel(line: &str) -> Option<ChannelId> {
    line.split_once(',').and_then(|(channel, _)| ChannelId::new(channel.trim().parse().ok()?))
}

/// A bar whose length is the logarithm of a latency: from a millisecond to 100 s.
fn bar(took: Option<Duration>) -> String {
    let Some(took) = took.filter(|took| !took.is_zero()) else { return String::new() };
    let millis = took.as_secs_f64() * 1_000.0;
    let width = (millis.max(1.0).log10() * 20.0).clamp(1.0, 100.0);
    format!(" <span class=\"took\">{millis:.0} ms</span><i class=\"bar\" style=\"width:{width:.0}%\"></i>")
}

/// Text with HTML escapes, limited in length.
pub fn escaped(text: &str) -> String {
    let mut html = String::new();
    for (count, c) in text.chars().enumerate() {
        if count == MAX_TEXT {
            let _ = write!(html, " ({} more)", text.chars().count() - MAX_TEXT);
            break;
        }
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            // This includes characters that change the direction of writing.
            c if c.is_control() || matches!(c, '\u{200e}'..='\u{202e}' | '\u{2066}'..='\u{2069}') => {
                html.push('\u{fffd}')
            }
            c => html.push(c),
        }
    }
    html
}
