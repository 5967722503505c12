"""A bus of D-Bus for one test, and programs on it: what `ofono_session.py` and `modemmanager_session.py` share."""

import os
import subprocess
import tempfile
import time

# A ceiling: nothing here waits that long when all goes well.
SECONDS = 40

CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>unix:path={path}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/><allow own="*"/><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>
  </policy>
</busconfig>
"""


class Failed(Exception):
    pass


def awaited(what, look):
    """What `look` gives as soon as that is something."""
    until = time.monotonic() + SECONDS
    while True:
        try:
            if found := look():
                return found
            why = "nothing"
        except Failed as failed:
            why = failed
        if time.monotonic() > until:
            raise Failed(f"{what} was awaited in vain: {why}")
        time.sleep(0.1)


def output_of(*command):
    """What a program prints, which has to end well."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    if done.returncode:
        raise Failed(f"{' '.join(command)}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


class Bus:
    """The bus, as a context; programs that are started on it end with it."""

    def __init__(self):
        self.running = []
        # Programs of other users reach it, too.
        self.folder = tempfile.TemporaryDirectory()
        os.chmod(self.folder.name, 0o755)

    def start(self, *command):
        with open(os.path.join(self.folder.name, f"{os.path.basename(command[0])}.log"), "wb") as log:
            self.running.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log))

    def log_of(self, program):
        with open(os.path.join(self.folder.name, f"{program}.log"), encoding="utf-8", errors="replace") as log:
            return log.read()

    def file(self, name, text):
        path = os.path.join(self.folder.name, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def __enter__(self):
        path = os.path.join(self.folder.name, "bus")
        config = self.file("bus.conf", CONFIG.format(path=path))
        self.start("dbus-daemon", f"--config-file={config}", "--nofork")
        awaited("the bus", lambda: os.path.exists(path))
        os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = f"unix:path={path}"
        return self

    def __exit__(self, *error):
        for process in reversed(self.running):
            process.terminate()
            process.wait(SECONDS)
        self.folder.cleanup()
