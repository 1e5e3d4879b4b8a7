import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Connect, Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

// Grafana's components request their icons from the path on a Grafana server.
const serveIconsWhereGrafanaDoes: Connect.NextHandleFunction = (request, _response, next) => {
  request.url = request.url?.replace('/public/build/img/', '/img/');
  next();
};

const grafanaIcons: Plugin = {
  name: 'grafana-icons',
  configurePreviewServer: (server) => void server.middlewares.use(serveIconsWhereGrafanaDoes),
};

export default defineConfig({
  root: fileURLToPath(new URL('page', import.meta.url)),
  publicDir: fileURLToPath(new URL('node_modules/@grafana/ui/dist/public', import.meta.url)),
  build: {
    outDir: fileURLToPath(new URL('dist', import.meta.url)),
    emptyOutDir: true,
    chunkSizeWarningLimit: 20_000,
  },
  plugins: [grafanaIcons],
  test: {
    root: fileURLToPath(new URL('.', import.meta.url)),
    include: ['test/**/*.test.ts'],
    // The package's ES modules are for bundlers only; Node cannot import them.
    alias: { '@grafana/data': createRequire(import.meta.url).resolve('@grafana/data') },
  },
});
