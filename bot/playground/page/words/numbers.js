// The language of the page, and how it writes numbers.

// The languages in which the bot speaks Russian.
const RUSSIAN = /^(ru|be|uk|kk)\b/i;

/** The language of the page, and of the person who uses it. */
export const language = RUSSIAN.test(localStorage.getItem("language") ?? navigator.language) ? "ru" : "en";

/** @param {number} value */
export const whole = (value) => value.toLocaleString(language);

/** Writes a duration in the units of a language. @param {number} value in seconds @param {string} ms @param {string} s */
export function duration(value, ms, s) {
  if (value < 0.9995) return `${whole(Math.round(value * 1000))} ${ms}`;
  return `${value.toLocaleString(language, { minimumFractionDigits: 2, maximumFractionDigits: 2 })} ${s}`;
}

/** Chooses the form of a word that goes with a number. @param {number} count @param {Record<string, string>} forms */
export function plural(count, forms) {
  const form = forms[new Intl.PluralRules(language).select(count)] ?? forms.other;
  return `${count.toLocaleString(language)} ${form}`;
}
