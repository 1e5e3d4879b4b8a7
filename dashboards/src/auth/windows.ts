/** Tokens are asked for once per connection, so a minute often has none; an hour has enough for a quantile. */
export const RARE = '1h';

/** Why, for the descriptions. */
export const WHY_AN_HOUR =
  'Each point looks back over an hour, because these events are rare: one per new connection at most.';
