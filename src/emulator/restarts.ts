// The fault `restart=EVERY/GONE`: again and again the socket is away for a while.
import type { Faults } from './faults.ts';
import type { Listener } from './listener.ts';

export type Restarts = {
  /** Undefined ends them. */
  readonly set: (restart: Faults['restart']) => void;
};

export function scheduleRestarts(
  listener: Listener,
  onProblem: (problem: unknown) => void = () => undefined,
): Restarts {
  let timer: NodeJS.Timeout | undefined;
  let current: Faults['restart'];
  const schedule = (restart: NonNullable<Faults['restart']>): void => {
    timer = setTimeout(() => {
      void restartOnce(restart);
    }, restart.everyMs);
  };
  const restartOnce = async (restart: NonNullable<Faults['restart']>): Promise<void> => {
    try {
      await listener.restart(restart.goneMs);
    } catch (problem) {
      onProblem(problem);
    }
    if (current === restart) schedule(restart);
  };
  return {
    set: (restart) => {
      clearTimeout(timer);
      current = restart;
      if (restart !== undefined) schedule(restart);
    },
  };
}
