#!/usr/bin/env python3
"""A device on a serial port that types numbered lines and prints those that come back.

    serial_device.py LINK        makes LINK lead to its pseudo-terminal, until it is ended
"""

import os
import pty
import select
import sys
import time
import tty


def main():
    device, port = pty.openpty()
    tty.setraw(port)
    os.symlink(os.ttyname(port), sys.argv[1])
    number, received, due = 0, b"", time.monotonic()
    while True:
        readable, _, _ = select.select([device], [], [], max(0, due - time.monotonic()))
        if readable:
            received += os.read(device, 4096)
            *lines, received = received.split(b"\n")
            for line in lines:
                print(line.decode("ascii", "backslashreplace").strip(), flush=True)
        if time.monotonic() >= due:
            due += 0.2
            number += 1
            os.write(device, b"line %d\r\n" % number)


if __name__ == "__main__":
    main()
