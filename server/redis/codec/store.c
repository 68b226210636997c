/* What the two stores have in common. */
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "redis/codec/store_private.h"

#define WINDOW_US INT64_C(900000000)

bool redis_store_init(
	struct redis_store *store, const struct redis_options *options, int64_t timeout_us, struct err *err)
{
	store->timeout_us = options->timeout_us ? options->timeout_us : timeout_us;
	store->window_us = options->idempotency_window_us ? options->idempotency_window_us : WINDOW_US;
	store->expiry_charges = options->expired_charge_estimate;
	store->link =
		redis_link_new(&(struct redis_link_options){.loop = options->loop,
				       .url = options->url,
				       .tls_ca = options->tls_ca,
				       .functions = options->functions ? options->functions : redis_library_builtin(),
				       .timeout_us = store->timeout_us},
			err);
	return store->link != NULL;
}

void redis_store_release(struct redis_store *store)
{
	redis_link_free(store->link);
	buf_release(&store->scratch);
	buf_release(&store->digest.text);
	packed_policies_release(&store->packed);
}

void arg_scratch(struct redis_store *store, struct redis_command *command)
{
	redis_arg(command, store->scratch.data, store->scratch.len);
	buf_reset(&store->scratch);
}

void arg_partition(struct redis_store *store, struct redis_command *command, int partition, enum partition_key key)
{
	key_partition(&store->scratch, partition, key);
	arg_scratch(store, command);
}

void arg_account(struct redis_store *store, struct redis_command *command, enum account_kind kind, const char *tenant,
	const char *id)
{
	key_account(&store->scratch, kind, tenant, id);
	arg_scratch(store, command);
}

void arg_floor(struct redis_store *store, struct redis_command *command, enum account_kind kind, const char *tenant,
	const char *id)
{
	key_floor(&store->scratch, kind, tenant, id);
	arg_scratch(store, command);
}

void arg_number7(struct redis_store *store, struct redis_command *command, int64_t value)
{
	buf_put_int(&store->scratch, value, 7);
	arg_scratch(store, command);
}

int64_t store_deadline(const struct redis_store *store, int64_t deadline_us)
{
	int64_t own = clock_mono_us() + store->timeout_us;

	return deadline_us && deadline_us < own ? deadline_us : own;
}

bool reply_cut(const redisReply *reply, struct cut *out, struct err *err)
{
	if (reply->type != REDIS_REPLY_STRING)
		return err_set(err, ERR_INTERNAL, "redis: unreadable answer");
	*out = cut_of(reply->str, (size_t)reply->len);
	return true;
}

void fresh_bytes(void *out, size_t size)
{
	int64_t now_us = clock_wall_us();

	if (getrandom(out, size, 0) != (ssize_t)size)
		memcpy(out, &now_us, size < sizeof(now_us) ? size : sizeof(now_us));
}

void fresh_generation(char out[17])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t bytes[8];

	fresh_bytes(bytes, sizeof(bytes));
	for (int i = 0; i < 8; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[16] = '\0';
}
