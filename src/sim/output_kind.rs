/// The kind of a piece of output, by which a fault chooses what it changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OutputKind {
    /// Typed characters sent back.
    Echo,
    /// An information line of an answer.
    Info,
    /// A line that ends an answer, `SEND OK` and its like included.
    Final,
    /// `> `
    Prompt,
    /// An unsolicited line.
    Urc,
    /// Received bytes, with their header.
    Data,
}
