/*
 * The sentences, written so that ids and amounts fit unchanged: durations and amounts come from domain/text/words.h, in the dative in German
 * and in the accusative in Russian.
 */
#include "domain/alert/message/sentences.h"

#include <string.h>

static const struct alert_words languages[] = {
	{
		.language = "en",
		.form =
			{
				[FORM_PERCENT] = {"{who}: {percent}% of {limit}",
					"{who} has reached {percent}% of the limit {limit}: {used} of {amount} {window}."},
				[FORM_AMOUNT] = {"{who}: {threshold} of {limit}",
					"{who} has reached {threshold} of the limit {limit}: {used} of {amount} {window}."},
				[FORM_PROJECTED] = {"{who}: {limit} will not last",
					"{who} is on course for {percent}% of the limit {limit}: {used} of {amount} {window} so far."},
				[FORM_ANOMALY] = {"{who}: unusual spending",
					"{who} has spent {used} today, {percent}% of the average of the last days ({amount})."},
				[FORM_DENIAL_LIMIT] = {"{who}: first refusal today",
					"{who} was refused for the first time today: the limit {limit} of {amount} {window} is reached."},
				[FORM_DENIAL] = {"{who}: first refusal today",
					"{who} was refused for the first time today ({subject})."},
				[FORM_SUSPENDED] = {"{who}: suspended", "{who} was suspended."},
				[FORM_LIFTED] = {"{who}: suspension lifted", "{who} is no longer suspended."},
				[FORM_TIER] = {"{who}: tier {after}", "{who} moved from {before} to {after}."},
				[FORM_STARVING] = {"Pool {subject}: long wait",
					"In the queue of the pool {subject}, somebody has waited for {age}."},
				[FORM_LEDGER_LAG] = {"The ledger is late",
					"The ledger is {age} behind; {number} entries are waiting."},
				[FORM_DRIFT] = {"Counters and ledger differed",
					"Counters and ledger differed for {number} accounts, by {used} in all."},
				[FORM_PRICES_OLD] = {"Prices are old", "The newest price is {age} old."},
				[FORM_UNPRICED] = {"{who}: requests without a price",
					"{who} has made {number} requests today for which there is no price."},
				[FORM_KEY_ENDS] = {"Key {subject} is about to expire",
					"The key {subject} expires in {age}."},
				[FORM_KEY_ENDED] = {"Key {subject} has expired", "The key {subject} has expired."},
				[FORM_TEST] = {"Test", "This is a test of the alert channel. Nothing has happened."},
			},
		.who = {"", "User", "Team", "Organisation", "Model", "Tenant"},
		.severity = {"", "info", "warning", "critical"},
		.reason = "Reason: {subject}",
		.default_tier = "the default tier",
		.several = "{count} alerts",
		.more = "And {count} more.",
	},
	{
		.language = "de",
		.form =
			{
				[FORM_PERCENT] = {"{who}: {percent} % von {limit}",
					"{who} hat {percent} % des Limits {limit} erreicht: {used} von {amount} {window}."},
				[FORM_AMOUNT] = {"{who}: {threshold} von {limit}",
					"{who} hat beim Limit {limit} den Wert {threshold} erreicht: {used} von {amount} {window}."},
				[FORM_PROJECTED] = {"{who}: {limit} reicht nicht",
					"{who} kommt voraussichtlich auf {percent} % des Limits {limit}: bisher {used} von {amount} {window}."},
				[FORM_ANOMALY] = {"{who}: ungewöhnliche Ausgaben",
					"{who} hat heute {used} ausgegeben, {percent} % des Durchschnitts der letzten Tage ({amount})."},
				[FORM_DENIAL_LIMIT] = {"{who}: heute erstmals abgelehnt",
					"{who} wurde heute zum ersten Mal abgelehnt: Das Limit {limit} von {amount} {window} ist erreicht."},
				[FORM_DENIAL] = {"{who}: heute erstmals abgelehnt",
					"{who} wurde heute zum ersten Mal abgelehnt ({subject})."},
				[FORM_SUSPENDED] = {"{who}: gesperrt", "{who} wurde gesperrt."},
				[FORM_LIFTED] = {"{who}: Sperre aufgehoben", "Die Sperre wurde aufgehoben: {who}."},
				[FORM_TIER] = {"{who}: Tarif {after}", "{who} wechselt von {before} zu {after}."},
				[FORM_STARVING] = {"Pool {subject}: lange Wartezeit",
					"In der Warteschlange des Pools {subject} wartet jemand seit {age}."},
				[FORM_LEDGER_LAG] = {"Das Hauptbuch ist im Rückstand",
					"Das Hauptbuch ist mit {age} im Rückstand; wartende Einträge: {number}."},
				[FORM_DRIFT] = {"Zähler und Hauptbuch wichen ab",
					"Zähler und Hauptbuch wichen bei {number} Konten ab, zusammen um {used}."},
				[FORM_PRICES_OLD] = {"Die Preise sind alt",
					"Der neueste Preis wurde vor {age} eingetragen."},
				[FORM_UNPRICED] = {"{who}: Anfragen ohne Preis",
					"{who}: Anfragen von heute, für die es keinen Preis gibt: {number}."},
				[FORM_KEY_ENDS] = {"Schlüssel {subject} läuft bald ab",
					"Der Schlüssel {subject} läuft in {age} ab."},
				[FORM_KEY_ENDED] = {"Schlüssel {subject} ist abgelaufen",
					"Der Schlüssel {subject} ist abgelaufen."},
				[FORM_TEST] = {"Test",
					"Dies ist ein Test des Kanals für Warnungen. Es ist nichts passiert."},
			},
		.who = {"", "Benutzer", "Team", "Organisation", "Modell", "Mandant"},
		.severity = {"", "Hinweis", "Warnung", "kritisch"},
		.reason = "Grund: {subject}",
		.default_tier = "Standardtarif",
		.several = "{count} Warnungen",
		.more = "Weitere: {count}.",
	},
	{
		.language = "ru",
		.form =
			{
				[FORM_PERCENT] = {"{who}: {percent}% лимита {limit}",
					"{who}: достигнуто {percent}% лимита {limit}. Израсходовано: {used}; лимит: {amount} {window}."},
				[FORM_AMOUNT] = {"{who}: {threshold}, лимит {limit}",
					"{who}: по лимиту {limit} достигнуто {threshold}. Израсходовано: {used}; лимит: {amount} {window}."},
				[FORM_PROJECTED] = {"{who}: лимита {limit} не хватит",
					"{who}: ожидается {percent}% лимита {limit}. Израсходовано: {used}; лимит: {amount} {window}."},
				[FORM_ANOMALY] = {"{who}: необычные расходы",
					"{who}: расходы за сегодня — {used}, это {percent}% среднего за последние дни ({amount})."},
				[FORM_DENIAL_LIMIT] = {"{who}: первый отказ за сегодня",
					"{who}: первый отказ за сегодня, исчерпан лимит {limit}: {amount} {window}."},
				[FORM_DENIAL] = {"{who}: первый отказ за сегодня",
					"{who}: первый отказ за сегодня ({subject})."},
				[FORM_SUSPENDED] = {"{who}: блокировка", "{who}: учётная запись заблокирована."},
				[FORM_LIFTED] = {"{who}: блокировка снята", "{who}: блокировка снята."},
				[FORM_TIER] = {"{who}: тариф {after}",
					"{who}: тариф изменён, был {before}, теперь {after}."},
				[FORM_STARVING] = {"Пул {subject}: долгое ожидание",
					"В очереди пула {subject} кто-то ждёт уже {age}."},
				[FORM_LEDGER_LAG] = {"Журнал отстаёт",
					"Журнал отстаёт на {age}; ожидает записей: {number}."},
				[FORM_DRIFT] = {"Счётчики и журнал расходились",
					"Счётчики и журнал расходились, учётных записей: {number}, в сумме на {used}."},
				[FORM_PRICES_OLD] = {"Цены устарели", "Цены не обновлялись {age}."},
				[FORM_UNPRICED] = {"{who}: запросы без цены",
					"{who}: запросов за сегодня, для которых нет цены: {number}."},
				[FORM_KEY_ENDS] = {"Ключ {subject} скоро истечёт",
					"Срок действия ключа {subject} истекает через {age}."},
				[FORM_KEY_ENDED] = {"Ключ {subject} истёк", "Срок действия ключа {subject} истёк."},
				[FORM_TEST] = {"Проверка", "Это проверка канала оповещений. Ничего не случилось."},
			},
		.who = {"", "Пользователь", "Команда", "Организация", "Модель", "Арендатор"},
		.severity = {"", "сведения", "предупреждение", "критично"},
		.reason = "Причина: {subject}",
		.default_tier = "тариф по умолчанию",
		.several = "Оповещений: {count}",
		.more = "И ещё: {count}.",
	},
	{
		.language = "es",
		.form =
			{
				[FORM_PERCENT] = {"{who}: {percent} % de {limit}",
					"{who} ha alcanzado el {percent} % del límite {limit}: {used} de {amount} {window}."},
				[FORM_AMOUNT] = {"{who}: {threshold} de {limit}",
					"{who} ha alcanzado {threshold} del límite {limit}: {used} de {amount} {window}."},
				[FORM_PROJECTED] = {"{who}: {limit} no alcanzará",
					"{who} va camino del {percent} % del límite {limit}: {used} de {amount} {window} hasta ahora."},
				[FORM_ANOMALY] = {"{who}: gasto inusual",
					"{who} ha gastado hoy {used}, el {percent} % de la media de los últimos días ({amount})."},
				[FORM_DENIAL_LIMIT] = {"{who}: primer rechazo de hoy",
					"{who}: primer rechazo de hoy, se ha alcanzado el límite {limit} de {amount} {window}."},
				[FORM_DENIAL] = {"{who}: primer rechazo de hoy",
					"{who}: primer rechazo de hoy ({subject})."},
				[FORM_SUSPENDED] = {"{who}: suspensión", "{who}: la cuenta ha sido suspendida."},
				[FORM_LIFTED] = {"{who}: fin de la suspensión",
					"{who}: se ha levantado la suspensión."},
				[FORM_TIER] = {"{who}: plan {after}", "{who} pasa de {before} a {after}."},
				[FORM_STARVING] = {"Pool {subject}: espera larga",
					"En la cola del pool {subject}, alguien lleva esperando {age}."},
				[FORM_LEDGER_LAG] = {"El libro mayor va con retraso",
					"El libro mayor lleva un retraso de {age}; entradas en espera: {number}."},
				[FORM_DRIFT] = {"Contadores y libro mayor no coincidían",
					"Los contadores y el libro mayor no coincidían en {number} cuentas, en total por {used}."},
				[FORM_PRICES_OLD] = {"Los precios son antiguos",
					"El precio más reciente es de hace {age}."},
				[FORM_UNPRICED] = {"{who}: solicitudes sin precio",
					"{who}: solicitudes de hoy para las que no hay precio: {number}."},
				[FORM_KEY_ENDS] = {"La clave {subject} está a punto de caducar",
					"La clave {subject} caduca en {age}."},
				[FORM_KEY_ENDED] = {"La clave {subject} ha caducado",
					"La clave {subject} ha caducado."},
				[FORM_TEST] = {"Prueba", "Esta es una prueba del canal de alertas. No ha pasado nada."},
			},
		.who = {"", "Usuario", "Equipo", "Organización", "Modelo", "Inquilino"},
		.severity = {"", "información", "advertencia", "crítico"},
		.reason = "Motivo: {subject}",
		.default_tier = "el plan predeterminado",
		.several = "{count} alertas",
		.more = "Y {count} más.",
	},
};

enum alert_form alert_form_of(const struct alert_event *event)
{
	static const enum alert_form forms[ALERT_KIND_END] = {
		[ALERT_PROJECTED] = FORM_PROJECTED,
		[ALERT_ANOMALY] = FORM_ANOMALY,
		[ALERT_TIER] = FORM_TIER,
		[ALERT_STARVING] = FORM_STARVING,
		[ALERT_LEDGER_LAG] = FORM_LEDGER_LAG,
		[ALERT_DRIFT] = FORM_DRIFT,
		[ALERT_PRICES_OLD] = FORM_PRICES_OLD,
		[ALERT_UNPRICED] = FORM_UNPRICED,
		[ALERT_TEST] = FORM_TEST,
	};

	switch (event->kind) {
	case ALERT_THRESHOLD:
		return event->percent ? FORM_PERCENT : FORM_AMOUNT;
	case ALERT_DENIAL:
		return event->limit_name[0] ? FORM_DENIAL_LIMIT : FORM_DENIAL;
	case ALERT_SUSPENDED:
		return event->lifted ? FORM_LIFTED : FORM_SUSPENDED;
	case ALERT_KEY_ENDS:
		return event->age_us > 0 ? FORM_KEY_ENDS : FORM_KEY_ENDED;
	default:
		return event->kind > 0 && event->kind < ALERT_KIND_END ? forms[event->kind] : FORM_TEST;
	}
}

const struct alert_words *alert_words_find(const char *language)
{
	for (size_t i = 0; i < sizeof(languages) / sizeof(languages[0]); i++)
		if (strcmp(languages[i].language, language) == 0)
			return &languages[i];
	return &languages[0];
}
