/*
 * What HTTP requests and answers mean (http/http.h): finds the RPC of a path, turns JSON into its request and its answer
 * into JSON, errors into statuses, denials into 429 with the headers that clients act on, and streams into events.
 */
#ifndef BURSAR_API_DOOR_DOOR_H
#define BURSAR_API_DOOR_DOOR_H

#include "http/http.h"

/* Fill in the options, and give `translator` to http_attach. */
struct door {
	struct http_translator translator;
	const char
		*cors_origins; /* origins of pages that may call: "https://a.example https://b.example"; "" for none */
	const char *embed_origins; /* origins of pages that may show the dashboard in a frame */
};

/* Fills in the translator. The strings are borrowed. */
void door_init(struct door *door, const char *cors_origins, const char *embed_origins);

#endif
