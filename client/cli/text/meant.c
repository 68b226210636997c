/* Suggests the name that was probably meant (meant.h). */
#include "cli/text/meant.h"

#include <string.h>

#include "cli/text/plain.h"

void meant_put(struct buf *out, const struct meant *meant)
{
	if (!meant->name[0])
		return;
	buf_put_str(out, "; did you mean '");
	put_plain(out, meant->name);
	buf_put_str(out, "'?");
}

void meant_try_choices(struct meant *meant, const char *choices)
{
	char name[64];

	while (*choices) {
		size_t len = strcspn(choices, "|");

		if (len < sizeof(name)) {
			memcpy(name, choices, len);
			name[len] = '\0';
			meant_try(meant, name);
		}
		choices += len + (choices[len] == '|');
	}
}
