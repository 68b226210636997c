/* API keys: who a caller is, what their role allows, and where their key may be used from. */
#ifndef BURSAR_DOMAIN_API_KEY_H
#define BURSAR_DOMAIN_API_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* PostgreSQL and the API use these numbers. */
enum role { ROLE_NONE = 0, ROLE_USER = 1, ROLE_BOT = 2, ROLE_VIEWER = 3, ROLE_ADMIN = 4, ROLE_OPERATOR = 5 };

/* "bot"; "nobody" for ROLE_NONE. Static storage. */
const char *role_name(enum role role);

/* One entry of "telegram.acme=bot@acme,ops.example=operator": the role that a certificate of that name gives. */
struct client_role {
	const char *name, *tenant; /* not terminated; an operator's tenant is empty */
	size_t name_len, tenant_len;
	enum role role; /* not ROLE_USER: a certificate does not name a user */
};
/* Finds the entry for a name; the entries must have passed client_roles_check. */
bool client_role_find(const char *entries, const char *name, size_t len, struct client_role *out);
/* ERR_INVALID names the option tls_clients. */
bool client_roles_check(const char *entries, struct err *err);

#define KEY_HASH_BYTES 32
#define KEY_LIST_MAX 16 /* interfaces of one key; networks likewise */

/* The strings belong to the struct's creator. Lists are lines ("telegram\nweb"); "" = not restricted. */
struct api_key {
	int64_t id;
	uint8_t hash[KEY_HASH_BYTES]; /* of the whole text; the text itself is not stored anywhere */
	enum role role;
	const char *tenant; /* "" = all tenants: an operator's */
	const char *account; /* the one user of a ROLE_USER key; else "" */
	const char *label; /* what people call it */
	const char *prefix; /* the first characters of its text, by which people recognise it */
	const char *interfaces, *networks;
	int64_t created_at_us;
	int64_t expires_at_us, revoked_at_us, used_at_us; /* 0 = never */
	const char *used_from; /* an address; "" = never used */
	int64_t rotated_to; /* the key that took over; 0 = none */
};

/* Is `interface` of `len` bytes one of the lines? An empty list contains every word. */
bool key_list_has(const char *lines, const char *word, size_t len);

/* Applies interface_fold to each line, in place. */
void interface_lines_fold(char *lines);

/* "10.0.0.0/8", "2001:db8::/32", or one address. ERR_INVALID names `field`. */
bool network_check(const char *network, const char *field, struct err *err);

/*
 * The network under which an address's failures are counted: an IPv4 address itself; the /64 of an IPv6 address, since
 * one machine owns all of it. Other texts are returned as they are, truncated if too long.
 */
enum { ADDRESS_MAX = 64 };
void address_crowd(const char *address, char out[ADDRESS_MAX]);

/* Is the address (as text, "10.1.2.3") in one of the networks of the lines? An empty list contains every address. */
bool networks_have(const char *lines, const char *address);

#endif
