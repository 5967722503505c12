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
    switch: TlsSwitch,
    /// Settings of earlier connections that the contexts still have.
    set: Vec<(ChannelId, TlsKey)>,
    unsure: UncertainFiles,
    baud_rate: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum TlsSwitch {
    /// Not changed since the module started, or switched off. If an earlier program left the switch on, plain
    /// connections fail; no TLS connection becomes plain.
    Off,
    /// Switched on, or unknown.
    On,
}

/// Files whose content may be wrong although name and length are right. If the module missed bytes of a file, it took
/// the next bytes on the line for the rest.
#[derive(Debug)]
enum UncertainFiles {
    Of(Vec<Quotable>),
    OfAll,
}

/// The number of such files that are kept. With more, every file is written again.
const MAX_UNSURE: usize = 32;

/// How long the module waits for the content of a file, in addition to twice its time on the line. The manual's
/// examples (captures a25, d01) use 10 s and 15 s.
const WRITE_SECONDS: u32 = 15;

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

    /// True if the module's switch is known to be off.
    pub(super) fn is_off(&self) -> bool {
        self.switch == TlsSwitch::Off
    }

    /// True if the context has this setting from an earlier connection.
    pub(super) fn has(&self, context: ChannelId, key: TlsKey) -> bool {
        self.set.contains(&(context, key))
    }

    /// True if the content of the file may be wrong.
    pub(super) fn is_uncertain(&self, name: &Quotable) -> bool {
        self.unsure.contains(name)
    }

    /// The time-out of the content of a file, in seconds.
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
    fn add(&mut self, name: Quotable) {
        match self {
            Self::Of(names) if names.contains(&name) => {}
            Self::Of(names) if names.len() < MAX_UNSURE => names.push(name),
            Self::Of(_) => *self = Self::OfAll,
            Self::OfAll => {}
        }
    }

    fn remove(&mut self, name: &Quotable) {
        match self {
            Self::Of(names) => names.retain(|unsure| unsure != name),
            Self::OfAll => {}
        }
    }

    fn contains(&self, name: &Quotable) -> bool {
        match self {
            Self::Of(names) => names.contains(name),
            Self::OfAll => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::transition_table;

    #[test]
    fn every_transition_of_the_switch_is_as_the_table_says() {
        let of = |switch| {
            let mut tls = Tls::new(&Config::default());
            tls.switch = switch;
            tls
        };
        transition_table::check::<Tls, _>(
            "
            | input | off | on |
            | the command for on is written | on | - |
            | its OK | - | - |
            | the command for off is written | - | - |
            | OK to off | - | off |
            | the module restarts | - | off |",
            || vec![of(TlsSwitch::Off), of(TlsSwitch::On)],
            &[
                ("the command for on is written", |it| {
                    it.written(ChannelId::FIRST, ModuleEffect::Switches(true))
                }),
                ("its OK", |it| it.done(ChannelId::FIRST, ModuleEffect::Switches(true))),
                ("the command for off is written", |it| {
                    it.written(ChannelId::FIRST, ModuleEffect::Switches(false))
                }),
                ("OK to off", |it| it.done(ChannelId::FIRST, ModuleEffect::Switches(false))),
                ("the module restarts", Tls::forget),
            ],
            |it| if it.is_off() { "off" } else { "on" },
        );
    }

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
