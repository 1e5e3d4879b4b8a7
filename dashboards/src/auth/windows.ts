/** Tokens are asked for once per connection, so a minute often has none; an hour has enough for a quantile. */
export const RARE = '1h';

/** Why, for the descriptions. */
export const WHY_AN_HOUR =
  'Each point covers the preceding hour, because these events are rare: at most one per new connection.';
