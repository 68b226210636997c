/* When a certificate ends. */
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <time.h>

#include "rpc/tls.h"

int64_t tls_certificate_ends_us(const char *path)
{
	FILE *file = fopen(path, "re");
	X509 *certificate = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
	struct tm utc = {0};
	int64_t ends_us = 0;

	if (certificate && ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &utc))
		ends_us = (int64_t)timegm(&utc) * 1000000;
	X509_free(certificate);
	if (file)
		fclose(file);
	return ends_us;
}
