#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Programs of somebody else on the same interfaces, and who measures what they let through.

load PATH tc|xdp RETURN          loads a program that counts packets and returns that, and pins it
tcx PATH INTERFACE in|out first|last   hangs it there, with its link pinned as PATH-link
count PATH                       prints how many packets it saw
send ADDRESS PORT                sends a numbered UDP packet every two milliseconds
receive PORT                     prints when the kernel got each packet, in milliseconds
gap FILE SINCE                   of a receiver's file: milliseconds from the first packet to the
                                 last; exits 1 if packets still come
now                              the time in the same milliseconds
"""
import ctypes
import os
import platform
import socket
import struct
import sys
import time

MAP_CREATE, MAP_LOOKUP, PROG_LOAD, OBJ_PIN, OBJ_GET, LINK_CREATE = 0, 1, 5, 6, 7, 28
TYPES = {"tc": 3, "xdp": 6}
SYSCALL = {"x86_64": 321, "aarch64": 280}[platform.machine()]
TCX = {"in": 46, "out": 47}
PLACE = {"first": 1 << 3, "last": 1 << 4}
SO_TIMESTAMPNS = 35
PERIOD = 0.002
STILL = 200  # milliseconds; a sender's pause is shorter by far

libc = ctypes.CDLL(None, use_errno=True)


def bpf(command, attr):
    buf = ctypes.create_string_buffer(attr, 128)
    result = libc.syscall(SYSCALL, command, buf, len(buf))
    if result < 0:
        raise OSError(ctypes.get_errno(), f"bpf({command}): {os.strerror(ctypes.get_errno())}")
    return result


def pin(fd, path):
    name = ctypes.create_string_buffer(path.encode())
    bpf(OBJ_PIN, struct.pack("=QII", ctypes.addressof(name), fd, 0))


def get(path):
    name = ctypes.create_string_buffer(path.encode())
    return bpf(OBJ_GET, struct.pack("=QII", ctypes.addressof(name), 0, 0))


def instruction(code, to=0, of=0, offset=0, value=0):
    return struct.pack("=BBhi", code, of << 4 | to, offset, value)


def load(path, kind, returned):
    count = bpf(MAP_CREATE, struct.pack("=IIII", 2, 4, 8, 1))
    code = b"".join((
        instruction(0x62, 10, offset=-4),       # key = 0
        instruction(0xbf, 2, 10),
        instruction(0x07, 2, value=-4),
        instruction(0x18, 1, 1, value=count),
        instruction(0),
        instruction(0x85, value=1),             # bpf_map_lookup_elem()
        instruction(0x15, 0, offset=2),
        instruction(0xb7, 1, value=1),
        instruction(0xdb, 0, 1),                # one more
        instruction(0xb7, 0, value=returned),
        instruction(0x95),
    ))
    text = ctypes.create_string_buffer(code)
    licence = ctypes.create_string_buffer(b"GPL")
    name = os.path.basename(path).encode()
    program = bpf(PROG_LOAD, struct.pack(
        "=IIQQIIQII16s", TYPES[kind], len(code) // 8, ctypes.addressof(text),
        ctypes.addressof(licence), 0, 0, 0, 0, 0, name))
    pin(program, path)
    pin(count, path + "-count")


def hang(path, interface, direction, place):
    link = bpf(LINK_CREATE, struct.pack("=IIII", get(path), socket.if_nametoindex(interface),
                                        TCX[direction], PLACE[place]))
    pin(link, path + "-link")


def counted(path):
    key, value = ctypes.c_uint32(0), ctypes.c_uint64(0)
    bpf(MAP_LOOKUP, struct.pack("=IIQQQ", get(path + "-count"), 0, ctypes.addressof(key),
                                ctypes.addressof(value), 0))
    return value.value


def now():
    return time.monotonic_ns() // 1000000


def send(address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as out:
        while True:
            try:
                out.sendto(b"x", (address, port))
            except OSError:  # what leaves is dropped: a program said so
                pass
            time.sleep(PERIOD)


def receive(port):
    """One that was late to read them doesn't say that they came late."""
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as server:
        server.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        server.bind(("::", port))
        while True:
            _, ((_, _, stamp),), _, _ = server.recvmsg(64, 64)
            seconds, nanoseconds = struct.unpack("=qq", stamp)
            age = time.time_ns() - (seconds * 1000000000 + nanoseconds)
            print((time.monotonic_ns() - age) // 1000000, flush=True)


def gap(path, since):
    with open(path) as lines:
        times = [t for t in map(int, lines) if t >= since]
    print(times[-1] - times[0] if times else 0)
    return 1 if times and now() - times[-1] < STILL else 0


def main(argv):
    command, rest = argv[1], argv[2:]
    if command == "load":
        return load(rest[0], rest[1], int(rest[2]))
    if command == "tcx":
        return hang(*rest)
    if command == "count":
        return print(counted(rest[0]))
    if command == "send":
        return send(rest[0], int(rest[1]))
    if command == "receive":
        return receive(int(rest[0]))
    if command == "gap":
        return gap(rest[0], int(rest[1]))
    if command == "now":
        return print(now())
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv))
