import { X509Certificate } from 'node:crypto';
import { ConfigError } from '../errors.js';

const LABEL = '(?:X509 |TRUSTED )?CERTIFICATE';
const MARKER = new RegExp(`-----(BEGIN|END) (${LABEL})-----`, 'g');
const DAMAGED = new RegExp(
  `^(?!\\s*#).*(?:- *(?:BEGIN|END) ${LABEL}(?! [A-Z])|(?:BEGIN|END) ${LABEL} *-)`,
  'im',
);
const COMMENT = /^\s*#/;
const BYTE_ORDER_MARK = /\uFEFF/g;

/**
 * The certificates of a PEM text, each as a separate text: only certificates checked here are used. OpenSSL skips every
 * block whose first line it does not recognise, such as one that follows another without a line end, and Node skips
 * those that cannot be parsed. Throws ConfigError, naming `source`, the certificate and its line, unless the text holds
 * at least one certificate and no damaged ones. Lines that begin with `#` are comments. `item` is the number of the
 * text in a list, from 1, for the message.
 */
export function readCertificates(text: string, source: string, item?: number): string[] {
  const pem = text.replace(BYTE_ORDER_MARK, '');
  const fail = (what: string, at: number, cause?: unknown): never => {
    const line = pem.slice(0, at).split('\n').length;
    const place = `line ${line}${item === undefined ? '' : ` of item ${item}`}`;
    throw new ConfigError(`${source}: ${what} (${place})`, cause === undefined ? {} : { cause });
  };
  const certificates: string[] = [];
  let open: number | undefined;
  let rest = 0;
  const pass = (end: number): void => {
    const damaged = DAMAGED.exec(pem.slice(rest, end));
    if (damaged) fail('a line that begins or ends a certificate is damaged', rest + damaged.index);
  };
  for (const { 0: marker, 1: kind, index } of pem.matchAll(MARKER)) {
    const name = `certificate ${certificates.length + 1}`;
    const end = index + marker.length;
    if (COMMENT.test(pem.slice(pem.lastIndexOf('\n', index) + 1, index))) continue;
    if (open === undefined) pass(index);
    if (kind === 'BEGIN') {
      if (open !== undefined) fail(`${name} has no end`, open);
      open = index;
    } else if (open === undefined) fail('a certificate ends that has no beginning', index);
    else {
      const certificate = withoutSpaces(pem.slice(open, end));
      try {
        new X509Certificate(certificate);
      } catch (error) {
        fail(`${name} cannot be parsed: ${reasonOf(error)}`, open, error);
      }
      certificates.push(certificate);
      open = undefined;
    }
    rest = end;
  }
  if (open !== undefined) fail(`certificate ${certificates.length + 1} has no end`, open);
  pass(pem.length);
  if (certificates.length === 0) {
    const place = item === undefined ? '' : ` (item ${item})`;
    throw new ConfigError(`${source}: holds no PEM certificate${place}${instead(text)}`);
  }
  return certificates;
}

/** Removes the white space that editors and YAML put around the lines. */
function withoutSpaces(block: string): string {
  return `${block.replace(/[ \t]*\r?\n[ \t]*/g, '\n')}\n`;
}

/** What a text without certificates holds instead, if that can be recognised. */
function instead(text: string): string {
  if (text.trim() === '') return ': it is empty';
  // An ASN.1 sequence with a length of two bytes, as every certificate is in DER; read as UTF-8, the byte 0x82 is U+FFFD.
  if (/^0[\uFFFD\u0082]/.test(text)) return ': it looks like DER, which openssl x509 -inform der converts';
  if (text.includes('\0')) return ': it is not UTF-8';
  const label = /-----BEGIN ([A-Z0-9 ]+)-----/.exec(text)?.[1];
  return label === undefined ? '' : `: it holds a ${label}`;
}

/** The code of an error, else its message. */
export function reasonOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? (error as Error).message;
}
