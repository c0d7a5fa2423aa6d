#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What is installed: the package on a machine like this one, its unit, manual and completions.
. "$(dirname "$0")/lib.sh"

readonly deploy=/mnt/tree/scripts/deploy
readonly unit=$deploy/systemd/bulkhead.service
readonly root=$work/root

mkdir -p build upper inner "$root"
cp "$BULKHEAD" build/bulkhead

# on_machine COMMAND…: on a copy of this machine, which is lost afterwards.
on_machine()
{
	chroot "$root" /usr/bin/env DEBIAN_FRONTEND=noninteractive \
		PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@" </dev/null
}

# is_file MODE PATH
is_file()
{
	stat -c '%a %U:%G %n' "$root$2" && [ "$(stat -c '%a %u:%g' "$root$2")" = "$1 0:0" ]
}

commands()
{
	"$BULKHEAD" --help | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p'
}

# options COMMAND: as its help has them
options()
{
	"$BULKHEAD" "$1" --help | sed -n '/^options:/,/^examples:/p' |
		grep -oE '^ +(-[a-z], )?--[a-z-]+' | grep -oE -- '-[-a-z]+' | sort
}

# --- by hand ---

it "make install" "$deploy/install" build /usr/local "$work/hand"
it "the unit says where the program is" grep -q '^ExecStart=/usr/local/sbin/bulkhead' \
	hand/usr/local/lib/systemd/system/bulkhead.service
it "the program runs" hand/usr/local/sbin/bulkhead --version
echo 'policy: [/elsewhere]' >hand/etc/bulkhead/agent.yaml
it "installing again" "$deploy/install" build /usr/local "$work/hand"
it "leaves the configuration" grep -q elsewhere hand/etc/bulkhead/agent.yaml
it "LI-25: make uninstall" "$deploy/install" --remove build /usr/local "$work/hand"
it "leaves nothing but the configuration" test "$(find hand -type f)" = hand/etc/bulkhead/agent.yaml

# --- the unit ---

it "the unit exposes little" systemd-analyze security --offline=true --no-pager --threshold=25 \
	"$unit"
it "it is there before the network" grep -qx Before=network-pre.target\ shutdown.target "$unit"

# --- the package ---

readonly deb=$("$deploy/deb" build "$work")
it "make deb" test -s "$deb"
it "it depends on what the program is linked with" sh -c \
	"dpkg-deb -f $deb Depends | grep libbpf1 | grep libseccomp2 | grep libcap-ng0"
! command -v lintian >/dev/null || it "lintian finds no error" lintian --no-cfg \
	--allow-root --fail-on error "$deb"
mount -t overlay -o "lowerdir=/,upperdir=$work/upper,workdir=$work/inner" overlay "$root"
for directory in proc sys dev; do
	mount --rbind "/$directory" "$root/$directory"
done
mount -t tmpfs tmpfs "$root/run"
cp "$deb" "$root/bulkhead.deb"
it "it installs" on_machine dpkg --no-triggers -i /bulkhead.deb
it "whole" on_machine dpkg -V bulkhead
it "the group is there" grep -q ^bulkhead: "$root/etc/group"
it "PR-03: the program is root's" is_file 755 /usr/sbin/bulkhead
it "PR-03: so is the configuration" is_file 644 /etc/bulkhead/agent.yaml
it "PR-03: and where policies are" is_file 755 /etc/bulkhead/policy.d
it "the program runs" on_machine bulkhead version
it "the policies are in order" on_machine sh -c \
	'for f in /usr/share/doc/bulkhead/policies/*.yaml; do bulkhead check "$f" || exit; done'
it "the unit is in order" on_machine systemd-analyze verify --man=no bulkhead.service

# The agent's configuration as it comes, with a policy and without an interface.
starts()
{
	BULKHEAD=$root/usr/sbin/bulkhead start_agent - --config "$root/etc/bulkhead/agent.yaml" \
		--policy "$policies/web-server.yaml"
}

it "the configuration is taken" starts
it "the agent answers" "$root/usr/sbin/bulkhead" status
stop_agent TERM || :
it "installing it again is an upgrade" on_machine dpkg --no-triggers -i /bulkhead.deb
it "which leaves the policy in force" test -e /sys/fs/bpf/bulkhead/maps/bh_control
it "LI-25: it can be removed" on_machine dpkg --no-triggers -P bulkhead
it "LI-25: nothing is in force any more" test ! -e /sys/fs/bpf/bulkhead
it "LI-25: nor is a file left" test -z \
	"$(find "$root"/{usr,lib,etc,var/lib} -xdev -path '*bulkhead*' ! -path '*/dpkg/*')"

# --- the manual ---

"$deploy/make-docs" build/bulkhead docs

# is_clean PAGE
is_clean()
{
	man --warnings -l "docs/$1" 2>warnings >rendered
	cat warnings
	[ ! -s warnings ] && [ -s rendered ]
}

# Every command is a section, which has all of its options.
tells_all()
{
	local command option

	for command in $(commands); do
		sed -n "/^\.SS $command\$/,/^\.S[SH] /p" docs/bulkhead.8 | sed 's/\\-/-/g' >section
		for option in $(options "$command"); do
			grep -qF -- "\\fB$option\\fR" section || {
				echo "$command $option"
				return 1
			}
		done
	done
	[ -n "$command" ] && [ -n "$option" ]
}

# The example of the page on policies
example()
{
	sed -n '/^\.SH EXAMPLES/,/^\.EE/p' docs/bulkhead-policy.5 |
		sed '/^\./d; s/\\-/-/g' >example.yaml
	"$BULKHEAD" check --strict example.yaml
}

it "bulkhead(8) has no mistakes" is_clean bulkhead.8
it "it tells of every command and option" tells_all
it "bulkhead-policy(5) has no mistakes" is_clean bulkhead-policy.5
it "its example is a policy" example

# --- completions ---

# completes WORD…: what bash offers for the last one
completes()
{
	bash -c '. docs/bulkhead.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _bulkhead
		printf "%s\n" "${COMPREPLY[@]}" | sort' bash "$@"
}

bash_knows_all()
{
	local command

	for command in $(commands); do
		diff <(options "$command") <(completes bulkhead "$command" -) || return 1
	done
	diff <(commands | sort) <(completes bulkhead '' | grep -v '^--')
}

zsh_knows_all()
{
	local command option

	for command in $(commands); do
		sed -n "/^	$command)\$/,/;;/p" docs/_bulkhead >section
		for option in $(options "$command"); do
			grep -qF -- "'*$option[" section || {
				echo "$command $option"
				return 1
			}
		done
	done
	[ -n "$command" ] && [ -n "$option" ]
}

it "bash takes its completion" bash -n docs/bulkhead.bash
it "it offers every command and option" bash_knows_all
it "it offers the words of a value" test "$(completes bulkhead status -o '' | wc -l)" = 2
it "it offers what there is to list" test "$(completes bulkhead list 'c')" = connections
! command -v zsh >/dev/null || it "zsh takes its completion" zsh -n docs/_bulkhead
it "zsh's has every command and option" zsh_knows_all

end_test
