/* The built-in languages. */
#include "domain/text/texts_language.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

static const struct text_template english[] = {
	{"en", "reached", "{who} limit of {amount} {per}."},
	{"en", "held", "{whose} of {amount} {per} is full for now: {running}."},
	{"en", "ends", "The next one ends in {ends} at the latest."},
	{"en", "shared", "You share it with {others} {where}."},
	{"en", "too_large", "This request needs {requested}; more than {most} is never possible."},
	{"en", "excluded", "This is not part of your plan."},
	{"en", "wait", "Try again in {wait}."},
	{"en", "upgrade", "With {tier} you would have {amount} {per}."},
	{"en", "unlimited", "{tier} has no such limit."},
	{"en", "warning", "{percent}% of {amount} {per} are used."},
	{"en", "suspended", "This account is suspended. Please contact support."},
	{"en", "deleted", "This account no longer exists."},
	{"en", "suspended_team", "Your team is suspended. Please contact support."},
	{"en", "suspended_org", "Your organisation is suspended. Please contact support."},
	{"en", "suspended_model", "This model is suspended. Please choose another one."},
	{"en", "suspended_tenant", "This service is suspended. Please contact support."},
	{"en", "deleted_team", "Your team no longer exists. Please contact support."},
	{"en", "deleted_org", "Your organisation no longer exists. Please contact support."},
	{"en", "deleted_model", "This model no longer exists. Please choose another one."},
	{"en", "deleted_tenant", "This service no longer exists."},
	{"en", "unknown_user", "This service does not know you yet. Please sign up first."},
	{"en", "request_closed", "This request has already ended. Please send it as a new one."},
	{0},
};
static const struct text_template german[] = {
	{"de", "reached", "{who} Limit von {amount} {per} erreicht."},
	{"de", "held", "{whose} von {amount} {per} ist gerade ausgeschöpft: {running}."},
	{"de", "ends", "Die nächste endet spätestens in {ends}."},
	{"de", "shared", "Du teilst es mit {others} {where}."},
	{"de", "too_large", "Diese Anfrage braucht {requested}; mehr als {most} geht nie."},
	{"de", "excluded", "Das ist in deinem Tarif nicht enthalten."},
	{"de", "wait", "Versuche es in {wait} noch einmal."},
	{"de", "upgrade", "Mit {tier} hättest du {amount} {per}."},
	{"de", "unlimited", "{tier} hat dieses Limit nicht."},
	{"de", "warning", "{percent} % von {amount} {per} sind verbraucht."},
	{"de", "suspended", "Dieses Konto ist gesperrt. Bitte wende dich an den Support."},
	{"de", "deleted", "Dieses Konto gibt es nicht mehr."},
	{"de", "suspended_team", "Dein Team ist gesperrt. Bitte wende dich an den Support."},
	{"de", "suspended_org", "Deine Organisation ist gesperrt. Bitte wende dich an den Support."},
	{"de", "suspended_model", "Dieses Modell ist gesperrt. Bitte wähle ein anderes."},
	{"de", "suspended_tenant", "Dieser Dienst ist gesperrt. Bitte wende dich an den Support."},
	{"de", "deleted_team", "Dein Team gibt es nicht mehr. Bitte wende dich an den Support."},
	{"de", "deleted_org", "Deine Organisation gibt es nicht mehr. Bitte wende dich an den Support."},
	{"de", "deleted_model", "Dieses Modell gibt es nicht mehr. Bitte wähle ein anderes."},
	{"de", "deleted_tenant", "Diesen Dienst gibt es nicht mehr."},
	{"de", "unknown_user", "Dieser Dienst kennt dich noch nicht. Bitte melde dich zuerst an."},
	{"de", "request_closed", "Diese Anfrage ist schon beendet. Bitte sende sie als neue Anfrage."},
	{0},
};
static const struct text_template russian[] = {
	{"ru", "reached", "{who}: {amount} {per}."},
	{"ru", "held", "{whose} ({amount} {per}) пока занят: {running}."},
	{"ru", "ends", "Ближайший завершится не позднее чем через {ends}."},
	{"ru", "shared", "Вы делите его с {others} {where}."},
	{"ru", "too_large", "Для этого запроса нужно {requested}, а возможно не больше {most}."},
	{"ru", "excluded", "Это не входит в ваш тариф."},
	{"ru", "wait", "Повторите попытку через {wait}."},
	{"ru", "upgrade", "С тарифом {tier} у вас было бы {amount} {per}."},
	{"ru", "unlimited", "В тарифе {tier} такого лимита нет."},
	{"ru", "warning", "Израсходовано {percent}% лимита: {amount} {per}."},
	{"ru", "suspended", "Эта учётная запись заблокирована. Обратитесь в поддержку."},
	{"ru", "deleted", "Этой учётной записи больше нет."},
	{"ru", "suspended_team", "Ваша команда заблокирована. Обратитесь в поддержку."},
	{"ru", "suspended_org", "Ваша организация заблокирована. Обратитесь в поддержку."},
	{"ru", "suspended_model", "Эта модель заблокирована. Выберите другую."},
	{"ru", "suspended_tenant", "Этот сервис заблокирован. Обратитесь в поддержку."},
	{"ru", "deleted_team", "Вашей команды больше нет. Обратитесь в поддержку."},
	{"ru", "deleted_org", "Вашей организации больше нет. Обратитесь в поддержку."},
	{"ru", "deleted_model", "Этой модели больше нет. Выберите другую."},
	{"ru", "deleted_tenant", "Этого сервиса больше нет."},
	{"ru", "unknown_user", "Сервис вас ещё не знает. Сначала зарегистрируйтесь."},
	{"ru", "request_closed", "Этот запрос уже завершён. Отправьте его как новый."},
	{0},
};
static const struct text_template spanish[] = {
	{"es", "reached", "{who} de {amount} {per}."},
	{"es", "held", "{whose} de {amount} {per} está ocupado por ahora: {running}."},
	{"es", "ends", "La próxima termina a más tardar en {ends}."},
	{"es", "shared", "Lo compartes con {others} {where}."},
	{"es", "too_large", "Esta solicitud necesita {requested}; nunca se permiten más de {most}."},
	{"es", "excluded", "Esto no está incluido en tu plan."},
	{"es", "wait", "Inténtalo de nuevo en {wait}."},
	{"es", "upgrade", "Con {tier} tendrías {amount} {per}."},
	{"es", "unlimited", "{tier} no tiene ese límite."},
	{"es", "warning", "Se ha usado el {percent} % de {amount} {per}."},
	{"es", "suspended", "Esta cuenta está suspendida. Ponte en contacto con el soporte."},
	{"es", "deleted", "Esta cuenta ya no existe."},
	{"es", "suspended_team", "Tu equipo está suspendido. Ponte en contacto con el soporte."},
	{"es", "suspended_org", "Tu organización está suspendida. Ponte en contacto con el soporte."},
	{"es", "suspended_model", "Este modelo está suspendido. Elige otro."},
	{"es", "suspended_tenant", "Este servicio está suspendido. Ponte en contacto con el soporte."},
	{"es", "deleted_team", "Tu equipo ya no existe. Ponte en contacto con el soporte."},
	{"es", "deleted_org", "Tu organización ya no existe. Ponte en contacto con el soporte."},
	{"es", "deleted_model", "Este modelo ya no existe. Elige otro."},
	{"es", "deleted_tenant", "Este servicio ya no existe."},
	{"es", "unknown_user", "Este servicio todavía no te conoce. Regístrate primero."},
	{"es", "request_closed", "Esta solicitud ya ha terminado. Envíala como una nueva."},
	{0},
};

static const struct language languages[] = {
	{
		.code = "en",
		.group = ",",
		.noun = {{"request", "requests"}, {"token", "tokens"}, {"input token", "input tokens"},
			{"output token", "output tokens"}, {"second", "seconds"}, {"minute", "minutes"},
			{"hour", "hours"}, {"day", "days"}, {"other", "others"},
			{"request is still running", "requests are still running"},
			{"request is still running and holds part of it",
				"requests are still running and hold part of it"}},
		.who = {NULL, "You have reached your", "Your team has reached its", "Your organisation has reached its",
			"This model has reached its", "This service has reached its"},
		.whose = {NULL, "Your limit", "Your team's limit", "Your organisation's limit", "This model's limit",
			"This service's limit"},
		.per_window = {"per day", "per week", "per month"},
		.per_second = "per second",
		.per_minute = "per minute",
		.per_hour = "per hour",
		.per_span = "per ",
		.at_once = "at a time",
		.where = {"in your team", "in your organisation"},
		.templates = english,
	},
	{
		.code = "de",
		.group = ".",
		/* In the dative: "von 50 Anfragen", "in 2 Tagen". */
		.noun = {{"Anfrage", "Anfragen"}, {"Token", "Tokens"}, {"Eingabe-Token", "Eingabe-Tokens"},
			{"Ausgabe-Token", "Ausgabe-Tokens"}, {"Sekunde", "Sekunden"}, {"Minute", "Minuten"},
			{"Stunde", "Stunden"}, {"Tag", "Tagen"}, {"anderen", "anderen"},
			{"Anfrage läuft noch", "Anfragen laufen noch"},
			{"Anfrage läuft noch und hält einen Teil davon",
				"Anfragen laufen noch und halten einen Teil davon"}},
		.who = {NULL, "Du hast dein", "Dein Team hat sein", "Deine Organisation hat ihr",
			"Dieses Modell hat sein", "Dieser Dienst hat sein"},
		.whose = {NULL, "Dein Limit", "Das Limit deines Teams", "Das Limit deiner Organisation",
			"Das Limit dieses Modells", "Das Limit dieses Dienstes"},
		.per_window = {"pro Tag", "pro Woche", "pro Monat"},
		.per_second = "pro Sekunde",
		.per_minute = "pro Minute",
		.per_hour = "pro Stunde",
		.per_span = "in ",
		.at_once = "gleichzeitig",
		.where = {"in deinem Team", "in deiner Organisation"},
		.templates = german,
	},
	{
		.code = "ru",
		.group = "\u00a0",
		.slavic = true,
		/* In the accusative where it shows: "через 1 минуту". */
		.noun = {{"запрос", "запроса", "запросов"}, {"токен", "токена", "токенов"},
			{"входной токен", "входных токена", "входных токенов"},
			{"выходной токен", "выходных токена", "выходных токенов"}, {"секунду", "секунды", "секунд"},
			{"минуту", "минуты", "минут"}, {"час", "часа", "часов"}, {"день", "дня", "дней"},
			/* In the instrumental: "с 11 участниками". */
			{"участником", "участниками", "участниками"},
			{"запрос ещё выполняется", "запроса ещё выполняются", "запросов ещё выполняются"},
			{"запрос ещё выполняется и занимает его часть", "запроса ещё выполняются и занимают его часть",
				"запросов ещё выполняются и занимают его часть"}},
		.who = {NULL, "Достигнут ваш лимит", "Достигнут лимит вашей команды",
			"Достигнут лимит вашей организации", "Достигнут лимит этой модели",
			"Достигнут лимит этого сервиса"},
		.whose = {NULL, "Ваш лимит", "Лимит вашей команды", "Лимит вашей организации", "Лимит этой модели",
			"Лимит этого сервиса"},
		.per_window = {"в день", "в неделю", "в месяц"},
		.per_second = "в секунду",
		.per_minute = "в минуту",
		.per_hour = "в час",
		.per_span = "за ",
		.at_once = "одновременно",
		.where = {"вашей команды", "вашей организации"},
		.templates = russian,
	},
	{
		.code = "es",
		.group = ".",
		.noun = {{"solicitud", "solicitudes"}, {"token", "tokens"}, {"token de entrada", "tokens de entrada"},
			{"token de salida", "tokens de salida"}, {"segundo", "segundos"}, {"minuto", "minutos"},
			{"hora", "horas"}, {"día", "días"}, {"persona más", "personas más"},
			{"solicitud sigue en curso", "solicitudes siguen en curso"},
			{"solicitud sigue en curso y ocupa una parte",
				"solicitudes siguen en curso y ocupan una parte"}},
		.who = {NULL, "Has alcanzado tu límite", "Tu equipo ha alcanzado su límite",
			"Tu organización ha alcanzado su límite", "Este modelo ha alcanzado su límite",
			"Este servicio ha alcanzado su límite"},
		.whose = {NULL, "Tu límite", "El límite de tu equipo", "El límite de tu organización",
			"El límite de este modelo", "El límite de este servicio"},
		.per_window = {"al día", "a la semana", "al mes"},
		.per_second = "por segundo",
		.per_minute = "por minuto",
		.per_hour = "por hora",
		.per_span = "cada ",
		.at_once = "a la vez",
		.where = {"de tu equipo", "de tu organización"},
		.templates = spanish,
	},
};

const struct language language_symbols = {
	.code = "",
	.group = "\u202f",
	.noun = {[NOUN_REQUEST] = {"", ""},
		[NOUN_TOKEN] = {"", ""},
		[NOUN_INPUT] = {"", ""},
		[NOUN_OUTPUT] = {"", ""},
		[NOUN_SECOND] = {"s", "s"},
		[NOUN_MINUTE] = {"min", "min"},
		[NOUN_HOUR] = {"h", "h"},
		[NOUN_DAY] = {"d", "d"}},
};

const char *text_builtin_language(int index)
{
	return (size_t)index < sizeof(languages) / sizeof(languages[0]) ? languages[index].code : NULL;
}

const struct language *language_known(const char *tag)
{
	size_t len;

	if (!tag)
		return NULL;
	len = strcspn(tag, "-_");
	for (size_t i = 0; i < sizeof(languages) / sizeof(languages[0]); i++)
		if (len == strlen(languages[i].code) && strncasecmp(tag, languages[i].code, len) == 0)
			return &languages[i];
	return NULL;
}

const struct language *language_find(const char *tag)
{
	const struct language *known = language_known(tag);

	return known ? known : &languages[0];
}
