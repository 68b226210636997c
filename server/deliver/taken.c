/* A ring of hashes. */
#include "deliver/taken.h"

#include "base/buf.h"
#include "base/crypto/hash.h"

void taken_init(struct taken *taken)
{
	pthread_mutex_init(&taken->lock, NULL);
}

static uint64_t key_of(const char *message_id, const char *address, size_t len)
{
	struct buf key = {0};
	uint64_t hash;

	buf_put_str16(&key, address, len);
	buf_put_str(&key, message_id);
	hash = hash64(key.data, key.len);
	buf_release(&key);
	return hash;
}

void taken_add(struct taken *taken, const char *message_id, const char *address, size_t len)
{
	uint64_t hash = key_of(message_id, address, len);

	pthread_mutex_lock(&taken->lock);
	taken->hash[taken->next++ % TAKEN_MAX] = hash;
	pthread_mutex_unlock(&taken->lock);
}

bool taken_has(struct taken *taken, const char *message_id, const char *address, size_t len)
{
	uint64_t hash = key_of(message_id, address, len);
	bool has = false;

	pthread_mutex_lock(&taken->lock);
	for (int i = 0; i < TAKEN_MAX && !has; i++)
		has = taken->hash[i] == hash;
	pthread_mutex_unlock(&taken->lock);
	return has;
}
