//! The serial line, byte by byte: its speed, the editor that finds command lines, and the grammar of a command line.

mod editor;
mod paced;
mod syntax;

pub(super) use editor::{Edit, Editor};
pub(super) use paced::{LineFormat, Paced};
pub(super) use syntax::{Arg, Call, Form, parse};
