/* Logs the state of the time zones: what was read, what was replaced and what is missing. */
#include "service/cache/zones.h"

#include "base/observe/log.h"
#include "domain/time/zone_file.h"

static void log_missing(const struct zones_facts *facts)
{
	if (facts->missing)
		log_warn("cannot read the time zones of some accounts: they count by UTC", FI("zones", facts->missing),
			F("first", facts->first_missing), F("folder", facts->folder));
	else
		log_info("the time zones of all accounts can be read again", F("version", facts->version));
}

void zones_look(void)
{
	static bool begun, found;
	static int missing;
	struct zones_facts facts;
	int changed = zones_refresh();

	zones_facts(&facts);
	if (changed)
		log_info("reloaded changed time zones", FI("zones", changed), F("version", facts.version));
	if (!facts.found && (!begun || found))
		log_warn("no time zone data found: install tzdata", F("folder", facts.folder));
	else if (facts.found && (!begun || !found))
		log_info("time zone data found", F("folder", facts.folder), F("version", facts.version));
	if (facts.missing != missing)
		log_missing(&facts);
	begun = true;
	found = facts.found;
	missing = facts.missing;
}
