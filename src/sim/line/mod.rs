//! The serial line: its speed, the editor that finds command lines, and the grammar of a command line.

mod editor;
#[cfg(unix)]
mod mismatch;
mod paced;
mod syntax;

pub(super) use editor::{Edit, Editor};
#[cfg(unix)]
pub(super) use mismatch::misread;
pub(super) use paced::{LineFormat, Paced};
pub(super) use syntax::{Arg, Call, Form, parse};
