//! Settings that general phone tools require of any modem: character set, message format and store, message centre.

use super::settings::Settings;

/// The number of messages that the card stores (capture q01; the manual's example has 50). No message ever arrives.
pub(super) const STORE: u16 = 40;

/// The settings of the phone.
#[derive(Clone, Debug)]
pub(super) struct Phone {
    /// `AT+CSCS`
    pub(super) charset: &'static str,
    /// `AT+CMGF`: 0 PDU, 1 text.
    pub(super) text_mode: u8,
    /// `AT+CSMS`: 0 phase 2, 1 phase 2+.
    pub(super) service: u8,
    /// `AT+CSDH`
    pub(super) headers: u8,
    /// `AT+CSMP`: first octet, validity, protocol, coding.
    pub(super) parameters: [u16; 4],
    /// `AT+CPMS`
    pub(super) storage: [&'static str; 3],
    /// `AT+CNMI`
    pub(super) indications: [u16; 5],
    /// `AT+CSCA`, on the card.
    pub(super) centre: String,
    pub(super) centre_type: u8,
}

impl Phone {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            charset: "GSM",
            text_mode: 0,
            service: 0,
            headers: 0,
            // 27.005 section 3.5.3.3: SMS-SUBMIT with a validity of one day.
            parameters: [17, 167, 0, 0],
            storage: ["SM"; 3],
            // Messages are stored and announced (assumed; the manual gives no default).
            indications: [2, 1, 0, 0, 0],
            centre: settings.message_centre.clone(),
            centre_type: number_type(&settings.message_centre),
        }
    }

    /// Text for the host in the character set of `AT+CSCS`: in UCS2 four hexadecimal digits for each character (27.007
    /// section 5.5), otherwise ASCII with `?` for other characters (assumed: the rest of the GSM alphabet is not
    /// supported).
    pub(super) fn encoded(&self, text: &str) -> String {
        if self.charset == "UCS2" {
            return text.encode_utf16().map(|unit| format!("{unit:04X}")).collect();
        }
        text.chars().map(|letter| if letter.is_ascii() { letter } else { '?' }).collect()
    }

    /// Text of the host in the character set of `AT+CSCS`; `None` if it is invalid.
    pub(super) fn decoded(&self, text: &str) -> Option<String> {
        if self.charset != "UCS2" {
            return Some(text.to_owned());
        }
        let digits = text.len().is_multiple_of(4) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let units: Option<Vec<u16>> = digits
            .then(|| {
                (0..text.len() / 4).map(|place| u16::from_str_radix(&text[4 * place..4 * place + 4], 16).ok())
            })
            .and_then(Iterator::collect);
        String::from_utf16(&units?).ok()
    }

    /// Resets the settings after a reboot, except those on the card.
    pub(super) fn reboot(&mut self) {
        let (centre, centre_type) = (std::mem::take(&mut self.centre), self.centre_type);
        *self = Self { centre, centre_type, ..Self::new(&Settings::default()) };
    }
}

/// 145 for an international number, 129 for others (manual, CSCA).
pub(super) fn number_type(number: &str) -> u8 {
    if number.starts_with('+') { 145 } else { 129 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phone(charset: &'static str) -> Phone {
        Phone { charset, ..Phone::new(&Settings::default()) }
    }

    #[test]
    fn text_crosses_the_line_in_the_character_set_that_was_chosen() {
        assert_eq!(phone("UCS2").encoded("CM 中"), "0043004D00204E2D");
        assert_eq!(phone("UCS2").decoded("0043004D00204E2D").as_deref(), Some("CM 中"));
        assert_eq!(phone("GSM").encoded("CM 中"), "CM ?");
        assert_eq!(phone("IRA").decoded("0043").as_deref(), Some("0043"));
    }

    #[test]
    fn what_is_no_ucs2_is_refused() {
        for text in ["4", "004", "004G", "+0043", "D800", "中", "00中"] {
            assert_eq!(phone("UCS2").decoded(text), None, "{text}");
        }
    }
}
