/* Which partition holds whom. */
#include "domain/record/partition.h"

#include <string.h>

#include "base/crypto/hash.h"
#include "base/utf8.h"

int partition_of(enum account_kind kind, const char *tenant, const char *id)
{
	char text[2 * ID_MAX + 4];
	size_t tenant_len = strlen(tenant);
	size_t id_len = strlen(id);

	if (tenant_len > ID_MAX || id_len > ID_MAX) /* refused at the edge; here only kept out of the array */
		return 0;
	memcpy(text, tenant, tenant_len + 1);
	text[tenant_len + 1] = account_kind_letter(kind);
	text[tenant_len + 2] = '\0';
	memcpy(text + tenant_len + 3, id, id_len);
	return (int)(hash64(text, tenant_len + 3 + id_len) % PARTITIONS);
}
