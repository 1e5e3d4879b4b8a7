// The import rules of ARCHITECTURE.md: which folder may import which.
const LEAVES = ['hooks', 'errors', 'observer', 'foreign-error', 'deadline', 'process-state', 'throw-later'];
// The command line tool and its parts in the backends.
const TOOL = ['^src/(cli|doctor|watch)/', '^src/auth/doctor', '^src/auth/[^/]+/doctor/'];
const only = (name, from, allowed, fromNot) => ({
  name,
  severity: 'error',
  from: { path: from, ...(fromNot && { pathNot: fromNot }) },
  to: { path: '^src', pathNot: `^src/(${allowed.join('|')})` },
});
const folder = (name, ...others) =>
  only(`imports-of-${name}`, `^src/${name}/`, [`${name}/`, ...others, ...LEAVES], TOOL);

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    only(
      'leaves-import-nothing',
      '^src/(hooks|errors|foreign-error|deadline|process-state|throw-later|pool/stat|settings/environment)\\.ts$',
      ['$'],
    ),
    only('observer-sees-hooks', '^src/observer\\.ts$', ['hooks']),
    only('names-see-the-version', '^src/telemetry/names\\.ts$', ['process-state', 'telemetry/attributes']),
    only('attributes-import-nothing', '^src/telemetry/attributes\\.ts$', ['$']),
    folder('engine'),
    folder('settings', 'auth/backends'),
    folder('auth', 'settings/', 'issued-login'),
    folder('connection', 'engine/', 'settings/', 'issued-login'),
    folder('queries', 'connection/', 'sql/'),
    folder('pool', 'sql/', 'queries/', 'connection/', 'engine/', 'settings/'),
    folder('pg-config', 'connection/', 'settings/'),
    folder('telemetry', 'sql/', 'pool/stat', 'settings/environment'),
    {
      name: 'engine-is-generic',
      severity: 'error',
      from: { path: '^src/engine/' },
      to: { pathNot: '^src/engine/' },
    },
    {
      name: 'sql-imports-nothing',
      severity: 'error',
      from: { path: '^src/sql/' },
      to: { pathNot: '^src/sql/' },
    },
    {
      name: 'backends-see-checks',
      severity: 'error',
      from: { path: '^src/auth/', pathNot: ['^src/auth/index', ...TOOL] },
      to: { path: '^src/settings/', pathNot: '^src/settings/checks' },
    },
    {
      name: 'the-library-imports-no-tool',
      severity: 'error',
      from: { path: '^src/', pathNot: TOOL },
      to: { path: TOOL },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    // Separate packages, whose imports need their own install.
    exclude: { path: '^examples/(ecosystem|service)' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node'] },
  },
};
