/// The form of a file. Recognised by its content, never by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Layout {
    /// Our own format: see the documentation of [`capture`](crate::capture).
    Own,
    /// A mark on every line of the wire says whose it is.
    Marked,
    /// A mark stands before several lines.
    Blocks,
    /// What a terminal showed, with stamps or without: nothing tells the sides apart but what they say.
    Terminal,
    /// Hexadecimal bytes.
    Dump,
    /// Answers noted beside commands, as in a manual.
    Notes,
}

/// The spelling of the characters of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Encoding {
    /// UTF-8, ASCII, or bytes that are no text.
    #[default]
    Utf8,
    /// UTF-16, low byte first.
    Utf16Le,
    /// UTF-16, high byte first.
    Utf16Be,
    /// GBK, in which Chinese Windows saves text.
    Gbk,
}

impl Layout {
    /// What the program that wrote such a log could save, so that more of it could be read.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Own => "nothing: this is how captures are saved best",
            Self::Marked | Self::Dump => {
                "the bytes of both sides with their line ends, in hexadecimal or escaped, each line with a time and a mark \
                 such as TX and RX"
            }
            Self::Blocks => {
                "the bytes in hexadecimal, or escaped with their line ends, with the times it has now"
            }
            Self::Terminal => {
                "a mark such as TX and RX and a time in front of every line; most terminal programs have an option for it"
            }
            Self::Notes => "a log of the session itself, with both sides marked, instead of notes about it",
        }
    }
}
