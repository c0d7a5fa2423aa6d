#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Who reads the agent's pages, and who would do harm with them.

sum NAME [LABEL=VALUE...]   the sum of the samples that have these labels; exits 1 if there is none
uses FILE...                whether every metric and label that the files name is served
rules DASHBOARD             its expressions as recording rules, for promtool
has_no_address              whether no label of any sample is an address
abuse                       clients that are many, slow, endless or senseless; exits 1 if another
                            one is not answered meanwhile
"""
import contextlib
import ipaddress
import json
import re
import socket
import sys
import time

PLACE = ("127.0.0.1", 9478)
SAMPLE = re.compile(r'^([a-z_]+)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')
USE = re.compile(r'\b((?:bulkhead|process)_[a-z_]+)(?:\{([^}]*)\})?')
TARGET_LABELS = {"instance", "job"}  # of the scraper, not of ours
PATIENCE = 5


def get(path, method="GET"):
    with socket.create_connection(PLACE, timeout=PATIENCE) as client:
        client.sendall(f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        with client.makefile("rb") as answer:
            head, _, body = answer.read().partition(b"\r\n\r\n")
    return head.decode(), body.decode()


def scrape():
    head, body = get("/metrics")
    assert head.startswith("HTTP/1.1 200 "), head
    lines = [line for line in body.splitlines() if not line.startswith("#")]
    samples = [SAMPLE.match(line) for line in lines]
    assert all(samples), [line for line, sample in zip(lines, samples) if not sample]
    return body, [(s[1], dict(LABEL.findall(s[2] or "")), float(s[3])) for s in samples]


def add_up(name, *wanted):
    wanted = dict(label.split("=", 1) for label in wanted)
    values = [value for found, labels, value in scrape()[1]
              if found == name and wanted.items() <= labels.items()]
    if not values:
        return f"no sample of {name} {wanted}"
    print(f"{sum(values):.10g}")


def uses(*files):
    body, samples = scrape()
    served = set(re.findall(r"^# TYPE (\S+)", body, re.M)) | {name for name, _, _ in samples}
    labels = {name: {label for other, all_of_it, _ in samples if other == name
                     for label in all_of_it} for name in served}
    count = 0
    for file in files:
        with open(file, encoding="utf-8") as stream:
            text = stream.read().replace('\\"', '"')
        for name, selector in USE.findall(text):
            count += 1
            unknown = {label for label in re.findall(r'([a-z_]+)\s*(?:=~|!~|!=|=)', selector)
                       if label not in TARGET_LABELS | labels.get(name, set())}
            if name not in served or unknown:
                return f"{file}: {name} {unknown or ''} is not served"
    print(f"{count} uses")
    if count < 10:
        return "too few to be all of them"


def expressions(node):
    if isinstance(node, dict):
        if "expr" in node:
            yield node["expr"]
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            yield from expressions(item)


def rules(dashboard):
    with open(dashboard, encoding="utf-8") as stream:
        found = list(expressions(json.load(stream)))
    print("groups:\n  - name: dashboard\n    rules:")
    for i, expression in enumerate(found):
        plain = expression.replace("$__rate_interval", "5m").replace("$instance", ".*")
        print(f"      - record: x:expression{i}\n        expr: {json.dumps(plain)}")


def is_address(value):
    with contextlib.suppress(ValueError):
        ipaddress.ip_network(value, strict=False)
        return True
    return False


def has_no_address():
    for name, labels, _ in scrape()[1]:
        if any(is_address(value) for value in labels.values()):
            return f"{name} {labels}"


def connect():
    client = socket.socket()
    client.settimeout(PATIENCE)
    client.connect(PLACE)
    client.setblocking(False)
    return client


def send(client, data):
    with contextlib.suppress(BlockingIOError, ConnectionError):
        client.sendall(data)


def is_answered(what):
    began = time.monotonic()
    head, _ = get("/metrics")
    took = time.monotonic() - began
    print(f"{what}: {head.splitlines()[0]} after {took * 1000:.0f} ms")
    return head.startswith("HTTP/1.1 200 ") and took < PATIENCE


def abuse():
    kinds = {
        "idle": (1000, b""),
        "half a request": (200, b"GET /metrics HTTP/1.1\r\nX: "),
        "garbage": (200, bytes(range(256)) * 64),
        "a huge head": (50, b"GET /metrics HTTP/1.1\r\n" + b"X: " + b"y" * 1000000),
        "a huge path": (50, b"GET /" + b"y" * 1000000 + b" HTTP/1.1\r\n\r\n"),
        "a gigabyte to come": (200, b"POST /metrics HTTP/1.1\r\nHost: x\r\n"
                                    b"Content-Length: 1073741824\r\n\r\n" + b"y" * 100000),
        "a body with GET": (50, b"GET /metrics HTTP/1.1\r\nHost: x\r\n"
                                b"Content-Length: 1073741824\r\n\r\n" + b"y" * 100000),
        "endless chunks": (50, b"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                               b"fffffff\r\n" + b"y" * 100000),
        "many in one, unread": (200, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 100),
    }
    for what, (count, data) in kinds.items():
        with contextlib.ExitStack() as stack:
            clients = []
            for _ in range(count):
                with contextlib.suppress(ConnectionError, TimeoutError):
                    clients.append(stack.enter_context(connect()))
            for client in clients:
                send(client, data)
            if not is_answered(what):
                return what


if __name__ == "__main__":
    commands = {"sum": add_up, "uses": uses, "rules": rules, "has_no_address": has_no_address,
                "abuse": abuse}
    sys.exit(commands[sys.argv[1]](*sys.argv[2:]))
