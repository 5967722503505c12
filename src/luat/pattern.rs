//! The patterns that the makers advise to search a trace for, and further ones from real traces.

mod advice;
mod kinds;
mod modem_line;

pub use kinds::{Pattern, Severity};

use advice::Row;

impl Pattern {
    /// Its severity.
    pub fn severity(self) -> Severity {
        self.row().severity
    }

    /// A title of a few words.
    pub fn title(self) -> &'static str {
        self.row().title
    }

    /// The text to search a trace for.
    pub fn searched(self) -> &'static str {
        self.row().searched
    }

    /// The cause.
    pub fn cause(self) -> &'static str {
        self.row().cause
    }

    /// The advice.
    pub fn advice(self) -> &'static str {
        self.row().advice
    }

    /// The meaning of a line of the tool that writes the trace.
    pub(super) fn of_tool_line(text: &str) -> Option<Self> {
        text.contains("断开").then_some(Self::ToolDisconnected)
    }

    fn row(self) -> Row {
        advice::row(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_has_its_own_words() {
        let mut titles: Vec<&str> = advice::ALL.iter().map(|pattern| pattern.title()).collect();
        let mut causes: Vec<&str> = advice::ALL.iter().map(|pattern| pattern.cause()).collect();
        titles.sort_unstable();
        causes.sort_unstable();
        titles.dedup();
        causes.dedup();
        assert_eq!(titles.len(), advice::ALL.len());
        assert_eq!(causes.len(), advice::ALL.len());
        for pattern in advice::ALL {
            let sentences = [pattern.cause(), pattern.advice()];
            assert!(sentences.iter().all(|text| text.len() > 10 && text.ends_with('.')), "{pattern:?}");
            assert!(!pattern.searched().is_empty(), "{pattern:?}");
        }
    }

    #[test]
    fn what_the_faq_searches_for_is_no_harmless_pattern() {
        for pattern in advice::ALL {
            let is_searched = ["core sock conn error", "connect fail", "send fail", "MSG_SOCK_CLOSE_IND"]
                .iter()
                .any(|text| pattern.searched().contains(text));
            assert!(!is_searched || pattern.severity() > Severity::Harmless, "{pattern:?}");
        }
    }
}
