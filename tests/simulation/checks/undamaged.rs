//! False alarms: without damaged, lost or added bytes there is no fault, and no socket ends with one. A lost port takes
//! bytes with it, and a modem may restart during a frame.

use air724ug::at::Fault;
use air724ug::proto::Event;
use air724ug::{CloseReason, Error};

use super::Check;
use crate::simulation::facts::{Facts, Observation, RequestKind};
use crate::simulation::payload::Style;
use crate::simulation::script::Wanted;

#[derive(Default, Debug)]
pub struct Undamaged {
    port_was_lost: bool,
    /// Whether data of a stream may be among text: the line that begins the stream was lost or late, or its application
    /// had given up.
    has_stray_stream: bool,
    /// Whether such data may contain words of a module: a stream with such a payload has ended for the driver, or its
    /// connect has timed out, and perhaps it has not ended for the module.
    has_stray_words: bool,
}

impl Check for Undamaged {
    fn promise(&self) -> &'static str {
        "undamaged"
    }

    fn sees(&mut self, facts: &Facts, seen: &Observation<'_>) -> Result<(), String> {
        self.port_was_lost |= matches!(seen, Observation::PortLost | Observation::PortAway);
        if self.port_was_lost || !facts.damaged.is_empty() || facts.may_cut_bodies || facts.may_mislead {
            return Ok(());
        }
        self.has_stray_stream |= matches!(
            seen,
            Observation::Event(Event::Closed(
                _,
                Some(CloseReason::DataInCommandMode | CloseReason::ResumeUnanswered)
            ))
        );
        if let Observation::Event(Event::Closed(id, reason)) = seen
            && let Some(index) = facts.of_socket(*id)
            && facts.connections[index].wanted == Wanted::Transparent
        {
            // A dropped stream may begin again by a late answer.
            self.has_stray_stream |= facts.may_delay_answers && *reason == Some(CloseReason::Local);
            self.has_stray_words |= facts.connections[index].style == Style::Traps;
        }
        if let Observation::Answered(asked, Err(Error::Timeout { .. })) = seen
            && let RequestKind::Connect { connection } = asked.what
        {
            let connection = &facts.connections[connection];
            let is_stream = connection.wanted == Wanted::Transparent;
            self.has_stray_stream |= is_stream;
            self.has_stray_words |= is_stream && connection.style == Style::Traps;
        }
        let is_damage = match seen {
            Observation::Event(Event::Fault(Fault::LineTooLong)) if self.has_stray_stream => false,
            Observation::Event(Event::Fault(_)) if self.has_stray_words => false,
            // An echoed payload is among text if the connection ends during the echo.
            Observation::Event(Event::Fault(Fault::Garbage | Fault::UnreadableHeader))
                if facts.may_reset && facts.host_bytes.echoes_sends() =>
            {
                false
            }
            Observation::Event(Event::Fault(_)) => true,
            Observation::Event(Event::Closed(_, Some(reason))) => {
                matches!(reason, CloseReason::Damaged | CloseReason::Truncated { .. })
            }
            Observation::Answered(_, Err(Error::Closed(reason))) => *reason == CloseReason::Damaged,
            _ => false,
        };
        if is_damage { Err(format!("{seen:?} on a sound line")) } else { Ok(()) }
    }
}
