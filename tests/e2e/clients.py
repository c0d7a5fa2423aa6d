# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""clients.py COUNT: so many clients of the control socket, none of which is any good.

Some say nothing, some garbage, some half a request, some ask and don't read, one sends gigabytes.
"""
import socket
import sys
import time

PATH = "/run/bulkhead/control.sock"
FLOOD_BYTES, FLOOD_SECONDS = 2 << 30, 5


def connect():
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(2)
    client.connect(PATH)
    return client


def say(client, number):
    kind = number % 4
    if kind == 1:
        client.sendall(bytes(range(256)) + b"\n")
    if kind == 2:
        client.sendall(b'{"op": "apply", "files": [{"name": "')
    if kind == 3:
        client.sendall(b'{"op": "list", "what": "rules"}\n' * 100)


def flood():
    client, chunk, sent = connect(), b"x" * (1 << 20), 0
    end = time.monotonic() + FLOOD_SECONDS
    try:
        while sent < FLOOD_BYTES and time.monotonic() < end:
            sent += client.send(chunk)
    except OSError:
        pass
    return sent


def main(count):
    clients, refused = [], 0
    flooded = flood()
    for number in range(count):
        try:
            clients.append(connect())
            say(clients[-1], number)
        except OSError:
            refused += 1
    time.sleep(1)
    print(f"{len(clients)} clients, {refused} turned away, {flooded} bytes of a flood taken")
    return 0 if clients else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
