//! The script of a peer in memory.

/// The answer of a peer to a connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meeting {
    Accept,
    Refuse,
    Silence,
}

/// The handling of received bytes by a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Habit {
    Echo,
    Discard,
}

/// The script of a peer. It begins with one of the first five functions; the others add to it.
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
    /// Sends received bytes back.
    pub fn echo() -> Self {
        Self::with(Meeting::Accept, Habit::Echo)
    }

    /// Reads all bytes and sends none: the base for tests that push bytes.
    pub fn discard() -> Self {
        Self::with(Meeting::Accept, Habit::Discard)
    }

    /// Sends this number of bytes at the speed of the modem; byte *i* is [`source_byte`](Self::source_byte)`(i)`.
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

    /// Sends these bytes as soon as the connection is open.
    #[must_use]
    pub fn greeting(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.greeting = bytes.into();
        self
    }

    /// Closes after it has received this number of bytes (0: at once).
    #[must_use]
    pub fn close_after(mut self, bytes: u64) -> Self {
        self.close_after = Some(bytes);
        self
    }

    /// Closes after the greeting and the source are sent.
    #[must_use]
    pub fn close_when_sent(mut self) -> Self {
        self.closes_when_sent = true;
        self
    }

    /// Breaks the connection after it has received this number of bytes.
    #[must_use]
    pub fn reset_after(mut self, bytes: u64) -> Self {
        self.reset_after = Some(bytes);
        self
    }

    /// Vanishes after it has received this number of bytes: it neither reads, nor sends, nor closes, and the connection
    /// stays half open, as if its machine lost power or a NAT dropped it (capture s10).
    #[must_use]
    pub fn vanish_after(mut self, bytes: u64) -> Self {
        self.vanish_after = Some(bytes);
        self
    }

    /// Never reads: the modem's bytes fill the window and wait.
    #[must_use]
    pub fn never_reads(mut self) -> Self {
        self.reads = false;
        self
    }

    /// The byte at a place in the stream of [`source`](Self::source). The pattern has no short period, so that lost,
    /// doubled and moved bytes are detected.
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
