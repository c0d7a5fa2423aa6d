#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What a sender sees of a rejected packet.

refused ADDRESS SERVICE...   each is refused within 100 ms (SERVICE: tcp/80 or udp/53)
cut ADDRESS PORT SECONDS     an open connection is reset within so many seconds
flood ADDRESS PORT COUNT     so many SYNs; prints how many resets came back, and the seconds
"""
import errno
import random
import select
import socket
import struct
import sys
import time

LIMIT_S = 0.1
REFUSALS = (errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.EACCES)


def ask(address, service):
    """The errno, and the seconds it took."""
    proto, port = service.split("/")
    kind = socket.SOCK_STREAM if proto == "tcp" else socket.SOCK_DGRAM
    peer = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
    peer.settimeout(3)
    start = time.monotonic()
    try:
        peer.connect((address, int(port)))
        peer.send(b"?")
        peer.recv(1)
    except OSError as error:
        return error.errno, time.monotonic() - start
    return 0, time.monotonic() - start


def refused(address, *services):
    failures = 0
    for service in services:
        code, seconds = ask(address, service)
        print(f"{address} {service}: {errno.errorcode.get(code, code)}, {seconds * 1000:.1f} ms")
        failures += code not in REFUSALS or seconds > LIMIT_S
    return failures


def cut(address, port, seconds):
    peer = socket.create_connection((address, int(port)), 3)
    print("open", flush=True)
    end = time.monotonic() + float(seconds)
    while time.monotonic() < end:
        try:
            peer.send(b"x")
        except (ConnectionResetError, BrokenPipeError) as error:
            print(f"reset: {error}")
            return 0
        time.sleep(0.05)
    return 1


def flood(address, port, count):
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
    raw.setsockopt(socket.SOL_SOCKET, 33, 16 << 20)  # SO_RCVBUFFORCE
    raw.connect((address, 0))
    start = time.monotonic()
    for i in range(int(count)):
        sport = 1024 + i % 60000
        raw.send(struct.pack("!HHIIBBHHH", sport, int(port), random.getrandbits(32), 0, 5 << 4, 2,
                             65535, 0, 0))
    seconds = time.monotonic() - start
    resets = 0
    while select.select([raw], [], [], 0.5)[0]:
        packet = raw.recv(2048)
        header = (packet[0] & 15) * 4
        resets += packet[header + 13] & 4 != 0
    print(resets, f"{seconds:.3f}")
    return 0


if __name__ == "__main__":
    commands = {"refused": refused, "cut": cut, "flood": flood}
    sys.exit(commands[sys.argv[1]](*sys.argv[2:]))
