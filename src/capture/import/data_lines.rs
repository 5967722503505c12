//! The state of data and payload of several lines.

/// The expected data of the host. The length `None` stands for data up to Ctrl-Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DataLines {
    Nothing,
    Announced(Option<usize>),
    Open { left: Option<usize>, begun: bool },
}

/// The line ends within data and payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum LineEnds {
    /// CR LF. Data without a length end with a Ctrl-Z that the log shows.
    #[default]
    CrLf,
    Lf,
    /// None: the log begins a new line where a read ended.
    Joined,
    /// The log does not show all of the data. They end at the next command or answer.
    Cut,
}

impl LineEnds {
    pub(super) fn bytes(self) -> &'static [u8] {
        match self {
            Self::CrLf | Self::Cut => b"\r\n",
            Self::Lf => b"\n",
            Self::Joined => b"",
        }
    }

    pub(super) fn next(self) -> Option<Self> {
        match self {
            Self::CrLf => Some(Self::Lf),
            Self::Lf => Some(Self::Joined),
            Self::Joined => Some(Self::Cut),
            Self::Cut => None,
        }
    }
}
