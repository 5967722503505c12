//! The answers of a module about itself, its card and its network.

use air724ug::{Identity, Registration};

/// The answers that are known.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    pub identity: Option<Identity>,
    pub operator: Option<String>,
    pub registration: Option<Registration>,
    /// The last four digits of the card's number.
    pub card: Option<String>,
}

/// The name of an operator, also for the digits that the module reports after a start.
pub fn label(name: &str) -> String {
    let known = match name {
        "46000" | "46002" | "46004" | "46007" | "46008" => "China Mobile",
        "46001" | "46006" | "46009" => "China Unicom",
        "46003" | "46005" | "46011" | "46012" => "China Telecom",
        "46015" => "China Broadnet",
        other => return other.to_owned(),
    };
    format!("{known} ({name})")
}

/// The last digits of `+ICCID: 89860000000000000000`.
pub fn last_digits(lines: &[String]) -> Option<String> {
    let line = lines.iter().find(|line| line.chars().filter(char::is_ascii_alphanumeric).count() >= 18)?;
    let number: Vec<char> =
        line.rsplit([':', ' ']).next()?.trim().chars().filter(char::is_ascii_alphanumeric).collect();
    Some(number[number.len().saturating_sub(4)..].iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operator_and_the_card_are_reported_in_every_form() {
        let lines = |text: &str| vec![text.to_owned()];
        assert_eq!(label("CHINA MOBILE"), "CHINA MOBILE");
        assert_eq!(label("46000"), "China Mobile (46000)");
        assert_eq!(label("26201"), "26201");
        assert_eq!(last_digits(&lines("+ICCID: 89860012345678901234")).as_deref(), Some("1234"));
        assert_eq!(last_digits(&lines("89860012345678901234")).as_deref(), Some("1234"));
        assert_eq!(last_digits(&lines("ERROR")), None);
    }
}
