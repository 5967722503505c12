#!/usr/bin/env python3
"""python-gsmmodem-new, as it is on PyPI, connects to an Air724UG and reads its identity and its network.

    gsmmodem_session.py TTY          the SIM asks for no PIN
    gsmmodem_session.py TTY PIN      the SIM is locked by PIN: without it, and with a wrong one, connecting is refused

TTY is a freshly started `cargo run --example sim`, with `--pin PIN` for the second form. Exit 0 if everything was as a
module of this family answers (docs/protocol.md).
"""

import re
import sys

from gsmmodem.exceptions import GsmModemException, IncorrectPinError, PinRequiredError
from gsmmodem.modem import GsmModem


class Failed(Exception):
    pass


def check(what, value, pattern):
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        raise Failed(f"{what} is {value!r}, should be like {pattern}")
    print(f"  ok  {what}: {value}")


def refused(path, pin, error):
    """Connecting with this PIN, or with none, ends in that error."""
    modem = GsmModem(path, 115200)
    try:
        modem.connect(pin)
    except error as refusal:
        print(f"  ok  PIN {pin}: {type(refusal).__name__}")
    else:
        raise Failed(f"PIN {pin} was taken")
    finally:
        modem.close()


def look_around(modem):
    check("manufacturer", modem.manufacturer, r'.*AirM2M"?')
    check("model", modem.model, r'.*Air724UG"?')
    check("revision", modem.revision, r".*AirM2M_720U_V\d+_LTE_AT\"?")
    check("IMEI", modem.imei, r"\d{15}")
    check("IMSI", modem.imsi, r"\d{15}")
    # Without a limit: its time-out is a thread that outlives the answer. .ci/run limits the time of this script.
    strength = modem.waitForNetworkCoverage()
    if not 1 <= strength <= 31:
        raise Failed(f"signal strength is {strength}, which is no coverage")
    print(f"  ok  signal: {strength}")
    check("network", modem.networkName, r"CHINA MOBILE")


def main():
    if len(sys.argv) not in (2, 3) or sys.argv[1].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 0 if sys.argv[1:] in (["-h"], ["--help"]) else 2
    path, pin = sys.argv[1], (sys.argv[2:] or [None])[0]
    modem = GsmModem(path, 115200)
    try:
        if pin is not None:
            refused(path, None, PinRequiredError)
            refused(path, "0000" if pin != "0000" else "1111", IncorrectPinError)
        modem.connect(pin)
        look_around(modem)
    except (Failed, GsmModemException) as failed:
        print(f"FAILED: {type(failed).__name__}: {failed}", file=sys.stderr)
        return 1
    finally:
        if modem.alive:
            modem.close()
    print("python-gsmmodem-new found its module")
    return 0


if __name__ == "__main__":
    sys.exit(main())
