// What a container may see of the formats that its kernel has registered (binfmt_misc), as shell commands before init.
import { spawnSync } from 'node:child_process';

const directory = '/proc/sys/fs/binfmt_misc';

function tellFileSystems(edit: string): string {
  return `${edit} /proc/filesystems >/run/filesystems; mount --bind /run/filesystems /proc/filesystems`;
}

/** As on a kernel that has never loaded it. */
export const noFormats = tellFileSystems(`sed /binfmt_misc/d`);

/** As in most containers: it is not mounted there, and may be on the host. */
export const hiddenFormats = `test ! -d ${directory} || mount -t tmpfs tmpfs ${directory}
${tellFileSystems(`printf 'nodev\\tbinfmt_misc\\n' | cat -`)}`;

/** As in a privileged container that has mounted it; where that is not allowed, as {@link noFormats}. */
export const seenFormats = `mount -t binfmt_misc binfmt_misc ${directory} 2>/dev/null || { ${noFormats}; }`;

const registering = ['unshare', '--user', '--map-root-user', '--mount', 'sh', '-ec'];

/** Since Linux 6.7: formats of a user namespace. In an older kernel they would be those of the host. */
export const cannotRegister =
  spawnSync(registering[0] ?? '', [
    ...registering.slice(1),
    `mount -t binfmt_misc binfmt_misc ${directory}`,
  ]).status !== 0;

/** Init runs where a file of that extension is printed by echo(1). @param then - Commands after that. */
export function registerExtension(extension: string, then: string): string {
  return `set -- ${registering.join(' ')} 'mount -t binfmt_misc binfmt_misc ${directory}
echo ":own:E::${extension}::/bin/echo:" >${directory}/register
${then}
exec "$@"' sh "$@"`;
}
