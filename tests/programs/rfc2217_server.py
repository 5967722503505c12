#!/usr/bin/env python3
"""A serial port served over RFC 2217, with the port manager of pyserial.

    rfc2217_server.py TTY        prints `port N` and serves one client after the other on 127.0.0.1:N until it is ended
"""

import socket
import sys
import threading

import serial
import serial.rfc2217


class Port(serial.Serial):
    """A pseudo-terminal has no lines beside its data, and refuses to switch them."""

    def _update_dtr_state(self):
        try:
            super()._update_dtr_state()
        except OSError:
            pass

    def _update_rts_state(self):
        try:
            super()._update_rts_state()
        except OSError:
            pass

    # As a module that is on has them.
    cts = dsr = cd = property(lambda self: True)
    ri = property(lambda self: False)


class Connection:
    """What pyserial's port manager writes its answers with."""

    def __init__(self, client):
        self.client = client
        self.lock = threading.Lock()

    def write(self, data):
        with self.lock:
            self.client.sendall(data)


def serve(port, client):
    connection = Connection(client)
    manager = serial.rfc2217.PortManager(port, connection)
    ended = threading.Event()

    def to_client():
        while not ended.is_set():
            data = port.read(port.in_waiting or 1)
            if data:
                try:
                    connection.write(b"".join(manager.escape(data)))
                except OSError:
                    return

    sender = threading.Thread(target=to_client)
    sender.start()
    try:
        while data := client.recv(4096):
            port.write(b"".join(manager.filter(data)))
    except OSError:
        pass
    ended.set()
    sender.join()
    client.close()


def main():
    port = Port(sys.argv[1], timeout=0.05)
    listener = socket.create_server(("127.0.0.1", 0))
    print("port", listener.getsockname()[1], flush=True)
    while True:
        client, _ = listener.accept()
        serve(port, client)


main()
