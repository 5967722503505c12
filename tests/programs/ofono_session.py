#!/usr/bin/env python3
"""oFono, as Debian packages it, brings an Air724UG up as a telephone's modem: SIM, network, signal.

    ofono_session.py TTY FOLDER

TTY is a freshly started `cargo run --example sim`, FOLDER takes configuration and logs. To be run as root in a name space of
mounts of its own (`unshare --mount`): oFono reads /etc/ofono/phonesim.conf, which is covered there by one that leads to TTY through a
socket of this program, and it needs a bus of D-Bus, which is started for it alone. Exit 0 if everything was as a module of this family
answers (docs/protocol.md).
"""

import os
import re
import socket
import subprocess
import sys
import threading
import time
import tty

# Ceilings: nothing here waits that long when all goes well.
SECONDS = 30

BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>unix:path={path}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>
"""


class Failed(Exception):
    pass


def bridge(server, terminal):
    """Carries bytes between the modem and oFono, which reaches modems of its phonesim plugin by TCP."""
    client, _ = server.accept()

    def to_modem():
        while data := client.recv(4096):
            os.write(terminal, data)

    threading.Thread(target=to_modem, daemon=True).start()
    try:
        while data := os.read(terminal, 4096):
            client.sendall(data)
    except OSError:
        pass  # One of the two has ended.


def call(path, method, *arguments):
    """What a method answers, as dbus-send prints it, in one line."""
    command = ["dbus-send", "--system", "--print-reply", "--dest=org.ofono", path, f"org.ofono.{method}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    if done.returncode:
        raise Failed(f"{method}: {done.stderr.strip()}")
    return " ".join(done.stdout.split())


def awaited(what, look):
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


def shows(interface, name, pattern):
    """A property of the modem becomes like the pattern."""
    form = re.compile(rf'string "{name}" variant \w+ "?({pattern})"?')
    found = awaited(f"{interface} {name}", lambda: form.search(call("/phonesim", f"{interface}.GetProperties")))
    print(f"  ok  {interface} {name}: {found[1]}")


def main():
    path, folder = sys.argv[1:]
    terminal = os.open(path, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(terminal)
    server = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=bridge, args=(server, terminal), daemon=True).start()
    config, bus = os.path.join(folder, "phonesim.conf"), os.path.join(folder, "bus")
    with open(config, "w", encoding="utf-8") as file:
        file.write(f"[phonesim]\nAddress=127.0.0.1\nPort={server.getsockname()[1]}\n")
    with open(f"{bus}.conf", "w", encoding="utf-8") as file:
        file.write(BUS.format(path=bus))
    subprocess.run(["mount", "--bind", config, "/etc/ofono/phonesim.conf"], check=True)
    os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = f"unix:path={bus}"
    running = []
    try:
        with open(os.path.join(folder, "ofono.log"), "wb") as log:
            running.append(subprocess.Popen(["dbus-daemon", f"--config-file={bus}.conf", "--nofork"], stderr=log))
            awaited("the bus", lambda: os.path.exists(bus))
            running.append(subprocess.Popen(["ofonod", "-n", "-d"], stdout=log, stderr=log))
        awaited("the modem", lambda: "/phonesim" in call("/", "Manager.GetModems"))
        for state in ("Powered", "Online"):
            call("/phonesim", "Modem.SetProperty", f"string:{state}", "variant:boolean:true")
            print(f"  ok  {state}")
        shows("Modem", "Model", r'"?Air724UG')
        shows("Modem", "Serial", r"\d{15}")
        shows("SimManager", "SubscriberIdentity", r"\d{15}")
        shows("NetworkRegistration", "Status", "registered")
        shows("NetworkRegistration", "Name", "CHINA MOBILE")
        shows("NetworkRegistration", "Technology", "lte")
        # +CSQ: 24,99 in percent of 31.
        shows("NetworkRegistration", "Strength", "77")
        shows("ConnectionManager", "Attached", "true")
        call("/phonesim", "Modem.SetProperty", "string:Powered", "variant:boolean:false")
        print("  ok  not powered any more")
    finally:
        for process in reversed(running):
            process.terminate()
            process.wait(SECONDS)


if __name__ == "__main__":
    try:
        main()
    except (Failed, OSError, subprocess.SubprocessError) as failed:
        sys.exit(f"ofono_session: {failed}")
