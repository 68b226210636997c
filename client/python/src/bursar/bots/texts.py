"""What a bot says by itself, in the languages that it knows. What a limit refused is told in the server's words (docs/admin.md)."""
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bursar.answers import Limit

#: Own texts by language: "de", "pt-BR", or "*" for every language. An empty text is never said.
Texts = Mapping[str, Mapping[str, str]]

#: queued: the position, above 1. next: the position 1. eta: follows the position. busy: too many wait. unavailable: nobody could be asked.
#: failed: the work was interrupted. warning...: of a limit that counts by the day, week or month. upgrade: on the button.
BUILT_IN: dict[str, dict[str, str]] = {
    "en": {
        "queued": "⏳ You are number {position} in the queue.",
        "next": "⏳ You are next.",
        "eta": "About {wait}.",
        "busy": "Too many requests are waiting. Please try again in {wait}.",
        "unavailable": "This is not possible right now. Please try again in a moment.",
        "failed": "Sorry, something went wrong. Please try again.",
        "warning": "You have used {percent}% of your limit.",
        "warning_day": "You have used {percent}% of your daily limit.",
        "warning_week": "You have used {percent}% of your weekly limit.",
        "warning_month": "You have used {percent}% of your monthly limit.",
        "upgrade": "Upgrade",
        "seconds": "{n} s", "minutes": "{n} min", "hours": "{n} h", "days": "{n} d",
    },
    "de": {
        "queued": "⏳ Du bist Nummer {position} in der Warteschlange.",
        "next": "⏳ Du bist als Nächstes dran.",
        "eta": "Etwa {wait}.",
        "busy": "Gerade warten zu viele Anfragen. Bitte versuche es später noch einmal (Wartezeit: {wait}).",
        "unavailable": "Das geht gerade nicht. Bitte versuche es gleich noch einmal.",
        "failed": "Leider ist etwas schiefgegangen. Bitte versuche es noch einmal.",
        "warning": "Du hast {percent} % deines Limits verbraucht.",
        "warning_day": "Du hast {percent} % deines Tageslimits verbraucht.",
        "warning_week": "Du hast {percent} % deines Wochenlimits verbraucht.",
        "warning_month": "Du hast {percent} % deines Monatslimits verbraucht.",
        "upgrade": "Upgrade",
        "seconds": "{n} s", "minutes": "{n} min", "hours": "{n} h", "days": "{n} d",
    },
    "es": {
        "queued": "⏳ Eres el número {position} en la cola.",
        "next": "⏳ Eres el siguiente.",
        "eta": "Tiempo de espera aproximado: {wait}.",
        "busy": "Hay demasiadas solicitudes en espera. Inténtalo de nuevo más tarde (espera: {wait}).",
        "unavailable": "Ahora mismo no es posible. Inténtalo de nuevo en un momento.",
        "failed": "Lo siento, algo ha salido mal. Inténtalo de nuevo.",
        "warning": "Has usado el {percent} % de tu límite.",
        "warning_day": "Has usado el {percent} % de tu límite diario.",
        "warning_week": "Has usado el {percent} % de tu límite semanal.",
        "warning_month": "Has usado el {percent} % de tu límite mensual.",
        "upgrade": "Mejorar el plan",
        "seconds": "{n} s", "minutes": "{n} min", "hours": "{n} h", "days": "{n} d",
    },
    "fr": {
        "queued": "⏳ Vous êtes numéro {position} dans la file d’attente.",
        "next": "⏳ Vous êtes le prochain.",
        "eta": "Environ {wait}.",
        "busy": "Trop de demandes sont en attente. Réessayez dans {wait}.",
        "unavailable": "Ce n’est pas possible pour le moment. Réessayez dans un instant.",
        "failed": "Désolé, une erreur s’est produite. Veuillez réessayer.",
        "warning": "Vous avez utilisé {percent} % de votre limite.",
        "warning_day": "Vous avez utilisé {percent} % de votre limite quotidienne.",
        "warning_week": "Vous avez utilisé {percent} % de votre limite hebdomadaire.",
        "warning_month": "Vous avez utilisé {percent} % de votre limite mensuelle.",
        "upgrade": "Changer d’offre",
        "seconds": "{n} s", "minutes": "{n} min", "hours": "{n} h", "days": "{n} j",
    },
    "pt": {
        "queued": "⏳ Você é o número {position} na fila.",
        "next": "⏳ Você é o próximo.",
        "eta": "Cerca de {wait}.",
        "busy": "Há pedidos demais na fila. Tente novamente em {wait}.",
        "unavailable": "Isso não é possível agora. Tente novamente daqui a pouco.",
        "failed": "Desculpe, algo deu errado. Tente novamente.",
        "warning": "Você usou {percent}% do seu limite.",
        "warning_day": "Você usou {percent}% do seu limite diário.",
        "warning_week": "Você usou {percent}% do seu limite semanal.",
        "warning_month": "Você usou {percent}% do seu limite mensal.",
        "upgrade": "Melhorar o plano",
        "seconds": "{n} s", "minutes": "{n} min", "hours": "{n} h", "days": "{n} d",
    },
    "ru": {
        "queued": "⏳ Ваш номер в очереди: {position}.",
        "next": "⏳ Вы следующий в очереди.",
        "eta": "Примерное ожидание: {wait}.",
        "busy": "Слишком много запросов в очереди. Повторите попытку позже (ожидание: {wait}).",
        "unavailable": "Сейчас это невозможно. Повторите попытку чуть позже.",
        "failed": "Извините, что-то пошло не так. Попробуйте ещё раз.",
        "warning": "Израсходовано {percent}% вашего лимита.",
        "warning_day": "Израсходовано {percent}% вашего дневного лимита.",
        "warning_week": "Израсходовано {percent}% вашего недельного лимита.",
        "warning_month": "Израсходовано {percent}% вашего месячного лимита.",
        "upgrade": "Сменить тариф",
        "seconds": "{n} с", "minutes": "{n} мин", "hours": "{n} ч", "days": "{n} д",
    },
    "tr": {
        "queued": "⏳ Sıradaki yeriniz: {position}.",
        "next": "⏳ Sıra sizde olmak üzere.",
        "eta": "Yaklaşık {wait}.",
        "busy": "Şu anda çok fazla istek bekliyor. Lütfen daha sonra tekrar deneyin (bekleme süresi: {wait}).",
        "unavailable": "Bu şu anda mümkün değil. Lütfen birazdan tekrar deneyin.",
        "failed": "Üzgünüz, bir şeyler ters gitti. Lütfen tekrar deneyin.",
        "warning": "Limitinizin %{percent} kadarını kullandınız.",
        "warning_day": "Günlük limitinizin %{percent} kadarını kullandınız.",
        "warning_week": "Haftalık limitinizin %{percent} kadarını kullandınız.",
        "warning_month": "Aylık limitinizin %{percent} kadarını kullandınız.",
        "upgrade": "Planı yükselt",
        "seconds": "{n} sn", "minutes": "{n} dk", "hours": "{n} sa", "days": "{n} g",
    },
    "ar": {
        "queued": "⏳ رقمك في قائمة الانتظار: {position}.",
        "next": "⏳ أنت التالي في قائمة الانتظار.",
        "eta": "مدة الانتظار التقريبية: {wait}.",
        "busy": "عدد الطلبات المنتظرة كبير جدًا. يُرجى المحاولة لاحقًا (مدة الانتظار: {wait}).",
        "unavailable": "هذا غير ممكن حاليًا. يُرجى المحاولة بعد قليل.",
        "failed": "عذرًا، حدث خطأ ما. يُرجى المحاولة مرة أخرى.",
        "warning": "لقد استخدمت {percent}% من الحد المتاح لك.",
        "warning_day": "لقد استخدمت {percent}% من الحد اليومي المتاح لك.",
        "warning_week": "لقد استخدمت {percent}% من الحد الأسبوعي المتاح لك.",
        "warning_month": "لقد استخدمت {percent}% من الحد الشهري المتاح لك.",
        "upgrade": "ترقية الخطة",
        "seconds": "{n} ث", "minutes": "{n} د", "hours": "{n} س", "days": "{n} ي",
    },
    "hi": {
        "queued": "⏳ कतार में आपका नंबर {position} है।",
        "next": "⏳ अगली बारी आपकी है।",
        "eta": "लगभग {wait}।",
        "busy": "अभी बहुत सारे अनुरोध प्रतीक्षा में हैं। कृपया बाद में फिर कोशिश करें (प्रतीक्षा समय: {wait})।",
        "unavailable": "यह अभी संभव नहीं है। कृपया थोड़ी देर में फिर कोशिश करें।",
        "failed": "क्षमा करें, कुछ गड़बड़ हो गई। कृपया फिर कोशिश करें।",
        "warning": "आपने अपनी सीमा का {percent}% इस्तेमाल कर लिया है।",
        "warning_day": "आपने अपनी दैनिक सीमा का {percent}% इस्तेमाल कर लिया है।",
        "warning_week": "आपने अपनी साप्ताहिक सीमा का {percent}% इस्तेमाल कर लिया है।",
        "warning_month": "आपने अपनी मासिक सीमा का {percent}% इस्तेमाल कर लिया है।",
        "upgrade": "प्लान अपग्रेड करें",
        "seconds": "{n} सेकंड", "minutes": "{n} मिनट", "hours": "{n} घंटे", "days": "{n} दिन",
    },
    "zh": {
        "queued": "⏳ 您排在第 {position} 位。",
        "next": "⏳ 下一个就轮到您。",
        "eta": "大约需要{wait}。",
        "busy": "当前排队的请求过多，请在{wait}后重试。",
        "unavailable": "目前无法处理，请稍后再试。",
        "failed": "抱歉，出了点问题，请重试。",
        "warning": "您的额度已使用 {percent}%。",
        "warning_day": "您今日的额度已使用 {percent}%。",
        "warning_week": "您本周的额度已使用 {percent}%。",
        "warning_month": "您本月的额度已使用 {percent}%。",
        "upgrade": "升级套餐",
        "seconds": "{n}秒", "minutes": "{n}分钟", "hours": "{n}小时", "days": "{n}天",
    },
    "ja": {
        "queued": "⏳ 現在の順番は {position} 番目です。",
        "next": "⏳ 次があなたの番です。",
        "eta": "待ち時間は約{wait}です。",
        "busy": "現在、順番待ちが多すぎます。{wait}後にもう一度お試しください。",
        "unavailable": "現在ご利用いただけません。しばらくしてからもう一度お試しください。",
        "failed": "申し訳ありません。エラーが発生しました。もう一度お試しください。",
        "warning": "上限の {percent}% を使用しました。",
        "warning_day": "1日の上限の {percent}% を使用しました。",
        "warning_week": "1週間の上限の {percent}% を使用しました。",
        "warning_month": "1か月の上限の {percent}% を使用しました。",
        "upgrade": "アップグレード",
        "seconds": "{n}秒", "minutes": "{n}分", "hours": "{n}時間", "days": "{n}日",
    },
    "ko": {
        "queued": "⏳ 현재 대기 순서는 {position}번째입니다.",
        "next": "⏳ 다음 차례입니다.",
        "eta": "약 {wait} 남았습니다.",
        "busy": "대기 중인 요청이 너무 많습니다. {wait} 후에 다시 시도해 주세요.",
        "unavailable": "지금은 이용할 수 없습니다. 잠시 후 다시 시도해 주세요.",
        "failed": "죄송합니다. 문제가 발생했습니다. 다시 시도해 주세요.",
        "warning": "한도의 {percent}%를 사용했습니다.",
        "warning_day": "일일 한도의 {percent}%를 사용했습니다.",
        "warning_week": "주간 한도의 {percent}%를 사용했습니다.",
        "warning_month": "월간 한도의 {percent}%를 사용했습니다.",
        "upgrade": "업그레이드",
        "seconds": "{n}초", "minutes": "{n}분", "hours": "{n}시간", "days": "{n}일",
    },
}

_UNITS = (("days", 86_400), ("hours", 3_600), ("minutes", 60), ("seconds", 1))


def _tags(language: str) -> list[str]:
    """The tags to look under, the most exact first: "pt-br", "pt"."""
    parts = language.replace("_", "-").lower().split("-")
    return ["-".join(parts[:count]) for count in range(len(parts), 0, -1)]


class Speaker:
    """The texts of one bot."""

    def __init__(self, own: Texts | None = None) -> None:
        self._own = {language.replace("_", "-").lower(): dict(texts) for language, texts in (own or {}).items()}

    def say(self, name: str, language: str, *, position: int = 0, percent: int = 0, wait_ms: int = 0) -> str:
        """The text in the language, or in English."""
        text, tag = self._find(name, language)
        return (text.replace("{position}", str(position)).replace("{percent}", str(percent))
                .replace("{wait}", self.duration(tag, wait_ms)))

    def queued(self, language: str, position: int, eta_ms: int) -> str:
        """Where in the queue somebody is, and for how long."""
        place = self.say("next" if position <= 1 else "queued", language, position=position)
        eta = self.say("eta", language, wait_ms=eta_ms) if eta_ms >= 1000 else ""
        return f"{place} {eta}" if place and eta else place

    def warning(self, language: str, limit: Limit) -> str:
        """For a warning that a record brings; a check's comes as a sentence of the server."""
        name = f"warning_{limit.window}" if limit.window in ("day", "week", "month") else "warning"
        return self.say(name, language, percent=limit.used_percent)

    def duration(self, language: str, ms: int) -> str:
        """In one unit, rounded up: 45 s, 2 min, 3 h."""
        seconds = max(1, -(-ms // 1000))
        name, size = next(unit for unit in _UNITS if seconds >= unit[1] * (1 if unit[1] == 1 else 1.5))
        return self._find(name, language)[0].replace("{n}", str(-(-seconds // size)))

    def _find(self, name: str, language: str) -> tuple[str, str]:
        """The text and its language. Own texts come before the built-in ones, also where those are in a language nearer to the user's."""
        wanted = _tags(language)
        own = next((tag for tag in wanted if name in self._own.get(tag, {})), None)
        if own is not None:
            return self._own[own][name], own
        known = next((tag for tag in wanted if tag in BUILT_IN), "en")
        everywhere = self._own.get("*", {}).get(name)
        return BUILT_IN[known][name] if everywhere is None else everywhere, known
