//! What general phone tools ask of any modem: character set, message format and store, message centre.

use super::settings::Settings;

/// Messages that a card holds (manual, CPMS: 50). None ever arrives: nobody sends the simulated number one.
pub(super) const STORE: u16 = 50;

/// The settings of the phone side.
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
            // Stored and announced (assumed; the manual gives no default).
            indications: [2, 1, 0, 0, 0],
            centre: settings.message_centre.clone(),
            centre_type: number_type(&settings.message_centre),
        }
    }

    /// What a reboot leaves: what is on the card.
    pub(super) fn reboot(&mut self) {
        let (centre, centre_type) = (std::mem::take(&mut self.centre), self.centre_type);
        *self = Self { centre, centre_type, ..Self::new(&Settings::default()) };
    }
}

/// 145 for an international number, 129 for another (manual, CSCA).
pub(super) fn number_type(number: &str) -> u8 {
    if number.starts_with('+') { 145 } else { 129 }
}
