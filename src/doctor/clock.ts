/** From this difference on, the clock gets a warning; the server refuses tokens that are minutes away from its time. */
export const CLOCK_LIMIT_MS = 60_000;

export const CLOCK_REMEDY =
  "set this machine's clock (chrony, systemd-timesyncd): a token that is dated minutes away from the server's clock is refused";

/** `is 12 s ahead of`, `is 3 min behind`, `agrees with`: the caller appends the owner of the other clock. */
export function differenceText(aheadMs: number): string {
  const seconds = Math.round(Math.abs(aheadMs) / 1_000);
  if (seconds < 2) return 'agrees with';
  const text = seconds < 180 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
  return aheadMs > 0 ? `is ${text} ahead of` : `is ${text} behind`;
}
