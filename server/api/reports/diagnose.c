/* Diagnose: checks the installation (api/admin/private.h). */
#include "api/admin/private.h"
#include "api/auth/private.h"
#include "api/message/validate.h"
#include "base/crypto/certificate.h"
#include "base/clock.h"
#include "base/list.h"
#include "domain/time/zone_file.h"
#include "service/reports/diagnose.h"

struct diagnose_call {
	struct diagnose_flow diagnose;
	struct call *call;
};

static void caller_fill(struct call *call, Bursar__V1__DiagnoseResponse *answer)
{
	const struct caller *caller = call_caller(call);

	answer->caller = unconst(caller_text(call));
	answer->role = (Bursar__V1__Role)caller_role(call);
	answer->key_expires_at_us = caller ? caller->expires_at_us : 0;
}

static void diagnose_done(struct flow *flow)
{
	struct diagnose_flow *self = container_of(flow, struct diagnose_flow, flow);
	struct call *call = container_of(self, struct diagnose_call, diagnose)->call;
	struct arena *arena = call_arena(call);
	Bursar__V1__DiagnoseResponse *answer = message_new(arena, DiagnoseResponse, diagnose_response);

	answer->checks = message_list(arena, (size_t)self->result.count);
	for (int i = 0; i < self->result.count; i++) {
		Bursar__V1__Diagnosis *check = message_new(arena, Diagnosis, diagnosis);
		struct diagnosis *each = &self->result.each[i];

		check->name = unconst(each->name);
		check->finding = (Bursar__V1__Finding)each->finding;
		check->found = each->found;
		check->advice = unconst(each->advice);
		answer->checks[answer->n_checks++] = check;
	}
	answer->now_us = clock_wall_us();
	answer->version = unconst(BURSAR_VERSION);
	caller_fill(call, answer);
	call_reply_message(call, &answer->base);
}

void admin_diagnose(struct call *call, void *ctx)
{
	struct worker *worker = ctx;
	const struct conf *conf = worker->parts.conf;
	struct diagnose_call *self = arena_zalloc(call_arena(call), 1, sizeof(*self));
	struct certificate_term term = {0};
	const Bursar__V1__DiagnoseRequest *request = request_take(call, &bursar__v1__diagnose_request__descriptor);

	if (!request)
		return;
	if (conf->tls_cert[0])
		certificate_term(conf->tls_cert, &term);
	self->call = call;
	self->diagnose.tenant = tenant_or_default(request->tenant);
	self->diagnose.server = (struct server_facts){
		.now_us = clock_wall_us(),
		.tls = conf->tls_cert[0] != '\0',
		.insecure = conf->insecure_listen[0] != '\0',
		.certificate_ends_us = term.ends_us,
	};
	zones_refresh(); /* otherwise the facts could be some seconds old */
	zones_facts(&self->diagnose.server.zones);
	diagnose_start(&self->diagnose, worker, call_arena(call), diagnose_done);
}
