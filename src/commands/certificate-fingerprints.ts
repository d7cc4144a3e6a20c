// What two certificates have in common only if chain and private key are the same: so that the key counts, and is in no memo.
import { createHash } from 'node:crypto';

import type { CertificatePem, ChosenCertificate } from '../core/certificate-files.ts';

/** By name; an empty text for one without PEM. */
export function fingerprintsOf(
  certificates: readonly ChosenCertificate[] = [],
): ReadonlyMap<string, string> {
  return new Map(
    certificates.map(({ name, pem }) => [name, pem === undefined ? '' : fingerprint(pem)]),
  );
}

export function fingerprint({ bundle, privateKey }: CertificatePem): string {
  return createHash('sha256').update(bundle).update('\0').update(privateKey.reveal()).digest('hex');
}
