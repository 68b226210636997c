/* Addresses to listen on. */
#ifndef BURSAR_RPC_LISTEN_ADDRESS_H
#define BURSAR_RPC_LISTEN_ADDRESS_H

#include <stdbool.h>

/* Whether only this machine can reach the address: 127.0.0.0/8, ::1, localhost, unix:. */
bool rpc_address_is_loopback(const char *listen);

#endif
