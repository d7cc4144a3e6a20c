// What the output of a reload command may hold and the log must not: everything secret that lies in the container.
import type { SecretFileStep } from '../core/secret-files.ts';
import { Secret, type SecretBytes } from '../core/secret.ts';
import { StartError } from '../errors.ts';
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
  const contents = await Promise.all(files.map(contentOf));
  let sizeBytes = 0;
  return contents
    .flat()
    .filter((content) => {
      sizeBytes += content.reveal().length;
      return sizeBytes <= mostBytes;
    })
    .map((content) => new Secret(new TextDecoder().decode(content.reveal())));
}

async function contentOf({
  kind,
  content,
  ...use
}: SecretFileStep): Promise<readonly SecretBytes[]> {
  if (content === undefined || kind === 'write-secret') {
    return content === undefined ? [] : [content];
  }

  const { unpackArchive } = await import('../apply/unpack-archive.ts');
  try {
    return unpackArchive(content, use).flatMap((entry) =>
      entry.kind === 'file' ? entry.content : [],
    );
  } catch (error) {
    if (!(error instanceof StartError)) {
      throw error;
    }

    return []; // A bad one: nothing of it was written.
  }
}
