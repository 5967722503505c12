#!/usr/bin/env python3
"""oFono, as Debian packages it, brings an Air724UG up as a telephone's modem: SIM, network, signal.

    ofono_session.py TTY

TTY is a freshly started `cargo run --example sim`. To be run as root in a name space of mounts of its own (`unshare --mount`): oFono
reads /etc/ofono/phonesim.conf, which is covered there by one that leads to TTY through a socket of this program. Exit 0 if everything
was as a module of this family answers (docs/protocol.md).
"""

import os
import re
import socket
import subprocess
import sys
import threading
import tty

from private_bus import Bus, Failed, awaited, output_of


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
    """What a method answers, in one line."""
    form = ["dbus-send", "--system", "--print-reply", "--dest=org.ofono", path, f"org.ofono.{method}", *arguments]
    return " ".join(output_of(*form).split())


def shows(interface, name, pattern):
    """A property of the modem becomes like the pattern."""
    form = re.compile(rf'string "{name}" variant \w+ "?({pattern})"?')
    found = awaited(f"{interface} {name}", lambda: form.search(call("/phonesim", f"{interface}.GetProperties")))
    print(f"  ok  {interface} {name}: {found[1]}")


def main():
    terminal = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
    tty.setraw(terminal)
    server = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=bridge, args=(server, terminal), daemon=True).start()
    with Bus() as bus:
        port = server.getsockname()[1]
        config = bus.file("phonesim.conf", f"[phonesim]\nAddress=127.0.0.1\nPort={port}\n")
        subprocess.run(["mount", "--bind", config, "/etc/ofono/phonesim.conf"], check=True)
        bus.start("ofonod", "-n", "-d")
        awaited("the modem", lambda: "/phonesim" in call("/", "Manager.GetModems"))
        for state in ("Powered", "Online"):
            call("/phonesim", "Modem.SetProperty", f"string:{state}", "variant:boolean:true")
            print(f"  ok  {state}")
        shows("Modem", "Model", '"Air724UG"')
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


if __name__ == "__main__":
    try:
        main()
    except (Failed, OSError, subprocess.SubprocessError) as failed:
        sys.exit(f"ofono_session: {failed}")
