/** Vendors that stood on the sanctions list of a day. A vendor may be added the day after it was screened. */
const lists: Readonly<Record<string, readonly string[]>> = {
  '2026-11-01': ['V-0007'],
  '2026-11-22': ['V-0007', 'V-1042'],
};

/** Whether a vendor stands on the list of that day; `undefined` if there is no list of that day. */
export function isListed(vendor: string, day: string): boolean | undefined {
  return Object.hasOwn(lists, day) ? lists[day]?.includes(vendor) : undefined;
}
