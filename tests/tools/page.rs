//! The HTML page of a capture, and the comparison of two sessions.

#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

#[path = "../../examples/common/diff.rs"]
mod diff;
#[path = "../../examples/common/page.rs"]
mod drawn;

use air724ug::capture::{self, Coverage, Timeline, replay};
use drawn::{MAX_ROWS, MAX_TEXT, SIGN, escaped, page};

fn timeline(log: &str) -> Timeline {
    replay(&capture::read(log.as_bytes()).unwrap())
}

fn drawn(log: &str) -> String {
    let capture = capture::read(log.as_bytes()).unwrap();
    let timeline = replay(&capture);
    page("a <b> & \"c\".capture", &timeline, &Coverage::of(&capture, &timeline))
}

const SESSION: &str = "# what: x\n# source: y\n# expect: not known\n\
    0.0 > AT+CIPSTART=3,\"TCP\",\"192.0.2.1\",7\\r\\n\n0.5 < \\r\\nOK\\r\\n\n0.6 < \\r\\n3, CONNECT OK\\r\\n\n\
    1.0 > AT+CIPSEND=3,5\\r\\n\n1.1 < \\r\\n> \n1.2 > hello\n1.4 < \\r\\n3, SEND OK\\r\\n\n\
    1.5 < \\r\\n+RECEIVE,3,8:\\r\\n<script>\\r\\n\n1.6 < noise\\r\\n\n1.7 > AT+CIPSEND=3,1\\r\\n\n1.8 < \\r\\n+CME ERROR: 3\\r\\n\n1.9 < \\r\\n3, CLOSED\\r\\n\n";

#[test]
fn a_page_has_lanes_bars_and_colours_and_no_external_parts() {
    let page = drawn(SESSION);
    for part in [
        "<th>commands</th><th>channel 3</th><th>unsolicited</th>",
        "<td class=\"sent\">sent hello</td>",
        "<td class=\"received\">received 3 &lt;script&gt;</td>",
        "<td class=\"error\">final +CME ERROR: 3 to AT+CIPSEND=3,1</td>",
        "class=\"unexplained\">unexplained noise",
        "<td class=\"news\">urc 3, CLOSED</td>",
        "<span class=\"took\">400 ms</span><i class=\"bar\" style=\"width:52%\"></i>",
        "<title>a &lt;b&gt; &amp; &quot;c&quot;.capture</title>",
        "default-src 'none'",
        SIGN,
    ] {
        assert!(page.contains(part), "{part} is not in\n{page}");
    }
    for foreign in ["http:", "https:", "src=", "url(", "{body}", "{rows}", "{title}"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    assert_eq!(page.matches("<script>").count(), 1, "the page's own");
}

#[test]
fn the_content_of_a_capture_stays_text() {
    assert_eq!(
        escaped("<a href='x' title=\"&\">\u{1b}\u{202e}"),
        "&lt;a href=&#39;x&#39; title=&quot;&amp;&quot;&gt;\u{fffd}\u{fffd}"
    );
    assert!(escaped(&"é".repeat(MAX_TEXT + 7)).ends_with("é (7 more)"));
    let page = drawn("AT+X=\"{body}{title}</td></table><script>alert(1)</script>\"\nOK\n");
    assert!(page.contains("{body}{title}&lt;/td&gt;&lt;/table&gt;&lt;script&gt;"), "{page}");
}

#[test]
fn the_page_of_a_long_capture_is_bounded() {
    let page = drawn(&"RDY\n".repeat(3 * MAX_ROWS));
    assert_eq!(
        page.matches("<tr>").count(),
        MAX_ROWS + 2,
        "the heading, the rows, and the remark about omitted rows"
    );
    assert!(page.contains(&format!("{} are left out here", 2 * MAX_ROWS)));
    assert!(page.len() < 200 * MAX_ROWS, "{}", page.len());
}

fn parted(one: &str, other: &str) -> (usize, String) {
    let mut out = Vec::new();
    let count = diff::diff(&mut out, ["one", "other"], [&timeline(one), &timeline(other)]).unwrap();
    (count, String::from_utf8(out).unwrap())
}

#[test]
fn the_comparison_shows_where_two_sessions_differ_and_agree_again() {
    let one = "AT\nOK\nAT+CSQ\n+CSQ: 20,0\nOK\nAT+CGATT?\n+CGATT: 1\nOK\n";
    let other = "AT\nOK\nAT+CSQ\n+CSQ: 7,0\nOK\nAT+CGATT?\n+CGATT: 1\nOK\n0, CLOSED\n";
    assert_eq!(parted(one, one).0, 0);
    let (count, shown) = parted(one, other);
    assert_eq!(count, 2, "{shown}");
    for part in [
        "after 3 that are alike:",
        "reply +CSQ: 20,0 to AT+CSQ",
        "reply +CSQ: 7,0 to AT+CSQ",
        "one: nothing",
        "urc 0, CLOSED",
    ] {
        assert!(shown.contains(part), "{part} is not in\n{shown}");
    }
    assert_eq!(parted("", one).0, 1);
}

#[test]
fn sessions_without_common_parts_are_compared_in_bounded_time() {
    let one: String = (0..3_000).map(|at| format!("+CSQ: {},0\n", at % 31)).collect();
    let other: String = (0..3_000).map(|at| format!("+CREG: {}\n", at % 9)).collect();
    assert_eq!(parted(&one, &other).0, 1);
}
