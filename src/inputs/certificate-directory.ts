// The certificates that an earlier brain has written. They are read again, so that no memo has to hold private keys.
//
// They belong to the app, which may have put anything in their place: no link of it is followed, nothing but a plain file is read,
// and whether the bytes are those that were written is for the caller to know.
import { closeSync, readlinkSync } from 'node:fs';
import { basename, dirname } from 'node:path';

import {
  type CertificatePem,
  type ChosenCertificate,
  certificatePaths,
} from '../core/certificate-files.ts';
import { Secret } from '../core/secret.ts';
import { holdDirectory, nameIn, openDirectory } from '../held-directory.ts';
import { readHeldFile } from '../held-file.ts';
import { readOr } from './read-or.ts';

/**
 * Those that can be read; undefined where there is no directory.
 *
 * @param names - Of the certificates that were written.
 */
export function readCertificates(
  directory: string | undefined,
  names: Iterable<string> = [],
): readonly ChosenCertificate[] | undefined {
  return directory === undefined
    ? undefined
    : readOr(() => within(openGeneration(directory), (held) => readNamed(held, names)));
}

/** The directory itself is a link to one beside it (apply/replace-directory.ts). That one alone is followed, and no further. */
function openGeneration(path: string): number {
  const parent = holdDirectory(dirname(path), { missing: 'fail', ancestors: 'any' });
  return within(parent, () => {
    const target = readlinkSync(nameIn(parent, basename(path)));
    return openDirectory(nameIn(parent, basename(target)));
  });
}

function readNamed(generation: number, names: Iterable<string>): readonly ChosenCertificate[] {
  return [...names].flatMap((name) => {
    const pem = readOr(() =>
      within(openDirectory(nameIn(generation, name)), (held) => readPem(held, name)),
    );
    return pem === undefined ? [] : [{ id: '', domains: [name], name, pem }];
  });
}

function readPem(directory: number, name: string): CertificatePem | undefined {
  const [bundle, privateKey] = certificatePaths(name).map((path) =>
    readHeldFile(nameIn(directory, basename(path)), ({ size }) => size <= mostBytes)?.toString(),
  );
  return bundle === undefined || privateKey === undefined
    ? undefined
    : { privateKey: new Secret(privateKey), bundle };
}

/** A chain is some ten KiB. */
const mostBytes = 1024 * 1024;

function within<Value>(directory: number, work: (held: number) => Value): Value {
  try {
    return work(directory);
  } finally {
    closeSync(directory);
  }
}
