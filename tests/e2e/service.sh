#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The package's unit under a service manager of its own, on a copy of this machine: its sandbox lets
# the agent do what it must, and a killed agent comes back.
. "$(dirname "$0")/lib.sh"

readonly root=$work/root
readonly cgroups=$work/cgroups
readonly group=$cgroups/bulkhead-test-$RANDOM$RANDOM
manager=

mkdir -p build upper inner "$root" "$cgroups"
cp "$BULKHEAD" build/bulkhead
add_station server 192.0.2.10 2001:db8::10
add_station visitor 198.51.100.7 2001:db8:1::7
serve server tcp/80 tcp/8080

# The kernel keeps control groups; what runs in ours ends first.
mount -t cgroup2 cgroup2 "$cgroups"
mkdir "$group"

# shellcheck disable=SC2317 # called by the trap
remove_group()
{
	[ ! -e "$group/cgroup.kill" ] || echo 1 >"$group/cgroup.kill"
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || :
		[ -d "$group" ] || break
		sleep 0.2
	done
}
trap remove_group EXIT

# --- the machine: this one, with the package, and nothing else to start ---

mount -t overlay -o "lowerdir=/,upperdir=$work/upper,workdir=$work/inner" overlay "$root"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/run"
cp "$(/mnt/tree/scripts/deploy/deb build "$work")" "$root/bulkhead.deb"
it "the package installs" chroot "$root" dpkg --no-triggers -i /bulkhead.deb
cp "$policies/web-server.yaml" "$root/etc/bulkhead/policy.d/"
echo 'attach: [eth0]' >>"$root/etc/bulkhead/agent.yaml"
mkdir -p "$root/etc/systemd/system/bulkhead.service.d"
cat >"$root/etc/systemd/system/bulkhead.service.d/log.conf" <<-'END'
[Service]
StandardOutput=append:/agent.log
StandardError=append:/agent.log
END
printf '[Unit]\nWants=bulkhead.service\n' >"$root/etc/systemd/system/test.target"
cat >manager.sh <<'END'
mount -t proc proc "$1/proc"
mount -t cgroup2 cgroup2 "$1/sys/fs/cgroup"
export container=test
exec chroot "$1" /lib/systemd/systemd --system --unit=test.target --log-target=null
END

start_manager()
{
	nsenter --net=/run/netns/server -- sh -c 'echo $$ >"$1/cgroup.procs"
		exec unshare --pid --fork --mount --cgroup --ipc sh manager.sh "$2"' \
		sh "$group" "$root" >manager.log 2>&1 3>&- &
	wait_for 10 pgrep -x systemd
	manager=$(pgrep -o -x systemd) # and not one of those that it starts
	wait_for 30 is_active
}

inside()
{
	nsenter --target "$manager" --mount --pid --net --root --wd -- "$@"
}

is_active()
{
	inside systemctl is-active bulkhead.service
}

enforces()
{
	reaches visitor 192.0.2.10 tcp/80 && reaches visitor 2001:db8::10 tcp/80 &&
		shut visitor 192.0.2.10,8080 2001:db8::10,8080
}

# has KEY VALUE: in the agent's /proc/PID/status
has()
{
	grep -E "^$1:[[:space:]]*$2\$" "/proc/$(pgrep -x bulkhead)/status"
}

mode_is()
{
	inside stat -c '%a %U:%G' "$2" | grep -x "$1"
}

is_another()
{
	[ "$(pgrep -x bulkhead)" != "$1" ] && is_active
}

it "the service starts" start_manager
it "and enforces" enforces
it "the socket is root's and the group's" mode_is '660 root:bulkhead' /run/bulkhead/control.sock
it "so is its directory" mode_is '750 root:bulkhead' /run/bulkhead
it "PR-03: the state is root's" mode_is '700 root:root' /var/lib/bulkhead
it "PR-01: no new privileges" has NoNewPrivs 1
it "PR-01: it keeps CAP_NET_ADMIN and CAP_BPF" has CapEff 0000008000001000
it "root is answered" inside bulkhead status
it "a reload" inside systemctl reload bulkhead.service
it "reads the policy again" wait_for 5 grep -q generation=2 "$root/agent.log"
readonly first=$(pgrep -x bulkhead)
kill -KILL "$first"
it "nobody misses a killed agent" enforces
it "which comes back" wait_for 20 is_another "$first"
it "and enforces" enforces
it "stopping the service" inside systemctl stop bulkhead.service
it "leaves the policy in force" enforces
it "LI-25: removing the package" inside dpkg --no-triggers -P bulkhead
it "ends it" reaches visitor 192.0.2.10 tcp/8080

end_test
