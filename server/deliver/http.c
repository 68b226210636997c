/* Webhooks, and the chats that take messages over HTTP. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/crypto/webhook.h"
#include "base/units.h"
#include "deliver/answer.h"
#include "deliver/easy.h"
#include "deliver/guard.h"

enum { BODY_READ_MAX = 64 << 10, BODY_KEPT_MAX = 8 << 10, HEADERS_READ_MAX = 64 << 10 };

struct request {
	struct easy easy;
	struct guard guard;
	struct deliver_job *job;
	struct curl_slist *headers;
	struct buf body; /* the beginning of the answer's */
	size_t body_read, headers_read;
};

static void add_header(struct request *request, const char *header)
{
	struct curl_slist *longer = curl_slist_append(request->headers, header);

	if (!longer)
		mem_exhausted(strlen(header));
	request->headers = longer;
}

static void add_signature(struct request *request)
{
	const struct deliver_job *job = request->job;
	const struct alert_secret *secret = &job->channel->secret;
	int64_t now_s = job->now_us / SECOND_US;
	struct buf line = {0};

	buf_putf(&line, "webhook-id: %s", job->message_id);
	add_header(request, buf_str(&line));
	buf_reset(&line);
	buf_put_str(&line, "webhook-timestamp: ");
	buf_put_dec(&line, now_s);
	add_header(request, buf_str(&line));
	buf_reset(&line);
	buf_put_str(&line, "webhook-signature: ");
	webhook_sign(secret->secret, secret->secrets, job->message_id, now_s, job->message->body,
		job->message->body_len, &line);
	add_header(request, buf_str(&line));
	buf_release(&line);
	for (int i = 0; i < secret->headers; i++)
		add_header(request, secret->header[i]);
}

static void add_headers(struct request *request)
{
	struct buf line = {0};

	buf_putf(&line, "Content-Type: %s", request->job->message->content_type);
	add_header(request, buf_str(&line));
	buf_release(&line);
	add_header(request, "Expect:"); /* no "100-continue" for long bodies */
	if (request->job->channel->kind == CHANNEL_WEBHOOK)
		add_signature(request);
}

/* Where it goes, in a buffer of the caller's. */
static void put_url(const struct alert_channel *channel, struct buf *out)
{
	const struct alert_secret *secret = &channel->secret;
	size_t len;

	if (channel->kind != CHANNEL_TELEGRAM) {
		buf_put_str(out, channel->kind == CHANNEL_WEBHOOK ? channel->target : secret->url);
		return;
	}
	buf_put_str(out, secret->url[0] ? secret->url : "https://api.telegram.org");
	len = out->len;
	while (len && out->data[len - 1] == '/')
		len--;
	out->len = len;
	buf_putf(out, "/bot%s/sendMessage", secret->token);
}

static size_t on_body(char *bytes, size_t one, size_t n, void *arg)
{
	struct request *request = arg;
	size_t room = BODY_KEPT_MAX - request->body.len;

	(void)one; /* always 1 */
	request->body_read += n;
	if (request->body_read > BODY_READ_MAX)
		return 0;
	buf_put(&request->body, bytes, n < room ? n : room);
	return n;
}

static size_t on_header(char *line, size_t one, size_t n, void *arg)
{
	static const char name[] = "retry-after:";
	struct request *request = arg;
	size_t len = sizeof(name) - 1;

	(void)one;
	request->headers_read += n;
	if (request->headers_read > HEADERS_READ_MAX)
		return 0;
	if (n > len && strncasecmp(line, name, len) == 0)
		request->job->retry_after_us = answer_retry_after_us(line + len, n - len, request->job->now_us);
	return n;
}

static void set_up(struct request *request)
{
	CURL *curl = request->easy.curl;
	const struct alert_message *message = request->job->message;
	const char *ca = request->easy.sender->conf->alert_ca;
	struct buf url = {0};

	put_url(request->job->channel, &url);
	add_headers(request);
	request->guard =
		(struct guard){.allow = request->easy.sender->conf->alert_allow, .plain = url_is_plain(buf_str(&url))};
	guard_attach(&request->guard, curl);
	curl_easy_setopt(curl, CURLOPT_URL, buf_str(&url)); /* copied */
	curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "bursar/" BURSAR_VERSION);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, request->headers);
	curl_easy_setopt(curl, CURLOPT_POST, 1L);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)message->body_len);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, message->body);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, request);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, request);
	/* Besides the system's folder of authorities, which stays. */
	if (ca[0])
		curl_easy_setopt(curl, CURLOPT_CAINFO, ca);
	buf_release(&url);
}

/* The destination has answered: its status decides, whatever became of the body. */
static void judge_answer(struct request *request, long status)
{
	struct deliver_job *job = request->job;
	int64_t asked_us = answer_body_us(buf_str(&request->body), request->body.len);

	job->status = (int)status;
	if (status >= 200 && status < 300) {
		job->outcome = DELIVER_DONE;
		job->retry_after_us = 0;
		return;
	}
	if (asked_us > job->retry_after_us)
		job->retry_after_us = asked_us;
	job_fails(job, answer_may_change(status) ? DELIVER_RETRY : DELIVER_DEAD, "HTTP %ld%s", status,
		status >= 300 && status < 400 ? ", a redirect, which is not followed" : "");
	job_quotes(job, buf_str(&request->body), request->body.len);
}

/* There was no answer. */
static void judge_failure(struct request *request, CURLcode code)
{
	const struct guard *guard = &request->guard;

	if (guard->refused && !guard->passed)
		job_fails(request->job, DELIVER_DEAD, "%s is %s: only the networks of alert_allow may be such",
			guard->address, guard->refused);
	else if (easy_aborted(&request->easy, code))
		job_aborted(request->job);
	else if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)
		job_fails(request->job, DELIVER_DEAD, "the URL cannot be used: %s", easy_why(&request->easy, code));
	else
		job_fails(request->job, DELIVER_RETRY, "%s", easy_why(&request->easy, code));
}

void http_send(struct sender *sender, struct deliver_job *job)
{
	struct request request = {.job = job};
	long status = 0;
	CURLcode code;

	easy_init(&request.easy, sender, "http,https");
	set_up(&request);
	code = curl_easy_perform(request.easy.curl);
	curl_easy_getinfo(request.easy.curl, CURLINFO_RESPONSE_CODE, &status);
	if (status >= 200)
		judge_answer(&request, status);
	else
		judge_failure(&request, code);
	easy_release(&request.easy);
	curl_slist_free_all(request.headers);
	buf_release(&request.body);
}
