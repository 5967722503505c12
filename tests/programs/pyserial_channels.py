#!/usr/bin/env python3
"""pyserial moves data on all 8 channels of an Air724UG at once, in both receive modes.

    pyserial_channels.py TTY     TTY is a freshly started `cargo run --example sim`; exit 0 if every byte that each
                                 channel sent came back on that channel, in order

The peer is an echo server of Python's socketserver on this machine. Nothing waits for an echo before it sends on, so
that what comes back is mixed with the answers to later commands. Payload is random, from one seed, and so holds line
ends, prompts and everything else that could be taken for text.
"""

import random
import re
import sys
import time

import serial

from echo_server import EchoServer

CHANNELS = range(8)
ROUNDS = 12
CHUNK = 1460  # the most that one AT+CIPSEND takes (MAN CIPSEND)
FETCH = 500  # so that one AT+CIPRXGET=2 seldom takes all that waits
# A ceiling for a module that does not answer; nothing here waits that long when it does.
ANSWER_SECONDS = 10

RECEIVE = re.compile(rb"\r\n\+RECEIVE,(\d),(\d+):\r\n")
ANNOUNCED = re.compile(rb"\r\n\+CIPRXGET: 1,(\d)\r\n")
FETCHED = re.compile(rb"\r\n\+CIPRXGET: 2,(\d),(\d+),(\d+)\r\n")


class Failed(Exception):
    pass


class Line:
    """The serial line: what has come is cut into payload, announcements and the answers that a caller waits for."""

    def __init__(self, path):
        self.port = serial.Serial(path, 115200, timeout=0.2, write_timeout=ANSWER_SECONDS)
        self.unread = b""
        self.received = {channel: bytearray() for channel in CHANNELS}
        self.waiting = set()  # channels that announced data

    def fill(self, deadline, why):
        if time.monotonic() > deadline:
            raise Failed(f"waited {ANSWER_SECONDS} s for {why!r}, unread: {self.unread[:200]!r}")
        self.unread += self.port.read(self.port.in_waiting or 1)

    def take(self, count):
        taken, self.unread = self.unread[:count], self.unread[count:]
        return taken

    def pull(self, why):
        """Reads until one whole frame of data, or something else, is there; data and announcements are taken out."""
        deadline = time.monotonic() + ANSWER_SECONDS
        while True:
            if found := RECEIVE.match(self.unread):
                channel, length = int(found[1]), int(found[2])
                self.take(found.end())
                while len(self.unread) < length:
                    self.fill(deadline, why)
                self.received[channel] += self.take(length)
            elif found := ANNOUNCED.match(self.unread):
                self.take(found.end())
                self.waiting.add(int(found[1]))
            else:
                return deadline

    def expect(self, pattern):
        """The next that is neither data nor an announcement has to be `pattern`."""
        compiled = re.compile(pattern, re.DOTALL)
        while True:
            deadline = self.pull(pattern)
            if found := compiled.match(self.unread):
                self.take(found.end())
                return found
            # A frame that has begun but is no answer: more has to come, or it is wrong.
            before = len(self.unread)
            while len(self.unread) == before:
                self.fill(deadline, pattern)

    def say(self, command, pattern=rb"\r\nOK\r\n"):
        self.port.write(command + b"\r\n")
        return self.expect(pattern)


def bring_up(line, manual):
    line.say(b"AT", rb"(?:AT\r\n)?\r\nOK\r\n")
    line.say(b"ATE0", rb"(?:ATE0\r\n)?\r\nOK\r\n")
    line.say(b"AT+CIPSHUT", rb"\r\nSHUT OK\r\n")
    for command in (b"AT+CIPMUX=1", b"AT+CIPQSEND=1", b"AT+CIPRXGET=%d" % manual, b"AT+CSTT", b"AT+CIICR"):
        line.say(command)
    line.say(b"AT+CIFSR", rb"\r\n[\d.]+\r\n")


def open_all(line, port):
    for channel in CHANNELS:
        line.say(b'AT+CIPSTART=%d,"TCP","127.0.0.1",%d' % (channel, port))
        line.expect(rb"\r\n%d, CONNECT OK\r\n" % channel)
    line.say(b'AT+CIPSTART=8,"TCP","127.0.0.1",%d' % port, rb"\r\n\+CME ERROR: \d+\r\n")  # ids end at 7 (MAN CIPMUX)


def send(line, channel, data):
    line.say(b"AT+CIPSEND=%d,%d" % (channel, len(data)), rb"\r\n> ")
    line.port.write(data)
    line.expect(rb"\r\nDATA ACCEPT:%d,%d\r\n" % (channel, len(data)))


def fetch(line):
    """Manual mode: reads what the announced channels hold, until nothing is left of it (MAN CIPRXGET, a28)."""
    while line.waiting:
        channel = line.waiting.pop()
        left = 1
        while left:
            found = line.say(b"AT+CIPRXGET=2,%d,%d" % (channel, FETCH), FETCHED.pattern)
            length, left = int(found[2]), int(found[3])
            deadline = time.monotonic() + ANSWER_SECONDS
            while len(line.unread) < length:
                line.fill(deadline, "the rest of the data")
            line.received[channel] += line.take(length)
            line.expect(rb"\r\n\r\nOK\r\n|\r\nOK\r\n")


def exchange(line, chance, manual):
    """Rounds in which every channel sends once, in an order of chance; then the rest is waited for."""
    sent = {channel: bytearray() for channel in CHANNELS}
    for _ in range(ROUNDS):
        for channel in chance.sample(CHANNELS, len(CHANNELS)):
            data = chance.randbytes(chance.randint(1, CHUNK))
            sent[channel] += data
            send(line, channel, data)
            fetch(line)
    deadline = time.monotonic() + ANSWER_SECONDS
    while any(len(line.received[channel]) < len(sent[channel]) for channel in CHANNELS):
        line.pull("the echo")
        fetch(line)
        if any(len(line.received[channel]) < len(sent[channel]) for channel in CHANNELS):
            line.fill(deadline, "the rest of the echo")
    for channel in CHANNELS:
        if line.received[channel] != sent[channel]:
            raise Failed(f"channel {channel} got other bytes than it sent")
    return sum(map(len, sent.values()))


def close_all(line):
    for channel in CHANNELS:
        line.say(b"AT+CIPCLOSE=%d" % channel, rb"\r\n%d, CLOSE OK\r\n" % channel)
    line.say(b"AT+CIPSHUT", rb"\r\nSHUT OK\r\n")
    if line.unread or any(line.waiting):
        raise Failed(f"something came after the end: {line.unread!r}")


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 0 if sys.argv[1:] in (["-h"], ["--help"]) else 2
    server = EchoServer().start()
    chance = random.Random(724)
    try:
        for mode, manual in (("push", 0), ("manual", 1)):
            line = Line(sys.argv[1])
            bring_up(line, manual)
            open_all(line, server.port)
            count = exchange(line, chance, manual)
            close_all(line)
            line.port.close()
            print(f"  ok  {mode}: {count} bytes on {len(CHANNELS)} channels, each byte back on its own")
    except Failed as failed:
        print(f"FAILED: {failed}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
