/* Keeps the system's time zones up to date. */
#ifndef BURSAR_SERVICE_CACHE_ZONES_H
#define BURSAR_SERVICE_CACHE_ZONES_H

/* Reloads the zones that the system has replaced and logs what changed or is missing. Call it from one thread only. */
void zones_look(void);

#endif
