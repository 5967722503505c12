use std::fmt;

/// One of the up to eight links of the module, `0` to `7` (the `<n>` of `AT+CIPSTART=<n>,...`; Luat: `'0'`..`'7'`).
///
/// Numbers from the wire are converted to a `ChannelId` in one place, so an index of a channel is never out of range.
///
/// ```
/// use air724ug::at::ChannelId;
///
/// assert_eq!(ChannelId::new(7).unwrap().index(), 7);
/// assert!(ChannelId::new(8).is_none());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelId(u8);

impl ChannelId {
    /// The number of channels of the chip (protocol section 7: `MEMP_NUM_NETCONN` = 8; some firmware offers six).
    pub const COUNT: usize = 8;

    /// Channel 0.
    pub const FIRST: Self = Self(0);

    /// The channel with this number, or `None` above 7.
    #[allow(clippy::cast_possible_truncation, reason = "it is below 8")]
    pub const fn new(number: u32) -> Option<Self> {
        if number < Self::COUNT as u32 { Some(Self(number as u8)) } else { None }
    }

    /// All channels in order.
    pub fn all() -> impl DoubleEndedIterator<Item = Self> {
        (0..8).map(Self)
    }

    /// The number, for indexing.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "channel {}", self.0)
    }
}
