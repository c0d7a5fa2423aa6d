#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# /metrics, /healthz and /readyz: what they say is what was counted, and nobody does harm with them.
. "$(dirname "$0")/lib.sh"

readonly monitoring=/mnt/tree/scripts/deploy/monitoring
readonly fresh=2 # seconds: metrics are half a second old at most, the rules' one

scrape()
{
	"$python" "$here/scrape.py" "$@"
}

page()
{
	curl -s -o "$work/page" -w '%{http_code}' "http://127.0.0.1:9478$1" "${@:2}" || :
}

# answers PATH CODE [OPTION…]
answers()
{
	local path=$1 code=$2 seen
	shift 2

	seen=$(page "$path" "$@")
	echo "$seen: $(head -n 3 "$work/page")"
	[ "$seen" = "$code" ]
}

# counts NUMBER NAME LABEL=VALUE…: -gt and the like may stand before the number.
counts()
{
	local comparison=-eq seen
	[ $# -lt 3 ] || case $1 in -*) comparison=$1 && shift ;; esac
	local number=$1
	shift

	seen=$(scrape sum "$@") && echo "$seen" && [ "${seen%.*}" "$comparison" "$number" ]
}

is_well_formed()
{
	curl -s http://127.0.0.1:9478/metrics | promtool check metrics >"$work/lint" 2>&1
	cat "$work/lint"
	[ ! -s "$work/lint" ]
}

expressions_are_valid()
{
	scrape rules "$monitoring/dashboard.json" >expressions.yaml &&
		promtool check rules expressions.yaml
}

# What the counters say, in metrics and in status; by reason, by verdict and by outcome.
books_balance()
{
	local dropped produced rejected outcomes

	dropped=$(scrape sum bulkhead_drop_packets_total)
	produced=$(scrape sum bulkhead_events_produced_total verdict=deny)
	rejected=$(scrape sum bulkhead_events_produced_total verdict=reject)
	outcomes=$(scrape sum bulkhead_events_total)
	echo "dropped $dropped, denied $produced, rejected $rejected, outcomes $outcomes"
	[ "$dropped" -gt 0 ] && [ "$dropped" = "$(status_value dropped)" ] &&
		[ "$dropped" -eq $((produced + rejected)) ] && [ "$dropped" -eq "$outcomes" ]
}

agent_fds()
{
	find "/proc/$agent_pid/fd" -mindepth 1 | wc -l
}

resident_kib()
{
	awk '/^VmRSS/ { print $2 }' "/proc/$agent_pid/status"
}

# What clients have cost is given back.
is_as_before()
{
	echo "descriptors $fds_before, then $(agent_fds); KiB $kib_before, then $(resident_kib)"
	[ "$(agent_fds)" -le "$fds_before" ] && [ "$(resident_kib)" -lt $((kib_before + 16384)) ]
}

two_workloads shop -- '{name: app-to-db, from: app, to: db, services: tcp/5432}' \
	'{name: no-telnet, from: app, to: db, services: tcp/23, action: reject}' >policy.yaml
add_station app 10.0.16.10 fd00:0:0:20::10
add_station db 10.0.32.10 fd00:0:0:30::10
serve db tcp/5432

# --- an address that somebody else has ---

it "an address is not a name" exits_with 2 "$BULKHEAD" run --policy policy.yaml \
	--metrics localhost:1
"$python" -m http.server --bind 127.0.0.1 9478 >server.log 2>&1 &
server=$!
wait_for 5 curl -sf http://127.0.0.1:9478/
it "enforces though its port is taken" start_agent - --policy policy.yaml --attach app=app \
	--attach db=db --metrics 9478
it "says so" grep -q 'metrics not served.*Address already in use' agent.log
kill "$server"
wait "$server" || :
it "serves once it has the port" wait_for 5 answers /healthz 200

# --- what is said ---

it "is ready" answers /readyz 200
it "is no other page" answers /nothing 404
it "answers HEAD" answers /metrics 200 --head
for method in POST PUT DELETE; do
	it "refuses $method" answers /metrics 405 -X "$method"
done
it "what is allowed passes" reaches app 10.0.32.10 tcp/5432
it "what is denied doesn't" shut app 10.0.32.10,80 fd00:0:0:30::10,81 10.0.32.10,23
it "is well-formed" is_well_formed
it "has books that balance" wait_for "$fresh" books_balance
it "counts by rule" wait_for "$fresh" \
	counts -gt 4 bulkhead_rule_packets_total rule=app-to-db action=allow
it "counts a rule that rejects" wait_for "$fresh" \
	counts -gt 0 bulkhead_rule_packets_total rule=no-telnet
it "counts by zone" wait_for "$fresh" \
	counts -gt 4 bulkhead_zone_packets_total zone=data result=passed
it "counts drops by zone" wait_for "$fresh" \
	counts -gt 1 bulkhead_zone_packets_total zone=internal result=dropped
it "counts events between zones" wait_for "$fresh" counts -gt 1 bulkhead_zone_pair_events_total \
	from_zone=internal to_zone=data verdict=deny
it "tells of endpoints" counts 2 bulkhead_endpoints_attached kind=workload
it "has no address in a label" scrape has_no_address
it "the dashboard and the alerts use what there is" scrape uses "$monitoring/dashboard.json" \
	"$monitoring/alerts.yaml"
it "the dashboard's expressions are valid" expressions_are_valid
it "the alerts are valid" promtool check rules "$monitoring/alerts.yaml"

# --- policies ---

cp policy.yaml good.yaml
sed 's/to: db/to: dba/' good.yaml >policy.yaml
kill -HUP "$agent_pid"
it "a wrong policy is counted" wait_for 5 counts 1 bulkhead_policy_swap_failures_total
cp good.yaml policy.yaml
sed 's/5432/5433/' policy.yaml >other.yaml
it "another policy comes into force" "$BULKHEAD" apply other.yaml
it "and is counted" wait_for "$fresh" \
	counts 2 bulkhead_policy_swap_duration_seconds_count
it "and named by its hash" wait_for "$fresh" \
	counts 1 bulkhead_policy_info "hash=$(status_value policy.hash)"
it "a policy is tried" "$BULKHEAD" apply --confirm 60 policy.yaml
it "and told to be unconfirmed" wait_for "$fresh" counts 1 bulkhead_policy_unconfirmed
it "it is confirmed" "$BULKHEAD" confirm

# --- who would do harm ---

fds_before=$(agent_fds)
kib_before=$(resident_kib)
it "answers whatever others do" scrape abuse
it "what is allowed passes all the while" reaches app 10.0.32.10 tcp/5432
it "gives back what clients cost" wait_for 12 is_as_before

# --- what is amiss ---

ip link del dev db
it "isn't ready without an interface" wait_for 5 answers /readyz 503
it "says which one" grep -q "interface 'db': there is no such interface" "$work/page"
it "is alive all the same" answers /healthz 200
it "counts it as missing" wait_for "$fresh" counts 1 bulkhead_endpoints_missing interface=db
it "the agent ends" stop_agent TERM
it "nobody serves then" answers /healthz 000
it "serves nothing unless it is told to" start_agent - --policy policy.yaml --attach app=app
it "so nobody answers" answers /healthz 000
stop_agent TERM
"$BULKHEAD" detach

# --- many rules ---

{
	two_workloads many --
	for ((i = 0; i < 5000; i++)); do
		echo "    - {name: r$i, from: app, to: db, services: tcp/$((i + 1))}"
	done
} >many.yaml
it "enforces five thousand rules" start_agent - --policy many.yaml --attach app=app \
	--metrics '[::1]:9478'
tells_of_rules()
{
	curl -s 'http://[::1]:9478/metrics' >many.metrics
	[ "$(grep -c '^bulkhead_rule_packets_total' many.metrics)" -eq "$1" ]
}

it "tells of the first ones by name" wait_for "$fresh" tells_of_rules 4097
it "and of the others together" grep -q '^bulkhead_rule_packets_total{rule="(other)"' many.metrics
it "is well-formed then, too" promtool check metrics <many.metrics

end_test
