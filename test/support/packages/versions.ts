/** One version of the SDK, or no SDK. */
export interface SdkChoice {
  readonly title: string;
  /** The packages of it that npm installs. */
  readonly packages: readonly string[];
  /** The package that contains its tracer provider. */
  readonly tracePackage?: string;
}

/** The versions of the API, as npm ranges. */
export const APIS: readonly string[] = ['1.9', '1.10'];

const sdk = (range: string, tracePackage: string): SdkChoice => ({
  title: `SDK ${range}`,
  packages: [
    `@opentelemetry/sdk-metrics@${range}`,
    `@opentelemetry/context-async-hooks@${range}`,
    `${tracePackage}@${range}`,
  ],
  tracePackage,
});

/** The versions of the SDK. */
export const SDKS: readonly SdkChoice[] = [
  { title: 'no SDK', packages: [] },
  sdk('1.30', '@opentelemetry/sdk-trace-base'),
  sdk('2', '@opentelemetry/sdk-trace-base'),
  // Version 3 moved the class here from sdk-trace-base, which has no version 3.
  sdk('3', '@opentelemetry/sdk-trace'),
];

/** The versions of Node. */
export const NODES: readonly string[] = ['20', '22', '24', '26'];
