/* What a user's requests cost this month and today, by model, for GetStatus (api/limiter/private.h). */
#include <stdlib.h>
#include <string.h>

#include "api/limiter/private.h"
#include "api/message/convert.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/unconst.h"
#include "base/units.h"
#include "domain/time/date.h"
#include "rpc/message.h"

/* How many models are named, and how long PostgreSQL may take for one of the two reads. */
enum { MODELS_MAX = 100, COSTS_US = 1000000 };

static void read_page(struct user_costs *self, int64_t from_day, void (*done)(struct admin_job *job))
{
	struct admin_store *admin = self->worker->parts.admin;

	self->page = (struct report_page){
		.job = {.arena = self->arena, .done = done, .deadline_us = clock_mono_us() + COSTS_US},
		.key = self->key,
		.from_day = from_day,
		.to_day = self->today,
		.by = BY_MODEL,
		.model = "",
		.interface = "",
		.limit = MODELS_MAX,
	};
	admin->ops->report(admin, &self->page);
}

static Bursar__V1__ModelCost *find(const Bursar__V1__UserCosts *costs, const struct bill_line *line)
{
	for (size_t i = 0; i < costs->n_models; i++)
		if (strcmp(costs->models[i]->provider, line->provider) == 0 &&
			strcmp(costs->models[i]->model, line->model) == 0)
			return costs->models[i];
	return NULL;
}

static int by_cost(const void *a, const void *b)
{
	int64_t left = (*(Bursar__V1__ModelCost *const *)a)->cost_nano_usd;
	int64_t right = (*(Bursar__V1__ModelCost *const *)b)->cost_nano_usd;

	return (left < right) - (left > right);
}

static void problem(struct user_costs *self, const char *text)
{
	self->costs->problem = unconst(text);
	self->done(self);
}

static void today_read(struct admin_job *job)
{
	struct user_costs *self = container_of(container_of(job, struct report_page, job), struct user_costs, page);
	Bursar__V1__UserCosts *costs = self->costs;

	if (!job->ok) {
		problem(self, "the ledger did not answer in time: today's costs are missing");
		return;
	}
	for (int i = 0; i < self->page.count; i++) {
		const struct bill_line *line = &self->page.lines[i];
		Bursar__V1__ModelCost *model = find(costs, line);

		costs->today_cost_nano_usd += line->cost;
		if (model)
			model->today_cost_nano_usd = line->cost;
	}
	self->done(self);
}

static void month_read(struct admin_job *job)
{
	struct user_costs *self = container_of(container_of(job, struct report_page, job), struct user_costs, page);
	Bursar__V1__UserCosts *costs = self->costs;

	if (!job->ok) {
		problem(self, "the ledger did not answer in time");
		return;
	}
	costs->models = message_list(self->arena, (size_t)self->page.count);
	for (int i = 0; i < self->page.count; i++) {
		const struct bill_line *line = &self->page.lines[i];
		Bursar__V1__ModelCost *model = message_new(self->arena, ModelCost, model_cost);

		model->provider = unconst(line->provider);
		model->model = unconst(line->model);
		model->requests = line->requests;
		model->tokens = tokens_input(&line->meters) + tokens_output(&line->meters);
		model->cost_nano_usd = line->cost;
		costs->month_cost_nano_usd += line->cost;
		costs->models[costs->n_models++] = model;
	}
	if (costs->n_models)
		qsort(costs->models, costs->n_models, sizeof(*costs->models), by_cost);
	if (self->page.more)
		problem(self, "more models were used than are shown: the sums are those of the first 100 by name");
	else
		read_page(self, self->today, today_read);
}

void user_costs_read(
	struct user_costs *self, struct worker *worker, struct arena *arena, void (*done)(struct user_costs *self))
{
	int64_t year;
	int month, day;
	char text[DATE_TEXT];

	self->worker = worker;
	self->arena = arena;
	self->done = done;
	self->today = worker_now_us(worker) / (DAY_S * SECOND_US);
	self->costs = message_new(arena, UserCosts, user_costs);
	self->costs->month = arena_printf(arena, "%.7s", date_format(self->today, text));
	date_of(self->today, &year, &month, &day);
	read_page(self, self->today - (day - 1), month_read);
}
