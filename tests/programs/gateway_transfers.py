"""Transfers through the example `gateway`, and the server that they lead to: what `gateway_faults.py` and `.ci/gateway_day` share.

A transfer is a stream of bytes in each direction, both of them like no other. It is exact and complete, or its connection ends
with an error. Nothing but Python's standard library.
"""

import base64
import collections
import hashlib
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

CEILING = 60  # how long one call may take; one that hangs fails
HEADER = struct.Struct(">QIB4s")
WAYS = ("SOCKS5", "CONNECT", "forward")
LABELS = {"SOCKS5": "SOCKS5", "CONNECT": "HTTP proxy", "forward": "forward"}
# The habits of a transfer: as fast as it can; piece by piece; with a long silence in the middle; a reset by the server.
FAST, SLOW, SILENT, RESET = range(4)
SEND = 1460  # the bytes of the longest send
DEAF = "what only a deaf module takes for payload"
# CR, or the driver's questions, of which the last may be cut off.
FILLING = re.compile(rb"(\r\n?|\n|\+{1,3}|AT[+?=0-9A-Z\";,]*|A)*")

# The programs that were started are ended then, too.
signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))

violations = []
cut = set()  # the numbers of the transfers that the server has reset
filled = {}  # what came after all that was right, of those whose last send the driver has filled up


def filled_up(client, number, have, wanted, data):
    """After what is right there may be what the driver has filled a send up with that the module has not received whole: then the
    connection ends."""
    good = next(place for place, byte in enumerate(data) if byte != wanted[have + place])
    have, tail = have + good, data[good:]
    while len(tail) <= SEND and (more := client.recv(65536)):
        tail += more
    near = wanted[max(0, have - SEND):have + 2 * SEND]
    if not is_filling(number, tail) and not is_written_again(number, tail, near):
        other_bytes(number, "the server", have, wanted, tail)


def is_written_again(number, tail, near):
    """True if these bytes are the rest of a send with a gap, and its beginning once more."""
    rest, parts = tail[:SEND + 1], 0
    while rest and parts < 3:
        size = next((size for size in range(len(rest), 3, -1) if rest[:size] in near), 0)
        rest, parts = rest[size:], parts + 1 if size else 3
    if rest or len(tail) > SEND:
        return False
    filled[number] = DEAF
    return True


def is_filling(number, tail):
    if len(tail) > SEND or not FILLING.fullmatch(tail):
        return False
    filled[number] = DEAF if tail.strip(b"\r") else "CR"
    return True


def request(client):
    """The number, the length and the habit of a transfer; of a header that is filled up nothing but that."""
    data = exactly(client, HEADER.size)
    number, length, habit, _ = HEADER.unpack(data)
    if data == header(number, length, habit):
        return number, length, habit
    while len(data) <= SEND + HEADER.size and (more := client.recv(65536)):
        data += more
    if not any(is_filling(data[:good], data[good:]) for good in range(HEADER.size)):
        violations.append(f"other bytes came to the server in place of a header: {data[:80]!r}")
    raise EOFError


def other_bytes(number, where, have, wanted, data):
    place = wanted.find(data[:16])
    what = f"those of {place}" if place >= 0 else repr(data[:80])
    violations.append(f"transfer {number}: other bytes came to {where}, after {have} of {len(wanted)}: {what}")


class Pace:
    """The pauses of habits, in seconds of this program."""

    piece = 0.0
    silence = 0.0


def header(number, length, habit):
    """What a client sends first, with a check: it may be cut off, too."""
    begin = HEADER.pack(number, length, habit, b"")[:-4]
    return begin + hashlib.sha256(begin).digest()[:4]


def stream(name, number, length):
    """Bytes that no other transfer has."""
    return hashlib.shake_128(f"{name} {number}".encode()).digest(length)


def exactly(client, count):
    data = b""
    while len(data) < count:
        more = client.recv(count - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def start(target, *arguments):
    thread = threading.Thread(target=target, args=arguments, daemon=True)
    thread.start()
    return thread


def reset(client):
    """Ends a connection so that its peer can't take what it has for all."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def server():
    """Starts the server; its port."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    start(serve, listener)
    return listener.getsockname()[1]


def serve(listener):
    while True:
        start(answer, listener.accept()[0])


def answer(client):
    """Sends a stream and takes one, at once; says at the end whether what came was exact and complete."""
    try:
        client.settimeout(CEILING)
        number, length, habit = request(client)
        writer = start(give, client, stream("down", number, length), habit)
        wanted, have = stream("up", number, length), 0
        while have < length:
            data = client.recv(65536)
            if not data:
                break
            if data != wanted[have:have + len(data)]:
                filled_up(client, number, have, wanted, data)
                break
            have += len(data)
            if habit == RESET and have > length / 2:
                cut.add(number)
                break
        if habit != RESET:
            writer.join(CEILING)
        if have == length and number not in cut:
            client.sendall(b"Y")
            client.shutdown(socket.SHUT_WR)
            client.recv(1)
            client.close()
        else:
            reset(client)
    except (OSError, EOFError):
        client.close()


def give(client, data, habit):
    try:
        if habit == SLOW:
            size = max(1, len(data) // 20)
            for begin in range(0, len(data), size):
                client.sendall(data[begin:begin + size])
                time.sleep(Pace.piece)
        elif habit == SILENT:
            client.sendall(data[:len(data) // 2])
            time.sleep(Pace.silence)
            client.sendall(data[len(data) // 2:])
        else:
            client.sendall(data)
    except OSError:
        pass  # the reader of this connection sees it, too


class Refused(Exception):
    """The gateway has said that there is no connection."""


def opened(way, addresses, port, modem=None):
    """A connection to the server, through the modem of this name."""
    client = socket.create_connection(addresses[way], CEILING)
    try:
        if way == "SOCKS5":
            client.sendall(b"\x05\x01\x02" if modem else b"\x05\x01\x00")
            if exactly(client, 2)[1] == 2:
                client.sendall(b"\x01" + bytes([len(modem)]) + modem.encode() + b"\x01x")
                exactly(client, 2)
            client.sendall(b"\x05\x01\x00\x01" + socket.inet_aton("127.0.0.1") + port.to_bytes(2, "big"))
            if exactly(client, 10)[1] != 0:
                raise Refused
        elif way == "CONNECT":
            user = f"Proxy-Authorization: Basic {base64.b64encode(f'{modem}:x'.encode()).decode()}\r\n" if modem else ""
            client.sendall(f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{user}\r\n".encode())
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += exactly(client, 1)
            if b" 200 " not in head.split(b"\r\n")[0]:
                raise Refused
        return client
    except BaseException:
        client.close()
        raise


def transfer(way, addresses, port, number, length, habit=FAST, modem=None, timeout=CEILING):
    """How it ended, and the bytes that came to the client: `complete`; `refused`, `not opened` or `error`, which the client saw;
    `cut by the server`, which the module reports as the server's end; or else a violation, but for `silent` and `short`, of which
    the caller is the judge."""
    try:
        client = opened(way, addresses, port, modem)
    except Refused:
        return "refused", 0
    except (OSError, EOFError):
        return "not opened", 0
    wanted, have = stream("down", number, length) + b"Y", 0
    with client:
        client.settimeout(timeout)
        start(give, client, header(number, length, habit) + stream("up", number, length), habit)
        try:
            while True:
                data = client.recv(65536)
                if not data:
                    break
                if data != wanted[have:have + len(data)]:
                    other_bytes(number, f"the client by {way}", have, wanted, data)
                    return "wrong", have
                have += len(data)
        except TimeoutError:
            return "silent", have
        except OSError:
            return "error", have
    if have == len(wanted):
        return "complete", have
    return ("cut by the server" if number in cut else "short"), have


def held(process):
    """What a process holds: descriptors, threads, memory of its own in kB (without what it has read of its program)."""
    with open(f"/proc/{process.pid}/status", encoding="utf-8") as file:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    return len(os.listdir(f"/proc/{process.pid}/fd")), int(status["Threads"]), int(status["RssAnon"].split()[0])


def given_back(gateway, before):
    """Once nothing is carried any more, descriptors and threads are as many as before; how memory has grown, in kB."""
    until = time.monotonic() + CEILING
    while (now := held(gateway))[:2] != before[:2]:
        if time.monotonic() > until:
            violations.append(f"the gateway holds {now[0]} descriptors and {now[1]} threads, and {before[0]} and {before[1]} before")
            break
        time.sleep(0.1)
    return now[2] - before[2]


def started(folder, scratch, name, *arguments, suffix, environment=None):
    """Starts an example; the process, and the path of its log."""
    path = os.path.join(scratch, f"{name}-{suffix}.log")
    with open(path, "w", encoding="utf-8") as log:
        process = subprocess.Popen([os.path.join(folder, name), *arguments], stdin=subprocess.PIPE, stdout=log, stderr=log, text=True,
                                   env=environment)
    return process, path


def awaited(path, pattern, seconds=60):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with open(path, encoding="utf-8", errors="replace") as file:
            if found := re.search(pattern, file.read(), re.M):
                return found
        time.sleep(0.05)
    sys.exit(f"waited in vain for {pattern} in {path}")


def addresses_of(log):
    """Where the gateway listens, by the way."""
    addresses = {}
    for way, label in LABELS.items():
        host, port = awaited(log, rf"^{label} +([0-9.]+):([0-9]+)").groups()
        addresses[way] = (host, int(port))
    return addresses


class Outcomes:
    """How many transfers ended how, and the bytes that complete ones carried both ways."""

    def __init__(self):
        self.ended = collections.Counter()
        self.carried = 0
        self.received = 0
        self.offered = 0  # each way, to every connection
        self._lock = threading.Lock()

    def add(self, way, outcome, length, received):
        with self._lock:
            self.ended[way, outcome] += 1
            self.received += received
            self.offered += length + 1 if outcome != "refused" else 0
            if outcome == "complete":
                self.carried += 2 * length

    def total(self, *outcomes, ways=WAYS):
        return sum(count for (way, outcome), count in self.ended.items() if outcome in outcomes and way in ways)

    def show(self):
        for (way, outcome), count in sorted(self.ended.items()):
            print(f"  {way}: {count} transfers {outcome}")
