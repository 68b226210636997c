/* Makes the tree of paths. */
#include "api/rest/tree.h"

#include <pthread.h>
#include <string.h>

const char *const rest_verbs[REST_VERBS] = {"GET", "POST", "PUT", "PATCH", "DELETE"};

static struct rest_node root;
static pthread_once_t once = PTHREAD_ONCE_INIT;

enum rest_verb rest_verb_of(const char *method)
{
	enum rest_verb verb = REST_GET;

	if (strcmp(method, "HEAD") == 0)
		return REST_GET;
	while (verb < REST_VERBS && strcmp(rest_verbs[verb], method) != 0)
		verb++;
	return verb;
}

bool rest_segment_next(const char **at, const char *end, struct rest_segment *segment)
{
	const char *slash;

	if (*at == end || **at != '/')
		return false;
	segment->text = *at + 1;
	slash = memchr(segment->text, '/', (size_t)(end - segment->text));
	*at = slash ? slash : end;
	segment->len = (size_t)(*at - segment->text);
	return true;
}

/* Variables of one place are one node, whatever they are called: GET's {name} is PUT's {tier.name}. */
static struct rest_node *child_of(struct rest_node *node, struct rest_segment segment)
{
	struct rest_node **link = &node->child;

	for (; *link; link = &(*link)->next)
		if (((*link)->word[0] == '{' && segment.text[0] == '{') ||
			((*link)->len == segment.len && memcmp((*link)->word, segment.text, segment.len) == 0))
			return *link;
	*link = mem_zalloc(1, sizeof(**link));
	(*link)->word = segment.text;
	(*link)->len = segment.len;
	return *link;
}

/* Never freed: it is as old as the process. */
static void make(void)
{
	for (size_t i = 0; i < rest_rows_count; i++) {
		const char *at = rest_rows[i].path, *end = at + strlen(at);
		struct rest_node *node = &root;
		struct rest_segment segment;

		while (rest_segment_next(&at, end, &segment))
			node = child_of(node, segment);
		node->row[rest_verb_of(rest_rows[i].method)] = &rest_rows[i];
	}
}

const struct rest_node *rest_tree(void)
{
	pthread_once(&once, make);
	return &root;
}
