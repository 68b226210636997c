/* Fleet documents: a document that is read is a tree within its bounds, and a fleet survives writing and reading. */
#include <string.h>

#include "base/utf8.h"
#include "cli/fleet/fleet.h"
#include "cli/encoding/yaml_read.h"
#include "cli/encoding/yaml_write.h"
#include "fuzz/fuzz.h"

static void check_tree(const struct yaml *yaml, int depth)
{
	HOLDS(depth <= YAML_DEPTH_MAX);
	HOLDS(yaml->line >= 1 && yaml->column >= 1);
	HOLDS((yaml->kind == YAML_TEXT) == (yaml->text != NULL));
	if (yaml->text)
		HOLDS(utf8_valid(yaml->text, strlen(yaml->text)) && yaml->count == 0);
#ifdef PLANTED_BUG
	/* The mistake: assuming that a list is always indented more than the key before it. */
	HOLDS(yaml->kind != YAML_LIST || yaml->line == 1 || yaml->column > 1);
#endif
	for (size_t i = 0; i < yaml->count; i++) {
		if (yaml->kind == YAML_MAP) {
			HOLDS(yaml->keys[i]->kind == YAML_TEXT);
			for (size_t k = 0; k < i && k < 20; k++)
				HOLDS(strcmp(yaml->keys[i]->text, yaml->keys[k]->text) != 0);
		}
		check_tree(yaml->items[i], depth + 1);
	}
}

static void check_places(const struct fleet *fleet)
{
	for (size_t i = 0; i < fleet->places && i < 50; i++) {
		const struct fleet_place *found = fleet_find(fleet, fleet->place[i].field);
		HOLDS(found && strcmp(found->field, fleet->place[i].field) == 0);
	}
	HOLDS(!fleet_find(fleet, "nothing"));
}

/* Writes the fleet and reads it again. */
static void check_again(const struct fleet *fleet)
{
	Bursar__V1__Tenant settings = BURSAR__V1__TENANT__INIT;
	Bursar__V1__TenantDocument document = *fleet->document;
	struct fleet again = {0};
	struct buf text = {0};
	struct err err = {0};

	settings.id = (char *)"t";
	if (document.tenant)
		document.tenant->id = strdup("t");
	else
		document.tenant = &settings;
	json_t *json = fleet_json(&document);
	yaml_put(&text, json);
	struct yaml *root = yaml_tree_parse(buf_str(&text), text.len, YAML_BYTES_MAX, &err);
	HOLDS(root && fleet_read(root, &again, &err));
	again.document->tenant->id = strdup("t");
	json_t *other = fleet_json(again.document);
	HOLDS(json_equal(json, other));
	json_decref(other);
	json_decref(json);
	yaml_tree_free(root);
	fleet_release(&again);
	buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fleet fleet = {0};
	struct err err = {0};
	struct yaml *root = yaml_tree_parse((const char *)data, size, YAML_BYTES_MAX, &err);

	if (!root) {
		HOLDS(err.code == ERR_INVALID && err.text[0] >= '1' && err.text[0] <= '9' && strchr(err.text, ':'));
		return 0;
	}
	check_tree(root, 0);
	if (fleet_read(root, &fleet, &err)) {
		check_places(&fleet);
		check_again(&fleet);
	} else {
		HOLDS(err.code == ERR_INVALID && utf8_valid(err.text, strlen(err.text)));
	}
	fleet_release(&fleet);
	yaml_tree_free(root);
	return 0;
}
