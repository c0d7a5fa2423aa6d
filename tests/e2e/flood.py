#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Many connections, and a flood of SYNs from senders that don't exist.

echo PORT                         answers every byte of every connection
hold ADDRESS PORT COUNT           opens COUNT connections; then each line of input makes each of
                                  them send a byte, and prints how many were answered
syns INTERFACE MAC ADDRESS PORT COUNT   sends so many, from 198.18.0.0/15
call ADDRESS PORT COUNT           COUNT connections, one each 10 ms, that all must be answered;
                                  prints what nine of ten took less than, in microseconds
"""
import ctypes
import errno
import os
import resource
import selectors
import socket
import struct
import sys
import time

BATCH = 1024
FRAME = 54
PATIENCE = 20  # seconds until all of them have answered


def echo(port):
    selector = selectors.DefaultSelector()
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("", port))
    server.listen(4096)
    server.setblocking(False)
    selector.register(server, selectors.EVENT_READ)
    print("serving", flush=True)
    while True:
        for key, _ in selector.select():
            if key.fileobj is server:
                accept_all(server, selector)
                continue
            try:
                data = key.fileobj.recv(64)
                key.fileobj.send(data)
            except OSError:
                data = b""
            if not data:
                selector.unregister(key.fileobj)
                key.fileobj.close()


def accept_all(server, selector):
    while True:
        try:
            connection, _ = server.accept()
        except BlockingIOError:
            return
        connection.setblocking(False)
        selector.register(connection, selectors.EVENT_READ)


def hold(address, port, count):
    held = [socket.create_connection((address, port), timeout=PATIENCE) for _ in range(count)]
    for connection in held:
        connection.setblocking(False)
    print(len(held), flush=True)
    for _ in sys.stdin:
        print(ask_all(held), flush=True)


def ask_all(held):
    selector = selectors.DefaultSelector()
    answered = 0
    for connection in held:
        connection.send(b"?")
        selector.register(connection, selectors.EVENT_READ)
    end = time.monotonic() + PATIENCE
    while answered < len(held) and time.monotonic() < end:
        for key, _ in selector.select(1):
            answered += key.fileobj.recv(64) == b"?"
            selector.unregister(key.fileobj)
    return answered


def call(address, port, count):
    took = []
    start = time.monotonic()
    for number in range(count):
        time.sleep(max(0, start + number / 100 - time.monotonic()))
        before = time.monotonic()
        with socket.create_connection((address, port), timeout=PATIENCE) as connection:
            if connection.recv(64) != b"hello\n":
                sys.exit(f"call {number} is not answered")
        took.append(time.monotonic() - before)
    print(round(sorted(took)[count * 9 // 10] * 1e6))


class Message(ctypes.Structure):
    """struct mmsghdr."""
    _fields_ = [("name", ctypes.c_void_p), ("name_len", ctypes.c_uint),
                ("iov", ctypes.c_void_p), ("iov_count", ctypes.c_size_t),
                ("control", ctypes.c_void_p), ("control_len", ctypes.c_size_t),
                ("flags", ctypes.c_int), ("pad", ctypes.c_uint),
                ("sent", ctypes.c_uint)]


class Part(ctypes.Structure):
    """struct iovec."""
    _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]


def frame(mac, address, port, number):
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40, 0, 0, 64, 6, 0,
                     struct.pack("!I", 0xC6120000 + number), socket.inet_aton(address))
    total = sum(struct.unpack("!10H", ip))
    total = (total & 0xFFFF) + (total >> 16)
    ip = ip[:10] + struct.pack("!H", ~total & 0xFFFF) + ip[12:]
    tcp = struct.pack("!HHIIBBHHH", 1024 + number % 60000, port, number, 0, 0x50, 2, 65535, 0, 0)
    return mac + b"\x02\0\0\0\0\x07\x08\0" + ip + tcp


def syns(interface, mac, address, port, count):
    target = bytes.fromhex(mac.replace(":", ""))
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    raw.bind((interface, 0))
    libc = ctypes.CDLL(None, use_errno=True)
    frames = ctypes.create_string_buffer(b"".join(
        frame(target, address, port, i * 61) for i in range(BATCH)))
    base = ctypes.addressof(frames)
    parts = (Part * BATCH)(*((base + i * FRAME, FRAME) for i in range(BATCH)))
    messages = (Message * BATCH)(*(
        (None, 0, ctypes.addressof(parts) + i * ctypes.sizeof(Part), 1, None, 0, 0, 0, 0)
        for i in range(BATCH)))
    bytes_of = memoryview(frames).cast("B")
    sent = 0
    while sent < count:
        done = libc.sendmmsg(raw.fileno(), messages, min(BATCH, count - sent), 0)
        if done < 0 and ctypes.get_errno() in (errno.ENOBUFS, errno.EAGAIN):
            time.sleep(0.001)
            continue
        if done < 0:
            sys.exit("sendmmsg: " + os.strerror(ctypes.get_errno()))
        sent += done
        # Another source port for each of them, every time.
        for i in range(BATCH):
            source = 1024 + (sent // BATCH * 61 + i) % 60000
            struct.pack_into("!H", bytes_of, i * FRAME + 34, source)
    print(sent)


def main(words):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if words[0] == "echo":
        echo(int(words[1]))
    elif words[0] == "hold":
        hold(words[1], int(words[2]), int(words[3]))
    elif words[0] == "syns":
        syns(words[1], words[2], words[3], int(words[4]), int(words[5]))
    elif words[0] == "call":
        call(words[1], int(words[2]), int(words[3]))


main(sys.argv[1:])
