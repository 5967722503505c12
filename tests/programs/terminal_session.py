#!/usr/bin/env python3
"""A person at the example `terminal`, on a pseudo-terminal: a slip is reported and the session goes on.

    terminal_session.py PROGRAM [ARGUMENT...]

Nothing but Python's standard library.
"""

import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time

SECONDS = 60  # a ceiling


class Session:
    def __init__(self, command):
        self.process, self.terminal = pty.fork()
        if self.process == 0:
            os.environ["TERM"] = "xterm"
            os.execv(command[0], command)
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 2000, 0, 0))
        self.seen = b""

    def read(self, left):
        """More of what the program says; false at its end."""
        if not select.select([self.terminal], [], [], max(left, 0))[0]:
            raise TimeoutError
        try:
            more = os.read(self.terminal, 65536)
        except OSError:  # Linux: the other side is closed
            more = b""
        self.seen += more
        return more

    def expect(self, *wanted):
        """Waits for one of these."""
        until = time.monotonic() + SECONDS
        while not any(one in self.seen for one in wanted):
            try:
                assert self.read(until - time.monotonic()), f"the program ended; wanted {wanted!r}: {self.seen[-600:]!r}"
            except TimeoutError:
                raise AssertionError(f"no {wanted!r} in {self.seen[-600:]!r}") from None
        self.seen = next(self.seen.partition(one)[2] for one in wanted if one in self.seen)

    def type(self, line):
        self.expect(b"> ")
        # As a paste, which is read as a whole; the end of the line once it is drawn.
        os.write(self.terminal, b"\x1b[200~" + line + b"\x1b[201~")
        self.expect(line)
        os.write(self.terminal, b"\r")
        self.expect(b"\x1b[?2004l")


session = Session(sys.argv[1:])
session.expect(b"`help` lists the words")
# Nothing is typed: the line above the prompt shows it by itself. The module may have been ready before the first prompt.
session.expect(b"ready: LTE home, signal 24/31 (-65 dBm)\r\n> ")
session.seen = b"> "
for slip, answer in [
    (b"nonsense", b'!! there is no word "nonsense" (commands begin with AT'),
    (b"AT+" + b"X" * 1100, b"!! invalid command: it is longer than 1024 bytes (each line is one command"),
    (b"AT+NONSENSE", b"!! AT+NONSENSE was refused"),
    (b"connect a", b"!! connect takes HOST:PORT"),
    (b"connect 127.0.0.1:1", b"!! the connection"),
    (b"send nothing", b"!! there is no connection (connect HOST:PORT makes one)"),
]:
    session.type(slip)
    session.expect(answer)
# The line above the prompt follows while nothing is typed.
session.type(b"AT+CFUN=4")
# The answer to the command may stand between the news and the line above the next prompt.
session.expect(b"-- not ready: the radio is switched off (flight mode)\r\n")
session.expect(b"not ready: the radio is switched off (flight mode)\r\n")
session.type(b"AT+CFUN=1")
session.expect(b"-- ready: sockets can be opened\r\n")
session.expect(b"ready: LTE home, signal 24/31 (-65 dBm)\r\n")
session.type(b"AT+CDNSGIP=\"nowhere.test\"")
# What the simulated module says depends on the network of this machine.
session.expect(b"<< +CDNSGIP: 0,8    the name can't be resolved: 8", b"<< +CDNSGIP: 0,10    the name can't be resolved: 10")
# Ctrl-C drops what is typed, not the session.
session.expect(b"> ")
os.write(session.terminal, b"\x1b[200~half a line\x1b[201~")
session.expect(b"half a line")
os.write(session.terminal, b"\x03")
session.expect(b"> ")
# F2 runs the doctor. What is typed stands there again afterwards.
os.write(session.terminal, b"\x1b[200~AT+CG\x1b[201~")
session.expect(b"AT+CG")
os.write(session.terminal, b"\x1bOQ")
session.expect(b"Nothing wrong was found.\r\n")
session.expect(b"> AT+CG")
os.write(session.terminal, b"\x1b[200~MM\x1b[201~")
session.expect(b"MM")
os.write(session.terminal, b"\r")
session.expect(b"OK    [")
session.expect(b"> ")
os.write(session.terminal, b"\x04")
while session.read(SECONDS):
    pass
status = os.waitstatus_to_exitcode(os.waitpid(session.process, 0)[1])
assert status == 0, f"exit code {status}"
print("  ok  six slips of a person, and the session goes on")
