/* What all transfers by curl have in common. */
#ifndef BURSAR_DELIVER_EASY_H
#define BURSAR_DELIVER_EASY_H

#include <curl/curl.h>

#include "deliver/private.h"

struct easy {
	CURL *curl;
	struct sender *sender;
	int64_t deadline_us; /* clock_mono_us */
	char error[CURL_ERROR_SIZE];
};
/* `protocols`: "http,https". The struct must stay where it is until easy_release. */
void easy_init(struct easy *easy, struct sender *sender, const char *protocols);
void easy_release(struct easy *easy);
/* Whether it was ended because the process stops. */
bool easy_aborted(const struct easy *easy, CURLcode code);
/* Why a transfer failed, for people; static or in `easy`. */
const char *easy_why(const struct easy *easy, CURLcode code);

#endif
