/** From here on a clock's difference is worth a word; the server refuses tokens that are minutes away from its time. */
export const CLOCK_LIMIT_MS = 60_000;

export const CLOCK_REMEDY =
  "set this machine's clock (chrony, systemd-timesyncd): a token that is dated minutes away from the server's clock is refused";

/** `is 12 s ahead of`, `is 3 min behind`, `agrees with`: to be followed by whose clock it is compared to. */
export function differenceText(aheadMs: number): string {
  const seconds = Math.round(Math.abs(aheadMs) / 1_000);
  if (seconds < 2) return 'agrees with';
  const text = seconds < 180 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
  return aheadMs > 0 ? `is ${text} ahead of` : `is ${text} behind`;
}
