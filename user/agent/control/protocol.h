/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* clang-format off */
/*
 * What is said over the control socket (a UNIX stream).  The client sends one JSON object on one
 * line; the agent answers with JSON objects, one a line, and closes.  The last line of every answer
 * is {"ok": true, …} or {"ok": false, "error": "…"}; the lines before it, if any, are items.
 *
 *   {"op": "status"}
 *       last line: version, pid, started, policy {paths, hash, rules, workloads, loaded_at},
 *       generation, adopting (bool), endpoints (count), health ("ok" or "degraded"),
 *       degraded [{interface, ifindex, what, since}]: whose programs are not in place, or can't be
 *       attached, watchdog {action, faults {FAULT: count}, repairs, last {interface, what, at,
 *       repaired_at}} (last: if there was one), events {history, size, read}, alerts {ID: count},
 *       books {VERDICT: {produced, delivered, suppressed, lost}},
 *       flow_log {file, format, records, lost, lost_packets, lost_bytes, error (or null)} or null,
 *       drops {REASON: {packets, bytes, delivered, suppressed, lost}} (those that are not 0),
 *       dropped (their sum), cpus [{cpu, dropped, delivered, suppressed, lost}]: all of one
 *       reading, in which packets = delivered + suppressed + lost,
 *       tables [{name, used, capacity, bytes}], kernel {FEATURE: bool or word}
 *   {"op": "list", "what": "endpoints"|"identities"|"rules"|"connections"}
 *       an item each:
 *       endpoints    interface, ifindex, id, kind, workload, addresses [], ingress, egress (attach
 *                    methods), degraded (what is wrong, or null), passed {packets, bytes}, dropped {packets, bytes}
 *       identities   identity, zone, workload, labels {}, class, prefixes []
 *       rules        rule, action, from_file ("FILE:LINE"), packets, bytes, events {produced,
 *                    delivered, suppressed, lost}, last_hit (time or null), off (bool, built-ins
 *                    only); built-in rules first
 *       connections  protocol, src {ip, port, workload, zone}, dst {…}, state, verdict, rule,
 *                    generation, endpoint, age_s, idle_s, expires_s, packets [2], bytes [2];
 *                    src is the end that opened it
 *   {"op": "observe", "last": N, "follow": bool, "alerts": bool, "packets": bool}
 *       events as event_json.h writes them, or in their place alerts (detect.h); with packets those
 *       too, as far as they are known: they are copied while somebody follows who wants them.  With
 *       follow it says {"missed": N} when the client was too slow to get N events, and ends when
 *       the client sends another line, {"op": "stop"}; last line: sent, missed (events since it
 *       began to follow)
 *   {"op": "apply", "sources": [{"name": "…", "text": "…"}], "dry_run": bool, "force": bool,
 *    "strict": bool, "confirm": SECONDS, "ssh": SSH_CONNECTION of whoever asks}
 *   {"op": "rollback", "back": N, "dry_run": bool, "force": bool, "ssh": …}
 *   {"op": "reload"}
 *   {"op": "confirm"}
 *       last line: generation, rules, workloads, took_ms, confirm_until (time or null),
 *       diagnostics, and of what changes the policy diff: lines as `bulkhead diff` prints them,
 *       from the policy in force to this one (null: there is none, or they differ too widely),
 *       cuts {connections, own_session (bool), rules [{rule, connections, examples []}]},
 *       promotion (bool: what was audited is denied), audited {since, connections, left_out,
 *       rules [{rule, connections, events, example}]}: what of that was seen.  On failure error
 *       and diagnostics (what `check` would print), and the same of what changes
 *   {"op": "allow", "for": SECONDS, "from": WHO, "to": WHO, "service": "…", "reason": "…"}
 *       last line: rule, expires, diagnostics, generation; on failure error and diagnostics
 */
/* clang-format on */
#ifndef AGENT_CONTROL_PROTOCOL_H
#define AGENT_CONTROL_PROTOCOL_H

#define PROTOCOL_SOCKET      "/run/bulkhead/control.sock"
#define PROTOCOL_STATE_DIR   "/var/lib/bulkhead"
#define PROTOCOL_BPFFS       "/sys/fs/bpf/bulkhead"
#define PROTOCOL_POLICY_DIR  "/etc/bulkhead/policy.d"
#define PROTOCOL_GROUP       "bulkhead"
#define PROTOCOL_MAX_REQUEST (80ul * 1024 * 1024) /* bytes: a policy of SOURCE_MAX, escaped */

#endif
