/* The sentence that says what happened (domain/alert/message/message.h). */
#include "domain/alert/message/message.h"
#include "domain/alert/message/template.h"
#include "domain/text/texts_language.h"

void alert_event_text(const struct alert_event *event, const char *language, struct buf *out)
{
	const struct alert_words *words = alert_words_find(language_find(language)->code);
	const struct alert_filling filling = {
		.event = event, .language = words->language, .text = "", .link = "", .count = 1};

	alert_fill(words->form[alert_form_of(event)].sentence, &filling, out);
	if (event->kind == ALERT_SUSPENDED && event->subject[0]) {
		buf_put_str(out, " ");
		alert_fill(words->reason, &filling, out);
	}
}
