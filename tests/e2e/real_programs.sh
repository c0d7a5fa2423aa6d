#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# nginx in the dmz, an HTTP API in internal, PostgreSQL in data, sshd everywhere: the allowed flows
# work, and every pair of zones that the policy never allows is shut.
. "$(dirname "$0")/lib.sh"

declare -A v4=(
	[client]=203.0.113.10 [edge-lb]=10.0.0.10 [web]=10.0.0.20 [api]=10.0.16.10
	[worker]=10.0.16.20 [postgres]=10.0.32.10 [cache]=10.0.32.20 [bastion]=10.0.48.5
	[monitoring]=10.0.48.9)
declare -A v6=(
	[client]=2001:db8:1::10 [edge-lb]=fd00:0:0:10::10 [web]=fd00:0:0:10::20
	[api]=fd00:0:0:20::10 [worker]=fd00:0:0:20::20 [postgres]=fd00:0:0:30::10
	[cache]=fd00:0:0:30::20 [bastion]=fd00:0:0:40::5 [monitoring]=fd00:0:0:40::9)
attach=()
for name in "${!v4[@]}"; do
	add_station "$name" "${v4[$name]}" "${v6[$name]}"
	attach+=(--attach "$name=$name")
done

# --- the programs ---

start_postgres()
{
	local bin

	bin=$(dirname "$(find /usr/lib/postgresql -name initdb -type f | sort -V | tail -n 1)")
	install -d -o postgres "$work/pg"
	runuser -u postgres -- "$bin/initdb" --no-sync -A trust -D "$work/pg/data" >pg.log 2>&1
	echo "host all all all trust" >>pg/data/pg_hba.conf
	in_ns postgres runuser -u postgres -- "$bin/postgres" -D "$work/pg/data" -c fsync=off \
		-c listen_addresses="${v4[postgres]},${v6[postgres]}" \
		-c unix_socket_directories="$work/pg" >>pg.log 2>&1 &
	wait_for 30 psql -h "$work/pg" -U postgres -c 'select 1'
	psql -q -h "$work/pg" -U postgres \
		-c "create table users (name text)" -c "insert into users values ('ada'), ('grace')"
}

start_nginx()
{
	cat >nginx.conf <<-END
	daemon off;
	master_process off;
	pid $work/nginx.pid;
	error_log $work/nginx.log;
	events {}
	http {
	    access_log off;
	    proxy_temp_path $work/nginx-proxy;
	    client_body_temp_path $work/nginx-body;
	    fastcgi_temp_path $work/nginx-fastcgi;
	    uwsgi_temp_path $work/nginx-uwsgi;
	    scgi_temp_path $work/nginx-scgi;
	    proxy_connect_timeout 2s;
	    server {
	        listen 80;
	        listen [::]:80;
	        location /v4/ { proxy_pass http://${v4[api]}:8080/; }
	        location /v6/ { proxy_pass http://[${v6[api]}]:8080/; }
	    }
	}
	END
	in_ns edge-lb nginx -c "$work/nginx.conf" -e "$work/nginx.log" >nginx.out 2>&1 &
	wait_for 10 open edge-lb "${v4[edge-lb]},80"
}

# An account that is locked may not log in; here root's is not.
unlock_root()
{
	sed 's/^root:[^:]*:/root:*:/' /etc/shadow >shadow
	chmod 600 shadow
	mount --bind shadow /etc/shadow
}

start_sshd()
{
	local name

	ssh-keygen -q -t ed25519 -N '' -f host_key
	ssh-keygen -q -t ed25519 -N '' -f user_key
	cat >sshd.conf <<-END
	HostKey $work/host_key
	AuthorizedKeysFile $work/user_key.pub
	PidFile none
	PermitRootLogin prohibit-password
	StrictModes no
	UsePAM no
	END
	for name in edge-lb web api worker postgres cache bastion; do
		in_ns "$name" "$(command -v sshd || echo /usr/sbin/sshd)" -D -f "$work/sshd.conf" \
			-E "$work/sshd.$name.log" &
		wait_for 10 open "$name" "${v4[$name]},22"
	done
}

# ssh_to FROM ADDRESS [SECONDS]: logs in and asks for an answer.
ssh_to()
{
	local answer

	answer=$(in_ns "$1" ssh -F none -i "$work/user_key" -o BatchMode=yes \
		-o ConnectTimeout="${3:-20}" -o StrictHostKeyChecking=no \
		-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR \
		"root@$2" echo logged in)
	[ "$answer" = "logged in" ]
}

# users_through ADDRESS OF_EDGE FAMILY_TO_API ADDRESS_OF_DATABASE: the whole way, from the internet.
users_through()
{
	local users

	users=$(in_ns client curl -sS -g --max-time 20 "http://$1/$2/users?via=$3")
	echo "$users"
	[ "$users" = $'ada\ngrace' ]
}

the_site_works()
{
	users_through "${v4[edge-lb]}" v4 "${v4[postgres]}" &&
		users_through "[${v6[edge-lb]}]" v6 "${v6[postgres]}"
}

# doors NAME…: what listens there, over both families.
doors()
{
	local name port

	for name; do
		for port in ${ports[$name]}; do
			echo "${v4[$name]},$port ${v6[$name]},$port"
		done
	done
}

unlock_root
it "PostgreSQL runs" start_postgres
in_ns api "$python" "$here/web_api.py" >web_api.log 2>&1 &
wait_for 10 grep serving web_api.log
it "nginx runs" start_nginx
it "sshd runs" start_sshd
serve client tcp/80 tcp/443 >/dev/null
serve monitoring tcp/9100 >/dev/null
serve cache tcp/6379 >/dev/null
declare -A ports=(
	[client]='80 443' [edge-lb]='80 22' [web]=22 [api]='8080 22' [worker]=22
	[postgres]='5432 22' [cache]='6379 22' [bastion]=22 [monitoring]=9100)

# Each pair of zones that five-zone.yaml says `never` of: from each workload to every door there.
readonly never='
client: api worker postgres cache bastion monitoring
edge-lb: client postgres cache bastion monitoring
web: client postgres cache bastion monitoring
api: client edge-lb web bastion monitoring
worker: client edge-lb web bastion monitoring
postgres: client edge-lb web api worker bastion monitoring
cache: client edge-lb web api worker bastion monitoring'

for_each_never()
{
	local check=$1 sentence=$2 from to

	while IFS=': ' read -r from to; do
		# shellcheck disable=SC2046,SC2086 # lists of words
		[ -z "$from" ] || it "$from $sentence $to" "$check" "$from" $(doors $to)
	done <<<"$never"
}

# Without a policy everything answers: what is shut later is shut by the policy.
it "without a policy the site works" the_site_works
for_each_never open "reaches without a policy"
it "without a policy SSH works from anywhere" ssh_to client "${v4[api]}"

it "the agent enforces" start_agent - --policy "$policies/five-zone.yaml" "${attach[@]}"

it "curl, nginx, API, PostgreSQL: the site works" the_site_works
it "the site works a hundred times" sh -c "for i in \$(seq 100); do
	nsenter --net=/run/netns/client curl -sS --max-time 20 -o /dev/null --fail \
		'http://${v4[edge-lb]}/v4/users?via=${v4[postgres]}' || exit; done"
for_each_never shut "never reaches"

for name in web api postgres; do
	it "SSH from the bastion to $name" ssh_to bastion "${v4[$name]}"
	it "SSH from the bastion to $name over IPv6" ssh_to bastion "${v6[$name]}"
	for from in client edge-lb worker cache monitoring; do
		it_not "no SSH from $from to $name" ssh_to "$from" "${v4[$name]}" 1
	done
done
# shellcheck disable=SC2046 # a list of doors
it "no SSH between neighbours" shut api $(doors worker)

it "monitoring may ping" in_ns monitoring ping -nqc2 -W1 "${v4[postgres]}"
it "monitoring may ping over IPv6" in_ns monitoring ping -nqc2 -W1 "${v6[postgres]}"
it_not "nobody may ping it" in_ns postgres ping -nqc1 -W1 "${v4[monitoring]}"
it_not "nobody may ping it over IPv6" in_ns postgres ping -nqc1 -W1 "${v6[monitoring]}"

# A workload can't borrow the address of another: what it sends from there is dropped.
in_ns web ip addr add "${v4[edge-lb]}" dev eth0
it_not "a borrowed address opens nothing" \
	in_ns web curl -sS --max-time 2 --interface "${v4[edge-lb]}" "http://${v4[api]}:8080/"
it "and is reported" wait_for 5 \
	sh -c "'$BULKHEAD' observe --last 10000 --reason spoofed-source | grep -q ' if=web '"

"$BULKHEAD" list rules >rules
it "the rule of the database has hits" grep -E 'app-to-db .*five-zone.yaml' rules
"$BULKHEAD" observe --last 10000 --verdict allow >allowed
it "logged connections are reported" \
	grep -E ' allow .* -> postgres\(data\) .*:5432 .*rule=app-to-db' allowed
it "the agent ends in order" stop_agent TERM
it "the policy outlives the agent" shut client "${v4[api]},8080" "${v6[postgres]},5432"
it "detach opens everything" exits_with 0 "$BULKHEAD" detach
it "it is open" open client "${v4[api]},8080" "${v6[postgres]},5432"

end_test
