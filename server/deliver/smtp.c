/*
 * E-mail, by one server for all. It is the operator's own, so that no address of it is refused. What it says to each recipient is read from
 * curl's protocol of the conversation, because curl itself only knows the last answer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/observe/log.h"
#include "base/text/entries.h"
#include "deliver/answer.h"
#include "deliver/easy.h"
#include "deliver/mail.h"
#include "domain/alert/message/channel.h"

enum { RECIPIENTS_MAX = 20, ADDRESS_SIZE = 260, LINE_MAX_KEPT = 200, MUST_ISSUE_STARTTLS = 530 };

struct recipient {
	const char *address; /* not terminated */
	size_t len;
	int code; /* the server's answer; 0: none */
};

struct letter {
	struct easy easy;
	struct deliver_job *job;
	struct mail_from from;
	struct curl_slist *to, *headers;
	curl_mime *mime;
	struct recipient recipient[RECIPIENTS_MAX];
	int recipients, asked; /* `asked`: RCPT commands that were sent */
	bool awaits; /* the last command was RCPT */
	bool in_envelope; /* MAIL was sent: from here on, answers are about this letter */
	char refusal[LINE_MAX_KEPT]; /* the last answer that was not 2xx or 3xx */
};

bool smtp_options_check(const struct conf *conf, struct err *err)
{
	struct mail_from from;

	if (!conf->smtp[0] || mail_from_read(conf->smtp_from, &from))
		return true;
	return err_invalid(err, "smtp_from", "must be the sender of e-mails, such as Bursar <bursar@example.org>");
}

static void grow(struct curl_slist **list, const char *text)
{
	struct curl_slist *longer = curl_slist_append(*list, text);

	if (!longer)
		mem_exhausted(strlen(text));
	*list = longer;
}

/* Those that have not taken it already. */
static void find_recipients(struct letter *letter)
{
	const char *list = letter->job->channel->target, *address;
	char text[ADDRESS_SIZE];
	size_t len;

	while (letter->recipients < RECIPIENTS_MAX && entries_next(&list, ",", &address, &len)) {
		if (!alert_address_valid(address, len) ||
			taken_has(&letter->easy.sender->taken, letter->job->message_id, address, len))
			continue;
		letter->recipient[letter->recipients++] = (struct recipient){.address = address, .len = len};
		snprintf(text, sizeof(text), "<%.*s>", (int)len, address);
		grow(&letter->to, text);
	}
}

static void add_header(struct letter *letter, struct buf *line)
{
	grow(&letter->headers, buf_str(line));
	buf_reset(line);
}

static void add_headers(struct letter *letter)
{
	const struct deliver_job *job = letter->job;
	const char *list = job->channel->target, *address;
	struct buf line = {0};
	size_t len;

	mail_put_date(job->now_us, &line);
	add_header(letter, &line);
	mail_put_from(&letter->from, &line);
	add_header(letter, &line);
	buf_put_str(&line, "To: ");
	for (bool first = true; entries_next(&list, ",", &address, &len); first = false) {
		buf_put_str(&line, first ? "" : ",\r\n ");
		buf_put(&line, address, len);
	}
	add_header(letter, &line);
	mail_put_text("Subject", job->message->title, strlen(job->message->title), &line);
	add_header(letter, &line);
	mail_put_id(job->message_id, &letter->from, &line);
	add_header(letter, &line);
	buf_release(&line);
	grow(&letter->headers, "Auto-Submitted: auto-generated");
	grow(&letter->headers, "Content-Type: multipart/alternative");
}

/* Lines end in CR LF: curl's quoted-printable writes a single LF as =0A. */
static void add_part(struct letter *letter, const char *text, const char *type)
{
	curl_mimepart *part = curl_mime_addpart(letter->mime);
	struct buf lines = {0};

	for (const char *at = text; *at;) {
		size_t len = strcspn(at, "\n");

		buf_put(&lines, at, len);
		buf_put_str(&lines, "\r\n");
		at += len + (at[len] == '\n');
	}
	curl_mime_data(part, buf_str(&lines), lines.len); /* copied */
	curl_mime_type(part, type);
	curl_mime_encoder(part, "quoted-printable");
	buf_release(&lines);
}

static void on_command(struct letter *letter, const char *line, size_t len)
{
	letter->awaits = len > 8 && memcmp(line, "RCPT TO:", 8) == 0 && letter->asked < letter->recipients;
	letter->asked += letter->awaits;
	if (len > 4 && memcmp(line, "MAIL", 4) == 0)
		letter->in_envelope = true;
}

static void on_answer(struct letter *letter, const char *line, size_t len)
{
	/* "250-..." is followed by another line of the same answer. */
	if (len < 4 || line[3] == '-')
		return;
	if (line[0] == '4' || line[0] == '5')
		answer_line(line, len, letter->refusal, sizeof(letter->refusal));
	if (letter->awaits)
		letter->recipient[letter->asked - 1].code = atoi(line);
	letter->awaits = false;
}

static int on_debug(__attribute__((unused)) CURL *curl, curl_infotype type, char *data, size_t len, void *arg)
{
	if (type == CURLINFO_HEADER_OUT)
		on_command(arg, data, len);
	else if (type == CURLINFO_HEADER_IN)
		on_answer(arg, data, len);
	return 0;
}

static void set_up(struct letter *letter)
{
	const struct conf *conf = letter->easy.sender->conf;
	CURL *curl = letter->easy.curl;
	char from[ADDRESS_SIZE];

	snprintf(from, sizeof(from), "<%.*s>", (int)letter->from.address_len, letter->from.address);
	letter->mime = curl_mime_init(curl);
	if (!letter->mime)
		mem_exhausted(1);
	add_part(letter, letter->job->message->text, "text/plain; charset=utf-8");
	add_part(letter, letter->job->message->html, "text/html; charset=utf-8");
	curl_easy_setopt(curl, CURLOPT_URL, conf->smtp);
	curl_easy_setopt(curl, CURLOPT_MAIL_FROM, from);
	curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, letter->to);
	curl_easy_setopt(curl, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, letter->headers);
	curl_easy_setopt(curl, CURLOPT_MIMEPOST, letter->mime);
	curl_easy_setopt(curl, CURLOPT_USE_SSL,
		(long)(conf->smtp_tls == conf_smtp_tls_required ? CURLUSESSL_ALL : CURLUSESSL_TRY));
	if (conf->smtp_ca[0]) {
		/* Only these: curl would otherwise add the folder that it was built with. */
		curl_easy_setopt(curl, CURLOPT_CAINFO, conf->smtp_ca);
		curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
	}
	curl_easy_setopt(curl, CURLOPT_VERBOSE, 1L);
	curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, on_debug);
	curl_easy_setopt(curl, CURLOPT_DEBUGDATA, letter);
}

/* How many recipients were answered with a code of that class. */
static int answered(const struct letter *letter, int class)
{
	int n = 0;

	for (int i = 0; i < letter->recipients; i++)
		n += letter->recipient[i].code / 100 == class;
	return n;
}

/* The server has taken it for some recipients at least. Those who never will are told of in the log; others get another attempt. */
static void judge_taken(struct letter *letter)
{
	struct deliver_job *job = letter->job;
	int later = answered(letter, 4), never = answered(letter, 5);

	if (never)
		log_warn("an e-mail was refused for some of its recipients", F("tenant", job->channel->tenant),
			F("channel", job->channel->name), FI("refused", never), F("why", letter->refusal));
	if (!later) {
		job->outcome = DELIVER_DONE;
		return;
	}
	for (int i = 0; i < letter->recipients; i++)
		if (letter->recipient[i].code / 100 == 2)
			taken_add(&letter->easy.sender->taken, job->message_id, letter->recipient[i].address,
				letter->recipient[i].len);
	job_fails(job, DELIVER_RETRY, "%d of %d recipients later: %s", later, letter->recipients, letter->refusal);
}

/* Only an answer about this letter is final: a wrong password or certificate may be put right. */
static void judge_failure(struct letter *letter, CURLcode code)
{
	bool final = letter->in_envelope && code != CURLE_LOGIN_DENIED && letter->job->status / 100 == 5 &&
		     letter->job->status != MUST_ISSUE_STARTTLS && !answered(letter, 4);

	if (easy_aborted(&letter->easy, code)) {
		job_aborted(letter->job);
		return;
	}
	job_fails(letter->job, final ? DELIVER_DEAD : DELIVER_RETRY, "%s",
		letter->refusal[0] && letter->job->status >= 400 ? letter->refusal : easy_why(&letter->easy, code));
}

static void letter_send(struct letter *letter)
{
	long status = 0;
	CURLcode code;

	add_headers(letter);
	set_up(letter);
	code = curl_easy_perform(letter->easy.curl);
	curl_easy_getinfo(letter->easy.curl, CURLINFO_RESPONSE_CODE, &status);
	letter->job->status = (int)status;
	if (code == CURLE_OK)
		judge_taken(letter);
	else
		judge_failure(letter, code);
}

void smtp_send(struct sender *sender, struct deliver_job *job)
{
	struct letter letter = {.job = job};

	if (!sender->conf->smtp[0]) {
		job_fails(job, DELIVER_RETRY, "the option smtp is not set");
		return;
	}
	if (!mail_from_read(sender->conf->smtp_from, &letter.from))
		return; /* checked at start */
	easy_init(&letter.easy, sender, "smtp,smtps");
	find_recipients(&letter);
	if (letter.recipients)
		letter_send(&letter);
	else
		job->outcome = DELIVER_DONE;
	easy_release(&letter.easy);
	curl_mime_free(letter.mime);
	curl_slist_free_all(letter.to);
	curl_slist_free_all(letter.headers);
}
