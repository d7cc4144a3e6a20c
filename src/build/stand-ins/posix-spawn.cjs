'use strict';
// In place of cross-spawn, of which execa takes what it does to a command on Windows.

// oxlint-disable-next-line no-underscore-dangle -- that is what execa calls
exports._parse = (command, args, options) => ({
  command,
  args: [...args],
  options: { ...options },
});
