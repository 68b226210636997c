/* A new handle for each attempt: no connection, cookie or name is kept from one to the next. */
#include "deliver/easy.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/clock.h"

/* Runs at least once a second, also while curl waits for the answer to QUIT, for which it has no other limit than two minutes. */
static int on_progress(void *arg, __attribute__((unused)) curl_off_t down_total,
	__attribute__((unused)) curl_off_t down, __attribute__((unused)) curl_off_t up_total,
	__attribute__((unused)) curl_off_t up)
{
	const struct easy *easy = arg;

	return atomic_load(&easy->sender->stopping) || clock_mono_us() > easy->deadline_us;
}

void easy_init(struct easy *easy, struct sender *sender, const char *protocols)
{
	long timeout_ms = (long)sender->conf->alert_timeout_ms;
	CURL *curl = curl_easy_init();

	if (!curl)
		mem_exhausted(sizeof(*easy));
	*easy = (struct easy){.curl = curl, .sender = sender, .deadline_us = clock_mono_us() + timeout_ms * 1000};
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, easy->error);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout_ms);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, timeout_ms);
	/* Without it, a name server that does not answer holds the thread beyond any timeout: curl waits for getaddrinfo. */
	curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, easy);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, protocols);
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
}

void easy_release(struct easy *easy)
{
	curl_easy_cleanup(easy->curl);
}

bool easy_aborted(const struct easy *easy, CURLcode code)
{
	return code == CURLE_ABORTED_BY_CALLBACK && atomic_load(&easy->sender->stopping);
}

const char *easy_why(const struct easy *easy, CURLcode code)
{
	if (code == CURLE_OPERATION_TIMEDOUT || code == CURLE_ABORTED_BY_CALLBACK)
		return "no answer within alert_timeout_ms";
	return easy->error[0] ? easy->error : curl_easy_strerror(code);
}
