//! The grammar of a command line (V.250): the text after `AT`, divided into calls.
//!
//! Basic calls (`E0`, `&W`, `S3=13`) directly follow each other; extended calls (`+CSQ`, `^HEARTCONFIG=..`) end at a
//! `;` or at the end of the line. In quotes `;` and `,` do not separate.

/// One argument of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sim) struct Arg {
    /// The text without its quotes. Bytes that are not UTF-8 are replaced, because no command accepts them.
    pub(in crate::sim) text: String,
    /// True if it was in quotes.
    pub(in crate::sim) quoted: bool,
}

impl Arg {
    /// The value of a number.
    pub(in crate::sim) fn number(&self) -> Option<u64> {
        self.text.trim().parse().ok()
    }
}

/// The form of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sim) enum Form {
    /// `AT+X`
    Execute,
    /// `AT+X?`
    Read,
    /// `AT+X=?`
    Test,
    /// `AT+X=1,2`
    Set(Vec<Arg>),
}

/// One command of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sim) struct Call {
    /// In capitals, with its prefix: `E`, `&W`, `S3`, `+CSQ`, `^HEARTCONFIG`.
    pub(in crate::sim) name: String,
    pub(in crate::sim) form: Form,
}

/// Divides the text after `AT` into calls. Invalid text becomes a call that is in no table.
pub(in crate::sim) fn parse(body: &[u8]) -> Vec<Call> {
    let mut calls = Vec::new();
    let mut rest = body;
    loop {
        rest = trim_start(rest);
        match rest.first() {
            None => return calls,
            Some(b';') => rest = &rest[1..],
            Some(b'+' | b'^' | b'*' | b'$' | b'%') => {
                let end = end_of_extended(rest);
                calls.push(extended(&rest[..end]));
                rest = &rest[end..];
            }
            Some(_) => {
                let (call, used) = basic(rest);
                calls.push(call);
                rest = &rest[used..];
            }
        }
    }
}

fn trim_start(bytes: &[u8]) -> &[u8] {
    let blanks = bytes.iter().take_while(|byte| **byte == b' ').count();
    &bytes[blanks..]
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

/// The end of an extended call: a `;` outside quotes.
fn end_of_extended(bytes: &[u8]) -> usize {
    let mut quoted = false;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b';' if !quoted => return at,
            _ => {}
        }
    }
    bytes.len()
}

fn extended(bytes: &[u8]) -> Call {
    let is_name = |byte: &u8| !matches!(byte, b'=' | b'?' | b' ');
    let name_end = 1 + bytes[1..].iter().take_while(|byte| is_name(byte)).count();
    let name = text(&bytes[..name_end]).to_uppercase();
    let form = form(trim_start(&bytes[name_end..]));
    match form {
        Some(form) => Call { name, form },
        None => Call { name: text(bytes), form: Form::Execute },
    }
}

fn form(rest: &[u8]) -> Option<Form> {
    match text(rest).as_str() {
        "" => Some(Form::Execute),
        "?" => Some(Form::Read),
        "=?" => Some(Form::Test),
        _ if rest[0] == b'=' => Some(Form::Set(args(&rest[1..]))),
        _ => None,
    }
}

/// Divides arguments at the commas outside quotes.
fn args(bytes: &[u8]) -> Vec<Arg> {
    let mut args = Vec::new();
    let mut quoted = false;
    let mut start = 0;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b',' if !quoted => {
                args.push(arg(&bytes[start..at]));
                start = at + 1;
            }
            _ => {}
        }
    }
    args.push(arg(&bytes[start..]));
    args
}

fn arg(bytes: &[u8]) -> Arg {
    let text = text(bytes);
    match text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) => Arg { text: inner.to_owned(), quoted: true },
        None => Arg { text, quoted: false },
    }
}

/// A letter, `&` and a letter, or `S` and a number; then digits, `=value` or `?`.
fn basic(bytes: &[u8]) -> (Call, usize) {
    let upper = |byte: u8| char::from(byte.to_ascii_uppercase());
    let mut used = 1;
    let mut name = upper(bytes[0]).to_string();
    if name == "&" && bytes.len() > 1 {
        name.push(upper(bytes[1]));
        used = 2;
    }
    let digits = digits(&bytes[used..]);
    if name == "S" {
        name.push_str(&text(&bytes[used..used + digits]));
        used += digits;
        let (form, more) = register_form(&bytes[used..]);
        return (Call { name, form }, used + more);
    }
    let number = Arg { text: text(&bytes[used..used + digits]), quoted: false };
    let form = if digits == 0 { Form::Execute } else { Form::Set(vec![number]) };
    (Call { name, form }, used + digits)
}

fn digits(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

fn register_form(rest: &[u8]) -> (Form, usize) {
    match rest.first() {
        Some(b'?') => (Form::Read, 1),
        Some(b'=') => {
            let digits = digits(&rest[1..]);
            (Form::Set(vec![arg(&rest[1..1 + digits])]), 1 + digits)
        }
        _ => (Form::Execute, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &str) -> Vec<String> {
        let form = |form: &Form| match form {
            Form::Execute => String::new(),
            Form::Read => "?".to_owned(),
            Form::Test => "=?".to_owned(),
            Form::Set(args) => {
                let args = args.iter().map(|arg| match arg.quoted {
                    true => format!("\"{}\"", arg.text),
                    false => arg.text.clone(),
                });
                format!("={}", args.collect::<Vec<_>>().join("|"))
            }
        };
        parse(line.as_bytes()).iter().map(|call| format!("{}{}", call.name, form(&call.form))).collect()
    }

    #[test]
    fn each_form_is_distinguished() {
        assert_eq!(shown("+csq"), ["+CSQ"]);
        assert_eq!(shown("+CREG?"), ["+CREG?"]);
        assert_eq!(shown("+CREG=?"), ["+CREG=?"]);
        assert_eq!(shown("+CREG=2"), ["+CREG=2"]);
        assert_eq!(shown("^HEARTCONFIG=1,2"), ["^HEARTCONFIG=1|2"]);
    }

    #[test]
    fn quotes_protect_commas_and_semicolons() {
        assert_eq!(shown("+CSTT=\"a;b\",\"c,d\",;+CIICR"), ["+CSTT=\"a;b\"|\"c,d\"|", "+CIICR"]);
    }

    #[test]
    fn basic_commands_follow_each_other_without_a_semicolon() {
        assert_eq!(shown("E0V1"), ["E=0", "V=1"]);
        assert_eq!(shown("&FZ"), ["&F", "Z"]);
        assert_eq!(shown("S3=13S4?"), ["S3=13", "S4?"]);
        assert_eq!(shown("E0+CMEE=1;&W"), ["E=0", "+CMEE=1", "&W"]);
        assert_eq!(shown("+CIFSR;E0"), ["+CIFSR", "E=0"]);
    }

    #[test]
    fn an_empty_body_is_no_call() {
        assert!(shown("").is_empty());
        assert!(shown(" ; ").is_empty());
    }

    #[test]
    fn a_question_mark_in_the_middle_is_no_known_call() {
        assert_eq!(shown("+CSQ?1"), ["+CSQ?1"]);
    }

    #[test]
    fn any_bytes_are_cut_without_a_panic() {
        for a in 0..=255_u8 {
            for b in [b'A', b'+', b'"', b'=', b'?', b'&', b'S', 0xff, b',', b';'] {
                parse(&[a, b]);
                parse(&[b, a, b]);
            }
        }
    }
}
