//! The plug of a simulated modem: its port vanishes and comes back. A system without pseudo-terminals has none.

#[cfg(not(unix))]
pub use none::Plug;
#[cfg(unix)]
pub use simulated::Plug;

#[cfg(unix)]
mod simulated {
    use std::path::PathBuf;
    use std::time::Duration;
    use std::{fs, thread};

    use crate::common::shell::complain;
    use crate::common::{SCRATCH, pause};
    use air724ug::Error;
    use air724ug::sim::{Control, HostNetwork, Settings, Simulator, serve};

    /// A port whose name changes, and a link with a constant name, as udev makes them.
    pub struct Plug {
        folder: PathBuf,
        name: String,
        remote: serve::Remote,
    }

    impl Plug {
        pub fn new() -> Result<Self, Error> {
            let folder = std::env::temp_dir().join(format!("air724ug-endurance-{}", std::process::id()));
            fs::create_dir(&folder)?;
            let _ = SCRATCH.set(folder.clone());
            let name = "ttyUSB0".to_owned();
            let mut pty = serve::Pty::open()?;
            pty.link(folder.join(&name))?;
            let (remote, inbox) = serve::remote()?;
            let modem = Simulator::new(Settings::default(), HostNetwork::new());
            thread::spawn(move || {
                if let Err(error) = serve::run(modem, pty, inbox) {
                    complain(format_args!("the simulated modem ended: {error}"));
                }
            });
            let plug = Self { folder, name, remote };
            plug.point_to_it();
            Ok(plug)
        }

        pub fn path(&self) -> String {
            self.folder.join("by-id").display().to_string()
        }

        /// Starts a loss. Returns true if the module restarts with it.
        pub fn lose(&mut self, round: u64, away: Duration) -> bool {
            let restarts = round % 3 == 2;
            self.remote.send(if restarts { Control::UsbRestart(away) } else { Control::Unplug });
            restarts
        }

        /// Ends the loss, unless it ends automatically.
        pub fn bring_back(&mut self, round: u64, away: Duration) {
            match round % 3 {
                0 => {
                    pause(away);
                    self.remote.send(Control::Replug(None));
                }
                1 => {
                    pause(away);
                    self.name = format!("ttyUSB{}", round % 4 + 1);
                    self.remote.send(Control::Replug(Some(self.name.clone())));
                    let _ = self.remote.state();
                    self.point_to_it();
                }
                _ => {}
            }
        }

        fn point_to_it(&self) {
            let (link, new) = (self.folder.join("by-id"), self.folder.join("new"));
            let made = std::os::unix::fs::symlink(&self.name, &new).and_then(|()| fs::rename(&new, &link));
            if let Err(error) = made {
                complain(format_args!("{}: {error}", link.display()));
            }
        }
    }

    impl Drop for Plug {
        fn drop(&mut self) {
            self.remote.send(Control::HangUp);
            let _ = self.remote.state();
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

#[cfg(not(unix))]
mod none {
    use std::time::Duration;

    use air724ug::Error;

    pub enum Plug {}

    impl Plug {
        pub fn new() -> Result<Self, Error> {
            let why = "this system has no pseudo-terminals; name a port with --port";
            Err(Error::from(std::io::Error::new(std::io::ErrorKind::Unsupported, why)))
        }

        pub fn path(&self) -> String {
            match *self {}
        }

        pub fn lose(&mut self, _: u64, _: Duration) -> bool {
            match *self {}
        }

        pub fn bring_back(&mut self, _: u64, _: Duration) {
            match *self {}
        }
    }
}
