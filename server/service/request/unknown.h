/* Says in the log that a model has no price: once for each model, tenant and process. */
#ifndef BURSAR_SERVICE_REQUEST_UNKNOWN_H
#define BURSAR_SERVICE_REQUEST_UNKNOWN_H

#include <stdbool.h>

#include "domain/price/price.h"

/* `price`: whose price was used; NULL: none. Any thread. */
void unknown_model_log(const char *tenant, const char *model, const struct price *price, bool refused);

/* Whether this is the first time that the process meets the model in the tenant; false too once 1,024 have been met. */
bool unknown_model_first(const char *tenant, const char *model);

#endif
