#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A small HTTP API: GET /users?via=ADDRESS asks the PostgreSQL at ADDRESS who its users are."""
import http.server
import socket
import subprocess
import urllib.parse


class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6


class Api(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        query = urllib.parse.parse_qs(urllib.parse.urlparse(self.path).query)
        psql = subprocess.run(
            ["psql", "-h", query["via"][0], "-U", "postgres", "-Atc", "select name from users"],
            env={"PATH": "/usr/bin:/bin", "PGCONNECT_TIMEOUT": "3"},
            capture_output=True, check=False)
        self.send_response(200 if psql.returncode == 0 else 502)
        self.end_headers()
        self.wfile.write(psql.stdout if psql.returncode == 0 else psql.stderr)


if __name__ == "__main__":
    server = Server(("::", 8080), Api)
    print("serving", flush=True)
    server.serve_forever()
