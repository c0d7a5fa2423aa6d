#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Objects that come and go while kube_api.py and the wire fail at random, each kind for itself.

kube_faults.py CONTROL SECONDS PATIENCE [SEED]
                    exits 0 if, that long after the last change, the agent knows as many objects of
                    each kind as there are, and watches them all
"""
import json
import os
import random
import socket
import subprocess
import sys
import time

KINDS = {
    "namespaces": ("v1", "Namespace", False), "nodes": ("v1", "Node", False),
    "pods": ("v1", "Pod", True),
    "networkpolicies": ("networking.k8s.io/v1", "NetworkPolicy", True),
    "clusternetworkpolicies": ("policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy", False),
    "zonepolicies": ("bulkhead.dev/v1", "ZonePolicy", False),
    "services": ("v1", "Service", True),
    "endpointslices": ("discovery.k8s.io/v1", "EndpointSlice", True),
}
SPECS = {
    "NetworkPolicy": {"podSelector": {}},
    "ClusterNetworkPolicy": {"tier": "Admin", "priority": 5, "subject": {"namespaces": {}}},
}
FAULTS = ("403", "410", "429", "500", "504", "garbage", "half", "nothing", "silent", "slow")
NAMES = 7  # of each kind: at most so many
LATE = 15  # objects of each kind that are made, once, while what was disturbed recovers


class Server:
    def __init__(self, path):
        self.connection = socket.socket(socket.AF_UNIX)
        self.connection.connect(path)
        self.stream = self.connection.makefile("rw")

    def tell(self, command):
        print(json.dumps(command), file=self.stream, flush=True)
        return json.loads(self.stream.readline())


def made(resource, number, chance):
    version, kind, has_space = KINDS[resource]
    metadata = {"name": f"n{number}", "labels": {"app": chance.choice("abc")}}
    if has_space:
        metadata["namespace"] = "faults"
    item = {"kind": kind, "apiVersion": version, "metadata": metadata, "spec": SPECS.get(kind, {})}
    if kind == "Pod":
        item["status"] = {"phase": "Running", "podIPs": [{"ip": f"10.9.0.{number + 1}"}]}
    return item


def change(server, known, chance):
    resource = chance.choice(list(KINDS))
    number = chance.randrange(NAMES)
    if number in known[resource] and chance.random() < 0.5:
        known[resource].discard(number)
        key = f"faults/n{number}" if KINDS[resource][2] else f"n{number}"
        server.tell({"delete": [resource, key]})
    else:
        known[resource].add(number)
        server.tell({"put": made(resource, number, chance)})


def disturb(server, chance):
    resource = chance.choice(list(KINDS))
    faults = " ".join(chance.choices(FAULTS, k=chance.randrange(1, 4)))
    command = chance.choice((
        {"fault": faults, "resource": resource},
        {"fault": faults, "resource": resource, "cut": True},
        {"cut": True},
        {"compact": True},
        {"compact": True, "cut": True},
        {"mute": chance.random() < 0.5},
        {"refuse": resource, "status": chance.choice((403, 404, 500))},
        {"refuse": resource, "status": 0},
    ))
    server.tell(command)
    return command


def calm(server):
    for resource in KINDS:
        server.tell({"fault": "", "resource": resource})
        server.tell({"refuse": resource, "status": 0})
    server.tell({"mute": False})


def missing(server):
    """What the agent doesn't know yet, in words; nothing: it has followed."""
    wanted = server.tell({})["counts"]
    status = subprocess.run([os.environ["BULKHEAD"], "status", "-o", "json"], check=True,
                            capture_output=True).stdout
    return [f"{k['kind']}: {k['state']}, {k['objects']} of {wanted.get(k['kind'], 0)}, {k['error']}"
            for k in json.loads(status)["cluster"]["kinds"]
            if k["objects"] != wanted.get(k["kind"], 0) or k["state"] != "watched"]


def main(control, seconds, patience, seed=None):
    seed = int(seed) if seed else random.randrange(1 << 32)
    chance = random.Random(seed)
    server = Server(control)
    known = {resource: set() for resource in KINDS}
    end = time.monotonic() + float(seconds)
    for resource in KINDS:
        server.tell({"put": made(resource, 0, chance)})
        known[resource].add(0)
    while time.monotonic() < end:
        change(server, known, chance)
        if chance.random() < 0.1:
            print(json.dumps(disturb(server, chance)))
        time.sleep(chance.random() * 0.02)
    calm(server)
    for number in range(NAMES, NAMES + LATE):
        for resource in KINDS:
            server.tell({"put": made(resource, number, chance)})
        time.sleep(0.1)
    start = time.monotonic()
    while (behind := missing(server)) and time.monotonic() < start + float(patience):
        time.sleep(0.05)
    print(f"seed {seed}: {time.monotonic() - start:.1f} s after the last change", *behind, sep="\n")
    return 1 if behind else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
