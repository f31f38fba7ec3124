/* SPDX-License-Identifier: GPL-2.0-or-later
 * Rules: which addresses match, which calls are refused. The "tracee" is this very process. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "calls/deny.h"
#include "calls/watch.h"
#include "check.h"

static struct pt_tracer tracer;

static void begin(void)
{
	watch_destroy(&tracer);
	memset(&tracer, 0, sizeof(tracer));
}

static struct pt_prefix prefix(int family, const char *text, unsigned int bits)
{
	struct pt_prefix it = {.family = family, .bits = bits};

	CHECK(!text || inet_pton(family, text, it.address) == 1);
	return it;
}

/* The list of rules of connect, with this one alone. */
static const struct denial *rule(const struct pt_prefix *prefixes, uint32_t count, int outside)
{
	const struct pt_rule it = {.number = SYS_connect,
				   .condition = PT_IF_ADDRESS,
				   .argument = 1,
				   .error = EACCES,
				   .outside = outside,
				   .prefixes = prefixes,
				   .prefix_count = count};

	begin();
	CHECK(pt_deny(&tracer, &it) == 0);
	return tracer.orders.of[0][SYS_connect].rules;
}

static struct sockaddr_in inet(const char *text)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = 9};

	CHECK(inet_pton(AF_INET, text, &address.sin_addr) == 1);
	return address;
}

static struct sockaddr_in6 inet6(const char *text)
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = 9};

	CHECK(inet_pton(AF_INET6, text, &address.sin6_addr) == 1);
	return address;
}

static bool matches4(const struct denial *denial, const char *text)
{
	struct sockaddr_in address = inet(text);

	return deny_matches(denial, (const uint8_t *)&address, sizeof(address));
}

static bool matches6(const struct denial *denial, const char *text)
{
	struct sockaddr_in6 address = inet6(text);

	return deny_matches(denial, (const uint8_t *)&address, sizeof(address));
}

static void check_prefixes(void)
{
	const struct pt_prefix ten = prefix(AF_INET, "10.0.0.0", 8), odd = prefix(AF_INET, "192.168.16.0", 20);
	const struct pt_prefix one = prefix(AF_INET, "192.0.2.1", 32), six = prefix(AF_INET6, "2001:db8::", 33);
	const struct denial *denial = rule(&ten, 1, 0);

	CHECK(matches4(denial, "10.0.0.0") && matches4(denial, "10.255.255.255"));
	CHECK(!matches4(denial, "11.0.0.0") && !matches4(denial, "9.255.255.255"));
	CHECK(!matches6(denial, "a00::1")); /* begins with the same byte, of another family */
	denial = rule(&odd, 1, 0);
	CHECK(matches4(denial, "192.168.16.0") && matches4(denial, "192.168.31.255"));
	CHECK(!matches4(denial, "192.168.32.0") && !matches4(denial, "192.168.15.255"));
	denial = rule(&one, 1, 0);
	CHECK(matches4(denial, "192.0.2.1") && !matches4(denial, "192.0.2.0"));
	denial = rule(&six, 1, 0);
	CHECK(matches6(denial, "2001:db8:7fff::1") && !matches6(denial, "2001:db8:8000::1"));
	CHECK(!matches4(denial, "32.1.13.184"));
}

static void check_mapped(void)
{
	const struct pt_prefix four = prefix(AF_INET, "10.0.0.0", 8), six = prefix(AF_INET6, "::ffff:10.0.0.0", 104);
	const struct pt_prefix all_six = prefix(AF_INET6, NULL, 0);
	const struct denial *denial = rule(&four, 1, 0);

	CHECK(matches6(denial, "::ffff:10.1.2.3") && !matches6(denial, "::ffff:11.1.2.3"));
	CHECK(!matches6(denial, "::10.1.2.3")); /* not mapped, only written so */
	denial = rule(&six, 1, 0);
	CHECK(matches6(denial, "::ffff:10.1.2.3") && matches4(denial, "10.1.2.3"));
	CHECK(!matches6(denial, "::ffff:11.1.2.3") && !matches4(denial, "11.1.2.3"));
	denial = rule(&all_six, 1, 0);
	CHECK(matches6(denial, "::1") && matches6(denial, "::ffff:10.1.2.3") && !matches4(denial, "10.1.2.3"));
}

static void check_outside(void)
{
	const struct pt_prefix allowed[] = {prefix(AF_INET, "127.0.0.0", 8), prefix(AF_INET, "10.0.0.0", 8),
					    prefix(AF_INET6, "::1", 128), prefix(AF_INET6, "fc00::", 7)};
	const struct denial *denial = rule(allowed, 4, 1);
	const struct sockaddr_un local = {.sun_family = AF_UNIX};

	CHECK(matches4(denial, "192.0.2.1") && matches6(denial, "2001:db8::1") && matches6(denial, "::ffff:192.0.2.1"));
	CHECK(!matches4(denial, "127.0.0.1") && !matches4(denial, "10.9.8.7") && !matches6(denial, "::1"));
	CHECK(!matches6(denial, "fdff::1") && !matches6(denial, "::ffff:127.0.0.1"));
	CHECK(!deny_matches(denial, (const uint8_t *)&local, sizeof(local)));
	/* A mapped address is of both families. */
	denial = rule(allowed, 1, 1);
	CHECK(matches6(denial, "::ffff:192.0.2.1") && !matches6(denial, "2001:db8::1"));
}

static void check_families(void)
{
	const struct pt_prefix kinds[] = {{.family = AF_UNIX}, {.family = AF_INET}};
	const struct denial *denial = rule(kinds, 2, 0);
	const struct sockaddr_un local = {.sun_family = AF_UNIX};
	struct sockaddr_in far = inet("192.0.2.1");

	CHECK(deny_matches(denial, (const uint8_t *)&local, sizeof(sa_family_t)));
	CHECK(matches4(denial, "192.0.2.1") && !matches6(denial, "::1"));
	/* What is too short to be an address is none. */
	CHECK(!deny_matches(denial, (const uint8_t *)&far, 7) && deny_matches(denial, (const uint8_t *)&far, 8));
	CHECK(!deny_matches(denial, (const uint8_t *)&far, 1) && !deny_matches(denial, (const uint8_t *)&far, 0));
}

static bool refused(const struct pt_call *call)
{
	return deny_find(getpid(), tracer.orders.of[0][call->number].rules, call) != NULL;
}

static void check_addresses(void)
{
	const struct pt_prefix ten = prefix(AF_INET, "10.0.0.0", 8);
	struct sockaddr_in in = inet("10.0.0.1"), out = inet("192.0.2.1");
	struct pt_call call = {.number = SYS_connect, .args = {3, (uintptr_t)&in, sizeof(in)}};

	rule(&ten, 1, 0);
	CHECK(refused(&call));
	call.args[1] = (uintptr_t)&out;
	CHECK(!refused(&call));
	call.args[1] = 0;
	CHECK(!refused(&call));
	call.args[1] = 4096; /* not mapped */
	CHECK(!refused(&call));
	call.args[1] = (uintptr_t)&in;
	call.args[2] = 0;
	CHECK(!refused(&call));
	call.args[2] = 4; /* the address itself is not in it */
	CHECK(!refused(&call));
}

static void check_messages(void)
{
	const struct pt_prefix ten = prefix(AF_INET, "10.0.0.0", 8);
	struct pt_rule it = {.number = SYS_sendmsg,
			     .condition = PT_IF_MESSAGE,
			     .argument = 1,
			     .error = EACCES,
			     .prefixes = &ten,
			     .prefix_count = 1};
	struct sockaddr_in in = inet("10.0.0.1"), out = inet("192.0.2.1");
	struct mmsghdr messages[3] = {{.msg_hdr = {.msg_name = &out, .msg_namelen = sizeof(out)}},
				      {.msg_hdr = {.msg_name = NULL}},
				      {.msg_hdr = {.msg_name = &in, .msg_namelen = sizeof(in)}}};
	struct pt_call one = {.number = SYS_sendmsg, .args = {3, (uintptr_t)&messages[2]}};
	struct pt_call many = {.number = SYS_sendmmsg, .args = {3, (uintptr_t)messages, 3}};

	begin();
	CHECK(pt_deny(&tracer, &it) == 0);
	it.number = SYS_sendmmsg;
	it.condition = PT_IF_MESSAGES;
	CHECK(pt_deny(&tracer, &it) == 0);
	CHECK(refused(&one));
	one.args[1] = (uintptr_t)&messages[0];
	CHECK(!refused(&one));
	one.args[1] = (uintptr_t)&messages[1];
	CHECK(!refused(&one));
	CHECK(refused(&many));
	many.args[2] = 2;
	CHECK(!refused(&many));
	many.args[2] = UINT32_MAX; /* bounded, and ends where the memory does */
	CHECK(refused(&many));
	many.args[1] = 4096;
	CHECK(!refused(&many));
}

static void check_values(void)
{
	const struct pt_rule netlink = {.number = SYS_socket,
					.condition = PT_IF_VALUE,
					.value = AF_NETLINK,
					.error = EPERM,
					.id = 4,
					.emit = 1};
	const struct pt_rule always = {.number = SYS_socket, .error = EACCES, .id = 5};
	struct pt_call call = {.number = SYS_socket, .args = {AF_NETLINK}};
	const struct denial *found;

	begin();
	CHECK(pt_deny(&tracer, &netlink) == 0);
	CHECK(refused(&call));
	call.args[0] = 0xffffffff00000000u | AF_NETLINK; /* an int: the kernel looks at no more of it */
	CHECK(refused(&call));
	call.args[0] = AF_INET;
	CHECK(!refused(&call));
	/* The first one that matches decides. */
	CHECK(pt_deny(&tracer, &always) == 0);
	found = deny_find(getpid(), tracer.orders.of[0][SYS_socket].rules, &call);
	CHECK(deny_id(found) == 5 && deny_error(found) == EACCES && !deny_emits(found));
	call.args[0] = AF_NETLINK;
	found = deny_find(getpid(), tracer.orders.of[0][SYS_socket].rules, &call);
	CHECK(deny_id(found) == 4 && deny_error(found) == EPERM && deny_emits(found));
}

static void check_validation(void)
{
	const struct pt_rule good = {.number = SYS_connect, .error = EACCES};
	struct pt_prefix long_one = {.family = AF_INET, .bits = 33};
	struct pt_rule rule;

#define REFUSED(...)                                       \
	do {                                               \
		rule = good;                               \
		__VA_ARGS__;                               \
		CHECK(pt_deny(&tracer, &rule) == -EINVAL); \
	} while (0)
	begin();
	REFUSED(rule.number = CALL_NUMBERS);
	REFUSED(rule.error = 0); /* and nobody would be told */
	REFUSED(rule.error = -1);
	REFUSED(rule.error = 4096);
	REFUSED(rule.error = 512); /* ERESTARTSYS: the kernel would make the call again and again */
	REFUSED(rule.condition = 5);
	REFUSED(rule.argument = 6);
	REFUSED(rule.condition = PT_IF_ADDRESS; rule.argument = 5);
	REFUSED(rule.prefixes = &long_one; rule.prefix_count = 1);
	CHECK(!tracer.orders.any);
	/* Errno 0: the call is told and made, which nobody but a stop can do. */
	rule = good;
	rule.error = 0;
	rule.emit = 1;
	CHECK(pt_deny(&tracer, &rule) == 0 && deny_always(tracer.orders.of[0][SYS_connect].rules) == 0);
	begin();
	CHECK(pt_deny(&tracer, &good) == 0 && tracer.orders.any);
}

int main(void)
{
	check_prefixes();
	check_mapped();
	check_outside();
	check_families();
	check_addresses();
	check_messages();
	check_values();
	check_validation();
	begin();
	return 0;
}
