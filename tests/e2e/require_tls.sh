#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Real TLS and real plain text through a rule that requires TLS.
. "$(dirname "$0")/lib.sh"

add_station client 10.0.16.10 fd00:0:0:20::10
add_station server 10.0.32.10 fd00:0:0:30::10

cat >tls.yaml <<-END
	apiVersion: bulkhead.dev/v1
	kind: ZonePolicy
	metadata: {name: tls}
	spec:
	  zones:
	    - {name: internal, cidrs: [10.0.16.0/20, "fd00:0:0:20::/64"]}
	    - {name: data,     cidrs: [10.0.32.0/20, "fd00:0:0:30::/64"]}
	  workloads:
	    - {name: client, zone: internal, addresses: [10.0.16.10, "fd00:0:0:20::10"]}
	    - {name: server, zone: data,     addresses: [10.0.32.10, "fd00:0:0:30::10"]}
	  rules:
	    - {name: web,  from: client, to: server, services: [tcp/443, tcp/80], require: tls}
	    - {name: mail, from: client, to: server, services: tcp/25, require: tls}
END
sed 's/, require: tls//' tls.yaml >plain.yaml

cat >nginx.conf <<-END
	daemon off;
	pid $work/nginx.pid;
	error_log $work/nginx.log;
	events { worker_connections 64; }
	http {
		access_log off;
		server {
			listen 80;
			listen [::]:80;
			listen 443 ssl;
			listen [::]:443 ssl;
			ssl_protocols TLSv1.2 TLSv1.3;
			ssl_certificate $work/cert.pem;
			ssl_certificate_key $work/key.pem;
			location / { return 200 "hello\n"; }
		}
	}
END

patience=20 # seconds for an answer; shorter where there is to be none

# A server that speaks first.
serve_banner()
{
	in_ns server "$python" -c '
import socket
listener = socket.create_server(("10.0.32.10", 25))
print("serving", flush=True)
while True:
    peer = listener.accept()[0]
    peer.sendall(b"220 server ESMTP\r\n")
    peer.close()' >banner.log 2>&1 &
	wait_for 5 grep serving banner.log
}

banner()
{
	in_ns client timeout "$patience" "$python" -c '
import socket
peer = socket.create_connection(("10.0.32.10", 25))
print(peer.recv(100))
' | grep ESMTP
}

# get URL OPTION…
get()
{
	local url=$1
	shift

	in_ns client curl -gsSk --max-time "$patience" "$@" "$url" | grep -x hello
}

# session ADDRESS OPTION…: a handshake, and a request and its answer inside.
session()
{
	local address=$1
	shift

	printf 'GET / HTTP/1.0\r\n\r\n' |
		in_ns client timeout "$patience" \
			openssl s_client -ign_eof -connect "$address:443" "$@" 2>&1 | grep -x hello
}

# Every byte of what the client says goes in a segment of its own.
byte_by_byte()
{
	in_ns client "$python" -c '
import socket, ssl, time
raw = socket.create_connection(("10.0.32.10", 443), timeout=20)
raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
session = context.wrap_bio(incoming, outgoing)
try:
    session.do_handshake()
except ssl.SSLWantReadError:
    pass
for byte in outgoing.read():
    raw.sendall(bytes([byte]))
    time.sleep(0.002)
print("answer", raw.recv(5)[:1] == bytes([22]))' | grep "answer True"
}

# sends TEXT PORT: whether anything comes back.
sends()
{
	printf '%b' "$1" | in_ns client timeout 2 "$python" -c '
import socket, sys
peer = socket.create_connection(("10.0.32.10", int(sys.argv[1])), timeout=1)
peer.sendall(sys.stdin.buffer.read())
sys.exit(not peer.recv(100))' "$2"
}

has_event()
{
	"$BULKHEAD" observe --last 1000 --reason plaintext | grep -E -- "$1"
}

plaintext_drops()
{
	"$BULKHEAD" observe --last 1000 --reason plaintext | wc -l
}

openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=server -days 2 \
	-keyout key.pem -out cert.pem 2>/dev/null
in_ns server nginx -c "$work/nginx.conf" -e "$work/nginx.log" >nginx.out 2>&1 &
wait_for 10 get http://10.0.32.10/
serve_banner

# run_all WHERE
run_all()
{
	local before

	it "$1: TLS gets its answer" get https://10.0.32.10/
	it "$1: TLS gets its answer over IPv6" get "https://[fd00:0:0:30::10]/"
	it "$1: TLS 1.2 does" session 10.0.32.10 -tls1_2
	it "$1: TLS 1.3 does" session 10.0.32.10 -tls1_3
	it "$1: TLS 1.3 does over IPv6" session '[fd00:0:0:30::10]' -tls1_3
	it "$1: a hello byte by byte does" byte_by_byte
	before=$(plaintext_drops)
	it "$1: nothing of that was plain text" [ "$before" -eq "${2:-0}" ]
	patience=2
	it_not "$1: HTTP gets none" get http://10.0.32.10/
	it_not "$1: HTTP gets none over IPv6" get "http://[fd00:0:0:30::10]/"
	it_not "$1: HTTP on the port of TLS gets none" sends 'GET / HTTP/1.0\r\n\r\n' 443
	it "$1: each is cut with its reason, under the rule" has_event \
		'^[^ ]+ deny .*10\.0\.16\.10:[0-9]+ -> server.*:80 tcp .*rule=web reason=plaintext'
	it "$1: over IPv6 too" has_event \
		'-> server.*fd00:0:0:30::10.*:80 .*rule=web reason=plaintext'
	it_not "$1: a server that speaks first is not heard" banner
	patience=20
	it "$1: and is cut with that reason" has_event '25 -> client.*rule=mail reason=plaintext'
	it "$1: four connections were cut" [ "$(plaintext_drops)" -eq $((before + 4)) ]
}

it "without an agent HTTP gets its answer" get http://10.0.32.10/
it "the agent enforces at the server" start_agent - --policy tls.yaml --attach server=server
run_all "at the server"
it "a policy that requires it no more" "$BULKHEAD" apply plain.yaml
it "lets HTTP through" get http://10.0.32.10/
it "and the banner" banner
it "the agent ends" stop_agent TERM
it "and is taken off" "$BULKHEAD" detach
rm -rf "$work/state"

it "the agent enforces at the client" start_agent - --policy tls.yaml --attach client=client
run_all "at the client"
it "the agent ends there" stop_agent TERM
it "and is taken off there" "$BULKHEAD" detach
rm -rf "$work/state"

it "the agent enforces on the server's NIC" start_agent server --policy tls.yaml --attach eth0
run_all "on a NIC"
end_test
