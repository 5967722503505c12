#!/usr/bin/env python3
"""atlib's driver for an Air780EU, as it is on PyPI, finds an Air780E and its network, and takes it through flight mode.

    atlib_session.py TTY

TTY is a freshly started `cargo run --example sim -- --profile air780e`. Exit 0 if everything was as a module of this
family answers (docs/protocol.md).
"""

import re
import sys
import time

from atlib.AIR780EU import AIR780EU
from atlib.errors import ATCommandError
from atlib.Status import Status


class Failed(Exception):
    pass


def check(what, value, expected):
    """A text must be like a pattern, anything else must be what is expected."""
    fits = re.fullmatch(expected, value) if isinstance(expected, str) and isinstance(value, str) else value == expected
    if not fits:
        raise Failed(f"{what} is {value!r}, should be {expected!r}")
    print(f"  ok  {what}: {value}")


def look_around(modem):
    check("card", modem.get_sim_status(), Status.OK)
    check("manufacturer", modem.get_manufacturer(), "AirM2M")
    check("model", modem.get_model(), "Air780E")
    check("IMEI", modem.get_imei(), r"\d{15}")
    check("IMSI", modem.get_imsi(), r"\d{15}")
    check("ICCID", modem.get_iccid(), r"\d{20}")
    check("signal", modem.get_signal(), (24, 0))
    check("LTE signal", tuple(modem.get_signal_quality()), (50, 20))
    check("operator", modem.get_current_operator(), "CHINA MOBILE")
    found = [repr(operator) for operator in modem.get_available_operators()]
    check("operators", found, ["(2, CHINA MOBILE, CMCC, 46000, 7)"])
    check("choosing one", modem.set_operator("CMCC"), Status.OK)
    check("choosing none", modem.set_operator_auto(), Status.OK)
    check("location reports", modem.enable_location_reporting(), Status.OK)
    check("location", modem.get_cell_location(), (2, 1, 0x2797, 0x02B82E17))
    check("messages", modem.receive_sms(), [])


def contexts(modem):
    check("contexts", [tuple(context)[:2] for context in modem.get_contexts()], [(1, "IP")])
    check("a second one", modem.set_context(2, "IP", "internet"), Status.OK)
    check("its activation", modem.activate_context(2), Status.OK)
    addresses = modem.get_addresses()
    check("addresses", [address.id for address in addresses], [1, 2])
    for address in addresses:
        check(f"address {address.id}", address.ip, r"\d+(\.\d+){3}")
    check("its end", modem.delete_context(2), Status.OK)


def flight(modem):
    check("off", modem.off(), Status.OK)
    check("the URC of it", modem.await_urc("DETACH"), r".*\+CGEV: ME DETACH.*")
    check("attached", modem.get_gprs_status(), "0")
    check("on", modem.command("AT+CFUN=1").is_ok, True)
    until = time.monotonic() + 20
    while modem.get_gprs_status() != "1":
        if time.monotonic() > until:
            raise Failed("it does not come back")
        time.sleep(0.2)
    check("a command that there is not", modem.command("AT+VER").is_ok, False)


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 0 if sys.argv[1:] in (["-h"], ["--help"]) else 2
    modem = AIR780EU(sys.argv[1])
    try:
        look_around(modem)
        contexts(modem)
        flight(modem)
    except (Failed, ATCommandError) as failed:
        print(f"FAILED: {type(failed).__name__}: {failed}", file=sys.stderr)
        return 1
    print("atlib found its module")
    return 0


if __name__ == "__main__":
    sys.exit(main())
