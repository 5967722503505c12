#!/usr/bin/env python3
"""Transfers through the example `gateway` while everything fails: the port vanishes, the module restarts, the bearer and the cell
are lost. Each transfer is complete and exact, or its connection ends with an error; what the server gets is always exact.

    gateway_faults.py FOLDER SCRATCH FAULTS [SEED]   FOLDER holds the built examples, SCRATCH is for files

A schedule of FAULTS faults is made of SEED and played in real time, one after the other; then nothing fails any more, every way
must carry again, and the gateway has the descriptors and threads that it had before. Nothing but Python's standard library.
"""

import collections
import os
import random
import socket
import sys
import threading
import time

import gateway_transfers
from gateway_transfers import CEILING, WAYS, Outcomes, addresses_of, awaited, filled, given_back, held, started, violations

FOLDER, SCRATCH, FAULT_COUNT = sys.argv[1], sys.argv[2], int(sys.argv[3])
SEED = int(sys.argv[4]) if len(sys.argv) > 4 else 1
# Orders to the simulated modem and the pause after each, in seconds.
FAULTS = {
    "the bearer is lost": [("pdp lost", 0)],
    "the module restarts": [("reset", 0)],
    "the cell is lost": [("net down", 1.5), ("net up", 0)],
    "the port vanishes": [("unplug", 1), ("replug", 0)],
    "the module restarts on USB": [("usb-restart", 3)],
    "a restart without a port": [("unplug", 0.2), ("reset", 1), ("replug", 0)],
}

outcomes = Outcomes()
stopped = threading.Event()


def transfer(way, addresses, port, number, length):
    outcome, received = gateway_transfers.transfer(way, addresses, port, number, length)
    if outcome == "silent":
        violations.append(f"transfer {number} by {way}: silent for {CEILING} s after {received} bytes")
    if outcome == "short":
        violations.append(f"transfer {number} by {way}: a good end after {received} of {length + 1} bytes")
    outcomes.add(way, outcome, length, received)
    return outcome


def client(way, addresses, server, index):
    chance = random.Random(f"{SEED} {index}")
    while not stopped.is_set():
        number = chance.getrandbits(48)
        length = chance.choice([1, 700, 20_000, 300_000])
        outcome = transfer(way, addresses, server, number, length)
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
    """A forward to where nothing listens is no server without an answer. The reset may come before the call that
    connects has returned."""
    try:
        with socket.create_connection((address[0], int(address[1])), CEILING) as one:
            data = one.recv(1)
            violations.append(f"a forward that can't connect ends well, with {data}")
    except ConnectionResetError:
        pass


def main():
    server = gateway_transfers.server()
    link = os.path.join(SCRATCH, "faults-modem")
    sim, sim_log = started(FOLDER, SCRATCH, "sim", "--link", link, suffix="faults")
    awaited(sim_log, "/dev/")
    gateway, log = started(FOLDER, SCRATCH, "gateway", "--port", f"modem={link}", "--socks", "0", "--http", "0", "--wait", "20",
                           "--forward", f"0=127.0.0.1:{server}", "--forward", "0=127.0.0.1:1", suffix="faults")
    try:
        awaited(log, "^modem +ready")
        addresses = addresses_of(log)
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
    outcomes.show()
    for way in WAYS:
        if not outcomes.total("complete", ways=[way]):
            violations.append(f"no transfer by {way} was complete")
    if not outcomes.total("error"):
        violations.append("no fault ended a transfer: the schedule tests nothing")
    if filled:
        violations.append(f"no module is deaf here, and {len(filled)} servers have what fills a send up")
    if violations:
        sys.exit(f"seed {SEED}:\n" + "\n".join(violations[:20]))
    print(f"  {outcomes.carried / 1e6:.0f} MB were carried; the gateway's memory has grown by {grown} kB")
    print(f"  ok  {sum(faults.values())} faults, seed {SEED}: each transfer was exact or ended with an error")


main()
