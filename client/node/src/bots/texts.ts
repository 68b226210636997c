/**
 * What a bot says by itself, in the languages that it knows. A denial's text is not among them: it comes from the server, in
 * the user's language.
 */

export interface Texts {
  /** The position in the queue; {position} is a number above 1. */
  queued: string;
  /** The position 1. */
  next: string;
  /** Follows the position; {wait} is a duration. */
  eta: string;
  /** Too many requests are waiting; {wait} is a duration. */
  busy: string;
  /** Nobody could be asked whether the request may run. */
  unavailable: string;
  /** The bot's own work failed. */
  failed: string;
  /** {percent} of a limit is used. */
  warning: string;
  /** The same, of a limit that counts by the day, week or month. */
  warningDay: string;
  warningWeek: string;
  warningMonth: string;
  /** On the button that leads to the upgrade's URL. */
  upgrade: string;
}

/** Own texts by language: "de", "pt-BR", or "*" for every language. An empty text is never said. */
export type OwnTexts = { [language: string]: Partial<Texts> };

export const builtInTexts: { [language: string]: Texts } = {
  en: {
    queued: "⏳ You are number {position} in the queue.",
    next: "⏳ You are next.",
    eta: "About {wait}.",
    busy: "Too many requests are waiting. Please try again in {wait}.",
    unavailable: "This is not possible right now. Please try again in a moment.",
    failed: "Sorry, something went wrong. Please try again.",
    warning: "You have used {percent}% of your limit.",
    warningDay: "You have used {percent}% of your daily limit.",
    warningWeek: "You have used {percent}% of your weekly limit.",
    warningMonth: "You have used {percent}% of your monthly limit.",
    upgrade: "Upgrade",
  },
  de: {
    queued: "⏳ Du bist Nummer {position} in der Warteschlange.",
    next: "⏳ Du bist als Nächstes dran.",
    eta: "Etwa {wait}.",
    busy: "Gerade warten zu viele Anfragen. Bitte versuche es später noch einmal (Wartezeit: {wait}).",
    unavailable: "Das geht gerade nicht. Bitte versuche es gleich noch einmal.",
    failed: "Leider ist etwas schiefgegangen. Bitte versuche es noch einmal.",
    warning: "Du hast {percent} % deines Limits verbraucht.",
    warningDay: "Du hast {percent} % deines Tageslimits verbraucht.",
    warningWeek: "Du hast {percent} % deines Wochenlimits verbraucht.",
    warningMonth: "Du hast {percent} % deines Monatslimits verbraucht.",
    upgrade: "Upgrade",
  },
  es: {
    queued: "⏳ Eres el número {position} en la cola.",
    next: "⏳ Eres el siguiente.",
    eta: "Tiempo de espera aproximado: {wait}.",
    busy: "Hay demasiadas solicitudes en espera. Inténtalo de nuevo más tarde (espera: {wait}).",
    unavailable: "Ahora mismo no es posible. Inténtalo de nuevo en un momento.",
    failed: "Lo siento, algo ha salido mal. Inténtalo de nuevo.",
    warning: "Has usado el {percent} % de tu límite.",
    warningDay: "Has usado el {percent} % de tu límite diario.",
    warningWeek: "Has usado el {percent} % de tu límite semanal.",
    warningMonth: "Has usado el {percent} % de tu límite mensual.",
    upgrade: "Mejorar el plan",
  },
  fr: {
    queued: "⏳ Vous êtes numéro {position} dans la file d’attente.",
    next: "⏳ Vous êtes le prochain.",
    eta: "Environ {wait}.",
    busy: "Trop de demandes sont en attente. Réessayez dans {wait}.",
    unavailable: "Ce n’est pas possible pour le moment. Réessayez dans un instant.",
    failed: "Désolé, une erreur s’est produite. Veuillez réessayer.",
    warning: "Vous avez utilisé {percent} % de votre limite.",
    warningDay: "Vous avez utilisé {percent} % de votre limite quotidienne.",
    warningWeek: "Vous avez utilisé {percent} % de votre limite hebdomadaire.",
    warningMonth: "Vous avez utilisé {percent} % de votre limite mensuelle.",
    upgrade: "Changer d’offre",
  },
  pt: {
    queued: "⏳ Você é o número {position} na fila.",
    next: "⏳ Você é o próximo.",
    eta: "Cerca de {wait}.",
    busy: "Há pedidos demais na fila. Tente novamente em {wait}.",
    unavailable: "Isso não é possível agora. Tente novamente daqui a pouco.",
    failed: "Desculpe, algo deu errado. Tente novamente.",
    warning: "Você usou {percent}% do seu limite.",
    warningDay: "Você usou {percent}% do seu limite diário.",
    warningWeek: "Você usou {percent}% do seu limite semanal.",
    warningMonth: "Você usou {percent}% do seu limite mensal.",
    upgrade: "Melhorar o plano",
  },
  ru: {
    queued: "⏳ Ваш номер в очереди: {position}.",
    next: "⏳ Вы следующий в очереди.",
    eta: "Примерное ожидание: {wait}.",
    busy: "Слишком много запросов в очереди. Повторите попытку позже (ожидание: {wait}).",
    unavailable: "Сейчас это невозможно. Повторите попытку чуть позже.",
    failed: "Извините, что-то пошло не так. Попробуйте ещё раз.",
    warning: "Израсходовано {percent}% вашего лимита.",
    warningDay: "Израсходовано {percent}% вашего дневного лимита.",
    warningWeek: "Израсходовано {percent}% вашего недельного лимита.",
    warningMonth: "Израсходовано {percent}% вашего месячного лимита.",
    upgrade: "Сменить тариф",
  },
  tr: {
    queued: "⏳ Sıradaki yeriniz: {position}.",
    next: "⏳ Sıra sizde olmak üzere.",
    eta: "Yaklaşık {wait}.",
    busy: "Şu anda çok fazla istek bekliyor. Lütfen daha sonra tekrar deneyin (bekleme süresi: {wait}).",
    unavailable: "Bu şu anda mümkün değil. Lütfen birazdan tekrar deneyin.",
    failed: "Üzgünüz, bir şeyler ters gitti. Lütfen tekrar deneyin.",
    warning: "Limitinizin %{percent} kadarını kullandınız.",
    warningDay: "Günlük limitinizin %{percent} kadarını kullandınız.",
    warningWeek: "Haftalık limitinizin %{percent} kadarını kullandınız.",
    warningMonth: "Aylık limitinizin %{percent} kadarını kullandınız.",
    upgrade: "Planı yükselt",
  },
  ar: {
    queued: "⏳ رقمك في قائمة الانتظار: {position}.",
    next: "⏳ أنت التالي في قائمة الانتظار.",
    eta: "مدة الانتظار التقريبية: {wait}.",
    busy: "عدد الطلبات المنتظرة كبير جدًا. يُرجى المحاولة لاحقًا (مدة الانتظار: {wait}).",
    unavailable: "هذا غير ممكن حاليًا. يُرجى المحاولة بعد قليل.",
    failed: "عذرًا، حدث خطأ ما. يُرجى المحاولة مرة أخرى.",
    warning: "لقد استخدمت {percent}% من الحد المتاح لك.",
    warningDay: "لقد استخدمت {percent}% من الحد اليومي المتاح لك.",
    warningWeek: "لقد استخدمت {percent}% من الحد الأسبوعي المتاح لك.",
    warningMonth: "لقد استخدمت {percent}% من الحد الشهري المتاح لك.",
    upgrade: "ترقية الخطة",
  },
  hi: {
    queued: "⏳ कतार में आपका नंबर {position} है।",
    next: "⏳ अगली बारी आपकी है।",
    eta: "लगभग {wait}।",
    busy: "अभी बहुत सारे अनुरोध प्रतीक्षा में हैं। कृपया बाद में फिर कोशिश करें (प्रतीक्षा समय: {wait})।",
    unavailable: "यह अभी संभव नहीं है। कृपया थोड़ी देर में फिर कोशिश करें।",
    failed: "क्षमा करें, कुछ गड़बड़ हो गई। कृपया फिर कोशिश करें।",
    warning: "आपने अपनी सीमा का {percent}% इस्तेमाल कर लिया है।",
    warningDay: "आपने अपनी दैनिक सीमा का {percent}% इस्तेमाल कर लिया है।",
    warningWeek: "आपने अपनी साप्ताहिक सीमा का {percent}% इस्तेमाल कर लिया है।",
    warningMonth: "आपने अपनी मासिक सीमा का {percent}% इस्तेमाल कर लिया है।",
    upgrade: "प्लान अपग्रेड करें",
  },
  zh: {
    queued: "⏳ 您排在第 {position} 位。",
    next: "⏳ 下一个就轮到您。",
    eta: "大约需要{wait}。",
    busy: "当前排队的请求过多，请在{wait}后重试。",
    unavailable: "目前无法处理，请稍后再试。",
    failed: "抱歉，出了点问题，请重试。",
    warning: "您的额度已使用 {percent}%。",
    warningDay: "您今日的额度已使用 {percent}%。",
    warningWeek: "您本周的额度已使用 {percent}%。",
    warningMonth: "您本月的额度已使用 {percent}%。",
    upgrade: "升级套餐",
  },
  ja: {
    queued: "⏳ 現在の順番は {position} 番目です。",
    next: "⏳ 次があなたの番です。",
    eta: "待ち時間は約{wait}です。",
    busy: "現在、順番待ちが多すぎます。{wait}後にもう一度お試しください。",
    unavailable: "現在ご利用いただけません。しばらくしてからもう一度お試しください。",
    failed: "申し訳ありません。エラーが発生しました。もう一度お試しください。",
    warning: "上限の {percent}% を使用しました。",
    warningDay: "1日の上限の {percent}% を使用しました。",
    warningWeek: "1週間の上限の {percent}% を使用しました。",
    warningMonth: "1か月の上限の {percent}% を使用しました。",
    upgrade: "アップグレード",
  },
  ko: {
    queued: "⏳ 현재 대기 순서는 {position}번째입니다.",
    next: "⏳ 다음 차례입니다.",
    eta: "약 {wait} 남았습니다.",
    busy: "대기 중인 요청이 너무 많습니다. {wait} 후에 다시 시도해 주세요.",
    unavailable: "지금은 이용할 수 없습니다. 잠시 후 다시 시도해 주세요.",
    failed: "죄송합니다. 문제가 발생했습니다. 다시 시도해 주세요.",
    warning: "한도의 {percent}%를 사용했습니다.",
    warningDay: "일일 한도의 {percent}%를 사용했습니다.",
    warningWeek: "주간 한도의 {percent}%를 사용했습니다.",
    warningMonth: "월간 한도의 {percent}%를 사용했습니다.",
    upgrade: "업그레이드",
  },
};

const UNITS: [Intl.NumberFormatOptions["unit"] & string, number][] = [["day", 86_400], ["hour", 3_600], ["minute", 60], ["second", 1]];

/** The tags to look under, the most exact first: "pt-BR", "pt". */
function tags(language: string | undefined): string[] {
  const found: string[] = [];
  for (let tag = (language ?? "").replaceAll("_", "-").toLowerCase(); tag; tag = tag.includes("-") ? tag.slice(0, tag.lastIndexOf("-")) : "")
    found.push(tag);
  return found;
}

/** A duration as people say it: in one unit, rounded up. */
export function durationText(ms: number, language: string): string {
  const seconds = Math.max(1, Math.ceil(ms / 1000));
  const [unit, size] = UNITS.find(([name, size]) => seconds >= size * (name === "second" ? 1 : 1.5)) ?? UNITS[3]!;
  const amount = Math.ceil(seconds / size);
  const form: Intl.NumberFormatOptions = { style: "unit", unit, unitDisplay: "long" };
  try {
    return new Intl.NumberFormat(language, form).format(amount);
  } catch {
    return new Intl.NumberFormat("en", form).format(amount); // the tag is not one
  }
}

export class Speaker {
  readonly #own: OwnTexts;

  constructor(own: OwnTexts = {}) {
    this.#own = Object.fromEntries(Object.entries(own).map(([tag, texts]) => [tag.replaceAll("_", "-").toLowerCase(), texts]));
  }

  /** The text in the language, or in English; values are numbers, except `wait`, which is in milliseconds. */
  say(name: keyof Texts, language: string | undefined, values: { position?: number; percent?: number; waitMs?: number } = {}): string {
    const { text, tag } = this.#find(name, language);
    return text
      .replaceAll("{position}", String(values.position ?? ""))
      .replaceAll("{percent}", String(values.percent ?? ""))
      .replaceAll("{wait}", values.waitMs === undefined ? "" : durationText(values.waitMs, tag));
  }

  /** Is there a text in this language, or is it English that is said? */
  speaks(language: string): boolean {
    return tags(language).some((tag) => builtInTexts[tag] ?? this.#own[tag]);
  }

  /** Own texts come before the built-in ones, also where those are in a language nearer to the user's. */
  #find(name: keyof Texts, language: string | undefined): { text: string; tag: string } {
    const wanted = tags(language);
    const own = wanted.find((tag) => this.#own[tag]?.[name] !== undefined);
    if (own) return { text: this.#own[own]![name]!, tag: own };
    const known = wanted.find((tag) => builtInTexts[tag]) ?? "en";
    return { text: this.#own["*"]?.[name] ?? this.#own[known]?.[name] ?? builtInTexts[known]![name], tag: known };
  }
}
