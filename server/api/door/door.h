/*
 * What HTTP requests and answers mean (http/http.h): finds the RPC of a path, turns JSON into its request and its answer
 * into JSON, errors into statuses, denials into 429 with the headers that clients act on, and streams into events.
 */
#ifndef BURSAR_API_DOOR_DOOR_H
#define BURSAR_API_DOOR_DOOR_H

#include "http/http.h"

/* Static; borrowed as long as the process. */
extern const struct http_translator door;

#endif
