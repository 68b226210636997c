/* TLS for the HTTP server. */
#ifndef BURSAR_HTTP_TLS_H
#define BURSAR_HTTP_TLS_H

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "http/http.h"

#define HTTP_TLS_FILE_MAX ((size_t)1 << 20)

/* A caller's certificate, verified; without one `pem` is NULL. */
struct http_certificate {
	const char *pem;
	const char *const *names; /* common name and alternative names; a NULL ends them */
};

/*
 * Reads the files and returns the callback that chooses the certificate of a handshake; appends the authorities of
 * client certificates, if there are any. NULL with ERR_INVALID. For one server a process.
 */
gnutls_certificate_retrieve_function2 *http_tls_start(
	const struct http_tls *tls, struct buf *authorities, struct err *err);

/* The certificate that the caller of the session presented. False: it is not accepted, or missing though required. */
bool http_tls_peer(
	gnutls_session_t session, bool required, struct arena *arena, struct http_certificate *out, struct err *err);

#endif
