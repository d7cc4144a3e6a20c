// The certificates that an earlier brain has written. They are read again, so that no memo has to hold private keys.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { type ChosenCertificate, certificatePaths } from '../core/certificate-files.ts';
import { Secret } from '../core/secret.ts';
import { errnoOf } from '../errors.ts';

/** Those that can be read; undefined where there is no directory. */
export function readCertificates(
  directory: string | undefined,
): readonly ChosenCertificate[] | undefined {
  const names = directory === undefined ? undefined : readOr(() => readdirSync(directory));
  return names?.flatMap((name) => {
    const [bundle, privateKey] = certificatePaths(name).map((path) =>
      readOr(() => readFileSync(join(directory ?? '', path), 'utf8')),
    );
    return bundle === undefined || privateKey === undefined
      ? []
      : { id: '', domains: [name], name, pem: { privateKey: new Secret(privateKey), bundle } };
  });
}

/** Undefined where it is not there, or not ours to read. */
function readOr<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch (error) {
    if (errnoOf(error) === undefined) {
      throw error;
    }

    return undefined;
  }
}
