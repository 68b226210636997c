/* The pages about the process. They only read counters and flags. */
#include "ops/pages.h"

#include "base/observe/metrics.h"
#include "base/observe/process.h"
#include "ops/ready.h"
#include "service/pool/board.h"

enum { OK = 200, SERVICE_UNAVAILABLE = 503 };

static unsigned print_metrics(const void *probes, struct buf *body)
{
	(void)probes;
	process_print(body);
	metrics_print(body);
	pool_board_print(body);
	return OK;
}

static unsigned print_health(const void *probes, struct buf *body)
{
	(void)probes;
	buf_put_str(body, "ok\n");
	return OK;
}

static unsigned print_ready(const void *probes, struct buf *body)
{
	return ready_print(probes, body) ? OK : SERVICE_UNAVAILABLE;
}

void ops_pages(struct http_page pages[OPS_PAGES], const struct http_probe *probes)
{
	pages[0] = (struct http_page){"/metrics", "text/plain; version=0.0.4; charset=utf-8", print_metrics, probes};
	pages[1] = (struct http_page){"/healthz", "text/plain; charset=utf-8", print_health, probes};
	pages[2] = (struct http_page){"/readyz", "application/json", print_ready, probes};
	pages[3] = (struct http_page){0};
}
