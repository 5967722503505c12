//! A response of HTTP/1.1: its head, and its body in each of three forms. All sizes are limited.

use std::io::{self, BufRead, ErrorKind, Read};

/// The longest head.
const MAX_HEAD: u64 = 64 * 1024;
/// The most header fields.
const MAX_FIELDS: usize = 100;
/// The longest line with the length of a chunk, or after the last one.
const MAX_LINE: u64 = 1024;
/// The most lines after the last chunk.
const MAX_TRAILERS: usize = 100;

/// The head of a response.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Head {
    pub status: u16,
    pub reason: String,
    fields: Vec<(String, String)>,
}

/// The form of a body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BodyForm {
    Length(u64),
    Chunked,
    /// Until the server closes.
    Open,
}

impl Head {
    /// The head of the final response: interim ones (such as 103 Early Hints) are skipped.
    pub fn read(reader: &mut impl BufRead) -> io::Result<Self> {
        let mut limited = reader.take(MAX_HEAD);
        loop {
            let head = Self::read_next(&mut limited)?;
            if !matches!(head.status, 100 | 102..=199) {
                return Ok(head);
            }
        }
    }

    fn read_next<R: BufRead>(limited: &mut io::Take<R>) -> io::Result<Self> {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\r\n\r\n") {
            if limited.read_until(b'\n', &mut bytes)? == 0 {
                let kind =
                    if limited.limit() == 0 { ErrorKind::InvalidData } else { ErrorKind::UnexpectedEof };
                return Err(kind.into());
            }
        }
        let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
        let mut response = httparse::Response::new(&mut fields);
        response
            .parse(&bytes)
            .map_err(|error| invalid(&format!("the server's answer is no HTTP: {error}")))?;
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        Ok(Self {
            status: response.code.unwrap_or_default(),
            reason: response.reason.unwrap_or_default().to_owned(),
            fields: response.headers.iter().map(|field| (field.name.to_owned(), text(field.value))).collect(),
        })
    }

    pub fn field(&self, name: &str) -> Option<&str> {
        let field = self.fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        field.map(|(_, value)| value.trim())
    }

    /// The validator of the content: a strong `ETag`, or the time of the last change.
    pub fn validator(&self) -> Option<&str> {
        self.field("ETag").filter(|tag| !tag.starts_with("W/")).or_else(|| self.field("Last-Modified"))
    }

    /// The form of the body. Fails if its end can't be known, because a truncated body would look complete.
    pub fn body(&self) -> io::Result<BodyForm> {
        if matches!(self.status, 100..=199 | 204 | 304) {
            return Ok(BodyForm::Length(0));
        }
        let values = |wanted: &str| -> Vec<&str> {
            let known = self.fields.iter().filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
            known.map(|(_, value)| value.trim()).collect()
        };
        match &values("Transfer-Encoding")[..] {
            [] => {}
            [coding] if coding.eq_ignore_ascii_case("chunked") => return Ok(BodyForm::Chunked),
            codings => {
                return Err(invalid(&format!(
                    "the body comes as \"{}\", not chunked alone",
                    codings.join(", ")
                )));
            }
        }
        match &values("Content-Length")[..] {
            [] => Ok(BodyForm::Open),
            [length, others @ ..] if others.iter().all(|other| other == length) => number(length, 10)
                .map(BodyForm::Length)
                .ok_or_else(|| invalid(&format!("\"{length}\" is no length of a body"))),
            lengths => Err(invalid(&format!("the body has two lengths, {}", lengths.join(" and ")))),
        }
    }

    /// The start of a partial content, and the length of the whole content if known.
    pub fn range(&self) -> Option<(u64, Option<u64>)> {
        let (range, whole) = self.field("Content-Range")?.strip_prefix("bytes ")?.split_once('/')?;
        Some((range.split('-').next()?.parse().ok()?, whole.parse().ok()))
    }
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, why)
}

/// Digits only, without a sign.
fn number(digits: &str, radix: u32) -> Option<u64> {
    u64::from_str_radix(digits, radix).ok().filter(|_| digits.chars().all(|c| c.is_digit(radix)))
}

/// The rest of a body.
pub struct Body<R> {
    reader: R,
    form: BodyForm,
    /// The remaining bytes of this chunk, or of a body of known length.
    left: u64,
    is_first: bool,
    is_over: bool,
}

impl<R: BufRead> Body<R> {
    pub fn new(reader: R, form: BodyForm) -> Self {
        let left = if let BodyForm::Length(length) = form { length } else { 0 };
        Self { reader, form, left, is_first: true, is_over: false }
    }

    /// Reads to the next chunk that has bytes.
    fn next_chunk(&mut self) -> io::Result<()> {
        if !self.is_first && !self.line()?.is_empty() {
            return Err(invalid("a chunk is longer than its length"));
        }
        self.is_first = false;
        let line = self.line()?;
        let digits = line.split(';').next().unwrap_or_default().trim();
        self.left = number(digits, 16).ok_or_else(|| invalid("the length of a chunk can't be read"))?;
        if self.left == 0 {
            // Trailer fields up to an empty line.
            for _ in 0..MAX_TRAILERS {
                if self.line()?.is_empty() {
                    self.is_over = true;
                    return Ok(());
                }
            }
            return Err(invalid("what follows the last chunk has no end"));
        }
        Ok(())
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        self.reader.by_ref().take(MAX_LINE).read_until(b'\n', &mut line)?;
        if !line.ends_with(b"\n") && line.len() as u64 == MAX_LINE {
            return Err(invalid("a line of a chunk is too long"));
        }
        if !line.ends_with(b"\n") {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
    }
}

impl<R: BufRead> Read for Body<R> {
    /// Zero at the end of the complete body; an error if the connection has ended before.
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.form == BodyForm::Open {
            return self.reader.read(buf);
        }
        if self.form == BodyForm::Chunked && self.left == 0 && !self.is_over {
            self.next_chunk()?;
        }
        if self.left == 0 {
            return Ok(0);
        }
        let room = buf.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        match self.reader.read(&mut buf[..room])? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            count => {
                self.left -= count as u64;
                Ok(count)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str) -> io::Result<Head> {
        Head::read(&mut text.as_bytes())
    }

    fn body(text: &str, form: BodyForm) -> io::Result<String> {
        let mut read = String::new();
        Body::new(text.as_bytes(), form).read_to_string(&mut read).map(|_| read)
    }

    #[test]
    fn the_form_of_a_body_is_in_the_head() {
        let form = |fields: &str| head(&format!("HTTP/1.1 200 OK\r\n{fields}\r\n")).unwrap().body().unwrap();
        assert_eq!(form("content-length: 5\r\n"), BodyForm::Length(5));
        assert_eq!(form("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), BodyForm::Chunked);
        assert_eq!(form(""), BodyForm::Open);
        let partial = head("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 5-9/10\r\n\r\n").unwrap();
        assert_eq!(partial.range(), Some((5, Some(10))));
    }

    #[test]
    fn a_body_whose_end_can_not_be_known_is_an_error() {
        for fields in [
            "Content-Length: +5\r\n",
            "Content-Length: -1\r\n",
            "Content-Length: five\r\n",
            "Content-Length:\r\n",
            "Content-Length: 5\r\nContent-Length: 6\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: identity\r\nContent-Length: 5\r\n",
        ] {
            let error = head(&format!("HTTP/1.1 200 OK\r\n{fields}\r\n")).unwrap().body().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidData, "{fields}");
        }
        for wrong in ["+3\r\nhel\r\n", "-1\r\n", "3\r\nhello\r\n0\r\n\r\n", &"1".repeat(2000)] {
            assert_eq!(body(wrong, BodyForm::Chunked).unwrap_err().kind(), ErrorKind::InvalidData, "{wrong}");
        }
        let endless = format!("0\r\n{}", "A: b\r\n".repeat(1000));
        assert_eq!(body(&endless, BodyForm::Chunked).unwrap_err().kind(), ErrorKind::InvalidData);
    }

    #[test]
    fn what_comes_before_the_answer_is_passed_over() {
        let early = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n";
        assert_eq!(head(&format!("{early}HTTP/1.1 204 No Content\r\n\r\n")).unwrap().status, 204);
        let endless = "HTTP/1.1 100 Continue\r\n\r\n".repeat(10_000);
        assert_eq!(head(&endless).unwrap_err().kind(), ErrorKind::InvalidData);
    }

    #[test]
    fn every_form_of_a_body_ends_where_it_ends() {
        assert_eq!(body("hello more", BodyForm::Length(5)).unwrap(), "hello");
        assert_eq!(
            body("3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nA: b\r\n\r\nmore", BodyForm::Chunked).unwrap(),
            "hello"
        );
        assert_eq!(body("hello", BodyForm::Open).unwrap(), "hello");
    }

    #[test]
    fn a_body_that_is_cut_short_is_an_error() {
        let chunked = "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n";
        for end in 0..chunked.len() {
            assert!(body(&chunked[..end], BodyForm::Chunked).is_err(), "{end}");
        }
        assert_eq!(body("hell", BodyForm::Length(5)).unwrap_err().kind(), ErrorKind::UnexpectedEof);
        assert_eq!(body("zz\r\n", BodyForm::Chunked).unwrap_err().kind(), ErrorKind::InvalidData);
    }

    #[test]
    fn a_head_is_bounded() {
        let endless = &mut io::BufReader::new(io::repeat(b'a'));
        assert_eq!(Head::read(endless).unwrap_err().kind(), ErrorKind::InvalidData);
        assert_eq!(head("HTTP/1.1 200 OK\r\n").unwrap_err().kind(), ErrorKind::UnexpectedEof);
        assert_eq!(head("220 ready\r\n\r\n").unwrap_err().kind(), ErrorKind::InvalidData);
        let fields = "A: b\r\n".repeat(MAX_FIELDS + 1);
        assert!(head(&format!("HTTP/1.1 200 OK\r\n{fields}\r\n")).is_err());
    }
}
