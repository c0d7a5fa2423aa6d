#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A made-up large cluster whose pods come and go, served over TLS as an API server does.

kube_load.py PORT CERT KEY [NAME=NUMBER...]

Numbers: pods, policies, spaces, nodes, apps (kinds of pods in a namespace), rate (changes a
second), seconds (of churn, from a line on standard input on, that may have another number), pad
(bytes that nobody needs in a pod), edits (of policies meanwhile).  Every further line on standard
input makes a policy, late-0 and so on.

A change replaces a pod by another one with an address of its own, is a pod that comes to the
address of another, or changes a pod's labels.  Each is told on standard output just before it is
sent, as "NANOSECONDS ADDRESS SAME-AS": CLOCK_MONOTONIC, what changes, and an address that must mean
the same from then on ("-": nobody's).  In the end the file "final" has all that there were, without
the time.
"""
import json
import random
import sys
import threading
import time

import tls_http

KINDS = {
    "namespaces": ("v1", "Namespace"), "nodes": ("v1", "Node"), "pods": ("v1", "Pod"),
    "networkpolicies": ("networking.k8s.io/v1", "NetworkPolicy"),
    "zonepolicies": ("bulkhead.dev/v1", "ZonePolicy"),
}
NUMBERS = {"pods": 2000, "policies": 200, "spaces": 50, "nodes": 50, "apps": 5, "rate": 100,
           "seconds": 3, "pad": 3500, "edits": 0}


def address(number):
    """Pods' addresses: of 10.0.0.0/8, no first or last of a /24."""
    return f"10.{number // 254 // 256 % 256}.{number // 254 % 256}.{number % 254 + 1}"


class Cluster:
    def __init__(self, numbers):
        self.n = numbers
        self.random = random.Random(1)
        self.changed = threading.Condition()
        self.log = []  # lines of the pods' watch
        self.edits = []  # and of the policies'
        self.version = 1000
        self.pods = list(range(numbers["pods"]))  # number -> place: its space and app
        self.addresses = list(range(numbers["pods"]))  # number -> its address's number
        self.names = [f"{self.app(i)}-{i:06x}" for i in range(numbers["pods"])]
        self.next = numbers["pods"]
        self.gone = []  # numbers of addresses that were pods'
        self.padding = "x" * numbers["pad"]

    def space(self, place):
        return f"space-{place % self.n['spaces']}"

    def app(self, place):
        return f"app-{place // self.n['spaces'] % self.n['apps']}"

    def pod(self, i, app=None):
        place = self.pods[i]
        name, app = self.names[i], app or self.app(place)
        return (
            '{"metadata":{"name":"%s","namespace":"%s","uid":"%032x","resourceVersion":"%d",'
            '"creationTimestamp":"2026-01-01T00:00:00Z","labels":{"app":"%s",'
            '"pod-template-hash":"%08x","tier":"t%d"},"managedFields":[{"manager":"kubelet",'
            '"operation":"Update","fieldsV1":{"f:status":{"f:conditions":{"f:pad":"%s"}}}}]},'
            '"spec":{"nodeName":"node-%d","containers":[{"name":"main","image":"x","ports":'
            '[{"name":"web","containerPort":8080,"protocol":"TCP"}],"resources":{}}]},'
            '"status":{"phase":"Running","hostIP":"192.0.2.1","podIP":"%s","podIPs":[{"ip":"%s"}]}}'
            % (name, self.space(place), i, self.version, app, place // 3, place % 3, self.padding,
               i % self.n["nodes"], address(self.addresses[i]), address(self.addresses[i])))

    def items(self, resource):
        """How many there are, and what makes one of them."""
        n = self.n
        if resource == "pods":
            return n["pods"], self.pod
        if resource == "namespaces":
            return n["spaces"], lambda i: json.dumps({"metadata": {
                "name": f"space-{i}", "labels": {"team": f"team-{i % 20}"}}})
        if resource == "nodes":
            return n["nodes"], lambda i: json.dumps({
                "metadata": {"name": f"node-{i}"}, "status": {"addresses": [
                    {"type": "InternalIP", "address": f"172.{16 + i // 65536}."
                                                      f"{i // 256 % 256}.{i % 256}"}]}})
        if resource == "networkpolicies":
            return n["policies"], self.policy
        return 0, None

    def policy(self, i, port=None, name=None):
        space = i % self.n["spaces"]
        app = i // self.n["spaces"] % self.n["apps"]
        peer = {"podSelector": {"matchLabels": {"app": f"app-{(app + 1) % self.n['apps']}"}}}
        if i % 5 == 0:
            peer["namespaceSelector"] = {"matchLabels": {"team": f"team-{space % 20}"}}
        return json.dumps({
            "metadata": {"name": name or f"policy-{i}", "namespace": f"space-{space}"},
            "spec": {"podSelector": {"matchLabels": {"app": f"app-{app}"}},
                     "policyTypes": ["Ingress"],
                     "ingress": [{"from": [peer], "ports": [{"port": port or 8000 + i % 10}]}]}})

    def edit(self, name=None):
        """One of the policies is about another port, or there is one of this name."""
        done = len(self.edits)
        self.version += 1
        line = b'{"type":"%s","object":%s}\n' % (
            b"ADDED" if name else b"MODIFIED", self.policy(done, 9000 + done, name).encode())
        with self.changed:
            self.edits.append(line)
            self.changed.notify_all()

    def tell(self, kind, item, addr, same):
        self.version += 1
        line = b'{"type":"%s","object":%s}\n' % (kind.encode(), item.encode())
        with self.changed:
            self.log.append(line)
            if addr is not None:
                print(time.monotonic_ns(), address(addr),
                      "-" if same is None else address(same), flush=True)
            self.changed.notify_all()

    def keeper(self, place):
        """An address that stays, of the space and app of a place: those of the last pods."""
        kinds = self.n["spaces"] * self.n["apps"]
        return self.n["pods"] - kinds + (place - self.n["pods"]) % kinds

    def change(self):
        i = self.random.randrange(self.n["pods"] - self.n["spaces"] * self.n["apps"])
        what = self.random.randrange(4)
        if what < 2:  # a pod dies, and its Deployment makes another one
            self.tell("DELETED", self.pod(i), self.addresses[i], None)
            self.gone.append(self.addresses[i])
            self.names[i] = f"{self.app(i)}-{self.next:06x}"
            self.addresses[i] = self.next
            self.next += 1
            self.tell("ADDED", self.pod(i), self.addresses[i], self.keeper(self.pods[i]))
        elif what == 2:  # somebody gets its address before it is seen to be gone
            old, name = self.pod(i), self.names[i]
            self.pods[i] = self.random.randrange(self.n["pods"])
            self.names[i] = f"{self.app(self.pods[i])}-{self.next:06x}"
            self.next += 1
            self.tell("ADDED", self.pod(i), self.addresses[i], self.keeper(self.pods[i]))
            assert name != self.names[i]
            self.tell("DELETED", old, None, None)
        else:
            place = self.pods[i] + self.n["spaces"]
            self.pods[i] = place % self.n["pods"] if self.n["pods"] % (
                self.n["spaces"] * self.n["apps"]) == 0 else self.pods[i]
            self.tell("MODIFIED", self.pod(i), self.addresses[i], self.keeper(self.pods[i]))

    def write_final(self):
        with open("final", "w", encoding="ascii") as final:
            for i, number in enumerate(self.addresses):
                print(address(number), address(self.keeper(self.pods[i])), file=final)
            for number in self.gone:
                print(address(number), "-", file=final)

    def churn(self):
        self.n["seconds"] = float(sys.stdin.readline().strip() or self.n["seconds"])
        start, done = time.monotonic(), 0
        while (now := time.monotonic()) < start + self.n["seconds"]:
            while done < (now - start) * self.n["rate"]:
                before = len(self.log)
                self.change()
                done += len(self.log) - before
            # The last one is followed by changes of pods, too.
            every = 0.75 * self.n["seconds"] / max(self.n["edits"], 1)
            if len(self.edits) < self.n["edits"] and now - start > (len(self.edits) + 0.5) * every:
                self.edit()
            time.sleep(0.002)
        self.write_final()
        print(f"\nend {done}", flush=True)
        for number, _ in enumerate(sys.stdin):
            self.edit(f"late-{number}")


class Api(tls_http.Handler):
    wbufsize = 0

    def one(self, request):
        resource = request.path.rsplit("/", 1)[1]
        if resource not in KINDS:
            self.answer(404, b"404 page not found\n")
        elif "watch" in request.query:
            self.watch(resource)
        else:
            self.list(resource, request.query)
        return True

    def list(self, resource, query):
        count, make = self.server.cluster.items(resource)
        start = int(query.get("continue", 0))
        end = min(start + int(query["limit"]), count)
        after = ',"continue":"%d"' % end if end < count else ""
        items = ",".join(make(i) for i in range(start, end))
        self.answer(200, ('{"kind":"%sList","apiVersion":"%s","metadata":{"resourceVersion":"1000"'
                          '%s},"items":[%s]}' % (KINDS[resource][1], KINDS[resource][0], after,
                                                 items)).encode())

    def watch(self, resource):
        cluster = self.server.cluster
        self.head(200, "Transfer-Encoding: chunked")
        mark = json.dumps({"type": "BOOKMARK", "object": {
            "kind": KINDS[resource][1], "apiVersion": KINDS[resource][0], "spec": {},
            "metadata": {"resourceVersion": "1000"}}}).encode() + b"\n"
        log = {"pods": cluster.log, "networkpolicies": cluster.edits}.get(resource, [])
        at = 0
        while True:
            with cluster.changed:
                if at == len(log):
                    cluster.changed.wait(10)
                fresh = log[at:]
                at += len(fresh)
            if fresh:
                self.chunk(b"".join(fresh))
            elif resource == "pods":
                self.chunk(mark)
            else:
                time.sleep(0.1)


def main(port, cert, key, *numbers):
    given = dict(NUMBERS)
    for number in numbers:
        name, value = number.split("=")
        given[name] = int(value)
    cluster = Cluster(given)
    server = tls_http.Server(int(port), cert, key, Api)
    server.cluster = cluster
    threading.Thread(target=cluster.churn, daemon=True).start()
    print("serving", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
