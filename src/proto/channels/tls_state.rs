//! The module's known state of TLS.

use crate::at::{ChannelId, Quotable, TlsKey};
use crate::config::Config;

use super::preparation::ModuleEffect;

/// The module's known state of TLS.
///
/// `AT+CIPSSL` holds for every connection that is begun after it. So it is written directly before the `AT+CIPSTART` of
/// each TLS connection, and before that of a plain one unless it is off. No other connection is begun in between. It is not
/// changed while a connection is being made, because the module may read it late. No source shows what it does to open
/// connections (assumption: nothing, or the module refuses to change it, which is a typed error). If that is wrong, TLS might
/// go on in the clear. So it is not switched off while TLS connections are open, unless each of them allows it.
#[derive(Debug)]
pub(super) struct Tls {
    pub(super) switch: TlsSwitch,
    /// Settings that earlier connections have left in the contexts.
    pub(super) set: Vec<(ChannelId, TlsKey)>,
    pub(super) unsure: UncertainFiles,
    pub(super) baud_rate: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum TlsSwitch {
    /// Never touched since the module started, or switched off. (One that an earlier program left on makes plain
    /// connections fail, and no TLS one plain.)
    Off,
    /// Switched on, or unknown.
    On,
}

/// Files whose content is in doubt, though their name is right and perhaps their length, too. If the module waited for more of a
/// file than it had got, it took the next bytes on the line for the rest.
#[derive(Debug)]
pub(super) enum UncertainFiles {
    Of(Vec<Quotable>),
    OfAll,
}

/// How many of them are kept. With more, every file is written again.
pub(super) const MAX_UNSURE: usize = 32;

/// How long the module waits for the content of a file, beyond twice its time on the line: the manual's examples
/// (captures a25, d01) give it 10 s and 15 s.
pub(super) const WRITE_SECONDS: u32 = 15;

/// Bits on the line for one byte, twice.
pub(super) const BITS_TWICE: u64 = 20;

impl Tls {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            switch: TlsSwitch::Off,
            set: Vec::new(),
            unsure: UncertainFiles::Of(Vec::new()),
            baud_rate: config.baud_rate,
        }
    }

    /// The module has restarted and has forgotten everything but its files (protocol section 1).
    pub(super) fn forget(&mut self) {
        self.switch = TlsSwitch::Off;
        self.set.clear();
    }

    pub(super) fn seconds(&self, len: usize) -> u32 {
        let on_the_line =
            (len as u64).saturating_mul(BITS_TWICE).checked_div(self.baud_rate.into()).unwrap_or(u64::MAX);
        WRITE_SECONDS.saturating_add(u32::try_from(on_the_line).unwrap_or(u32::MAX))
    }

    pub(super) fn written(&mut self, context: ChannelId, effect: ModuleEffect) {
        match effect {
            ModuleEffect::Writes(name) => self.unsure.add(name),
            ModuleEffect::Sets(key) if self.set.contains(&(context, key)) => {}
            ModuleEffect::Sets(key) => self.set.push((context, key)),
            ModuleEffect::Switches(true) => self.switch = TlsSwitch::On,
            ModuleEffect::None | ModuleEffect::Erases(_) | ModuleEffect::Switches(false) => {}
        }
    }

    pub(super) fn done(&mut self, context: ChannelId, effect: ModuleEffect) {
        match effect {
            ModuleEffect::Writes(name) => self.unsure.remove(&name),
            ModuleEffect::Erases(key) => self.set.retain(|set| *set != (context, key)),
            ModuleEffect::Switches(false) => self.switch = TlsSwitch::Off,
            ModuleEffect::None | ModuleEffect::Sets(_) | ModuleEffect::Switches(true) => {}
        }
    }
}

impl UncertainFiles {
    pub(super) fn add(&mut self, name: Quotable) {
        match self {
            Self::Of(names) if names.contains(&name) => {}
            Self::Of(names) if names.len() < MAX_UNSURE => names.push(name),
            Self::Of(_) => *self = Self::OfAll,
            Self::OfAll => {}
        }
    }

    pub(super) fn remove(&mut self, name: &Quotable) {
        match self {
            Self::Of(names) => names.retain(|unsure| unsure != name),
            Self::OfAll => {}
        }
    }

    pub(super) fn contains(&self, name: &Quotable) -> bool {
        match self {
            Self::Of(names) => names.contains(name),
            Self::OfAll => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(number: usize) -> Quotable {
        Quotable::new(&format!("file{number}.crt"), 32).unwrap()
    }

    #[test]
    fn a_file_that_is_unsure_twice_takes_one_place() {
        let mut unsure = UncertainFiles::Of(Vec::new());
        for _ in 0..=MAX_UNSURE {
            unsure.add(name(0));
        }
        assert!(unsure.contains(&name(0)) && !unsure.contains(&name(1)));
        unsure.remove(&name(0));
        assert!(!unsure.contains(&name(0)));
    }

    #[test]
    fn every_file_is_unsure_when_more_of_them_are_than_are_kept() {
        let mut unsure = UncertainFiles::Of(Vec::new());
        for number in 0..MAX_UNSURE {
            unsure.add(name(number));
        }
        assert!(!unsure.contains(&name(MAX_UNSURE)));
        unsure.add(name(MAX_UNSURE));
        assert!(unsure.contains(&name(99)));
        unsure.remove(&name(99));
        assert!(unsure.contains(&name(99)), "which ones is not known any more");
    }
}
