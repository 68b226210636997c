/**
 * Estimates how many tokens a text has, without a tokenizer's tables: within 25% of o200k for prose, code and JSON. The rule is written
 * down in docs/clients-llm.md; its numbers are client/estimate/rule.json, which the other languages' clients read too.
 */
import { RULE } from "../gen/rule.js";

/** The numbers of the rule, in thousandths of a token. */
export interface Rule {
  words: Record<string, { covers: number; more: number; ranges: number[][] }>;
  characters: Record<string, { each: number; ranges: number[][] }>;
  digits: { group: number };
  spaces: { lines: number; several: number; before_digit: number };
  marks: { first: number; more: number; before_letter: number };
  runs: { length: number; changes_per_10: number; each: number };
}

/** What a character is. The ranges of a rule, in the order of their first characters, say which class it is in. */
type Class = { start: number; end: number; name: string; word: boolean; each: number };

/** The classes of Latin letters: a word is of the last one that one of its letters is in. */
const LATIN = ["latin", "accented", "vietnamese"];
const SPACE = 1, DIGIT = 2, MARK = 3, LETTER = 4;

/** Estimates by one rule. The package's functions use the shipped one. */
export class Estimator {
  readonly #rule: Rule;
  readonly #classes: Class[];

  constructor(rule: Rule) {
    this.#rule = rule;
    const words = Object.entries(rule.words).flatMap(([name, { ranges }]) => ranges.map(([start, end]) => ({ start, end, name, word: true, each: 0 })));
    const characters = Object.entries(rule.characters).flatMap(([name, { ranges, each }]) => ranges.map(([start, end]) => ({ start, end, name, word: false, each })));
    this.#classes = ([...words, ...characters] as Class[]).sort((a, b) => a.start - b.start);
  }

  /** Estimated tokens of `text`. */
  tokens(text: string): number {
    return Math.ceil(new Reading(this.#rule, this, text).cost() / 1000);
  }

  /** The class of a code point; undefined for digits, spaces and marks. */
  classOf(point: number): Class | undefined {
    let low = 0, high = this.#classes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#classes[middle]!.end < point) low = middle + 1;
      else high = middle;
    }
    const found = this.#classes[low];
    return found && found.start <= point ? found : undefined;
  }
}

function isSpace(point: number): boolean {
  return (point >= 9 && point <= 13) || point === 32 || point === 0x85 || point === 0xa0 || (point >= 0x2000 && point <= 0x200a) ||
    point === 0x2028 || point === 0x2029 || point === 0x3000;
}

const isNewline = (point: number): boolean => point === 10 || point === 13;
const isDigit = (point: number | undefined): boolean => point !== undefined && point >= 48 && point <= 57;
const isUpper = (point: number): boolean => point >= 65 && point <= 90;
const isLower = (point: number): boolean => point >= 97 && point <= 122;

/** One reading of a text, from its first code point to its last. */
class Reading {
  readonly #rule: Rule;
  readonly #estimator: Estimator;
  readonly #points: number[];
  #at = 0;
  #runsChecked = 0; // before this there is no unbroken run that has not been looked at
  #before = SPACE; // what the last piece was
  #lastPoint = 10;

  constructor(rule: Rule, estimator: Estimator, text: string) {
    this.#rule = rule;
    this.#estimator = estimator;
    this.#points = Array.from(text, (char) => char.codePointAt(0)!);
  }

  cost(): number {
    let cost = 0;
    while (this.#at < this.#points.length) {
      cost += this.#piece(this.#points[this.#at]!);
      this.#lastPoint = this.#points[this.#at - 1]!;
    }
    return cost;
  }

  #piece(point: number): number {
    if (isSpace(point)) return this.#spaces();
    const run = this.#run(point);
    if (run > 0) return run;
    if (isDigit(point)) return this.#digits();
    const found = this.#estimator.classOf(point);
    if (!found) return this.#marks();
    this.#before = LETTER;
    if (found.word) return this.#word(found.name);
    this.#at++;
    return found.each;
  }

  /** One space goes with the word that follows, but not with digits. Several are a token, and so are ends of lines, unless they follow a mark. */
  #spaces(): number {
    const begin = this.#at;
    let afterLine = begin;
    for (; this.#at < this.#points.length && isSpace(this.#points[this.#at]!); this.#at++)
      if (isNewline(this.#points[this.#at]!)) afterLine = this.#at + 1;
    const joined = this.#before === MARK && isNewline(this.#points[begin]!);
    const lines = afterLine > begin && !joined ? this.#rule.spaces.lines : 0;
    this.#before = SPACE;
    const rest = this.#at - afterLine;
    if (rest > 1) return lines + this.#rule.spaces.several;
    return lines + (rest === 1 && isDigit(this.#points[this.#at]) ? this.#rule.spaces.before_digit : 0);
  }

  /** A long unbroken run of letters and digits that often change: base64, hexadecimal, ids. 0 when there is none here. */
  #run(point: number): number {
    if (this.#at < this.#runsChecked || !(isDigit(point) || isUpper(point) || isLower(point))) return 0;
    let end = this.#at, changes = 0;
    for (; end < this.#points.length; end++) {
      const kind = runKind(this.#points[end]!);
      if (kind === 0) break;
      if (end > this.#at) changes += changed(runKind(this.#points[end - 1]!), kind);
    }
    const length = end - this.#at;
    this.#runsChecked = end;
    if (length < this.#rule.runs.length || changes * 10 < length * this.#rule.runs.changes_per_10) return 0;
    this.#at = end;
    this.#before = LETTER;
    return length * this.#rule.runs.each;
  }

  #digits(): number {
    const begin = this.#at;
    while (isDigit(this.#points[this.#at])) this.#at++;
    this.#before = DIGIT;
    return Math.ceil((this.#at - begin) / this.#rule.digits.group) * 1000;
  }

  /** A word of one script. A Latin one ends where a small letter is followed by a capital, and may have accents. */
  #word(name: string): number {
    const latin = LATIN.indexOf(name);
    const begin = this.#at;
    let kind = name;
    for (this.#at++; this.#at < this.#points.length; this.#at++) {
      const point = this.#points[this.#at]!;
      const next = this.#estimator.classOf(point)?.name;
      const more = next === undefined ? -1 : LATIN.indexOf(next);
      if (next === undefined || (latin < 0 || more < 0 ? next !== name : isUpper(point) && isLower(this.#points[this.#at - 1]!))) break;
      if (more > LATIN.indexOf(kind)) kind = next;
    }
    const { covers, more } = this.#rule.words[kind]!;
    return 1000 + Math.max(0, this.#at - begin - covers) * more;
  }

  /** Punctuation and everything else. A repeated mark counts once; a single one goes with the letters that follow it. */
  #marks(): number {
    const begin = this.#at;
    let different = 0;
    for (; this.#at < this.#points.length; this.#at++) {
      const point = this.#points[this.#at]!;
      if (isSpace(point) || isDigit(point) || this.#estimator.classOf(point)) break;
      if (this.#at === begin || point !== this.#points[this.#at - 1]) different++;
    }
    const next = this.#points[this.#at];
    const letter = next !== undefined && this.#estimator.classOf(next)?.word;
    const joined = this.#at - begin === 1 && letter && this.#lastPoint !== 32;
    this.#before = MARK;
    return joined ? this.#rule.marks.before_letter : this.#rule.marks.first + (different - 1) * this.#rule.marks.more;
  }
}

/** Of a character of a run: 1 small letter, 2 capital, 3 digit, 4 one of + / = _ -, 0 anything else. */
function runKind(point: number): number {
  if (isLower(point)) return 1;
  if (isUpper(point)) return 2;
  if (isDigit(point)) return 3;
  return point === 43 || point === 47 || point === 61 || point === 95 || point === 45 ? 4 : 0;
}

/** A capital after a small letter, or a digit beside a letter: what words seldom have. */
function changed(before: number, now: number): number {
  return (before === 1 && now === 2) || (before === 3 && now < 3) || (now === 3 && before < 3) ? 1 : 0;
}

const shipped = new Estimator(RULE as unknown as Rule);

/** Estimated tokens of `text`, by the shipped rule. Never fetches anything. */
export function estimateTokens(text: string): number {
  return shipped.tokens(text);
}
