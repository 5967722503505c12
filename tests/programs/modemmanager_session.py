#!/usr/bin/env python3
"""ModemManager, as Debian packages it, finds an Air724UG, enables it and is registered by it.

    modemmanager_session.py TTY

TTY is a freshly started `cargo run --example sim`. To be run as root in a name space of mounts of its own (`unshare --mount`): a tree
that looks like that of a module on USB (1782:4e00) covers /sys there, and a link in /dev leads to TTY. ModemManager is notified of the port as
udev would report it. Exit 0 if everything was as a module of this family answers (docs/protocol.md).
"""

import os
import re
import subprocess
import sys

from private_bus import Bus, Failed, awaited, output_of

# No kernel gives this number.
NAME = "ttyUSB7240"
POLKIT = "/usr/lib/polkit-1/polkitd"


def usb_tree(root):
    """The folders of a module on USB whose third interface is its AT port."""
    module = f"{root}/devices/pci0000:00/usb1/1-1"
    interface = f"{module}/1-1:1.2"
    port = f"{interface}/{NAME}"
    for folder in ("class/tty", "bus/usb", "bus/usb-serial/drivers/option1"):
        os.makedirs(f"{root}/{folder}")
    os.makedirs(f"{port}/tty/{NAME}")
    for path, text in {
        f"{module}/idVendor": "1782",
        f"{module}/idProduct": "4e00",
        f"{module}/bcdDevice": "0100",
        f"{interface}/bInterfaceNumber": "02",
        f"{interface}/bInterfaceClass": "ff",
        f"{interface}/bInterfaceSubClass": "00",
        f"{interface}/bInterfaceProtocol": "00",
    }.items():
        with open(path, "w", encoding="ascii") as file:
            file.write(f"{text}\n")
    driver = f"{root}/bus/usb-serial/drivers/option1"
    for link, target in {
        f"{module}/subsystem": f"{root}/bus/usb",
        f"{interface}/subsystem": f"{root}/bus/usb",
        f"{interface}/driver": driver,
        f"{port}/subsystem": f"{root}/bus/usb-serial",
        f"{port}/driver": driver,
        f"{port}/tty/{NAME}/subsystem": f"{root}/class/tty",
        f"{root}/class/tty/{NAME}": f"{port}/tty/{NAME}",
    }.items():
        os.symlink(os.path.relpath(target, os.path.dirname(link)), link)


def shows(what, pattern):
    """A line of mmcli's key-value output becomes like the pattern."""
    form = re.compile(rf"^{re.escape(what)} *: ({pattern})$", re.MULTILINE)
    found = awaited(what, lambda: form.search(output_of("mmcli", "-m", "any", "-K")))
    print(f"  ok  {what}: {found[1]}")


def main():
    link = f"/dev/{NAME}"
    with Bus() as bus:
        sys_folder = os.path.join(bus.folder.name, "sys")
        usb_tree(sys_folder)
        subprocess.run(["mount", "--bind", sys_folder, "/sys"], check=True)
        os.symlink(os.path.realpath(sys.argv[1]), link)
        try:
            bus.start(POLKIT)
            awaited("polkit", lambda: "Acquired the name" in bus.log_of("polkitd"))
            bus.start("ModemManager", "--debug", "--test-no-udev", "--test-no-suspend-resume", "--test-no-qrtr")
            event = f"action=add,subsystem=tty,name={NAME}"
            awaited("ModemManager", lambda: output_of("mmcli", f"--report-kernel-event={event}"))
            shows("modem.generic.manufacturer", "AirM2M")
            shows("modem.generic.model", "Air724UG")
            shows("modem.generic.revision", r"AirM2M_720U_V\d+_LTE_AT")
            shows("modem.3gpp.imei", r"\d{15}")
            shows("modem.generic.state", "disabled")
            output_of("mmcli", "-m", "any", "--enable")
            shows("modem.generic.state", "registered")
            shows("modem.3gpp.registration-state", "home")
            shows("modem.3gpp.operator-code", "46000")
            shows("modem.3gpp.operator-name", "CHINA MOBILE")
            # It prefers +CIND, whose signal is 4 of 5.
            shows("modem.generic.signal-quality.value", "80")
            output_of("mmcli", "-m", "any", "--disable")
            shows("modem.generic.state", "disabled")
        finally:
            os.unlink(link)
            subprocess.run(["umount", "/sys"], check=True)


if __name__ == "__main__":
    try:
        main()
    except (Failed, OSError, subprocess.SubprocessError) as failed:
        sys.exit(f"modemmanager_session: {failed}")
