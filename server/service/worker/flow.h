/*
 * A use case as a sequence of named steps. Each step does one piece of work and says how to go on: MORE (run the next
 * step at once), WAIT (an operation is in flight; its callback resumes the flow) or DONE. One operation is in flight at
 * a time.
 */
#ifndef BURSAR_SERVICE_WORKER_FLOW_H
#define BURSAR_SERVICE_WORKER_FLOW_H

#include <stdbool.h>

#include "base/err.h"
#include "base/list.h"
#include "base/observe/trace.h"

enum flow_result { FLOW_MORE, FLOW_WAIT, FLOW_DONE };

/* A step. Steps that an earlier one names are declared in one line: static flow_step step_look, step_change; */
struct flow;
typedef enum flow_result flow_step(struct flow *flow);

/* Embedded in its use case, which a step gets back with container_of. */
struct flow {
	flow_step *step; /* the step that runs next */
	const char *name; /* the step's name, for logs and debuggers */
	void (*done)(struct flow *flow); /* called exactly once, last; may free the flow */
	bool ok;
	bool begun;
	struct trace *trace; /* the one in which the flow began, entered whenever it goes on */
	struct err err; /* when not ok */
};

/* Sets the step that runs next. */
#define flow_to(flow_, step_) ((flow_)->name = #step_, (flow_)->step = (step_))

/* Defines `name`, which finds the use case that embeds a flow. */
#define FLOW_OWNER(name, owner) FLOW_OWNER_BY(name, owner, flow)
#define FLOW_OWNER_BY(name, owner, flow_) \
	static struct owner *name(struct flow *flow) \
	{ \
		return container_of(flow, struct owner, flow_); \
	}

/* Runs steps until one waits or the flow is done; `done` may therefore run before this returns. */
void flow_run(struct flow *flow);

/* Starts a use case that runs on `worker_` in `arena_`, at its first step. */
#define flow_start(owner, worker_, arena_, done_, step_) \
	((owner)->flow = (struct flow){.done = (done_)}, (owner)->worker = (worker_), (owner)->arena = (arena_), \
		flow_to(&(owner)->flow, step_), flow_run(&(owner)->flow))

/*
 * Defines `callback`, with which an operation (a `struct op`) says that it has ended: the flow that waits for it goes on.
 * The operation is `member` of `struct owner`, perhaps inside of a larger one (`query.job`).
 */
#define FLOW_RESUME(callback, op, owner, member) FLOW_RESUME_IN(callback, op, owner, member, flow)
#define FLOW_RESUME_IN(callback, op, owner, member, flow_) \
	static void callback(struct op *ended) \
	{ \
		flow_run(&container_of(ended, struct owner, member)->flow_); \
	}

/*
 * For a step to return: the next step runs at once, or when the operation that `start_` starts has ended. A use case
 * started there may end before `start_` returns.
 */
#define flow_more(flow_, step_) (flow_to(flow_, step_), FLOW_MORE)
#define flow_wait(flow_, step_, start_) (flow_to(flow_, step_), (start_), FLOW_WAIT)

/* For a step to return: the flow has succeeded, has failed with the error already in flow->err, or fails with `err`. */
enum flow_result flow_succeed(struct flow *flow);
enum flow_result flow_fail(struct flow *flow);
enum flow_result flow_fail_with(struct flow *flow, const struct err *err);

#endif
