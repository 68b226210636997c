/* Templates of alerts: what their placeholders stand for. "{account}" is a placeholder, "{{" and "}}" are braces. */
#ifndef BURSAR_DOMAIN_ALERT_TEMPLATE_H
#define BURSAR_DOMAIN_ALERT_TEMPLATE_H

#include "base/buf.h"
#include "domain/alert/message/sentences.h"

/* PLACEHOLDER(ENUM, name). docs/alerts.md explains each. */
#define ALERT_PLACEHOLDERS(PLACEHOLDER) \
	PLACEHOLDER(TEXT, "text") \
	PLACEHOLDER(WHO, "who") \
	PLACEHOLDER(TENANT, "tenant") \
	PLACEHOLDER(ACCOUNT, "account") \
	PLACEHOLDER(RULE, "rule") \
	PLACEHOLDER(KIND, "kind") \
	PLACEHOLDER(SEVERITY, "severity") \
	PLACEHOLDER(TIME, "time") \
	PLACEHOLDER(LIMIT, "limit") \
	PLACEHOLDER(PERCENT, "percent") \
	PLACEHOLDER(USED, "used") \
	PLACEHOLDER(AMOUNT, "amount") \
	PLACEHOLDER(THRESHOLD, "threshold") \
	PLACEHOLDER(WINDOW, "window") \
	PLACEHOLDER(SUBJECT, "subject") \
	PLACEHOLDER(BEFORE, "before") \
	PLACEHOLDER(AFTER, "after") \
	PLACEHOLDER(AGE, "age") \
	PLACEHOLDER(NUMBER, "number") \
	PLACEHOLDER(COUNT, "count") \
	PLACEHOLDER(LINK, "link")

/* What a template is filled with. */
struct alert_filling {
	const struct alert_event *event;
	const char *language;
	const char *text; /* the event's sentence */
	const char *link;
	int64_t count; /* events of the message */
};
/*
 * Appends the template with its values, which are written as they are: escape the result, or its parts. A value that the event's kind
 * does not have is empty. An empty value takes the space before it along, and a percentage its sign. What is not a placeholder stays as
 * it is.
 */
void alert_fill(const char *template, const struct alert_filling *filling, struct buf *out);

#endif
