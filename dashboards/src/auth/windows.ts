/** A token is needed once per connection, so many minutes have none; an hour has enough for a quantile. */
export const RARE = '1h';

/** The reason, for panel descriptions. */
export const WHY_AN_HOUR =
  'Each point covers the preceding hour, because these events are rare: at most one per new connection.';
