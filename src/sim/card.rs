//! The SIM card and its lock.

use super::result::Cme;
use super::settings::{Settings, SimCard};

/// The number of wrong PINs that block a card.
const PIN_TRIES: u8 = 3;
/// The number of wrong unblocking keys after which the card is unusable (31.101).
const PUK_TRIES: u8 = 10;

/// The card in the slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Card {
    Absent,
    Ready,
    /// `SIM PIN`
    Locked,
    /// `SIM PUK`: blocked by wrong PINs.
    Blocked,
}

/// The card's lock, which the card keeps without power.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lock {
    pin: String,
    puk: String,
    /// True if the card requires its PIN at power-on (`AT+CLCK="SC"`).
    pub(super) asks: bool,
    pin_tries: u8,
    puk_tries: u8,
}

impl Lock {
    pub(super) fn new(settings: &Settings) -> Self {
        let (pin, asks) = match &settings.sim {
            SimCard::Locked { pin } => (pin, true),
            SimCard::Absent | SimCard::Ready => (&settings.pin, false),
        };
        Self { pin: pin.clone(), puk: settings.puk.clone(), asks, pin_tries: PIN_TRIES, puk_tries: PUK_TRIES }
    }

    /// The state of the card after power-on.
    pub(super) fn at_power_on(&self) -> Card {
        match (self.pin_tries, self.asks) {
            (0, _) => Card::Blocked,
            (_, true) => Card::Locked,
            (_, false) => Card::Ready,
        }
    }

    /// The remaining tries of the PIN and its unblocking key.
    pub(super) fn tries(&self) -> [u8; 2] {
        [self.pin_tries, self.puk_tries]
    }

    /// Compares a PIN; the last wrong one blocks the card.
    pub(super) fn verify(&mut self, pin: &str) -> Result<(), Cme> {
        if self.pin_tries == 0 {
            return Err(Cme::PukRequired);
        }
        if pin == self.pin {
            self.pin_tries = PIN_TRIES;
            return Ok(());
        }
        self.pin_tries -= 1;
        Err(if self.pin_tries == 0 { Cme::PukRequired } else { Cme::WrongPassword })
    }

    /// Gives a blocked card a new PIN.
    pub(super) fn unblock(&mut self, puk: &str, pin: &str) -> Result<(), Cme> {
        if self.puk_tries == 0 {
            return Err(Cme::SimFailure);
        }
        if puk != self.puk {
            self.puk_tries -= 1;
            return Err(Cme::WrongPassword);
        }
        if !is_pin(pin) {
            return Err(Cme::Invalid);
        }
        (self.pin_tries, self.puk_tries) = (PIN_TRIES, PUK_TRIES);
        self.pin = pin.to_owned();
        Ok(())
    }

    /// Changes the PIN. This works only while the lock is on (manual, CPWD).
    pub(super) fn change(&mut self, old: &str, new: &str) -> Result<(), Cme> {
        if !self.asks {
            return Err(Cme::NotAllowed);
        }
        if !is_pin(new) {
            return Err(Cme::Invalid);
        }
        self.verify(old)?;
        self.pin = new.to_owned();
        Ok(())
    }
}

/// Four to eight digits.
fn is_pin(text: &str) -> bool {
    (4..=8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locked() -> Lock {
        Lock::new(&Settings::default().sim(SimCard::Locked { pin: "4711".to_owned() }))
    }

    #[test]
    fn three_wrong_pins_block_and_a_right_one_forgives_two() {
        let mut lock = locked();
        assert_eq!(lock.verify("1"), Err(Cme::WrongPassword));
        assert_eq!(lock.verify("2"), Err(Cme::WrongPassword));
        assert_eq!(lock.verify("4711"), Ok(()));
        assert_eq!(lock.verify("1"), Err(Cme::WrongPassword));
        assert_eq!(lock.verify("2"), Err(Cme::WrongPassword));
        assert_eq!(lock.verify("3"), Err(Cme::PukRequired));
        assert_eq!(lock.verify("4711"), Err(Cme::PukRequired), "too late");
        assert_eq!(lock.at_power_on(), Card::Blocked);
    }

    #[test]
    fn the_unblocking_key_gives_a_new_pin_until_it_is_wrong_ten_times() {
        let mut lock = locked();
        while lock.at_power_on() != Card::Blocked {
            lock.verify("0").expect_err("a wrong PIN");
        }
        assert_eq!(lock.unblock("12345678", "12"), Err(Cme::Invalid));
        assert_eq!(lock.unblock("12345678", "8888"), Ok(()));
        assert_eq!(lock.verify("8888"), Ok(()));
        for _ in 0..10 {
            assert_eq!(lock.unblock("0", "1111"), Err(Cme::WrongPassword));
        }
        assert_eq!(lock.unblock("12345678", "1111"), Err(Cme::SimFailure));
    }
}
