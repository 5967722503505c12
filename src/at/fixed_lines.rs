//! Lines of the module whose text is fixed but for numbers of the protocol: no piece of a secret is looked for in them.

use super::urc_table::begins_row;

/// Answers, and the headers of payload; the lines that the module prints by itself are in the table of URCs. `0` stands
/// for any digit, `#` for a number of up to four digits, `%` for one of up to ten.
const LINES: &[&str] = &[
    "OK",
    "ERROR",
    "CONNECT",
    "ALREAY CONNECT",
    "ALREADY OPENED",
    "SHUT OK",
    "TCP ERROR:#",
    "UDP ERROR:#",
    "TimeOut",
    "DOWNLOAD",
    "COMMAND NOT RESPONSE",
    "NORMAL POWER DOWN",
    "DATA ACCEPT:0,#",
    "DATA ACCEPT: 0,#",
    "DATAACCEPT:0,#",
    "DATA ACCEPT:#",
    "STATE: IP INITIAL",
    "STATE: IP START",
    "STATE: IP CONFIG",
    "STATE: IP GPRSACT",
    "STATE: IP STATUS",
    "STATE: IP PROCESSING",
    "STATE: TCP CONNECTING",
    "STATE: UDP CONNECTING",
    "STATE: CONNECT OK",
    "STATE: TCP CLOSING",
    "STATE: TCP CLOSED",
    "STATE: UDP CLOSED",
    "STATE: PDP DEACT",
    "+SAPBR 0: DEACT",
    "+CPIN: NOT READY",
    "+CPIN: NOT INSERTED",
    "+CPIN: SIM PIN",
    "+CPIN: SIM PIN2",
    "+CPIN: SIM PUK",
    "+CPIN: SIM PUK2",
    "+CPIN: SIM REMOVED",
    "+CPIN: PH-SIM PIN",
    "+CME ERROR: #",
    "+CMS ERROR: #",
    "+CME ERROR: incorrect password",
    "+CME ERROR: operation not allowed",
    "+CME ERROR: operation not supported",
    "+CME ERROR: SIM PIN required",
    "+CME ERROR: SIM PUK required",
    "+CME ERROR: SIM not inserted",
    "+CME ERROR: SIM failure",
    "+CME ERROR: SIM busy",
    "+CME ERROR: unknown",
    "+CREG: 0,0",
    "+CGREG: 0,0",
    "+CEREG: 0,0",
    "+CGATT: 0",
    "+CSQ: #,#",
    "+CIPMODE: 0",
    "+CIPMUX: 0",
    "+CIPSSL: 0",
    "+RECEIVE,0,#:",
    "+RECEIVE,0,#,",
    "+CIPRXGET: 0,0,%,%",
    "+CIPRXGET:0,0,%,%",
    "+IPD,#:",
    "+IPD,#,TCP:",
    "+IPD,#TCP:",
    "+IPD,#UDP:",
    "+CIPACK: %,%,%",
    "+HTTPREAD: %",
    "+HTTPACTION: 0,#,%",
    "+CIPSEND: 0,#",
    "AT+CIPSEND=0,#",
    "AT+CIPSEND=#",
    "AT+CIPRXGET=0,0,#",
    "AT+CIPACK=0",
    "AT+CIPCLOSE=0,0",
    "AT+CIPSSL=0",
    "AT+CIPMUX=0",
    "AT+CIPMODE=0",
];

/// The names of commands, which their echoes and answers begin with.
const NAMES: &str = "\
    CBC CCED CCID CCLK CDNSCFG CDNSGIP CEER CEREG CESQ CFUN CGACT CGAUTH CGATT CGDATA CGDCONT CGEREP \
    CGEV CGMI CGMM CGMR CGPADDR CGREG CGSN CIEV CIFSR CIICR CIMI CIND CIPACK CIPATS CIPCCFG CIPCLOSE \
    CIPCSGP CIPHEAD CIPMODE CIPMUX CIPPING CIPQSEND CIPRDTIMER CIPRXGET CIPRXF CIPSCONT CIPSEND \
    CIPSENDHEX CIPSGTXT CIPSHOWTP CIPSHUT CIPSPRT CIPSRIP CIPSSL CIPSTART CIPSTATUS CIPTKA CIPTXISS \
    CIPUDPMODE CIURC CLAC CLCK CLIP CLTS CMEE CMGD CMGF CMGL CMGR CMGS CMGW CMMS CMT CMTI CMUX CNMI CNMP \
    CNUM COPN COPS CPAS CPBR CPBS CPIN CPMS CPNETAPN CPOL CPSMS CPWD CREG CRSM CSCA CSCLK CSCON CSCS \
    CSIM CSMS CSPN CSQ CSTT CTEC CTZE CTZV CUSD EEMGINFO EEMOPT FCLASS FSCREATE FSDEL FSDRIVE FSFLSIZE \
    FSLS FSMEM FSREAD FSRENAME FSWRITE FTPCID FTPGET FTPPORT FTPPW FTPQUIT FTPSERV FTPUN GCAP GMI GMM \
    GMR GSN HTTPACTION HTTPDATA HTTPINIT HTTPPARA HTTPREAD HTTPSTATUS HTTPTERM ICCID ICF IFC IPR MCONFIG \
    MCONNECT MDISCONNECT MIPSTART MPUB MQTTMSGSET MSUB MUID NITZ RESET RNDISCALL SAPBR SETUSB SIMCROSS \
    SIMDET SLEDS SPEED SSLCFG UPGRADE UPGRADEIND VGR WAKETIM WIFILOC CARDMODE MODE";

/// The length of the longest line that is compared.
const LONGEST: usize = 40;

/// True if these bytes, the first of a line, begin one whose text is fixed.
pub(crate) fn is_fixed(start: &[u8]) -> bool {
    start.len() <= LONGEST
        && (is_name(start) || begins_row(start) || LINES.iter().any(|line| begins(line.as_bytes(), start)))
}

/// True if the text is the beginning of a line of this form.
fn begins(line: &[u8], text: &[u8]) -> bool {
    match (line, text) {
        (_, []) => true,
        ([], _) => false,
        ([b'0', line @ ..], [byte, text @ ..]) if byte.is_ascii_digit() => begins(line, text),
        ([digits @ (b'#' | b'%'), line @ ..], _) => {
            let most = if *digits == b'#' { 4 } else { 10 };
            let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
            (1..=most).contains(&count) && begins(line, text.get(count..).unwrap_or_default())
        }
        ([expected, line @ ..], [byte, text @ ..]) => expected == byte && begins(line, text),
    }
}

/// True if the text is the beginning of a command's name: `AT+CS`, `+CSQ`.
fn is_name(text: &[u8]) -> bool {
    let text = match text {
        [b'A' | b'a'] => &[],
        [b'A' | b'a', b'T' | b't', text @ ..] => text,
        text => text,
    };
    let [b'+' | b'^' | b'*', name @ ..] = text else { return text.is_empty() };
    NAMES
        .split_ascii_whitespace()
        .any(|known| known.as_bytes().get(..name.len()).is_some_and(|known| known.eq_ignore_ascii_case(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_with_text_of_others_are_not_fixed() {
        for line in
            ["+NO Service", "0, SEND OK", "+RECEIVE,0,1234:", "at+cpin", "+CSQ: 12,3", "DATA ACCEPT:0,1460"]
        {
            assert!((1..=line.len()).all(|end| is_fixed(&line.as_bytes()[..end])), "{line}");
            assert!(line.len() <= LONGEST);
        }
        for line in [
            "AT+CPIN1234",
            "AT+CPIN=\"",
            "AT+CSQuser",
            "+CREG: 1AT+CPIN",
            "OK1234",
            "+CREG: 173",
            "+RECEIVE,0,73519",
            "user",
        ] {
            assert!(!is_fixed(line.as_bytes()), "{line}");
        }
        assert!(LINES.iter().all(|line| line.len() <= LONGEST));
    }
}
