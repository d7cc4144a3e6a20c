'use strict';
// In place of a part of a package that we never call: stand-ins.ts says which, and why not.

module.exports = function never() {
  throw new Error('Cannot use this: src/build/stand-ins.ts left it out of the bundle');
};
