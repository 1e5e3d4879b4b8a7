/** The modes of `sslMode`, weakest first. */
export const SSL_MODES = ['disable', 'require', 'verify-ca', 'verify-full'] as const;

/**
 * How a connection is encrypted and the server verified, in libpq's terms: not at all; encrypted; with a certificate
 * from a known authority; also for the dialled host. With a root certificate, `require` means `verify-ca`.
 * @useDeclaredType
 */
export type SslMode = (typeof SSL_MODES)[number];

/** The mode when `sslMode` is unset: encrypted, the server not verified. */
export const DEFAULT_SSL_MODE = 'require' satisfies SslMode;

/** The possible lowest TLS versions. */
export const TLS_MIN_VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;

/** A possible lowest TLS version. */
export type TlsMinVersion = (typeof TLS_MIN_VERSIONS)[number];

/** The possible ways to begin TLS. */
export const TLS_NEGOTIATIONS = ['postgres', 'direct'] as const;

/** A way to begin TLS: after a request that every server understands, or at once. */
export type TlsNegotiation = (typeof TLS_NEGOTIATIONS)[number];

/** The lowest TLS version when `ssl.minVersion` is unset. */
export const DEFAULT_TLS_MIN_VERSION = 'TLSv1.2' satisfies TlsMinVersion;
