/*
 * Looks at each address that curl is about to connect to, behind all resolving, so that neither a name nor a second answer of its DNS
 * leads into a private network. docs/security.md has the list.
 */
#ifndef BURSAR_DELIVER_GUARD_H
#define BURSAR_DELIVER_GUARD_H

#include <curl/curl.h>
#include <netinet/in.h>

#include "base/net/destination.h"

struct guard {
	const char *allow; /* the option alert_allow */
	bool plain; /* http:// */
	/* out */
	bool passed; /* an address was let through */
	const char *refused; /* what the first refused one is; NULL: none was refused */
	char address[INET6_ADDRSTRLEN]; /* its text */
};
/* Makes a handle ask the guard, which must live as long as it. */
void guard_attach(struct guard *guard, CURL *easy);

#endif
