// Each edit of the platform's file as the platform would do it: other answers, and the notifications of the difference.
import type { Notification } from './notification.ts';
import { completePlatform } from './platform.ts';
import { readPlatformFile } from './platform-file.ts';
import type { Emulator } from './server.ts';
import { watchFile } from './watch-file.ts';
import type { FileWatch } from './watch-file.ts';

export type FileFollower = {
  /** `signatureOf` the file before the emulator's platform was read from it. */
  readonly signature: string;
  /** After an edit that the platform tells of. */
  readonly onNotifications: (notifications: readonly Notification[]) => void;
  /** After an edit that does not make a platform: the earlier one stays. Once for each text that is wrong. */
  readonly onProblem: (problem: unknown) => void;
};

export function followFile(path: string, emulator: Emulator, follower: FileFollower): FileWatch {
  let lastProblem = '';
  const read = async (): Promise<void> => {
    try {
      // The answers change within this call; what is awaited are listeners that read slowly.
      const moved = emulator.moveTo(completePlatform(readPlatformFile(path), path));
      lastProblem = '';
      const notifications = await moved;
      if (notifications.length > 0) follower.onNotifications(notifications);
    } catch (problem) {
      const message = problem instanceof Error ? problem.message : String(problem);
      if (message !== lastProblem) follower.onProblem(problem);
      lastProblem = message;
    }
  };
  return watchFile(path, { signature: follower.signature, onChange: () => void read() });
}
