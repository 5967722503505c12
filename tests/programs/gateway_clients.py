#!/usr/bin/env python3
"""Clients of the example `gateway` that behave in unusual ways: many at once, half a connection closed, an end in the middle,
requests that are never complete, requests after requests.

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
    except Exception as error:  # reported by the main thread
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

    held = [socket.create_connection((address[0], int(address[1])), SECONDS) for address in (SOCKS, HTTP) * 150]
    for at, client in enumerate(held):
        client.sendall(b"\x05\xff"[:1 + at % 2] if at % 2 == 0 else b"GET / HTTP/1.1\r\nA: ")
    client = connect()
    client.sendall(b"meanwhile")
    assert exactly(client, 9) == b"meanwhile"
    client = socket.create_connection((HTTP[0], int(HTTP[1])), SECONDS)
    client.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert everything(client).startswith(b"HTTP/1.1 200"), "a page while many requests are never complete"
    print("  ok  300 requests that are never complete hold up no other")

    for request, status in [
        (b"GET / HTTP/1.1\r\nA: " + b"a" * 1_000_000, b"431"),
        (b"POST / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n" + b"a" * 1_000_000, b"405"),
        (b"GET / HTTP/1.1\r\nHost: evil.test:8118\r\n\r\n", b"421"),
        (b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1.evil.test\r\n\r\n", b"421"),
        (b"GET /metrics HTTP/1.1\r\nHost: localhost:1\r\n\r\n", b"200"),
        (b"GET / HTTP/1.1\r\nHost: gateway.lan\r\n\r\n", b"200"),
    ]:
        client = socket.create_connection((HTTP[0], int(HTTP[1])), SECONDS)
        client.sendall(request)
        assert everything(client).startswith(b"HTTP/1.1 " + status), status
    print("  ok  a request that is too long, or not for this gateway by method or Host, has its answer")

    after_a_request()


def everything(client):
    data = b""
    while more := client.recv(65536):
        data += more
    return data


def after_a_request():
    """A server that keeps its connection for more, and clients that send the next request on theirs."""
    asked, listener = [], socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            client = listener.accept()[0]
            while data := client.recv(65536):
                asked.append(data)
                client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    threading.Thread(target=serve, daemon=True).start()
    to_it = b" http://127.0.0.1:%d/ HTTP/1.1\r\n" % listener.getsockname()[1]
    other = b"GET http://other.test/ HTTP/1.1\r\nProxy-Authorization: Basic c2VjcmV0Og==\r\n\r\n"
    for request in (b"GET" + to_it + b"\r\n", b"POST" + to_it + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"):
        for is_at_once in (True, False):
            client = socket.create_connection((HTTP[0], int(HTTP[1])), SECONDS)
            client.sendall(request + other if is_at_once else request)
            if not is_at_once:
                exactly(client, len(b"HTTP/1.1 200 OK"))
                client.sendall(other)
            assert everything(client).endswith(b"ok"), "the first request has its answer, and the connection ends"
    assert b"GET / HTTP/1.1" in b"".join(asked), asked
    assert b"other.test" not in b"".join(asked) and b"c2VjcmV0" not in b"".join(asked), asked
    print("  ok  a request after a request goes to no other host")


main()
