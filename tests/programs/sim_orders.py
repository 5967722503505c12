#!/usr/bin/env python3
"""Gives examples/sim orders as a person does: its help, two modems at once, every order on the standard
input and on the Unix socket, faults from the command line.

    sim_orders.py SIM SOURCE FOLDER   SIM is the built example, SOURCE its source file, FOLDER for links and sockets

Nothing but Python's standard library. What an order must do is written here from the users' guide.
"""

import os
import re
import select
import socket
import subprocess
import sys
import time
import tty

from echo_server import EchoServer

SECONDS = 20  # a ceiling; nothing here waits that long when the answer comes

VALUES = {  # a valid value for each option that takes one
    "--baud": "115200", "--link": "x", "--modems": "2", "--profile": "sim800", "--seed": "7", "--pin": "1234",
    "--latency": "5", "--jitter": "5", "--rtt": "5", "--play": "x", "--echo": "0", "--uart-buffer": "64", "--host": "a.test=127.0.0.1", "--fault": "reboot@12s",
    "--control": "x",
}


# Every order; each is given below.
ORDERS = {
    "net down", "net up", "sim remove", "sim insert", "pdp lost", "reset", "close N", "urc TEXT", "fault RULE",
    "dtr on", "dtr off", "unplug", "replug", "replug NAME", "usb-restart", "replace IMEI", "hang up", "state", "help",
}


class Failed(Exception):
    pass


def check(holds, what):
    if not holds:
        raise Failed(what)
    print(f"  ok  {what}")


class Line:
    """What comes from a descriptor, until something awaited has come."""

    def __init__(self, name, fd):
        self.name, self.fd, self.received = name, fd, b""

    def say(self, text):
        os.write(self.fd, text.encode())

    def read_until(self, expected):
        until = time.monotonic() + SECONDS
        expected = expected.encode()
        while expected not in self.received:
            if time.monotonic() > until or not select.select([self.fd], [], [], 1)[0]:
                if time.monotonic() > until:
                    raise Failed(f"{self.name}: waited without success for {expected!r}, received {self.received!r}")
                continue
            try:
                more = os.read(self.fd, 65536)
            except OSError:
                more = b""
            if not more:
                raise Failed(f"{self.name}: ended instead of {expected!r}, received {self.received!r}")
            self.received += more
        at = self.received.index(expected) + len(expected)
        before, self.received = self.received[:at], self.received[at:]
        return before.decode(errors="replace")

    def ends(self):
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            if select.select([self.fd], [], [], 1)[0]:
                try:
                    if not os.read(self.fd, 65536):
                        return True
                except OSError:
                    return True
        return False

    def is_silent(self):
        """What has already arrived does not count; what comes in answer to a question does."""
        while select.select([self.fd], [], [], 0)[0]:
            os.read(self.fd, 65536)
        self.received = b""
        self.say("AT\r\n")
        return self.read_until("\r\nOK\r\n") == "AT\r\n\r\nOK\r\n"


def terminal(path, name):
    fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(fd)
    return Line(name, fd)


def start(sim, *options):
    return subprocess.Popen([sim, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)


def help_is_true(sim, source):
    text = subprocess.run([sim, "--help"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True).stdout
    documented = set(re.findall(r"^  (--[a-z-]+)", text, re.M))
    with open(source, encoding="utf-8") as file:
        taken = set(re.findall(r'^\s+"(--[a-z-]+)"', file.read(), re.M)) | {"--help", "--version"}
    check(documented == taken, f"the help names the {len(taken)} options that there are")
    for option in sorted(documented - {"--help"}):
        words = [option, VALUES[option]] if option in VALUES else [option]
        ended = subprocess.run([sim, *words, "--help"], stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if ended.returncode != 0:
            raise Failed(f"{' '.join(words)} is refused: {ended.stderr!r}")
        if option in VALUES:
            words = [f"{option}={VALUES[option]}", "--help"]
            if subprocess.run([sim, *words], stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode != 0:
                raise Failed(f"{words[0]} is refused")
            ended = subprocess.run([sim, option], stdin=subprocess.DEVNULL, capture_output=True, check=False)
            if ended.returncode != 2:
                raise Failed(f"{option} without a value ends with {ended.returncode}")
    check(True, "each option is taken as the help says")
    for wrong in (["--nonsense"], ["--fault", "explode"], ["--profile", "nokia"], ["--baud", "0"], ["--pin", "12"]):
        ended = subprocess.run([sim, *wrong], stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if ended.returncode != 2 or b"sim:" not in ended.stderr:
            raise Failed(f"{' '.join(wrong)} ends with {ended.returncode}")
    check(True, "what is wrong is refused with exit code 2")
    for option in ("--link", "--control"):
        path = "/no/such/folder/file"
        ended = subprocess.run([sim, option, path], stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False)
        if ended.returncode != 1 or f"{path}: ".encode() not in ended.stderr or option.encode() not in ended.stderr:
            raise Failed(f"{option} {path} ends with {ended.returncode}: {ended.stderr!r}")
    check(True, "a path where nothing can be made is named, with its option")
    return text


def orders(sim, folder, help_text, echo_port):
    link, control = os.path.join(folder, "modem"), os.path.join(folder, "control")
    process = start(sim, "--modems", "2", "--link", link, "--control", control, "--seed", "3")
    try:
        console = Line("standard input", process.stdout.fileno())
        for number in (0, 1):
            path = console.read_until("\n").strip()
            check(os.readlink(f"{link}{number}") == path, f"the link of modem {number} leads to its terminal")
        until = time.monotonic() + SECONDS
        peer = socket.socket(socket.AF_UNIX)
        while peer.connect_ex(control) != 0:
            if time.monotonic() > until:
                raise Failed("nothing listens on the control socket")
        remote = Line("control socket", peer.fileno())
        modems = [terminal(f"{link}{number}", f"modem {number}") for number in (0, 1)]

        def typed(order, answer="ok\n"):
            process.stdin.write(f"{order}\n".encode())
            console.read_until(answer)

        def sent(order, answer="ok\n\n"):
            remote.say(f"{order}\n")
            return remote.read_until(answer)

        def ask(number, command, answer):
            modems[number].say(f"{command}\r\n")
            return modems[number].read_until(answer)

        give_orders(typed, sent, ask, modems, help_text, echo_port)

        def is_back(path, what):
            until = time.monotonic() + SECONDS
            while True:
                try:
                    modems[1] = terminal(path, "modem 1")
                    return
                except OSError:  # The link may still lead to the terminal that is gone.
                    if time.monotonic() > until:
                        raise Failed(f"{what}: {path} does not come back") from None
                    time.sleep(0.05)

        def vanishes(order):
            sent(f"1 {order}")
            check(modems[1].ends(), f"{order}: the port of modem 1 vanishes")

        vanishes("unplug")
        sent("1 replug")
        is_back(f"{link}1", "replug")
        ask(1, "AT", "\r\nOK\r\n")
        check(True, "replug: modem 1 is back")
        vanishes("unplug")
        sent("1 replug another")
        is_back(os.path.join(folder, "another"), "replug NAME")
        ask(1, "AT", "\r\nOK\r\n")
        check(True, "replug NAME: modem 1 is back under another name")
        vanishes("usb-restart")
        is_back(os.path.join(folder, "another"), "usb-restart")
        modems[1].read_until("+E_UTRAN Service")  # RDY came while the port was gone
        check(True, "usb-restart: modem 1 has restarted")

        vanishes("replace 860000000000017")
        sent("1 replug")
        is_back(os.path.join(folder, "another"), "replace IMEI")
        modems[1].read_until("+E_UTRAN Service")
        ask(1, "AT+CGSN", "\r\n860000000000017\r\n\r\nOK\r\n")
        check(True, "replace IMEI: modem 1 is another module")

        sent("0 hang up")
        check(modems[0].ends(), "hang up: the port of modem 0 vanishes")
        ask(1, "AT", "\r\nOK\r\n")
        check(True, "modem 1 goes on")
        check("does not run" in sent("0 state", "\n\n"), "state: a modem that has hung up does not run")
        typed("1 hang up")
        check(process.wait(SECONDS) == 0, "with the last modem the program ends")
        check(not os.path.lexists(f"{link}0") and not os.path.lexists(control), "it leaves no link and no socket")
    finally:
        process.kill()
        process.wait()


def give_orders(typed, sent, ask, modems, help_text, echo_port):
    typed("help", "With several modems")
    listed = help_text[help_text.index("orders on the standard input"):].splitlines()[1:]
    listed = {order.strip() for line in listed if not line.startswith("  With") for order in line[:26].split("|")}
    check(listed - {""} == ORDERS, "help lists the orders that are given here")

    typed("0 net down")
    modems[0].read_until("+NO Service\r\n")
    check(modems[1].is_silent(), "net down: modem 0 loses its cell, modem 1 does not")
    sent("0 net up")
    modems[0].read_until("+E_UTRAN Service\r\n")
    check(True, "net up")

    sent("1 sim remove")
    modems[1].read_until("+CPIN: SIM REMOVED\r\n")
    ask(1, "AT+CPIN?", "+CME ERROR: 10\r\n")
    typed("1 sim insert")
    modems[1].read_until("+CPIN: READY\r\n")
    modems[1].read_until("+E_UTRAN Service\r\n")
    check(True, "sim remove, sim insert")

    for number in (0, 1):
        ask(number, "AT+CIPMUX=1;+CIPQSEND=1;+CSTT;+CIICR", "OK\r\n")
        ask(number, "AT+CIFSR", ".111\r\n")
        ask(number, f"AT+CIPSTART={number},TCP,127.0.0.1,{echo_port}", f"{number}, CONNECT OK\r\n")
    states = sent("state", "\n\n")
    check("modem 0:" in states and "modem 1:" in states and "channel 1: CONNECTED" in states, "state: both modems")

    sent("0 close 0")
    modems[0].read_until("0, CLOSED\r\n")
    check(True, "close N")
    typed("1 fault lost-prompt")
    ask(1, "AT+CIPSEND=1,2", "AT+CIPSEND=1,2\r\n")
    modems[1].say("hi")
    check("> " not in modems[1].read_until("DATA ACCEPT:1,2\r\n"), "fault lost-prompt")
    modems[1].read_until("+RECEIVE,1,2:\r\nhi")
    sent("1 pdp lost")
    modems[1].read_until("+PDP: DEACT\r\n")
    check(modems[0].is_silent(), "pdp lost")

    ask(1, "AT+CIPSHUT", "SHUT OK\r\n")
    ask(1, "AT+CIPMUX=0;+CIPMODE=1", "OK\r\n")
    ask(1, f"AT+CIPSTART=TCP,127.0.0.1,{echo_port}", "\r\nCONNECT\r\n")
    sent("1 dtr on")
    typed("1 dtr off")
    check(modems[1].read_until("\r\nOK\r\n") == "\r\nOK\r\n", "dtr on, dtr off: commands amid transparent data")

    typed("urc +CIEV: service, 1")
    for modem in modems:
        modem.read_until("\r\n+CIEV: service, 1\r\n")
    check(True, "urc TEXT: without a number both modems print it")
    typed("1 fault reboot@100ms")
    modems[1].read_until("\r\nRDY\r\n")
    check(modems[0].is_silent(), "fault reboot@100ms counts from then")
    typed("0 reset")
    modems[0].read_until("\r\nRDY\r\n")
    check(True, "reset")

    for wrong, advice in (("net sideways", "is no order"), ("7 state", "there are 2 modems"), ("fault x", "lost-prompt")):
        if not sent(wrong, "\n\n").startswith("error: ") or advice not in sent(wrong, "\n\n"):
            raise Failed(f"the order {wrong!r} is not refused with advice")
    typed("make coffee", "error: ")
    check(True, "what is no order is refused with advice")


def faults_from_the_command_line(sim, folder):
    link = os.path.join(folder, "faulty")
    process = start(sim, "--link", link, "--fault", "wrong-answer=nonsense:1", "--fault", "reboot@1500ms")
    try:
        os.read(process.stdout.fileno(), 4096)
        modem = terminal(link, "the faulty modem")
        modem.say("AT+CIMI\r\n")
        modem.read_until("\r\nnonsense\r\n")
        check(True, "--fault wrong-answer=nonsense:1")
        modem.read_until("\r\nRDY\r\n")
        check(True, "--fault reboot@1500ms")
    finally:
        process.kill()
        process.wait()


def main():
    sim, source, folder = sys.argv[1:]
    server = EchoServer().start()
    orders(sim, folder, help_is_true(sim, source), server.port)
    faults_from_the_command_line(sim, folder)


if __name__ == "__main__":
    try:
        main()
    except Failed as failure:
        sys.exit(f"sim_orders: {failure}")
