/* Tenants' templates of the sentences for users (api/admin/private.h): written through service/catalog, read from the newest snapshot. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/admin/private.h"
#include "api/message/validate.h"
#include "base/list.h"
#include "domain/text/texts.h"

Bursar__V1__Text *admin_text_message(
	struct arena *arena, const char *tenant, const struct text_template *text, bool shipped)
{
	Bursar__V1__Text *message = message_new(arena, Text, text);
	unsigned placeholders = text_code_placeholders(text->code);

	message->tenant = unconst(tenant);
	message->code = unconst(text->code);
	message->language = unconst(text->language);
	message->text = unconst(text->text);
	message->shipped = shipped;
	message->placeholders = message_list(arena, TEXT_PLACEHOLDER_COUNT);
	for (int i = 0; i < TEXT_PLACEHOLDER_COUNT; i++)
		if (placeholders & 1u << i)
			message->placeholders[message->n_placeholders++] =
				unconst(text_placeholder_name((enum text_placeholder)i));
	return message;
}

bool admin_text_read(const Bursar__V1__Text *message, struct arena *arena, struct text_template *out, struct err *err)
{
	struct text_template text = {.code = message->code, .language = message->language, .text = message->text};
	char language[TEXT_LANGUAGE_MAX + 1];

	if (!text_template_check(&text, language, err))
		return false;
	text.language = arena_strndup(arena, language, strlen(language));
	*out = text;
	return true;
}

static void put_answer(struct call *call, const struct catalog_edit *edit)
{
	const struct text_put *op = &edit->op.text;

	call_reply_message(call, &admin_text_message(call_arena(call), op->tenant, &op->text, false)->base);
}

ADMIN_EDIT_ANSWER(put_done, put_answer)

void admin_put_text(struct call *call, void *ctx)
{
	struct admin_edit *put = admin_edit_new(call, EDIT_TEXT);
	struct text_put *op = &put->edit.op.text;
	struct err err;
	const Bursar__V1__PutTextRequest *request = request_take(call, &bursar__v1__put_text_request__descriptor);

	if (!request)
		return;
	if (!admin_text_read(request->text, call_arena(call), &op->text, &err)) {
		err_prefix(&err, "text.");
		call_fail(call, &err);
		return;
	}
	op->tenant = tenant_or_default(request->text->tenant);
	admin_edit_start(put, ctx, request->reason, put_done);
}

static bool builtin_find(const char *code, const char *language, struct text_template *out)
{
	for (int i = 0; text_builtin(language, i, out); i++)
		if (strcmp(out->code, code) == 0 && strcmp(out->language, language) == 0)
			return true;
	return false;
}

static void delete_answer(struct call *call, const struct catalog_edit *edit)
{
	struct arena *arena = call_arena(call);
	Bursar__V1__DeleteTextResponse *answer = message_new(arena, DeleteTextResponse, delete_text_response);
	const struct text_delete *op = &edit->op.text_delete;
	struct text_template builtin;

	if (builtin_find(op->code, op->language, &builtin))
		answer->text = admin_text_message(arena, op->tenant, &builtin, true);
	call_reply_message(call, &answer->base);
}

ADMIN_EDIT_ANSWER(delete_done, delete_answer)

void admin_delete_text(struct call *call, void *ctx)
{
	struct admin_edit *gone = admin_edit_new(call, EDIT_TEXT_DELETE);
	struct text_delete *op = &gone->edit.op.text_delete;
	char language[TEXT_LANGUAGE_MAX + 1];
	struct err err;
	const Bursar__V1__DeleteTextRequest *request =
		request_read(call, &bursar__v1__delete_text_request__descriptor, &err);

	if (!request || !text_code_check(request->code, &err) ||
		!text_language_read(request->language, language, &err)) {
		call_fail(call, &err);
		return;
	}
	op->tenant = tenant_or_default(request->tenant);
	op->code = request->code;
	op->language = arena_strndup(call_arena(call), language, strlen(language));
	admin_edit_start(gone, ctx, request->reason, delete_done);
}

/* The texts that are asked for, and those found. */
struct texts_list {
	const Bursar__V1__ListTextsRequest *request;
	const char *tenant;
	struct arena *arena;
	Bursar__V1__ListTextsResponse *answer;
};

static void list_add(struct texts_list *list, const struct text_template *text, bool shipped)
{
	const Bursar__V1__ListTextsRequest *request = list->request;

	if ((request->code[0] && strcmp(request->code, text->code) != 0) ||
		(request->language[0] && strcasecmp(request->language, text->language) != 0))
		return;
	list->answer->texts[list->answer->n_texts++] = admin_text_message(list->arena, list->tenant, text, shipped);
}

static int compare_messages(const void *a, const void *b)
{
	const Bursar__V1__Text *x = *(Bursar__V1__Text *const *)a, *y = *(Bursar__V1__Text *const *)b;
	int order = strcmp(x->code, y->code);

	return order ? order : strcmp(x->language, y->language);
}

static void list_texts(struct texts_list *list, const struct text_table *own)
{
	struct text_template builtin;
	size_t room = own ? (size_t)own->count : 0;
	const char *language;

	for (int l = 0; (language = text_builtin_language(l)); l++)
		for (int i = 0; text_builtin(language, i, &builtin); i++)
			room++;
	list->answer->texts = message_list(list->arena, room);
	for (int i = 0; own && i < own->count; i++)
		list_add(list, &own->templates[i], false);
	for (int l = 0; list->request->shipped && (language = text_builtin_language(l)); l++)
		for (int i = 0; text_builtin(language, i, &builtin); i++)
			if (!text_own(own, builtin.code, builtin.language))
				list_add(list, &builtin, true);
	if (list->answer->n_texts)
		qsort(list->answer->texts, list->answer->n_texts, sizeof(list->answer->texts[0]), compare_messages);
}

void admin_list_texts(struct call *call, void *ctx)
{
	struct texts_list list = {.arena = call_arena(call)};
	struct err err;
	struct snapshot *snapshot;

	list.answer = message_new(list.arena, ListTextsResponse, list_texts_response);
	list.request = request_read(call, &bursar__v1__list_texts_request__descriptor, &err);
	if (!list.request || (list.request->code[0] && !text_code_check(list.request->code, &err)) ||
		!(snapshot = snapshot_take(ctx, &err))) {
		call_fail(call, &err);
		return;
	}
	list.tenant = tenant_or_default(list.request->tenant);
	list_texts(&list, catalog_texts(snapshot->catalog, list.tenant));
	call_reply_message(call, &list.answer->base);
	snapshot_give(ctx, snapshot);
}
