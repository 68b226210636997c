/* Judges facts: what somebody has noted, or a look has found. */
#include "domain/alert/judge_private.h"

#include <string.h>

#include "base/units.h"

/* Is it so far? What a note says of its age depends on its kind (alert.h). */
static bool far_enough(const struct alert_rule *rule, const struct alert_event *note)
{
	switch (note->kind) {
	case ALERT_STARVING: /* its threshold is the pool's own starvation time */
		return note->age_us >= note->threshold + rule->after_us;
	case ALERT_LEDGER_LAG:
	case ALERT_PRICES_OLD:
		return note->age_us >= rule->after_us;
	case ALERT_KEY_ENDS:
		return note->age_us <= rule->after_us;
	default:
		return true;
	}
}

/* How often it may fire. Changes of an account are told each time. */
static struct alert_firing firing_of(const struct alert_event *note, const char *id)
{
	switch (note->kind) {
	case ALERT_DENIAL:
	case ALERT_PRICES_OLD:
		return judge_once_in(note, "day", DAY_US);
	case ALERT_LEDGER_LAG:
	case ALERT_DRIFT:
		return judge_once_in(note, "hour", HOUR_US);
	case ALERT_STARVING:
		return judge_once_in(note, note->subject, HOUR_US);
	case ALERT_KEY_ENDS: /* a key that was given more time ends another time */
		return (struct alert_firing){
			.event = *note,
			.key = id,
			.window_us = note->at_us + note->age_us,
			.expires_at_us = note->at_us + note->age_us + DAY_US,
		};
	default:
		return (struct alert_firing){.event = *note, .key = ""};
	}
}

void alert_judge_note(
	struct alert_judge *judge, const struct alert_event *note, const struct alert_account *account, const char *id)
{
	struct alert_firing firing = firing_of(note, id);

	/* Nobody is told of those who are to be forgotten. */
	if (account && account->profile.deleted)
		return;
	judge_tenant(judge, note->tenant);
	for (int i = 0; i < judge->in_force; i++) {
		const struct alert_rule *rule = judge->rule[i];

		if (rule->kind != note->kind || !far_enough(rule, note))
			continue;
		if (!account || judge_concerns(rule, account))
			judge_fire(judge, rule, account, &firing);
	}
}
