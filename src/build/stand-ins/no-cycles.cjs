'use strict';
// In place of safe-stable-stringify: pino calls it for what JSON.stringify refuses, and our fields are plain values.

exports.configure = () => () => {
  throw new Error('Cannot log a value that JSON does not know');
};
