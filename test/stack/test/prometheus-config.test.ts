import { expect, test } from 'vitest';
import { localConfig } from '../servers/prometheus-config.js';
import { timeScale } from '../time/scale.js';

const ADDRESSES = { 'collector:8889': '127.0.0.1:1', 'collector:8888': '127.0.0.1:2' };

test('the Prometheus configuration of the stack is the shipped one with local addresses and shorter intervals', async () => {
  const { global, rule_files, scrape_configs } = await localConfig('rules.yml', ADDRESSES, timeScale(30));
  expect(global).toEqual({ scrape_interval: '500ms', scrape_timeout: '500ms', evaluation_interval: '500ms' });
  expect(rule_files).toEqual(['rules.yml']);
  expect(scrape_configs).toEqual([
    { job_name: 'collector', honor_labels: true, static_configs: [{ targets: ['127.0.0.1:1'] }] },
    { job_name: 'collector-self', static_configs: [{ targets: ['127.0.0.1:2'] }] },
  ]);
});

test('the Prometheus configuration of the stack scrapes as often as applications export', async () => {
  const scale = timeScale(1);
  const { global } = await localConfig('rules.yml', ADDRESSES, scale);
  expect(global.scrape_interval).toBe(`${scale.intervalMs}ms`);
});

test('the Prometheus configuration of the stack is refused when it scrapes a target that is not started', async () => {
  await expect(localConfig('rules.yml', { 'collector:8889': '127.0.0.1:1' }, timeScale(1))).rejects.toThrow(
    'scrapes collector:8888, which is not started',
  );
});
