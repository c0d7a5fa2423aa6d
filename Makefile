# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# `make help` lists the targets.  SAN=1 builds with AddressSanitizer and UBSan into build-san/.

SAN ?=
O   ?= $(if $(SAN),build-san,build)

CC        ?= gcc
CLANG     ?= clang
BPFTOOL   ?= $(firstword $(wildcard /usr/sbin/bpftool /sbin/bpftool /usr/bin/bpftool) bpftool)
CFLAGS    ?= -O2 -g
LIBS_ALL  := -lbpf -luv -lmnl -lcjson -lcurl -lyaml -lnettle -lcap-ng -lseccomp -lmicrohttpd \
	-lelf -lz -lm

WARNINGS  := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror
override CFLAGS += -std=gnu11 $(WARNINGS) -D_GNU_SOURCE -Iinclude -Iuser -iquote . -I$(O)/skel -MMD -MP \
	$(if $(SAN),-fsanitize=address$(,)undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
, := ,
ARCH_INCLUDE := /usr/include/$(shell $(CC) -dumpmachine 2>/dev/null)
# The programs are the same wherever they are built.
BPFFLAGS := -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Werror -Iinclude -isystem $(ARCH_INCLUDE) -MMD -MP \
	-ffile-prefix-map=$(CURDIR)=.

POLICY   := $(wildcard user/util/*.c user/policy/*.c)
USER     := $(filter-out user/cli/main.c,$(wildcard user/*/*.c user/*/*/*.c))
LIB      := $(O)/libbulkhead.a
POLICYLIB := $(O)/libpolicy.a

UNIT     := $(patsubst tests/%.c,$(O)/tests/%,$(wildcard tests/unit/*_test.c))
# Tests that must build without libbpf: they link the policy library only.
PURE     := $(patsubst tests/%.c,$(O)/tests/%,$(wildcard tests/reference/*_test.c))
BPFTESTS := $(patsubst tests/%.c,$(O)/tests/%,$(wildcard tests/bpf/*_test.c))
HELPERS  := $(patsubst tests/%.c,$(O)/tests/%,$(filter-out %.bpf.c %/pod_delay.c,$(wildcard tests/e2e/*.c)))
DELAY    := $(O)/tests/e2e/pod_delay
# Other builds of the agent, for tests of upgrades: all is the same but the programs.
RELEASES := $(patsubst tests/e2e/%.bpf.c,$(O)/tests/e2e/bulkhead-%,$(wildcard tests/e2e/*.bpf.c))
FUZZ_SECONDS ?= 30
BENCHES  := $(patsubst tests/%.c,$(O)/tests/%,$(wildcard tests/bench/*_bench.c))
BENCHLIB := $(O)/libbench.a
FUZZERS  := $(patsubst tests/%.c,$(O)/tests/%,$(wildcard tests/fuzz/*_fuzz.c))

Q := $(if $(V),,@)
say = @printf '  %-7s %s\n' $(1) $(2)

.DELETE_ON_ERROR:
.SECONDARY:

.PHONY: all
all: $(O)/bulkhead ## build build/bulkhead

$(O)/bulkhead: $(O)/user/cli/main.o $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LIBS_ALL) -o $@

$(LIB): $(USER:%.c=$(O)/%.o)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(POLICYLIB): $(POLICY:%.c=$(O)/%.o)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(O)/%.o: %.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) -c $< -o $@

# Only user/datapath and the tests of the programs may see the skeleton.
$(patsubst %.c,$(O)/%.o,$(wildcard user/datapath/*.c tests/bpf/*.c tests/bench/*.c)): $(O)/skel/bulkhead.skel.h

$(O)/user/datapath/fronts.o: $(O)/skel/translated.skel.h

$(O)/bpf/%.bpf.o: bpf/%.bpf.c
	$(call say,BPF,$<)
	$(Q)mkdir -p $(@D) && $(CLANG) $(BPFFLAGS) -c $< -o $@

$(O)/tests/bench/wrapper.o: $(O)/skel/wrapper.skel.h
$(O)/tests/bench/lookup.o $(O)/tests/bpf/identify_test.o: $(O)/skel/lookup.skel.h

$(O)/bpf/%.bpf.o: tests/bench/%.bpf.c
	$(call say,BPF,$<)
	$(Q)mkdir -p $(@D) && $(CLANG) $(BPFFLAGS) -iquote . -c $< -o $@

$(O)/skel/%.skel.h: $(O)/bpf/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)mkdir -p $(@D) && { echo '/* NOLINTBEGIN: generated */' && \
		$(BPFTOOL) gen skeleton $< name $*_bpf && echo '/* NOLINTEND */'; } > $@

$(UNIT) $(BPFTESTS): $(O)/tests/%: $(O)/tests/%.o $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(filter %.o,$^) $(LIB) -lcmocka $(LIBS_ALL) -o $@

$(BPFTESTS): $(patsubst %.c,$(O)/%.o,$(filter-out %_test.c,$(wildcard tests/bpf/*.c tests/reference/*.c)))

$(PURE): $(O)/tests/%: $(O)/tests/%.o $(patsubst %.c,$(O)/%.o,$(filter-out %_test.c,$(wildcard tests/reference/*.c))) $(POLICYLIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(filter %.o,$^) $(POLICYLIB) -lcmocka -lyaml -lm -o $@

$(BENCHLIB): $(patsubst %.c,$(O)/%.o,$(filter-out %_bench.c %.bpf.c,$(wildcard tests/bench/*.c)))
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(BENCHES): $(O)/tests/%: $(O)/tests/%.o $(BENCHLIB) $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LIBS_ALL) -o $@

$(HELPERS): $(O)/tests/%: tests/%.c
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $< -o $@

$(DELAY): $(DELAY).o $(POLICYLIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ -lyaml -o $@

$(O)/releases/%/bulkhead.bpf.o: tests/e2e/%.bpf.c
	$(call say,BPF,$<)
	$(Q)mkdir -p $(@D) && $(CLANG) $(BPFFLAGS) -iquote . -c $< -o $@

$(O)/releases/%/bulkhead.skel.h: $(O)/releases/%/bulkhead.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name bulkhead_bpf > $@

# The only file that has the programs themselves.
$(O)/releases/%/object.o: user/datapath/object.c $(O)/releases/%/bulkhead.skel.h
	$(call say,CC,$@)
	$(Q)$(CC) -I$(@D) $(CFLAGS) -c $< -o $@

$(RELEASES): $(O)/tests/e2e/bulkhead-%: $(O)/releases/%/object.o $(O)/user/cli/main.o $(LIB)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(LDFLAGS) $^ $(LIBS_ALL) -o $@

.PHONY: tests
tests: $(UNIT) $(PURE) $(BPFTESTS) $(HELPERS) $(DELAY) $(RELEASES)

# --- trying it out ---

.PHONY: lab
lab: ## build, then try policies/five-zone.yaml on real traffic (needs root)
	$(Q)scripts/setup build
	$(Q)$(MAKE) --no-print-directory -j2 all
	$(Q)$(O)/bulkhead lab policies/five-zone.yaml

# --- checks and tests: what scripts/run-tests runs ---

export BULKHEAD := $(abspath $(O)/bulkhead)
SANDIR   := $(O)-san
SANTESTS := $(patsubst $(O)/%,$(SANDIR)/%,$(UNIT) $(PURE))
TIDY     := $(patsubst %.c,$(O)/tidy/%.ok,$(wildcard user/*/*.c user/*/*/*.c))
SOURCES  := $(wildcard bpf/*.[ch] include/bulkhead/*.h user/*/*.[ch] user/*/*/*.[ch] tests/*.h tests/*/*.[ch] tests/fuzz/host_bpf/*/*.h)
CHECKS   := $(addprefix make:check-,format tidy includes budgets policies fuzz) $(SANTESTS) \
	$(wildcard tests/golden/*.sh)
E2E      := $(filter-out tests/e2e/lib.sh,$(wildcard tests/e2e/*.sh))

# Most of an e2e test is waiting, so three items share two processors; what takes longest begins first.
SLOWFIRST := make:check-tidy $(addprefix tests/e2e/,apply.sh watchdog.sh hotplug.sh)

.PHONY: check
check: ## format, tidy, includes, budgets, policies, fuzz smoke, golden, units under sanitizers
	$(Q)$(MAKE) --no-print-directory all
	$(Q)$(MAKE) --no-print-directory SAN=1 O=$(SANDIR) units
	$(Q)scripts/run-tests -o $(O)/test-logs $(CHECKS)

.PHONY: test
test: ## install what is missing, then run every check and test (needs root)
	$(Q)scripts/setup test
	$(Q)$(MAKE) --no-print-directory -j2 all tests fuzzers
	$(Q)$(MAKE) --no-print-directory -j2 SAN=1 O=$(SANDIR) units
	$(Q)scripts/run-tests -j 3 -o $(O)/test-logs $(SLOWFIRST) $(filter-out $(SLOWFIRST),$(E2E) $(BPFTESTS) $(CHECKS))

.PHONY: test-long
test-long: ## kill, swap and upgrade agents under load for minutes, not seconds (needs root)
	$(Q)$(MAKE) --no-print-directory -j2 all $(HELPERS) $(RELEASES)
	$(Q)RESTARTS=100 SWAPS=100 UPGRADES=20 scripts/run-tests -o $(O)/test-logs \
		tests/e2e/restarts.sh

.PHONY: test-churn
test-churn: ## 150,000 pods of 5,000 nodes, 100 of which change every second (needs root)
	$(Q)$(MAKE) --no-print-directory all tests
	$(Q)CHURN="pods=150000 policies=10000 spaces=2000 nodes=5000 seconds=30" \
		CHURN_PATIENCE=90 tests/e2e/churn.sh

.PHONY: test-kernels
test-kernels: ## run the tests of the programs and a lab on older kernels, in QEMU
	$(Q)scripts/setup kernels
	$(Q)$(MAKE) --no-print-directory -j2 all $(BPFTESTS)
	$(Q)scripts/kernel-matrix -o $(O) $(KERNELS)

.PHONY: bench-compile
bench-compile: $(O)/tests/bench/compile_bench ## print what compiling costs, and what a change does
	$(Q)$<

.PHONY: bench bench-quick bench-readme
bench: $(O)/tests/bench/datapath_bench $(O)/bulkhead ## measure our programs beside others, in some minutes (needs root)
	$(Q)$< --json $(O)/bench.json $(BENCH)
	$(Q)scripts/bench-charts $(O)/bench.json $(O)/bench

bench-quick: $(O)/tests/bench/datapath_bench $(O)/bulkhead ## the same in less than two minutes, with less of it
	$(Q)$< --quick --json $(O)/bench.json $(BENCH)

bench-readme: $(O)/bench.json ## put what `make bench` measured into README.md and its charts
	$(Q)scripts/bench-charts $< tests/bench/charts
	$(Q)scripts/bench-charts --readme $< README.md

.PHONY: units fuzzers
units: $(UNIT) $(PURE)
fuzzers: $(FUZZERS)

.PHONY: check-format check-tidy check-includes check-budgets check-policies check-fuzz
check-format:
	$(Q)clang-format --dry-run -Werror $(SOURCES)

check-tidy:
	$(Q)$(MAKE) --no-print-directory -k -j2 tidy

check-includes check-budgets:
	$(Q)scripts/$@

check-policies: $(O)/bulkhead
	$(Q)for policy in policies/*.yaml; do $< check --strict $$policy || exit; done

check-fuzz: $(FUZZERS)
	$(Q)$(MAKE) --no-print-directory -k -j5 $(addprefix fuzz-,$(FUZZERS))

.PHONY: $(addprefix fuzz-,$(FUZZERS))
$(addprefix fuzz-,$(FUZZERS)): fuzz-%: %
	$(Q)mkdir -p $(O)/corpus/$(<F) $(O)/test-logs
	$(Q)$< -max_total_time=$(FUZZ_SECONDS) -verbosity=0 -print_final_stats=1 -artifact_prefix=$(O)/test-logs/ \
		$(O)/corpus/$(<F) $(wildcard tests/fuzz/$(<F).seeds $(if $(filter packet_% protocol_%,$(<F)),,tests/fuzz/corpus))

.PHONY: tidy
tidy: $(TIDY)

# What an object depends on, its tidiness does, too.
$(O)/tidy/%.ok: %.c $(O)/%.o .clang-tidy
	$(call say,TIDY,$<)
	$(Q)mkdir -p $(@D)
	$(Q)clang-tidy --quiet $< -- -std=gnu11 -D_GNU_SOURCE -Iinclude -Iuser -I$(O)/skel \
		2>$@.tmp || \
		{ cat $@.tmp; exit 1; }
	$(Q)rm -f $@.tmp
	$(Q)touch $@

FUZZFLAGS := -O1 -g -std=gnu11 -D_GNU_SOURCE -Iinclude -Iuser -iquote . -MMD -MP \
	-fno-sanitize-recover=all

$(O)/fuzz/%.o: %.c
	$(call say,FUZZ,$<)
	$(Q)mkdir -p $(@D) && $(CLANG) -fsanitize=fuzzer-no-link$(,)address$(,)undefined $(FUZZFLAGS) -c $< -o $@

$(O)/tests/fuzz/recording_fuzz: $(O)/fuzz/user/cli/event_reader.o
$(O)/tests/fuzz/protocol_fuzz: $(patsubst %,$(O)/fuzz/user/%.o,agent/control/request agent/events/event_json agent/control/words \
	cli/event_line cli/event_reader cli/output)

# The programs as functions of this machine.  What is new to the fuzzer is what is new in them.
PACKETFUZZ := $(patsubst %.c,$(O)/fuzz/%.o,$(wildcard tests/fuzz/host_*.c tests/fuzz/packet_*.c \
	tests/reference/reference*.c) \
	user/datapath/crafted.c user/datapath/event_places.c user/datapath/tables.c \
	user/datapath/table_write.c user/datapath/own_lines.c)
$(PACKETFUZZ): FUZZFLAGS += -Itests/fuzz/host_bpf
# Programs load words of a packet wherever they lie.
$(O)/fuzz/tests/fuzz/host_program.o: FUZZFLAGS += -fno-sanitize=alignment
$(filter-out %/host_program.o %/packet_input.o,$(PACKETFUZZ)): FUZZFLAGS += -fno-sanitize=fuzzer-no-link
$(O)/tests/fuzz/packet_fuzz: $(filter-out %/packet_fuzz.o,$(PACKETFUZZ))

$(FUZZERS): $(O)/tests/%: $(O)/fuzz/tests/%.o $(POLICY:%.c=$(O)/fuzz/%.o)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CLANG) $(FUZZFLAGS) -fsanitize=fuzzer$(,)address$(,)undefined $^ \
		-lyaml -lcjson -lm -o $@

# --- installing ---

PREFIX ?= /usr/local

.PHONY: install uninstall
install: $(O)/bulkhead ## install below $(DESTDIR)$(PREFIX), and /etc/bulkhead
	$(Q)scripts/deploy/install $(O) $(PREFIX) $(DESTDIR)

uninstall: ## remove what was installed, but for /etc/bulkhead
	$(Q)scripts/deploy/install --remove $(O) $(PREFIX) $(DESTDIR)

.PHONY: deb
deb: $(O)/bulkhead ## build a Debian package in $(O)
	$(Q)scripts/deploy/deb $(O)

.PHONY: image
image: $(O)/bulkhead ## build a container image in $(O)
	$(Q)scripts/deploy/image $(O)

.PHONY: clean
clean: ## remove what was built
	rm -rf $(O) $(SANDIR)

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

-include $(shell find $(O) -name '*.d' 2>/dev/null)
