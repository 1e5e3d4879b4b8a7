/** The modes of `sslMode`, weakest first. */
export const SSL_MODES = ['disable', 'require', 'verify-ca', 'verify-full'] as const;

/**
 * How a connection is encrypted and the server verified, as libpq means it: not at all; encrypted; also issued by a known
 * authority; also for the host that is dialled. With a root certificate `require` is `verify-ca`.
 * @useDeclaredType
 */
export type SslMode = (typeof SSL_MODES)[number];

/** The mode when `sslMode` is unset: encrypted, the server not verified. */
export const DEFAULT_SSL_MODE = 'require' satisfies SslMode;

/** The TLS versions that may be asked for as the lowest. */
export const TLS_MIN_VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;

/** A TLS version that may be asked for as the lowest. */
export type TlsMinVersion = (typeof TLS_MIN_VERSIONS)[number];

/** The ways to begin TLS that may be asked for. */
export const TLS_NEGOTIATIONS = ['postgres', 'direct'] as const;

/** A way to begin TLS: after a question that every server understands, or at once. */
export type TlsNegotiation = (typeof TLS_NEGOTIATIONS)[number];

/** The lowest TLS version that is spoken when `ssl.minVersion` is unset. */
export const DEFAULT_TLS_MIN_VERSION = 'TLSv1.2' satisfies TlsMinVersion;
