// Numbers, days and names, as people read them.

const number = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const day = new Intl.DateTimeFormat("en", { dateStyle: "medium" });
const moment = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });

export const count = (value: number | null | undefined) => (value == null ? "–" : number.format(value));
export const percent = (value: number | null | undefined) => (value == null ? "–" : `${Math.round(value * 100)} %`);

/** Health is 0 to 1; people are shown 0 to 100. */
export const points = (value: number | null | undefined) => (value == null ? "–" : String(Math.round(value * 100)));

export function change(value: number | null | undefined): string {
  const moved = Math.round((value ?? 0) * 100);
  return moved === 0 ? "" : moved > 0 ? `▲ ${moved}` : `▼ ${-moved}`;
}

export function money(value: number | null | undefined, currency: string | null | undefined): string {
  if (value == null) return "–";
  return currency == null ? number.format(value) : `${number.format(value)} ${currency}`;
}

/** A year's revenue of a month's. */
export const yearly = (mrr: number | null | undefined) => (mrr == null ? null : mrr * 12);

/** A day of its own has no time zone: it is the same day everywhere. */
export const date = (value: string | null | undefined) => (value == null ? "–" : day.format(new Date(`${value}T12:00`)));
export const time = (value: string | null | undefined) => (value == null ? "–" : moment.format(new Date(value)));

/** IN_PROGRESS -> in progress */
export const name = (value: string) => value.toLowerCase().replaceAll("_", " ");
