//! `+CME ERROR: <n>`: the reason of a refusal by the module.

use super::code_table::{self, Table};
use std::fmt;

/// The number after `+CME ERROR:`. With `AT+CMEE=1` the module prints the number, with `AT+CMEE=2` a text that stands
/// for it.
///
/// Unknown numbers are kept: they are printed as a number and have no [`text`](Self::text). Compare numbers, never
/// texts: firmware of this one chip spells the same refusal in several ways (openLuat's manual, the strings of the
/// RDA8910 core, 3GPP TS 27.007).
///
/// ```
/// use air724ug::at::CmeError;
///
/// assert_eq!(CmeError::from_text("Operation Not Allowed"), Some(CmeError::OPERATION_NOT_ALLOWED));
/// assert_eq!(CmeError::OPERATION_NOT_ALLOWED.to_string(), "3 (operation not allowed)");
/// assert_eq!(CmeError::new(4711).to_string(), "4711");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CmeError(u32);

impl CmeError {
    /// 3: the wrong IP state, an unknown channel, or a state that is set already. The usual refusal of the TCP/IP
    /// commands. From `AT+CIPSEND` it means that the peer has closed the connection (measured on Air780EPV V1004).
    pub const OPERATION_NOT_ALLOWED: Self = Self(3);
    /// 4: the command or this form of it does not exist.
    pub const OPERATION_NOT_SUPPORTED: Self = Self(4);
    /// 10: no SIM card. A card that is inserted later is detected after a reset of the module only.
    pub const SIM_NOT_INSERTED: Self = Self(10);
    /// 11: the SIM card requires its PIN.
    pub const SIM_PIN_REQUIRED: Self = Self(11);
    /// 12: the SIM card requires its PUK, after three wrong PINs.
    pub const SIM_PUK_REQUIRED: Self = Self(12);
    /// 13: the SIM card does not answer.
    pub const SIM_FAILURE: Self = Self(13);
    /// 14: the SIM card is being read; ask again soon.
    pub const SIM_BUSY: Self = Self(14);
    /// 15: a card that the module does not support.
    pub const SIM_WRONG: Self = Self(15);
    /// 16: a wrong PIN or password.
    pub const INCORRECT_PASSWORD: Self = Self(16);
    /// 20: the memory is full.
    pub const MEMORY_FULL: Self = Self(20);
    /// 22: not found.
    pub const NOT_FOUND: Self = Self(22);
    /// 30: no network service.
    pub const NO_NETWORK_SERVICE: Self = Self(30);
    /// 31: the network did not answer in time.
    pub const NETWORK_TIMEOUT: Self = Self(31);
    /// 32: the network allows emergency calls only.
    pub const EMERGENCY_CALLS_ONLY: Self = Self(32);
    /// 50: the command failed while it ran (openLuat; 3GPP gives this number to wrong parameters).
    pub const EXECUTION_FAILED: Self = Self(50);
    /// 51: the module has not enough memory (openLuat).
    pub const NO_MEMORY: Self = Self(51);
    /// 52: an option of the command is not supported (openLuat).
    pub const OPTION_NOT_SUPPORTED: Self = Self(52);
    /// 53: a parameter is wrong (openLuat).
    pub const INVALID_PARAMETERS: Self = Self(53);
    /// 58: the command line can't be read (openLuat).
    pub const INVALID_COMMAND_LINE: Self = Self(58);
    /// 62: no such file (openLuat).
    pub const FILE_NOT_FOUND: Self = Self(62);
    /// 63: the file is too large (openLuat).
    pub const FILE_TOO_LARGE: Self = Self(63);
    /// 100: no reason given.
    pub const UNKNOWN: Self = Self(100);
    /// 103: the network does not accept this subscriber or device.
    pub const ILLEGAL_MS: Self = Self(103);
    /// 106: the network does not accept this device.
    pub const ILLEGAL_ME: Self = Self(106);
    /// 107: the subscription has no packet data.
    pub const GPRS_NOT_ALLOWED: Self = Self(107);
    /// 111: this network refuses the subscriber.
    pub const PLMN_NOT_ALLOWED: Self = Self(111);
    /// 112: this area refuses the subscriber.
    pub const LOCATION_AREA_NOT_ALLOWED: Self = Self(112);
    /// 113: no roaming in this area.
    pub const ROAMING_NOT_ALLOWED: Self = Self(113);
    /// 132: the network does not support the service.
    pub const SERVICE_OPTION_NOT_SUPPORTED: Self = Self(132);
    /// 133: the subscription does not include the service; often a wrong APN.
    pub const SERVICE_OPTION_NOT_SUBSCRIBED: Self = Self(133);
    /// 134: the service is temporarily out of order.
    pub const SERVICE_OPTION_OUT_OF_ORDER: Self = Self(134);
    /// 148: packet data failed, no reason given.
    pub const UNSPECIFIED_GPRS_ERROR: Self = Self(148);
    /// 149: user name or password of the APN is wrong.
    pub const PDP_AUTHENTICATION_FAILURE: Self = Self(149);
    /// 151: the command timed out in the module (openLuat).
    pub const COMMAND_TIMEOUT: Self = Self(151);
    /// 767: the operation failed (openLuat).
    pub const OPERATION_FAILED: Self = Self(767);
    /// 797: the radio is off, `AT+CFUN` is 0 or 4 (openLuat).
    pub const RADIO_OFF: Self = Self(797);
    /// 811: no such command (openLuat).
    pub const UNRECOGNIZED_COMMAND: Self = Self(811);
    /// 901: the PDP context is not active (openLuat).
    pub const PDP_NOT_ACTIVE: Self = Self(901);
    /// 902: the PDP context is active already (openLuat).
    pub const PDP_ACTIVE: Self = Self(902);
    /// 910: the peer refused the connection (openLuat).
    pub const CONNECTION_REJECTED: Self = Self(910);
    /// 911: the peer did not answer the connection (openLuat).
    pub const CONNECTION_TIMEOUT: Self = Self(911);
    /// 912: the channel is connected already (openLuat).
    pub const ALREADY_CONNECTED: Self = Self(912);
    /// 913: the channel is not connected (openLuat).
    pub const NOT_CONNECTED: Self = Self(913);
    /// 914: more data than the module's send buffer holds (openLuat).
    pub const BUFFER_FULL: Self = Self(914);
    /// 915: the data could not be sent in time (openLuat).
    pub const SEND_TIMEOUT: Self = Self(915);
    /// 917: the name server did not answer (openLuat).
    pub const DNS_TIMEOUT: Self = Self(917);
    /// 918: the host name could not be resolved (openLuat).
    pub const DNS_ERROR: Self = Self(918);
    /// 65535: no reason given (openLuat). With `AT+CIICR` it follows `+PDP: DEACT`, with `AT+CIPSTART` it stands before
    /// `<n>, ALREADY CONNECT`.
    pub const OTHER: Self = Self(65_535);

    /// The error with this number, known or unknown.
    pub const fn new(code: u32) -> Self {
        Self(code)
    }

    /// The error that the module spells `text` with `AT+CMEE=2`, or `None` if no known error has this text.
    ///
    /// Case and surrounding blanks do not matter. Known are the texts of the manual, of 3GPP TS 27.007 section 9.2, and
    /// of the RDA8910 core, whose texts differ (`pdp have not actived` is 901).
    pub fn from_text(text: &str) -> Option<Self> {
        code_table::code_of(CODES, text).or_else(|| code_table::code_of(OTHER_SPELLINGS, text)).map(Self)
    }

    /// The number as it is on the wire.
    pub const fn code(self) -> u32 {
        self.0
    }

    /// The manual's text for this number; `None` if it lists no such number.
    pub fn text(self) -> Option<&'static str> {
        code_table::text_of(CODES, self.0)
    }
}

/// `3 (operation not allowed)`, or the number alone when it has no text.
impl fmt::Display for CmeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        code_table::write(f, self.0, self.text())
    }
}

/// openLuat's page CME_ERROR of the AT manual, and for numbers that it does not list 3GPP TS 27.007 section 9.2. The
/// two disagree on 49 to 63 and on 151; there the module's own manual is right. Texts are spelled as on the wire, with
/// the vendor's mistakes. The manual's rows for Bluetooth, Wi-Fi and factory tools (501 to 606, 821 to 823) are left
/// out, because the module has none of these.
const CODES: &Table = &[
    // 27.007 section 9.2.1, general errors.
    (0, "phone failure"),
    (1, "no connection to phone"),
    (2, "phone-adaptor link reserved"),
    (3, "operation not allowed"),
    (4, "operation not supported"),
    (5, "PH-SIM PIN required"),
    (6, "PH-FSIM PIN required"),
    (7, "PH-FSIM PUK required"),
    (10, "SIM not inserted"),
    (11, "SIM PIN required"),
    (12, "SIM PUK required"),
    (13, "SIM failure"),
    (14, "SIM busy"),
    (15, "SIM wrong"),
    (16, "incorrect password"),
    (17, "SIM PIN2 required"),
    (18, "SIM PUK2 required"),
    (20, "memory full"),
    (21, "invalid index"),
    (22, "not found"),
    (23, "memory failure"),
    (24, "text string too long"),
    (25, "invalid characters in text string"),
    (26, "dial string too long"),
    (27, "invalid characters in dial string"),
    (30, "no network service"),
    (31, "network timeout"),
    (32, "network not allowed - emergency calls only"),
    (40, "network personalization PIN required"),
    (41, "network personalization PUK required"),
    (42, "network subset personalization PIN required"),
    (43, "network subset personalization PUK required"),
    (44, "service provider personalization PIN required"),
    (45, "service provider personalization PUK required"),
    (46, "corporate personalization PIN required"),
    (47, "corporate personalization PUK required"),
    (48, "hidden key required"),
    // The manual, for Cat.1 modules.
    (49, "EXE_NOT_SURPORT"),
    (50, "EXE_FAIL"),
    (51, "NO MEMORY"),
    (52, "OPTION NOT SURPORT"),
    (53, "parameters are invalid"),
    (54, "EXT_REG_NOT_EXIT"),
    (55, "EXT_SMS_NOT_EXIT"),
    (56, "EXT_PBK_NOT_EXIT"),
    (57, "EXT_FFS_NOT_EXIT"),
    (58, "INVALID_COMMAND_LINE"),
    (59, "ITF_DIFFERENT"),
    (60, "BURN_FLASH_FAIL"),
    (61, "TFLASH NOT EXIST"),
    (62, "FILE NOT EXIST"),
    (63, "FILE TOO LARGE"),
    (96, "INVALID DATE OR TIME"),
    (97, "DIR CREATE FAIL"),
    (98, "DIR NOT EXIST"),
    (99, "NOT IMPLEMENTED"),
    (100, "unknown"),
    // 27.007 section 9.2.2, packet data.
    (103, "Illegal MS"),
    (106, "Illegal ME"),
    (107, "GPRS services not allowed"),
    (108, "GPRS services and non-GPRS services not allowed"),
    (111, "PLMN not allowed"),
    (112, "Location area not allowed"),
    (113, "Roaming not allowed in this location area"),
    (114, "GPRS services not allowed in this PLMN"),
    (115, "No Suitable Cells In Location Area"),
    (122, "Congestion"),
    (125, "Not authorized for this CSG"),
    (126, "insufficient resources"),
    (127, "missing or unknown APN"),
    (128, "unknown PDP address or PDP type"),
    (129, "user authentication failed"),
    (130, "activation rejected by GGSN, Serving GW or PDN GW"),
    (131, "activation rejected, unspecified"),
    (132, "service option not supported"),
    (133, "requested service option not subscribed"),
    (134, "service option temporarily out of order"),
    (140, "feature not supported"),
    (141, "semantic errors in the TFT operation"),
    (142, "syntactical errors in the TFT operation"),
    (143, "unknown PDP context"),
    (144, "semantic errors in packet filter(s)"),
    (145, "syntactical errors in packet filter(s)"),
    (146, "PDP context without TFT already activated"),
    (148, "unspecified GPRS error"),
    (149, "PDP authentication failure"),
    (150, "invalid mobile class"),
    (151, "AT command timeout"),
    (171, "last PDN disconnection not allowed"),
    (172, "semantically incorrect message"),
    (173, "mandatory information element error"),
    (174, "information element non-existent or not implemented"),
    (175, "conditional IE error"),
    (176, "protocol error, unspecified"),
    (177, "operator determined barring"),
    (178, "maximum number of PDP contexts reached"),
    (179, "requested APN not supported in current RAT and PLMN combination"),
    (180, "request rejected, Bearer Control Mode violation"),
    (181, "UNSUPPORTED QCI VALUE"),
    (182, "user data transmission via control plane is congested"),
    // The manual: supplementary services and the SIM card.
    (214, "SS_UNKNOWN_SUBSCRIBER"),
    (222, "SS_ILLEGAL_SUBSCRIBER"),
    (223, "SS_BRERSERV_NOT_PROV"),
    (224, "SS_TELESERV_NOT_PROV"),
    (225, "SS_ILLEGAL_EQUIPMENT"),
    (226, "SS_CALL_BARRED"),
    (229, "SS_ILLEGAL_OPERATION"),
    (230, "SS_ERROR_STATUS"),
    (231, "SS_NOT_AVAILABLE"),
    (232, "SS_SUBS_VIOLATION"),
    (233, "SS_INCOMPATIBILITY"),
    (234, "SS_FACILITY_NOT_SUPPORTED"),
    (240, "SS_ABSENT_SUBSCRIBER"),
    (247, "SS_SYSTEM_FAILURE"),
    (248, "SS_DATA_MISSING"),
    (249, "SS_UNEXPECTED_DATA_VALUE"),
    (250, "SS_PWD_REGISTRATION_FAILURE"),
    (251, "SS_NEGATIVE_PWD_CHECK"),
    (256, "SS_NUMOF_PWD_ATTEMPT_VIOL"),
    (264, "SIM VERIFY FAIL"),
    (265, "SIM UNBLOCK FAIL"),
    (266, "SIM CONDITION NO FULLFILLED"),
    (267, "SIM UNBLOCK FAIL NO LEFT"),
    (268, "SIM VERIFY FAIL NO LEFT"),
    (269, "SIM INVALID PARAMETER"),
    (270, "SIM UNKNOW COMMAND"),
    (271, "SIM WRONG CLASS"),
    (272, "SIM TECHNICAL PROBLEM"),
    (273, "SIM CHV NEED UNBLOCK"),
    (274, "SIM NOEF SELECTED"),
    (275, "SIM FILE UNMATCH COMMAND"),
    (276, "SIM CONTRADICTION CHV"),
    (277, "SIM CONTRADICTION INVALIDATION"),
    (278, "SIM MAXVALUE REACHED"),
    (279, "SIM PATTERN NOT FOUND"),
    (280, "SIM FILEID NOT FOUND"),
    (281, "SIM STK BUSY"),
    (282, "SIM UNKNOW"),
    (283, "SIM PROFILE ERROR"),
    (284, "SS_UNKNOWN_ALPHABET"),
    (285, "SS_USSD_BUSY"),
    (339, "SS_MAXMPTY_CALLS_EXCEEDED"),
    (340, "SS_RESOURCES_NOT_AVAILABLE"),
    // The manual: parameters, the command engine, GPS.
    (753, "missing required cmd parameter"),
    (754, "Invalid SIM command"),
    (755, "Invalid file id"),
    (756, "Missing required P1/2/3 parameter"),
    (757, "Invalid P1/2/3 parameter"),
    (758, "Missing required command data"),
    (759, "invalid characters in command data"),
    (765, "Invalid input value"),
    (766, "Unsupported mode"),
    (767, "Operation failed"),
    (768, "Mux already running"),
    (769, "Unable to get control"),
    (770, "SIM network reject"),
    (771, "Call setup in progress"),
    (772, "SIM powered down"),
    (773, "SIM file not present"),
    (774, "RAC refresh net time failure"),
    (791, "Param count not enough"),
    (792, "Param count beyond"),
    (793, "Param value range beyond"),
    (794, "Param type not match"),
    (795, "Param format invalid"),
    (796, "Get a null param"),
    (797, "CFUN state is 0 or 4"),
    (810, "No Error"),
    (811, "Unrecognized Command"),
    (812, "Return Value Error"),
    (813, "Syntax Error"),
    (814, "Unspecified Error"),
    (815, "Data Transfer Already"),
    (816, "Action Already"),
    (817, "Not At Cmd"),
    (818, "Multi Cmd too long"),
    (819, "Abort Cops"),
    (820, "No Call Disc"),
    (824, "AT Not Allowed By Customer"),
    (890, "GPS_NOT_RUNNING"),
    (891, "GPS_IS_RUNNING"),
    (892, "GPS_IS_FIXING"),
    (893, "GPS_IS_SLEEPING"),
    (894, "GPS_NOT_SLEEPING"),
    // The manual: TCP/IP and the firmware update.
    (900, "DIAED_REJECT"),
    (901, "PDP_NO_ACTIVE"),
    (902, "PDP_ACTIVE"),
    (910, "TCP_CONNECTION_REJECT"),
    (911, "TCP_CONNECT_OVERTIME"),
    (912, "SOCKET_CONNECTION_EXIST"),
    (913, "SOCKET_CONNECTION_NOT_EXIST"),
    (914, "BUFFER_OVER_SIZE"),
    (915, "SENDING_OVERTIME"),
    (916, "DNS_EXIST"),
    (917, "DNS_PARSE_OVERTIME"),
    (918, "DNS_PARSE_ERROR"),
    (980, "INPUT_VALUE_ERROR"),
    (981, "OTHER_ERROR"),
    (982, "ERROR"),
    (983, "NOT_ALLOWED"),
    (1000, "UPGRADE_INVALID_URL"),
    (1001, "UPGRADE_NET_ERROR"),
    (1002, "UPGRADE_SERVER_CONNECT_ERROR"),
    (1003, "UPGRADE_INVALID_FILE"),
    (1004, "UPGRADE_SERVER_RESPONSE_ERROR"),
    (1005, "UPGRADE_WRITE_FLASH_ERROR"),
    (1006, "UPGRADE_ERROR"),
    (65_535, "Other Error"),
];

/// The texts of the RDA8910 core that differ from the manual (strings found in the core image; numbers from the chip
/// vendor's headers), in ascending order of the number.
const OTHER_SPELLINGS: &Table = &[
    (2, "phone-adapter link reserved"),
    (32, "network not allowed emergency calls only"),
    (49, "The excute command not support"),
    (50, "Excute command failure"),
    (52, "The command not support,check your input,pls"),
    (58, "invalid command line"),
    (97, "directory create fail"),
    (98, "directory not exist"),
    (900, "username or password is invalid"),
    (901, "pdp have not actived"),
    (902, "pdp is actived"),
    (910, "peer refused"),
    (911, "tcp connection timeout"),
    (912, "socket is connected"),
    (913, "socket is not connected"),
    (914, "buffer is full"),
    (915, "send data timeout"),
    (916, "dns failed"),
    (917, "dns timeout"),
    (918, "dns unknown error"),
    (980, "param error"),
    (981, "unknown error"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_code_is_found_by_number_and_by_text() {
        code_table::tests::check(CODES);
        for &(code, text) in CODES {
            assert_eq!(CmeError::new(code).text(), Some(text));
            assert_eq!(CmeError::from_text(text).map(CmeError::code), Some(code), "{text}");
        }
    }

    #[test]
    fn every_other_spelling_belongs_to_a_listed_code_and_is_no_code_s_own_text() {
        code_table::tests::check(OTHER_SPELLINGS);
        for &(code, text) in OTHER_SPELLINGS {
            assert!(CmeError::new(code).text().is_some(), "{code} is not listed");
            assert_eq!(code_table::code_of(CODES, text), None, "{text} is listed twice");
            assert_eq!(CmeError::from_text(text), Some(CmeError::new(code)));
        }
    }

    // Each spelling is that of a real module or firmware image: captures s05, s04 and s12, the strings of the 8910
    // core.
    #[test]
    fn texts_seen_on_the_wire_map_to_their_numbers() {
        let seen = [
            ("SIM busy", 14),
            (" operation not allowed", 3),
            ("Operation Not Allowed", 3),
            ("unknown", 100),
            ("Excute command failure", 50),
            ("pdp have not actived", 901),
            ("PEER REFUSED", 910),
            ("tcp connection timeout", 911),
            ("Socket is connected", 912),
            ("socket is not connected", 913),
            ("buffer is full", 914),
            ("send data timeout", 915),
            ("dns failed", 916),
            ("dns timeout", 917),
            ("dns unknown error", 918),
            ("Other Error", 65_535),
        ];
        for (text, code) in seen {
            assert_eq!(CmeError::from_text(text), Some(CmeError::new(code)), "{text}");
        }
    }

    #[test]
    fn every_constant_has_the_text_of_its_meaning() {
        let named = [
            (CmeError::OPERATION_NOT_ALLOWED, "operation not allowed"),
            (CmeError::SIM_NOT_INSERTED, "SIM not inserted"),
            (CmeError::SIM_PUK_REQUIRED, "SIM PUK required"),
            (CmeError::SIM_BUSY, "SIM busy"),
            (CmeError::NETWORK_TIMEOUT, "network timeout"),
            (CmeError::INVALID_PARAMETERS, "parameters are invalid"),
            (CmeError::FILE_TOO_LARGE, "FILE TOO LARGE"),
            (CmeError::SERVICE_OPTION_NOT_SUBSCRIBED, "requested service option not subscribed"),
            (CmeError::PDP_AUTHENTICATION_FAILURE, "PDP authentication failure"),
            (CmeError::COMMAND_TIMEOUT, "AT command timeout"),
            (CmeError::RADIO_OFF, "CFUN state is 0 or 4"),
            (CmeError::PDP_NOT_ACTIVE, "PDP_NO_ACTIVE"),
            (CmeError::NOT_CONNECTED, "SOCKET_CONNECTION_NOT_EXIST"),
            (CmeError::DNS_ERROR, "DNS_PARSE_ERROR"),
            (CmeError::OTHER, "Other Error"),
        ];
        for (error, text) in named {
            assert_eq!(error.text(), Some(text));
        }
    }

    #[test]
    fn an_unlisted_number_is_kept_and_printed_bare() {
        let error = CmeError::new(4711);
        assert_eq!((error.code(), error.text()), (4711, None));
        assert_eq!(error.to_string(), "4711");
        assert_eq!(CmeError::new(u32::MAX).to_string(), "4294967295");
    }

    #[test]
    fn a_listed_number_is_printed_with_its_text() {
        assert_eq!(CmeError::SIM_BUSY.to_string(), "14 (SIM busy)");
    }

    #[test]
    fn an_unlisted_text_is_no_error_number() {
        for text in ["", "3", "SIM busy!", "SIM", "не разрешено"] {
            assert_eq!(CmeError::from_text(text), None, "{text}");
        }
    }
}
