// The certificates of the platform as files: `<first domain>/{fullchain,privkey}.pem` below one directory.
//
// A domain comes from the platform and becomes the name of a directory, so it must be one path segment and nothing else.
// `*.example.com` becomes `_.example.com`: `*` would be a pattern in a shell and in many a config.
import { StartError, exitStatus } from '../errors.ts';
import { display } from './debug-text.ts';
import type { TreeEntry } from './directory-tree.ts';
import type { Ownership } from './ownership.ts';
import { SecretBytes } from './secret.ts';
import type { Certificate, CertificateSummary } from './snapshot.ts';
import type { Warning } from './warning.ts';

/** One that gets files. */
export type ChosenCertificate = {
  readonly id: string;
  readonly domains: readonly string[];
  /** The first domain as the name of a directory. */
  readonly name: string;
  /** Undefined for `debug`, which does not fetch it. */
  readonly pem: CertificatePem | undefined;
};

export type CertificatePem = Pick<Certificate, 'privateKey' | 'bundle'>;

export type ChosenCertificates = {
  /** By name. */
  readonly certificates: readonly ChosenCertificate[];
  readonly warnings: readonly Warning[];
};

/** A step of the plan. */
export type CertificatesStep = {
  readonly kind: 'write-certificates';
  /** The directory. */
  readonly path: string;
  readonly owner: Ownership;
  readonly certificates: readonly ChosenCertificate[];
};

/**
 * Of several for one first domain that with the greatest id, as text: ids of the platform begin with the time at which
 * they were made, so it is the newest.
 *
 * @param previous - What is in use. One that the platform now serves without PEM text stays as it was.
 */
export function chooseCertificates(
  served: readonly (CertificateSummary | Certificate)[],
  previous: readonly ChosenCertificate[] = [],
): ChosenCertificates {
  const warnings: Warning[] = [];
  const byName = new Map<string, ChosenCertificate>();
  const candidates = served.flatMap((certificate) => toCandidate(certificate, warnings));

  for (const candidate of candidates.toSorted((a, b) => compare(b.id, a.id))) {
    const winner = byName.get(candidate.name);
    if (winner === undefined) {
      byName.set(candidate.name, candidate);
    } else {
      warnings.push(repeatedDomain(candidate, winner));
    }
  }

  for (const old of previous) {
    const isServed = served.some(({ domains }) => directoryName(domains[0] ?? '') === old.name);
    if (isServed && !byName.has(old.name)) {
      byName.set(old.name, old);
    }
  }

  return {
    certificates: [...byName.values()].toSorted((a, b) => compare(a.name, b.name)),
    warnings,
  };
}

/** Those without PEM text have no files. */
export function certificateTree(certificates: readonly ChosenCertificate[]): TreeEntry[] {
  return certificates.flatMap(({ name, pem }): TreeEntry[] => {
    const [fullchain, privkey] = certificatePaths(name);
    return pem === undefined
      ? []
      : [
          { kind: 'directory', path: name },
          fileOf(fullchain, SecretBytes.ofText(pem.bundle)),
          fileOf(privkey, SecretBytes.ofText(pem.privateKey.reveal())),
        ];
  });
}

function fileOf(path: string, content: SecretBytes): TreeEntry {
  return { kind: 'file', path, content, isExecutable: false };
}

/** Why a start without a platform ends here. */
export function refuseCertificates(): StartError {
  return new StartError(
    'E_CERTIFICATES_STANDALONE',
    'Cannot fetch certificates, because there is no platform: neither a socket nor a token',
    {
      exitCode: exitStatus.unavailable,
      remedy: {
        where: 'init.certificates',
        fix: 'Run on the platform or beside `warp-init emulator`, or leave out init.certificates.',
      },
    },
  );
}

/** Below the directory of the step. */
export function certificatePaths(name: string): readonly [fullchain: string, privkey: string] {
  return [`${name}/fullchain.pem`, `${name}/privkey.pem`];
}

/** Undefined where the domain is no safe name; case does not matter in domains, and must not in paths. */
export function directoryName(domain: string): string | undefined {
  const name = domain.toLowerCase().replace(/^\*(?=\.)/, '_');
  return segment.test(name) && new TextEncoder().encode(name).length <= longestName
    ? name
    : undefined;
}

/** Labels of letters, digits, `-` and `_` with a dot between two: no `..`, no `/`, no control character, no white space. */
const segment = /^[\p{L}\p{M}\p{N}_][\p{L}\p{M}\p{N}_-]*(?:\.[\p{L}\p{M}\p{N}_-]+)*$/u;

/** RFC 1035, 2.3.4; the 255 bytes of a file's name are more. */
const longestName = 253;

function toCandidate(
  certificate: CertificateSummary | Certificate,
  warnings: Warning[],
): ChosenCertificate[] {
  const { id, domains } = certificate;
  const [first = ''] = domains;
  const name = directoryName(first);
  if (name === undefined) {
    warnings.push(unsafeDomain(id, first));
    return [];
  }

  if (!('privateKey' in certificate)) {
    return [{ id, domains, name, pem: undefined }];
  }

  const { privateKey, bundle } = certificate;
  const missing = [
    isPem(bundle) ? [] : 'the bundle',
    isPem(privateKey.reveal()) ? [] : 'the private key',
  ].flat();
  if (missing.length > 0) {
    warnings.push(notPem({ id, first, missing }));
    return [];
  }

  return [{ id, domains, name, pem: { privateKey, bundle } }];
}

/** RFC 7468, section 2. What stands between the lines is for the app's TLS library to judge. */
function isPem(text: string): boolean {
  return text.trimStart().startsWith('-----BEGIN ');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const where = 'GET /v1/containers/certificates';

function unsafeDomain(id: string, domain: string): Warning {
  const subject = domain === '' ? 'no domain' : `the first domain ${display(domain)}`;
  return {
    code: 'W_CERTIFICATE_DOMAIN',
    message: `The certificate ${display(id)} has ${subject}, which cannot be the name of a directory; it gets no files`,
    where,
    fix: 'Look at the domains of this certificate on the platform.',
  };
}

function repeatedDomain(loser: ChosenCertificate, winner: ChosenCertificate): Warning {
  return {
    code: 'W_CERTIFICATE_REPEATED',
    message: `The certificates ${display(winner.id)} and ${display(loser.id)} both begin with ${display(loser.domains[0] ?? '')}; the files are those of ${display(winner.id)}, whose id is greater`,
    where,
    fix: 'Remove the older certificate on the platform.',
  };
}

type NotPem = { readonly id: string; readonly first: string; readonly missing: readonly string[] };

function notPem({ id, first, missing }: NotPem): Warning {
  return {
    code: 'W_CERTIFICATE_PEM',
    message: `The certificate ${display(id)} for ${display(first)} is not complete: PEM text begins with -----BEGIN, and ${missing.join(' and ')} ${missing.length === 1 ? 'does' : 'do'} not; no new files are written for it`,
    where,
    fix: 'Look at the state of this certificate on the platform: it may not have been issued yet.',
  };
}
