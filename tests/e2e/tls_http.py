# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""HTTP/1.1 over TLS by hand, to be able to do it wrong: what the made-up API servers share."""
import collections
import socketserver
import ssl
import sys
import urllib.parse

Request = collections.namedtuple("Request", "method path query headers body")


class Handler(socketserver.StreamRequestHandler):
    """Calls one(REQUEST) for each; it says whether the connection is still good."""

    def setup(self):
        self.request.settimeout(self.server.patience)
        self.request = self.server.tls.wrap_socket(self.request, server_side=True)
        super().setup()

    def handle(self):
        try:
            while (request := self.read_request()) and self.one(request):
                pass
        except OSError:
            pass

    def read_request(self):
        line = self.rfile.readline().decode().split()
        if not line:
            return None
        headers = {}
        while (header := self.rfile.readline().decode().strip()):
            name, value = header.split(": ", 1)
            headers[name.lower()] = value
        body = self.rfile.read(int(headers.get("content-length", 0)))
        target = urllib.parse.urlparse(line[1])
        query = {k: v[0] for k, v in urllib.parse.parse_qs(target.query).items()}
        return Request(line[0], target.path, query, headers, body)

    def head(self, code, *lines):
        text = [f"HTTP/1.1 {code} Whatever", "Content-Type: application/json", *lines, "", ""]
        self.wfile.write("\r\n".join(text).encode())

    def answer(self, code, body, *lines):
        self.head(code, f"Content-Length: {len(body)}", *lines)
        self.wfile.write(body)

    def chunk(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64
    patience = None # seconds

    def __init__(self, port, cert, key, handler):
        super().__init__(("127.0.0.1", port), handler)
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(cert, key)

    def handle_error(self, request, client_address):
        print("connection failed:", sys.exc_info()[1], file=sys.stderr, flush=True)
