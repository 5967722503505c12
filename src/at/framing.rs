//! The line ends with which a firmware begins its lines, as the decoder learns them.

/// The bytes in front of a line.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) enum Before {
    /// A line end of its own, or nothing of which one could say more.
    #[default]
    LineEnd,
    /// The end of the line before.
    Line,
    /// Data, directly.
    Data,
    /// Data and a CR.
    DataCr,
}

impl Before {
    /// What stands in front of the next line when this one is taken. A prompt that nothing waits for has no line end of its
    /// own: the one behind it belongs to the next frame.
    pub(super) fn behind(self, line: &[u8]) -> Self {
        if line == b">" { Self::LineEnd } else { self }
    }
}

/// The way in which the firmware begins its headers, or its prompts.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) enum Start {
    #[default]
    Unknown,
    /// With a line end.
    Framed,
    /// Without one.
    Bare,
}

/// The knowledge whether commands may be sent back.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) enum Echo {
    #[default]
    Possible,
    Off,
}
