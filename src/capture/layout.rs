/// The layout of a file. Recognised by its content, never by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Layout {
    /// Our own format: see the documentation of [`capture`](crate::capture).
    Own,
    /// LLCOM with `←` sent and `→` received.
    Llcom,
    /// SSCOM with `发→◇` sent and `收←◆` received.
    Sscom,
    /// Luatools: a stamp on every line; an AT port or a Luat trace.
    Luatools,
    /// ESP-IDF log with `RX:|` and `TX:|`.
    Esp,
    /// `[TX]` and `[RX]` with C escapes.
    Tagged,
    /// The Arduino serial monitor: `hh:mm:ss.mmm -> `.
    Arduino,
    /// A Python program's `Got:"b'...'"`.
    Python,
    /// `--->` sent and `<---` received.
    Arrows,
    /// Lines of hexadecimal bytes.
    HexDump,
    /// A manual's examples with `→` sent and `←` received.
    Manual,
    /// A table of receive formats.
    Table,
    /// Reply shapes as C escapes beside their commands.
    Shapes,
    /// Excerpts under `--- titles ---`.
    Excerpts,
    /// A script's log with `atc: ` before what the modem answered.
    Atc,
    /// RT-Thread's log of a driver.
    RtThread,
    /// What a terminal showed, with the prints of TinyGSM's examples in between.
    TinyGsm,
    /// What a terminal showed, and nothing else to go by.
    Plain,
}
