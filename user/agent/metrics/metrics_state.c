/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The families that tell how things are: agent, policy, endpoints, tables, process. */
#include "agent/control/words.h"
#include "agent/metrics/metrics_view.h"
#include "agent/metrics/readiness.h"
#include "agent/version.h"
#include "util/clock.h"

/* --- agent --- */

static void add_build(const struct metrics_view *v, const char *name, struct text *out)
{
	(void)v;
	exposition_number(out, name, LABELS({"version", BULKHEAD_VERSION}), 1);
}

static void add_heartbeat(const struct metrics_view *v, const char *name, struct text *out)
{
	exposition_seconds(out, name, NO_LABELS, v->metrics->sampled_wall_ns);
}

static void add_ready(const struct metrics_view *v, const char *name, struct text *out)
{
	_text_ struct text why = TEXT_INIT;

	exposition_number(out, name, NO_LABELS, readiness_check(v->agent, &why));
}

static void add_adopting(const struct metrics_view *v, const char *name, struct text *out)
{
	exposition_number(out, name, NO_LABELS, clock_monotonic_ns() < v->agent->adopt_until_ns);
}

/* --- policy --- */

static void add_policy(const struct metrics_view *v, const char *name, struct text *out)
{
	exposition_number(out, name,
			  LABELS({"hash", v->loaded->hash},
				 {"origin", policy_origin_word(v->loaded->origin)}),
			  1);
}

static void add_generation(const struct metrics_view *v, const char *name, struct text *out)
{
	exposition_number(out, name, NO_LABELS, datapath_generation(v->agent->dp));
}

static void add_zones(const struct metrics_view *v, const char *name, struct text *out)
{
	exposition_number(out, name, NO_LABELS, v->loaded->policy->zones.count);
}

static void add_workloads(const struct metrics_view *v, const char *name, struct text *out)
{
	exposition_number(out, name, NO_LABELS, v->loaded->policy->workloads.count);
}

static void add_rules(const struct metrics_view *v, const char *name, struct text *out)
{
	exposition_number(out, name, NO_LABELS, v->loaded->policy->rules.count);
}

static void add_loaded(const struct metrics_view *v, const char *name, struct text *out)
{
	exposition_seconds(out, name, NO_LABELS, v->loaded->loaded_ns);
}

static void add_unconfirmed(const struct metrics_view *v, const char *name, struct text *out)
{
	exposition_number(out, name, NO_LABELS, datapath_revert_at(v->agent->dp) != 0);
}

static void add_kept(const struct metrics_view *v, const char *name, struct text *out)
{
	exposition_number(out, name, NO_LABELS, v->loaded->is_kept);
}

static void add_swap_failures(const struct metrics_view *v, const char *name, struct text *out)
{
	exposition_number(out, name, NO_LABELS, v->agent->policies.swaps.failed);
}

static void add_last_swap(const struct metrics_view *v, const char *name, struct text *out)
{
	exposition_seconds(out, name, NO_LABELS, v->agent->policies.swaps.last_ns);
}

static void add_last_took(const struct metrics_view *v, const char *name, struct text *out)
{
	exposition_seconds(out, name, NO_LABELS, v->agent->policies.swaps.last_took_ns);
}

static void add_swaps(const struct metrics_view *v, const char *name, struct text *out)
{
	_text_ struct text part = TEXT_INIT;

	text_addf(&part, "%s_sum", name);
	exposition_seconds(out, part.buf, NO_LABELS, v->agent->policies.swaps.took_ns);
	text_reset(&part);
	text_addf(&part, "%s_count", name);
	exposition_number(out, part.buf, NO_LABELS, v->agent->policies.swaps.done);
}

/* --- endpoints --- */

static const char *kind_word(enum bh_endpoint_kind kind)
{
	return kind == BH_ENDPOINT_IS_HOST ? "host" : "workload";
}

static void add_group(struct text *out, const char *name, const struct endpoint_group *group,
		      uint64_t value)
{
	exposition_number(out, name,
			  LABELS({"interface", group->interface}, {"kind", kind_word(group->kind)}),
			  value);
}

static void add_attached(const struct metrics_view *v, const char *name, struct text *out)
{
	vec_foreach (group, &v->groups)
		add_group(out, name, group, group->attached);
}

static void add_missing(const struct metrics_view *v, const char *name, struct text *out)
{
	vec_foreach (group, &v->groups)
		add_group(out, name, group, group->missing);
}

static void add_degraded(const struct metrics_view *v, const char *name, struct text *out)
{
	vec_foreach (group, &v->groups)
		add_group(out, name, group, group->degraded);
}

static void add_group_methods(const struct endpoint_group *group, const char *name,
			      struct text *out)
{
	for (unsigned int d = 0; d < COUNT(group->methods); d++) {
		for (enum attach_method m = ATTACH_NONE + 1; m < ENDPOINT_METHODS; m++) {
			if (group->methods[d][m])
				exposition_number(out, name,
						  LABELS({"interface", group->interface},
							 {"direction", direction_word(d)},
							 {"method", attach_method_word(m)}),
						  group->methods[d][m]);
		}
	}
}

static void add_methods(const struct metrics_view *v, const char *name, struct text *out)
{
	vec_foreach (group, &v->groups)
		add_group_methods(group, name, out);
}

static void add_faults(const struct metrics_view *v, const char *name, struct text *out)
{
	for (enum hook_fault f = HOOK_INTACT + 1; f < HOOK_FAULTS; f++)
		exposition_number(out, name, LABELS({"fault", hook_fault_word(f)}),
				  v->agent->watchdog.faults[f]);
}

static void add_repairs(const struct metrics_view *v, const char *name, struct text *out)
{
	exposition_number(out, name, NO_LABELS, v->agent->watchdog.repairs);
}

/* --- tables --- */

static void add_entries(const struct metrics_view *v, const char *name, struct text *out)
{
	for (size_t i = 0; i < v->table_count; i++) {
		if (v->tables[i].used != UINT64_MAX)
			exposition_number(out, name, LABELS({"table", v->tables[i].name}),
					  v->tables[i].used);
	}
}

static void add_capacity(const struct metrics_view *v, const char *name, struct text *out)
{
	for (size_t i = 0; i < v->table_count; i++) {
		if (v->tables[i].used != UINT64_MAX)
			exposition_number(out, name, LABELS({"table", v->tables[i].name}),
					  v->tables[i].capacity);
	}
}

static void add_memory(const struct metrics_view *v, const char *name, struct text *out)
{
	for (size_t i = 0; i < v->table_count; i++)
		exposition_number(out, name, LABELS({"table", v->tables[i].name}),
				  v->tables[i].bytes);
}

/* --- process: the names that every exporter has --- */

static void add_cpu(const struct metrics_view *v, const char *name, struct text *out)
{
	exposition_seconds(out, name, NO_LABELS, v->usage.cpu_ns);
}

static void add_resident(const struct metrics_view *v, const char *name, struct text *out)
{
	exposition_number(out, name, NO_LABELS, v->usage.resident_bytes);
}

static void add_virtual(const struct metrics_view *v, const char *name, struct text *out)
{
	exposition_number(out, name, NO_LABELS, v->usage.virtual_bytes);
}

static void add_open_fds(const struct metrics_view *v, const char *name, struct text *out)
{
	exposition_number(out, name, NO_LABELS, v->usage.open_fds);
}

static void add_max_fds(const struct metrics_view *v, const char *name, struct text *out)
{
	if (v->usage.max_fds)
		exposition_number(out, name, NO_LABELS, v->usage.max_fds);
}

static void add_started(const struct metrics_view *v, const char *name, struct text *out)
{
	exposition_seconds(out, name, NO_LABELS, v->agent->started_ns);
}

/* clang-format off */
const struct family state_families[] = {
	{ "bulkhead_build_info", METRIC_GAUGE, add_build, "Which version this is." },
	{ "bulkhead_agent_heartbeat_timestamp_seconds", METRIC_GAUGE, add_heartbeat,
	  "When the agent's loop last had its turn." },
	{ "bulkhead_ready", METRIC_GAUGE, add_ready,
	  "Whether the policy is in force and every endpoint attached, as /readyz says." },
	{ "bulkhead_adopting", METRIC_GAUGE, add_adopting,
	  "Whether connections older than the first start are adopted." },

	{ "bulkhead_policy_info", METRIC_GAUGE, add_policy,
	  "The policy in force, and whether it is the one given." },
	{ "bulkhead_policy_generation", METRIC_GAUGE, add_generation,
	  "Generation in force; it also grows as addresses move." },
	{ "bulkhead_policy_zones", METRIC_GAUGE, add_zones, "Zones of the policy in force." },
	{ "bulkhead_policy_workloads", METRIC_GAUGE, add_workloads,
	  "Workloads of the policy in force." },
	{ "bulkhead_policy_rules", METRIC_GAUGE, add_rules, "Rules of the policy in force." },
	{ "bulkhead_policy_loaded_timestamp_seconds", METRIC_GAUGE, add_loaded,
	  "When the policy in force was read." },
	{ "bulkhead_policy_unconfirmed", METRIC_GAUGE, add_unconfirmed,
	  "Whether the policy in force goes back unless it is confirmed." },
	{ "bulkhead_policy_kept", METRIC_GAUGE, add_kept,
	  "Whether the next start can begin with the policy in force." },
	{ "bulkhead_policy_swap_duration_seconds", METRIC_SUMMARY, add_swaps,
	  "What it took to put a compiled policy in force." },
	{ "bulkhead_policy_swap_failures_total", METRIC_COUNTER, add_swap_failures,
	  "Policies that did not load, compile or fit; the one before stayed in force." },
	{ "bulkhead_policy_last_swap_timestamp_seconds", METRIC_GAUGE, add_last_swap,
	  "When a compiled policy was last put in force." },
	{ "bulkhead_policy_last_swap_duration_seconds", METRIC_GAUGE, add_last_took,
	  "What that took." },

	{ "bulkhead_endpoints_attached", METRIC_GAUGE, add_attached,
	  "Interfaces that are enforced, by the name or pattern that was configured." },
	{ "bulkhead_endpoints_missing", METRIC_GAUGE, add_missing,
	  "Interfaces that should be enforced and are not." },
	{ "bulkhead_endpoints_degraded", METRIC_GAUGE, add_degraded,
	  "Interfaces whose programs are not in place, or are refused." },
	{ "bulkhead_endpoint_methods", METRIC_GAUGE, add_methods,
	  "Interfaces that are enforced, by how programs are attached." },
	{ "bulkhead_watchdog_faults_total", METRIC_COUNTER, add_faults,
	  "Programs that were found detached, displaced or in another mode." },
	{ "bulkhead_watchdog_repairs_total", METRIC_COUNTER, add_repairs,
	  "Endpoints that were put right." },

	{ "bulkhead_table_entries", METRIC_GAUGE, add_entries,
	  "Entries in use; of connections, at the last sweep." },
	{ "bulkhead_table_capacity_entries", METRIC_GAUGE, add_capacity,
	  "Entries that there is room for." },
	{ "bulkhead_table_memory_bytes", METRIC_GAUGE, add_memory,
	  "Memory that the kernel accounts to the table." },

	{ "process_cpu_seconds_total", METRIC_COUNTER, add_cpu,
	  "CPU time of the agent, user and system." },
	{ "process_resident_memory_bytes", METRIC_GAUGE, add_resident,
	  "Resident memory of the agent." },
	{ "process_virtual_memory_bytes", METRIC_GAUGE, add_virtual,
	  "Virtual memory of the agent." },
	{ "process_open_fds", METRIC_GAUGE, add_open_fds, "Open descriptors of the agent." },
	{ "process_max_fds", METRIC_GAUGE, add_max_fds, "Descriptors that it may open." },
	{ "process_start_time_seconds", METRIC_GAUGE, add_started, "When the agent started." },
};
/* clang-format on */
const size_t state_family_count = COUNT(state_families);
