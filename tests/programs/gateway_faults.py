#!/usr/bin/env python3
"""Transfers through the example `gateway` while everything fails: the port vanishes, the module restarts, the bearer and the cell
are lost. Each transfer is complete and exact, or its connection ends with an error; what the server gets is always exact.

    gateway_faults.py FOLDER SCRATCH FAULTS [SEED]   FOLDER holds the built examples, SCRATCH is for files

A schedule of FAULTS faults is made of SEED and played in real time, one after the other; then nothing fails any more, every way
must carry again, and the gateway has the descriptors and threads that it had before. Nothing but Python's standard library.
"""

import collections
import hashlib
import os
import random
import re
import socket
import struct
import subprocess
import sys
import threading
import time

FOLDER, SCRATCH, FAULT_COUNT = sys.argv[1], sys.argv[2], int(sys.argv[3])
SEED = int(sys.argv[4]) if len(sys.argv) > 4 else 1
CEILING = 60  # how long one call may take; one that hangs fails
HEADER = struct.Struct(">QI")
WAYS = ("SOCKS5", "CONNECT", "forward")
# Orders to the simulated modem and the pause behind each, in seconds.
FAULTS = {
    "the bearer is lost": [("pdp lost", 0)],
    "the module restarts": [("reset", 0)],
    "the cell is lost": [("net down", 1.5), ("net up", 0)],
    "the port vanishes": [("unplug", 1), ("replug", 0)],
    "the module restarts on USB": [("usb-restart", 3)],
    "a restart without a port": [("unplug", 0.2), ("reset", 1), ("replug", 0)],
}

violations = []
carried = 0  # bytes of complete transfers, both ways
ended = collections.Counter()
stopped = threading.Event()
counting = threading.Lock()


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


def serve(listener):
    while True:
        client, _ = listener.accept()
        threading.Thread(target=answer, args=(client,), daemon=True).start()


def answer(client):
    """Sends a stream and takes one, at once; says at the end whether what came was exact and complete."""
    try:
        client.settimeout(CEILING)
        number, length = HEADER.unpack(exactly(client, HEADER.size))
        writer = threading.Thread(target=give, args=(client, stream("down", number, length)), daemon=True)
        writer.start()
        wanted, have = stream("up", number, length), 0
        while have < length:
            data = client.recv(65536)
            if not data:
                break
            if data != wanted[have:have + len(data)]:
                violations.append(f"transfer {number}: other bytes came to the server, behind {have}")
                break
            have += len(data)
        writer.join(CEILING)
        if have == length:
            client.sendall(b"Y")
            client.shutdown(socket.SHUT_WR)
            client.recv(1)
        else:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
    except (OSError, EOFError):
        client.close()


def give(client, data):
    try:
        client.sendall(data)
    except OSError:
        pass  # the reader of this connection sees it, too


def opened(way, addresses, server):
    client = socket.create_connection(addresses[way], CEILING)
    if way == "SOCKS5":
        client.sendall(b"\x05\x01\x00")
        exactly(client, 2)
        client.sendall(b"\x05\x01\x00\x01" + socket.inet_aton("127.0.0.1") + server.to_bytes(2, "big"))
        if exactly(client, 10)[1] != 0:
            raise ConnectionRefusedError
    elif way == "CONNECT":
        client.sendall(f"CONNECT 127.0.0.1:{server} HTTP/1.1\r\nHost: 127.0.0.1:{server}\r\n\r\n".encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += exactly(client, 1)
        if b" 200 " not in head.split(b"\r\n")[0]:
            raise ConnectionRefusedError
    return client


def transfer(way, addresses, server, number, length):
    """`complete` or `error`; anything else is a violation."""
    try:
        client = opened(way, addresses, server)
    except (OSError, EOFError):
        return "not opened"
    wanted, have = stream("down", number, length) + b"Y", 0
    with client:
        writer = threading.Thread(target=give, daemon=True,
                                  args=(client, HEADER.pack(number, length) + stream("up", number, length)))
        writer.start()
        try:
            while True:
                data = client.recv(65536)
                if not data:
                    break
                if data != wanted[have:have + len(data)]:
                    violations.append(f"transfer {number} by {way}: other bytes came, behind {have}")
                    return "wrong"
                have += len(data)
        except TimeoutError:
            violations.append(f"transfer {number} by {way}: silent for {CEILING} s behind {have} bytes")
            return "silent"
        except OSError:
            return "error"
    if have < len(wanted):
        violations.append(f"transfer {number} by {way}: a good end behind {have} of {len(wanted)} bytes")
        return "short"
    return "complete"


def client(way, addresses, server, index):
    global carried
    chance = random.Random(f"{SEED} {index}")
    while not stopped.is_set():
        number = chance.getrandbits(48)
        length = chance.choice([1, 700, 20_000, 300_000])
        outcome = transfer(way, addresses, server, number, length)
        ended[way, outcome] += 1
        if outcome == "complete":
            with counting:
                carried += 2 * length
        if outcome != "complete":
            stopped.wait(0.2)


def schedule(orders):
    chance, counted = random.Random(SEED), collections.Counter()
    names = list(FAULTS)
    while sum(counted.values()) < FAULT_COUNT and not violations:
        time.sleep(chance.uniform(0.5, 4))
        # Each kind once, then by chance.
        name = names[sum(counted.values())] if sum(counted.values()) < len(names) else chance.choice(names)
        for order, pause in FAULTS[name]:
            orders.write(order + "\n")
            orders.flush()
            time.sleep(pause)
        counted[name] += 1
    return counted


def refused(address):
    """A forward to where nothing listens is no server without an answer."""
    with socket.create_connection((address[0], int(address[1])), CEILING) as one:
        try:
            data = one.recv(1)
            violations.append(f"a forward that can't connect ends well, with {data}")
        except ConnectionResetError:
            pass


def held(process):
    """What a process holds: descriptors, threads, memory in kB."""
    with open(f"/proc/{process.pid}/status", encoding="utf-8") as file:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    return len(os.listdir(f"/proc/{process.pid}/fd")), int(status["Threads"]), int(status["VmRSS"].split()[0])


def given_back(gateway, before):
    """Once nothing is carried any more, descriptors and threads are as many as before; how memory has grown, in kB."""
    until = time.monotonic() + CEILING
    while (now := held(gateway))[:2] != before[:2]:
        if time.monotonic() > until:
            violations.append(f"the gateway holds {now[0]} descriptors and {now[1]} threads, and {before[0]} and {before[1]} before")
            break
        time.sleep(0.1)
    return now[2] - before[2]


def started(name, *arguments):
    log = open(os.path.join(SCRATCH, f"{name}-faults.log"), "w+", encoding="utf-8", errors="replace")
    return subprocess.Popen([os.path.join(FOLDER, name), *arguments], stdin=subprocess.PIPE, stdout=log, stderr=log, text=True), log.name


def awaited(path, pattern, seconds=60):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with open(path, encoding="utf-8", errors="replace") as file:
            if found := re.search(pattern, file.read(), re.M):
                return found
        time.sleep(0.05)
    sys.exit(f"waited in vain for {pattern} in {path}")


def main():
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    server = listener.getsockname()[1]
    threading.Thread(target=serve, args=(listener,), daemon=True).start()
    link = os.path.join(SCRATCH, "faults-modem")
    sim, sim_log = started("sim", "--link", link)
    awaited(sim_log, "/dev/")
    gateway, log = started("gateway", "--port", f"modem={link}", "--socks", "0", "--http", "0", "--wait", "20",
                           "--forward", f"0=127.0.0.1:{server}", "--forward", "0=127.0.0.1:1")
    try:
        awaited(log, "^modem +ready")
        labels = {"SOCKS5": "SOCKS5", "CONNECT": "HTTP proxy", "forward": "forward"}
        addresses = {}
        for way, label in labels.items():
            host, port = awaited(log, rf"^{label} +([0-9.]+):([0-9]+)").groups()
            addresses[way] = (host, int(port))
        before = held(gateway)
        refused(awaited(log, r"^forward +([0-9.]+):([0-9]+) leads to 127\.0\.0\.1:1$").groups())
        clients = [threading.Thread(target=client, args=(WAYS[index % 3], addresses, server, index)) for index in range(6)]
        for one in clients:
            one.start()
        faults = schedule(sim.stdin)
        stopped.set()
        for one in clients:
            one.join(2 * CEILING)
        for index, way in enumerate(WAYS):
            until = time.monotonic() + 120
            while (outcome := transfer(way, addresses, server, index, 100_000)) != "complete":
                if time.monotonic() > until:
                    violations.append(f"{way} does not carry again: {outcome}")
                    break
                time.sleep(0.5)
        grown = given_back(gateway, before)
    finally:
        for process in (gateway, sim):
            process.terminate()
            process.wait(10)
    for name, count in faults.items():
        print(f"  {count:>4} times {name}")
    for (way, outcome), count in sorted(ended.items()):
        print(f"  {way}: {count} transfers {outcome}")
    for way in WAYS:
        if not ended[way, "complete"]:
            violations.append(f"no transfer by {way} was complete")
    if not any(count for (_, outcome), count in ended.items() if outcome == "error"):
        violations.append("no fault ended a transfer: the schedule tests nothing")
    if violations:
        sys.exit(f"seed {SEED}:\n" + "\n".join(violations[:20]))
    print(f"  {carried / 1e6:.0f} MB were carried; the gateway's memory has grown by {grown} kB")
    print(f"  ok  {sum(faults.values())} faults, seed {SEED}: each transfer was exact or ended with an error")


main()
