#!/usr/bin/env python3
"""An HTTPS server with a file, for the example `https_get`: ranges, chunks, connections that are cut short, redirects.

    https_server.py CERTIFICATE KEY FILE    prints "port N"

/blob is the file, with ranges; /cut cuts every connection short after 300 000 bytes; /chunks has no length; /moved leads to /blob;
/whole has no ranges; /a/relative leads to blob beside it, by its name alone; /early has another head before its own; /pieces sends
at most 300 000 bytes of a range; /loop leads to itself; /two has two lengths, /coded a coding that was not asked for. Nothing but
Python's standard library.
"""

import http.server
import re
import ssl
import sys

CERTIFICATE, KEY, FILE = sys.argv[1:4]
with open(FILE, "rb") as file:
    CONTENT = file.read()
CUT = 300_000


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.close_connection = True
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/blob")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif self.path == "/chunks":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for at in range(0, len(CONTENT), 10_000):
                chunk = CONTENT[at:at + 10_000]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            self.wfile.write(b"0\r\n\r\n")
        elif self.path in ("/a/relative", "/loop"):
            self.send_response(302)
            self.send_header("Location", "blob" if self.path == "/a/relative" else "/loop")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif self.path in ("/two", "/coded"):
            self.send_response(200)
            self.send_header(*(("Content-Length", "5") if self.path == "/two" else ("Transfer-Encoding", "gzip, chunked")))
            self.send_header("Content-Length", "50")
            self.end_headers()
            self.wfile.write(b"hello")
        elif self.path in ("/blob", "/a/blob", "/cut", "/whole", "/early", "/pieces"):
            if self.path == "/early":
                self.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
            self.content()
        else:
            self.send_error(404)

    def content(self):
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(wanted[1]) if wanted and self.path != "/whole" else 0
        if self.headers.get("If-Range", '"one"') != '"one"':
            start = 0
        if start >= len(CONTENT):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(CONTENT)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        end = min(start + CUT, len(CONTENT)) if self.path == "/pieces" and start else len(CONTENT)
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(CONTENT)}")
        self.send_header("Content-Length", str(end - start))
        self.send_header("ETag", '"one"')
        self.end_headers()
        self.wfile.write(CONTENT[start:start + CUT] if self.path == "/cut" else CONTENT[start:end])

    def log_message(self, what, *values):
        print(what % values, self.headers.get("Range", "all") if hasattr(self, "headers") else "", flush=True)


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        print("a connection failed:", sys.exc_info()[1], flush=True)


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(CERTIFICATE, KEY)
server = Server(("127.0.0.1", 0), Handler)
# The handshake is the handler's, so that one that fails holds up no other.
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
print("port", server.server_port, flush=True)
server.serve_forever()
