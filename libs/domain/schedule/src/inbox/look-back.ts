import { CLOCK_SKEW_MS, epochMsOf, type Instant } from '@cairn/kernel';

/**
 * Whether a wait may take an event that came before it opened. `run`: received at or after the event that started the run; a number: at most so
 * many milliseconds before the wait opened; `none`: not before it opened. Between two machines' clocks lies the tolerated skew.
 */
export function withinLookBack(
  lookBack: 'run' | 'none' | number,
  receivedAt: Instant,
  wait: { readonly openedAt: Instant; readonly startReceivedAt: Instant },
): boolean {
  const received = epochMsOf(receivedAt);
  switch (lookBack) {
    case 'run':
      return received >= epochMsOf(wait.startReceivedAt) - CLOCK_SKEW_MS;
    case 'none':
      return received >= epochMsOf(wait.openedAt);
    default:
      return received >= epochMsOf(wait.openedAt) - lookBack;
  }
}
