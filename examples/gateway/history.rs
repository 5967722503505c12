//! The recent past of a modem: its signal of the last hour, and its last events.

use std::collections::VecDeque;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The time for which the signal is shown.
pub const SPAN: Duration = Duration::from_secs(3600);
/// The interval of the signal's readings.
pub const EVERY: Duration = Duration::from_secs(15);
/// The most events that are kept.
const MAX_EVENTS: usize = 40;
/// Longer events are cut, because they may contain text of a peer.
const MAX_EVENT: usize = 300;

/// The signal over time and the last events.
#[derive(Clone, Debug, Default)]
pub struct History {
    signals: VecDeque<(Instant, Option<i16>)>,
    events: VecDeque<PastEvent>,
}

/// An event with its time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PastEvent {
    /// `12:00:01`, UTC.
    pub at: String,
    pub text: String,
}

impl History {
    /// The signal in dBm now; `None` if it is unknown or there is none.
    pub fn signal(&mut self, now: Instant, dbm: Option<i16>) {
        while self.signals.front().is_some_and(|(at, _)| now.saturating_duration_since(*at) > SPAN) {
            self.signals.pop_front();
        }
        // The limit of the span, for any number of calls.
        if self.signals.len() > 2 * (SPAN.as_secs() / EVERY.as_secs()) as usize {
            self.signals.pop_front();
        }
        self.signals.push_back((now, dbm));
    }

    /// Adds an event.
    pub fn event(&mut self, text: impl Into<String>) {
        let text: String = text.into().chars().take(MAX_EVENT).collect();
        if self.events.len() == MAX_EVENTS {
            self.events.pop_front();
        }
        self.events.push_back(PastEvent { at: time_of_day(SystemTime::now()), text });
    }

    /// The newest first.
    pub fn events(&self) -> impl Iterator<Item = &PastEvent> {
        self.events.iter().rev()
    }

    /// The age and the value in dBm; the oldest first.
    pub fn signals(&self, now: Instant) -> impl Iterator<Item = (Duration, Option<i16>)> {
        self.signals.iter().map(move |(at, dbm)| (now.saturating_duration_since(*at), *dbm))
    }

    /// The newest signal in dBm.
    pub fn last_signal(&self) -> Option<i16> {
        self.signals.back().and_then(|(_, dbm)| *dbm)
    }
}

/// `12:00:01`, UTC.
fn time_of_day(now: SystemTime) -> String {
    let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let (hours, minutes) = (seconds / 3600 % 24, seconds / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}", seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_of_signal_is_kept() {
        let (mut history, begin) = (History::default(), Instant::now());
        for sample in 0..1000 {
            history.signal(begin + EVERY * sample, Some(-70));
        }
        let now = begin + EVERY * 999;
        assert_eq!(history.signals(now).count(), 241);
        assert_eq!(history.signals(now).next().unwrap().0, SPAN);
        for _ in 0..1000 {
            history.signal(now, None);
        }
        assert!(history.signals(now).count() <= 481);
        assert_eq!(history.last_signal(), None);
    }

    #[test]
    fn the_last_events_are_kept_and_cut() {
        let mut history = History::default();
        for number in 0..100 {
            history.event(format!("{number} {}", "é".repeat(1000)));
        }
        assert_eq!(history.events().count(), MAX_EVENTS);
        let newest = history.events().next().unwrap();
        assert!(newest.text.starts_with("99 ") && newest.text.chars().count() == MAX_EVENT);
    }

    #[test]
    fn the_time_of_day_is_that_of_utc() {
        assert_eq!(time_of_day(UNIX_EPOCH + Duration::from_secs(86_400 * 3 + 3600 * 23 + 61)), "23:01:01");
    }
}
