import { parseRfc3339, type EpochMs } from '@cairn/kernel';

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const IMF = /^[a-z]{3,9}, (\d{1,2})[ -]([a-z]{3})[ -](\d{2}|\d{4}) (\d{2}:\d{2}:\d{2}) (?:gmt|utc)$/i;
const ASCTIME = /^[a-z]{3} ([a-z]{3}) {1,2}(\d{1,2}) (\d{2}:\d{2}:\d{2}) (\d{4})$/i;
/** Two digits of a year mean the past century from here on (RFC 9110 §5.6.7 asks for a sliding window; ours need not slide so far). */
const CENTURY_FROM = 70;

/** The three forms of an HTTP date (RFC 9110 §5.6.7); the week day is not checked. */
export function parseHttpDate(text: string): EpochMs | undefined {
  const imf = IMF.exec(text.trim());
  if (imf !== null) return civil(imf[3] ?? '', imf[2] ?? '', imf[1] ?? '', imf[4] ?? '');
  const asctime = ASCTIME.exec(text.trim());
  return asctime === null ? undefined : civil(asctime[4] ?? '', asctime[1] ?? '', asctime[2] ?? '', asctime[3] ?? '');
}

function civil(year: string, month: string, day: string, time: string): EpochMs | undefined {
  const number = MONTHS.indexOf(month.toLowerCase()) + 1;
  const full = year.length === 4 ? year : `${Number(year) >= CENTURY_FROM ? 19 : 20}${year}`;
  return parseRfc3339(`${full}-${String(number).padStart(2, '0')}-${day.padStart(2, '0')}T${time}Z`);
}
