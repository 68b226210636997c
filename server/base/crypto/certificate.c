#include "base/crypto/certificate.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <time.h>

static bool time_read(const ASN1_TIME *time, int64_t *us)
{
	struct tm utc = {0};

	if (!ASN1_TIME_to_tm(time, &utc))
		return false;
	*us = (int64_t)timegm(&utc) * 1000000;
	return true;
}

bool certificate_term(const char *path, struct certificate_term *out)
{
	FILE *file = fopen(path, "re");
	X509 *certificate = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
	bool ok;

	*out = (struct certificate_term){0};
	ok = certificate && time_read(X509_get0_notBefore(certificate), &out->begins_us) &&
	     time_read(X509_get0_notAfter(certificate), &out->ends_us);
	if (!ok)
		*out = (struct certificate_term){0};
	X509_free(certificate);
	if (file)
		fclose(file);
	return ok;
}
