# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Interfaces that come and go, and what gets through meanwhile.

hotplug.py latency COUNT PINS   makes so many veths, and says how long after the kernel told of each
                                its programs hung there: median and maximum, in milliseconds
hotplug.py flood IFACE FROM TO PORT
                                sends UDP on the interface as soon as it is up, some thousands and
                                on until SIGTERM comes: how many it sent
hotplug.py query IFACE          how many tc programs hang there, both ways, of tcx
hotplug.py count PORT           prints the number of datagrams received when SIGTERM comes
"""
import ctypes
import os
import select
import signal
import socket
import statistics
import struct
import subprocess
import sys
import time

RTMGRP_LINK, RTM_NEWLINK = 1, 16
SO_RCVBUFFORCE = 33
FEWEST = 5000  # of a flood
HEADER, IFINFO = struct.Struct("=IHHII"), struct.Struct("=BxHiII")


def new_links(link_socket):
    """Indexes of the interfaces that the next message is about."""
    data = link_socket.recv(65536)
    while len(data) >= HEADER.size:
        length, kind = HEADER.unpack_from(data)[:2]
        if kind == RTM_NEWLINK:
            yield IFINFO.unpack_from(data, HEADER.size)[2]
        data = data[(length + 3) & ~3:]


def wait_attached(pins, index):
    while True:
        hooks = [pin for pin in os.listdir(pins) if pin.startswith(f"{index}-")]
        if len(hooks) >= 2:
            return time.monotonic()


def latency(count, pins):
    link_socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
    link_socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    link_socket.bind((0, RTMGRP_LINK))
    took = []
    for i in range(int(count)):
        name = f"vetht{i}"
        maker = subprocess.Popen(["ip", "link", "add", name, "type", "veth", "peer", f"peer{i}"])
        index = None
        while index is None:
            for found in new_links(link_socket):
                told = time.monotonic()
                try:
                    if socket.if_indextoname(found) == name:
                        index = found
                        break
                except OSError:
                    pass
        took.append(1000 * (wait_attached(pins, index) - told))
        maker.wait()
        while select.select([link_socket], [], [], 0.01)[0]:
            link_socket.recv(65536)
    print(f"{statistics.median(took):.2f} {max(took):.2f}")


def checksum(header):
    total = sum(struct.unpack(f"!{len(header) // 2}H", header))
    total = (total >> 16) + (total & 0xffff)
    return ~(total + (total >> 16)) & 0xffff


def datagram(source, target, port):
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 32, 0, 0, 64, 17, 0, socket.inet_aton(source),
                     socket.inet_aton(target))
    ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    udp = struct.pack("!HHHH", 4000, port, 12, 0) + b"late"
    return b"\xff" * 6 + b"\x02\0\0\0\0\x01\x08\0" + ip + udp


def flood(interface, source, target, port):
    frame = datagram(source, target, int(port))
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    sent, end = 0, time.monotonic() + 120
    out = None
    while time.monotonic() < end and (sent < FEWEST or not stopped):
        try:
            if out is None:
                opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
                opened.bind((interface, 0))
                out = opened
            out.send(frame)
            sent += 1
        except OSError:
            pass
    print(sent)


def count(port):
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 24)
    receiver.bind(("", int(port)))
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    received = 0
    receiver.settimeout(0.05)
    print("serving", flush=True)
    is_over = False
    while not is_over:
        try:
            receiver.recv(64)
            received += 1
        except TimeoutError:
            is_over = bool(stopped)
    print(received)


def query(interface):
    """BPF_PROG_QUERY of tcx, ingress and egress."""
    libc, total = ctypes.CDLL(None, use_errno=True), 0
    for direction in 46, 47:
        attr = ctypes.create_string_buffer(struct.pack("=IIIIQI", socket.if_nametoindex(interface),
                                                       direction, 0, 0, 0, 0), 128)
        if libc.syscall(321, 16, attr, 64) < 0:
            sys.exit(f"query: {os.strerror(ctypes.get_errno())}")
        total += struct.unpack_from("=I", attr, 24)[0]
    print(total)


if __name__ == "__main__":
    {"latency": latency, "flood": flood, "count": count, "query": query}[sys.argv[1]](*sys.argv[2:])
