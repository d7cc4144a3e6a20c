'use strict';
const importMetaUrl = require('node:url').pathToFileURL(__filename).href;
const eager = {};
const loaded = {};

function requireChunk(request) {
  if (!request.startsWith('./')) return require(request);
  const name = request.slice(2);
  if (loaded[name] === undefined) {
    const exports = (loaded[name] = {});
    const module = { exports };
    (eager[name] ?? compileChunk(name))(exports, requireChunk, module, importChunk, importMetaUrl);
    loaded[name] = module.exports;
  }
  return loaded[name];
}

async function importChunk(request) {
  return requireChunk(request);
}

function compileChunk(name) {
  const { compileFunction, constants } = require('node:vm');
  const file = require('node:fs').readFileSync(__filename, 'utf8');
  const head = `\n/*chunk ${name}\n`;
  const start = file.indexOf(head) + head.length;
  const code = file.slice(start, file.indexOf('*/', start)).replaceAll('*\u0001/', '*/');
  return compileFunction(code, ['exports', 'require', 'module', 'importChunk', 'importMetaUrl'], {
    filename: __filename,
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
}
