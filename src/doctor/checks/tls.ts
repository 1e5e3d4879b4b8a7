import { DEFAULT_MAX_VERSION, DEFAULT_MIN_VERSION, type DetailedPeerCertificate } from 'node:tls';
import { additional, adviceOn, aside } from '../../auth/doctor.js';
import { failed, ok, warning, type Facts, type Outcome } from '../report.js';
import type { Session } from '../session.js';
import { NoTlsError, shakeHands, type Handshake } from '../tls-handshake.js';

const SOON_DAYS = 30;
const DAY_MS = 86_400_000;

const EXPIRED = 'CERT_HAS_EXPIRED';
const NOT_YET_VALID = 'CERT_NOT_YET_VALID';
const WRONG_NAME = 'ERR_TLS_CERT_ALTNAME_INVALID';
const UNKNOWN_CA: readonly string[] = [
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
];

/** OpenSSL's codes, whichever side refuses. */
const NO_COMMON_VERSION = /^ERR_SSL_\w*(PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW)/;

/** Performs a TLS handshake with the options of a connection, and judges it by the mode. */
export async function checkTls(session: Session, signal: AbortSignal): Promise<Outcome> {
  const plan = session.get('tls');
  const { host, port } = session.get('config');
  const options = plan.finish(plan.target(), host);
  if (options === false) {
    return warning(
      'tls_disabled',
      'sslMode is disable: nothing is encrypted',
      'outside of one machine use --ssl-mode verify-full',
    );
  }
  try {
    const address = session.get('address');
    const handshake = await shakeHands({ address, host, port }, options, signal);
    const verified = options.rejectUnauthorized !== false;
    const facts = factsOf(handshake, verified, session.get('rootsSource'));
    if (!verified) return notVerified(handshake, facts);
    if (handshake.problem !== undefined) return distrusted(handshake.problem, handshake, session, facts);
    return trusted(handshake, session, facts);
  } catch (error) {
    return noHandshake(error, session, signal);
  }
}

function trusted(handshake: Handshake, session: Session, facts: Facts): Outcome {
  const { protocol, cipher, chain } = handshake;
  const days = daysLeft(chain);
  const root = clean(session, nameOf(chain.at(-1)));
  const found = `${protocol}, ${cipher}, verified by ${root} (${session.get('rootsSource')}), expires in ${days} days`;
  if (days >= SOON_DAYS) return ok(found, { facts });
  return warning(
    'tls_expires_soon',
    found,
    `renew the server's certificate before then${aside('renewal')}`,
    facts,
  );
}

function notVerified({ protocol, cipher }: Handshake, facts: Facts): Outcome {
  return warning(
    'tls_not_verified',
    `${protocol}, ${cipher}, but the server is not verified: sslMode is require`,
    `anybody in between could pose as the server: --ssl-mode verify-full --ca FILE${aside('roots')}`,
    facts,
  );
}

function distrusted(problem: string, handshake: Handshake, session: Session, facts: Facts): Outcome {
  const { chain } = handshake;
  const { host } = session.endpoint;
  const [leaf] = chain;
  if (problem === WRONG_NAME) {
    const names = clean(session, leaf?.subjectaltname ?? `CN ${nameOf(leaf)}`);
    return failed(
      'tls_wrong_name',
      `the certificate is for another name than ${host}: ${names}`,
      `dial a name the certificate holds${aside('certificateName')}, give the database's own name with --sign-host (in the options: ssl.servername); verify-ca does not check the name`,
      facts,
    );
  }
  if (problem === EXPIRED) {
    const expired = chain.find((certificate) => Date.parse(certificate.valid_to) < Date.now()) ?? leaf;
    return failed(
      'tls_expired',
      `the certificate of ${clean(session, nameOf(expired))} expired on ${expired?.valid_to ?? 'an unknown day'}`,
      `renew the server's certificate${aside('renewal')}; if that date is to come, this machine's clock is wrong`,
      facts,
    );
  }
  if (problem === NOT_YET_VALID) {
    return failed(
      'tls_not_yet_valid',
      `the certificate of ${clean(session, nameOf(leaf))} is not valid before ${leaf?.valid_from ?? 'an unknown day'}`,
      "check this machine's clock",
      facts,
    );
  }
  if (UNKNOWN_CA.includes(problem)) {
    const issuer = clean(session, nameOf(chain.at(-1), 'issuer'));
    return failed(
      'tls_unknown_ca',
      `${problem}: issued by ${issuer}, which is not among the roots in use (${session.get('rootsSource')})`,
      `give the roots of the server's authority with --ca FILE or PGSSLROOTCERT${downloads()}`,
      facts,
    );
  }
  return failed('tls_rejected', `the certificate was refused: ${problem}`, REPLACE, facts);
}

function downloads(): string {
  return adviceOn('roots')
    .map(({ service, text }) => `. For ${service} download ${text}`)
    .join('');
}

const REPLACE = "look at the server's certificate and the TLS versions that both sides speak";

function noHandshake(error: unknown, session: Session, signal: AbortSignal): Outcome {
  if (signal.aborted) {
    return failed(
      'no_answer',
      'the connection is accepted, and then nothing answers',
      'look at what stands before the server (proxy, load balancer, port forward), and whether the server hangs',
    );
  }
  if (!(error instanceof NoTlsError)) {
    const said = session.text.ofError(error);
    if (!NO_COMMON_VERSION.test(said)) return failed('tls_rejected', said, REPLACE);
    return failed(
      'tls_version',
      said,
      `this Node speaks ${DEFAULT_MIN_VERSION} to ${DEFAULT_MAX_VERSION}: let the server speak one of these (ssl_max_protocol_version; an old server needs an update)`,
    );
  }
  if (error.answer === 'no') {
    return failed(
      'tls_not_offered',
      'the server has no SSL/TLS',
      `switch it on at the server (ssl = on); only where the network is trusted: --ssl-mode disable, which ${additional('tokens').join(' and ')} do not allow`,
    );
  }
  if (error.answer === 'error') {
    // The error's text is not quoted, because it came unencrypted and anyone may have sent it.
    return failed(
      'server_unavailable',
      'the server answers the request for TLS with an error',
      "it may be out of memory or processes: look at the server's log, and try again",
    );
  }
  if (error.answer === 'closed') {
    return failed(
      'no_answer',
      'the server closed the connection before TLS',
      'the server may be starting, full, or behind a proxy that has no server to forward to: try again, then look there',
    );
  }
  return failed(
    'not_postgres',
    "the answer is not PostgreSQL's",
    'another service listens on that port: check --host and --port',
  );
}

function factsOf({ protocol, cipher, chain, problem }: Handshake, verified: boolean, roots: string): Facts {
  return {
    protocol,
    cipher,
    verified: verified && problem === undefined,
    ...(problem !== undefined && { problem }),
    names: chain[0]?.subjectaltname,
    expires_at: new Date(chain[0]?.valid_to ?? NaN).toJSON(),
    expires_in_days: daysLeft(chain),
    chain: chain.map((certificate) => ({
      subject: nameOf(certificate),
      issuer: nameOf(certificate, 'issuer'),
      expires_at: new Date(certificate.valid_to).toJSON(),
    })),
    ...(problem === undefined && { root: nameOf(chain.at(-1)) }),
    roots_from: roots,
  };
}

/** Days until the first certificate of the chain expires. */
function daysLeft(chain: readonly DetailedPeerCertificate[]): number {
  const ends = chain.map((certificate) => Date.parse(certificate.valid_to));
  return Math.floor((Math.min(...ends) - Date.now()) / DAY_MS);
}

function nameOf(
  certificate: DetailedPeerCertificate | undefined,
  of: 'subject' | 'issuer' = 'subject',
): string {
  // A repeated part of a name is a list.
  const { CN, O } = (certificate?.[of] ?? {}) as { CN?: string | string[]; O?: string | string[] };
  return [CN ?? O ?? 'an unnamed authority'].flat().join(', ');
}

function clean(session: Session, text: string): string {
  return session.text.clean(text);
}
