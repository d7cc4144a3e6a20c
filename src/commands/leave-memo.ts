// What a brain leaves with pid1, which keeps it for the brain's successor.
import { type Memo, emptyMemo, encodeMemo } from '../core/memo.ts';
import type { Secret } from '../core/secret.ts';
import { mergeSecrets } from '../core/trust.ts';
import { writtenCertificatesOf } from '../core/written-certificates.ts';
import type { Link } from '../link/link.ts';
import { fingerprintsOf } from './certificate-fingerprints.ts';
import { packMemo } from './memo-bytes.ts';
import type { Prepared } from './prepare.ts';

export function leaveMemo(
  link: Pick<Link, 'send'>,
  memo: Memo,
  encode: (memo: Memo) => Uint8Array = packMemo,
): void {
  if (memo.secrets.size + memo.served.size > 0) {
    link.send({ type: 'not-dumpable' }); // Before they are in pid1's memory.
  }

  link.send({ type: 'memo', bytes: encode(memo) });
}

/**
 * Before the app runs: a brain may end as soon as it does, and then nobody gets again what was served once, and nobody knows
 * which certificates it has written. The rest can be had again, and is left when there is time for it, as there is none now to
 * deflate anything.
 */
export function leaveFirstMemo(link: Pick<Link, 'send'>, prepared: Prepared): void {
  const certificates = fingerprintsOf(prepared.certificates?.certificates);
  const first = {
    ...emptyMemo,
    secrets: wantedSecrets(prepared),
    writtenCertificates: writtenCertificatesOf({ certificates }),
  };
  leaveMemo(link, first, encodeMemo);
}

/** The platform has served all that this container may see. */
export function wantedSecrets({
  secrets = new Map(),
  wanted,
}: Pick<Prepared, 'secrets' | 'wanted'>): ReadonlyMap<string, Secret> {
  return mergeSecrets(new Map(), secrets, wanted).values;
}
