'use strict';
// In place of ws's compression: both our client and our server turn it off. Without it zlib is not loaded either.

module.exports = function deflate() {
  throw new Error('Cannot compress messages: src/build/stand-ins.ts left it out of the bundle');
};

// The key under which a connection would have it: none has.
module.exports.extensionName = 'permessage-deflate';
