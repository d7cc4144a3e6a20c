// fold-to-ascii builds its table when it is loaded, which takes 1 ms: a config that imports `warp-init` shall not pay for it.
'use strict';

exports.foldMaintaining = (text) =>
  require('fold-to-ascii/lib/ascii-folder.js').foldMaintaining(text);
