/* Where an alert may go: which URLs an admin may write, and to which addresses a connection may be made. */
#ifndef BURSAR_BASE_NET_DESTINATION_H
#define BURSAR_BASE_NET_DESTINATION_H

#include "base/err.h"
#include "base/net/address.h"

enum { DESTINATION_MAX = 2000 /* bytes of a URL */ };

/*
 * Is it http:// or https:// with a host, an optional port, and no user, password or fragment? ERR_INVALID names `field`, and does not
 * quote the URL, which may be a secret.
 */
bool url_check(const char *url, const char *field, struct err *err) __attribute__((warn_unused_result));

enum { URL_HOST_MAX = 256 };
/* The host of a URL that has passed url_check, without brackets. */
void url_host(const char *url, char out[URL_HOST_MAX]);
bool url_is_plain(const char *url); /* http:// */

/*
 * Why no alert may go to the address; NULL: it may. `allow`: the option alert_allow. `plain`: without TLS, which only these networks
 * allow. Static storage.
 */
const char *destination_refused(const struct network *address, bool plain, const char *allow);

/*
 * What can be said of a URL that has passed url_check before anything is sent: refuses an address in place of a name that
 * destination_refused refuses, however it is written ("127.1", "0x7f000001"), localhost, and http:// when alert_allow is empty.
 * The addresses of names are checked whenever a connection is made.
 */
bool destination_check(const char *url, const char *allow, const char *field, struct err *err)
	__attribute__((warn_unused_result));

#endif
