import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { randomBytes, webcrypto } from 'node:crypto';

/** The names in a certificate, and its validity. */
export interface CertificateRequest {
  /** Subject's common name; default `local-rds`. */
  readonly commonName?: string;
  /** DNS names of the subjectAltName extension; default none. */
  readonly dnsNames?: readonly string[];
  /** IPv4 and IPv6 addresses of the subjectAltName extension; default none. */
  readonly ipAddresses?: readonly string[];
  /** Start of validity; default a day ago, to tolerate clock skew. */
  readonly notBefore?: Date;
  /** End of validity; default a year from now. */
  readonly notAfter?: Date;
}

/** A certificate and its private key (PKCS #8), both PEM. */
export interface IssuedCertificate {
  readonly certPem: string;
  readonly keyPem: string;
}

/** A certificate authority that exists only in this process. */
export interface CertificateAuthority {
  /** The root certificate, PEM. */
  readonly certPem: string;
  /** Issues a server certificate. */
  issue(request?: CertificateRequest): Promise<IssuedCertificate>;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY_MS = 86_400_000;

/**
 * Creates a root with an ECDSA P-256 key; the default common name is unique, so that two roots are never mistaken for
 * each other.
 */
export async function createCa(
  options: Pick<CertificateRequest, 'commonName' | 'notBefore' | 'notAfter'> = {},
): Promise<CertificateAuthority> {
  const { subtle } = webcrypto;
  const newKeys = () => subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const { KeyUsageFlags } = x509;
  const keys = await newKeys();
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: distinguishedName(options.commonName ?? `local-rds CA ${randomBytes(4).toString('hex')}`),
    ...validity(options, 3650),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return {
    certPem: pem(root),
    async issue(request = {}) {
      const leafKeys = await newKeys();
      const names = [
        ...(request.dnsNames ?? []).map((value) => ({ type: 'dns' as const, value })),
        ...(request.ipAddresses ?? []).map((value) => ({ type: 'ip' as const, value })),
      ];
      const leaf = await x509.X509CertificateGenerator.create({
        serialNumber: serial(),
        subject: distinguishedName(request.commonName ?? 'local-rds'),
        issuer: root.subjectName,
        ...validity(request, 365),
        signingAlgorithm: ALGORITHM,
        publicKey: leafKeys.publicKey,
        signingKey: keys.privateKey,
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
          new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
          await x509.SubjectKeyIdentifierExtension.create(leafKeys.publicKey),
          await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey),
          ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
        ],
      });
      const key = Buffer.from(await subtle.exportKey('pkcs8', leafKeys.privateKey));
      return {
        certPem: pem(leaf),
        keyPem: `${x509.PemConverter.encode(key, x509.PemConverter.PrivateKeyTag)}\n`,
      };
    },
  };
}

function pem(certificate: x509.X509Certificate): string {
  return `${certificate.toString('pem')}\n`;
}

function validity(request: Pick<CertificateRequest, 'notBefore' | 'notAfter'>, days: number) {
  return {
    notBefore: request.notBefore ?? new Date(Date.now() - DAY_MS),
    notAfter: request.notAfter ?? new Date(Date.now() + days * DAY_MS),
  };
}

// A typed value, so that no character of the name is parsed as syntax.
function distinguishedName(commonName: string): x509.Name {
  return new x509.Name([{ CN: [{ utf8String: commonName }] }]);
}

// A serial number is a positive integer: the first bit must be clear, and the first byte not zero.
function serial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
}
