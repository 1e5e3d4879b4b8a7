import { expect, it } from 'vitest';
import { ACQUIRE_REASONS, CLOSE_REASONS } from '../../src/observer.js';

it('CLOSE_REASONS and ACQUIRE_REASONS contain each reason once', () => {
  expect(new Set(CLOSE_REASONS).size).toBe(13);
  expect(CLOSE_REASONS).toHaveLength(13);
  expect(ACQUIRE_REASONS).toEqual(['new_connection', 'exhausted']);
});
