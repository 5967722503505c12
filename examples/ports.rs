//! Lists the serial ports of this machine: those that may be a module, and the obstacles to using each.
//!
//! ```text
//! cargo run --features ports --example ports
//! ```

#[allow(dead_code, reason = "it opens none")]
#[path = "common/port_root.rs"]
mod port_root;
#[path = "common/shell.rs"]
mod shell;

use std::fmt::Write;
use std::process::ExitCode;

use air724ug::{PortInfo, PortKind};
use shell::{Argument, Arguments, complain};

const HELP: &str = "\
Lists the serial ports of this machine. Opens none and writes to none.

usage: ports

A module's ports come first; its AT port is usually the first of them. Any of these names is one for --port of the other
examples: the path, `auto`, `usb:PLACE`, `imei:NUMBER`. Programs of other users that have a port open are seen by root only.
Exit code: 0 if there is a module's port that nothing is in the way of, else 1.
";

fn main() -> ExitCode {
    let (text, code) = match wants_help(&mut Arguments::of_process()) {
        Ok(false) => match port_root::listed() {
            Ok(ports) => table(&ports),
            Err(error) => {
                complain(format_args!("ports: the list can't be read: {error}"));
                return ExitCode::FAILURE;
            }
        },
        Ok(true) => (HELP.to_owned(), ExitCode::SUCCESS),
        Err(problem) => {
            complain(format_args!("ports: {problem}\nports: `ports --help` lists the options"));
            return ExitCode::from(2);
        }
    };
    shell::print(text).map_or_else(|error| shell::unwritten("ports", &error), |()| code)
}

/// True if the help is requested instead of the table.
fn wants_help(args: &mut Arguments) -> Result<bool, String> {
    match args.take()? {
        None => Ok(false),
        Some(Argument::Help) => Ok(true),
        Some(other) => other.unknown(),
    }
}

fn table(ports: &[PortInfo]) -> (String, ExitCode) {
    let (mut text, mut is_free) = (String::new(), false);
    for port in ports {
        let usb = port.usb.as_ref().map_or("not on USB".to_owned(), |usb| {
            let interface = usb.interface.map_or(String::new(), |number| format!(" interface {number}"));
            format!("{:04x}:{:04x} usb:{}{interface}", usb.vendor, usb.product, usb.location)
        });
        let driver = port.driver.as_deref().unwrap_or("no driver");
        let in_the_way = in_the_way(port);
        is_free |= port.kind == PortKind::Module && in_the_way.is_none();
        let note = in_the_way.unwrap_or_else(|| "free".to_owned());
        let _ = writeln!(text, "{:<16} {usb:<32} {driver:<12} {note}", port.path.display().to_string());
    }
    if !ports.iter().any(|port| port.kind == PortKind::Module) {
        text.push_str(
            "No port is one of a module on USB (1782:4e00). Is it plugged in and on? A module behind a serial adapter is opened \
             by the adapter's path.\n",
        );
    }
    (text, if is_free { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The reason why a port can't be used for a module now.
fn in_the_way(port: &PortInfo) -> Option<String> {
    let open = std::fs::metadata(&port.path);
    match port.kind {
        PortKind::BootLoader => Some("a module in its boot loader: it restarts soon".to_owned()),
        _ if !port.users.is_empty() => Some(format!("open in {}", port.users.join(", "))),
        _ if open.is_err() => Some("its file is missing in /dev".to_owned()),
        PortKind::Module if !port.is_permitted => Some(
            "no permission: add your user to the port's group (`sudo usermod -aG dialout $USER`), and log in again"
                .to_owned(),
        ),
        PortKind::Module => None,
        _ => Some("not known as a module: only asked if you name it".to_owned()),
    }
}
