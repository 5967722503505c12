//! `+CMS ERROR: <n>`: the reason why the module refused a command about short messages.

use super::code_table::{self, Table};
use std::fmt;

/// The number after `+CMS ERROR:`.
///
/// Unknown numbers are kept: they are printed as a number and have no [`text`](Self::text).
///
/// ```
/// use air724ug::at::CmsError;
///
/// assert_eq!(CmsError::from_text("(U)SIM busy"), Some(CmsError::SIM_BUSY));
/// assert_eq!(CmsError::SIM_BUSY.to_string(), "314 ((U)SIM busy)");
/// assert_eq!(CmsError::new(4711).to_string(), "4711");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CmsError(u32);

impl CmsError {
    /// 300: the module failed.
    pub const ME_FAILURE: Self = Self(300);
    /// 302: not allowed in this state.
    pub const OPERATION_NOT_ALLOWED: Self = Self(302);
    /// 303: the command or this form of it does not exist.
    pub const OPERATION_NOT_SUPPORTED: Self = Self(303);
    /// 310: no SIM card.
    pub const SIM_NOT_INSERTED: Self = Self(310);
    /// 314: the SIM card is being read; ask again soon.
    pub const SIM_BUSY: Self = Self(314);
    /// 321: no message is stored under this index.
    pub const INVALID_MEMORY_INDEX: Self = Self(321);
    /// 500: no reason given.
    pub const UNKNOWN: Self = Self(500);

    /// The error with this number, known or unknown.
    pub const fn new(code: u32) -> Self {
        Self(code)
    }

    /// The error that the module spells `text` with `AT+CMEE=2`, or `None` if no known error has this text.
    ///
    /// Case and surrounding blanks do not matter. `SIM` is accepted for `(U)SIM`, as the RDA8910 core prints it.
    pub fn from_text(text: &str) -> Option<Self> {
        code_table::code_of(CODES, text).or_else(|| code_table::code_of(OTHER_SPELLINGS, text)).map(Self)
    }

    /// The number as it is on the wire.
    pub const fn code(self) -> u32 {
        self.0
    }

    /// The standard's text for this number; `None` if it lists no such number.
    pub fn text(self) -> Option<&'static str> {
        code_table::text_of(CODES, self.0)
    }
}

/// `314 ((U)SIM busy)`, or the number alone when it has no text.
impl fmt::Display for CmsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        code_table::write(f, self.0, self.text())
    }
}

/// 1 to 127: 3GPP TS 24.011 annex E; 128 to 255: 3GPP TS 23.040 section 9.2.3.22; 300 to 500: 3GPP TS 27.005 section
/// 3.2.5; above: openLuat's page CMS_ERROR of the AT manual, for Cat.1 modules. From 1 to 127 that page also lists
/// causes of voice calls from TS 24.008; only causes that can end a short message are listed here.
const CODES: &Table = &[
    (1, "Unassigned (unallocated) number"),
    (8, "Operator determined barring"),
    (10, "Call barred"),
    (11, "Reserved"),
    (17, "Network failure"),
    (21, "Short message transfer rejected"),
    (22, "Memory capacity exceeded"),
    (27, "Destination out of order"),
    (28, "Unidentified subscriber"),
    (29, "Facility rejected"),
    (30, "Unknown subscriber"),
    (38, "Network out of order"),
    (41, "Temporary failure"),
    (42, "Congestion"),
    (47, "Resources unavailable, unspecified"),
    (50, "Requested facility not subscribed"),
    (69, "Requested facility not implemented"),
    (81, "Invalid short message transfer reference value"),
    (95, "Semantically incorrect message"),
    (96, "Invalid mandatory information"),
    (97, "Message type non-existent or not implemented"),
    (98, "Message not compatible with short message protocol state"),
    (99, "Information element non-existent or not implemented"),
    (111, "Protocol error, unspecified"),
    (127, "Interworking, unspecified"),
    (128, "Telematic interworking not supported"),
    (129, "Short message Type 0 not supported"),
    (130, "Cannot replace short message"),
    (143, "Unspecified TP-PID error"),
    (144, "Data coding scheme (alphabet) not supported"),
    (145, "Message class not supported"),
    (159, "Unspecified TP-DCS error"),
    (160, "Command cannot be actioned"),
    (161, "Command unsupported"),
    (175, "Unspecified TP-Command error"),
    (176, "TPDU not supported"),
    (192, "SC busy"),
    (193, "No SC subscription"),
    (194, "SC system failure"),
    (195, "Invalid SME address"),
    (196, "Destination SME barred"),
    (197, "SM Rejected-Duplicate SM"),
    (198, "TP-VPF not supported"),
    (199, "TP-VP not supported"),
    (208, "(U)SIM SMS storage full"),
    (209, "No SMS storage capability in (U)SIM"),
    (210, "Error in MS"),
    (211, "Memory capacity of the MS exceeded"),
    (212, "(U)SIM Application Toolkit Busy"),
    (213, "(U)SIM data download error"),
    (224, "CP retry exceed"),
    (225, "RP trim timeout"),
    (226, "SMS connection broken"),
    (255, "Unspecified error cause"),
    (300, "ME failure"),
    (301, "SMS service of ME reserved"),
    (302, "operation not allowed"),
    (303, "operation not supported"),
    (304, "invalid PDU mode parameter"),
    (305, "invalid text mode parameter"),
    (310, "(U)SIM not inserted"),
    (311, "(U)SIM PIN required"),
    (312, "PH-(U)SIM PIN required"),
    (313, "(U)SIM failure"),
    (314, "(U)SIM busy"),
    (315, "(U)SIM wrong"),
    (316, "(U)SIM PUK required"),
    (317, "(U)SIM PIN2 required"),
    (318, "(U)SIM PUK2 required"),
    (320, "memory failure"),
    (321, "invalid memory index"),
    (322, "memory full"),
    (330, "SMSC address unknown"),
    (331, "no network service"),
    (332, "network timeout"),
    (340, "no +CNMA acknowledgement expected"),
    (500, "unknown error"),
    (512, "USER ABORT"),
    (513, "UNABLE TO STORE"),
    (514, "INVALID STATUS"),
    (515, "INVALID ADDR CHAR"),
    (516, "INVALID LEN"),
    (517, "INVALID PDU CHAR"),
    (518, "INVALID PARA"),
    (519, "INVALID LEN OR CHAR"),
    (520, "INVALID TXT CHAR"),
    (521, "TIMER EXPIRED"),
    (530, "SMS SEND FAIL"),
];

/// The texts of the manual and the RDA8910 core that differ from the standard, in ascending order of the number.
const OTHER_SPELLINGS: &Table = &[
    (27, "Destination out of service"),
    (160, "Command cannot be acted"),
    (208, "SIM SMS storage full"),
    (209, "No SMS storage capability in SIM"),
    (212, "SIM Application Toolkit Busy"),
    (213, "SIM data download error"),
    (310, "SIM not inserted"),
    (311, "SIM PIN required"),
    (312, "PH-SIM PIN required"),
    (313, "SIM failure"),
    (314, "SIM busy"),
    (315, "SIM wrong"),
    (316, "SIM PUK required"),
    (317, "SIM PIN2 required"),
    (318, "SIM PUK2 required"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_code_is_found_by_number_and_by_text() {
        code_table::tests::check(CODES);
        for &(code, text) in CODES {
            assert_eq!(CmsError::new(code).text(), Some(text));
            assert_eq!(CmsError::from_text(text).map(CmsError::code), Some(code), "{text}");
        }
    }

    #[test]
    fn every_other_spelling_belongs_to_a_listed_code_and_is_no_code_s_own_text() {
        code_table::tests::check(OTHER_SPELLINGS);
        for &(code, text) in OTHER_SPELLINGS {
            assert!(CmsError::new(code).text().is_some(), "{code} is not listed");
            assert_eq!(code_table::code_of(CODES, text), None, "{text} is listed twice");
            assert_eq!(CmsError::from_text(text), Some(CmsError::new(code)));
        }
    }

    #[test]
    fn numbers_of_the_standards_have_their_texts() {
        let standard = [
            (38, "Network out of order"),
            (111, "Protocol error, unspecified"),
            (145, "Message class not supported"),
            (195, "Invalid SME address"),
            (305, "invalid text mode parameter"),
            (330, "SMSC address unknown"),
            (500, "unknown error"),
        ];
        for (code, text) in standard {
            assert_eq!(CmsError::new(code).text(), Some(text));
        }
        assert_eq!(CmsError::SIM_NOT_INSERTED.text(), Some("(U)SIM not inserted"));
        assert_eq!(CmsError::from_text("sim busy"), Some(CmsError::SIM_BUSY));
    }

    #[test]
    fn an_unlisted_number_is_kept_and_printed_bare() {
        let error = CmsError::new(4711);
        assert_eq!((error.code(), error.text()), (4711, None));
        assert_eq!(error.to_string(), "4711");
    }

    #[test]
    fn an_unlisted_text_is_no_error_number() {
        assert_eq!(CmsError::from_text("500"), None);
        assert_eq!(CmsError::from_text(""), None);
    }
}
