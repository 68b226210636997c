/* The table of paths as a tree of segments, made once: what a segment is, and which rows end there. */
#ifndef BURSAR_API_REST_TREE_H
#define BURSAR_API_REST_TREE_H

#include "api/rest/rest.h"

enum rest_verb { REST_GET, REST_POST, REST_PUT, REST_PATCH, REST_DELETE, REST_VERBS };
extern const char *const rest_verbs[REST_VERBS];

/* REST_VERBS when it is none of them. */
enum rest_verb rest_verb_of(const char *method);

struct rest_node {
	const char *word; /* into a row's path; a variable's begins with '{' */
	size_t len;
	struct rest_node *child, *next;
	const struct rest_row *row[REST_VERBS]; /* the rows whose path ends here */
};

/* The node above the first segments. */
const struct rest_node *rest_tree(void) __attribute__((returns_nonnull));

/* The next segment of a path that begins at *at ("/word"), and moves *at behind it. False at the end. */
bool rest_segment_next(const char **at, const char *end, struct rest_segment *segment);

#endif
