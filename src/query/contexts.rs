//! `AT+CGACT?`: the active PDP contexts.

use super::{Query, Reply};
use crate::at::{Command, Field};

/// Asks for the states of the PDP contexts (`AT+CGACT?`; 3GPP 27.007 section 10.1.10). The answer is empty if none is
/// defined.
///
/// Context 5 is the bearer of the module's own firmware; related modules use context 1 (docs/protocol.md, Q20).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PdpContexts;

/// The state of a defined context.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ContextState {
    /// Its number, `<cid>`.
    pub id: u32,
    /// True if it is active.
    pub is_active: bool,
}

impl Query for PdpContexts {
    type Answer = Vec<ContextState>;

    fn command(&self) -> Command {
        Command::listing("AT+CGACT?")
    }

    fn read(&self, reply: &Reply) -> Option<Vec<ContextState>> {
        reply.all_values(&["+CGACT"]).map(|values| ContextState::parse(&values)).collect()
    }
}

impl ContextState {
    fn parse(values: &[Field<'_>]) -> Option<Self> {
        let [id, state] = values else { return None };
        let is_active = match state.number()? {
            0 => false,
            1 => true,
            _ => return None,
        };
        Some(Self { id: id.number()?, is_active })
    }
}

#[cfg(test)]
mod tests {
    use super::super::answer_of;
    use super::*;

    #[test]
    fn each_context_has_a_line() {
        let read = |lines: &[&str]| answer_of(&PdpContexts, lines);
        let states = read(&["+CGACT: 1,0", "+CGACT: 5, 1", "OK"]).unwrap();
        assert_eq!(
            states,
            [ContextState { id: 1, is_active: false }, ContextState { id: 5, is_active: true }]
        );
        assert_eq!(read(&["OK"]), Some(vec![]));
        assert_eq!(read(&["+CGACT: 5,7", "OK"]), None, "no state that 27.007 knows");
        assert_eq!(read(&["+CGACT: 4294967296,1", "OK"]), None);
    }
}
