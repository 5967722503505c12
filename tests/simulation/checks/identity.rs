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
    reported: bool,
}

impl Check for KnownModule {
    fn promise(&self) -> &'static str {
        "identity"
    }

    fn sees(&mut self, facts: &Facts, seen: &Observation<'_>) -> Result<(), String> {
        let (imei, identified) = (&facts.imei, &facts.identified);
        match seen {
            Observation::Event(Event::OtherModule { before }) if before == identified => {
                Err(format!("{before} is reported as another module than itself"))
            }
            Observation::Event(Event::OtherModule { .. }) => {
                self.reported = true;
                Ok(())
            }
            Observation::Event(Event::Ready(_)) if identified != imei => {
                Err(format!("the module is {imei}, and the driver takes it for {identified:?}"))
            }
            Observation::Event(Event::Ready(_)) => {
                let before = self.ready.replace(imei.clone());
                let reported = std::mem::take(&mut self.reported);
                match before {
                    Some(before) if before != *imei && !reported => {
                        Err(format!("{imei} is ready in place of {before}, and that was not reported"))
                    }
                    _ => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }
}
