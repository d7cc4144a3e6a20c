// Runs the command as a process: PLATFORM.json and the socket's path are its arguments.
import { runEmulator } from '../../src/commands/emulator.ts';

const [platformPath = '', socketPath = ''] = process.argv.slice(2);
process.exitCode = await runEmulator({ platformPath, socketPath });
