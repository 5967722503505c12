//! Identity of the module. A module that is ready is the one at the port, and a change of the module is reported before
//! it is ready.

use air724ug::proto::Event;

use super::Check;
use crate::simulation::facts::{Facts, Observation};

#[derive(Default, Debug)]
pub struct KnownModule {
    /// The IMEI of the module that was ready last.
    ready: Option<String>,
    /// Whether another module was reported since then.
    told: bool,
}

impl Check for KnownModule {
    fn promise(&self) -> &'static str {
        "identity"
    }

    fn sees(&mut self, facts: &Facts, seen: &Observation<'_>) -> Result<(), String> {
        let (imei, identified) = (&facts.imei, &facts.identified);
        match seen {
            Observation::Event(Event::OtherModule { before }) if before == identified => {
                Err(format!("{before} is told to be another module than itself"))
            }
            Observation::Event(Event::OtherModule { .. }) => {
                self.told = true;
                Ok(())
            }
            Observation::Event(Event::Ready(_)) if identified != imei => {
                Err(format!("the module is {imei}, and the driver takes it for {identified:?}"))
            }
            Observation::Event(Event::Ready(_)) => {
                let before = self.ready.replace(imei.clone());
                let told = std::mem::take(&mut self.told);
                match before {
                    Some(before) if before != *imei && !told => {
                        Err(format!("{imei} is ready in place of {before}, and that was not told"))
                    }
                    _ => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }
}
