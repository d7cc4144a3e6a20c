// What the output of a reload command may hold and the log must not: everything secret that lies in the container.
import type { SecretFileStep } from '../core/secret-files.ts';
import { Secret, type SecretBytes } from '../core/secret.ts';
import type { Session } from './follow-session.ts';

/** Besides the secrets among the variables. */
export async function secretsOf(session: Session): Promise<readonly Secret[]> {
  const { surroundings, known, told, applied } = session;
  const token = surroundings.inherited.get('CYCLE_API_TOKEN');
  return [
    ...(token === undefined ? [] : [new Secret(token)]),
    ...known.secrets.values(),
    // The app may still have the old ones.
    ...(told?.secrets.values() ?? []),
    ...(known.certificates ?? []).flatMap(({ pem }) => pem?.privateKey ?? []),
    ...(await contentsOf(applied?.prepared.secretFiles ?? [])),
  ];
}

/** Of all files together; what is in an archive beyond that is not looked for. */
const mostBytes = 8 * 1024 * 1024;

/** As they are written: decoded, unpacked. */
async function contentsOf(files: readonly SecretFileStep[]): Promise<readonly Secret[]> {
  const contents: SecretBytes[] = [];
  for (const { kind, identifier, path, allowEmpty, content } of files) {
    if (content !== undefined && kind === 'unpack-secret') {
      const { unpackArchive } = await import('../apply/unpack-archive.ts');
      const entries = unpackArchive(content, { identifier, path, allowEmpty });
      contents.push(...entries.flatMap((entry) => (entry.kind === 'file' ? entry.content : [])));
    } else if (content !== undefined) {
      contents.push(content);
    }
  }

  let sizeBytes = 0;
  return contents
    .filter((content) => {
      sizeBytes += content.reveal().length;
      return sizeBytes <= mostBytes;
    })
    .map((content) => new Secret(new TextDecoder().decode(content.reveal())));
}
