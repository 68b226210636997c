/* API keys: who a caller is, what his role lets him do, and where his key may be used from. */
#ifndef BURSAR_DOMAIN_API_KEY_H
#define BURSAR_DOMAIN_API_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* The numbers stand in PostgreSQL and in the API. */
enum role { ROLE_NONE = 0, ROLE_USER = 1, ROLE_BOT = 2, ROLE_VIEWER = 3, ROLE_ADMIN = 4, ROLE_OPERATOR = 5 };

/* "bot"; "nobody" for ROLE_NONE. Static storage. */
const char *role_name(enum role role);

/* One entry of "telegram.acme=bot@acme,ops.example=operator": who shows a certificate of that name. */
struct client_role {
	const char *name, *tenant; /* not terminated; an operator's tenant is empty */
	size_t name_len, tenant_len;
	enum role role; /* not ROLE_USER: a certificate names no user */
};
/* The entry of the name, among entries that were checked. */
bool client_role_find(const char *entries, const char *name, size_t len, struct client_role *out);
/* ERR_INVALID names the option tls_clients. */
bool client_roles_check(const char *entries, struct err *err);

#define KEY_HASH_BYTES 32
#define KEY_LIST_MAX 16 /* interfaces, and networks, of one key */

/* The strings belong to whoever made it. Lists are lines ("telegram\nweb"); "" = not restricted. */
struct api_key {
	int64_t id;
	uint8_t hash[KEY_HASH_BYTES]; /* of the whole text; the text itself is nowhere */
	enum role role;
	const char *tenant; /* "" = all tenants: an operator's */
	const char *account; /* the one user of a ROLE_USER key; else "" */
	const char *label; /* what people call it */
	const char *prefix; /* the beginning of its text: what a person recognises it by */
	const char *interfaces, *networks;
	int64_t created_at_us;
	int64_t expires_at_us, revoked_at_us, used_at_us; /* 0 = never */
	const char *used_from; /* an address; "" = never used */
	int64_t rotated_to; /* the key that took over; 0 = none */
};

/* Is `interface` of `len` bytes one of the lines? An empty list has all. */
bool key_list_has(const char *lines, const char *word, size_t len);

/* In place: each line as interface_fold has it. */
void interface_lines_fold(char *lines);

/* "10.0.0.0/8", "2001:db8::/32", or one address. ERR_INVALID names `field`. */
bool network_check(const char *network, const char *field, struct err *err);

/*
 * Whom failures of an address are counted with: an IPv4 address is itself, an IPv6 address its /64, of which one machine has all. Other
 * texts are themselves, as far as there is room.
 */
enum { ADDRESS_MAX = 64 };
void address_crowd(const char *address, char out[ADDRESS_MAX]);

/* Is the address (as text, "10.1.2.3") in one of the networks of the lines? An empty list has all. */
bool networks_have(const char *lines, const char *address);

#endif
