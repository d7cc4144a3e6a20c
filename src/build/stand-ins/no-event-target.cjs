'use strict';
// In place of ws's listeners as browsers have them: ours are those of Node's events.

exports.EventTarget = {};
