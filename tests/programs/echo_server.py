#!/usr/bin/env python3
"""A TCP echo server that shares no code with the crate: Python's socketserver and nothing else.

    echo_server.py            listens on a free port of 127.0.0.1 and prints "port N" as its first line
                              prints "echoed N bytes" whenever a connection has ended
                              runs until it is killed

A connection that sends the line "close me" is closed by the server after everything before it was echoed.
"""

import socketserver
import sys
import threading

CLOSE = b"close me\n"


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        echoed = 0
        try:
            while data := self.request.recv(65536):
                if data.endswith(CLOSE):
                    break
                self.request.sendall(data)
                echoed += len(data)
        except OSError as error:
            self.server.report(f"connection ended: {error}")
        self.server.report(f"echoed {echoed} bytes")


class EchoServer(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, report=lambda line: None):
        super().__init__(("127.0.0.1", 0), Echo)
        self.report = report

    @property
    def port(self):
        return self.server_address[1]

    def start(self):
        """Serves from a thread of its own and returns at once."""
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(__doc__, file=sys.stderr)
        sys.exit(0 if sys.argv[1] in ("-h", "--help") else 2)
    server = EchoServer(report=lambda line: print(line, flush=True))
    print(f"port {server.port}", flush=True)
    server.serve_forever()
