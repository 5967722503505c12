/// The form of a file. It is recognised by the content of the file, never by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Layout {
    /// Our own format: see the documentation of [`capture`](crate::capture).
    Own,
    /// A mark on every line shows its direction.
    Marked,
    /// A mark stands before several lines.
    Blocks,
    /// The output of a terminal, with or without stamps: only the content shows the directions.
    Terminal,
    /// Hexadecimal bytes.
    Dump,
    /// Answers beside commands, as in a manual.
    Notes,
}

/// The encoding of a file's characters.
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
    /// The form in which the program should save such a log, so that more of it can be read.
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
