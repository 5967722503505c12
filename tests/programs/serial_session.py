#!/usr/bin/env python3
"""What a person at a serial terminal sees, compared byte for byte.

    serial_session.py TTY     talks to the Air724UG on TTY (a freshly started `cargo run --example sim`), exit 0 if
                              every exchange was the documented one

Nothing but os, termios and sockets of Python's standard library: the expected bytes are written here from the
documentation of the module, not taken from the driver or from the simulated modem. Where the module fills in a value
(an address, a signal quality) the expectation is a pattern for that value alone. Each exchange names its source, with
the keys of docs/protocol.md.
"""

import os
import re
import select
import socket
import sys
import termios
import time
import tty

from echo_server import CLOSE, EchoServer

# Ceilings for a module that does not answer; nothing here waits that long when it does.
ANSWER_SECONDS = 10
BOOT_SECONDS = 90
# How long the line has to be quiet until the start-up is over.
QUIET_SECONDS = 1.5

# News that may still come while the session runs, because the network takes its time (protocol.md 3). None of them is
# asked for by the session, so none can be taken out of an answer.
UNASKED = re.compile(
    rb"\r\n(?:SMS READY|\^MODE: \d+,\d+|\^CARDMODE: \d+|\+E_UTRAN Service|\*CGEV: ACT,[^\r\n]*|\+NITZ: [^\r\n]*)\r\n"
)


class Failed(Exception):
    pass


def literal(text):
    return re.escape(text)


def readable(pattern):
    """A pattern for a message: line ends as escapes, and without the backslashes that `literal` put in."""
    return repr(re.sub(rb"\\(?![dsrn])", b"", pattern))


class Terminal:
    def __init__(self, path):
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self.fd)
        attributes = termios.tcgetattr(self.fd)
        attributes[4] = attributes[5] = termios.B115200
        termios.tcsetattr(self.fd, termios.TCSANOW, attributes)
        self.unread = b""

    def type(self, data):
        while data:
            data = data[os.write(self.fd, data) :]

    def read(self, seconds):
        """Adds to `unread` what comes within `seconds`; false if nothing came."""
        readable, _, _ = select.select([self.fd], [], [], max(seconds, 0))
        if not readable:
            return False
        data = os.read(self.fd, 65536)
        if not data:
            raise Failed("the terminal hung up")
        self.unread += data
        return True

    def drop_unasked(self):
        while found := UNASKED.match(self.unread):
            self.unread = self.unread[found.end() :]

    def expect(self, pattern, seconds=ANSWER_SECONDS):
        """Reads until the next bytes are `pattern`, and returns the match. Nothing may stand before it."""
        compiled = re.compile(pattern, re.DOTALL)
        deadline = time.monotonic() + seconds
        while True:
            if found := compiled.match(self.unread):
                self.unread = self.unread[found.end() :]
                return found
            self.drop_unasked()
            if compiled.match(self.unread):
                continue
            if not self.read(deadline - time.monotonic()) and time.monotonic() >= deadline:
                raise Failed(f"expected {readable(pattern)}\n     got {self.unread!r}")

    def expect_in_any_order(self, first, second):
        """Two frames that race each other: the answer to a send, and what the peer sends back."""
        return self.expect(b"(?:%s%s|%s%s)" % (first, second, second, first))

    def expect_silence(self, seconds=0.5):
        while self.read(seconds):
            pass
        self.drop_unasked()
        if self.unread:
            raise Failed(f"nothing more should have come, but got {self.unread!r}")


class Session:
    def __init__(self, terminal, server):
        self.terminal = terminal
        self.server = server
        self.echo = True
        self.exchanges = 0

    def say(self, command, reply, source, end=b"\r\n"):
        """Types `command` and expects its echo, verbatim, and then `reply`, a pattern."""
        shown = command.decode()
        try:
            self.terminal.type(command + end)
            if self.echo:
                self.terminal.expect(literal(command + end))
            found = self.terminal.expect(reply)
        except Failed as failed:
            raise Failed(f"{shown} ({source})\n{failed}") from None
        print(f"  ok  {shown:<44} {source}")
        self.exchanges += 1
        return found

    def see(self, what, reply, source):
        try:
            found = self.terminal.expect(reply)
        except Failed as failed:
            raise Failed(f"{what} ({source})\n{failed}") from None
        print(f"  ok  ... {what:<40} {source}")
        self.exchanges += 1
        return found

    def send(self, channel, payload):
        """CIPSEND of a fixed length, quick send: prompt, payload, DATA ACCEPT - and the peer's echo."""
        self.say(b"AT+CIPSEND=%d,%d" % (channel, len(payload)), literal(b"\r\n> "), "MAN CIPSEND, a01: prompt of 4 bytes")
        self.terminal.type(payload)
        if self.echo:
            self.see("payload echoed", literal(payload), "a01")
        accepted = literal(b"\r\nDATA ACCEPT:%d,%d\r\n" % (channel, len(payload)))
        # Whether CR LF follows the data is an open question for this module (protocol.md 20, no. 3).
        received = literal(b"\r\n+RECEIVE,%d,%d:\r\n%s" % (channel, len(payload), payload)) + rb"(?:\r\n)?"
        try:
            self.terminal.expect_in_any_order(accepted, received)
        except Failed as failed:
            raise Failed(f"answer to {len(payload)} bytes of payload (MAN, TOS)\n{failed}") from None
        print(f"  ok  ... {len(payload)} bytes accepted and received back")
        self.exchanges += 1


OK = literal(b"\r\nOK\r\n")
REFUSED = literal(b"\r\n+CME ERROR: 3\r\n")


def info(text):
    """An information line and the final OK, each a frame of its own (protocol.md 2)."""
    return rb"\r\n" + text + rb"\r\n" + OK


def boot(terminal):
    """Polls with AT as the manual says, then waits until the module is attached and quiet (FLOW)."""
    deadline = time.monotonic() + BOOT_SECONDS
    seen = b""
    for command, answer in ((b"AT", b"\r\nOK\r\n"), (b"AT+CGATT?", b"\r\n+CGATT: 1\r\n\r\nOK\r\n")):
        while answer not in terminal.unread:
            if time.monotonic() > deadline:
                raise Failed(f"no {answer!r} within {BOOT_SECONDS} s, only {seen + terminal.unread!r}")
            terminal.type(command + b"\r\n")
            until = time.monotonic() + 0.5
            while answer not in terminal.unread and terminal.read(until - time.monotonic()):
                pass
        seen += terminal.unread
        terminal.unread = b""
    while terminal.read(QUIET_SECONDS):
        pass
    seen += terminal.unread
    terminal.unread = b""
    for line in (b"\r\nRDY\r\n", b"\r\n+CPIN: READY\r\n"):
        if line not in seen:
            raise Failed(f"no {line!r} while the module started: {seen!r}")
    if seen.index(b"\r\nRDY\r\n") > seen.index(b"\r\n+CPIN: READY\r\n"):
        raise Failed(f"the SIM was ready before the module was: {seen!r}")
    print("  ok  started: RDY before +CPIN: READY, AT answered, attached")


def identity_and_network(session):
    session.say(b"AT", OK, "V.250")
    session.say(b"AT", OK, "protocol.md 2: CR alone ends a command, too", end=b"\r")
    session.say(b"ATI", info(rb"AirM2M_720U_V\d+_LTE_AT"), "MAN ATI; name from FW")
    session.say(b"AT+CMEE=1", OK, "MAN CMEE")
    session.say(b"AT+CPIN?", info(rb"\+CPIN: READY"), "MAN CPIN, a12")
    session.say(b"AT+CSQ", info(rb"\+CSQ: (?:[12]?\d|3[01]),\d+"), "MAN CSQ, a12")
    session.say(b"AT+CREG?", info(rb"\+CREG: [0-2],[15][^\r\n]*"), "MAN CREG, a01")
    session.say(b"AT+CGATT?", info(rb"\+CGATT: 1"), "MAN CGATT, a01")
    session.say(b"AT+CIICRR", literal(b"\r\nERROR\r\n"), "a12: no such command")


def bring_up(session):
    session.say(b"AT+CIPSHUT", literal(b"\r\nSHUT OK\r\n"), "MAN CIPSHUT, a01: no OK line")
    session.say(b"AT+CIFSR", REFUSED, "a01: no address before the context is active")
    session.say(b"AT+CIPMUX=1", OK, "MAN CIPMUX")
    session.say(b"AT+CIPMUX?", info(rb"\+CIPMUX: 1"), "a27")
    session.say(b"AT+CIPQSEND=1", OK, "MAN CIPQSEND")
    session.say(b"AT+CSTT", OK, "MAN CSTT")
    session.say(b"AT+CSTT", REFUSED, "a12: CSTT only in IP INITIAL")
    session.say(b"AT+CIPMUX=0", REFUSED, "MAN CIPMUX: only in IP INITIAL")
    session.say(b"AT+CIICR", OK, "MAN CIICR")
    session.say(b"AT+CIFSR", rb"\r\n\d{1,3}(?:\.\d{1,3}){3}\r\n", "a01: the bare address, no OK")


def status(session, state, rows):
    """OK first, then the state, then one row for each of the 8 channels (a01, s01, a30)."""
    lines = b"".join(
        rows.get(channel, b'C: %d,,"","","","INITIAL"' % channel) + b"\r\n" for channel in range(8)
    )
    session.say(b"AT+CIPSTATUS", OK + literal(b"\r\nSTATE: " + state + b"\r\n\r\n" + lines), "a01, s01, a30")


def one_connection(session):
    port = session.server.port
    session.say(b'AT+CIPSTART=0,"TCP","127.0.0.1",%d' % port, OK, "MAN CIPSTART")
    session.see("0, CONNECT OK", literal(b"\r\n0, CONNECT OK\r\n"), "TOS, RTT")
    row = b'C: 0,0,"TCP","127.0.0.1","%d","CONNECTED"' % port
    status(session, b"IP PROCESSING", {0: row})
    session.send(0, b"hello")
    session.say(b"AT+CIPACK=0", info(rb"\+CIPACK: 5,5,0"), "MAN CIPACK, a01")
    session.say(b"ATE0", OK, "MAN ATE: the command itself is still echoed")
    session.echo = False
    session.send(0, b"\r\nOK\r\n+RECEIVE,1,3:\r\n> ")
    session.send(0, bytes(range(256)))
    session.say(b"AT+CIPCLOSE=0", literal(b"\r\n0, CLOSE OK\r\n"), "MAN CIPCLOSE, RTT: no OK line")
    session.say(b"AT+CIPCLOSE=0", REFUSED, "a27: the channel is closed already")
    session.say(b"AT+CIPSEND=0,5", REFUSED, "a27: no prompt on a closed channel")


def other_ends(session):
    port = session.server.port
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        session.say(b'AT+CIPSTART=1,"TCP","127.0.0.1",%d' % unused.getsockname()[1], OK, "MAN CIPSTART")
        session.see("1, CONNECT FAIL", literal(b"\r\n1, CONNECT FAIL\r\n"), "a27, s04")
    session.say(b"AT+CIPSTART=7,TCP,127.0.0.1,%d" % port, OK, "TOS, ALI: no quotes")
    session.see("7, CONNECT OK", literal(b"\r\n7, CONNECT OK\r\n"), "TOS, RTT")
    session.say(b"AT+CIPSEND=7,%d" % len(CLOSE), literal(b"\r\n> "), "MAN CIPSEND")
    session.terminal.type(CLOSE)
    accepted = literal(b"\r\nDATA ACCEPT:7,%d\r\n" % len(CLOSE))
    session.terminal.expect_in_any_order(accepted, literal(b"\r\n7, CLOSED\r\n"))
    print("  ok  ... 7, CLOSED once the peer closed                 RTT, a27")
    session.exchanges += 1


def manual_receive(session):
    port = session.server.port
    session.say(b"AT+CIPSHUT", literal(b"\r\nSHUT OK\r\n"), "MAN CIPSHUT")
    session.say(b"AT+CIPMUX=1", OK, "MAN CIPMUX")
    session.say(b"AT+CIPRXGET=1", OK, "MAN CIPRXGET: after CIPMUX, before CIPSTART")
    for command in (b"AT+CSTT", b"AT+CIICR"):
        session.say(command, OK, "MAN")
    session.say(b"AT+CIFSR", rb"\r\n\d{1,3}(?:\.\d{1,3}){3}\r\n", "a01")
    session.say(b'AT+CIPSTART=3,"TCP","127.0.0.1","%d"' % port, OK, "a18: the port may be quoted")
    session.see("3, CONNECT OK", literal(b"\r\n3, CONNECT OK\r\n"), "TOS, RTT")
    session.say(b"AT+CIPSEND=3,10", literal(b"\r\n> "), "MAN CIPSEND")
    session.terminal.type(b"AAAAABBBBB")
    accepted = literal(b"\r\nDATA ACCEPT:3,10\r\n")
    session.terminal.expect_in_any_order(accepted, literal(b"\r\n+CIPRXGET: 1,3\r\n"))
    session.say(b"AT+CIPRXGET=4,3", info(rb"\+CIPRXGET: 4,3,10"), "MAN CIPRXGET, d02")
    session.say(b"AT+CIPRXGET=2,3,5", info(rb"\+CIPRXGET: 2,3,5,5\r\nAAAAA"), "MAN CIPRXGET, d02, a28")
    session.say(b"AT+CIPRXGET=3,3,64", info(rb"\+CIPRXGET: 3,3,5,0\r\n4242424242"), "MAN CIPRXGET, a27")
    session.say(b"AT+CIPRXGET=4,3", info(rb"\+CIPRXGET: 4,3,0"), "d02")
    session.say(b"AT+CIPCLOSE=3", literal(b"\r\n3, CLOSE OK\r\n"), "MAN CIPCLOSE")
    session.say(b"AT+CIPRXGET=2,3,64", REFUSED, "a27: after the close")
    session.say(b"AT+CIPSHUT", literal(b"\r\nSHUT OK\r\n"), "MAN CIPSHUT")


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 0 if sys.argv[1:] in (["-h"], ["--help"]) else 2
    terminal = Terminal(sys.argv[1])
    session = Session(terminal, EchoServer().start())
    try:
        boot(terminal)
        identity_and_network(session)
        bring_up(session)
        one_connection(session)
        other_ends(session)
        manual_receive(session)
        terminal.expect_silence()
    except Failed as failed:
        print(f"FAILED after {session.exchanges} exchanges: {failed}", file=sys.stderr)
        return 1
    print(f"{session.exchanges} exchanges, every byte as documented")
    return 0


if __name__ == "__main__":
    sys.exit(main())
