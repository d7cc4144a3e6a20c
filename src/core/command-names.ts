/** The commands of warp-init, as they are typed. */
export const commandNames: readonly string[] = [
  'run',
  'debug',
  'check',
  'status',
  'reload',
  'health',
  'bundle',
  'emulator',
  'warm',
];
