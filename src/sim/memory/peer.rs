//! The script of a peer in memory.

/// The answer of a peer to a connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meeting {
    Accept,
    Refuse,
    Silence,
}

/// The habit of a peer with the bytes that it receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Habit {
    Echo,
    Discard,
}

/// A peer's script. Begin with one of the first five, then add to it.
///
/// ```
/// use air724ug::sim::Peer;
///
/// let server = Peer::discard().greeting("220 ready\r\n").close_after(100);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    pub(super) meeting: Meeting,
    pub(super) habit: Habit,
    pub(super) greeting: Vec<u8>,
    pub(super) source: u64,
    pub(super) close_after: Option<u64>,
    pub(super) reset_after: Option<u64>,
    pub(super) vanish_after: Option<u64>,
    pub(super) closes_when_sent: bool,
    pub(super) reads: bool,
}

impl Peer {
    /// Sends back what it receives.
    pub fn echo() -> Self {
        Self::with(Meeting::Accept, Habit::Echo)
    }

    /// Reads everything and says nothing: the base for tests that push by hand.
    pub fn discard() -> Self {
        Self::with(Meeting::Accept, Habit::Discard)
    }

    /// Sends this many bytes as fast as they are taken; byte *i* is [`source_byte`](Self::source_byte)`(i)`.
    pub fn source(bytes: u64) -> Self {
        Self { source: bytes, ..Self::discard() }
    }

    /// Answers a connect with a reset.
    pub fn refuse() -> Self {
        Self::with(Meeting::Refuse, Habit::Discard)
    }

    /// Never answers a connect.
    pub fn silent() -> Self {
        Self::with(Meeting::Silence, Habit::Discard)
    }

    /// Sends this first, as soon as the connection stands.
    #[must_use]
    pub fn greeting(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.greeting = bytes.into();
        self
    }

    /// Closes once it has received this many bytes (0: at once).
    #[must_use]
    pub fn close_after(mut self, bytes: u64) -> Self {
        self.close_after = Some(bytes);
        self
    }

    /// Closes once everything of greeting and source is sent.
    #[must_use]
    pub fn close_when_sent(mut self) -> Self {
        self.closes_when_sent = true;
        self
    }

    /// Breaks the connection once it has received this many bytes.
    #[must_use]
    pub fn reset_after(mut self, bytes: u64) -> Self {
        self.reset_after = Some(bytes);
        self
    }

    /// Vanishes once it has received this many bytes: it neither reads, nor sends, nor closes, and the
    /// connection stays half open, as when its machine loses power or a NAT forgets it (capture s10).
    #[must_use]
    pub fn vanish_after(mut self, bytes: u64) -> Self {
        self.vanish_after = Some(bytes);
        self
    }

    /// Never reads: what the modem sends fills the window and stays.
    #[must_use]
    pub fn never_reads(mut self) -> Self {
        self.reads = false;
        self
    }

    /// The byte at a place of the stream that [`source`](Self::source) sends: a pattern without a short period, so
    /// that a lost, doubled or moved byte shows.
    pub fn source_byte(place: u64) -> u8 {
        let mixed = place.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 56) as u8
    }

    fn with(meeting: Meeting, habit: Habit) -> Self {
        Self {
            meeting,
            habit,
            greeting: Vec::new(),
            source: 0,
            close_after: None,
            reset_after: None,
            vanish_after: None,
            closes_when_sent: false,
            reads: true,
        }
    }
}
