/** One version of the SDK, or none. */
export interface SdkChoice {
  readonly title: string;
  /** What npm installs of it. */
  readonly packages: readonly string[];
  /** The package that has its tracer provider. */
  readonly tracePackage?: string;
}

/** The versions of the API, as npm understands them. */
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
  // Where the class is that was in sdk-trace-base, which has no version 3.
  sdk('3', '@opentelemetry/sdk-trace'),
];

/** The versions of Node. */
export const NODES: readonly string[] = ['20', '22', '24', '26'];
