# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""usage: manifests.py QUESTION DIRECTORY|RENDERED [ARGUMENT]: of the manifests for a cluster.

Prints what was looked at; ends with 1 if the answer is no.
"""
import json
import os
import pathlib
import re
import sys

import yaml


def documents(directory):
    if directory.is_file():
        yield from yaml.safe_load_all(directory.read_text())
        return
    listed = yaml.safe_load((directory / "kustomization.yaml").read_text())["resources"]
    for name in listed:
        yield from yaml.safe_load_all((directory / name).read_text())


def one(directory, kind):
    (found,) = [d for d in documents(directory) if d["kind"] == kind]
    return found


def pod(directory):
    return one(directory, "DaemonSet")["spec"]["template"]["spec"]


def configuration(path):
    return yaml.safe_load(one(path, "ConfigMap")["data"]["agent.yaml"])


def lists_all(directory):
    """Every file of the base is part of it, and nothing else."""
    base = directory / "base"
    listed = {d: yaml.safe_load((d / "kustomization.yaml").read_text())["resources"]
              for d in (directory, base)}
    print(listed)
    return (listed[directory] == [f"base/{name}" for name in listed[base]] and
            sorted(listed[base] + ["kustomization.yaml"]) == sorted(f.name for f in base.iterdir()))


def is_confined(directory):
    spec = pod(directory)
    (container,) = spec["containers"]
    context = container["securityContext"]
    print(context)
    return (context["privileged"] is False and context["allowPrivilegeEscalation"] is False
            and context["readOnlyRootFilesystem"] is True
            and context["seccompProfile"] == {"type": "RuntimeDefault"}
            and context["capabilities"] == {"drop": ["ALL"],
                                            "add": ["BPF", "NET_ADMIN", "PERFMON"]}
            and not spec.get("hostPID") and not spec.get("hostIPC"))


def is_everywhere(directory):
    spec = pod(directory)
    print(spec["tolerations"], spec["priorityClassName"])
    return (spec["tolerations"] == [{"operator": "Exists"}] and spec["hostNetwork"] is True
            and spec["priorityClassName"] == "system-node-critical")


def is_replaced_in_parts(directory):
    strategy = one(directory, "DaemonSet")["spec"]["updateStrategy"]
    print(strategy)
    return strategy == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "10%"}}


def writes_nothing_else(directory):
    """Only these directories of the node, and no secret of the cluster."""
    volumes = {v["name"]: v for v in pod(directory)["volumes"]}
    paths = {v["hostPath"]["path"] for v in volumes.values() if "hostPath" in v}
    print(sorted(paths))
    return paths == {"/sys/fs/bpf", "/var/lib/bulkhead", "/run/bulkhead"}


WRITES = [{"apiGroups": ["bulkhead.dev"], "resources": ["zonepolicies/status"],
           "verbs": ["patch"]},
          {"apiGroups": ["events.k8s.io"], "resources": ["events"], "verbs": ["create", "patch"]}]


def may_read_what_it_reads(directory, header):
    """The role and the agent's own list of what it watches say the same; and two writes."""
    paths = re.findall(r'"/(?:api|apis/([a-z0-9.]+))/v[a-z0-9]+/([a-z]+)"',
                       pathlib.Path(header).read_text())
    allowed = set()
    rules = one(directory, "ClusterRole")["rules"]
    writes = [rule for rule in rules if rule["verbs"] != ["get", "list", "watch"]]
    if writes != WRITES:
        print("it may write something else:", writes)
        return False
    for rule in (r for r in rules if r not in writes):
        allowed |= {(g, r) for g in rule["apiGroups"] for r in rule["resources"]}
    print(sorted(paths), sorted(allowed))
    return len(paths) > 4 and set(paths) == allowed


def defines_zonepolicies(directory, header):
    spec = one(directory, "CustomResourceDefinition")["spec"]
    path = f'/apis/{spec["group"]}/{spec["versions"][0]["name"]}/{spec["names"]["plural"]}'
    print(path, spec["scope"])
    return spec["scope"] == "Cluster" and f'"{path}"' in pathlib.Path(header).read_text()


def is_merged_by_node(directory):
    """Two nodes that write a status at once don't meet."""
    (version,) = one(directory, "CustomResourceDefinition")["spec"]["versions"]
    nodes = version["schema"]["openAPIV3Schema"]["properties"]["status"]["properties"]["nodes"]
    print(nodes)
    return (nodes["x-kubernetes-list-type"] == "map" and "status" in version["subresources"]
            and nodes["x-kubernetes-list-map-keys"] == nodes["items"]["required"] == ["name"])


def is_probed_on_loopback(directory):
    """Where the agent listens."""
    (container,) = pod(directory)["containers"]
    config = configuration(directory)
    probes = [container[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")]
    print(probes, config["metrics"])
    return (all((p["host"], p["port"]) == ("127.0.0.1", 9478) for p in probes)
            and config["metrics"] in ("127.0.0.1:9478", "0.0.0.0:9478"))


def is_as_safe(rendered, header):
    """What kubectl makes of an overlay holds what the base does."""
    spaces = {d["metadata"].get("namespace") for d in documents(rendered)}
    print(spaces)
    return (spaces == {None, "bulkhead"} and is_confined(rendered) and is_everywhere(rendered)
            and is_replaced_in_parts(rendered) and writes_nothing_else(rendered)
            and may_read_what_it_reads(rendered, header)
            and defines_zonepolicies(rendered, header) and is_merged_by_node(rendered)
            and is_probed_on_loopback(rendered))


def by_name(path):
    return {(d["kind"], d["metadata"]["name"]): d for d in documents(path)}


def differs_in(rendered, other, *names):
    """From the base, in these objects, KIND/NAME each."""
    one_side, other_side = by_name(rendered), by_name(pathlib.Path(other))
    differing = {f"{k}/{n}" for k, n in one_side.keys() | other_side.keys()
                 if one_side.get((k, n)) != other_side.get((k, n))}
    print(sorted(differing))
    return differing == set(names)


def is_scraped(rendered, base):
    """By annotations and by a Service, where the agent listens for all, which alone is new."""
    template = one(rendered, "DaemonSet")["spec"]["template"]
    (port,) = template["spec"]["containers"][0]["ports"]
    service = one(rendered, "Service")["spec"]
    config = configuration(rendered)
    print(port, service, config)
    number = str(port["containerPort"])
    return (config == dict(configuration(pathlib.Path(base)), metrics=f"0.0.0.0:{number}")
            and template["metadata"]["annotations"]["prometheus.io/port"] == number
            and service["ports"][0]["targetPort"] == port["name"]
            and service["selector"].items() <= template["metadata"]["labels"].items())


def only_reports(rendered):
    config = configuration(rendered)
    print(config)
    return (config["mode"], config["fallback"], config.get("attach")) == ("audit", "open", None)


def print_config(directory, name):
    sys.stdout.write(one(directory, "ConfigMap")["data"][name])
    return True


def is_the_images_command(directory, bundle):
    """What the image starts by itself is what the DaemonSet starts."""
    process = json.loads(pathlib.Path(bundle, "config.json").read_text())["process"]
    (container,) = pod(directory)["containers"]
    print(process["args"], container["command"])
    return process["args"] == container["command"] and process["user"] == {"uid": 0, "gid": 0}


def bound(destination, source, read_only=False):
    return {"destination": destination, "type": "bind", "source": str(source),
            "options": ["rbind", "rprivate", "ro" if read_only else "rw"]}


def container_mounts(directory, volumes):
    """The node's own directories, and what a kubelet makes, which is below VOLUMES."""
    (container,) = pod(directory)["containers"]
    of_node = {v["name"]: v["hostPath"]["path"] for v in pod(directory)["volumes"]
               if "hostPath" in v}
    mounts = [bound(m["mountPath"], of_node.get(m["name"], f"{volumes}/{m['name']}"),
                    m.get("readOnly", False)) for m in container["volumeMounts"]]
    account = "/var/run/secrets/kubernetes.io/serviceaccount"
    return mounts + [bound(account, f"{volumes}/account", True)]


def filter_of(profile, capabilities):
    """A runtime's default profile, as it is for a container with these capabilities.

    Of bpf and perf_event_open it is containerd's, which knows the new capabilities.
    """
    ours = {"bpf", "perf_event_open"}
    rules = [{"names": sorted(ours), "action": "SCMP_ACT_ALLOW"}]
    for rule in profile["syscalls"]:
        includes, excludes = rule["includes"] or {}, rule["excludes"] or {}
        if (set(includes.get("caps", [])) <= set(capabilities)
                and not set(excludes.get("caps", [])) & set(capabilities)
                and "amd64" in includes.get("arches", ["amd64"])
                and "amd64" not in excludes.get("arches", [])):
            rules.append({"names": sorted(set(rule["names"]) - ours), "action": rule["action"],
                          "args": rule["args"] or []})
    return {"defaultAction": profile["defaultAction"], "syscalls": rules,
            "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]}


def write_container(directory, bundle, volumes, profile=None):
    """The bundle's configuration as a kubelet and a runtime make it of the DaemonSet."""
    (container,) = pod(directory)["containers"]
    context = container["securityContext"]
    path = pathlib.Path(bundle, "config.json")
    spec = json.loads(path.read_text())
    capabilities = [f"CAP_{name}" for name in context["capabilities"]["add"]]
    spec["process"].update(
        args=container["command"], terminal=False,
        noNewPrivileges=not context["allowPrivilegeEscalation"],
        capabilities={s: capabilities for s in ("bounding", "effective", "permitted")},
        env=["PATH=/usr/sbin"]
        + [f"{e['name']}={e.get('value', 'node-a')}" for e in container["env"]]
        + [f"{k}={v}" for k, v in os.environ.items() if k.startswith("KUBERNETES_")])
    spec["root"]["readonly"] = context["readOnlyRootFilesystem"]
    spec["mounts"] = ([m for m in spec["mounts"] if m["type"] != "cgroup"]
                      + container_mounts(directory, volumes))
    spec["linux"]["namespaces"] = [{"type": t} for t in ("pid", "ipc", "mount", "uts")]
    del spec["linux"]["resources"]
    if profile and pathlib.Path(profile).exists():
        spec["linux"]["seccomp"] = filter_of(json.loads(pathlib.Path(profile).read_text()),
                                             capabilities)
    path.write_text(json.dumps(spec))
    return True


if __name__ == "__main__":
    answer = globals()[sys.argv[1]](pathlib.Path(sys.argv[2]), *sys.argv[3:])
    sys.exit(0 if answer else 1)
