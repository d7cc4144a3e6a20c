// The config for a command such as `debug`: in a process of its own, so that nothing in it keeps the command from its answer.
import { loadConfigInChild } from '../inputs/config-in-child.ts';
import { type LoadConfig, configDeadlineMs } from './prepare.ts';
import { inheritedVariables } from './inherited-variables.ts';

export const loadConfigForCommand: LoadConfig = ({ path }) =>
  loadConfigInChild({
    path,
    inherited: inheritedVariables(),
    deadlineMs: 2 * configDeadlineMs,
    stdout: 'stderr',
  });
