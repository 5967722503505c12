//! The TLS state of the module, as far as it is known.

use crate::at::{ChannelId, Quotable, TlsKey};
use crate::config::Config;

use super::preparation::ModuleEffect;
use super::unconfirmed::BITS_TWICE;

/// The TLS state of the module, as far as it is known.
///
/// `AT+CIPSSL` applies to every connection that is started after it. So it is written directly before the `AT+CIPSTART`
/// of each TLS connection, and of a plain connection unless it is off. No other connection is started in between. The
/// switch is not changed while a connection is being made, because the module may read it late. No source shows its
/// effect on open connections. The assumption is: none, or the module refuses the change, which is a typed error. If
/// that is wrong, TLS connections might continue in the clear. So TLS is not switched off while TLS connections are
/// open, unless each of them allows it.
#[derive(Debug)]
pub(super) struct Tls {
    pub(super) switch: TlsSwitch,
    /// Settings of earlier connections that the contexts still have.
    pub(super) set: Vec<(ChannelId, TlsKey)>,
    pub(super) unsure: UncertainFiles,
    pub(super) baud_rate: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum TlsSwitch {
    /// Not changed since the module started, or switched off. If an earlier program left the switch on, plain
    /// connections fail; no TLS connection becomes plain.
    Off,
    /// Switched on, or unknown.
    On,
}

/// Files whose content may be wrong although name and length are right. If the module missed bytes of a file, it took
/// the next bytes on the line for the rest.
#[derive(Debug)]
pub(super) enum UncertainFiles {
    Of(Vec<Quotable>),
    OfAll,
}

/// The number of such files that are kept. With more, every file is written again.
pub(super) const MAX_UNSURE: usize = 32;

/// How long the module waits for the content of a file, in addition to twice its time on the line. The manual's
/// examples (captures a25, d01) use 10 s and 15 s.
pub(super) const WRITE_SECONDS: u32 = 15;

impl Tls {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            switch: TlsSwitch::Off,
            set: Vec::new(),
            unsure: UncertainFiles::Of(Vec::new()),
            baud_rate: config.baud_rate,
        }
    }

    /// The module has restarted. Only its files are kept (protocol section 1).
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
