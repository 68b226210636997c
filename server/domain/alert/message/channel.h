/* Addresses of e-mail, as channels and the option smtp_from have them. */
#ifndef BURSAR_DOMAIN_ALERT_CHANNEL_H
#define BURSAR_DOMAIN_ALERT_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>

/* "ops@example.org": what every server takes, without quotes, comments and letters beyond ASCII. Need not be terminated. */
bool alert_address_valid(const char *address, size_t len);

#endif
