// The arrows of ARCHITECTURE.md: which folder may import which.
const only = (name, from, allowed) => ({
  name,
  severity: 'error',
  from: { path: from },
  to: { path: '^src', pathNot: allowed },
});

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    only('leaves-import-nothing', '^src/(hooks|errors|telemetry/names|pool/stat)\\.ts$', '^$'),
    only('telemetry-sees-seams-only', '^src/telemetry/', '^src/(telemetry/|hooks|errors|pool/stat)'),
    only('pool-sees-seams-only', '^src/pool/', '^src/(pool/|hooks|errors)'),
    only('auth-sees-config-and-seams', '^src/auth/', '^src/(auth/|config|hooks|errors)'),
    only(
      'helpers-see-config-and-seams',
      '^src/(tls|pgpass|connection-string)\\.ts$',
      '^src/(config|hooks|errors)',
    ),
    {
      name: 'nothing-imports-doctor',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/doctor/' },
      to: { path: '^src/doctor/' },
    },
    {
      name: 'engine-is-generic',
      severity: 'error',
      from: { path: '^src/pool/resource-pool' },
      to: { path: ['node_modules', '^src/(hooks|errors)', '^src/pool/(dial|pool|driver)'] },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    // Packages of their own, whose imports their own install resolves.
    exclude: { path: '^examples/ecosystem' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node'] },
  },
};
