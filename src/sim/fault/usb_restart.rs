use std::time::Duration;

use super::behaviour::{Behaviour, FaultTarget, Spelling};
use super::values::{BadRule, millis, span};

/// The modem reboots, and its USB port is gone for this time.
///
/// By chance: with each command line.
#[derive(Clone, Debug, PartialEq)]
pub struct UsbRestart {
    /// The time without a port.
    pub lasting: Duration,
}

impl Spelling for UsbRestart {
    const NAME: &'static str = "usb-restart";
    const FORM: &'static str = "usb-restart=2s";

    fn parse(value: &str) -> Result<Self, BadRule> {
        Ok(Self { lasting: span(value)? })
    }

    fn value(&self) -> Option<String> {
        Some(millis(self.lasting))
    }
}

impl Behaviour for UsbRestart {
    fn strike(&self, modem: &mut dyn FaultTarget) {
        modem.restart_usb(self.lasting);
    }
}
