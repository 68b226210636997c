/* What the answers of several operations share. */
#include "api/openapi/private.h"

void openapi_add_errors(json_t *responses)
{
	json_object_set_new(responses, "4XX", json_pack("{s:s}", "$ref", "#/components/responses/Refused"));
	json_object_set_new(responses, "5XX", json_pack("{s:s}", "$ref", "#/components/responses/Failed"));
}

void openapi_add_headers(struct openapi *openapi, json_t *answer, const char *const *groups)
{
	json_t *headers = json_object();

	for (; *groups; groups++)
		json_object_update(headers, json_object_get(json_object_get(openapi->parts, "headers"), *groups));
	json_object_set_new(answer, "headers", headers);
}
