// Runs the command as a process: PLATFORM.json, the socket's path and the faults are its arguments.
import { runEmulator } from '../../src/commands/emulator.ts';

const [platformPath = '', socketPath = '', faults = ''] = process.argv.slice(2);
process.exitCode = await runEmulator({ platformPath, socketPath, faults });
