/* The system's time zones, looked at again from time to time. */
#ifndef BURSAR_SERVICE_CACHE_ZONES_H
#define BURSAR_SERVICE_CACHE_ZONES_H

/* Reads again those that the system has replaced, and logs that, and what is missing when it changes. Called by one thread. */
void zones_look(void);

#endif
