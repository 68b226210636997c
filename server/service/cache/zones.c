/* Time zones in the log: which are read, which were read again, which are missing. */
#include "service/cache/zones.h"

#include "base/log.h"
#include "domain/time/zone_file.h"

static void log_missing(const struct zones_facts *facts)
{
	if (facts->missing)
		log_warn("time zones of accounts cannot be read: these accounts count by UTC",
			FI("zones", facts->missing), F("first", facts->first_missing), F("folder", facts->folder));
	else
		log_info("all time zones of accounts can be read again", F("version", facts->version));
}

void zones_look(void)
{
	static bool begun, found;
	static int missing;
	struct zones_facts facts;
	int changed = zones_refresh();

	zones_facts(&facts);
	if (changed)
		log_info("time zones were replaced and read again", FI("zones", changed), F("version", facts.version));
	if (!facts.found && (!begun || found))
		log_warn("there is no time zone data: install tzdata", F("folder", facts.folder));
	else if (facts.found && (!begun || !found))
		log_info("time zones are read", F("folder", facts.folder), F("version", facts.version));
	if (facts.missing != missing)
		log_missing(&facts);
	begun = true;
	found = facts.found;
	missing = facts.missing;
}
