#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""An API server of a made-up cluster, over TLS, with the faults that real ones and wires have.

kube_api.py serve PORT CERT KEY TOKEN-FILE CONTROL
                    lists and watches, as recorded from a real one; commands come to CONTROL, a
                    Unix socket, one JSON object each
kube_api.py tell CONTROL [JSON...]
                    sends commands, from standard input if none is given, and waits for each
kube_api.py ask CONTROL NAME EXPRESSION
                    whether that holds of a ZonePolicy: of nodes, by name, that its status has, of
                    events, by the name of what they are about, and of writes, by sort

Commands: {"put": OBJECT}, {"delete": [RESOURCE, KEY]}, {"fault": "NAME...", "resource": R}
(one a request), {"compact": true} (what happened so far is too old to be watched), {"cut": true}
(all connections), {"mute": BOOLEAN} (no bookmarks), {"refuse": RESOURCE, "status": CODE} (whatever
is asked of it; 0: not any more), {"open": true} (from now on it is there, before only CONTROL is),
{"get": [RESOURCE, KEY]} (with the rest: how many requests there were, of them watches and lists,
from which agents; how many objects there are of each kind; the object; all Events).  A
ZonePolicy's status is applied as a server does it, of each manager its own.
"""
import collections
import contextlib
import json
import socket
import sys
import threading
import time
import uuid

import tls_http

VERSIONS = {
    "namespaces": ("v1", "Namespace"), "nodes": ("v1", "Node"), "pods": ("v1", "Pod"),
    "networkpolicies": ("networking.k8s.io/v1", "NetworkPolicy"),
    "clusternetworkpolicies": ("policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy"),
    "zonepolicies": ("bulkhead.dev/v1", "ZonePolicy"),
    "services": ("v1", "Service"), "endpointslices": ("discovery.k8s.io/v1", "EndpointSlice"),
}
# What kubectl is told of, to find out where manifests belong: resource, kind, has a namespace.
APPLIED = {
    "v1": [("namespaces", "Namespace", False), ("serviceaccounts", "ServiceAccount", True),
           ("configmaps", "ConfigMap", True), ("services", "Service", True)],
    "apps/v1": [("daemonsets", "DaemonSet", True)],
    "rbac.authorization.k8s.io/v1": [("clusterroles", "ClusterRole", False),
                                     ("clusterrolebindings", "ClusterRoleBinding", False)],
    "apiextensions.k8s.io/v1": [("customresourcedefinitions", "CustomResourceDefinition", False)],
}
RESOURCES = {kind: resource for resource, (_, kind) in VERSIONS.items()}
HUGE = 100 * 1024 * 1024  # bytes of one object


def key_of(item):
    metadata = item["metadata"]
    space = metadata.get("namespace")
    return f"{space}/{metadata['name']}" if space else metadata["name"]


def status(code, reason):
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": "made up", "reason": reason, "code": code}


def group_of(version):
    described = {"groupVersion": version, "version": version.split("/")[1]}
    return {"name": version.split("/")[0], "versions": [described], "preferredVersion": described}


def discovery(path):
    """What is served there, or None."""
    version = path.removeprefix("/apis/").removeprefix("/api/")
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"]}
    if path == "/apis":
        return {"kind": "APIGroupList", "apiVersion": "v1",
                "groups": [group_of(v) for v in APPLIED if "/" in v]}
    if version not in APPLIED:
        return None
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version,
            "resources": [{"name": name, "singularName": "", "kind": kind, "namespaced": has_space,
                           "verbs": ["get", "list", "create", "patch"]}
                          for name, kind, has_space in APPLIED[version]]}


def bookmark(resource, cluster):
    version, kind = VERSIONS[resource]
    item = {"kind": kind, "apiVersion": version,
            "metadata": {"resourceVersion": str(cluster.version)}}
    if kind == "NetworkPolicy":
        item["spec"] = {"podSelector": {}}  # as real ones do
    return item


class Cluster:
    def __init__(self):
        self.changed = threading.Condition()
        self.opened = threading.Event()
        self.version = 1000
        self.oldest = 0
        self.items = collections.defaultdict(dict)
        self.log = []  # (version, resource, type, object)
        self.snapshots = {}  # (resource, version) -> objects
        self.faults = {}  # resource -> names
        self.connections = set()
        self.requests = 0
        self.watches = 0
        self.lists = 0
        self.is_mute = False
        self.refused = {}  # resource -> status
        self.agents = set()
        self.absent = {"clusternetworkpolicies"}
        self.writes = collections.Counter()  # by resource
        self.owned = collections.defaultdict(set)  # (ZonePolicy, manager) -> nodes of its status
        self.events = {}  # name -> object

    def note(self, resource, kind, item):
        self.version += 1
        item = dict(item, metadata=dict(item["metadata"], resourceVersion=str(self.version)))
        self.log.append((self.version, resource, kind, item))
        return item

    def put(self, item):
        resource = RESOURCES[item["kind"]]
        self.absent.discard(resource)
        key = key_of(item)
        before = self.items[resource].get(key)
        if before and resource == "zonepolicies":
            item.setdefault("status", before.get("status", {}))
        metadata = before["metadata"] if before else {"uid": str(uuid.uuid4()), "generation": 0}
        item["metadata"].setdefault("uid", metadata["uid"])
        item["metadata"].setdefault("generation", metadata["generation"] + 1)
        self.items[resource][key] = self.note(resource, "MODIFIED" if before else "ADDED", item)

    def apply_status(self, key, manager, applied):
        """An HTTP status.  What somebody else has said stays, what this one says no more goes."""
        before = self.items["zonepolicies"].get(key)
        if not before:
            return 404
        if "metadata" not in applied or applied["kind"] != "ZonePolicy":
            return 400
        fresh = {node["name"]: node for node in applied.get("status", {}).get("nodes", [])}
        nodes = {node["name"]: node for node in before.get("status", {}).get("nodes", [])}
        for name in self.owned[key, manager] - set(fresh):
            nodes.pop(name, None)
        nodes.update(fresh)
        self.owned[key, manager] = set(fresh)
        item = dict(before, status={"nodes": list(nodes.values())})
        if item != before:
            self.items["zonepolicies"][key] = self.note("zonepolicies", "MODIFIED", item)
        return 200

    def make_event(self, space, event):
        """An HTTP status; as much is asked of it as a server asks."""
        name = event["metadata"]["name"]
        regarding = event["regarding"]
        is_good = (space == event["metadata"]["namespace"] == regarding.get("namespace", "default")
                   and all(event[k] for k in ("action", "reason", "reportingInstance", "eventTime"))
                   and len(event["note"]) <= 1024 and len(name) <= 253
                   and event["reportingController"].count("/") == 1)
        if not is_good:
            print("no Event:", event, flush=True)
            return 422
        if name in self.events:
            return 409
        self.events[name] = event
        return 201

    def write(self, method, path, query, body):
        """An HTTP status."""
        parts = path.strip("/").split("/")
        if method == "PATCH" and parts[-1] == "status":
            return self.apply_status(parts[-2], query["fieldManager"], body)
        if method == "POST" and parts[-1] == "events":
            return self.make_event(parts[-2], body)
        if method == "PATCH" and parts[-2] == "events" and parts[-1] in self.events:
            self.events[parts[-1]].update(body)
            return 200
        return 404

    def delete(self, resource, key):
        self.note(resource, "DELETED", self.items[resource].pop(key))

    def take_fault(self, resource):
        with self.changed:
            faults = self.faults.get(resource)
            return faults.pop(0) if faults else None

    def command(self, command):
        with self.changed:
            if "put" in command:
                self.put(command["put"])
            if "delete" in command:
                self.delete(*command["delete"])
            if "fault" in command:
                self.faults[command["resource"]] = command["fault"].split()
            if "compact" in command:
                self.version += 1
                self.oldest = self.version
            if "refuse" in command:
                self.refused[command["refuse"]] = command["status"]
            self.is_mute = command.get("mute", self.is_mute)
            if "open" in command:
                self.opened.set()
            if "cut" in command:
                for connection in list(self.connections):
                    with contextlib.suppress(OSError):  # it is closing by itself
                        connection.shutdown(socket.SHUT_RDWR)
            self.changed.notify_all()
            answer = {"requests": self.requests, "watches": self.watches, "lists": self.lists,
                      "agents": sorted(self.agents),
                      "counts": {VERSIONS[r][1]: len(items) for r, items in self.items.items()}}
            if "get" in command:
                resource, key = command["get"]
                answer.update(object=self.items[resource].get(key), writes=self.writes,
                              events=sorted(self.events.values(), key=lambda e: e["eventTime"]))
            return answer


class Api(tls_http.Handler):
    def setup(self):
        super().setup()
        self.server.cluster.connections.add(self.request)

    def finish(self):
        self.server.cluster.connections.discard(self.request)

    def answer(self, code, body, *lines):
        body = body if isinstance(body, bytes) else json.dumps(body, separators=(",", ":")).encode()
        super().answer(code, body, *lines)

    def one(self, request):
        cluster = self.server.cluster
        cluster.requests += 1
        cluster.agents.add(request.headers.get("user-agent", ""))
        with open(self.server.token_file, encoding="utf-8") as file:
            if request.headers.get("authorization") != f"Bearer {file.read().strip()}":
                self.answer(401, status(401, "Unauthorized"))
                return True
        resource, query = request.path.rsplit("/", 1)[1], request.query
        if request.method != "GET":
            return self.write(request)
        if resource not in VERSIONS:
            found = discovery(request.path)
            self.answer(200 if found else 404, found or status(404, "NotFound"))
            return True
        fault = cluster.take_fault(resource)
        if resource in cluster.absent:
            self.answer(404, b"404 page not found\n")
            return True
        if cluster.refused.get(resource):
            self.answer(cluster.refused[resource], status(cluster.refused[resource], "Refused"))
            return True
        if fault and not self.fail(fault, resource, "watch" in query):
            return False
        if not fault:
            return self.watch(resource, query) if "watch" in query else self.list(resource, query)
        return True

    def write(self, request):
        """Of what is written there are two sorts, with faults of their own: status and events."""
        cluster = self.server.cluster
        kind, body = request.headers["content-type"], json.loads(request.body)
        sort = "events" if "/events" in request.path else "status"
        fault = cluster.take_fault(sort)
        cluster.writes[sort] += 1
        if fault == "hang":
            time.sleep(20)
            return False
        if fault:
            return self.fail(fault, sort, False)
        types = {"status": "application/apply-patch+yaml", "events": "application/merge-patch+json"}
        if kind != (types[sort] if request.method == "PATCH" else "application/json"):
            self.answer(415, status(415, "UnsupportedMediaType"))
            return True
        with cluster.changed:
            code = cluster.write(request.method, request.path, request.query, body)
            cluster.changed.notify_all()
        self.answer(code, body if code < 300 else status(code, "Made up"))
        return True

    def fail(self, fault, resource, is_watch):
        """Whether the connection is still good."""
        kinds = {"500": "InternalError", "410": "Expired", "403": "Forbidden", "504": "Timeout",
                 "409": "Conflict"}
        if fault in kinds:
            self.answer(int(fault), status(int(fault), kinds[fault]))
            return True
        if fault == "429":
            self.answer(429, status(429, "TooManyRequests"), "Retry-After: 1")
            return True
        if fault == "garbage":
            self.answer(200, b'{"kind":"PodList","items":[{"metadata":]}}' * 3)
            return True
        if fault == "nothing":
            return False
        self.head(200, "Transfer-Encoding: chunked")
        opening = b'{"type":"ADDED","object":' if is_watch else b'{"metadata":{},"items":['
        half = json.dumps(next(iter(self.server.cluster.items[resource].values()), {})).encode()
        if fault == "half":
            self.chunk(opening + half[: len(half) // 2])
        elif fault == "slow":
            for byte in (opening + half)[:40]:
                self.chunk(bytes([byte]))
                time.sleep(0.02)
        elif fault == "silent":
            time.sleep(20)
        elif fault == "huge":
            self.chunk(opening + b'{"metadata":{"name":"huge","annotations":{"a":"')
            for _ in range(HUGE // 65536):
                self.chunk(b"x" * 65536)
        return False

    def list(self, resource, query):
        """All pages are of one moment."""
        cluster = self.server.cluster
        start, version = map(int, query.get("continue", "0-0").split("-"))
        with cluster.changed:
            cluster.lists += 1
            is_old = start and version < cluster.oldest
            version = version or cluster.version
            items = cluster.snapshots.setdefault(
                (resource, version),
                [item for _, item in sorted(cluster.items[resource].items())])
        if is_old:
            self.answer(410, status(410, "Expired"))
            return True
        end = start + min(int(query["limit"]), self.server.page)
        metadata = {"resourceVersion": str(version)}
        if end < len(items):
            metadata["continue"] = f"{end}-{version}"
        bare = [{k: v for k, v in item.items() if k not in ("kind", "apiVersion")}
                for item in items[start:end]]
        self.answer(200, {"kind": VERSIONS[resource][1] + "List",
                          "apiVersion": VERSIONS[resource][0], "metadata": metadata, "items": bare})
        return True

    def event(self, kind, item):
        self.chunk(json.dumps({"type": kind, "object": item}, separators=(",", ":")).encode()
                   + b"\n")

    def watch(self, resource, query):
        cluster = self.server.cluster
        version = int(query["resourceVersion"])
        end = time.monotonic() + int(query["timeoutSeconds"])
        self.head(200, "Transfer-Encoding: chunked")
        at = 0
        with cluster.changed:
            cluster.watches += 1
            is_old = version < cluster.oldest
        if is_old:
            self.event("ERROR", status(410, "Expired"))
            self.chunk(b"")
            return True
        while time.monotonic() < end:
            with cluster.changed:
                fresh = cluster.log[at:]
                at = len(cluster.log)
                is_quiet = not fresh and not cluster.changed.wait(0.2)
                # A bookmark says that all before it has been sent.
                if is_quiet and not cluster.is_mute and at == len(cluster.log):
                    fresh = [(cluster.version, resource, "BOOKMARK", bookmark(resource, cluster))]
            for number, whose, kind, item in fresh:
                if whose == resource and (number > version or kind == "BOOKMARK"):
                    self.event(kind, item)
        self.chunk(b"")
        return True


def listen_control(cluster, path):
    control = socket.socket(socket.AF_UNIX)
    control.bind(path)
    control.listen()
    print("serving", flush=True)
    while True:
        connection, _ = control.accept()
        with connection, connection.makefile("rw") as stream:
            for line in stream:
                print(json.dumps(cluster.command(json.loads(line))), file=stream, flush=True)


def serve(port, cert, key, token_file, control):
    cluster = Cluster()
    threading.Thread(target=listen_control, args=(cluster, control), daemon=True).start()
    cluster.opened.wait()
    server = tls_http.Server(int(port), cert, key, Api)
    server.patience = 30
    server.cluster = cluster
    server.token_file = token_file
    server.page = 2  # so that lists have pages
    server.serve_forever()


def tell(control, *commands):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(control)
        with connection.makefile("rw") as stream:
            for line in commands or sys.stdin:
                print(" ".join(line.split()), file=stream, flush=True)
                print(stream.readline().strip())


def ask(control, name, expression):
    command = json.dumps({"get": ["zonepolicies", name]}) + "\n"
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(control)
        with connection.makefile("rw") as stream:
            stream.write(command)
            stream.flush()
            answer = json.loads(stream.readline())
    events = collections.defaultdict(list)
    for event in answer["events"]:
        events[event["regarding"]["name"]].append(event)
    nodes = {n["name"]: n for n in answer["object"].get("status", {}).get("nodes", [])}
    known = {"nodes": nodes, "events": events, "writes": collections.Counter(answer["writes"])}
    print(json.dumps(known))
    sys.exit(0 if eval(f"({expression})", known) else 1)  # the test's own


if __name__ == "__main__":
    {"serve": serve, "tell": tell, "ask": ask}[sys.argv[1]](*sys.argv[2:])
