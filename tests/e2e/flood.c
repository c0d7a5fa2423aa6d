/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * flood INTERFACE MAC SECONDS [CPUS [RATE]]: as many datagrams as one CPU makes, or several, or as
 * many a second, each from some port of 198.51.100.7 to 192.0.2.10 udp/9999, out of an interface.
 * Prints how many they were, and how many a second.
 */
#include <net/if.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/bpf.h>

#define BURST    65536
#define PORT_AT  34
#define LEN      62
#define NS_PER_S 1000000000ull
#define CPUS_MAX 64
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define HELPER(id)                                                                                 \
	{                                                                                          \
		.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_##id                                   \
	}
#define LOAD(size, to, from, at)                                                                   \
	{                                                                                          \
		.code = BPF_LDX | BPF_MEM | (size), .dst_reg = (to), .src_reg = (from),            \
		.off = (at)                                                                        \
	}
#define STORE(size, to, at, from)                                                                  \
	{                                                                                          \
		.code = BPF_STX | BPF_MEM | (size), .dst_reg = (to), .src_reg = (from),            \
		.off = (at)                                                                        \
	}
#define COPY(to, from)                                                                             \
	{                                                                                          \
		.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = (to), .src_reg = (from)            \
	}
#define SET(to, value)                                                                             \
	{                                                                                          \
		.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = (to), .imm = (value)               \
	}
#define ADD(to, value)                                                                             \
	{                                                                                          \
		.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = (to), .imm = (value)               \
	}
#define SKIP_IF_MORE(a, b, n)                                                                      \
	{                                                                                          \
		.code = BPF_JMP | BPF_JGT | BPF_X, .dst_reg = (a), .src_reg = (b), .off = (n)      \
	}
#define LEAVE                                                                                      \
	{                                                                                          \
		.code = BPF_JMP | BPF_EXIT                                                         \
	}

/* clang-format off */
static uint8_t datagram[LEN] = {
	[12] = 0x08, 0x00,                                     /* IPv4 */
	[14] = 0x45, 0x00, 0x00, 0x30, 0x00, 0x00, 0x40, 0x00, /* 48 bytes */
	[22] = 0x40, 0x11, 0x00, 0xac, 198, 51, 100, 7,        /* UDP, from */
	[30] = 192, 0, 2, 10, 0x00, 0x00, 0x27, 0x0f,          /* to */
	[38] = 0x00, 0x1c,
};
/* clang-format on */

static long bpf(enum bpf_cmd cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

/* Another port, and out by the interface. */
static int load_program(unsigned int ifindex)
{
	const struct bpf_insn insns[] = {
		SET(BPF_REG_0, XDP_DROP),
		LOAD(BPF_W, BPF_REG_6, BPF_REG_1, offsetof(struct xdp_md, data)),
		LOAD(BPF_W, BPF_REG_3, BPF_REG_1, offsetof(struct xdp_md, data_end)),
		COPY(BPF_REG_2, BPF_REG_6),
		ADD(BPF_REG_2, LEN),
		SKIP_IF_MORE(BPF_REG_2, BPF_REG_3, 5),
		HELPER(get_prandom_u32),
		STORE(BPF_H, BPF_REG_6, PORT_AT, BPF_REG_0),
		SET(BPF_REG_1, (int)ifindex),
		SET(BPF_REG_2, 0),
		HELPER(redirect),
		LEAVE,
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_XDP,
		.insns = (uintptr_t)insns,
		.insn_cnt = COUNT(insns),
		.license = (uintptr_t) "Dual BSD/GPL",
	};

	return (int)bpf(BPF_PROG_LOAD, &attr);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static int send_burst(int program)
{
	union bpf_attr attr = {
		.test =
			{
				.prog_fd = (uint32_t)program,
				.data_in = (uintptr_t)datagram,
				.data_size_in = sizeof(datagram),
				.repeat = BURST,
				.flags = BPF_F_TEST_XDP_LIVE_FRAMES,
			},
	};

	return (int)bpf(BPF_PROG_TEST_RUN, &attr);
}

struct plan {
	int program;
	uint64_t seconds;
	unsigned int cpus;
	uint64_t rate; /* a second, of each CPU; 0: as many as it makes */
};

/* Until so many are due, @ns after the start. */
static void rest(const struct plan *plan, uint64_t sent, uint64_t ns)
{
	uint64_t due_ns = plan->rate ? sent * NS_PER_S / plan->rate : 0;

	if (due_ns > ns)
		usleep((useconds_t)((due_ns - ns) / 1000));
}

static int flood(const struct plan *plan, uint64_t *ret_sent)
{
	uint64_t start_ns = now_ns(), sent = 0;

	do {
		if (send_burst(plan->program))
			return -1;
		sent += BURST;
		rest(plan, sent, now_ns() - start_ns);
	} while (now_ns() - start_ns < plan->seconds * NS_PER_S);
	*ret_sent = sent;
	return 0;
}

static int use_cpu(unsigned int number)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(number, &one);
	return sched_setaffinity(0, sizeof(one), &one);
}

/* A process for each CPU, which ends with 0 and has written how many it sent. */
static int flood_from_all(const struct plan *plan, uint64_t *sent)
{
	int status, err = 0;

	for (unsigned int i = 0; i < plan->cpus; i++) {
		pid_t child = fork();

		if (!child)
			_exit(use_cpu(i) || flood(plan, &sent[i]));
		err |= child < 0;
	}
	while (wait(&status) > 0)
		err |= status;
	return err ? -1 : 0;
}

static int flood_and_tell(const struct plan *plan)
{
	uint64_t *sent = mmap(NULL, CPUS_MAX * sizeof(*sent), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t start_ns = now_ns(), all = 0, ns;

	if (sent == MAP_FAILED || flood_from_all(plan, sent))
		return -1;
	ns = now_ns() - start_ns;
	for (unsigned int i = 0; i < plan->cpus; i++)
		all += sent[i];
	printf("%llu %.0f\n", (unsigned long long)all, (double)all * NS_PER_S / (double)ns);
	return 0;
}

static int read_mac(const char *text)
{
	uint8_t *m = datagram;

	return sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx", m, m + 1, m + 2, m + 3, m + 4,
		      m + 5) == 6
		       ? 0
		       : -1;
}

static uint64_t number_of(int argc, char **argv, int at, uint64_t otherwise)
{
	return argc > at ? strtoull(argv[at], NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
	unsigned int ifindex = argc >= 4 && argc <= 6 ? if_nametoindex(argv[1]) : 0;
	struct plan plan = {
		.seconds = number_of(argc, argv, 3, 0),
		.cpus = (unsigned int)number_of(argc, argv, 4, 1),
	};

	if (!ifindex || read_mac(argv[2]) || !plan.cpus || plan.cpus > CPUS_MAX) {
		fputs("usage: flood INTERFACE MAC SECONDS [CPUS [RATE]]\n", stderr);
		return 2;
	}
	plan.rate = number_of(argc, argv, 5, 0) / plan.cpus;
	plan.program = load_program(ifindex);
	if (plan.program < 0 || flood_and_tell(&plan)) {
		perror("flood");
		return 1;
	}
	return 0;
}
