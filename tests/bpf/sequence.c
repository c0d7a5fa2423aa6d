/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/bpf/sequence.h"

#include <netinet/in.h>
#include <stdio.h>

#include "util/clock.h"

#define WORDS_MAX 10
#define BAD_BY    1000000 /* farther than any SYN's data */
#define SLOW_NS   UINT64_C(500000000)
#define TRIES     5 /* where it was slow */

enum way {
	FORTH,
	BACK,
};

/* Where the programs stand, and which of them sees which way. */
/* clang-format off */
static const struct stand {
	const char *name;
	enum program sees[2]; /* enum way */
	bool is_client;
	unsigned int set;
} stands[] = {
	{"server's veth",     {PROGRAM_TO,       PROGRAM_FROM},     false, AT_SERVER_VETH},
	{"client's veth",     {PROGRAM_FROM,     PROGRAM_TO},       true,  AT_CLIENT_VETH},
	{"server's NIC, XDP", {PROGRAM_XDP_IN,   PROGRAM_HOST_OUT}, false, 4},
	{"client's NIC, XDP", {PROGRAM_HOST_OUT, PROGRAM_XDP_IN},   true,  4},
	{"server's NIC, tc",  {PROGRAM_HOST_IN,  PROGRAM_HOST_OUT}, false, 4},
	{"client's NIC, tc",  {PROGRAM_HOST_OUT, PROGRAM_HOST_IN},  true,  4},
};
/* clang-format on */

struct play {
	struct rig *rig;
	const struct sequence *sequence;
	const struct named_policy *policies;
	const struct stand *stand;
	bool is_v6;
	char place[256];  /* for failures */
	uint32_t next[2]; /* sequence numbers */
	uint32_t stamp;
	bool was_embryonic;
	struct bh_count seen[2]; /* since then */
	uint64_t begun_ns;
	size_t tries;
	bool is_late; /* what it was to see is over: once more */
};

struct words {
	char word[WORDS_MAX][32];
	size_t count;
};

/* What a packet's words say. */
struct step {
	struct packet_spec packet;
	enum bh_reason reason;
	const char *rule;
	bool is_wrong_side, is_other; /* of another connection */
};

static const char *read_words(const char *at, struct words *ret)
{
	ret->count = 0;
	while (*at && *at != ',') {
		size_t len = strcspn(at, " ,");

		assert_in_range(len, 0, sizeof(ret->word[0]) - 1);
		if (len) {
			assert_in_range(ret->count, 0, WORDS_MAX - 1);
			memcpy(ret->word[ret->count], at, len);
			ret->word[ret->count++][len] = '\0';
		}
		at += len + (at[len] == ' ');
	}
	return *at ? at + 1 : at;
}

static enum bh_reason reason_of(const char *word)
{
#define X(id, text, help)                                                                          \
	if (!strcmp(word, text))                                                                   \
		return BH_REASON_##id;
	BH_REASONS(X)
#undef X
	fail_msg("'%s' is no reason", word);
	return BH_REASON_NONE;
}

static uint16_t endpoint_of(const struct play *p)
{
	return program_is_host(p->stand->sees[FORTH]) ? BH_ENDPOINT_HOST : RIG_ENDPOINT;
}

/* --- packets --- */

static struct packet_spec turned(const struct packet_spec *packet)
{
	struct packet_spec back = *packet;

	back.from = packet->to ? packet->to : SERVER;
	back.to = packet->from ? packet->from : CLIENT;
	if (!packet->icmp) {
		back.sport = packet_dport(packet);
		back.dport = packet_sport(packet);
	}
	if (packet->icmp == ICMP_ECHO_REQUEST)
		back.icmp = ICMP_ECHO_ANSWER;
	return back;
}

static uint16_t number_of(const char *word)
{
	return (uint16_t)strtoul(word, NULL, 10);
}

/* A word that another one follows; false: not one of those. */
static bool take_pair(struct step *step, const char *word, const char *value)
{
	if (!strcmp(word, "by"))
		step->rule = value;
	else if (!strcmp(word, "sport"))
		step->packet.sport = number_of(value);
	else if (!strcmp(word, "dport"))
		step->packet.dport = number_of(value);
	else if (!strcmp(word, "id"))
		step->packet.id = number_of(value);
	else if (!strcmp(word, "back"))
		step->packet.seq -= number_of(value);
	else if (!strcmp(word, "ahead"))
		step->packet.seq += number_of(value);
	else
		return false;
	step->is_other = step->is_other || !strcmp(word, "id") || strstr(word, "port");
	return true;
}

static void spoil(struct packet_spec *packet)
{
	if (strchr(packet->flags, 'A'))
		packet->ack += BAD_BY;
	if (strchr(packet->flags, 'R'))
		packet->seq += BAD_BY;
}

static void read_bytes(const char *hex, struct packet_spec *packet)
{
	size_t count = strlen(hex) / 2;

	assert_in_range(count, 1, sizeof(packet->begin));
	for (size_t i = 0; i < count; i++) {
		const char digits[] = {hex[2 * i], hex[2 * i + 1], '\0'};

		packet->begin[i] = (uint8_t)strtoul(digits, NULL, 16);
	}
	packet->payload = (uint16_t)count;
}

static void take_word(struct step *step, const char *word)
{
	if (word[0] == '!')
		step->reason = reason_of(word + 1);
	else if (word[0] == '+')
		step->packet.payload = number_of(word + 1);
	else if (word[0] == '=')
		read_bytes(word + 1, &step->packet);
	else if (!strcmp(word, "wrong"))
		step->is_wrong_side = true;
	else if (!strcmp(word, "request"))
		step->packet.icmp = ICMP_ECHO_REQUEST;
	else if (!strcmp(word, "answer"))
		step->packet.icmp = ICMP_ECHO_ANSWER;
	else if (!strcmp(word, "bad"))
		spoil(&step->packet);
	else
		fail_msg("'%s' is not known", word);
	step->is_other = step->is_other || step->packet.icmp;
}

static void read_step(const struct play *p, const struct words *words, enum way way,
		      struct step *ret)
{
	struct packet_spec forth = p->sequence->packet;
	size_t i = 1;

	forth.is_v6 = p->is_v6;
	*ret = (struct step){.packet = way == FORTH ? forth : turned(&forth)};
	if (packet_proto(&forth) == IPPROTO_TCP) {
		ret->packet.flags = strcmp(words->word[1], "-") ? words->word[1] : "";
		ret->packet.seq = p->next[way];
		ret->packet.ack = strchr(ret->packet.flags, 'A') ? p->next[!way] : 0;
		i++;
	}
	for (; i < words->count; i++) {
		if (i + 1 < words->count && take_pair(ret, words->word[i], words->word[i + 1]))
			i++;
		else
			take_word(ret, words->word[i]);
	}
}

/* Both halves of the entry against what was let through since it was made. */
static void check_halves(struct play *p, const struct step *step, enum way way, bool is_passed,
			 size_t len)
{
	struct seen_connection c;

	if (rig_connection(p->rig, &step->packet, endpoint_of(p), &c))
		return;
	/* What was counted goes along when it settles. */
	if (c.conn.line.stamp != p->stamp && !(p->was_embryonic && !c.is_embryonic))
		memset(p->seen, 0, sizeof(p->seen));
	p->stamp = c.conn.line.stamp;
	p->was_embryonic = c.is_embryonic;
	p->seen[way].packets += is_passed;
	p->seen[way].bytes += is_passed ? len : 0;
	for (int half = 0; half < 2; half++) {
		const struct bh_count *seen = &p->seen[c.is_opener == !half ? way : !way];

		assert_row(p->place, c.conn.packets[half] == seen->packets);
		assert_row(p->place, c.conn.bytes[half] == seen->bytes);
	}
}

static void advance(uint32_t *next, const struct packet_spec *packet)
{
	uint32_t end = packet->seq + packet->payload + !!strchr(packet->flags, 'S') +
		       !!strchr(packet->flags, 'F');

	if ((int32_t)(end - *next) > 0)
		*next = end;
}

/* Some waits end a second before a timeout; then the second may have passed by itself. */
static bool is_slow(const struct play *p)
{
	return p->tries < TRIES && clock_monotonic_ns() - p->begun_ns > SLOW_NS;
}

static void send_packet(struct play *p, const struct words *words, enum way way)
{
	struct outcome outcome;
	struct step step;
	struct frame frame;

	read_step(p, words, way, &step);
	frame = packet_build(&step.packet);
	outcome = rig_run_frame(p->rig, p->place, p->stand->sees[step.is_wrong_side ? !way : way],
				&frame);
	p->is_late = outcome.reason != step.reason && is_slow(p);
	if (p->is_late)
		return;
	if (outcome.reason != step.reason)
		fail_msg("%s: reason %d, wanted %d", p->place, outcome.reason, step.reason);
	if (step.rule)
		assert_row_string(p->place, rig_rule_name(p->rig, outcome.rule), step.rule);
	if (step.is_other)
		return;
	check_halves(p, &step, way, outcome.is_passed, frame.len);
	if (outcome.is_passed && step.packet.flags && !strchr(step.packet.flags, 'R'))
		advance(&p->next[way], &step.packet);
}

/* --- the other steps --- */

static void load(struct play *p, const char *word)
{
	const struct named_policy *policy = p->policies;

	while (policy->word && strcmp(policy->word, word))
		policy++;
	assert_row(word, policy->word);
	rig_policy(p->rig, policy->rules);
}

static void check_connection(struct play *p, const char *what, const char *wanted)
{
	static const char *const states[] = {
#define X(id, word, help) [BH_CONN_##id] = (word),
		BH_CONN_STATES(X)
#undef X
	};
	struct packet_spec packet = p->sequence->packet;
	struct seen_connection c;
	const char *seen;

	packet.is_v6 = p->is_v6;
	if (rig_connection(p->rig, &packet, endpoint_of(p), &c))
		seen = "none";
	else if (!strcmp(what, "state"))
		seen = states[c.conn.line.state];
	else if (!strcmp(what, "in"))
		seen = c.is_embryonic ? "embryonic" : "conns";
	else if (!strcmp(what, "rule"))
		seen = rig_rule_name(p->rig, c.conn.line.rule);
	else
		seen = datapath_timeout_s(&c.conn) == strtoul(wanted, NULL, 10) ? wanted
										: "another";
	assert_row_string(p->place, seen, wanted);
}

static void displace(struct play *p)
{
	struct packet_spec packet = p->sequence->packet;

	packet.is_v6 = p->is_v6;
	rig_forget_connection(p->rig, &packet, endpoint_of(p));
}

static void take_step(struct play *p, const struct words *words)
{
	const char *word = words->word[0], *value = words->word[1];

	if (!strcmp(word, ">"))
		send_packet(p, words, FORTH);
	else if (!strcmp(word, "<"))
		send_packet(p, words, BACK);
	else if (!strcmp(word, "wait"))
		rig_age(p->rig, (uint32_t)strtoul(value, NULL, 10));
	else if (!strcmp(word, "policy"))
		load(p, value);
	else if (!strcmp(word, "clock"))
		rig_clock(p->rig, strtoul(value, NULL, 10));
	else if (!strcmp(word, "beat"))
		rig_heartbeat(p->rig, (int)strtol(value, NULL, 10));
	else if (!strcmp(word, "displace"))
		displace(p);
	else if (!strcmp(word, "bump"))
		rig_bump(p->rig);
	else if (!strcmp(word, "adopt"))
		rig_adopt(p->rig, !strcmp(value, "on"));
	else if (!strcmp(word, "off"))
		rig_builtins_off(p->rig, (uint32_t)strtoul(value, NULL, 0));
	else
		check_connection(p, word, value);
}

static void play(struct play *p)
{
	const struct packet_spec *packet = &p->sequence->packet;
	const char *at = p->sequence->steps;

	rig_forget(p->rig);
	rig_adopt(p->rig, false);
	rig_builtins_off(p->rig, 0);
	rig_heartbeat(p->rig, -1);
	if (p->rig->rules != p->policies->rules)
		load(p, p->policies->word);
	if (p->stand->is_client)
		rig_stand(p->rig, packet->from ? packet->from : CLIENT);
	else
		rig_stand(p->rig, packet->to ? packet->to : SERVER);
	p->begun_ns = clock_monotonic_ns();
	while (*at && !p->is_late) {
		const char *start = at;
		struct words words;

		at = read_words(at, &words);
		snprintf(p->place, sizeof(p->place), "%s (%s, %s): '%.*s'", p->sequence->name,
			 p->is_v6 ? "IPv6" : "IPv4", p->stand->name, (int)(at - start), start);
		take_step(p, &words);
	}
}

void sequence_play(struct rig *rig, const struct named_policy *policies,
		   const struct sequence *sequences, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		unsigned int set = sequences[i].stands ? sequences[i].stands : ~0u;

		for (size_t j = 0, tries = 1; j < 2 * COUNT(stands);) {
			struct play p = {
				.tries = tries,
				.rig = rig,
				.sequence = &sequences[i],
				.policies = policies,
				.stand = &stands[j / 2],
				.is_v6 = j & 1,
				.next = {1000, 5000},
			};

			if ((p.stand->set & set) && family_has(sequences[i].family, p.is_v6))
				play(&p);
			tries = p.is_late ? tries + 1 : 1;
			j += !p.is_late;
		}
	}
	rig_adopt(rig, false);
	rig_builtins_off(rig, 0);
	rig_heartbeat(rig, -1);
}
