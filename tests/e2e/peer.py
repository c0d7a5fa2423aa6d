#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What the end-to-end tests put at the two ends of a connection.

serve SERVICE...            answers on tcp/PORT and udp/PORT of every address
reach ADDRESS SERVICE...    exits 0 if every service answers, names those that don't
ask                         reads `ADDRESS SERVICE` lines, answers each with allow or deny
silent ADDRESS SERVICE...   exits 0 if no service answers
shut ADDRESS,PORT...         exits 0 if no TCP connection opens, names those that do
open ADDRESS,PORT...         exits 0 if all of them open, names those that don't
opens ADDRESS,PORT SECONDS   tries for so long until a connection opens; prints when the last try in
                            vain began, and when one had opened, in milliseconds since 1970
flood ADDRESS PORT COUNT    sends COUNT UDP packets and expects nothing
sink PORT                   counts and hashes what one TCP connection brings, on one line at its end
pump ADDRESS PORT SECONDS   streams numbered blocks, prints bytes and hash
"""
import concurrent.futures
import hashlib
import os
import selectors
import socket
import sys
import time

# Seconds; a round trip on one machine takes less than one thousandth of that.
PATIENCE = float(os.environ.get("PATIENCE", "0.7"))
# Where an answer is expected: a busy machine may take longer, and others don't wait.
LONG_PATIENCE = float(os.environ.get("PATIENCE", "6"))
BRIEFLY = 0.2  # where it is tried again and again
BLOCK = 1024


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def serve(services):
    selector = selectors.DefaultSelector()
    for service in services:
        protocol, port = service.split("/")
        kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
        server = socket.socket(socket.AF_INET6, kind)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        server.bind(("::", int(port)))
        if protocol == "tcp":
            server.listen(64)
        selector.register(server, selectors.EVENT_READ)
    print("serving", flush=True)
    while True:
        for key, _ in selector.select():
            answer(key.fileobj)


def answer(server):
    if server.type == socket.SOCK_DGRAM:
        data, peer = server.recvfrom(2048)
        server.sendto(data, peer)
        return
    connection, _ = server.accept()
    connection.settimeout(LONG_PATIENCE)
    try:
        connection.sendall(b"hello\n")
    except OSError:
        pass
    connection.close()


def is_answered(address, service, patience=PATIENCE):
    protocol, port = service.split("/")
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    with socket.socket(family_of(address), kind) as client:
        client.settimeout(patience)
        try:
            client.connect((address, int(port)))
            if protocol == "udp":
                client.send(b"hello\n")
            return client.recv(64) == b"hello\n"
        except OSError:
            return False


def reach(address, services):
    silent = [s for s in services if not is_answered(address, s, LONG_PATIENCE)]
    for service in silent:
        print(f"{address} {service}: no answer")
    return 1 if silent else 0


def ask(lines):
    ends = [line.split() for line in lines]
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        for answered in pool.map(lambda end: is_answered(*end), ends):
            print("allow" if answered else "deny")
    return 0


def is_open(end, patience):
    address, port = end.rsplit(",", 1)
    with socket.socket(family_of(address), socket.SOCK_STREAM) as client:
        client.settimeout(patience)
        return client.connect_ex((address, int(port))) == 0


def expect_open(ends, wanted):
    patience = LONG_PATIENCE if wanted else PATIENCE
    with concurrent.futures.ThreadPoolExecutor(len(ends)) as pool:
        seen = pool.map(lambda end: is_open(end, patience), ends)
        wrong = [end for end, is_seen in zip(ends, seen) if is_seen != wanted]
    for end in wrong:
        print(f"{end} is {'shut' if wanted else 'open'}")
    return 1 if wrong else 0


def opens(end, seconds):
    limit, in_vain = time.monotonic() + seconds, 0
    while time.monotonic() < limit:
        began = time.time()
        if is_open(end, BRIEFLY):
            print(round(1000 * in_vain), round(1000 * time.time()))
            return 0
        in_vain = began
    return 1


def flood(address, port, count):
    with socket.socket(family_of(address), socket.SOCK_DGRAM) as client:
        sent = 0
        while sent < count:
            try:
                client.sendto(b"x" * 64, (address, port))
                sent += 1
            except OSError:  # the egress program dropped it, or the queue is full: both are sent
                sent += 1
    print(sent)


def sink(port):
    with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("::", port))
        server.listen(1)
        print("serving", flush=True)
        connection, _ = server.accept()
    digest = hashlib.sha256()
    count = 0
    while data := connection.recv(65536):
        digest.update(data)
        count += len(data)
    print(count, digest.hexdigest(), flush=True)


def pump(address, port, seconds):
    digest = hashlib.sha256()
    count = 0
    with socket.create_connection((address, port), timeout=10) as connection:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            block = (str(count) + "\n").encode().ljust(BLOCK, b".")
            connection.sendall(block)
            digest.update(block)
            count += len(block)
            time.sleep(0.001)
    print(count, digest.hexdigest(), flush=True)


def main(argv):
    command, rest = argv[1], argv[2:]
    if command == "serve":
        return serve(rest)
    if command == "reach":
        return reach(rest[0], rest[1:])
    if command == "ask":
        return ask(sys.stdin)
    if command == "silent":
        return 1 if any(is_answered(rest[0], s) for s in rest[1:]) else 0
    if command in ("shut", "open"):
        return expect_open(rest, command == "open")
    if command == "opens":
        return opens(rest[0], float(rest[1]))
    if command == "flood":
        return flood(rest[0], int(rest[1]), int(rest[2]))
    if command == "sink":
        return sink(int(rest[0]))
    if command == "pump":
        return pump(rest[0], int(rest[1]), float(rest[2]))
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv))
