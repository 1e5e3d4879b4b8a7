import { format, resolveConfig } from 'prettier';
import { stringify } from 'yaml';
import { SCOPE, SEMCONV_VERSION } from '../../src/telemetry/names.js';
import { attributeGroup, metricGroups, spanGroups } from './groups.js';

/** The folder of the registry. */
export const REGISTRY_FOLDER = new URL('../../docs/registry/', import.meta.url);

const WRITTEN = 'Generated from src/telemetry/names.ts by `npm run docs:registry`: do not edit.';
const CONVENTIONS = 'https://github.com/open-telemetry/semantic-conventions';

/** The registry of pgauge's telemetry, in the format of OpenTelemetry's semantic conventions, by file name. */
export async function registryFiles(): Promise<Readonly<Record<string, string>>> {
  const files = {
    'manifest.yaml': {
      name: SCOPE.name,
      description: 'What pgauge emits.',
      schema_url: `https://pgauge.invalid/schemas/${SCOPE.version}`,
      dependencies: [
        {
          schema_url: `https://opentelemetry.io/schemas/${SEMCONV_VERSION}`,
          registry_path: `${CONVENTIONS}/archive/refs/tags/v${SEMCONV_VERSION}.zip[model]`,
        },
      ],
    },
    'attributes.yaml': { groups: [attributeGroup()] },
    'metrics.yaml': { groups: metricGroups() },
    'spans.yaml': { groups: spanGroups() },
  };
  const options = { ...(await resolveConfig(REGISTRY_FOLDER)), parser: 'yaml' };
  const texts = Object.entries(files).map(
    async ([name, content]) => [name, await format(`# ${WRITTEN}\n${stringify(content)}`, options)] as const,
  );
  return Object.fromEntries(await Promise.all(texts));
}
