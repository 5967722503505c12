//! Traces that no module prints. Every input is a trace, is read to its end, and takes bounded memory.

// A failure in a helper fails a test as well.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{self, BufReader, Read};
use std::path::Path;

use air724ug::luat::{Analysis, Interpreter, MAX_EVENTS, MAX_EVIDENCE, MAX_RECORD, Reader};

fn fixtures() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/luat");
    let traces: Vec<Vec<u8>> =
        fs::read_dir(folder).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect();
    assert!(!traces.is_empty());
    traces
}

/// A sequence of pseudo-random numbers that is the same on every machine.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % below
    }
}

/// Checks the rules that hold for the events of any `trace`.
fn check(trace: &[u8]) -> Analysis {
    let line_count = trace.split(|&byte| byte == b'\n').count() as u64;
    let analysis = Analysis::read(trace).unwrap();
    for event in &analysis.events {
        assert!(!event.lines.is_empty() && !event.what.to_string().is_empty(), "{event:?}");
        assert!(event.lines.is_sorted(), "{event:?}");
        assert!(event.lines.iter().all(|line| (1..=line_count).contains(line)), "{event:?}");
    }
    for finding in &analysis.findings {
        assert!((1..=MAX_EVIDENCE).contains(&finding.evidence.len()) && finding.count > 0);
    }
    // UTF-16 has other line ends. In other encodings each line appears exactly once.
    if !matches!(trace, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) {
        let mut next = 1;
        for record in Reader::new(trace) {
            let record = record.unwrap();
            assert_eq!(*record.lines.start(), next);
            assert!(record.text.len() <= MAX_RECORD);
            next = record.lines.end() + 1;
        }
        let is_ended = trace.is_empty() || trace.ends_with(b"\n") || trace == [0xef, 0xbb, 0xbf];
        assert_eq!(next, line_count + u64::from(!is_ended));
    }
    analysis
}

#[test]
fn a_trace_cut_anywhere_is_read_to_its_end() {
    for trace in fixtures() {
        for end in 0..=trace.len() {
            check(&trace[..end]);
        }
        for begin in (0..trace.len()).step_by(3) {
            check(&trace[begin..]);
        }
    }
}

#[test]
fn the_size_of_reads_makes_no_difference() {
    for trace in fixtures() {
        let whole = check(&trace);
        for size in 1..=64 {
            let analysis = Analysis::read(BufReader::with_capacity(size, &trace[..])).unwrap();
            assert_eq!(analysis, whole, "in reads of {size} bytes");
        }
    }
}

#[test]
fn random_bytes_are_a_trace() {
    for seed in 0..300 {
        let mut numbers = Numbers(seed);
        let bytes: Vec<u8> = (0..2000).map(|_| u8::try_from(numbers.next(256)).unwrap()).collect();
        check(&bytes);
    }
}

#[test]
fn damaged_traces_and_lines_in_any_order_are_traces() {
    for (seed, trace) in (0..).zip(fixtures().into_iter().cycle().take(400)) {
        let mut numbers = Numbers(seed);
        let mut damaged = trace.clone();
        for _ in 0..40 {
            let at = numbers.next(damaged.len());
            damaged[at] = u8::try_from(numbers.next(256)).unwrap();
        }
        check(&damaged);
        let lines: Vec<&[u8]> = trace.split_inclusive(|&byte| byte == b'\n').collect();
        let shuffled: Vec<&[u8]> = (0..200).map(|_| lines[numbers.next(lines.len())]).collect();
        check(&shuffled.concat());
    }
}

#[test]
fn lines_of_the_libraries_in_any_order_are_a_trace() {
    const WORDS: [&str; 24] = [
        "[I]-[",
        "[D]-[socket.send] total 30 bytes first 30 bytes ",
        "[D]-[socket.send] total 18446744073709551616 bytes first 30 bytes ",
        "[D]-[socket.send] total 999999999999999 bytes first 30 bytes ",
        "[I]-[socket:connect-coreid,prot,addr,port,cert,timeout] ",
        "[I]-[socket:on_response:] ",
        "[I]-[socket:connect: connect fail] ",
        "[I]-[socket:sock_close] ",
        "[I]-[socket.rtos.MSG_SOCK_CLOSE_IND]",
        "[I]-[ril.sendat] ",
        "[I]-[ril.proatc] ",
        "[I]-[link.cgevurc] *CGEV: DEACT,",
        "SOCKET_CONNECT ",
        "SOCKET_SEND ",
        "SOCKET_CLOSE ",
        "TCP 1.2.3.4 80 nil ",
        "0 ",
        "255 ",
        "999999999999999999999 ",
        "-1 ",
        "OK",
        "\n",
        "\r\n",
        "[2024-10-22 19:50:33.850] ",
    ];
    for seed in 0..3000 {
        let mut numbers = Numbers(seed);
        let text: String = (0..60).map(|_| WORDS[numbers.next(WORDS.len())]).collect();
        check(text.as_bytes());
    }
}

/// A long trace: a line repeated up to `left` bytes.
struct Endless {
    line: &'static [u8],
    at: usize,
    left: usize,
}

impl Read for Endless {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = buf.len().min(self.left);
        for byte in &mut buf[..count] {
            *byte = self.line[self.at % self.line.len()];
            self.at += 1;
        }
        self.left -= count;
        Ok(count)
    }
}

fn endless(line: &'static [u8]) -> BufReader<Endless> {
    BufReader::new(Endless { line, at: 0, left: 24 * 1024 * 1024 })
}

#[test]
fn endless_lines_and_records_are_kept_up_to_their_limits() {
    for line in [&b"x"[..], b"\xff\xfe\n\n", b"[2024-10-22 19:50:33.850"] {
        for record in Reader::new(endless(line)) {
            assert!(record.unwrap().text.len() <= MAX_RECORD);
        }
    }
    // With a stamp in front, all later lines are one record.
    let first = &b"[2024-10-22 19:50:33.850] [I]-[a] b\n"[..];
    let records: Vec<_> = Reader::new(first.chain(endless(b"more\n"))).map(Result::unwrap).collect();
    assert_eq!(records.len(), 1);
    assert!(records[0].cut && records[0].text.len() <= MAX_RECORD);
}

#[test]
fn the_events_of_a_huge_trace_are_counted_but_not_kept() {
    let line = b"[I]-[socket.rtos.MSG_SOCK_CLOSE_IND]\n";
    let analysis = Analysis::read(endless(line)).unwrap();
    let count = (24 * 1024 * 1024_u64).div_ceil(line.len() as u64);
    // The last line is complete, or cut in the middle of its tag.
    assert!((count - 1..=count).contains(&(analysis.events.len() as u64 + analysis.omitted)));
    assert_eq!(analysis.events.len(), MAX_EVENTS);
    assert_eq!(analysis.findings[0].evidence.len(), MAX_EVIDENCE);
}

#[test]
fn unanswered_sends_and_commands_take_bounded_memory() {
    for line in [
        &b"[D]-[socket.send] total 5 bytes first 30 bytes abcde\n"[..],
        b"[I]-[ril.sendat] AT+X\n[I]-[ril.proatc] y\n",
        b"[I]-[socket:on_response:] 7 SOCKET_CONNECT 1\n[I]-[ril.sendat] AT\n",
    ] {
        let mut interpreter = Interpreter::default();
        let mut count = 0;
        for record in Reader::new(BufReader::new(Endless { line, at: 0, left: 1 << 20 })) {
            count += interpreter.interpret(&record.unwrap()).len();
        }
        let rest = interpreter.finish();
        assert!(count > 1000 && rest.len() <= 64, "{count} {}", rest.len());
    }
}

#[test]
fn an_error_of_the_reader_comes_after_the_records_before_it() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("unplugged"))
        }
    }
    let input = BufReader::new((&b"[I]-[a] 1\n[I]-[b] 2\n"[..]).chain(Broken));
    let mut reader = Reader::new(input);
    assert_eq!(reader.next().unwrap().unwrap().text, b"1");
    assert_eq!(reader.next().unwrap().unwrap().text, b"2");
    assert_eq!(reader.next().unwrap().unwrap_err().to_string(), "unplugged");
    assert!(reader.next().is_none());
}
