//! A job over the losses of the module's port.

use std::time::Duration;

use air724ug::{Error, Modem, NotReady};

use super::{Failed, bring_up, is_final, step};

/// The time between two lines while the port is away.
const SHOWN_EVERY: Duration = Duration::from_secs(30);

/// Runs the job, which makes its connection itself. After a loss of the port or a restart of the module, waits until
/// the port is back and the module is ready, and runs the job again. The wait for the port has no limit. Other errors
/// are returned.
pub fn over_port_losses<T>(modem: &Modem, mut job: impl FnMut() -> Result<T, Failed>) -> Result<T, Failed> {
    loop {
        match job() {
            Err(Failed::Modem(error)) if is_port_loss(&error) && !is_final(modem, &error) => {
                step("lost", error)?;
                await_port(modem)?;
            }
            ended => return ended,
        }
    }
}

/// Whether the connection ended with the port, or with a restart of the module.
fn is_port_loss(error: &Error) -> bool {
    matches!(
        error,
        Error::PortLost(_) | Error::ModemRestarted | Error::NotReady(NotReady::NoPort | NotReady::Restarting)
    )
}

fn await_port(modem: &Modem) -> Result<(), Failed> {
    while let Err(Error::NotReady(NotReady::NoPort)) = modem.wait_ready(SHOWN_EVERY) {
        step("waiting", "for the port, which is opened as soon as it is back; Ctrl-C ends this")?;
    }
    bring_up(modem)?;
    step("ready", "the module is back")
}
