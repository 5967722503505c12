#!/usr/bin/env python3
"""A WebSocket server that echoes, with the package `websockets`; prints "port N"."""

from websockets.sync.server import serve


def echo(websocket):
    for message in websocket:
        websocket.send(message)


with serve(echo, "127.0.0.1", 0) as server:
    print("port", server.socket.getsockname()[1], flush=True)
    server.serve_forever()
