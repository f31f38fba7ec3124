/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A rule looks at a call at its entry. What it reads of the tracee's memory another thread may change before the kernel
 * reads it: a guard rail for one's own programs, no sandbox.
 *
 * ::ffff:10.0.0.1 is 10.0.0.1, as an address and as a prefix: the kernel sends IPv4 then (RFC 4291, 2.5.5.2).
 */
#include "calls/deny.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "calls/restart.h"
#include "machine/memory.h"

#define MOST_ERROR 4095	   /* MAX_ERRNO of the kernel */
#define MOST_MESSAGES 1024 /* UIO_MAXIOV: the kernel takes no more of a sendmmsg */
#define ADDRESS_SIZE 128   /* of struct sockaddr_storage */
#define MAPPED_BITS 96	   /* of the prefix ::ffff:0:0 */

struct denial {
	struct denial *next;
	struct pt_rule given; /* prefixes: those below */
	struct pt_prefix prefixes[];
};

static const uint8_t mapped[MAPPED_BITS / 8] = {[10] = 0xff, [11] = 0xff};

static struct pt_prefix unmapped(struct pt_prefix prefix)
{
	if (prefix.family == AF_INET6 && prefix.bits >= MAPPED_BITS &&
	    memcmp(prefix.address, mapped, sizeof(mapped)) == 0) {
		prefix.family = AF_INET;
		prefix.bits -= MAPPED_BITS;
		memmove(prefix.address, prefix.address + sizeof(mapped), sizeof(struct in_addr));
	}
	return prefix;
}

/* Where a datagram goes, AF_UNSPEC is AF_INET (net/ipv4/udp.c, udp_sendmsg); a prefix says which of both it means. */
static bool is_ipv4(int32_t family)
{
	return family == AF_INET || family == AF_UNSPEC;
}

static bool is_valid(const struct pt_rule *rule)
{
	bool two = rule->condition == PT_IF_ADDRESS || rule->condition == PT_IF_MESSAGES;

	if (rule->number >= CALL_NUMBERS || rule->error < 0 || rule->error > MOST_ERROR || restart_pending(rule->error))
		return false;
	if (!rule->error && !rule->emit)
		return false; /* it would do nothing, and cost a stop */
	if (rule->condition < PT_ALWAYS || rule->condition > PT_IF_MESSAGES)
		return false;
	if (rule->argument < 0 || rule->argument > (two ? 4 : 5))
		return false;
	for (uint32_t i = 0; i < rule->prefix_count; i++) {
		int32_t family = rule->prefixes[i].family;

		if (rule->prefixes[i].bits > (family == AF_INET6 ? 128u : is_ipv4(family) ? 32u : 0u))
			return false;
	}
	return true;
}

int pt_deny(struct pt_tracer *t, const struct pt_rule *given)
{
	struct denial *rule, **at;

	if (!is_valid(given))
		return -EINVAL;
	rule = calloc(1, sizeof(*rule) + given->prefix_count * sizeof(rule->prefixes[0]));
	if (!rule)
		return -ENOMEM;
	rule->given = *given;
	rule->given.prefixes = rule->prefixes;
	for (uint32_t i = 0; i < given->prefix_count; i++)
		rule->prefixes[i] = unmapped(given->prefixes[i]);
	for (at = &t->orders.of[given->compat != 0][given->number].rules; *at; at = &(*at)->next)
		;
	*at = rule;
	t->orders.any = true;
	return 0;
}

void deny_destroy(struct denial *rules)
{
	for (struct denial *next; rules; rules = next) {
		next = rules->next;
		free(rules);
	}
}

/* One family's view of an address: its bits. */
struct view {
	int32_t family;
	const uint8_t *bits; /* NULL: of this family prefixes have none */
};

static bool begins_with(const uint8_t *bits, const struct pt_prefix *prefix)
{
	unsigned int whole = prefix->bits / 8, rest = prefix->bits % 8;

	if (memcmp(bits, prefix->address, whole) != 0)
		return false;
	return !rest || (bits[whole] ^ prefix->address[whole]) >> (8 - rest) == 0;
}

/* The families whose prefixes say something of an address: its own, and for a mapped one IPv4's. Returns how many. */
static unsigned int views_of(const uint8_t *address, size_t length, struct view views[2])
{
	sa_family_t family;

	if (length < sizeof(family))
		return 0;
	memcpy(&family, address, sizeof(family));
	views[0] = (struct view){.family = family};
	if (is_ipv4(family)) {
		/* Shorter ones the kernel does not take. */
		if (length < offsetof(struct sockaddr_in, sin_addr) + sizeof(struct in_addr))
			return 0;
		views[0].bits = address + offsetof(struct sockaddr_in, sin_addr);
	} else if (family == AF_INET6) {
		if (length < offsetof(struct sockaddr_in6, sin6_addr) + sizeof(struct in6_addr))
			return 0;
		views[0].bits = address + offsetof(struct sockaddr_in6, sin6_addr);
		if (memcmp(views[0].bits, mapped, sizeof(mapped)) == 0) {
			views[1] = (struct view){.family = AF_INET, .bits = views[0].bits + sizeof(mapped)};
			return 2;
		}
	}
	return 1;
}

bool deny_matches(const struct denial *rule, const uint8_t *address, size_t length)
{
	struct view views[2];
	unsigned int count = views_of(address, length, views);
	bool spoken_of = false, inside = false;

	for (uint32_t i = 0; i < rule->given.prefix_count; i++) {
		for (unsigned int view = 0; view < count; view++) {
			if (views[view].family != rule->prefixes[i].family)
				continue;
			spoken_of = true;
			inside |= !views[view].bits || begins_with(views[view].bits, &rule->prefixes[i]);
		}
	}
	return rule->given.outside ? spoken_of && !inside : inside;
}

/* An address that can't be read does not match: the kernel can't read it either. */
static bool matches_at(pid_t tid, const struct denial *rule, uint64_t address, uint32_t length)
{
	uint8_t bytes[ADDRESS_SIZE];

	if (length > sizeof(bytes))
		length = sizeof(bytes);
	return address && length && memory_read(tid, address, bytes, length) == 0 && deny_matches(rule, bytes, length);
}

static bool has_messages(pid_t tid, const struct denial *rule, const struct pt_call *call)
{
	uint64_t address = call->args[rule->given.argument];
	uint32_t count = (uint32_t)call->args[rule->given.argument + 1];
	struct message message;

	for (unsigned int i = 0; i < count && i < MOST_MESSAGES; i++) {
		if (memory_read_mmsghdr(tid, address, i, call->compat, &message) < 0)
			return false; /* nor does the kernel get further */
		if (matches_at(tid, rule, message.name, message.name_length))
			return true;
	}
	return false;
}

static bool always(pid_t tid, const struct denial *rule, const struct pt_call *call)
{
	(void)tid;
	(void)rule;
	(void)call;
	return true;
}

static bool has_value(pid_t tid, const struct denial *rule, const struct pt_call *call)
{
	(void)tid;
	return (int32_t)call->args[rule->given.argument] == rule->given.value;
}

static bool has_address(pid_t tid, const struct denial *rule, const struct pt_call *call)
{
	return matches_at(tid, rule, call->args[rule->given.argument], (uint32_t)call->args[rule->given.argument + 1]);
}

static bool has_message(pid_t tid, const struct denial *rule, const struct pt_call *call)
{
	struct message message;

	return memory_read_msghdr(tid, call->args[rule->given.argument], call->compat, &message) == 0 &&
	       matches_at(tid, rule, message.name, message.name_length);
}

/* By its condition: does the rule refuse this call? */
static bool (*const conditions[])(pid_t tid, const struct denial *rule, const struct pt_call *call) = {
	[PT_ALWAYS] = always,	       [PT_IF_VALUE] = has_value,	[PT_IF_ADDRESS] = has_address,
	[PT_IF_MESSAGE] = has_message, [PT_IF_MESSAGES] = has_messages,
};

_Static_assert(sizeof(conditions) / sizeof(conditions[0]) == PT_IF_MESSAGES + 1, "each condition has its row");

const struct denial *deny_find(pid_t tid, const struct denial *rules, const struct pt_call *call)
{
	while (rules && !conditions[rules->given.condition](tid, rules, call))
		rules = rules->next;
	return rules;
}

int deny_always(const struct denial *rules)
{
	return rules && rules->given.condition == PT_ALWAYS && !rules->given.emit ? rules->given.error : 0;
}

int deny_error(const struct denial *rule)
{
	return rule->given.error;
}

int deny_id(const struct denial *rule)
{
	return rule->given.id;
}

bool deny_emits(const struct denial *rule)
{
	return rule->given.emit != 0;
}

struct pt_watch deny_captures(const struct denial *rule, const struct pt_watch *watch)
{
	static const uint8_t kinds[] = {
		[PT_IF_ADDRESS] = PT_CAPTURE_SIZED,
		[PT_IF_MESSAGE] = PT_CAPTURE_MSGHDR,
		[PT_IF_MESSAGES] = PT_CAPTURE_MMSGHDR,
	};
	struct pt_watch kept = watch ? *watch : (struct pt_watch){0};
	struct pt_capture *capture = &kept.captures[rule->given.argument];

	if (rule->given.condition < PT_IF_ADDRESS)
		return kept;
	if (capture->kind == PT_CAPTURE_NOTHING)
		*capture = (struct pt_capture){.kind = kinds[rule->given.condition], .most = ADDRESS_SIZE};
	capture->at_entry = 1;
	return kept;
}
