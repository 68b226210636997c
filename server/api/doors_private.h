/* What the files of the doors share. */
#ifndef BURSAR_API_DOORS_PRIVATE_H
#define BURSAR_API_DOORS_PRIVATE_H

#include "api/doors.h"

/* In the arena of the call. Strings as in struct api_key. */
struct caller {
	enum role role;
	int64_t key;
	const char *tenant, *account, *label, *interfaces;
};

#endif
