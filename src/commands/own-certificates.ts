// `init.certificates`: whose the files are is looked up before the platform is asked, what they hold is known after it.
import {
  type CertificatesStep,
  type ChosenCertificate,
  chooseCertificates,
} from '../core/certificate-files.ts';
import type { CertificateFiles } from '../core/settings-files.ts';
import type { Certificate, CertificateSummary } from '../core/snapshot.ts';
import { lookupOwner } from '../inputs/file-owner.ts';
import type { Log } from '../log.ts';

/** @param previous - What is in use, at a reload. */
export type PlanCertificates = (
  served: readonly (CertificateSummary | Certificate)[],
  log: Pick<Log, 'warn'>,
  previous?: readonly ChosenCertificate[],
) => CertificatesStep;

/** @throws {StartError} E_USER: there is no such user or group. */
export function ownCertificates(
  files: CertificateFiles,
  app: { readonly uid: number; readonly gid: number } | undefined,
): PlanCertificates {
  const owner = lookupOwner(files, { app, where: 'init.certificates' });
  return (served, log, previous) => {
    const { certificates, warnings } = chooseCertificates(served, previous);
    for (const warning of warnings) {
      log.warn(warning);
    }

    return { kind: 'write-certificates', path: files.directory, owner, certificates };
  };
}
