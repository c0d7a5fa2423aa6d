#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The container image, started as the DaemonSet says by a runtime that knows nothing else of it.
readonly tree=$(cd "$(dirname "$0")/../.." && pwd)
# Inside there is no way to the packages.
if [ -z "${BULKHEAD_E2E:-}" ]; then
	built=$("$tree/scripts/deploy/image" "$(dirname "${BULKHEAD:-$tree/build/bulkhead}")" \
		"$tree/build") || echo "# no image"
	export BUILT_IMAGE=${built:-}
fi
. "$(dirname "$0")/lib.sh"

readonly deploy=/mnt/tree/scripts/deploy
readonly profile=/usr/share/containers/seccomp.json # a runtime's, where there is one
export KUBERNETES_SERVICE_HOST=127.0.0.1 KUBERNETES_SERVICE_PORT=6443
container_pid=

# manifests QUESTION [ARGUMENT…]
manifests()
{
	"$python" "$here/manifests.py" "$1" "$deploy/kubernetes" "${@:2}"
}

# The same program from the same packages, elsewhere, at another time, with other rights.
is_built_again()
{
	local first second

	(umask 077 && TZ=Asia/Tokyo "$deploy/image" "$work/again" >second)
	read -r _ first <<<"$BUILT_IMAGE"
	read -r _ second <second
	echo "$first $second"
	[ -n "$first" ] && [ "$first" = "$second" ]
}

unpack()
{
	mkdir layout
	tar -x -C layout -f "/mnt/tree/build/$(basename "${BUILT_IMAGE% *}")"
	umoci unpack --image layout:latest bundle
}

# Nothing in it can start anything else.
has_one_program()
{
	local found

	found=$(find bundle/rootfs -type f -perm /111 ! -name '*.so*')
	echo "$found"
	[ "$found" = bundle/rootfs/usr/sbin/bulkhead ] &&
		[ -z "$(find bundle/rootfs -perm /6000)" ]
}

has_licences()
{
	local note

	for note in bundle/rootfs/var/lib/dpkg/status.d/*; do
		[ -s "bundle/rootfs/usr/share/doc/${note##*/}/copyright" ] || return 1
	done
}

# put_pod NAME NUMBER
put_pod()
{
	tell '{"put": {"kind": "Pod", "apiVersion": "v1",
		"metadata": {"name": "'"$1"'", "namespace": "shop", "labels": {"app": "'"$1"'"}},
		"spec": {"nodeName": "node-a", "containers": []},
		"status": {"phase": "Running", "podIP": "10.244.0.'"$2"'",
			"podIPs": [{"ip": "10.244.0.'"$2"'"}], "hostIP": "192.0.2.1"}}}'
}

start_cluster()
{
	make_certificate api.key volumes/account/ca.crt 127.0.0.1
	echo secret >volumes/account/token
	serve_api volumes/account/ca.crt api.key volumes/account/token
	tell '{"put": {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "shop"}}}' \
		'{"put": {"kind": "Node", "apiVersion": "v1", "metadata": {"name": "node-a"},
		"status": {"addresses": [{"type": "InternalIP", "address": "192.0.2.1"}]}}}' \
		'{"put": {"kind": "NetworkPolicy", "apiVersion": "networking.k8s.io/v1",
		"metadata": {"name": "web-in", "namespace": "shop"},
		"spec": {"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Ingress"],
			"ingress": [{"ports": [{"port": 80}],
			"from": [{"podSelector": {"matchLabels": {"app": "client"}}}]}]}}}'
	put_pod web 10
	put_pod client 11
	put_pod intruder 12
	tell '{"open": true}'
}

# runtime COMMAND…: without cgroups of its own, which would be the machine's.
runtime()
{
	runc --root "$work/runtime" --rootless=true "$@"
}

# As a kubelet does: what is the pod's is made, what is the node's is there.
make_container()
{
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
	mount -o remount,bind,ro /sys/fs/cgroup
	mkdir -p volumes/config /run/bulkhead /var/lib/bulkhead
	chmod 755 /run/bulkhead /var/lib/bulkhead
	manifests print_config agent.yaml >volumes/config/agent.yaml
	manifests print_config zones.yaml >volumes/config/zones.yaml
	manifests write_container bundle "$work/volumes" "$profile"
}

start_container()
{
	runtime run --bundle bundle agent >agent.out 2>agent.log 3>&- &
	container_pid=$!
	wait_for 30 probe readyz
}

probe()
{
	curl -sS -f -o probe "http://127.0.0.1:9478/$1" || {
		cat agent.log
		return 1
	}
}

in_container()
{
	runtime exec agent /usr/sbin/bulkhead "$@"
}

# holds CAPABILITY-MASK: the agent, and no more.
holds()
{
	local pid

	pid=$(runtime state agent | sed -n 's/^ *"pid": \([0-9]*\),$/\1/p')
	grep -E '^(Cap|NoNewPrivs|Seccomp:)' "/proc/$pid/status" >held
	cat held
	grep -q "CapEff:.*$1\$" held && grep -q "CapPrm:.*$1\$" held &&
		grep -q 'NoNewPrivs:.*1' held && grep -q 'Seccomp:.*2' held
}

lets_whom_it_should()
{
	reaches veth-client 10.244.0.10 tcp/80 && shut veth-client 10.244.0.10,8080 &&
		shut veth-intruder 10.244.0.10,80
}

pods_are_known()
{
	in_container list endpoints -o json >endpoints
	[ "$(grep -c '"workload":"shop/' endpoints)" = 3 ]
}

asks_from_the_node()
{
	"$BULKHEAD" list endpoints -o json | grep -c '"workload":"shop/' | grep -x 3
}

# Neither by the directory nor by the socket.
refuses_others()
{
	stat -c %a:%u /run/bulkhead /run/bulkhead/control.sock | tee modes
	printf '700:0\n600:0\n' | cmp - modes &&
		! setpriv --reuid 65534 --regid 65534 --clear-groups "$BULKHEAD" status &&
		! setpriv --reuid 65534 --regid 65534 --clear-groups \
			unshare --user --map-root-user "$BULKHEAD" status
}

stops()
{
	runtime kill agent TERM
	wait "$container_pid"
}

# On the node: the pins, the last good state, an empty directory.
leaves_the_pins()
{
	find /run/bulkhead /var/lib/bulkhead -mindepth 1
	[ -z "$(find /run/bulkhead -mindepth 1)" ] &&
		[ -e /sys/fs/bpf/bulkhead/maps/bh_control ] &&
		[ -z "$(find bundle/rootfs -newer agent.out)" ] && ! pgrep -x bulkhead
}

mkdir -p again volumes/account
cp "$BULKHEAD" again/bulkhead
ln -s /mnt/tree/build/packages again/packages
it "an image is built" test -n "$BUILT_IMAGE"
is_built_again >again.log 2>&1 3>&- &
again=$!
it "another's tools can read it" unpack
it "in it is one program that can be started" has_one_program
it "and the licence of each package" has_licences
it "the DaemonSet starts what it starts" manifests is_the_images_command bundle
for pod in web:10 client:11 intruder:12; do
	add_station "veth-${pod%:*}" "10.244.0.${pod#*:}"
done
serve veth-web tcp/80 tcp/8080
start_cluster
make_container
it "it starts as the DaemonSet says, and is ready" start_container
it "it is live" probe healthz
it "PR-05: of what the pod has it keeps BPF and NET_ADMIN" holds 0000008000001000
it "the pods are found" wait_for 5 pods_are_known
it "root of the node may ask, too" asks_from_the_node
it "and nobody else" refuses_others
it "what the cluster's policy says is enforced" lets_whom_it_should
it "it stops" stops
it "and leaves what is pinned" leaves_the_pins
it "which stays in force" lets_whom_it_should
it "it starts again" start_container
it "and enforces" lets_whom_it_should
it "the same packages give the same image" wait "$again"
end_test
