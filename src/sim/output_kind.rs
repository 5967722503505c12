/// The kind of a piece of output, which determines the faults that apply to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OutputKind {
    /// Echoed characters.
    Echo,
    /// An information line of an answer.
    Info,
    /// The last line of an answer, including `SEND OK` and similar lines.
    Final,
    /// `> `
    Prompt,
    /// An unsolicited line.
    Urc,
    /// Received bytes, with their header.
    Data,
}
