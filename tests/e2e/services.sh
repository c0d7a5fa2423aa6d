#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What pods send to Services' addresses is decided on who gets it, behind the rules that kube-proxy
# makes in its nftables mode: pods behind routes and at a bridge, backends here and on another node.
. "$(dirname "$0")/lib.sh"

readonly node4=192.0.2.1 node6=2001:db8::1 far4=192.0.2.2 far6=2001:db8::2

# --- the cluster's API ---

# pod NAME NODE NUMBER [LABEL]: its label is its name's start, before a digit.
pod()
{
	echo '{"put": {"kind": "Pod", "apiVersion": "v1",
		"metadata": {"name": "'"$1"'", "namespace": "shop",
			"labels": {"app": "'"${4:-${1%%[0-9]*}}"'"}},
		"spec": {"nodeName": "'"$2"'"},
		"status": {"phase": "Running", "podIPs": [{"ip": "10.244.'"$3"'"},
			{"ip": "fd00:10:0:'"${3/./::}"'"}]}}}' | tr -d '\n\t'
	echo
}

# service NUMBER PORT [NODE-PORT]
service()
{
	local port="\"port\": $2${3:+, \"nodePort\": $3}"

	echo '{"put": {"kind": "Service", "apiVersion": "v1",
		"metadata": {"name": "service-'"$1"'", "namespace": "shop"},
		"spec": {"clusterIPs": ["10.96.0.'"$1"'", "fd00:96::'"$1"'"],
			"ports": [{'"$port"', "protocol": "TCP"},
				{'"$port"', "protocol": "UDP"}]}}}' | tr -d '\n\t'
	echo
}

# slice NUMBER BACKEND...: of the Service; each is NODE.HOST, and all are at port 8080.
slice()
{
	local number=$1 backend v4= v6=
	shift

	for backend; do
		v4="$v4${v4:+, }{\"addresses\": [\"10.244.$backend\"]}"
		v6="$v6${v6:+, }{\"addresses\": [\"fd00:10:0:${backend/./::}\"]}"
	done
	family_slice "$number" IPv4 "$v4" "${port_of[$number]:-8080}"
	family_slice "$number" IPv6 "$v6" "${port_of[$number]:-8080}"
}

readonly port_of=([6]=7000 [8]=8443 [10]=7001)

# family_slice NUMBER FAMILY ENDPOINTS PORT
family_slice()
{
	echo '{"put": {"kind": "EndpointSlice", "apiVersion": "discovery.k8s.io/v1",
		"metadata": {"name": "service-'"$1-${2,,}"'", "namespace": "shop",
			"labels": {"kubernetes.io/service-name": "service-'"$1"'"}},
		"addressType": "'"$2"'", "endpoints": ['"$3"'],
		"ports": [{"port": '"$4"', "protocol": "TCP"},
			{"port": '"$4"', "protocol": "UDP"}]}}' | tr -d '\n\t'
	echo
}

# policy NAME SELECTED DIRECTION PEERS PORTS
policy()
{
	local key=from

	[ "$3" = Ingress ] || key=to
	echo '{"put": {"kind": "NetworkPolicy", "apiVersion": "networking.k8s.io/v1",
		"metadata": {"name": "'"$1"'", "namespace": "shop"},
		"spec": {"podSelector": {"matchLabels": {"app": "'"$2"'"}},
			"policyTypes": ["'"$3"'"], "'"${3,,}"'": [
			{"'"$key"'": ['"$4"'], "ports": ['"$5"']}]}}}' | tr -d '\n\t'
	echo
}

# Of the pod on the other node, where nobody else looks.
secure_policy()
{
	echo '{"put": {"kind": "ZonePolicy", "apiVersion": "bulkhead.dev/v1",
		"metadata": {"name": "tls"}, "spec": {"rules": [{"name": "secure",
			"from": "shop/client1", "to": "shop/web2", "services": "tcp/8443",
			"require": "tls"}]}}}' | tr -d '\n\t'
	echo
}

# label NAME: of pods
label()
{
	echo "{\"podSelector\": {\"matchLabels\": {\"app\": \"$1\"}}}"
}

# port NUMBER…
port()
{
	local number list=

	for number; do
		list="$list${list:+, }{\"port\": $number, \"protocol\": \"TCP\"}"
		list="$list, {\"port\": $number, \"protocol\": \"UDP\"}"
	done
	echo "$list"
}

fill_cluster()
{
	echo '{"put": {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "shop"}}}'
	pod web1 node-a 0.10
	pod client1 node-a 0.11
	pod secret1 node-a 0.12
	pod client2 node-a 1.11
	pod web3 node-a 1.10
	pod web2 node-b 9.10
	pod secret2 node-b 9.12
	service 1 80 30080
	service 2 80
	service 3 80 30083
	service 4 80
	service 5 80
	service 6 7000
	service 7 80
	service 8 443
	service 9 80
	service 10 7001
	slice 1 0.10
	slice 2 9.10
	slice 3 0.12
	slice 4 9.12
	slice 5 0.10 9.10
	slice 6 0.10
	slice 7 1.10
	slice 8 9.10
	slice 10 0.10
	secure_policy
	policy client-out client Egress "$(label web)" "$(port 8080 7000 7001)"
	policy web-in web Ingress "$(label client), {\"ipBlock\": {\"cidr\": \"$far4/32\"}},
		{\"ipBlock\": {\"cidr\": \"$far6/128\"}}, $(label web)" "$(port 8080 7000 7001)"
	policy secret-in secret Ingress "$(label nobody)" "$(port 8080)"
	echo '{"open": true}'
}

start_api()
{
	make_certificate api.key api.crt 127.0.0.1
	echo secret >token
	serve_api api.crt api.key token
	fill_cluster | tell
}

# --- the node ---

# add_behind NAME ADDRESS4 ADDRESS6: of the other node.
add_behind()
{
	ip netns add "$1"
	ip link add name "$1" netns far type veth peer name eth0 netns "$1"
	in_ns far ip addr add 169.254.1.1/32 dev "$1"
	in_ns far ip -6 addr add fe80::1/64 dev "$1" nodad
	in_ns far ip link set dev "$1" up
	in_ns far ip route add "$2" dev "$1"
	in_ns far ip -6 route add "$3" dev "$1"
	in_ns "$1" ip link set dev eth0 up
	in_ns "$1" ip addr add "$2/32" dev eth0
	in_ns "$1" ip addr add "$3/128" dev eth0 nodad
	in_ns "$1" ip route add 169.254.1.1 dev eth0
	in_ns "$1" ip route add default via 169.254.1.1
	in_ns "$1" ip -6 route add default via fe80::1 dev eth0
}

# Another node, and what is outside of all.
add_far()
{
	ip netns add far
	in_ns far sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	ip link add name uplink type veth peer name eth0 netns far
	ip addr add $node4/24 dev uplink
	ip addr add $node6/64 dev uplink nodad
	ip link set dev uplink up
	in_ns far ip link set dev lo up
	in_ns far ip link set dev eth0 up
	in_ns far ip addr add $far4/24 dev eth0
	in_ns far ip addr add $far6/64 dev eth0 nodad
	in_ns far ip addr add 192.0.2.3/24 dev eth0
	add_behind web2 10.244.9.10 fd00:10:0:9::10
	add_behind secret2 10.244.9.12 fd00:10:0:9::12
	add_behind nobody 10.96.0.9 fd00:96::9
	in_ns far ip route add default via $node4
	in_ns far ip -6 route add default via $node6
	ip route add default via $far4
	ip -6 route add default via $far6
}

# Answers between two pods at it must come by, too.
add_bridge()
{
	ip link add cni0 type bridge
	ip addr add 10.244.1.1/24 dev cni0
	ip addr add fd00:10:0:1::1/64 dev cni0 nodad
	ip link set dev cni0 up
	sysctl -qw net.bridge.bridge-nf-call-iptables=1 net.bridge.bridge-nf-call-ip6tables=1
}

# add_bridged NAME NUMBER
add_bridged()
{
	ip netns add "$1"
	ip link add name "$1" type veth peer name eth0 netns "$1"
	ip link set dev "$1" master cni0 up
	in_ns "$1" ip link set dev lo up
	in_ns "$1" ip link set dev eth0 up
	in_ns "$1" ip addr add "10.244.1.$2/24" dev eth0
	in_ns "$1" ip addr add "fd00:10:0:1::$2/64" dev eth0 nodad
	in_ns "$1" ip route add default via 10.244.1.1
	in_ns "$1" ip -6 route add default via fd00:10:0:1::1
}

# --- kube-proxy ---

readonly services=(1=30080/80:0.10:8080 2=80:9.10:8080 3=30083/80:0.12:8080 4=80:9.12:8080
	5=80:0.10:8080,9.10:8080 6=7000:0.10:7000 7=80:1.10:8080 8=443:9.10:8443 10=7001:0.10:7001)

# translate [--keep-source]: what node ports lead to, with or without SNAT.
translate()
{
	"$python" "$here/kube_proxy.py" "$node4,$node6" "$@" "${services[@]}" | nft -f -
}

# --- questions ---

everybody_is_attached()
{
	local list name

	list=$("$BULKHEAD" list endpoints -o json)
	for name in web1 client1 secret1 client2 web3; do
		grep -F "\"workload\":\"shop/$name\"" <<<"$list" |
			grep -qv '"ingress":"none"' || return 1
	done
}

# ask STATION ADDRESS,SERVICE…: what becomes of each, all at once.
ask()
{
	local station=$1
	shift

	printf '%s\n' "$@" | tr , ' ' | in_ns "$station" "$python" "$here/peer.py" ask >answers
	printf '%s\n' "$@" | paste - answers
}

readonly long=6 # seconds, where an answer is expected

# all WANTED STATION NUMBER…: each Service, by both protocols of both families.
all()
{
	local wanted=$1 station=$2 number service questions=()
	shift 2

	for number; do
		for service in tcp/80 udp/80; do
			questions+=("10.96.0.$number,$service" "fd00:96::$number,$service")
		done
	done
	ask "$station" "${questions[@]}"
	! grep -qv "$wanted" answers
}

gets()
{
	PATIENCE=$long all allow "$@"
}

refused()
{
	PATIENCE=0.3 all deny "$@"
}

# node_port WANTED PORT: to the outside.
node_port()
{
	local patience=$long

	[ "$1" = allow ] || patience=0.4
	PATIENCE=$patience ask far "$node4,tcp/$2" "$node4,udp/$2" "$node6,tcp/$2" "$node6,udp/$2"
	! grep -qv "$1" answers
}

tells()
{
	"$BULKHEAD" observe --last 2000 --reason "$1" | grep -E -- "$2"
}

# The program at netfilter's hooks, by its number.
translated_program()
{
	bpftool -j link show pinned /sys/fs/bpf/bulkhead/links/netfilter-forward-ipv4 |
		grep -o '"prog_id":[0-9]*' | cut -d: -f2
}

# hangs_on COUNT PROGRAM
hangs_on()
{
	bpftool link show
	[ "$(bpftool link show | grep -cw "prog $2")" -eq "$1" ]
}

# fetch URL…: from the server behind Service 8.
fetch()
{
	in_ns client1 curl -gsSk --max-time 20 "$@" | grep -cx hello
}

secure()
{
	[ "$(fetch https://10.96.0.8/ 'https://[fd00:96::8]/')" = 2 ]
}

# plain SECONDS
plain()
{
	in_ns client1 curl -gsS --max-time "$1" http://10.96.0.8:443/ 2>&1 | grep HTTPS
}

acknowledged()
{
	in_ns client1 ss -Htin "dport = :$1" | grep -o 'bytes_acked:[0-9]*'
}

# goes_on PORT: whether what a stream sends still arrives.
goes_on()
{
	local before

	before=$(acknowledged "$1")
	[ -n "$before" ] && sleep 0.5 && [ "$(acknowledged "$1")" != "$before" ]
}

# What is denied, all the time, in the background.
keep_asking()
{
	touch asking
	while [ -e asking ]; do
		printf '%s\n' '10.96.0.3 tcp/80' 'fd00:96::3 udp/80' '10.96.0.4 udp/80' |
			PATIENCE=0.1 in_ns client1 "$python" "$here/peer.py" ask
	done >asked 2>&1 3>&- &
	asker=$!
}

# Whether all of it was denied, and some was asked.
was_always_denied()
{
	rm asking
	wait "$asker"
	grep -q deny asked && ! grep -v deny asked
}

serve_tls()
{
	cat >nginx.conf <<-END
	daemon off;
	pid $work/nginx.pid;
	events { worker_connections 64; }
	http {
		access_log off;
		server {
			listen 8443 ssl;
			listen [::]:8443 ssl;
			ssl_certificate $work/api.crt;
			ssl_certificate_key $work/api.key;
			location / { return 200 "hello\n"; }
		}
	}
	END
	in_ns web2 nginx -c "$work/nginx.conf" -e "$work/nginx.log" >nginx.out 2>&1 3>&- &
}

put_client_policy()
{
	policy client-out client Egress "$1" "$(port 8080 7000 7001)" | tell
}

start_node()
{
	start_agent - --kubernetes node-a --config agent.yaml --attach uplink --adopt 0
}

# --- the test ---

sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
add_far
add_station web1 10.244.0.10 fd00:10::10
add_station client1 10.244.0.11 fd00:10::11
add_station secret1 10.244.0.12 fd00:10::12
add_bridge
add_bridged client2 11
add_bridged web3 10
serve web1 tcp/8080 udp/8080
serve web3 tcp/8080 udp/8080
serve secret1 tcp/8080 udp/8080
for name in web2 secret2; do
	serve $name tcp/8080 udp/8080
done
serve nobody tcp/80 udp/80
translate
cat >agent.yaml <<-END
kubernetes: {server: "https://127.0.0.1:6443", ca: api.crt, tokenFile: token, silence: 1s}
END
it "without an agent all Services are reached" wait_for 5 gets client1 1 2 3 4 5 7 9
it "without an agent they are from the bridge" gets client2 1 2 3 4 5 7 9
start_api
serve_tls
it "TLS, too" wait_for 5 secure
it "and plain text" plain 20

it "an agent starts as a node" start_node
it "its pods are found" wait_for 10 everybody_is_attached
it "a Service whose backends are allowed is reached, from behind routes" \
	wait_for 5 gets client1 1 2 5 7
it "and from the bridge" gets client2 1 2 5 7
it "but none whose backend is denied, here or on another node, or that nobody translates" \
	refused client1 3 4 9
it "nor from the bridge, though the network would answer" refused client2 3 4 9
it "events name the pod, and the backend that it was for" tells policy 'client1.*secret1.*8080'
it "on another node, too" tells policy 'client2.*secret2.*8080'
it "or that there was none" tells untranslated 'client1.*10\.96\.0\.9'
it "who isn't isolated reaches a Service whose backend lets it in" gets web1 2
it "and no other" refused secret1 1 2
it "status says that they are decided" sh -c \
	"'$BULKHEAD' status | grep -E 'services +[0-9]+ addresses, decided behind them'"
it "a rule that requires TLS lets it through" secure
it_not "but no plain text" plain 1
it "the event says so" tells plaintext 'client1.*10\.96\.0\.8'

start_stream client1 web1 10.96.0.6 7000 8
wait_for 5 acknowledged 7000
first=$(translated_program)
it "a program hangs on every hook" hangs_on 4 "$first"
bpftool link detach pinned /sys/fs/bpf/bulkhead/links/netfilter-forward-ipv6
it "taken off one, it is there again" wait_for 5 grep -q 'it is there again" hooks=1' agent.log
it "on every one" hangs_on 4 "$first"
stop_agent KILL || :
it "without the agent all goes on: what is allowed" gets client1 1
it "and what isn't" refused client1 3 9
it "another one starts" start_node
it "its pods are found again" wait_for 10 everybody_is_attached
second=$(translated_program)
it "its program hangs on every hook" hangs_on 4 "$second"
it "and the other's on none" wait_for 2 hangs_on 0 "$first"
it "and Services as before" gets client2 1 2
it "a connection through a Service outlives all that" is_whole 7000

start_stream client1 web1 10.96.0.6 7000 60
wait_for 5 acknowledged 7000
put_client_policy "$(label nobody)"
it "when its rule is revoked, one is cut" wait_for 5 tells revoked 'client1.*web1.*7000'
it "and others are refused" refused client1 1 2
kill "${pumps[7000]}"
put_client_policy "$(label web)"
it "until it is there again" wait_for 5 gets client1 1 2

it "what comes by a node port, masqueraded, is the node's" node_port deny 30080
translate --keep-source
it "as itself it is admitted" wait_for 3 node_port allow 30080
it "but not to who doesn't admit it" node_port deny 30083
it "a pod reaches itself by its Service, masqueraded" gets web1 1

nft -f - <<-END
table ip others {
	chain nat { type nat hook prerouting priority dstnat - 10
		ip daddr 198.51.100.7 tcp dport 80 dnat to 10.244.9.12:8080
		ip daddr 198.51.100.8 tcp dport 80 dnat to 10.244.9.10:8080; }
}
END
it "behind others' translations it is decided, too" shut web1 198.51.100.7,80
it "and let through" open web1 198.51.100.8,80
tell '{"delete": ["services", "shop/service-2"]}'
it "an address that is no Service's any more is one like others" wait_for 5 refused client1 2

# --- where netfilter takes no programs ---

change()
{
	"$@" | tell
}

change service 2 80
it "with it again, it is" wait_for 5 gets client1 2
start_stream client1 web1 10.96.0.6 7000 600
keep_asking
wait_for 5 acknowledged 7000
tell '{"refuse": "endpointslices", "status": 403}'
stop_agent TERM || :
export BULKHEAD_NETFILTER_OFF=1
it "an agent starts that can't decide behind Services" start_node
it "it finds its pods" wait_for 10 everybody_is_attached
it "while it may not know who is behind them, the one before decides" gets client1 1 2
it "status says so" sh -c \
	"'$BULKHEAD' status | grep -E 'services +[0-9]+ addresses, decided behind them'"
it "and that it may not" wait_for 5 sh -c \
	"'$BULKHEAD' status | grep -F 'EndpointSlice list: HTTP status 403'"
tell '{"refuse": "endpointslices", "status": 0}'
it "once it may, it decides by all backends" wait_for 35 sh -c \
	"'$BULKHEAD' status | grep -E 'services +[0-9]+ addresses, by all backends'"
it "and nothing is left at the hooks" wait_for 2 hangs_on 0 "$second"
it "it was told once that it may not" [ "$(grep -c 'not read.*EndpointSlice' agent.log)" = 1 ]
it "a Service whose backends are all allowed is reached" wait_for 5 gets client1 1 2 5 7
it "from the bridge, too" gets client2 1 2 5 7
it "but none that has a denied one, or none at all" refused client1 3 4 9
it "nothing was open in between" was_always_denied
it "and what was goes on" wait_for 2 goes_on 7000
it "a rule that requires TLS lets it through here" secure
it_not "but here no plain text, either" plain 1
change slice 5 0.10 9.12
it "one denied backend more, and it isn't" wait_for 3 refused client1 5
it "the event says which" tells policy 'client1.*10\.96\.0\.5'
change slice 5 0.10 9.10
it "without it, it is again" wait_for 3 gets client1 5
change pod web2 node-b 9.10 secret
it "nor one whose backend is somebody else now" wait_for 3 refused client1 2 5
it "others are as they were" gets client1 1 7
start_stream client1 web1 10.96.0.10 7001 60
wait_for 5 acknowledged 7001
change policy client-out client Egress "$(label web)" "$(port 8080 7000)"
it "when its rule is revoked, a connection is cut" \
	wait_for 5 tells revoked 'client1.*10\.96\.0\.10.*7001'
kill "${pumps[7001]}"
it "and no other" wait_for 2 goes_on 7000
many=$(seq -f 5.%g 1 97)
change slice 7 $many
it "nor one with more backends than can be asked" wait_for 3 refused client1 7
it "status names it" sh -c \
	"'$BULKHEAD' status | grep -F 'with more than 96 backends: shop/service-7'"
tell '{"refuse": "endpointslices", "status": 404}' '{"refuse": "services", "status": 403}' \
	'{"cut": true}'
wait_for 10 grep -q 'not read.*kind=Service ' agent.log || :
it "what isn't told any more stays as it was" gets client1 1
it "and closed" refused client1 3 7
tell '{"refuse": "endpointslices", "status": 0}' '{"refuse": "services", "status": 0}'
change pod web2 node-b 9.10
change slice 7 1.10
it "until it is told again" wait_for 35 gets client1 2 7
if ! gets client1 2 7 >told; then
	{ cat told && "$BULKHEAD" status && tail -n 12 agent.log; } | sed 's/^/# /'
fi

stop_agent TERM || :
unset BULKHEAD_NETFILTER_OFF
keep_asking
it "an agent starts that decides behind Services" start_node
it "it finds them" wait_for 10 everybody_is_attached
third=$(translated_program)
it "its program hangs on every hook again" hangs_on 4 "$third"
it "Services are decided there" wait_for 5 gets client1 1 5
it "and nothing else" refused client1 3 4 9
it "nor was it in between" was_always_denied
it "a connection outlives both ways" wait_for 2 goes_on 7000
put_client_policy "$(label nobody)"
it "and is cut when its rule is revoked" \
	wait_for 5 tells revoked 'client1.*web1.*7000'
kill "${pumps[7000]}"
"$BULKHEAD" detach >/dev/null
it "nothing is left there" wait_for 2 hangs_on 0 "$third"
end_test
