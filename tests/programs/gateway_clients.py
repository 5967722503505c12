#!/usr/bin/env python3
"""Clients of the example `gateway` that behave in unusual ways: many at once, half a connection closed, an end in the middle,
requests that are never complete.

    gateway_clients.py SOCKS ECHO HTTP    addresses of the gateway, and the port of an echo server

Nothing but Python's standard library.
"""

import hashlib
import socket
import sys
import threading

SECONDS = 60  # a ceiling
SOCKS, HTTP = (tuple(address.split(":")) for address in (sys.argv[1], sys.argv[3]))
ECHO = int(sys.argv[2])


def exactly(client, count):
    data = b""
    while len(data) < count:
        more = client.recv(count - len(data))
        if not more:
            raise EOFError(f"{len(data)} of {count} bytes")
        data += more
    return data


def connect(host=b"127.0.0.1", port=ECHO):
    client = socket.create_connection((SOCKS[0], int(SOCKS[1])), SECONDS)
    client.sendall(b"\x05\x01\x00")
    assert exactly(client, 2) == b"\x05\x00"
    client.sendall(b"\x05\x01\x00\x03" + bytes([len(host)]) + host + port.to_bytes(2, "big"))
    reply = exactly(client, 10)
    assert reply[1] == 0, f"reply {reply[1]}"
    return client


def echoes(number, failures):
    """Pieces of uneven size; every byte comes back, then each side ends."""
    try:
        client = connect()
        sent = hashlib.sha256(str(number).encode()).digest() * 1000
        writer = threading.Thread(target=lambda: [client.sendall(sent[at:at + 777]) for at in range(0, len(sent), 777)])
        writer.start()
        assert exactly(client, len(sent)) == sent, "other bytes came back"
        writer.join()
        client.close()
    except Exception as error:  # told by the main thread
        failures.append(f"client {number}: {error!r}")


def main():
    failures = []
    # More than two modems have channels: the others wait for their turn.
    clients = [threading.Thread(target=echoes, args=(number, failures)) for number in range(24)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert not failures, failures
    print("  ok  24 clients over 16 channels, every byte came back")

    client = connect()
    client.sendall(b"x" * 50_000)
    client.shutdown(socket.SHUT_WR)
    assert exactly(client, 50_000) == b"x" * 50_000
    assert client.recv(1) == b"", "the connection ends"
    print("  ok  a client that has sent everything still gets the answer")

    for _ in range(20):
        client = connect()
        client.sendall(b"gone")
        client.close()
    assert connect().fileno() >= 0
    print("  ok  clients that go away give their channels back")

    held = [socket.create_connection((address[0], int(address[1])), SECONDS) for address in (SOCKS, HTTP) * 20]
    for at, client in enumerate(held):
        client.sendall(b"\x05\xff"[:1 + at % 2] if at % 2 == 0 else b"GET / HTTP/1.1\r\nA: ")
    client = connect()
    client.sendall(b"meanwhile")
    assert exactly(client, 9) == b"meanwhile"
    print("  ok  requests that are never complete hold up no other")

    long = socket.create_connection((HTTP[0], int(HTTP[1])), SECONDS)
    try:
        long.sendall(b"GET / HTTP/1.1\r\n" + b"A: " + b"a" * 1_000_000)
        said = long.recv(1)
    except ConnectionError:
        said = b""
    assert said == b"", "a head without end is cut off"
    print("  ok  a head without end is cut off")


main()
