/* An intrusive doubly linked list: the link is embedded in the element; the list is a ring through its head. */
#ifndef BURSAR_BASE_LIST_H
#define BURSAR_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

/* The struct of type `type` whose member `member` is `ptr`. */
#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

struct list {
	struct list *next;
	struct list *prev;
};

/* Makes `list` an empty list, or a link that belongs to no list; removing such a link does nothing. */
static inline void list_init(struct list *list)
{
	list->next = list;
	list->prev = list;
}

static inline bool list_empty(const struct list *list)
{
	return list->next == list;
}

/* Inserts `link` before `at`; if `at` is the head, at the end of the list. */
static inline void list_insert(struct list *at, struct list *link)
{
	link->next = at;
	link->prev = at->prev;
	at->prev->next = link;
	at->prev = link;
}

static inline void list_push_back(struct list *list, struct list *link)
{
	list_insert(list, link);
}

static inline void list_push_front(struct list *list, struct list *link)
{
	list_insert(list->next, link);
}

/* Removes `link` from the list that it is in; safe to repeat. */
static inline void list_remove(struct list *link)
{
	link->prev->next = link->next;
	link->next->prev = link->prev;
	list_init(link);
}

/* Removes and returns the first link; NULL when the list is empty. */
static inline struct list *list_pop_front(struct list *list)
{
	struct list *link = list->next;

	if (link == list)
		return NULL;
	list_remove(link);
	return link;
}

/* Visits all links; the body may remove `at`, because `after` has been read already. */
#define list_each(head, at, after) \
	for (struct list *at = (head)->next, *after = at->next; at != (head); at = after, after = at->next)

#endif
