'use strict';
// The head of dist/warp-init.cjs. Behind it lie the chunks, each in a comment, which V8 skips; a chunk is compiled when it
// is first required. `warp-init warm` leaves V8's code cache beside this file: with it nothing is compiled at a start.
const { readFileSync, renameSync, writeFileSync } = require('node:fs');
const { Script, constants } = require('node:vm');

const importMetaUrl = require('node:url').pathToFileURL(__filename).href;
const cachePath = `${__filename}-${buildId}-${process.version}-${process.arch}.cache`;
const file = readFileSync(__filename, 'latin1');
const cache = readCache();
const modules = new Map();
// What goes into the cache: the chunks that main.js imports statically, and those of a rehearsed start.
const scripts = new Map();
let isPartOfStart = true;
let isRehearsal = false;

function requireChunk(request) {
  if (!request.startsWith('./')) return require(request);
  const name = request.slice(2);
  let module = modules.get(name);
  if (module === undefined) {
    module = { exports: {} };
    modules.set(name, module);
    compile(name)(module.exports, requireChunk, module, importChunk, importMetaUrl, codeCache);
  }
  return module.exports;
}

async function importChunk(request) {
  const before = isPartOfStart;
  isPartOfStart = isRehearsal;
  try {
    return requireChunk(request);
  } finally {
    isPartOfStart = before;
  }
}

function compile(name) {
  const head = `\n/*chunk ${name}\n`;
  const start = file.indexOf(head) + head.length;
  const code = file.slice(start, file.indexOf('*/', start)).replaceAll('*\u0001/', '*/');
  const script = new Script(
    `(function(exports,require,module,importChunk,importMetaUrl,codeCache){${code}\n})`,
    {
      filename: __filename,
      cachedData: cache.get(name),
      importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    },
  );
  if (isPartOfStart) scripts.set(name, script);
  return script.runInThisContext();
}

// {uint32 size of the index, index as JSON, caches}. V8 itself refuses what another version or other flags made.
function readCache() {
  try {
    const bytes = readFileSync(cachePath);
    const end = 4 + bytes.readUInt32LE(0);
    const index = JSON.parse(bytes.toString('utf8', 4, end));
    return new Map(
      index.map(([name, offset, size]) => [name, bytes.subarray(end + offset, end + offset + size)]),
    );
  } catch {
    return new Map(); // None was made for this Node, or it is of no use.
  }
}

const codeCache = {
  rehearse: () => {
    isRehearsal = true;
  },
  write: () => {
    const caches = [...scripts].map(([name, script]) => [name, script.createCachedData()]);
    let offset = 0;
    const index = caches.map(([name, { length }]) => [name, (offset += length) - length, length]);
    const head = Buffer.from(JSON.stringify(index));
    const size = Buffer.alloc(4);
    size.writeUInt32LE(head.length);
    const bytes = Buffer.concat([size, head, ...caches.map(([, data]) => data)]);
    writeFileSync(`${cachePath}.new`, bytes);
    renameSync(`${cachePath}.new`, cachePath);
    return cachePath;
  },
};

requireChunk('./main.js');
