'use strict';
// The head of dist/warp-init.cjs. Behind it lie units of code in a comment, which V8 skips; one is compiled when a chunk in
// it is first required (`units`, from bundle.ts, says where each lies). `warp-init warm` leaves V8's code cache beside this file: then a start compiles nothing.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(
    `warp-init: Cannot run on Node ${process.version}. Install Node 20.19 or newer.\n`,
  );
  process.exit(70); // oxlint-disable-line unicorn/no-process-exit -- what follows cannot run there
}

const { readFileSync, renameSync, writeFileSync } = require('node:fs');
const { Script, constants } = require('node:vm');

const importMetaUrl = require('node:url').pathToFileURL(__filename).href;
const cachePath = `${__filename}-${buildId}-${process.version}-${process.arch}.cache`;
const file = readFileSync(__filename, 'latin1');
// The last one: the words stand in this line, too.
const base = file.lastIndexOf('\n/*units') + 1;
const cache = readCache();
const scripts = new Map();
const chunks = {};
const modules = new Map();
// The units that go into the cache: those of every start, and those that a rehearsed one needs besides.
const unitsOfStart = new Set(['start', 'run']);
let isRehearsal = false;

function requireChunk(request) {
  if (!request.startsWith('./')) return require(request);
  const name = request.slice(2);
  let module = modules.get(name);
  if (module === undefined) {
    module = { exports: {} };
    modules.set(name, module);
    if (chunks[name] === undefined) Object.assign(chunks, compileUnitOf(name));
    chunks[name](module.exports, requireChunk, module, importChunk, importMetaUrl, codeCache);
  }
  return module.exports;
}

async function importChunk(request) {
  return requireChunk(request);
}

function compileUnitOf(chunk) {
  const { unit, begin, end } = units.find(({ members }) => members.includes(chunk));
  const code = file.slice(base + begin, base + end).replaceAll('*\u0001/', '*/');
  const script = new Script(code, {
    filename: __filename,
    cachedData: cache.get(unit),
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  scripts.set(unit, script);
  if (isRehearsal) unitsOfStart.add(unit);
  return script.runInThisContext();
}

// {uint32 size of the index, index as JSON, caches}. V8 itself refuses what another version or other flags made.
function readCache() {
  try {
    const bytes = readFileSync(cachePath);
    const end = 4 + bytes.readUInt32LE(0);
    const index = JSON.parse(bytes.toString('utf8', 4, end));
    return new Map(
      index.map(([unit, offset, size]) => [
        unit,
        bytes.subarray(end + offset, end + offset + size),
      ]),
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
    const caches = [...unitsOfStart].map((unit) => [unit, scripts.get(unit).createCachedData()]);
    let offset = 0;
    const index = caches.map(([unit, { length }]) => [unit, (offset += length) - length, length]);
    const head = Buffer.from(JSON.stringify(index));
    const size = Buffer.alloc(4);
    size.writeUInt32LE(head.length);
    const bytes = Buffer.concat([size, head, ...caches.map(([, data]) => data)]);
    // With fsync: V8 believes what it finds, so there must be no name without all of the bytes.
    writeFileSync(`${cachePath}.new`, bytes, { flush: true });
    renameSync(`${cachePath}.new`, cachePath);
    return cachePath;
  },
};

requireChunk('./main.js');
