/*
 * What people write for the address of a server, and what gRPC is given. Declared in bursar.h. client/addresses.json has
 * the table that the clients of all languages keep to.
 */
#include "c/internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { SERVERS_MAX = 64, PORT_DIGITS = 5 };

/* A piece of the text that the caller gave. */
struct piece {
	const char *text;
	size_t len;
};

static struct piece piece_from(struct piece piece, size_t start)
{
	return (struct piece){piece.text + start, piece.len - start};
}

static struct piece piece_trimmed(struct piece piece)
{
	while (piece.len > 0 && isspace((unsigned char)piece.text[0]))
		piece = piece_from(piece, 1);
	while (piece.len > 0 && isspace((unsigned char)piece.text[piece.len - 1]))
		piece.len--;
	return piece;
}

static bool is_port(struct piece piece)
{
	int port = 0;

	if (piece.len > PORT_DIGITS)
		return false;
	for (size_t i = 0; i < piece.len; i++) {
		if (!isdigit((unsigned char)piece.text[i]))
			return false;
		port = 10 * port + piece.text[i] - '0';
	}
	return port > 0 && port < 65536;
}

/* A name or an IPv4 address: whether it exists is for gRPC to find out. */
static bool is_name(struct piece piece)
{
	for (size_t i = 0; i < piece.len; i++)
		if (isspace((unsigned char)piece.text[i]) || strchr("/:[]", piece.text[i]))
			return false;
	return piece.len > 0;
}

/* "::1" or "fe80::1%eth0", without the brackets. */
static bool is_ipv6(struct piece piece)
{
	bool colon = false;

	for (size_t i = 0; i < piece.len; i++) {
		if (piece.text[i] == '%')
			return colon && is_name(piece_from(piece, i + 1));
		if (!isxdigit((unsigned char)piece.text[i]) && !strchr(":.", piece.text[i]))
			return false;
		colon = colon || piece.text[i] == ':';
	}
	return colon;
}

/* How much of the address is its host; 0 when it begins with none. */
static size_t host_len(struct piece address)
{
	const char *end;
	size_t len;

	if (address.len > 0 && address.text[0] == '[') {
		end = memchr(address.text, ']', address.len);
		len = end ? (size_t)(end - address.text) + 1 : 0;
		return len > 0 && is_ipv6((struct piece){address.text + 1, len - 2}) ? len : 0;
	}
	end = memchr(address.text, ':', address.len);
	len = end ? (size_t)(end - address.text) : address.len;
	return is_name((struct piece){address.text, len}) ? len : 0;
}

/* Appends the address to `whole`, with a port. False when it is not one. */
static bool put_address(char *whole, struct piece address)
{
	size_t host = host_len(address);
	bool is_path = address.len > strlen("unix:") && strncmp(address.text, "unix:", strlen("unix:")) == 0;

	if (!is_path && host == 0)
		return false;
	if (!is_path && host < address.len && !(address.text[host] == ':' && is_port(piece_from(address, host + 1))))
		return false;
	strncat(whole, address.text, address.len);
	if (!is_path && host == address.len)
		strcat(whole, strrchr(BURSAR_DEFAULT_ADDRESS, ':'));
	return true;
}

static char *refuse(char *whole, struct piece address, struct bursar_error *error)
{
	bool has_scheme = address.len > 0 && memmem(address.text, address.len, "://", 3) != NULL;

	bursar__error_field(error, "address", "'%.*s' is not an address%s; it looks like %s or unix:/run/bursar.sock",
		(int)(address.len < 200 ? address.len : 200), address.text,
		has_scheme ? ": write it without http://" : "", BURSAR_DEFAULT_ADDRESS);
	free(whole);
	return NULL;
}

char *bursar_addresses(const char *address, struct bursar_error *error)
{
	size_t commas = 0;
	char *whole;

	for (const char *p = address; *p; p++)
		commas += *p == ',';
	if (commas >= SERVERS_MAX) {
		bursar__error_field(error, "address", "holds more than %d addresses", SERVERS_MAX);
		return NULL;
	}
	whole = calloc(1, strlen(address) + (commas + 1) * (PORT_DIGITS + 1) + 1);
	if (!whole)
		abort();
	for (const char *rest = address, *next; rest; rest = next) {
		struct piece piece = piece_trimmed((struct piece){rest, strcspn(rest, ",")});

		next = strchr(rest, ',');
		next = next ? next + 1 : NULL;
		if (!put_address(whole, piece))
			return refuse(whole, piece, error);
		if (next)
			strcat(whole, ",");
	}
	return whole;
}
