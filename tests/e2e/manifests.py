# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""usage: manifests.py QUESTION DIRECTORY [ARGUMENT]: of the manifests for a cluster.

Prints what was looked at; ends with 1 if the answer is no.
"""
import pathlib
import re
import sys

import yaml


def documents(directory):
    listed = yaml.safe_load((directory / "kustomization.yaml").read_text())["resources"]
    for name in listed:
        yield from yaml.safe_load_all((directory / name).read_text())


def one(directory, kind):
    (found,) = [d for d in documents(directory) if d["kind"] == kind]
    return found


def pod(directory):
    return one(directory, "DaemonSet")["spec"]["template"]["spec"]


def lists_all(directory):
    """Every file is part of it, and nothing else."""
    listed = yaml.safe_load((directory / "kustomization.yaml").read_text())["resources"]
    return sorted(listed + ["kustomization.yaml"]) == sorted(f.name for f in directory.iterdir())


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


def may_read_what_it_reads(directory, header):
    """The role and the agent's own list of what it watches say the same."""
    paths = re.findall(r'"/(?:api|apis/([a-z0-9.]+))/v[a-z0-9]+/([a-z]+)"',
                       pathlib.Path(header).read_text())
    allowed = set()
    for rule in one(directory, "ClusterRole")["rules"]:
        if rule["verbs"] != ["get", "list", "watch"]:
            print("more than reading:", rule)
            return False
        allowed |= {(g, r) for g in rule["apiGroups"] for r in rule["resources"]}
    print(sorted(paths), sorted(allowed))
    return len(paths) > 4 and set(paths) == allowed


def defines_zonepolicies(directory, header):
    spec = one(directory, "CustomResourceDefinition")["spec"]
    path = f'/apis/{spec["group"]}/{spec["versions"][0]["name"]}/{spec["names"]["plural"]}'
    print(path, spec["scope"])
    return spec["scope"] == "Cluster" and f'"{path}"' in pathlib.Path(header).read_text()


def print_config(directory, name):
    sys.stdout.write(one(directory, "ConfigMap")["data"][name])
    return True


if __name__ == "__main__":
    answer = globals()[sys.argv[1]](pathlib.Path(sys.argv[2]), *sys.argv[3:])
    sys.exit(0 if answer else 1)
