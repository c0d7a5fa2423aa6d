#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What an agent keeps for its next start, and what becomes of a start that can't be: IN-12, LI-20,
# LI-21, LI-23.
. "$(dirname "$0")/lib.sh"

readonly kept=$work/state/last-good
readonly pins=/sys/fs/bpf/bulkhead
readonly clients=1000 # at once, at the control socket

# write_policy PORT
write_policy()
{
	client_and_server kept "{name: web, from: client, to: server, services: tcp/$1}" \
		>policy.yaml
}

start_here()
{
	start_agent - --policy policy.yaml --attach client=client --attach server=server "$@"
}

# lets PORT: this one, and not the other.
lets()
{
	local other=$((161 - $1))

	reaches client 10.0.2.1 "tcp/$1" && reaches client fd00:2::1 "tcp/$1" &&
		shut client "10.0.2.1,$other" "fd00:2::1,$other"
}

lets_nothing()
{
	shut client 10.0.2.1,80 fd00:2::1,80 10.0.2.1,81 fd00:2::1,81
}

lets_everything()
{
	reaches client 10.0.2.1 tcp/80 tcp/81 && reaches client fd00:2::1 tcp/80 tcp/81
}

origin_is()
{
	[ "$(status_value policy.origin)" = "$1" ]
}

says()
{
	grep -qE "$1" agent.log
}

# As after a boot: nothing is in force.  What the agent said is forgotten, too.
boot()
{
	stop_agent TERM || :
	"$BULKHEAD" detach >/dev/null
	: >agent.log
}

# fails_to_run CODE WORDS COMMAND…: and nothing is attached, or left.
fails_to_run()
{
	local code=$1 words=$2
	shift 2

	exits_with "$code" "$@" || return
	cat err
	grep -qE "$words" err && [ ! -s out ] && [ ! -e "$pins" ]
}

# fails_second WORDS COMMAND…: an agent besides the one that runs.
fails_second()
{
	local words=$1
	shift

	exits_with 1 "$@" && grep -E "$words" err
}

# in_mounts CHANGE WORDS: an agent where the mounts are changed so.
in_mounts()
{
	fails_to_run 1 "$2" unshare --mount sh -c "$1 && exec '$BULKHEAD' run --policy policy.yaml \
		--attach client=client --state-dir '$work/state'"
}

# Where they were, programs would be adapted to them; ours have nothing to adapt.
starts_without_types()
{
	: >out
	timeout -s TERM $((20 * times_as_long)) \
		unshare --mount sh -c "mount -t tmpfs tmpfs /sys/kernel/btf &&
		exec '$BULKHEAD' run --policy policy.yaml --attach client=client \
		--state-dir '$work/state'" >>out 2>err &
	if ! wait_for 18 grep -qx ready out; then
		cat err
		return 1
	fi
	lets 80 || return
	kill -TERM "$!"
	wait "$!" || :
}

run_here()
{
	"$BULKHEAD" run --policy policy.yaml --attach client=client --attach server=server \
		--state-dir "$work/state" "$@"
}

add_station client 10.0.1.1 fd00:1::1
add_station server 10.0.2.1 fd00:2::1
serve server tcp/80 tcp/81

# --- the last good policy ---

write_policy 80
it "an agent enforces" start_here
it "it keeps its policy" test -s "$kept"
it "for nobody else to read" test "$(stat -c %a "$work/state" "$kept" | xargs)" = "700 600"
write_policy 81
it "another policy is applied" "$BULKHEAD" apply policy.yaml
it "it is kept before that is answered" grep -qF tcp/81 "$kept"
write_policy 80
it "one is tried" "$BULKHEAD" apply --confirm 60 policy.yaml
it "it is not kept" grep -qF tcp/81 "$kept"
it "until it is confirmed" "$BULKHEAD" confirm
it "within a sweep" wait_for 8 grep -qF tcp/80 "$kept"
write_policy 81
it "the one before is applied again" "$BULKHEAD" apply policy.yaml
it "a broken one is refused" exits_with 2 "$BULKHEAD" apply <(echo nonsense)
it "and not kept" grep -qF tcp/81 "$kept"

boot
mv policy.yaml away.yaml
it "the next boot finds no policy, and takes that one" start_here
it "it says so, and why" says 'last good one is in force.* error="[^"]'
it "the status, too" origin_is last-good
it "what it allowed is allowed, and nothing else" lets 81
boot
echo 'kind: nonsense' >policy.yaml
it "it does so for a broken policy" start_here
it "whose errors are shown" says 'policy.yaml:1:.*error'
it "and enforces" lets 81
mv away.yaml policy.yaml
it "a policy that is applied ends that" "$BULKHEAD" apply policy.yaml
it "as the status says" origin_is given

cp "$kept" good
size=$(stat -c %s good)
mv policy.yaml away.yaml
for damage in "cut at a block" "a byte changed" "nothing in it" "somebody else's"; do
	boot
	cp good "$kept"
	case $damage in
	cut*) truncate -s $((size / 128 * 64)) "$kept" ;;
	a\ byte*) printf '#' | dd of="$kept" bs=1 seek=$((size - 3)) conv=notrunc status=none ;;
	nothing*) : >"$kept" ;;
	some*) chmod 666 "$kept" ;;
	esac
	it "IN-12: $damage: the agent starts" start_here
	it "IN-12: $damage: it refuses what is there" says 'last good policy refused.*error='
	it "IN-12: $damage: nothing passes" lets_nothing
done
it "a fallback is not kept as if it were good" origin_is fallback
it "access for a while, beside the fallback" "$BULKHEAD" allow --for 2s --from 10.0.1.1 \
	--to 10.0.2.1 --service tcp/80 --reason "the database is on fire"
it "that makes the fallback no better" origin_is fallback
it "what is there stays as it is" test "$(stat -c %s "$kept")" -eq "$size"

boot
echo 'fallback: open' >agent.yaml
it "a declared fallback is taken" start_here --config agent.yaml
it "as the log says" says 'fallback="open"'
it "open: everything passes" lets_everything
it "and is reported" sh -c "'$BULKHEAD' observe | grep -q audit"
boot
echo "fallback: $work/fallback.yaml" >agent.yaml
sed -e 's,rules:,failsafe: [{direction: ingress\, services: tcp/80\, from: any}]\n  rules:,' \
	-e 's,tcp/81,tcp/7,' away.yaml >fallback.yaml
it "a policy may be the fallback" start_here --config agent.yaml
it "with its failsafe" lets 80
boot
echo nonsense >fallback.yaml
it "one that does not load either" start_here --config agent.yaml
it "is closed" lets_nothing

boot
rm "$kept"
it "where nothing was ever good, and no fallback declared, nothing is enforced" \
	fails_to_run 2 "the policy is not valid" run_here
mv away.yaml policy.yaml
it "an agent enforces again" start_here
it_not "it is killed" stop_agent KILL
mv policy.yaml away.yaml
echo torn >"$kept"
it "what is in force is better than a fallback" exits_with 2 run_here
it "that is said" grep -F 'the one in force stays' err
it "it is in force" lets 81
mv away.yaml policy.yaml

# --- two agents ---

: >agent.log
it "an agent starts" start_here
it "LI-21: a second one on the same state directory is told" fails_second \
	"another agent runs on state directory.*pid $agent_pid" \
	run_here --socket "$work/second.sock"
it "LI-21: one on the same socket, too" \
	fails_second "answers on .*control.sock" run_here --state-dir "$work/second"
it "LI-21: the first one is as before" lets 81
it "LI-21: and answers" "$BULKHEAD" status

# --- a full disk, and clients that are none ---

mkdir small
mount -t tmpfs -o size=64k,mode=700 tmpfs small
boot
it "an agent's state is on a small disk" start_here --state-dir "$work/small"
cp small/last-good before
dd if=/dev/zero of=small/full bs=4k status=none 2>/dev/null || :
write_policy 80
dd if=/dev/urandom bs=1k count=20 status=none | base64 | sed 's/^/# /' >>policy.yaml
it "LI-23: on a full disk a policy is applied" "$BULKHEAD" apply policy.yaml
it "LI-23: and enforced" lets 80
it "LI-23: that it is not kept is said" says 'policy not kept for the next start.*No space'
it "LI-23: in the status, too" test "$(status_value policy.kept)" = False
it "LI-23: what was kept is whole" cmp before small/last-good
rm small/full
it "LI-23: with room again, it is kept" wait_for 8 grep -qF tcp/80 small/last-good

memory()
{
	awk '/^VmRSS/ { print $2 }' "/proc/$agent_pid/status"
}

before=$(memory)
it "LI-20: $clients clients with garbage, half a request, or gigabytes do no harm" \
	"$python" "$here/clients.py" "$clients"
echo "# the agent's RSS: $before KiB before the clients, $(memory) KiB after"
it "LI-20: the agent did not grow by more than 16 MiB" test $(($(memory) - before)) -lt 16384
it "LI-20: it answers" wait_for 40 "$BULKHEAD" status
it "LI-20: it enforces" lets 80

# --- where no agent can be ---

boot
it "LI-23: without a bpf file system" in_mounts "umount /sys/fs/bpf" 'bpf ?file ?system'
it "LI-23: with one that is read-only" \
	in_mounts "mount -o remount,bind,ro /sys/fs/bpf" 'Read-only file system'
it "LI-23: the kernel's types are not needed" starts_without_types
it "LI-23: it is taken off again" "$BULKHEAD" detach
for capability in bpf net_admin; do
	it "LI-23: without CAP_${capability^^}" fails_to_run 1 'takes CAP_BPF' \
		setpriv --bounding-set="-$capability,-sys_admin" --inh-caps=-all -- \
		"$BULKHEAD" run --policy policy.yaml --attach client=client \
		--state-dir "$work/state"
done
for limit in 10 20 40; do
	it "LI-23: with $limit descriptors" fails_to_run 1 'Too many open files' \
		sh -c "ulimit -n $limit; exec '$BULKHEAD' run --policy policy.yaml \
			--attach client=client --attach server=server --state-dir '$work/state'"
done
it "LI-23: with a state directory that others may write to" fails_to_run 1 'written by others' \
	run_here --state-dir /tmp
it "after all of these, an agent starts" start_here
it "and enforces" lets 80
it "the agent stops" stop_agent TERM
it "detach leaves nothing" "$BULKHEAD" detach

end_test
