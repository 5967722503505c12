use std::fmt;

/// A direction of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the modem to the host.
    ToHost,
    /// From the host to the modem.
    FromHost,
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ToHost => "to-host",
            Self::FromHost => "from-host",
        })
    }
}
