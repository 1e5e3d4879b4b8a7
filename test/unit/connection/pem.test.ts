import { X509Certificate } from 'node:crypto';
import { rootCertificates as nodesRoots } from 'node:tls';
import { beforeAll, describe, expect, it } from 'vitest';
import { createCa } from '../../../local-rds/certificates.js';
import { readCertificates } from '../../../src/connection/pem.js';
import { ConfigError } from '../../../src/errors.js';

let a = '';
const b = `${nodesRoots[0] ?? ''}\n`;
const KEY = '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n';
beforeAll(async () => {
  a = (await createCa()).certPem;
});

const serials = (certificates: readonly string[]): string[] =>
  certificates.map((certificate) => new X509Certificate(certificate).serialNumber);
const both = (): string[] => serials([a, b]);
const linesOf = (text: string): number => text.split('\n').length - 1;

describe('PEM certificates', () => {
  it.each<[string, () => string]>([
    ['one after the other', () => a + b],
    ['joined without a line end', () => a.trimEnd() + b],
    ['with a line end of Windows', () => (a + b).replaceAll('\n', '\r\n')],
    ['with comments between', () => `# our root\n${a}\n# subject=/CN=other\nValid until: never\n${b}# end\n`],
    ['with a comment that has no line end', () => `${a}of the other company: ${b}`],
    ['with one that is commented out', () => a + a.replace(/^/gm, '# ') + '\n' + b],
    ['with byte order marks, as files of Windows are joined', () => `\uFEFF${a}\uFEFF${b}`],
    ['with spaces round the lines', () => a.replaceAll('\n', '  \n') + b.replace(/^/gm, '    ')],
    ['with a key before them', () => KEY + a + b],
    [
      'with a request beside them',
      () => `${a}-----BEGIN CERTIFICATE REQUEST-----\nAA==\n-----END CERTIFICATE REQUEST-----\n${b}`,
    ],
  ])('are all read %s', (_title, text) => {
    const certificates = readCertificates(text(), 'roots.pem');
    expect(serials(certificates)).toEqual(both());
    // OpenSSL recognises each of these texts by itself.
    for (const one of certificates)
      expect(one).toMatch(/^-----BEGIN CERTIFICATE-----\n[^]*\n-----END CERTIFICATE-----\n$/);
  });

  it('may occur twice', () => {
    expect(serials(readCertificates(a + b + a, 'roots.pem'))).toHaveLength(3);
  });

  it('may have the format of openssl x509 -trustout', () => {
    const trusted = a.replaceAll('CERTIFICATE', 'TRUSTED CERTIFICATE');
    expect(serials(readCertificates(trusted + b, 'roots.pem'))).toEqual(both());
  });

  const lines = (text: string, from: number, to?: number): string =>
    `${text.split('\n').slice(from, to).join('\n')}\n`;
  it.each<[string, () => string, () => string]>([
    [
      'one that is cut off at the end',
      () => a + lines(b, 0, 5),
      () => `certificate 2 has no end (line ${linesOf(a) + 1})`,
    ],
    [
      'one that is cut off before another',
      () => lines(b, 0, 5) + a,
      () => 'certificate 1 has no end (line 1)',
    ],
    [
      'one whose beginning is missing',
      () => lines(b, 5) + a,
      () => `a certificate ends that has no beginning (line ${linesOf(lines(b, 5)) - 1})`,
    ],
    [
      'one that lacks a line',
      () => a + b.split('\n').toSpliced(3, 1).join('\n'),
      () => `certificate 2 cannot be parsed: `,
    ],
    ['one with another letter', () => b.replace(/\n./, '\n*') + a, () => 'certificate 1 cannot be parsed: '],
    [
      'one whose first line is damaged',
      () => a + b.replace('-----BEGIN', '----BEGIN'),
      () => `a line that begins or ends a certificate is damaged (line ${linesOf(a) + 1})`,
    ],
    [
      'one whose last line is damaged',
      () => a + b.replace('END CERTIFICATE-----', 'END CERTIFICATE--'),
      () => `certificate 2 has no end (line ${linesOf(a) + 1})`,
    ],
    [
      'one below a comment without a line end',
      () => `${a}# the other${b}`,
      () => 'a certificate ends that has no beginning',
    ],
    ['an empty file', () => '', () => 'holds no PEM certificate: it is empty'],
    ['a byte order mark alone', () => '\uFEFF\n', () => 'holds no PEM certificate: it is empty'],
    ['a key', () => KEY, () => 'holds no PEM certificate: it holds a PRIVATE KEY'],
    ['DER', () => new X509Certificate(a).raw.toString(), () => 'holds no PEM certificate: it looks like DER'],
    ['UTF-16', () => Buffer.from(a, 'utf16le').toString(), () => 'holds no PEM certificate: it is not UTF-8'],
    ['a page that says no', () => '<html>404</html>', () => 'holds no PEM certificate'],
  ])('are refused with the line: %s', (_title, text, message) => {
    const read = (): unknown => readCertificates(text(), 'roots.pem');
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(`roots.pem: ${message()}`);
  });

  it('are counted within each item of a list', () => {
    expect(() => readCertificates(lines(b, 0, 5), 'ssl.ca', 2)).toThrow(
      'ssl.ca: certificate 1 has no end (line 1 of item 2)',
    );
    expect(() => readCertificates('x', 'ssl.ca', 2)).toThrow('ssl.ca: holds no PEM certificate (item 2)');
  });
});
