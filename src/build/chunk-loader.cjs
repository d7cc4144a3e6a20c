'use strict';
// The head of dist/warp-init.cjs. Behind it lie units of code in the comment of a function, which V8 skips; one is compiled
// when a chunk in it is first required (`units`, from bundle.ts, says where each lies). `warp-init warm` leaves V8's code
// cache beside this file: then a start compiles nothing.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(
    `warp-init: Cannot run on Node ${process.version}. Install Node 20.19 or newer, or name one in WARP_INIT_NODE.\n`,
  );
  process.exit(70); // oxlint-disable-line unicorn/no-process-exit -- what follows cannot run there
}

const fs = require('node:fs');
const { Script, constants } = require('node:vm');

const cachePath = `${__filename}-${buildId}-${process.version}-${process.arch}.cache`;
// The text of a function has its comments (ECMA-262, Function.prototype.toString). V8 keeps it anyway, and gives parts of it
// without a copy. Nor does it matter who replaces this file.
const store = String(storedUnits);
const cachedData = openCache();
const scripts = new Map();
const makers = {};
const modules = {};
// The units that go into the cache: those of every start, and those that a rehearsed one needs besides.
const unitsOfStart = new Set(units.slice(0, readyUnits).map(([[unit]]) => unit));
let isRehearsal = false;

// A chunk of ours is asked for by the number that bundle.ts gave it.
function requireChunk(request) {
  if (!request.startsWith('./')) return require(request);
  if (makers[request] === undefined) runUnitOf(request);
  if (modules[request] === undefined) modules[request] = makers[request]();
  return modules[request];
}

function provide(request, make) {
  makers[request] = make;
}

// Later, as import() does: main.js imports while its own unit still runs, which provides nothing until it has ended.
function importChunk(request) {
  return Promise.resolve(request).then(requireChunk);
}

function runUnitOf(request) {
  const index = units.findIndex(([requests]) => requests.includes(request));
  const [[unit], start, end] = units[index];
  const text = store.slice(start, end);
  const isReady = index < readyUnits;
  const script = new Script(isReady ? text : functionOf(text), {
    filename: __filename,
    cachedData: cachedData(unit),
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  scripts.set(unit, script);
  if (isRehearsal) unitsOfStart.add(unit);
  const importMetaUrl =
    !isReady && text.includes('importMetaUrl')
      ? require('node:url').pathToFileURL(__filename).href
      : undefined;
  script.runInThisContext()(requireChunk, provide, importChunk, importMetaUrl, codeCache);
}

// As the ready ones lie there already: a start pays for no copy.
function functionOf(text) {
  return `(function(${parameters}){${text.replaceAll('*\u0001/', '*/')}})`;
}

function readBytes(from, position, size) {
  const bytes = Buffer.allocUnsafe(size);
  for (let have = 0; have < size;) {
    const count = fs.readSync(from, bytes, have, size - have, position + have);
    if (count === 0) throw new RangeError(`${cachePath} was cut off`);
    have += count;
  }
  return bytes;
}

// {uint32 size of the index, index as JSON, caches}. V8 itself refuses what another version or other flags made.
// What a start needs is half of it, and the rest is read when it is needed.
function openCache() {
  const read = unlessUseless(() => {
    const from = fs.openSync(cachePath);
    const end = 4 + readBytes(from, 0, 4).readUInt32LE(0);
    const index = JSON.parse(readBytes(from, 4, end - 4).latin1Slice());
    const places = new Map(index.map(([unit, offset, size]) => [unit, [end + offset, size]]));
    return (unit) => (places.has(unit) ? readBytes(from, ...places.get(unit)) : undefined);
  });
  return (unit) => unlessUseless(() => read?.(unit));
}

// None was made for this Node, or it was cut off.
function unlessUseless(work) {
  try {
    return work();
  } catch {
    return undefined;
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
    fs.writeFileSync(`${cachePath}.new`, bytes, { flush: true });
    fs.renameSync(`${cachePath}.new`, cachePath);
    return cachePath;
  },
};

requireChunk(units[0][0][0]);
