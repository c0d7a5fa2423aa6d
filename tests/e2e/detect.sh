#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Alerts: what scanners and others who move sideways do is told, everyday traffic is not.
. "$(dirname "$0")/lib.sh"

edge=10.0.0.10 api=10.0.16.10 api6=fd00:0:0:20::10 db=10.0.32.10 db6=fd00:0:0:30::10
bastion=10.0.48.5

add_station edge "$edge"
add_station api "$api" "$api6"
add_station db "$db" "$db6"
add_station bastion "$bastion"
mapfile -t farm < <(seq -f 10.0.17.%g 1 20)
add_station farm "${farm[@]}"

cat >policy.yaml <<'END'
apiVersion: bulkhead.dev/v1
kind: ZonePolicy
metadata: {name: detect}
spec:
  zones:
    - {name: dmz, cidrs: [10.0.0.0/20]}
    - {name: internal, cidrs: [10.0.16.0/20, "fd00:0:0:20::/64"]}
    - {name: store, role: data, cidrs: [10.0.32.0/20, "fd00:0:0:30::/64"]}
    - {name: management, cidrs: [10.0.48.0/20]}
  workloads:
    - {name: edge, zone: dmz, addresses: [10.0.0.10]}
    - {name: api, zone: internal, addresses: [10.0.16.10, "fd00:0:0:20::10"]}
    - {name: farm, zone: internal, addresses: [10.0.17.0/24]}
    - {name: db, zone: store, addresses: [10.0.32.10, "fd00:0:0:30::10"]}
    - {name: bastion, zone: management, addresses: [10.0.48.5]}
  rules:
    - {name: web, from: edge, to: api, services: [tcp/8080, icmp/echo-request]}
    - {name: sql, from: api, to: db, services: tcp/5432}
    - {name: names, from: internal, to: bastion, services: udp/5353}
    - {name: scrape, from: bastion, to: any, services: tcp/9100, log: true}
END
cat >eager.yaml <<'END'
detect: {window: 1m, ports: 5, hosts: 5, quiet: 2s, beats: 4}
END
attach="--attach edge=edge --attach api=api --attach db=db --attach bastion=bastion
	--attach farm=farm"

scan()
{
	local from=$1
	shift

	in_ns "$from" nmap -n -Pn --max-retries 0 "$@" >"$work/nmap" 2>&1
}

alerts()
{
	"$BULKHEAD" observe --type alert --last 1000 "$@"
}

# is_told ID SENTENCE: an alert like this is there, soon.
is_told()
{
	wait_for 2 has_alert "$@" || {
		alerts
		return 1
	}
}

has_alert()
{
	alerts | grep -E " alert $1 $2"
}

count_of()
{
	status_value "alerts.$1"
}

# tries STATION ADDRESS PORT: one SYN, whose answer nobody waits for.
tries()
{
	in_ns "$1" "$python" - "$2" "$3" <<-'END'
	import socket, sys
	s = socket.socket()
	s.setblocking(False)
	s.connect_ex((sys.argv[1], int(sys.argv[2])))
	END
}

everyday()
{
	for _ in 1 2 3 4 5; do
		reaches edge "$api" tcp/8080 && reaches api "$db" tcp/5432 &&
			reaches api "$bastion" udp/5353 || return 1
	done
	in_ns edge ping -qc5 -i0.02 "$api" || return 1
	in_ns bastion "$python" - "${farm[@]}" <<-'END'
	import socket, sys
	for address in sys.argv[1:]:
	    with socket.create_connection((address, 9100), 10) as s:
	        assert s.recv(9) == b"hello\n"
	END
	tries edge "$db" 5432
	tries edge "$db" 5432
}

# From every address of the farm, one SYN to the database.
crowd()
{
	in_ns farm "$python" - "$db" "${farm[@]}" <<-'END'
	import socket, sys
	for address in sys.argv[2:]:
	    s = socket.socket()
	    s.setblocking(False)
	    s.bind((address, 0))
	    s.connect_ex((sys.argv[1], 9))
	    s.close()
	END
}

# Attempts until it is killed: on a busy machine the first ones may be irregular.
beats()
{
	exec nsenter --net=/run/netns/api -- "$python" -c '
import socket, sys, time
while True:
    s = socket.socket()
    s.setblocking(False)
    s.connect_ex((sys.argv[1], 443))
    s.close()
    time.sleep(2.15)' "$bastion"
}

serve api tcp/8080
serve db tcp/5432
serve bastion udp/5353
serve farm tcp/9100

it "the agent enforces" start_agent - --policy policy.yaml $attach
it "everyday traffic flows" everyday
it "and drops are told" sh -c "'$BULKHEAD' observe --type drop | grep -q ' edge(dmz) .*:5432 '"
it "but raise no alert" sh -c "[ -z \"\$('$BULKHEAD' observe --type alert)\" ]"
it "nor do they count as one" [ "$(count_of BD001) $(count_of BD005)" = "0 0" ]

"$BULKHEAD" observe -f --type alert -o json >followed 2>/dev/null &
follower=$!
wait_for 5 is_followed 1
it "a fast scan" scan api -sS -T4 --min-rate 3000 -p1-1500 "$db"
it "is told" is_told BD001 "api\(internal\) $api tried 10 ports of db\(store\) $db in "
it "once" [ "$(count_of BD001)" -eq 1 ]
it "a fast scan over IPv6" scan api -6 -sS -T4 --min-rate 3000 -p1-500 "$db6"
it "is told" is_told BD001 "api\(internal\) $api6 tried 10 ports of db\(store\) $db6 in "
it "a scan without SYN" scan edge -sF -T4 --min-rate 3000 -p1-500 "$db"
it "is told" is_told BD001 "edge\(dmz\) $edge tried 10 ports of db"
it "a scan of UDP" scan bastion -sU -T4 --min-rate 1000 -p1-100 "$db"
it "is told" is_told BD001 "bastion\(management\) $bastion tried 10 ports of db"
it "a sweep" scan api -sS -T4 --min-rate 2000 -p22 10.0.17.0/26
it "is told" is_told BD002 "api\(internal\) $api tried tcp/22 on 10 hosts in "
it "a sweep of pings" in_ns edge nmap -n -sn -PE --max-retries 0 --min-rate 1000 10.0.18.0/27
it "is told" is_told BD002 "edge\(dmz\) $edge tried icmp/echo-request on 10 hosts"
tries db 198.51.100.7 443
it "data that reaches out is told" \
	is_told BD003 "db\(store\) $db, .* outside 198.51.100.7 tcp/443"
tries api "$bastion" 22
it "and who reaches for management" is_told BD004 "api\(internal\) $api .* $bastion tcp/22"
it "many of whom each tries once" crowd
it "are told" is_told BD007 "20 sources were denied on their way to db\(store\) $db"
it "a scan in another's name" scan edge -sS -D "$bastion" --min-rate 100 -p1-20 "$api"
it "is told of who sends it" is_told BD008 "edge at interface edge sent 5 packets .* $bastion"
it "nobody else is told" sh -c "! '$BULKHEAD' observe --type alert --last 1000 |
	grep -E ' alert BD00[569] '"
kill -INT "$follower"
wait "$follower" || :
it "a follower has got each" "$python" - followed <<'END'
import json, sys
alerts = [json.loads(line) for line in open(sys.argv[1])]
assert {a["id"] for a in alerts} == {"BD001", "BD002", "BD003", "BD004", "BD007", "BD008"}, alerts
assert all(a["type"] == "alert" and a["text"] and a["evidence"] for a in alerts)
assert all(a["source"]["zone"] for a in alerts if a["id"] != "BD008")
END
it "all of it is in the log" grep -qE 'level=warning msg=alert id=BD008 text="edge at' agent.log
it_not "alerts stand alone" "$BULKHEAD" observe --type alert --type drop
it "the agent ends in order" stop_agent TERM

# --- slower, with lower thresholds ---

it "the agent enforces" start_agent - --policy policy.yaml --config eager.yaml $attach
beats 3>&- &
beating=$!
sleep 2
tries bastion "$api" 9
it "the first denial of who was quiet is told" is_told BD005 "bastion\(management\) $bastion was"
it "a slow scan" scan edge -sS --scan-delay 400ms -p1-6 "$db"
it "is told" is_told BD001 "edge\(dmz\) $edge tried 5 ports of db\(store\) $db in [0-9]+ s"
it "regular attempts are told" wait_for 15 has_alert BD006 \
	"api\(internal\) .* tcp/443 every [23] s, 4 times"
kill "$beating"
it "alerts are found by who caused them" \
	sh -c "'$BULKHEAD' observe --type alert --from bastion | grep -c . | grep -qx 1"
it "the agent ends in order" stop_agent TERM

end_test
